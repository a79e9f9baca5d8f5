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


def best_detectors(f: sparse.csr_matrix, labels: Flags, first: Flags) -> Detectors:
    """Return the best single detectors among the columns of `f` (token, column) for `labels` (token, label).

    `first` (token,) says which tokens belong to the first half.
    """
    found = [_chosen(f[half], labels[half], f[~half], labels[~half]) for half in (first, ~first)]
    return Detectors(np.array([each[0] for each in found]), np.mean([each[1] for each in found], axis=0))


def f1_scores(both: Array, fired: Array, present: Array) -> Array:
    """Return 2 both / (fired + present), 0 where nothing fires and nothing is present."""
    return np.asarray(2 * both / np.maximum(fired + present, 1e-300))


def _chosen(f: sparse.csr_matrix, labels: Flags, other: sparse.csr_matrix, other_labels: Flags) -> tuple[Ids, Array]:
    best = np.full(labels.shape[1], -1.0)
    column = np.zeros(labels.shape[1], np.int64)
    cutoff = np.zeros(labels.shape[1])
    for level in LEVELS:
        at = thresholds(f, level)
        score = f1_matrix(f, at, labels)
        top = score.argmax(0)
        better = score[top, np.arange(len(top))] > best
        best = np.where(better, score[top, np.arange(len(top))], best)
        column, cutoff = np.where(better, top, column), np.where(better, at[top], cutoff)
    fires = other[:, column].toarray() > cutoff
    return column, f1_scores((fires & other_labels).sum(0), fires.sum(0), other_labels.sum(0))


def f1_matrix(f: sparse.csr_matrix, above: Array, labels: Flags) -> Array:
    """Return F1 (column, label) of every column of `f` as a detector with the thresholds `above` (column,)."""
    fires = sparse.csr_matrix(((f.data > above[f.indices]).astype(np.float32), f.indices, f.indptr), shape=f.shape)
    both = np.asarray(fires.T @ labels.astype(np.float32), dtype=np.float64)
    fired = np.asarray(fires.sum(0), dtype=np.float64).ravel()
    return f1_scores(both, fired[:, None], labels.sum(0).astype(np.float64))


def thresholds(f: sparse.csr_matrix, level: float) -> Array:
    """Return the `level` quantile of each column's positive values (column,); infinity for a silent column.

    Level 0 is the threshold 0.
    """
    columns = f.tocsc()
    size = np.diff(columns.indptr)
    if level == 0:
        return np.zeros(f.shape[1])
    owner = np.repeat(np.arange(f.shape[1]), size)
    ranked = columns.data[np.lexsort((columns.data, owner))]
    place = columns.indptr[:-1] + np.minimum((level * size).astype(np.int64), np.maximum(size - 1, 0))
    return np.where(size > 0, np.append(ranked, np.inf)[np.minimum(place, len(ranked))], np.inf).astype(np.float64)


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
