"""Trained fits of five features of which one differs, and what is measured on them and on the exact branches.

Fits have axes (baseline, ratio, fit): the density of the four other features, that of the odd one over it, and which
training run. Losses are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.geometry.configurations import PENTAGON, classify
from experiments.core.geometry.theory import pentagon
from experiments.core.losses.exact import expected_loss, one_active
from experiments.core.losses.optimum import Optimum, minimise
from experiments.core.metrics import norms, represented
from experiments.core.quantities import Quantity, bootstrap, exact, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.geometry.shared.perturbation import (
    FEATURES,
    HIDDEN,
    VARIED,
    all_represented,
    branches,
    crossing,
    odd_gap,
    settings,
)

Array = NDArray[np.float64]

BENT_FROM = 0.4
"""Ratios from this on have a pentagon at both trained baselines."""


class Fits(NamedTuple):
    """Trained models: `ratio` (ratio,), `W` (baseline, ratio, fit, hidden, feature), `b`, and the exact `loss`."""

    ratio: Array
    W: Array
    b: Array
    loss: Array

    @property
    def odd_norm(self) -> Array:
        """The norm of the odd feature, (baseline, ratio, fit)."""
        return norms(self.W)[..., 0]

    @property
    def odd_kept(self) -> NDArray[np.bool_]:
        """Whether the odd feature is represented, (baseline, ratio, fit)."""
        return represented(self.W)[..., 0]


def train_fits(baselines: Sequence[float], ratios: Sequence[float], fits: int, recipe: Recipe, device: str) -> Fits:
    """Train `fits` models at every baseline and ratio; biases start at half the odd feature's density."""
    p, r, _ = np.meshgrid(baselines, ratios, np.zeros(fits), indexing="ij")
    density, _ = settings(p.ravel(), r.ravel(), "density")
    own = Recipe(**{**vars(recipe), "start_bias": density[:, :1] / 2})
    weights = train(Data(density), Model(FEATURES, HIDDEN), own, p.size, device).weights
    W, b = weights.W.astype(np.float64), weights.b.astype(np.float64)
    loss = expected_loss(W, b, density).value
    shape = p.shape
    return Fits(np.array(ratios), W.reshape(*shape, HIDDEN, FEATURES), b.reshape(*shape, FEATURES), loss.reshape(shape))


def best_fit(loss: Array, values: NDArray[Any]) -> NDArray[Any]:
    """Return `values` of the fit with the lowest loss, along the last axis."""
    return np.take_along_axis(values, loss.argmin(-1)[..., None], axis=-1)[..., 0]


@dataclass(frozen=True)
class Bending:
    """The angle between the odd feature and its neighbours, degrees, in best fits at the first baseline.

    `rank` is the rank correlation of ratio and angle; `importance_...` belong to exact pentagons that beat two digons.
    """

    rank: Quantity
    smallest: Quantity
    largest: Quantity
    importance_bend: Quantity
    importance_smallest: Quantity
    importance_largest: Quantity


def bending(fits: Fits, baseline: float, importance_ratios: Array, resamples: int, seed: int) -> Bending:
    """Measure how the angle beside the odd feature follows the ratio, and how far importance bends a best pentagon."""
    loss, gap = fits.loss[0], odd_gap(fits.W)[0]
    best = best_fit(loss, gap)

    def rank(chosen: NDArray[np.int64]) -> float:
        found = best_fit(loss[:, chosen], gap[:, chosen])
        there = np.isfinite(found) & (fits.ratio >= BENT_FROM)
        return float(rank_correlation(fits.ratio[there], found[there])) if there.sum() > 2 else 0.0

    pair = branches(*settings(baseline, importance_ratios, "importance"))
    bent = odd_gap(pair.pentagon.W)[all_represented(pair.pentagon.W) & (pair.pentagon.loss < pair.digons.loss)]
    method = "exact pentagons that beat two digons, first baseline"
    return Bending(
        rank=bootstrap(rank, loss.shape[-1], seed=seed, resamples=resamples, of="fits"),
        smallest=exact(float(np.nanmin(best)), "degrees", "best fits at the first baseline"),
        largest=exact(float(np.nanmax(best)), "degrees", "best fits at the first baseline"),
        importance_bend=exact(float(np.abs(bent - 72).max()), "degrees", method),
        importance_smallest=exact(float(bent.min()), "degrees", method),
        importance_largest=exact(float(bent.max()), "degrees", method),
    )


