"""Each shape at its best: the exact minimum among all models with its symmetry, followed from density to density.

Absent features do not touch the others: `k` represented features that keep `S = sum (V - E[(x_i - y_i)^2]) / V`
features' worth of variance (`V = p/3 - p^2/4` each) keep as much among any number of features, and the loss of all `n`
is `(n - S) V / n`. So shapes are compared by what they keep, whatever `n` is, as long as `k <= n`.

By symmetry all outputs of an orbit lose alike, so one output of each orbit is integrated, with the weight of all.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize

from experiments.core.geometry.polyhedra import Solid
from experiments.core.geometry.recognition import recognise
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.exact import set_probabilities
from experiments.core.losses.exact_kernels import empty_table, loss_of_outputs
from experiments.core.losses.optimum import Family

Array = NDArray[np.float64]

FLAT = 1e-4
"""A descent ends when no derivative of the kept variance, in features, exceeds this; the error is then about 1e-8."""

ROUGH_BIAS = -0.1
"""Where the biases of a first descent start."""


class Branch(NamedTuple):
    """One shape over densities (case,).

    `kept` (case,) is the variance kept, in features, NaN where the best model with this symmetry no longer has the
    shape (a vertex has gone, or two have merged); `W` (case, hidden, count) and `b` (case, count) are NaN there too.
    """

    kept: Array
    W: Array
    b: Array


def branch(solid: Solid, density: ArrayLike) -> Branch:
    """Follow `solid` over `density` (case,), from the rarest on: each case starts where the last one ended."""
    p = np.asarray(density, dtype=np.float64)
    family, table = solid.family(), empty_table(solid.count)
    kept, W, b = np.full(len(p), np.nan), *_nothing(solid, len(p))
    start = None
    for case in np.argsort(p):
        for at in _starts(family, solid, start):
            lost, parameters = _descend(family, _weight(solid), float(p[case]), at, table)
            columns, bias = family.weights(parameters)
            if recognise(columns[None], (solid,)).name[0] == solid.name:
                kept[case], W[case], b[case] = solid.count - lost, columns, bias
                start = parameters
                break
        else:
            if start is not None:  # followed to where it ends: it does not come back among more common features
                break
    return Branch(kept, W, b)


def branches(solids: Sequence[Solid], density: ArrayLike) -> list[Branch]:
    """Return the branch of each solid; solids are shared out to all cores, those of most vertices first."""
    order = sorted(range(len(solids)), key=lambda k: -solids[k].count)
    with ThreadPoolExecutor(max(1, numba.get_num_threads())) as pool:
        found = dict(zip(order, pool.map(lambda k: branch(solids[k], density), order), strict=True))
    return [found[k] for k in range(len(solids))]


def kept(solid: Solid, density: float) -> float:
    """Return the variance that `solid` keeps at one density, in features; NaN where it is no minimum of its kind."""
    return float(branch(solid, [density]).kept[0])


def crossing(one: Solid, two: Solid, low: float, high: float) -> float:
    """Return the density in [low, high] at which two shapes keep the same variance.

    Raises `ValueError` if their order is the same at both ends.
    """
    return float(brentq(lambda p: kept(one, p) - kept(two, p), low, high, xtol=1e-5))


def _nothing(solid: Solid, cases: int) -> tuple[Array, Array]:
    return np.full((cases, solid.hidden, solid.count), np.nan), np.full((cases, solid.count), np.nan)


def _weight(solid: Solid) -> Array:
    """Return the weight of each output, (count,): that of its whole orbit for the first, 0 for the others."""
    weight = np.zeros(solid.count)
    for number, orbit in enumerate(solid.orbits):
        weight[int(np.argmax(solid.orbit_of == number))] = orbit.count / solid.count
    return weight


def _starts(family: Family, solid: Solid, last: Array | None) -> list[Array]:
    """Return where to start from: where the last density ended, and the reference itself."""
    rough = family.start + np.where(np.arange(len(family.start)) < len(family.start) - len(solid.orbits), 0, ROUGH_BIAS)
    return [rough] if last is None else [last, rough]


def _descend(family: Family, weight: Array, p: float, start: Array, table: Array) -> tuple[float, Array]:
    """Return the least loss of all outputs within the family, in units of one absent feature's, and its parameters."""
    chance, scale = set_probabilities(p, family.features), family.features / absent_loss(p)
    grad_W, grad_b = np.empty((family.hidden, family.features)), np.empty(family.features)

    def lost(parameters: Array) -> tuple[float, Array]:
        W, b = family.weights(parameters)
        value = _loss(np.ascontiguousarray(W), np.ascontiguousarray(b), chance, weight, table, grad_W, grad_b)
        return scale * value, scale * (family.basis @ np.concatenate([grad_W.ravel(), grad_b]))

    found = minimize(lost, start, jac=True, method="BFGS", options={"gtol": FLAT})
    return float(found.fun), found.x


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _loss(W, b, chance, weight, table, grad_W, grad_b):  # type: ignore[no-untyped-def]
    return loss_of_outputs(W, b, chance, weight, table, grad_W, grad_b)
