"""Three features in two dimensions: is a triangle best when features are rare enough? Statement A5.

The least exact loss of a triangle and of its rivals over all densities, the same with biases held at 0, what a search
without any family finds, and what training finds.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Evidence, Experiment, Verdict
from experiments.core.criteria import (
    AtLeast,
    Criterion,
    Holds,
    LessThan,
    MoreThan,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.first_run import CONVERGED, READERS, SAMPLES, train_grid
from experiments.core.geometry.configurations import (
    DIGON_AND_ONE,
    OTHER,
    TOLERANCE,
    TRIANGLE,
    TWO_DIRECTIONS,
    census,
    classify,
    pair_angles,
)
from experiments.core.geometry.theory import (
    crossing,
    digon_and_one,
    least_in_family,
    together_loss,
    triangle,
    without_bias,
)
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import search
from experiments.core.metrics import represented
from experiments.core.quantities import Quantity, exact, share

Array = NDArray[np.float64]

FEATURES = 3
TRIANGLE_FAMILY, DIGON_FAMILY = triangle(FEATURES), digon_and_one(FEATURES)
KINDS = (TWO_DIRECTIONS.name, TRIANGLE.name, DIGON_AND_ONE.name, OTHER)
ARMS = ("the reader's recipe", "converged")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # runs per density and recipe
    p: tuple[float, ...] = (1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
    rare_p: float = 0.1  # features this rare or rarer count as rare
    dense_p: float = 0.7  # one of the densities, for what training finds when features are common
    search_starts: int = 64  # random starts per density of the search
    curve_points: int = 65  # densities of the curves of the arrangements


@dataclass(frozen=True)
class Arm:
    """Shares of one recipe's runs when features are rare (`rare_p`), common (`dense_p`), and rarest of all.

    "obtuse": all three features represented, no two closer than 82 degrees. "lines": each two of the three lines that
    the features span are 45 to 75 degrees apart, as those of a triangle are, whatever the signs. "best": within 1 %
    of the best loss.
    """

    obtuse_rarest: Quantity
    digon_rarest: Quantity
    triangle_rarest: Quantity
    triangle_rare: Quantity
    digon_rare: Quantity
    best_rare: Quantity
    lines_dense: Quantity
    triangle_dense: Quantity
    best_dense: Quantity


@dataclass(frozen=True)
class Numbers:
    """`ratio`: the least exact loss of a triangle over that of a digon and one."""

    crossing: Quantity
    ratio_rarest: Quantity
    ratio_limit: Quantity
    least_ratio: Quantity
    least_ratio_p: Quantity
    least_ratio_rare: Quantity
    largest_ratio_rare: Quantity
    least_ratio_no_bias: Quantity
    readers: Arm
    converged: Arm


@dataclass(frozen=True)
class Result:
    """Losses are exact, each the least of its arrangement, relative to that of the digon and one."""

    p: Array  # (case,)
    curve_p: Array  # (point,)
    ratio: Array  # (point,), the triangle's loss
    ratio_no_bias: Array  # (point,), the same with all biases held at 0
    free: Array  # (case,), the best model found by a search without any family
    free_kind: NDArray[np.str_]  # (case,), its arrangement
    shares: Array  # (arm, case, kind), what training found
    angle: Array  # (angle,), degrees
    pair_cost: Array  # (angle,), what two active features of unit norm at that angle lose together
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Three features in two dimensions",
    config=Config(),
    quick=Config(seeds=16, p=(1, 0.7, 0.5, 0.1, 0.02), search_starts=12, curve_points=17),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.p, dtype=np.float64)
    curve_p = np.unique(np.concatenate([np.geomspace(p.min(), 1, config.curve_points), p]))
    on_curve = np.searchsorted(curve_p, p)
    three, digon = least_in_family(TRIANGLE_FAMILY, curve_p), least_in_family(DIGON_FAMILY, curve_p)
    no_bias = [least_in_family(without_bias(known), curve_p) for known in (TRIANGLE_FAMILY, DIGON_FAMILY)]
    found = [optima.best() for optima in search(2, FEATURES, p[:, None], starts=config.search_starts, seed=config.seed)]
    best = np.minimum([one.loss for one in found], np.minimum(three, digon)[on_curve])
    W, names, at_best = _trained(config, p, best, device)
    angle = np.linspace(90, 180, 61)
    return Result(
        p=p,
        curve_p=curve_p,
        ratio=three / digon,
        ratio_no_bias=no_bias[0] / no_bias[1],
        free=best / digon[on_curve],
        free_kind=classify(np.stack([one.W for one in found])).name,
        shares=census(names, KINDS),
        angle=angle,
        pair_cost=together_loss(np.cos(np.radians(angle))),
        numbers=_numbers(config, curve_p, three / digon, no_bias[0] / no_bias[1], _arms(config, p, W, names, at_best)),
    )


def _trained(config: Config, p: Array, best: Array, device: str) -> tuple[Array, NDArray[np.str_], NDArray[np.bool_]]:
    """Return W of every run (arm, case, seed, 2, feature), its arrangement, and if it is within 1 % of the best."""
    grid = (len(ARMS), len(p), config.seeds)
    density = np.repeat(p, config.seeds)[:, None]
    arms = [
        train_grid(recipe, p, config.seeds, config.seed, device, features=FEATURES, samples=samples)
        for recipe, samples in ((READERS, SAMPLES), (CONVERGED, None))
    ]
    names = np.stack([classify(weights.W).name for weights in arms]).reshape(grid)
    loss = np.stack([expected_loss(weights.W, weights.b, density).value for weights in arms]).reshape(grid)
    W = np.stack([weights.W for weights in arms]).reshape(*grid, 2, FEATURES).astype(np.float64)
    return W, names, np.asarray(loss <= 1.01 * best[:, None])


def _numbers(config: Config, curve_p: Array, ratio: Array, ratio_no_bias: Array, arms: list[Arm]) -> Numbers:
    rare = curve_p <= config.rare_p
    readers, converged = arms
    return Numbers(
        crossing=exact(crossing(TRIANGLE_FAMILY, DIGON_FAMILY, 0.3, 0.8), method="root of the difference of losses"),
        ratio_rarest=exact(ratio[0], method="at the least density"),
        ratio_limit=exact(float(3 * together_loss(-0.5) / together_loss(-1)), method="closed form, p to 0"),
        least_ratio=exact(ratio.min(), method="least over all densities"),
        least_ratio_p=exact(curve_p[int(np.argmin(ratio))], method="where the ratio is least"),
        least_ratio_rare=exact(ratio[rare].min(), method="least over all rare densities"),
        largest_ratio_rare=exact(ratio[rare].max(), method="largest over all rare densities"),
        least_ratio_no_bias=exact(ratio_no_bias.min(), method="least over all densities, biases held at 0"),
        readers=readers,
        converged=converged,
    )


def _arms(config: Config, p: Array, W: Array, names: NDArray[np.str_], at_best: NDArray[np.bool_]) -> list[Arm]:
    """Return the shares of each arm's runs, `W` (arm, case, seed, 2, feature), `names`, `at_best` (arm, case, seed)."""
    rare, dense, rarest = (int(np.argmin(np.abs(p - value))) for value in (config.rare_p, config.dense_p, p.min()))
    arms = []
    for weights, kinds, good in zip(W, names, at_best, strict=True):
        angles, kept = pair_angles(weights), np.asarray(represented(weights).all(-1))
        lines = np.minimum(angles, 180 - angles)
        arms.append(
            Arm(
                obtuse_rarest=share(kept[rarest] & (angles[rarest] > 90 - TOLERANCE).all(-1)),
                digon_rarest=share(kinds[rarest] == DIGON_AND_ONE.name),
                triangle_rarest=share(kinds[rarest] == TRIANGLE.name),
                triangle_rare=share(kinds[rare] == TRIANGLE.name),
                digon_rare=share(kinds[rare] == DIGON_AND_ONE.name),
                best_rare=share(good[rare]),
                lines_dense=share(kept[dense] & (np.abs(lines[dense] - 60) < 15).all(-1)),
                triangle_dense=share(kinds[dense] == TRIANGLE.name),
                best_dense=share(good[dense]),
            )
        )
    return arms


