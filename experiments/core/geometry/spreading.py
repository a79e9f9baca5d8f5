"""Points spread over a sphere: the arrangements of unit vectors that minimise an energy of their pairs.

An energy is a sum over pairs of a function of their cosine. Two are named here: that of equal charges (Thomson's
problem), and the one to which the loss of a tied ReLU model reduces when features are rare, equally important, of
unit norm and without bias, so that only positive interference counts (Elhage et al. 2022, "Mathematical
understanding"; a *generalised Thomson problem*). Starts are a batch axis, and each of them descends by BFGS with a
weak Wolfe line search, which copes with the kinks of the second derivative (Lewis and Overton 2013).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

FLAT = 1e-11
"""A descent ends when no derivative, relative to 1 + energy, exceeds this, or when rounding allows no lower energy."""


@dataclass(frozen=True)
class Energy:
    """`total = sum over pairs i < j of pair(cos_ij)`; `pair` and its derivative `slope` map arrays of cosines."""

    name: str
    pair: Callable[[Array], Array]
    slope: Callable[[Array], Array]


class Spread(NamedTuple):
    """Local minima, lowest first: `energy` (start,) and `positions` (start, dimension, point) with unit columns."""

    energy: Array
    positions: Array


def _squared_distance(cosine: Array) -> Array:
    """Return |r_i - r_j|^2 = 2 - 2 cos, kept above 0 where two points meet."""
    return np.maximum(2.0 - 2.0 * cosine, 1e-30)


THOMSON = Energy(
    "equal charges",
    lambda cosine: _squared_distance(cosine) ** -0.5,
    lambda cosine: _squared_distance(cosine) ** -1.5,
)
"""Thomson's problem, `sum_{i<j} 1 / |r_i - r_j|`."""

POSITIVE_INTERFERENCE = Energy(
    "positive interference",
    lambda cosine: 2.0 * np.maximum(cosine, 0.0) ** 2,
    lambda cosine: 4.0 * np.maximum(cosine, 0.0),
)
"""The generalised Thomson problem, `sum_{i != j} ReLU(W_i . W_j)^2`: every pair counts twice."""

_SHARPNESS, _LEVEL = 40.0, 0.3
PACKING = Energy(
    "packing",
    lambda cosine: np.exp(_SHARPNESS * (cosine - _LEVEL)),
    lambda cosine: _SHARPNESS * np.exp(_SHARPNESS * (cosine - _LEVEL)),
)
"""Nearly the largest cosine alone counts: minima are within a degree of the best packings (Tammes's problem), in which
the smallest angle is as large as it can be."""


def total_energy(positions: ArrayLike, energy: Energy) -> Array:
    """Return the energy (...) of unit columns `positions` (..., dimension, point)."""
    return _evaluate(np.asarray(positions, dtype=np.float64), energy)[0]


def spread(points: int, dimensions: int, energy: Energy, starts: int = 64, seed: int = 0) -> Spread:
    """Return the local minimum that each of `starts` uniformly random arrangements leads to, lowest first.

    The lowest of many is very likely the global minimum, which is no proof; a test holds those of Thomson's problem
    against published ones. Raises `ValueError` for fewer than 2 points or 1 start.
    """
    if points < 2 or starts < 1 or dimensions < 1:
        raise ValueError(f"spread needs 2 points, 1 dimension and 1 start; it got {points}, {dimensions} and {starts}")
    generator = np.random.default_rng(seed)
    free = generator.standard_normal((starts, dimensions, points))
    value, positions = _descend_all(free, energy)
    order = np.argsort(value, kind="stable")
    return Spread(value[order], positions[order])


def _evaluate(columns: Array, energy: Energy) -> tuple[Array, Array]:
    """Return the energies (...) of `columns` (..., dimension, point) scaled to unit length, and the gradient.

    The gradient is with respect to the columns as given, and at right angles to each.
    """
    length = np.linalg.norm(columns, axis=-2, keepdims=True)
    units = columns / length
    cosine = np.swapaxes(units, -1, -2) @ units
    others = 1.0 - np.eye(columns.shape[-1])
    # A point does not interact with itself; its own cosine of 1 may have no finite energy, so 0 stands in for it.
    cosine = cosine * others
    value = (energy.pair(cosine) * others).sum((-1, -2)) / 2
    pull = units @ (energy.slope(cosine) * others)
    return value, (pull - units * (units * pull).sum(-2, keepdims=True)) / length


