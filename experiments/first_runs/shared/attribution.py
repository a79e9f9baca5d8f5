"""How much of a difference each of several causes explains, from outcomes of all combinations of them.

A full factorial of k causes gives one outcome per subset changed. The Shapley value of a cause is its effect
averaged over all orders in which the causes could be changed one after another (Shapley 1953, "A value for n-person
games"); the values add up to the whole difference, interactions split evenly. With all 2^k outcomes it is exact.
"""

from math import factorial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import Quantity, bootstrap_each

Array = NDArray[np.float64]


def shapley_values(outcomes: ArrayLike, causes: int) -> Array:
    """Return the Shapley value of each cause, (cause, ...), for outcomes (2, ..., 2, ...) with an axis per cause first.

    Index 1 on an axis means that the cause is changed. The values sum to `outcomes[1, ..., 1] - outcomes[0, ..., 0]`.
    """
    values = np.asarray(outcomes, dtype=np.float64)
    if values.shape[:causes] != (2,) * causes:
        raise ValueError(f"outcomes of shape {values.shape} do not begin with {causes} axes of length 2")
    return np.stack([_one(np.moveaxis(values, cause, 0), causes) for cause in range(causes)])


def _one(values: Array, causes: int) -> Array:
    """Return the value of the first cause: its effect in each context, weighted by how many orders lead there."""
    effect = values[1] - values[0]
    total = np.zeros(effect.shape[causes - 1 :])
    for context in np.ndindex(*(2,) * (causes - 1)):
        before = sum(context)
        weight = factorial(before) * factorial(causes - 1 - before) / factorial(causes)
        total = total + weight * effect[context]
    return total


def shapley_shares(outcomes: ArrayLike, resamples: int, seed: int) -> list[Quantity]:
    """Return each cause's Shapley value as a share of the whole difference, for outcomes (2, ..., 2, seed).

    Outcomes are averaged over seeds; the bootstrap resamples seeds together for all combinations, since the same seeds
    train in each.
    """
    values = np.asarray(outcomes, dtype=np.float64)
    parts = shapley_values(values, values.ndim - 1)

    def shares(chosen: NDArray[np.int64]) -> Array:
        total = parts[:, chosen].mean(-1)
        return np.asarray(total / total.sum())

    return bootstrap_each(shares, values.shape[-1], seed=seed, resamples=resamples)