@dataclass(frozen=True)
class FirstOrder:
    """What happens at the crossing, first baseline: slopes of both exact branches, and fits on the worse branch.

    `kept_below` is the share of fits that keep the odd feature at ratios down to half the crossing, `lost_above` the
    share that have lost it up to twice the crossing.
    """

    slope_pentagon: Quantity
    slope_digons: Quantity
    slope_ratio: Quantity
    norm_jump: Quantity
    kept_below: Quantity
    lost_above: Quantity


def first_order(fits: Fits, baseline: float) -> FirstOrder:
    """Measure slopes of both exact branches at the crossing, and shares of fits on each branch on either side."""
    step, at = 1e-3, crossing(baseline, "density")
    pair = branches(*settings(baseline, np.array([at - step, at + step]), "density"))
    slopes = [float((one.loss[1] - one.loss[0]) / (2 * step * baseline)) for one in pair]
    jump = branches(*settings(baseline, np.array([at]), "density")).pentagon.W
    ratio, kept = fits.ratio, fits.odd_kept[0]
    below, over = (ratio < at) & (ratio > at / 2), (ratio > at) & (ratio < 2 * at)
    return FirstOrder(
        slope_pentagon=exact(slopes[0], method="exact branch at the crossing"),
        slope_digons=exact(slopes[1], method="exact branch at the crossing"),
        slope_ratio=exact(slopes[1] / slopes[0], method="exact branches at the crossing"),
        norm_jump=exact(float(norms(jump)[0, 0]), method="exact pentagon at the crossing, against 0"),
        kept_below=mean(kept[below].mean(0), within=(0, 1)),
        lost_above=mean(1 - kept[over].mean(0), within=(0, 1)),
    )


@dataclass(frozen=True)
class ExactPentagon:
    """Norm and bias of a regular pentagon at its exact best, ||W|| (1 - b), 1/(1 - b) and the root of 1 - b."""

    norm: Quantity
    bias: Quantity
    relation: Quantity
    predicted: Quantity
    root: Quantity


@dataclass(frozen=True)
class Regular:
    """Regular pentagons: trained with equal features, exact at the same density, and with one active feature."""

    trained_norm: Quantity
    trained_bias: Quantity
    relation: Quantity
    exact: ExactPentagon
    rare: ExactPentagon


def regular_pentagons(fits: Fits, baseline: float) -> Regular:
    """Measure norm and bias of regular pentagons at the first baseline."""
    at = int(np.abs(fits.ratio - 1).argmin())
    W, b = fits.W[0, at], fits.b[0, at]
    regular = (classify(W).name == PENTAGON.name) & all_represented(W)
    length, bias = norms(W)[regular].mean(-1), b[regular].mean(-1)
    family = pentagon(FEATURES)
    return Regular(
        trained_norm=mean(length),
        trained_bias=mean(bias),
        relation=mean(length * (1 - bias)),
        exact=_exact_pentagon(minimise(family, np.array([[baseline]]), starts=[[1.17, -0.28]])),
        rare=_exact_pentagon(minimise(family, sets=one_active(FEATURES)[None], starts=[[1.17, -0.28]])),
    )


def _exact_pentagon(found: Optimum) -> ExactPentagon:
    norm, bias = (float(value) for value in found.parameters[0])
    method = "exact minimum among regular pentagons"
    return ExactPentagon(
        norm=exact(norm, method=method),
        bias=exact(bias, method=method),
        relation=exact(norm * (1 - bias), method=method),
        predicted=exact(1 / (1 - bias), method="1/(1 - b)"),
        root=exact(np.sqrt(1 - bias), method="square root of 1 - b"),
    )


