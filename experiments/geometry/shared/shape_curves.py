"""Every named shape at its exact best over densities, the best of them, and where it changes.

Sources of the shapes: `core.geometry.polyhedra`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from experiments.core.geometry.polyhedra import Solid
from experiments.geometry.shared.branches import Branch, branches

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CROWDED = 9
"""Shapes of so many vertices or more are computed at every second density."""


class Curves(NamedTuple):
    """Every shape at its best: models `found` at densities `at`, and smooth curves (shape, point) on `p`."""

    at: Array
    found: list[Branch]
    p: Array
    kept: Array
    mass: Array

    def model(self, kind: int, density: float, features: int) -> tuple[Array, Array]:
        """Return `W` (hidden, feature) and `b` (feature,) of a shape at the nearest density that was computed."""
        branch = self.found[kind]
        there = np.flatnonzero(np.isfinite(branch.kept))
        point = int(there[np.argmin(np.abs(np.log(self.at[there] / density)))])
        hidden, count = branch.W.shape[1:]
        W, b = np.zeros((hidden, features)), np.full(features, self.at[point] / 2)  # absent ones: the mean as bias
        W[:, :count], b[:count] = branch.W[point], branch.b[point]
        return W, b


def follow_shapes(solids: Sequence[Solid], at: Array, curve_points: int) -> Curves:
    """Return every shape over densities `at`; those of many vertices, which cost most, at every second one."""
    few, many = ([s for s in solids if (s.count >= CROWDED) is crowded] for crowded in (False, True))
    by_name = dict(zip([s.name for s in few], branches(few, at), strict=True))
    for solid, sparse in zip(many, branches(many, at[::2]), strict=True):
        by_name[solid.name] = spaced(sparse, len(at))
    found = [by_name[solid.name] for solid in solids]
    p = np.geomspace(at[0], at[-1], curve_points)
    kept = np.stack([smooth(at, each.kept, p) for each in found])
    mass = np.stack([smooth(at, np.asarray((each.W**2).sum((1, 2))), p) for each in found])
    return Curves(at, found, p, kept, mass)


def spaced(found: Branch, points: int) -> Branch:
    """Return a branch computed at every second of `points` densities with the others left open."""
    wide = []
    for values in found:
        open_ = np.full((points, *values.shape[1:]), np.nan)
        open_[::2] = values
        wide.append(open_)
    return Branch(*wide)


def smooth(at: Array, values: Array, p: Array) -> Array:
    """Return values (point,) at `p`, cubic in log p through the finite ones, and NaN beyond them."""
    there = np.isfinite(values)
    x, y, wanted = np.log(at[there]), values[there], np.log(p)
    if there.sum() < 4:
        return np.interp(wanted, x, y, left=np.nan, right=np.nan) if there.sum() > 1 else np.full(len(p), np.nan)
    inside = (wanted >= x[0] - 1e-12) & (wanted <= x[-1] + 1e-12)
    return np.where(inside, CubicSpline(x, y)(wanted), np.nan)


def best_shape(curve_kept: Array, counts: Integers, features: int) -> Integers:
    """Return the number of the best shape for 2 to `features` features (feature count, point)."""
    value = np.where(np.isfinite(curve_kept), curve_kept, -np.inf)
    best = []
    for most in range(2, features + 1):
        among = np.where((counts <= most)[:, None], value, -np.inf)
        best.append(among.argmax(0))
    return np.stack(best)


class Transitions(NamedTuple):
    """Transitions of the optimum, from common to rare: densities (transition,), shapes and masses on both sides."""

    p: Array
    kind: Integers
    mass: Array


def transitions(curves: Curves, best: Integers) -> Transitions:
    """Return where the best shape changes: the difference of the two curves is interpolated in log p."""
    densities, kinds, masses = [], [], []
    for point in np.flatnonzero(np.diff(best))[::-1]:  # curves start at rare features
        pair = [best[point + 1], best[point]]
        gap = curves.kept[pair[1], point : point + 2] - curves.kept[pair[0], point : point + 2]
        low, high = np.log(curves.p[point : point + 2])
        share_ = gap[0] / (gap[0] - gap[1]) if np.isfinite(gap).all() else 0.5
        densities.append(np.exp(low + (high - low) * share_))
        kinds.append(pair)
        masses.append([_finite_near(curves.mass[kind], point) for kind in pair])
    return Transitions(
        np.array(densities),
        np.array(kinds, dtype=np.int64).reshape(-1, 2),
        np.array(masses, dtype=float).reshape(-1, 2),
    )


def _finite_near(values: Array, point: int) -> float:
    """Return the value at a point or, at the end of a shape's range, at the next one."""
    return float(values[point] if np.isfinite(values[point]) else values[point + 1])


class Pictures(NamedTuple):
    """The shapes that are best somewhere, from common to rare; fields as in `CensusResult`; `b` are its biases."""

    kind: Integers
    range: Array
    W: Array
    b: Array


def pictures(curves: Curves, best: Integers, steps: Transitions, features: int) -> Pictures:
    order = [int(kind) for kind in dict.fromkeys(best[::-1].tolist())]
    ranges = []
    for kind in order:
        enters, leaves = steps.p[steps.kind[:, 1] == kind], steps.p[steps.kind[:, 0] == kind]
        ranges.append((enters.max() if len(enters) else curves.p[-1], leaves.min() if len(leaves) else curves.p[0]))
    models = [
        curves.model(k, float(np.sqrt(high * low)), features) for k, (high, low) in zip(order, ranges, strict=True)
    ]
    return Pictures(
        np.array(order), np.array(ranges), np.stack([W for W, _ in models]), np.stack([b for _, b in models])
    )
