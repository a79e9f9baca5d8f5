"""A census of arrangements: what training finds at each density, beside the exact optimum of every named shape.

Shared by the experiments in the plane and in space. Models are compared by the variance that they keep,
`S = n (1 - loss / V)` features' worth, with `V = p/3 - p^2/4` that of one feature. It is 0 for a model that
represents nothing, the number of dimensions for one that keeps as many features at right angles, and `n` for a perfect
one; `branches` says why it allows shapes to be compared whatever `n` is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from experiments.core.contract import Finding, Verdict, undefined
from experiments.core.first_run import train_grid
from experiments.core.geometry.configurations import OTHER, census
from experiments.core.geometry.polyhedra import SHAPES, Solid
from experiments.core.geometry.recognition import recognise
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.evaluation import evaluate
from experiments.core.losses.exact import expected_loss
from experiments.core.metrics import represented_mass
from experiments.core.quantities import Quantity, exact, share
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train
from experiments.geometry.shared.branches import Branch, branches

CROWDED = 9
"""Shapes of so many vertices or more are computed at every second density."""

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class CensusConfig:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models per density
    features: int = 10
    p: tuple[float, ...] = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.24, 0.18, 0.13, 0.09, 0.06, 0.04, 0.025, 0.015)
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 1e-2  # falls to 0 along a cosine
    samples: int = 1 << 15  # of the common set on which all runs of a density are compared
    judged: int = 2  # best runs of each density whose loss is computed exactly
    computed_points: int = 41  # densities at which shapes are computed, from the least p to the largest
    curve_points: int = 241  # of the smooth curves through them
    sweep_points: int = 24  # densities of the sweeps up and down
    sweep_seeds: int = 32  # models that are swept each way, and that start from either shape at each transition
    sweep_steps: int = 1000
    sweep_rate: float = 3e-3
    jitter: float = 0.03  # standard deviation of what is added to W before a model goes on at another density


@dataclass(frozen=True)
class CensusResult:
    """Shapes are numbered as in `kinds`, whose last entry is "other"; kept variance is in features.

    `shares` (case, kind) of all runs; `kept` (case, seed); `best_kind` (case,) and `best_kept` (case,), exact, of the
    best run of each density, whose weights are `best_W` (case, hidden, feature). On `curve_p` (point,):
    `curve_kept`, `curve_mass` (shape, point) of each shape at its best, and `optimum` (feature count, point) the
    best shape for 2, 3, ... features. `steps_p` (transition,) are the densities where the best of all shapes changes,
    from `steps_kind` (transition, 2), common side first, with `steps_mass` (transition, 2), and `held`
    (transition, 2, 3): the share of models, with interval, that keep the shape they start from. `sweep_mass`
    (direction, seed, point) is that of models carried to rarer features and back over `sweep_p` (point,).
    `pictured_W` (shape in order of the optimum, hidden, feature) shows each at the middle of its range
    `pictured_range` (shape, 2), `pictured_kind` (shape,); columns of absent features are 0.
    """

    kinds: tuple[str, ...]
    p: Array
    shares: Array
    kept: Array
    best_kind: Integers
    best_kept: Array
    best_W: Array
    curve_p: Array
    optimum: Integers
    steps_p: Array
    steps_kind: Integers
    steps_mass: Array
    held: Array
    sweep_p: Array
    sweep_mass: Array
    pictured_kind: Integers
    pictured_range: Array
    pictured_W: Array
    numbers: dict[str, Quantity]
    curve_kept: Array = undefined("the shape is no optimum of its kind at this density")
    curve_mass: Array = undefined("the shape is no optimum of its kind at this density")


class _Curves(NamedTuple):
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


def take_census(config: CensusConfig, hidden: int, device: str) -> dict[str, Any]:
    """Return the fields of a `CensusResult` for models with `hidden` dimensions."""
    solids = tuple(solid for solid in SHAPES[hidden] if solid.count <= config.features)
    kinds = (*(solid.name for solid in solids), OTHER)
    p = np.array(config.p)
    curves = _follow(config, solids)
    optimum = _optimum(curves.kept, np.array([solid.count for solid in solids]), config.features)
    steps = _transitions(curves, optimum[-1])
    pictured = _pictures(curves, optimum[-1], steps, config.features)
    runs = _train(config, p, hidden, solids, device)
    best_kind = np.array([kinds.index(name) for name in runs.best_name])
    held = _held(config, solids, curves, steps, device)
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
        "held": held,
        "sweep_p": sweep_p,
        "sweep_mass": _sweep(config, pictured, sweep_p, device),
        "pictured_kind": pictured.kind,
        "pictured_range": pictured.range,
        "pictured_W": pictured.W,
        "numbers": {
            **_numbers(config, hidden, p, runs),
            **_ranges(hidden, kinds, pictured),
            **_comparison(p, runs, best_kind, curves, optimum[-1]),
            **_step_numbers(kinds, steps),
        },
    }


def _follow(config: CensusConfig, solids: Sequence[Solid]) -> _Curves:
    """Return every shape over densities; those of many vertices, which cost most, at every second one."""
    at = np.geomspace(min(config.p), max(config.p), config.computed_points)
    few, many = ([s for s in solids if (s.count >= CROWDED) is crowded] for crowded in (False, True))
    by_name = dict(zip([s.name for s in few], branches(few, at), strict=True))
    for solid, sparse in zip(many, branches(many, at[::2]), strict=True):
        by_name[solid.name] = _spaced(sparse, len(at))
    found = [by_name[solid.name] for solid in solids]
    p = np.geomspace(at[0], at[-1], config.curve_points)
    kept = np.stack([_smooth(at, each.kept, p) for each in found])
    mass = np.stack([_smooth(at, np.asarray((each.W**2).sum((1, 2))), p) for each in found])
    return _Curves(at, found, p, kept, mass)


def _spaced(found: Branch, points: int) -> Branch:
    """Return a branch computed at every second of `points` densities with the others left open."""
    wide = []
    for values in found:
        open_ = np.full((points, *values.shape[1:]), np.nan)
        open_[::2] = values
        wide.append(open_)
    return Branch(*wide)


def _smooth(at: Array, values: Array, p: Array) -> Array:
    """Return values (point,) at `p`, cubic in log p through the finite ones, and NaN beyond them."""
    there = np.isfinite(values)
    x, y, wanted = np.log(at[there]), values[there], np.log(p)
    if there.sum() < 4:
        return np.interp(wanted, x, y, left=np.nan, right=np.nan) if there.sum() > 1 else np.full(len(p), np.nan)
    inside = (wanted >= x[0] - 1e-12) & (wanted <= x[-1] + 1e-12)
    return np.where(inside, CubicSpline(x, y)(wanted), np.nan)


class _Runs(NamedTuple):
    """Trained models (case, seed): shape names, kept variance; the best of each case, judged exactly."""

    name: NDArray[np.str_]
    kept: Array
    best_name: NDArray[np.str_]
    best_kept: Array
    best_W: Array


def _recipe(config: CensusConfig) -> Recipe:
    return Recipe(
        steps=config.steps, batch=config.batch, learning_rate=config.learning_rate, schedule="cosine", start="xavier"
    )


def _train(config: CensusConfig, p: Array, hidden: int, solids: Sequence[Solid], device: str) -> _Runs:
    """Train, name and judge; losses of a case are shifted together so that its best run has its exact one."""
    n, seeds = config.features, config.seeds
    weights = train_grid(_recipe(config), p, seeds, config.seed, device, features=n, hidden=hidden)
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
    return _Runs(name, kept, name[case, best], kept[case, best], W[case, best].astype(np.float64))


def _optimum(curve_kept: Array, counts: Integers, features: int) -> Integers:
    """Return the number of the best shape for 2 to `features` features (feature count, point)."""
    value = np.where(np.isfinite(curve_kept), curve_kept, -np.inf)
    best = []
    for most in range(2, features + 1):
        among = np.where((counts <= most)[:, None], value, -np.inf)
        best.append(among.argmax(0))
    return np.stack(best)


class _Steps(NamedTuple):
    """Transitions of the optimum, from common to rare: densities (transition,), shapes and masses on both sides."""

    p: Array
    kind: Integers
    mass: Array


def _transitions(curves: _Curves, best: Integers) -> _Steps:
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
    return _Steps(
        np.array(densities),
        np.array(kinds, dtype=np.int64).reshape(-1, 2),
        np.array(masses, dtype=float).reshape(-1, 2),
    )


def _finite_near(values: Array, point: int) -> float:
    """Return the value at a point or, at the end of a shape's range, at the next one."""
    return float(values[point] if np.isfinite(values[point]) else values[point + 1])