@experiment.figure(
    "triangle-optimum",
    title="A triangle is best for common features, not for rare ones",
    caption=(
        "A triangle beats a digon and one only above p = {numbers.crossing:.3f}, and nowhere with biases held at "
        "0. a, least exact loss of a triangle over that of a digon and one; for rare features the ratio tends to "
        "{numbers.ratio_limit:.3f}. Dots: the best model of a free search. b, what two features lose when both "
        "are active: a triangle has three pairs at 120°, a digon and one has a single pair that interferes."
    ),
    alt=(
        "Left, two curves of a ratio of losses over feature probability; the lower one starts above 1, falls below 1 "
        "beyond about one half and returns to 1 at p = 1; the other stays above 1. Right, a rising curve of loss over "
        "angle with marks at 120 and 180 degrees."
    ),
)
def draw_optimum(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.7, width_ratios=(1.35, 1))
    tone = plotting.shape_colour("triangle")
    left.plot(result.curve_p, result.ratio, color=tone, label="triangle")
    left.plot(result.curve_p, result.ratio_no_bias, color=tone, linestyle=":", label="the same without biases")
    left.scatter(result.p, result.free, s=22, color=plotting.colour("ink"), zorder=4, label="best of a free search")
    plotting.theory_level(left, result.numbers.ratio_limit.value, label="rare features, closed form")
    plotting.guide(left, 1.0)
    left.set(ylabel="loss / loss of digon + one", ylim=(0.92, 1.3))
    plotting.density_axis(left, ticks=(0.01, 0.03, 0.1, 0.3, 1))
    right.plot(result.angle, result.pair_cost, color=plotting.colour("muted"))
    for degrees, name, side in ((120, "triangle: three pairs", "left"), (180, "digon: one pair", "right")):
        tone = plotting.shape_colour(name.split(":")[0])
        cost = float(np.interp(degrees, result.angle, result.pair_cost))
        right.scatter([degrees], [cost], s=36, color=tone, zorder=4, label=name)
        shift = (7, -7) if side == "left" else (0, 7)
        right.annotate(name, (degrees, cost), xytext=shift, textcoords="offset points", ha=side)
    right.set(
        xlabel="angle between two features (degrees)", ylabel="squared error, both active", xticks=[90, 120, 150, 180]
    )
    left.set_title("least loss of a triangle")
    right.set_title("what a pair costs")
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "triangle-census",
    title="What training finds with three features",
    caption=(
        "At p = 0.1 {numbers.readers.digon_rare:% value} of the reader's runs end as a digon and one, and "
        "{numbers.readers.triangle_rare:% value} as a triangle. Drawn is the share of seeds that end in each "
        "arrangement. Dashed: p = {numbers.crossing:.3f}, above which a triangle is best."
    ),
    alt=(
        "Two panels of stacked areas over feature probability with a dashed line near one half. Left of it nearly all "
        "runs are a digon and one; right of it irregular arrangements take over, with few triangles."
    ),
)
def draw_census(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.4, sharey=True)
    tones = [plotting.shape_colour(kind) for kind in KINDS]
    for ax, arm, shares in zip(axes, ARMS, result.shares, strict=True):
        plotting.stacked_shares(ax, result.p, dict(zip(KINDS, shares.T, strict=True)), colours=tones)
        plotting.theory_level(ax, result.numbers.crossing.value, vertical=True, label="")
        plotting.density_axis(ax, ticks=(0.01, 0.03, 0.1, 0.3, 1))
        plotting.percent_axis(ax)
        ax.set_title(arm)
    axes[0].set_ylabel("share of seeds")
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.claim(
    "triangle-when-rare",
    title="If p is small enough, a triangle is the best arrangement of three features in two dimensions",
    statements=("A5",),
    source="Elhage et al. 2022, The geometry of superposition",
    test=(
        "Least exact loss of a triangle over least exact loss of a digon with one feature at right angles, the "
        "smallest and the largest value over all densities up to 0.1; the losses are exact."
    ),
    criterion=Criterion(
        supported_if(where(largest=LessThan(1))),
        refuted_if(where(least=MoreThan(1))),
        otherwise=Verdict.MIXED,
        names={"least": "the smallest ratio", "largest": "the largest ratio"},
    ),
    figures=("triangle-optimum",),
    published=Verdict.REFUTED,
)
def ratios_when_rare(result: Result) -> Evidence:
    return Evidence(least=result.numbers.least_ratio_rare, largest=result.numbers.largest_ratio_rare)