def _descend_all(columns: Array, energy: Energy, iterations: int = 1000) -> tuple[Array, Array]:
    """Minimise every start (start, dimension, point) by BFGS; return the energies and the unit columns."""
    starts, size = len(columns), columns[0].size
    at = columns / np.linalg.norm(columns, axis=-2, keepdims=True)
    value, gradient = _evaluate(at, energy)
    inverse = np.tile(0.1 * np.eye(size), (starts, 1, 1))
    moving = _steep(value, gradient)
    for _ in range(iterations):
        rows = np.flatnonzero(moving)
        if not len(rows):
            break
        direction, inverse[rows] = _direction(inverse[rows], gradient[rows].reshape(len(rows), size))
        found = _line_search(at[rows], value[rows], gradient[rows], direction.reshape(at[rows].shape), energy)
        step = (found.at - at[rows]).reshape(len(rows), size)
        change = (found.gradient - gradient[rows]).reshape(len(rows), size)
        inverse[rows] = _updated(inverse[rows], step, change)
        at[rows], value[rows], gradient[rows] = found.at, found.value, found.gradient
        moving[rows] = found.accepted & _steep(found.value, found.gradient)
    return value, at / np.linalg.norm(at, axis=-2, keepdims=True)


def _steep(value: Array, gradient: Array) -> NDArray[np.bool_]:
    return np.asarray(np.abs(gradient).max((-1, -2)) > FLAT * (1 + np.abs(value)))


def _direction(inverse: Array, gradient: Array) -> tuple[Array, Array]:
    """Return the quasi-Newton direction (row, size), and the inverse Hessians, reset where rounding spoilt them."""
    direction = -(inverse @ gradient[..., None])[..., 0]
    uphill = (direction * gradient).sum(-1) >= 0
    inverse = np.where(uphill[:, None, None], np.eye(gradient.shape[-1]), inverse)
    return np.where(uphill[:, None], -gradient, direction), inverse


class _Reached(NamedTuple):
    """Where a line search ended; a row without an `accepted` step stays where it was."""

    at: Array
    value: Array
    gradient: Array
    accepted: NDArray[np.bool_]


def _line_search(at: Array, value: Array, gradient: Array, direction: Array, energy: Energy) -> _Reached:
    """Return points that satisfy both weak Wolfe conditions along `direction`, each found by bisection."""
    rows = len(at)
    descent = (gradient * direction).sum((-1, -2))
    low, high, step = np.zeros(rows), np.full(rows, np.inf), np.ones(rows)
    reached = _Reached(at.copy(), value.copy(), gradient.copy(), np.zeros(rows, dtype=bool))
    for _ in range(50):
        open_ = np.flatnonzero(~reached.accepted)
        if not len(open_):
            break
        trial = at[open_] + step[open_, None, None] * direction[open_]
        new, slope = _evaluate(trial, energy)
        too_far = ~(new <= value[open_] + 1e-4 * step[open_] * descent[open_])
        too_near = ~too_far & ((slope * direction[open_]).sum((-1, -2)) < 0.9 * descent[open_])
        high[open_[too_far]], low[open_[too_near]] = step[open_[too_far]], step[open_[too_near]]
        done = ~too_far & ~too_near
        ended = open_[done]
        reached.at[ended], reached.value[ended], reached.gradient[ended] = trial[done], new[done], slope[done]
        reached.accepted[ended] = True
        bounded = np.isfinite(high)
        step = np.where(bounded, 0.5 * (low + np.where(bounded, high, 0.0)), 2.0 * step)
    return reached


def _updated(inverse: Array, step: Array, change: Array) -> Array:
    """Return the inverse Hessians (row, size, size) after the BFGS update; rows without curvature keep theirs."""
    curvature = (step * change).sum(-1)
    curved = curvature > 1e-16 * np.sqrt((step**2).sum(-1) * (change**2).sum(-1))
    scale = np.where(curved, curvature, 1.0)
    bent = (inverse @ change[..., None])[..., 0]
    factor = (1.0 + (change * bent).sum(-1) / scale) / scale
    cross = bent[:, :, None] * step[:, None, :]
    update = factor[:, None, None] * step[:, :, None] * step[:, None, :]
    update = update - (cross + np.swapaxes(cross, -1, -2)) / scale[:, None, None]
    return inverse + np.where(curved[:, None, None], update, 0.0)
