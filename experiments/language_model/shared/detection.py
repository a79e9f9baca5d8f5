"""How well single latents, neurons or tokens tell a label, chosen on one half of the documents, scored on the other.

A detector is one column of activations and a threshold: it says yes above it. Of all columns and `LEVELS` (quantiles
of the column's own positive activations) the pair with the best F1 on one half of the documents is taken, and its F1
on the other half is the score; then the halves change places, and the two scores are averaged. So choosing among more
columns earns nothing by chance.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEVELS = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97)


class Detectors(NamedTuple):
    """For each label the `column` (half, label) chosen on each half, and the `f1` (label,) on the other, averaged."""

    column: Ids
    f1: Array


class _Half(NamedTuple):
    """Activations of half of the tokens, by column: each positive one's `value`, its `column` and its token's number
    in `kind`; how many there are in each column, `size` (column,)."""

    value: NDArray[np.float32]
    column: Ids
    kind: Ids
    size: Ids


def best_detectors(f: sparse.csr_matrix, labels: Flags, first: Flags) -> Detectors:
    """Return the best single detectors among the columns of `f` (token, column) for `labels` (token, label).

    `first` (token,) says which tokens belong to the first half; activations are at least 0, and compared in single
    precision.
    """
    kinds, kind = np.unique(labels, axis=0, return_inverse=True)  # tokens with equal labels are counted together
    halves = [_half(f, half, kind.ravel()) for half in (first, ~first)]
    present = [labels[half].sum(0).astype(np.float64) for half in (first, ~first)]
    column, f1 = [], []
    for here, there in ((0, 1), (1, 0)):
        chosen, cutoff = _chosen(halves[here], kinds, present[here])
        column.append(chosen)
        f1.append(_scored(halves[there], kinds, present[there], chosen, cutoff))
    return Detectors(np.array(column), np.mean(f1, axis=0))


def f1_scores(both: Array, fired: Array, present: Array) -> Array:
    """Return 2 both / (fired + present), 0 where nothing fires and nothing is present."""
    return np.asarray(2 * both / np.maximum(fired + present, 1e-300))


def _half(f: sparse.csr_matrix, half: Flags, kind: Ids) -> _Half:
    columns = f[half].tocsc()
    size = np.diff(columns.indptr)
    return _Half(
        columns.data.astype(np.float32), np.repeat(np.arange(len(size)), size), kind[half][columns.indices], size
    )


def _chosen(of: _Half, kinds: Flags, present: Array) -> tuple[Ids, Array]:
    """Return the column and the threshold (label,) with the best F1; of equal ones the lowest level, the first column.

    `kinds` (kind, label) has the labels of each kind of token, `present` (label,) how often each label occurs.
    """
    at = thresholds(of.value, of.size)
    passed = sum((of.value > level[of.column]).astype(np.int64) for level in at)  # detectors of the column that fire
    place = (passed * len(of.size) + of.column) * len(kinds) + of.kind
    counts = np.bincount(place, minlength=(len(at) + 1) * len(of.size) * len(kinds))
    fires = counts.reshape(len(at) + 1, len(of.size), len(kinds))[:0:-1].cumsum(0)[::-1]
    score = f1_scores(fires @ kinds.astype(np.float64), fires.sum(-1, keepdims=True), present)
    top = score.reshape(-1, len(present)).argmax(0)
    return top % len(of.size), at.ravel()[top]


def thresholds(value: NDArray[np.float32], size: Ids) -> Array:
    """Return the quantiles (level, column) at `LEVELS` of each column's positive values; infinity for a silent column.

    `value` has the values of one column after another, `size` (column,) how many each has. Level 0 is the threshold 0.
    """
    # Positive numbers in single precision rise with their bits, so that one sort of integers ranks all columns.
    keys = (np.repeat(np.arange(len(size)), size) << 32) | value.view(np.uint32)
    keys.sort()
    ranked = np.append((keys & 0xFFFFFFFF).astype(np.uint32).view(np.float32), np.float32(np.inf))
    start = np.cumsum(size) - size
    found = np.zeros((len(LEVELS), len(size)))
    for k, level in enumerate(LEVELS):
        if level > 0:
            place = start + np.minimum((level * size).astype(np.int64), np.maximum(size - 1, 0))
            found[k] = np.where(size > 0, ranked[np.minimum(place, len(value))], np.inf)
    return found


def _scored(of: _Half, kinds: Flags, present: Array, column: Ids, cutoff: Array) -> Array:
    """Return F1 (label,) of one detector per label."""
    start = np.cumsum(of.size) - of.size
    found = np.zeros(len(present))
    for label, (c, least) in enumerate(zip(column, cutoff, strict=True)):
        own = slice(start[c], start[c] + of.size[c])
        kind = of.kind[own][of.value[own] > least]
        found[label] = f1_scores(kinds[kind, label].sum(), np.asarray(float(len(kind))), present[label])
    return found


def token_detector(ids: Ids, labels: Flags, first: Flags, entries: int) -> Array:
    """Return the F1 (label,) of the best detector that knows the current token and nothing else.

    It says yes for tokens of which at least a share of occurrences has the label; shares and the least share come from
    one half of the documents, the score from the other, and the halves change places.
    """
    halves = [_by_token(ids, labels, half, entries) for half in (first, ~first)]
    return np.asarray(np.mean(halves, axis=0))


def _by_token(ids: Ids, labels: Flags, half: Flags, entries: int) -> Array:
    scores = []
    for label in labels.T:
        count = np.bincount(ids[half], minlength=entries)
        having = np.bincount(ids[half & label], minlength=entries)
        ranked = np.argsort(-having / np.maximum(count, 1), kind="stable")
        f1 = f1_scores(np.cumsum(having[ranked]), np.cumsum(count[ranked]), having.sum())
        says = np.zeros(entries, bool)
        says[ranked[: int(f1.argmax()) + 1]] = True
        fires, present = says[ids[~half]], label[~half]
        scores.append(float(f1_scores((fires & present).sum(), fires.sum(), present.sum())))
    return np.array(scores)