@experiment.claim(
    "triangle-found-when-rare",
    title="If p is small, training finds a triangle",
    statements=("A5",),
    test="Share of runs with the reader's recipe, at p = 0.1, whose columns form a triangle (each angle within 8°).",
    criterion=above(0.5),
    figures=("triangle-census",),
    published=Verdict.REFUTED,
)
def triangles_when_rare(result: Result) -> Quantity:
    return result.numbers.readers.triangle_rare


@experiment.claim(
    "triangle-when-common",
    title="A triangle is best when features are common",
    statements=("A5",),
    test="Least ratio of the triangle's exact loss to that of the digon and one, over all densities, and a free search "
    "over all models at densities from 0.6 to 0.9.",
    criterion=Criterion(
        supported_if(where(least=LessThan(0.99), only=Holds())),
        refuted_if(where(least=AtLeast(1))),
        otherwise=Verdict.MIXED,
        names={"least": "the least ratio", "only": "the free search finds nothing but triangles"},
    ),
    figures=("triangle-optimum",),
    published=Verdict.SUPPORTED,
)
def ratio_when_common(result: Result) -> Evidence:
    common = (result.p >= 0.6) & (result.p <= 0.9)
    only = bool((result.free_kind[common] == TRIANGLE.name).all())
    return Evidence(least=result.numbers.least_ratio, only=only)