class _Pictures(NamedTuple):
    """The shapes that are best somewhere, from common to rare; fields as in `CensusResult`, with biases."""

    kind: Integers
    range: Array
    W: Array
    b: Array


def _pictures(curves: _Curves, best: Integers, steps: _Steps, features: int) -> _Pictures:
    order = [int(kind) for kind in dict.fromkeys(best[::-1].tolist())]
    ranges = []
    for kind in order:
        enters, leaves = steps.p[steps.kind[:, 1] == kind], steps.p[steps.kind[:, 0] == kind]
        ranges.append((enters.max() if len(enters) else curves.p[-1], leaves.min() if len(leaves) else curves.p[0]))
    models = [
        curves.model(k, float(np.sqrt(high * low)), features) for k, (high, low) in zip(order, ranges, strict=True)
    ]
    return _Pictures(
        np.array(order), np.array(ranges), np.stack([W for W, _ in models]), np.stack([b for _, b in models])
    )


def _jittered(W: Array, b: Array, config: CensusConfig, generator: np.random.Generator) -> Weights:
    return Weights((W + config.jitter * generator.standard_normal(W.shape)).astype(np.float32), b.astype(np.float32))


def _go_on(config: CensusConfig, weights: Weights, density: Array, steps: int, seed: int, device: str) -> Weights:
    """Train given models (instance, ...) on, each at its own density (instance,)."""
    recipe = replace(_recipe(config), start=weights, steps=steps, learning_rate=config.sweep_rate, seed=seed)
    hidden, features = weights.W.shape[1:]
    return train(Data(density[:, None]), Model(features, hidden), recipe, device=device).weights