def trained_crossing(fits: Fits, baseline: int, resamples: int, seed: int) -> Quantity:
    """Return the ratio at which the best fits turn from digons to pentagons, at one of the baselines."""
    loss, kept = fits.loss[baseline], fits.odd_kept[baseline]

    def turn(chosen: NDArray[np.int64]) -> float:
        return turning(fits.ratio, best_fit(loss[:, chosen], kept[:, chosen]))

    return bootstrap(turn, loss.shape[-1], seed=seed, resamples=resamples, of="fits")


def largest_miss(fits: Fits, crossings: Sequence[float], resamples: int, seed: int) -> Quantity:
    """Return how far the best fits turn from the exact `crossings` (baseline,), at the baseline where it is furthest.

    The whole selection is resampled: best fits, turning points, the largest of the misses.
    """

    def miss(chosen: NDArray[np.int64]) -> float:
        found = best_fit(fits.loss[..., chosen], fits.odd_kept[..., chosen])
        return max(abs(turning(fits.ratio, row) - at) for row, at in zip(found, crossings, strict=True))

    return bootstrap(miss, fits.loss.shape[-1], seed=seed, resamples=resamples, of="fits")


def turning(ratio: Array, kept: NDArray[np.bool_]) -> float:
    """Return the middle between the last ratio without and the first with the odd feature."""
    without, having = ratio[~kept], ratio[kept]
    last = without.max() if without.size else ratio.min()
    first = having.min() if having.size else ratio.max()
    return float((last + first) / 2)


@dataclass(frozen=True)
class Crossing:
    """Where both branches lose the same at one baseline: the ratio of the odd feature to the others, and its inverse.

    `trained` is the ratio at which the best fits turn.
    """

    density: Quantity
    density_factor: Quantity
    importance: Quantity
    importance_factor: Quantity
    trained: Quantity


def crossing_at(fits: Fits, baseline: int, p: float, resamples: int, seed: int) -> Crossing:
    """Return where the exact branches cross at the density `p`, and where the best fits turn."""
    method = "both branches minimised exactly"
    density, importance = (crossing(p, varied) for varied in VARIED)
    return Crossing(
        density=exact(density, method=method),
        density_factor=exact(1 / density, method=method),
        importance=exact(importance, method=method),
        importance_factor=exact(1 / importance, method=method),
        trained=trained_crossing(fits, baseline, resamples, seed),
    )


@dataclass(frozen=True)
class Overview:
    """What pages quote besides. "limit" is that of rare features, "highest" the largest baseline with a crossing."""

    fits: Quantity
    crossings: Quantity
    density_limit: Quantity
    density_highest: Quantity
    importance_limit: Quantity
    importance_highest: Quantity
    trained_miss: Quantity


def overview(
    fits: Fits,
    trained_at: Sequence[float],
    curve_at: Sequence[float],
    curve: Array,
    *,
    resamples: int,
    seed: int,
) -> Overview:
    """Return what is known of the whole curves: the limit of rare features, and how far up branches cross."""
    limits = [exact(crossing(0.0, varied), method="limit of rare features") for varied in VARIED]
    baselines, crosses = np.array(curve_at), np.isfinite(curve)
    highest = [exact(float(baselines[row].max()), method="both branches minimised exactly") for row in crosses]
    crossings = [crossing(p, "density") for p in trained_at]
    return Overview(
        fits=exact(fits.loss.shape[-1], method="per ratio and baseline"),
        crossings=Quantity(
            float(crosses.mean()), n=curve.size, method="baselines and quantities at which the branches cross"
        ),
        density_limit=limits[0],
        density_highest=highest[0],
        importance_limit=limits[1],
        importance_highest=highest[1],
        trained_miss=largest_miss(fits, crossings, resamples, seed),
    )
