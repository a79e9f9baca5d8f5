"""What the best of several training runs does, as a statistic that has a sampling error.

The best run of a grid's cell says something about the optimum, but one best run per cell has no interval: with other
seeds it may be another. So the statistic is an average over choices of a few runs among all of them, and its interval
comes from leaving each seed out in turn.
"""

from math import comb, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import CONFIDENCE, Quantity

Array = NDArray[np.float64]


def best_of_some(loss: ArrayLike, hit: ArrayLike, chosen: int, *, unit: str = "", of: str = "seeds") -> Quantity:
    """Return how often the run of least `loss` among `chosen` ones is a `hit`, mean over cells, with an interval.

    `loss` and `hit` are (cell, seed). The mean is over all choices of `chosen` seeds, which a sum over ranks gives
    exactly: a run of rank r (from 0) is the best of `comb(seeds - 1 - r, chosen - 1)` choices. The unit is the seed,
    the same in all cells: the interval is a Student t interval whose standard error is the jackknife's, which leaves
    one seed out at a time. Raises `ValueError` unless `1 <= chosen < seeds`.
    """
    losses, hits = np.asarray(loss, dtype=np.float64), np.asarray(hit, dtype=np.float64)
    cells, seeds = losses.shape
    if not 1 <= chosen < seeds:
        raise ValueError(f"the best of {chosen} needs more than {chosen} seeds, and there are {seeds}")
    order = np.argsort(losses, axis=1, kind="stable")
    ranked = np.take_along_axis(hits, order, axis=1)
    value = float((ranked @ _weights(seeds, chosen)).mean())
    without = np.empty((cells, seeds))
    np.put_along_axis(without, order, _leaving_each_out(ranked, _weights(seeds - 1, chosen)), axis=1)
    return _jackknife(value, without.mean(0), f"best of {chosen} of {seeds} {of}, averaged over all choices", unit)


def _weights(seeds: int, chosen: int) -> Array:
    """Return the share of choices of `chosen` seeds in which the run of each rank is the best, (rank,)."""
    return np.array([comb(seeds - 1 - rank, chosen - 1) / comb(seeds, chosen) for rank in range(seeds)])


def _leaving_each_out(ranked: Array, weights: Array) -> Array:
    """Return the statistic (cell, rank) without the run of each rank; runs after it move up by one."""
    before = np.cumsum(ranked[:, :-1] * weights, axis=1)
    after = np.cumsum((ranked[:, 1:] * weights)[:, ::-1], axis=1)[:, ::-1]
    edge = np.zeros((len(ranked), 1))
    return np.asarray(np.concatenate([edge, before], axis=1) + np.concatenate([after, edge], axis=1))


def _jackknife(value: float, without: Array, method: str, unit: str) -> Quantity:
    from scipy import stats

    count = without.size
    error = sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * error
    low, high = max(value - half, 0.0), min(value + half, 1.0)
    return Quantity(value, low, high, count, unit, f"{method}; jackknife over seeds, Student t, 95 %, within 0 to 1")