def _held(config: CensusConfig, solids: Sequence[Solid], curves: _Curves, steps: _Steps, device: str) -> Array:
    """Return the share, with interval, of models that keep the shape they start from, (transition, 2, 3).

    They start at the density where both shapes are equally good, from either, slightly shaken.
    """
    count, generator = config.sweep_seeds, np.random.default_rng([config.seed, 1])
    starts = [
        curves.model(int(kind), float(density), config.features)
        for density, pair in zip(steps.p, steps.kind, strict=True)
        for kind in pair
    ]
    if not starts:
        return np.zeros((0, 2, 3))
    W, b = (np.repeat(np.stack(values), count, axis=0) for values in zip(*starts, strict=True))
    ended = _go_on(
        config, _jittered(W, b, config, generator), np.repeat(steps.p, 2 * count), 2 * config.sweep_steps, config.seed,
        device,
    )  # fmt: skip
    names = recognise(ended.W, solids).name.reshape(-1, 2, count)
    expected = np.array([solid.name for solid in solids])[steps.kind]
    held = [[share(names[t, s] == expected[t, s]) for s in range(2)] for t in range(len(steps.p))]
    return np.array([[[q.value, q.low, q.high] for q in pair] for pair in held], dtype=np.float64)


def _sweep(config: CensusConfig, pictured: _Pictures, sweep_p: Array, device: str) -> Array:
    """Return `||W||_F^2` (direction, seed, point) of models carried along `sweep_p`, and of others carried back.

    The former start from the optimum among common features, the latter from that among rare ones; each goes on
    at the next density from where it ended at the last, slightly shaken.
    """
    count, generator = config.sweep_seeds, np.random.default_rng([config.seed, 2])
    W = np.repeat(pictured.W[[0, -1]], count, axis=0)
    b = np.repeat(pictured.b[[0, -1]], count, axis=0)
    mass = np.empty((2, count, len(sweep_p)))
    for step in range(len(sweep_p)):
        points = np.array([step, len(sweep_p) - 1 - step])
        weights = _go_on(
            config, _jittered(W, b, config, generator), np.repeat(sweep_p[points], count), config.sweep_steps, step,
            device,
        )  # fmt: skip
        W, b = weights.W.astype(np.float64), weights.b.astype(np.float64)
        for direction, point in enumerate(points):
            mass[direction, :, point] = represented_mass(W).reshape(2, count)[direction]
    return mass


def slug(name: str) -> str:
    """Return a shape's name as part of a quantity's name."""
    return name.replace(" + ", "_and_").replace(" ", "_")


def _every(hidden: int) -> tuple[str, ...]:
    """Return the names of all shapes, so that every number exists at every scale."""
    return (*(solid.name for solid in SHAPES[hidden]), OTHER)


def _numbers(config: CensusConfig, hidden: int, p: Array, runs: _Runs) -> dict[str, Quantity]:
    """Return the largest share of each shape over densities, and where it is; and the set-up."""
    numbers = {"seeds": exact(config.seeds, method="set-up"), "features": exact(config.features, method="set-up")}
    for kind in _every(hidden):
        hits = runs.name == kind
        case = int(hits.mean(1).argmax())
        numbers[f"most_{slug(kind)}"] = share(hits[case])
        numbers[f"most_{slug(kind)}_p"] = exact(p[case], method="density with the largest share")
        numbers[f"densest_{slug(kind)}"] = share(hits[int(p.argmax())])
    return numbers


