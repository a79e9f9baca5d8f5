"""Five features in two dimensions when one of them, the first, differs from the rest: branches and where they cross.

Two solutions compete: a *pentagon*, bent by the odd feature, and *two digons* of the other four, with the odd feature
absent. Each is followed as a local minimum of the exact expected loss over the ratio between the odd feature's
density (or importance) and the others'.

Source of the question: Elhage et al. 2022, "Non-uniform superposition".
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from experiments.core.geometry.configurations import TWO_DIGONS, classify, polygon
from experiments.core.losses.optimum import Optimum, everything, minimise
from experiments.core.metrics import represented

Array = NDArray[np.float64]
Varied = Literal["density", "importance"]
VARIED: tuple[Varied, Varied] = ("density", "importance")

FEATURES, HIDDEN = 5, 2
FREE = everything(HIDDEN, FEATURES)


class Branches(NamedTuple):
    """Local minima (case,) that a pentagon and two digons without the odd feature roll into."""

    pentagon: Optimum
    digons: Optimum


def settings(baseline: ArrayLike, ratio: ArrayLike, varied: Varied) -> tuple[Array, Array]:
    """Return densities and importances (case, feature) when the first feature's is `ratio` times the others'."""
    p, r = np.broadcast_arrays(np.asarray(baseline, dtype=np.float64), np.asarray(ratio, dtype=np.float64))
    odd = np.ones((p.size, FEATURES))
    odd[:, 0] = r.ravel()
    density = np.repeat(p.reshape(-1, 1), FEATURES, axis=1)
    return (density * odd, np.ones_like(odd)) if varied == "density" else (density, odd)


def pentagon_start() -> Array:
    """Return parameters of a regular pentagon with the length and bias of rare features (Chen et al. 2023)."""
    return np.concatenate([1.17 * polygon(5).ravel(), np.full(FEATURES, -0.28)])


def digons_start() -> Array:
    """Return parameters of two unit digons, the first feature absent."""
    W = np.concatenate([np.zeros((HIDDEN, 1)), polygon(4)], axis=1)
    return np.concatenate([W.ravel(), np.zeros(FEATURES)])


def branches(density: Array, importance: Array) -> Branches:
    """Return both branches at each setting (case, feature)."""
    found = [
        minimise(FREE, density, importance, starts=np.tile(start, (len(density), 1)))
        for start in (pentagon_start(), digons_start())
    ]
    return Branches(*found)


def all_represented(W: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each model represents all five features (case,)."""
    return np.asarray(represented(W).all(-1))


def odd_gap(W: ArrayLike) -> Array:
    """Return the mean angle between the first column and its two neighbours (case,), degrees; 72 in a pentagon.

    NaN where a feature is not represented.
    """
    columns = np.asarray(W, dtype=np.float64)
    turn = np.degrees(np.arctan2(columns[..., 1, :], columns[..., 0, :]))
    away = np.sort(np.mod(turn[..., 1:] - turn[..., :1], 360.0), axis=-1)
    gap = (away[..., 0] + 360.0 - away[..., -1]) / 2
    return np.asarray(np.where(all_represented(columns), gap, np.nan))


def rare_settings(ratio: float, varied: Varied) -> tuple[Array, Array]:
    """Return weights of sets (1, 2^feature) and importances (1, feature) in the limit of rare features.

    One feature is active, the odd one `ratio` times as often as each other, or as important; and no feature a thousand
    times as often as one, which forbids positive biases. (With one active feature always, an absent feature would
    have a bias above 0, which in the limit it has not.)
    """
    weight, importance = np.ones(FEATURES), np.ones((1, FEATURES))
    if varied == "density":
        weight[0] = ratio
    else:
        importance[0, 0] = ratio
    chance = np.zeros((1, 2**FEATURES))
    chance[0, 2 ** np.arange(FEATURES)] = weight / weight.sum()
    chance[0, 0] = 1000.0
    return chance, importance


def _pair(baseline: float, ratio: float, varied: Varied) -> Branches:
    """Return both branches at one setting; a baseline of 0 is the limit of rare features."""
    if baseline > 0:
        return branches(*settings(baseline, ratio, varied))
    chance, importance = rare_settings(ratio, varied)
    return Branches(
        *(minimise(FREE, sets=chance, importance=importance, starts=one) for one in (pentagon_start(), digons_start()))
    )


