"""The paper's code of two features in one dimension, which no linear read-out undoes.

`t = (floor(Z x) + y) / Z` keeps which of `Z` steps `x` is on and, within the step, `y`. A network cannot jump, so every
jump becomes a ramp of width `ramp` (in units of one step), in writing and in reading. Source: Elhage et al. 2022, the
appendix on non-linear compression; it leaves open where the ramps lie, and here they are centred on the jumps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LINEAR_ERROR = 1 / 24
"""Mean squared error per feature of the best linear code of two dense U[0, 1] features in one dimension: one is kept
and the other replaced by its mean (variance 1/12, over two features), or any rotation of that."""


class CodeError(NamedTuple):
    """Mean squared errors over dense features: of reading `x` and `y` with the code's own read-out (`read_x`,
    `read_y`), and of the best linear read-out of `t` (`linear_x`, `linear_y`)."""

    read_x: float
    read_y: float
    linear_x: float
    linear_y: float

    @property
    def read(self) -> float:
        """Return the mean over the two features with the code's own read-out."""
        return (self.read_x + self.read_y) / 2

    @property
    def linear(self) -> float:
        """Return the mean over the two features with the best linear read-out."""
        return (self.linear_x + self.linear_y) / 2


def stairs(u: ArrayLike, ramp: float, steps: int) -> Array:
    """Return `floor(u)` for `u` in [0, steps] with each jump, at 1, ..., steps - 1, made a ramp of width `ramp`."""
    u = np.asarray(u, dtype=np.float64)
    if ramp == 0:
        return np.asarray(np.minimum(np.floor(u), steps - 1))
    jumps = np.arange(1, steps).reshape(-1, *[1] * u.ndim)
    return np.asarray(np.clip((u - jumps) / ramp + 0.5, 0, 1).sum(0))


def write(x: ArrayLike, y: ArrayLike, steps: int, ramp: float) -> Array:
    """Return the code `t` in [0, 1] of features `x` and `y` in [0, 1]."""
    return np.asarray((stairs(np.asarray(x) * steps, ramp, steps) + np.asarray(y)) / steps)


def read(t: ArrayLike, steps: int, ramp: float) -> tuple[Array, Array]:
    """Return `x` (the middle of its step) and `y` as read from `t`."""
    u = np.asarray(t, dtype=np.float64) * steps
    step = stairs(u, ramp, steps)
    return np.asarray((step + 0.5) / steps), np.asarray(u - step)


def code_error(steps: int, ramp: float, cells: int = 1200) -> CodeError:
    """Return the errors over independent x, y ~ U[0, 1], by the midpoint rule on `cells` x `cells` points."""
    middles = (np.arange(cells) + 0.5) / cells
    x, y = np.meshgrid(middles, middles, indexing="ij")
    t = write(x, y, steps, ramp)
    read_x, read_y = read(t, steps, ramp)
    unexplained = [1 / 12 - np.mean((t - t.mean()) * feature) ** 2 / t.var() for feature in (x, y)]
    return CodeError(
        float(np.mean((x - read_x) ** 2)),
        float(np.mean((y - read_y) ** 2)),
        float(unexplained[0]),
        float(unexplained[1]),
    )
