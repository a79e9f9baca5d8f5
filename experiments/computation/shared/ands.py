"""All pairwise ANDs from one hidden layer: a sparse random construction, and the width that it needs.

Hänni et al. 2024 (arXiv:2408.05451). Each of d neurons is joined to every one of m Boolean features with probability
q and computes h = ReLU(number of its active features - 1). The AND of features i and j is read linearly from the
neurons joined to both, in two ways: their mean activity, and that mean centred as an interaction is in an analysis of
variance, less the means over neurons joined to i and to j, plus the mean over all, scaled to 1 for a true pair.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PLAIN, CENTRED = range(2)
READ_OUTS = ("mean", "centred")


class Wiring(NamedTuple):
    """Which features each neuron is joined to: `feature[start[k]:start[k + 1]]` for neuron k."""

    start: NDArray[np.int64]
    feature: NDArray[np.int64]


def wired(features: int, neurons: int, q: float, generator: np.random.Generator) -> Wiring:
    """Return a random wiring with join probability q."""
    if not 0 < q < 1:
        raise ValueError(f"q is {q}; the probability of a join must lie between 0 and 1")
    cells = neurons * features
    # Gaps between joins are geometric, so that drawing costs as much as there is to draw.
    expected = int(cells * q + 8 * np.sqrt(cells * q) + 16)
    places = np.cumsum(generator.geometric(q, expected)) - 1
    places = places[places < cells]
    start = np.searchsorted(places, np.arange(neurons + 1) * features)
    return Wiring(start.astype(np.int64), (places % features).astype(np.int64))


def active_sets(features: int, active: int, inputs: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return which features are on in each input, (input, active), without repetition."""
    return np.asarray(generator.random((inputs, features)).argsort(1)[:, :active], dtype=np.int64)


def centred_gain(q: float, active: int) -> float:
    """Return what the centred mean is for a true pair before it is scaled, by the law of total expectation.

    With c other active features joined to a neuron, its activity is c + 1 if joined to both of the pair, c if to one
    and max(c - 1, 0) if to none; c is binomial(active - 2, q). The mean over all neurons mixes the three.
    """
    from scipy import stats

    others = np.arange(active - 1)
    weight = stats.binom.pmf(others, active - 2, q)
    both, one, none = (float(weight @ np.maximum(others + joined - 1, 0)) for joined in (2, 1, 0))
    single = q * both + (1 - q) * one
    return both - 2 * single + q**2 * both + 2 * q * (1 - q) * one + (1 - q) ** 2 * none


def worst_errors(
    wiring: Wiring, features: int, sets: NDArray[np.int64], widths: NDArray[np.int64], gain: float
) -> Array:
    """Return the largest error over all pairs per input, (width, read-out, input), for the first d neurons each.

    `widths` increase. A pair that shares no neuron reads 0.
    """
    inputs = len(sets)
    on = np.zeros((inputs, features), dtype=np.bool_)
    np.put_along_axis(on, sets, True, axis=1)
    found = np.zeros((len(widths), 2, inputs))
    shared, joined = np.zeros((features, features), np.float32), np.zeros(features)
    pair, one, total = np.zeros((inputs, features, features), np.float32), np.zeros(on.shape), np.zeros(inputs)
    begin = 0
    for place, end in enumerate(widths):
        _add_neurons(wiring.start, wiring.feature, on, begin, int(end), shared, joined, pair, one, total)
        _judge(on, int(end), gain, shared, joined, pair, one, total, found[place])
        begin = int(end)
    return found


@njit(nogil=True, cache=True)
def _add_neurons(start, feature, on, begin, end, shared, joined, pair, one, total):  # type: ignore[no-untyped-def]
    """Add the neurons from `begin` to before `end` to the sums: joins, joins to both, and activity over either."""
    for k in range(begin, end):
        first, last = start[k], start[k + 1]
        for e in range(first, last):
            joined[feature[e]] += 1.0
            for f in range(e + 1, last):
                shared[feature[e], feature[f]] += 1.0
        for n in range(len(on)):
            count = 0
            for e in range(first, last):
                count += on[n, feature[e]]
            if count < 2:
                continue
            h = count - 1.0
            total[n] += h
            for e in range(first, last):
                one[n, feature[e]] += h
                for f in range(e + 1, last):
                    pair[n, feature[e], feature[f]] += h


@njit(nogil=True, cache=True, fastmath=True)
def _judge(on, neurons, gain, shared, joined, pair, one, total, found):  # type: ignore[no-untyped-def]
    """Set the largest errors (read-out, input) of both read-outs over all pairs.

    The inner loop has no branch, so that it runs over vectors: a pair that shares no neuron has a sum of 0.
    """
    features = on.shape[1]
    single, active = np.empty(features), np.empty(features)
    for n in range(len(on)):
        for i in range(features):
            single[i] = one[n, i] / max(joined[i], 1.0)
            active[i] = 1.0 if on[n, i] else 0.0
        plain, centred, everywhere = 0.0, 0.0, total[n] / neurons
        for i in range(features):
            for j in range(i + 1, features):
                wanted = active[i] * active[j]
                mean = pair[n, i, j] / max(shared[i, j], np.float32(1.0))
                read = (mean - (single[i] + single[j] - everywhere)) / gain if shared[i, j] > 0 else 0.0
                plain, centred = max(plain, abs(mean - wanted)), max(centred, abs(read - wanted))
        found[0, n], found[1, n] = plain, centred


def storage_errors(features: int, sets: NDArray[np.int64], widths: NDArray[np.int64], seed: int) -> Array:
    """Return the largest error (width, input) of reading single features stored as random unit vectors.

    The read-out of feature i is the dot product with its own vector: what storing costs, to compare computing with.
    """
    generator = np.random.default_rng(seed)
    found = np.empty((len(widths), len(sets)))
    for place, width in enumerate(widths):
        F = generator.standard_normal((features, int(width)))
        F /= np.linalg.norm(F, axis=1, keepdims=True)
        x = np.zeros((len(sets), features))
        np.put_along_axis(x, sets, 1.0, axis=1)
        found[place] = np.abs((x @ F) @ F.T - x).max(1)
    return found


def smallest_width(widths: ArrayLike, error: ArrayLike, level: float) -> float:
    """Return the least width from which on `error` (width,) stays below `level`, interpolated in both logarithms.

    NaN if the largest width does not reach it, and the smallest width if all do.
    """
    d, e = np.log(np.asarray(widths, dtype=np.float64)), np.log(np.maximum(np.asarray(error, dtype=np.float64), 1e-12))
    above = np.flatnonzero(e >= np.log(level))
    if not above.size:
        return float(np.exp(d[0]))
    last = int(above[-1])
    if last == len(d) - 1:
        return float("nan")
    share = (e[last] - np.log(level)) / (e[last] - e[last + 1])
    return float(np.exp(d[last] + share * (d[last + 1] - d[last])))


def exponent(sizes: ArrayLike, widths: ArrayLike) -> Array:
    """Return the slopes (...) of log width over log size by least squares; `widths` is (..., size)."""
    x, y = np.log(np.asarray(sizes, dtype=np.float64)), np.log(np.asarray(widths, dtype=np.float64))
    return np.asarray((y @ (x - x.mean())) / ((x - x.mean()) ** 2).sum())