def crossing(baseline: float, varied: Varied, low: float = 0.02, high: float = 1.0) -> float:
    """Return the ratio at which both branches have the same loss; below it, two digons are better.

    Where a pentagon is no minimum any more, it counts as worse. A baseline of 0 is the limit of rare features. NaN if
    the order of the two is the same at both ends.
    """

    def lead(log_ratio: float) -> float:
        pair = _pair(baseline, float(np.exp(log_ratio)), varied)
        if not all_represented(pair.pentagon.W)[0]:
            return 1.0
        return float((pair.pentagon.loss - pair.digons.loss)[0]) / (baseline or 1.0)

    ends = np.log([low, high])
    if lead(ends[0]) * lead(ends[1]) >= 0:
        return float("nan")
    return float(np.exp(brentq(lead, *ends, xtol=1e-6)))


def vanishing(baseline: float, varied: Varied, high: float, low: float = 0.01, halvings: int = 14) -> float:
    """Return the ratio below which a bent pentagon is no minimum, followed down from `high`, by bisection."""
    lower, upper = np.log(low), np.log(high)
    for _ in range(halvings):
        middle = (lower + upper) / 2
        whole = all_represented(_pair(baseline, float(np.exp(middle)), varied).pentagon.W)[0]
        lower, upper = (lower, middle) if whole else (middle, upper)
    return float(np.exp(upper))


def boundaries(baselines: Sequence[float], varied: Varied) -> tuple[Array, Array]:
    """Return the ratios at which the branches cross and at which the pentagon ends, (baseline,); NaN without either."""
    cross = np.array([crossing(p, varied) for p in baselines])
    end = [vanishing(p, varied, at) if np.isfinite(at) else np.nan for p, at in zip(baselines, cross, strict=True)]
    return cross, np.array(end)


def best_shapes(baseline: float, ratios: Sequence[float]) -> Array:
    """Return the better branch at each ratio of densities, with the odd feature, or a digon, pointing up."""
    pair = branches(*settings(baseline, np.array(ratios), "density"))
    best = np.where((pair.pentagon.loss < pair.digons.loss)[:, None, None], pair.pentagon.W, pair.digons.W)
    lead = np.where(represented(best)[:, 0], 0, 1)
    upright = []
    for W, first in zip(best, lead, strict=True):
        x, y = W[:, first] / np.linalg.norm(W[:, first])
        upright.append(np.array([[y, -x], [x, y]]) @ W)
    return np.array(upright)


class Map(NamedTuple):
    """Best model found in each cell (baseline, ratio) of a map: which `kind`, and the angle `gap` of `odd_gap`."""

    baseline: Array
    ratio: Array
    kind: NDArray[np.int64]
    gap: Array


ALL_KEPT, WITHOUT_ODD, WITHOUT_ANOTHER, SOMETHING_ELSE = range(4)


def best_map(baseline: Array, ratio: Array, varied: Varied, starts: int, seed: int) -> Map:
    """Return what the lowest of many local minima is: both branches and `starts` random models, in each cell.

    Cells whose odd density would exceed 1 are the kind -1.
    """
    generator = np.random.default_rng(seed)
    drawn = [generator.standard_normal((starts, HIDDEN * FEATURES)), generator.uniform(-0.5, 0.5, (starts, FEATURES))]
    theta = np.concatenate([np.concatenate(drawn, axis=1), pentagon_start()[None], digons_start()[None]])
    p, r = np.meshgrid(baseline, ratio, indexing="ij")
    possible = (p * r <= 1).ravel() if varied == "density" else np.ones(p.size, dtype=bool)
    density, importance = settings(p.ravel()[possible], r.ravel()[possible], varied)
    count = len(theta)
    found = minimise(
        FREE,
        np.repeat(density, count, axis=0),
        np.repeat(importance, count, axis=0),
        starts=np.tile(theta, (len(density), 1)),
    )
    best = found.loss.reshape(-1, count).argmin(-1) + count * np.arange(len(density))
    kind, gap = np.full(p.size, -1), np.full(p.size, np.nan)
    kind[possible], gap[possible] = kinds(found.W[best]), odd_gap(found.W[best])
    return Map(baseline, ratio, kind.reshape(p.shape), gap.reshape(p.shape))


def kinds(W: Array) -> NDArray[np.int64]:
    """Return the kind of each model (case,): all five kept, two digons without the odd or another feature, or else."""
    kept = represented(W)
    squares = classify(W).name == TWO_DIGONS.name
    return np.select(
        [kept.all(-1), squares & ~kept[:, 0], squares & kept[:, 0]],
        [ALL_KEPT, WITHOUT_ODD, WITHOUT_ANOTHER],
        SOMETHING_ELSE,
    )
