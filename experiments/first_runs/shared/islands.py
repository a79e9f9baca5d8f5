"""Islands of superposition: groups of represented features that overlap each other and hardly any others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage

from experiments.core.metrics import cosines, islands, off_diagonal, represented
from experiments.core.quantities import Quantity, bootstrap

Array = NDArray[np.float64]

NEAR_ZERO = 0.05
"""Cosines closer to 0 than this count as zero."""

EDGE = 0.2
"""Two features belong to one island when their |cos| exceeds this: an interference of 4 % of the squared norm."""

SPARSE_RANGE, SMALL_RANGE = 3, 2
"""Over so many adjacent densities cosines have to be sparse, and islands small."""


@dataclass(frozen=True)
class OverRange:
    """What one size keeps up over some range of adjacent densities, the best range there is."""

    near_zero: Quantity  # share of near-zero cosines over chance: the least of `SPARSE_RANGE` densities
    island: Quantity  # largest island's share: the largest of `SMALL_RANGE` densities where chance is above one half


def arrangement(trained: list[Array]) -> tuple[Array, Array]:
    """Return the share of cosines near zero and the largest island's share, each (size, density, seed)."""
    measured = np.array([[[measures(model) for model in row] for row in W] for W in trained])
    return measured[..., 0], measured[..., 1]


def measures(W: Array) -> tuple[float, float]:
    kept = W[:, represented(W)]
    pairs = np.abs(off_diagonal(cosines(kept)))
    return float((pairs < NEAR_ZERO).mean()), float(islands(W, edge=EDGE).size.max() / kept.shape[1])


def sorted_cosines(W: Array) -> Array:
    """Return cosines with the features reordered so that islands stand together; those not represented have zeros."""
    matrix = cosines(np.where(represented(W), W, 0.0))
    order = leaves_list(linkage(1 - np.abs(off_diagonal(matrix)), "average", optimal_ordering=True))
    return matrix[np.ix_(order, order)]


def over_range(
    near_zero: Array, null_near_zero: Array, largest: Array, null_largest: Array, resamples: int, seed: int
) -> OverRange:
    """Return what one size, (density, seed), keeps up; the choice of the range is part of what is bootstrapped."""

    def sparse(chosen: NDArray[np.int64]) -> float:
        kept, by_chance = near_zero[:, chosen].mean(-1), null_near_zero[:, chosen].mean(-1)
        ratio = np.divide(kept, by_chance, out=np.ones_like(kept), where=by_chance > 0)  # chance of none tells nothing
        return float(_windows(ratio, SPARSE_RANGE).min(-1).max())

    def small(chosen: NDArray[np.int64]) -> float:
        by_chance = null_largest[:, chosen].mean(-1) > 0.5
        share = np.where(by_chance, largest[:, chosen].mean(-1), 1.0)
        return float(_windows(share, SMALL_RANGE).max(-1).min())

    near, island = (bootstrap(kept, near_zero.shape[1], seed=seed, resamples=resamples) for kept in (sparse, small))
    return OverRange(near, island)


def _windows(values: Array, width: int) -> Array:
    """Return all runs of `width` adjacent values, (run, width)."""
    return np.lib.stride_tricks.sliding_window_view(values, width)