def _ranges(hidden: int, kinds: tuple[str, ...], pictured: _Pictures) -> dict[str, Quantity]:
    """Return the range of densities of each shape: the larger "best_from_...", the smaller "best_to_..."."""
    numbers = {}
    for kind in _every(hidden):
        where = np.flatnonzero(pictured.kind == kinds.index(kind)) if kind in kinds else np.array([], dtype=int)
        for side, name in enumerate(("best_from", "best_to")):
            value = pictured.range[where[0], side] if len(where) else 0.0
            method = "crossing of exact curves, or end of the range studied" if len(where) else "never the optimum"
            numbers[f"{name}_{slug(kind)}"] = exact(value, method=method)
    return numbers


def _comparison(p: Array, runs: _Runs, best_kind: Integers, curves: _Curves, best: Integers) -> dict[str, Quantity]:
    """Return how the best runs compare with the exact optimum."""
    nearest = np.array([int(np.abs(np.log(curves.p / density)).argmin()) for density in p])
    ahead = runs.best_kept - np.interp(np.log(p), np.log(curves.p), np.nanmax(curves.kept, axis=0))
    return {
        "best_is_optimum": _count(best_kind == best[nearest], "count over densities"),
        "ahead": exact(ahead.max(), "features", "largest over densities; exact losses"),
        "ahead_p": exact(p[int(ahead.argmax())], method="where the best run is furthest ahead"),
        "behind": exact(-ahead.min(), "features", "largest over densities; exact losses"),
        "behind_p": exact(p[int(ahead.argmin())], method="where the best run is furthest behind"),
    }


def _step_numbers(kinds: tuple[str, ...], steps: _Steps) -> dict[str, Quantity]:
    """Return the jump of `||W||_F^2` at each transition, named by the shapes."""
    jumps = steps.mass[:, 1] - steps.mass[:, 0]
    numbers = {
        "transitions": exact(len(steps.p), method="count"),
        "least_jump": exact(np.abs(jumps).min(initial=np.inf), method="least over transitions"),
        "largest_jump": exact(np.abs(jumps).max(initial=0), method="largest over transitions"),
    }
    for (before, after), jump in zip(steps.kind, jumps, strict=True):
        name = f"{slug(kinds[before])}_to_{slug(kinds[after])}_jump"
        numbers[name] = exact(jump, method="difference of ||W||_F^2 of the two exact optima there")
    return numbers


def sudden(result: CensusResult, least_jump: float) -> Quantity:
    """Return the share of transitions at which `||W||_F^2` changes by more than `least_jump` and both shapes hold.

    A shape holds when most of the models that start from it at the transition keep it.
    """
    jumps = np.abs(np.diff(result.steps_mass, axis=1)[:, 0]) > least_jump
    holds = (result.held[:, :, 0] > 0.5).all(1)
    return _count(jumps & holds, "count over all transitions of the exact optimum")


def _count(hits: NDArray[np.bool_], method: str) -> Quantity:
    return Quantity(float(hits.mean()), n=len(hits), method=method)


def order_of_ranges(result: CensusResult, first: str, then: str) -> tuple[float, float] | None:
    """Return the least density at which `first` is best and the largest at which `then` is; None if one never is."""
    best = result.optimum[-1]
    one, two = (result.curve_p[best == result.kinds.index(name)] for name in (first, then))
    return (float(one.min()), float(two.max())) if len(one) and len(two) else None


def appears_when_rarer(most: Quantity, densest: Quantity) -> Finding:
    """Decide whether a shape appears as features get rarer: `most` is its largest share, `densest` that where dense.

    Supported if `most` lies above one half and `densest` below one tenth, refuted if `most` lies below one half.
    """
    if most.high is not None and most.high < 0.5:
        return Finding(most, Verdict.REFUTED)
    grows = most.low is not None and most.low > 0.5 and densest.high is not None and densest.high < 0.1
    return Finding(most, Verdict.SUPPORTED if grows else Verdict.MIXED)


def follows(result: CensusResult, first: str, then: str, most: Quantity) -> Finding:
    """Decide whether shape `then` follows `first` as features get rarer, and is found: `most` is its largest share.

    Supported if `most` lies above one half and `then` is the optimum at lower densities, refuted if either never is.
    """
    order = order_of_ranges(result, first, then)
    if order is None:
        return Finding(most, Verdict.REFUTED)
    later = order[0] > order[1] and most.low is not None and most.low > 0.5
    return Finding(most, Verdict.SUPPORTED if later else Verdict.MIXED)
