"""Which targets are hard to watch: the rate of alarms against a target's norm and against what interferes with it.

Everything about a neighbourhood is in the target's row of the Gram matrix W^T W. Its own entry is the squared norm;
the others, over that, are what other features add to the target's read-out, in units of the target itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.quantities import Quantity, bootstrap_each, mean
from experiments.core.rank_correlation import rank_correlation

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AtTarget:
    """One target, by its weight in training; rates of true alarms are at the smallest rate of false alarms."""

    norm: Quantity  # length of its column of W
    largest: Quantity  # largest overlap of another feature, over the squared norm
    total: Quantity  # root of the summed squares of all positive overlaps, over the squared norm
    direction: Quantity
    probe: Quantity


@dataclass(frozen=True)
class Neighbourhood:
    """Rank correlations of the direction's true alarms, at the smallest rate of false alarms, over targets and seeds.

    "Within" compares seeds with one another for each target, so that its weight in training is held; mean over targets.
    """

    norm: Quantity
    largest: Quantity
    total: Quantity
    norm_within: Quantity
    largest_within: Quantity
    total_within: Quantity


def traits(column: Array) -> tuple[Array, Array, Array]:
    """Return norm, largest overlap and total positive overlap (target, seed) from Gram rows (target, feature, seed)."""
    own = np.array([row[target] for target, row in enumerate(column)])
    others = np.maximum(column, 0)
    for target in range(len(column)):
        others[target, target] = 0
    return np.sqrt(own), others.max(1) / own, np.sqrt((others**2).sum(1)) / own


def at_targets(weights: Sequence[float], plain: Array, probe: Array, column: Array) -> dict[str, AtTarget]:
    """Summarise each target over seeds; rates `plain` and `probe` are (target, seed)."""
    size, largest, total = traits(column)
    return {
        f"{weight:g}": AtTarget(
            mean(size[t]),
            mean(largest[t]),
            mean(total[t]),
            mean(plain[t], within=(0, 1)),
            mean(probe[t], within=(0, 1)),
        )
        for t, weight in enumerate(weights)
    }


def neighbourhood(rate: Array, column: Array) -> Neighbourhood:
    """Return the rank correlations of rates (target, seed) with the traits, with a bootstrap over seeds."""
    found = np.stack(traits(column))  # (trait, target, seed)

    def correlations(chosen: NDArray[np.int64]) -> list[float]:
        x, y = found[..., chosen], rate[:, chosen]
        pooled = rank_correlation(x.reshape(len(x), -1), y.ravel())
        within = rank_correlation(x, y).mean(1)
        return [float(each) for each in (*pooled, *within)]

    return Neighbourhood(*bootstrap_each(correlations, rate.shape[1], resamples=400))
