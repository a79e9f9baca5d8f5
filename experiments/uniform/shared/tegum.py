"""Bricks of superposition: small arrangements that fill a space side by side, and what each gains per dimension.

In a *tegum product* features fall into blocks on orthogonal subspaces. `W^T W` is then block diagonal, no block
disturbs another, and losses and dimensionalities of the blocks do not change when they are put together. With many
more features than a model can hold, the best tegum product therefore repeats the brick that gains most per dimension

    gain = sum over its features of (V - loss of the feature) / (V * dimensions),    V = p/3 - p^2/4,

V being the loss of a feature that is left out; a feature with a dimension of its own gains 1.

Sources: Elhage et al. 2022, "The geometry of superposition" (tegum products, polytopes and low-rank matrices).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag, null_space
from scipy.optimize import brentq

from experiments.core.geometry.polyhedra import HEXAGON, PENTAGON, SQUARE_ANTIPRISM
from experiments.core.geometry.theory import absent_loss, blocks
from experiments.core.losses.optimum import Family, minimise

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Brick:
    """`features` in `dimensions`, with the models of its symmetry; `share` is the dimensionality of each feature."""

    name: str
    family: Family

    @property
    def features(self) -> int:
        return self.family.features

    @property
    def dimensions(self) -> int:
        return self.family.hidden

    @property
    def share(self) -> float:
        return self.dimensions / self.features


class Gains(NamedTuple):
    """The best models of one brick at each density.

    `gain` (case,) per dimension, 1 for a dedicated one; `mass` (case,) is `||W||_F^2` per dimension, 1 / D*.
    """

    gain: Array
    mass: Array


def simplex(count: int) -> Array:
    """Return the corners of the regular simplex, unit columns (count - 1, count) at equal angles."""
    columns = orthogonal_to(np.ones(count))
    return np.asarray(columns / np.linalg.norm(columns, axis=0))


def orthogonal_to(*vectors: ArrayLike) -> Array:
    """Return `W` (hidden, feature) with orthonormal rows that span everything orthogonal to the `vectors` (feature,).

    The low-rank matrix that belongs to a polytope: orthogonal to (1, ..., 1) it is a simplex.
    """
    return np.asarray(null_space(np.array(vectors, dtype=np.float64)).T)


def tegum_product(*columns: Array) -> Array:
    """Return `W` of blocks (hidden_k, feature_k) on orthogonal subspaces: (sum of hidden_k, sum of feature_k)."""
    return np.asarray(block_diag(*columns))


def simplex_brick(name: str, count: int) -> Brick:
    """Return the brick of `count` features at equal angles."""
    return Brick(name, blocks(name, count, simplex(count)))


BRICKS = (
    Brick("dedicated", blocks("dedicated", 1, np.ones((1, 1)))),
    simplex_brick("5-simplex", 5),
    simplex_brick("tetrahedron", 4),
    simplex_brick("triangle", 3),
    simplex_brick("digon", 2),
    Brick(PENTAGON.name, PENTAGON.family()),
    Brick(HEXAGON.name, HEXAGON.family()),
    Brick(SQUARE_ANTIPRISM.name, SQUARE_ANTIPRISM.family()),
)
"""Candidates in up to four dimensions, from those for common to those for rare features."""


def gains(brick: Brick, density: ArrayLike) -> Gains:
    """Return what the best models of a brick gain at each density (case,), by the exact expected loss.

    The better of two local minima counts: one reached from biases of 0, one from the negative ones of rare features.
    """
    p = np.atleast_1d(np.asarray(density, dtype=np.float64))
    starts = np.tile(brick.family.start, (len(p), 2, 1))
    biases = (brick.family.basis[:, : brick.dimensions * brick.features] == 0).all(-1)
    starts[:, 1, biases] = -0.2
    found = minimise(brick.family, np.repeat(p, 2)[:, None], starts=starts.reshape(2 * len(p), -1))
    best = found.loss.reshape(-1, 2).argmin(-1) + 2 * np.arange(len(p))
    absent = absent_loss(p)
    gain = brick.features * (absent - found.loss[best]) / (brick.dimensions * absent)
    return Gains(np.asarray(gain), np.asarray((found.W[best] ** 2).sum((-1, -2)) / brick.dimensions))


def takes_over(one: Brick, other: Brick, common: float, rare: float) -> float:
    """Return the density between `common` and `rare` at which two bricks gain the same.

    Raises `ValueError` if one of them gains more at both ends.
    """

    def lead(log_p: float) -> float:
        return float(gains(one, np.exp(log_p)).gain[0] - gains(other, np.exp(log_p)).gain[0])

    return float(np.exp(brentq(lead, np.log(common), np.log(rare), xtol=1e-7)))
