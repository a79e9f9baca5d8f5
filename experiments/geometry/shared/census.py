"""A census of arrangements: what training finds at each density, beside the exact optimum of every named shape.

Shared by the experiments in the plane and in space. Models are compared by the variance that they keep,
`S = n (1 - loss / V)` features' worth, with `V = p/3 - p^2/4` that of one feature. It is 0 for a model that
represents nothing, the number of dimensions for one that keeps as many features at right angles, and `n` for a perfect
one; `branches` says why it allows shapes to be compared whatever `n` is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.best_of import best_of_some
from experiments.core.contract import keyed, undefined
from experiments.core.first_run import train_grid
from experiments.core.geometry.configurations import OTHER, census
from experiments.core.geometry.polyhedra import SHAPES, Solid
from experiments.core.geometry.recognition import recognise
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.evaluation import evaluate
from experiments.core.losses.exact import expected_loss
from experiments.core.quantities import Quantity, exact, share
from experiments.core.training.specification import Data, Model
from experiments.geometry.shared.carried import held_shares, sweep
from experiments.geometry.shared.census_config import CensusConfig
from experiments.geometry.shared.shape_curves import (
    Curves,
    Pictures,
    Transitions,
    best_shape,
    follow_shapes,
    pictures,
    transitions,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def slug(name: str) -> str:
    """Return a shape's name as part of a quantity's name."""
    return name.replace(" + ", "_and_").replace(" ", "_")


def all_kinds(hidden: int) -> tuple[str, ...]:
    """Return the names of all shapes, so that every number exists at every scale."""
    return (*(solid.name for solid in SHAPES[hidden]), OTHER)


@dataclass(frozen=True)
class OfShape:
    """One shape: its largest share of seeds and where that is, its share at the largest density, and where it is best.

    One half of the seeds choose the density `most_p`, the other half give the share there. It is the optimum from the
    density `best_from` down to `best_to`, both 0 if it never is.
    """

    most: Quantity
    most_p: Quantity
    densest: Quantity
    best_from: Quantity
    best_to: Quantity


@dataclass(frozen=True)
class CensusNumbers:
    """What pages quote. A lead of the best run over the best named shape is in features' worth of kept variance.

    `best_is_optimum` is the share of densities at which the best of `best_of` runs has the shape of the exact optimum,
    averaged over choices of runs; `best_of_all` counts the densities at which the best of all runs has it.
    """

    seeds: Quantity
    features: Quantity
    best_is_optimum: Quantity
    best_of_all: Quantity
    best_of: Quantity
    ahead: Quantity
    ahead_p: Quantity
    behind: Quantity
    behind_p: Quantity
    transitions: Quantity
    least_jump: Quantity
    largest_jump: Quantity


@dataclass(frozen=True)
class CensusResult:
    """Shapes are numbered as in `kinds`, whose last entry is "other"; kept variance is in features.

    `steps` are the transitions of the optimum, from common to rare features; `side` is the common side, then the rare
    one; `range` a share and the ends of its interval. `pictured` shapes are those that are the optimum somewhere, in
    order, each at the middle of its range; columns of absent features are 0.
    """

    kinds: tuple[str, ...]
    p: Array  # (case,)
    shares: Array  # (case, kind), of all runs
    kept: Array  # (case, seed)
    best_kind: Integers  # (case,), of the best run by exact loss
    best_kept: Array  # (case,), exact
    best_W: Array  # (case, hidden, feature)
    curve_p: Array  # (point,)
    optimum: Integers  # (feature count, point): the best shape for 2, 3, ... features
    steps_p: Array  # (transition,)
    steps_kind: Integers  # (transition, side)
    steps_mass: Array  # (transition, side): ||W||_F^2
    held: Array  # (transition, side, range): share of models that keep the shape they start from
    sweep_p: Array  # (point,)
    sweep_mass: Array  # (direction, seed, point): ||W||_F^2 of models carried to rarer features and back
    pictured_kind: Integers  # (shape,)
    pictured_range: Array  # (shape, 2): largest and least density
    pictured_W: Array  # (shape, hidden, feature)
    numbers: CensusNumbers
    shape: dict[str, OfShape] = keyed(lambda config: [slug(kind) for kind in all_kinds(config.hidden)])
    curve_kept: Array = undefined("the shape is no optimum of its kind at this density")  # (shape, point)
    curve_mass: Array = undefined("the shape is no optimum of its kind at this density")  # (shape, point)


def take_census(config: CensusConfig, device: str) -> dict[str, Any]:
    """Return the fields of a `CensusResult`."""
    solids = tuple(solid for solid in SHAPES[config.hidden] if solid.count <= config.features)
    kinds = (*(solid.name for solid in solids), OTHER)
    p = np.array(config.p)
    curves = follow_shapes(solids, np.geomspace(p.min(), p.max(), config.computed_points), config.curve_points)
    optimum = best_shape(curves.kept, np.array([solid.count for solid in solids]), config.features)
    steps = transitions(curves, optimum[-1])
    pictured = pictures(curves, optimum[-1], steps, config.features)
    runs = _train(config, p, solids, device)
    best_kind = np.array([kinds.index(name) for name in runs.best_name])
    sweep_p = np.geomspace(p.max(), p.min(), config.sweep_points)
    return {
        "kinds": kinds,
        "p": p,
        "shares": census(runs.name, kinds),
        "kept": runs.kept,
        "best_kind": best_kind,
        "best_kept": runs.best_kept,
        "best_W": runs.best_W,
        "curve_p": curves.p,
        "curve_kept": curves.kept,
        "curve_mass": curves.mass,
        "optimum": optimum,
        "steps_p": steps.p,
        "steps_kind": steps.kind,
        "steps_mass": steps.mass,
        "held": held_shares(config, solids, curves, steps, device),
        "sweep_p": sweep_p,
        "sweep_mass": sweep(config, pictured, sweep_p, device),
        "pictured_kind": pictured.kind,
        "pictured_range": pictured.range,
        "pictured_W": pictured.W,
        "numbers": _numbers(config, p, kinds, runs, best_kind, curves, optimum[-1], steps),
        "shape": {slug(kind): _of_shape(kind, kinds, p, runs, pictured) for kind in all_kinds(config.hidden)},
    }


class _Runs(NamedTuple):
    """Trained models; the best of each case is judged exactly."""

    name: NDArray[np.str_]  # (case, seed)
    loss: Array  # (case, seed), on common samples
    kept: Array  # (case, seed)
    best_name: NDArray[np.str_]  # (case,)
    best_kept: Array  # (case,)
    best_W: Array  # (case, hidden, feature)


def _train(config: CensusConfig, p: Array, solids: Sequence[Solid], device: str) -> _Runs:
    """Train, name and judge; losses of a case are shifted together so that its best run has its exact one."""
    n, hidden, seeds = config.features, config.hidden, config.seeds
    weights = train_grid(config.recipe, p, seeds, config.seed, device, features=n, hidden=hidden)
    grid, density = (len(p), seeds), np.repeat(p, seeds)[:, None]
    loss = evaluate(weights, Data(density), Model(n, hidden), config.samples, config.seed).loss.reshape(grid)
    first = np.argsort(loss, axis=1)[:, : config.judged]
    W, b = weights.W.reshape(*grid, hidden, n), weights.b.reshape(*grid, n)
    case = np.arange(len(p))
    exactly = expected_loss(W[case[:, None], first], b[case[:, None], first], p[:, None, None]).value
    best = first[case, exactly.argmin(1)]
    loss = loss + (exactly.min(1) - loss[case, best])[:, None]
    kept = n * (1 - loss / absent_loss(p)[:, None])
    name = recognise(weights.W, solids).name.reshape(grid)
    return _Runs(name, loss, kept, name[case, best], kept[case, best], W[case, best].astype(np.float64))


def _of_shape(kind: str, kinds: tuple[str, ...], p: Array, runs: _Runs, pictured: Pictures) -> OfShape:
    hits, half = runs.name == kind, runs.name.shape[1] // 2
    case = int(hits[:, :half].mean(1).argmax())
    where = np.flatnonzero(pictured.kind == kinds.index(kind)) if kind in kinds else np.array([], dtype=int)
    high, low = pictured.range[where[0]] if len(where) else (0.0, 0.0)
    method = "crossing of exact curves, or end of the range studied" if len(where) else "never the optimum"
    return OfShape(
        most=share(hits[case, half:]),
        most_p=exact(p[case], method="density with the largest share, by the other half of the seeds"),
        densest=share(hits[int(p.argmax())]),
        best_from=exact(high, method=method),
        best_to=exact(low, method=method),
    )


def _numbers(
    config: CensusConfig,
    p: Array,
    kinds: tuple[str, ...],
    runs: _Runs,
    best_kind: Integers,
    curves: Curves,
    optimum: Integers,
    steps: Transitions,
) -> CensusNumbers:
    """Return how the best runs compare with the exact optimum, and how far its mass jumps."""
    nearest = np.array([int(np.abs(np.log(curves.p / density)).argmin()) for density in p])
    ahead = runs.best_kept - np.interp(np.log(p), np.log(curves.p), np.nanmax(curves.kept, axis=0))
    best_shapes = optimum[nearest]
    hits = runs.name == np.array(kinds)[best_shapes][:, None]
    jumps = np.abs(steps.mass[:, 1] - steps.mass[:, 0])
    return CensusNumbers(
        seeds=exact(config.seeds, method="set-up"),
        features=exact(config.features, method="set-up"),
        best_is_optimum=best_of_some(runs.loss, hits, config.best_of, unit="of densities"),
        best_of_all=Quantity(float((best_kind == best_shapes).mean()), n=len(p), method="count over densities"),
        best_of=exact(config.best_of, method="set-up"),
        ahead=exact(ahead.max(), "features", "largest over densities; exact losses"),
        ahead_p=exact(p[int(ahead.argmax())], method="where the best run is furthest ahead"),
        behind=exact(-ahead.min(), "features", "largest over densities; exact losses"),
        behind_p=exact(p[int(ahead.argmin())], method="where the best run is furthest behind"),
        transitions=exact(len(steps.p), method="count"),
        least_jump=exact(jumps.min(initial=np.inf), method="least over transitions"),
        largest_jump=exact(jumps.max(initial=0), method="largest over transitions"),
    )
