"""Many equally important features in few dimensions: what do they share dimensions in? Statement C7.

Elhage et al. 2022, "The geometry of superposition": dimensions per feature stick at 1 and 1/2, feature
dimensionalities cluster at fractions, and the interference graph falls into components, the factors of a tegum
product. Each seed trains its own densities, so that all together cover the axis finely; each density then has a model
of one seed, and intervals come from resampling seeds. Beside it, without training: the brick that gains most.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from experiments.core import plotting
from experiments.core.contract import Experiment, Finding, Verdict, above
from experiments.core.quantities import Quantity
from experiments.uniform.shared.uniform_results import (
    EDGES,
    KINDS,
    LIVE,
    PEAKS,
    SMALL,
    TABULATED,
    UniformResult,
    measured,
)
from experiments.uniform.shared.uniform_sweep import UniformConfig

SOURCE = 'Toy Models of Superposition, "The geometry of superposition"'

MANY_LINES = 200
"""Graphs of more edges are drawn as pixels: as lines they would be larger than the rest of the picture."""


@dataclass(frozen=True)
class Config(UniformConfig):
    """Defaults are the published run."""


@dataclass(frozen=True)
class Result(UniformResult):
    """Fields as in `UniformResult`."""


experiment = Experiment(
    __name__,
    title="Many features in few dimensions",
    config=Config(),
    quick=Config(
        seeds=2,
        features=48,
        hidden=8,
        densities=8,
        steps=(1500, 1000),
        learning_rate=(5e-3, 1e-2),
        checked_seeds=1,
        evaluation_samples=1 << 12,
        bricks=("dedicated", "triangle", "digon", "pentagon"),
        brick_points=6,
        resamples=100,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**vars(measured(config, device)))


def _inverse_axis(ax: Axes, rarest: float) -> None:
    """Make x the rarity 1/p = 1/(1 - S), logarithmic, as in the paper."""
    ax.set_xscale("log")
    ax.set(xlim=(1, rarest), xlabel="rarity $1/p$")
    ax.set_xticks([tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= rarest])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


@experiment.figure(
    "uniform-stickiness",
    title="Dimensions per feature, and the brick that gains most",
    caption="(a) Dimensions per feature $D^*$ of {numbers.models:.0f} models, each at a density of its own. It stays "
    "near 1/2 over {numbers.plateau_half}. Dashed: the brick with the highest gain, computed without training. "
    "(b) Loss saved per dimension, 1 for a dedicated one: trained models (dots) and bricks (lines). Pairs are best "
    "from $1/p$ = {numbers.brick_to_digons:.2f} to {numbers.brick_from_digons:.2f}; that is the plateau. Near p = 1 "
    "almost nothing is gained by sharing, and training leaves D* at 1 for longer than the best brick.",
    alt="Left, dots fall from one to a long shelf at one half and on from there; a dashed staircase of the best brick "
    "runs along them. Right, gain per dimension rises; dots lie a little below the upper envelope of the lines of the "
    "bricks at first, on it where pairs are best, and above it at the end.",
)
def draw_stickiness(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    inverse, rarest = 1 / result.p, float(1 / result.p.min())
    best = np.nanargmax(result.brick_gain, axis=0)
    for level in (1.0, 0.5):
        plotting.guide(left, level)
    left.plot(inverse, result.d_star, ".", color=plotting.colour("accent"), label="trained models")
    optimum = result.brick_d_star[best, np.arange(best.size)]
    plotting.theory_line(left, 1 / result.brick_p, optimum, label="best brick")
    left.set(ylim=(0, 1.05), ylabel="dimensions per feature $D^*$")
    plotting.legend(left)
    names = result.brick_name.tolist()
    drawn = [name for name in ("dedicated", "triangle", "digon", "pentagon", "square antiprism") if name in names]
    for index, name in enumerate(drawn):
        right.plot(
            1 / result.brick_p, result.brick_gain[names.index(name)], color=plotting.series(index), label=name, lw=1.3
        )
    right.plot(inverse, result.gain, ".", color=plotting.colour("ink"), markersize=3, label="trained models")
    right.set(ylabel="gain per dimension", ylim=(0.95, min(3.2, 1.05 * float(result.gain.max()))))
    plotting.legend(right)
    for ax in (left, right):
        _inverse_axis(ax, rarest)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "uniform-dimensionality",
    title="The dimensionality of every feature",
    caption="(a) Dimensionality $D_i$ of every represented feature of every model. (b) Their smooth density, one "
    "weight per seed, with overlaps of all features or of represented ones only; dotted, random directions with the "
    "same norms. One half is a sharp cluster, {peaks.1_2:.0f} times as dense as the gaps. At 2/3 there is none "
    "({peaks.2_3:.1f}) until overlaps with unrepresented features are left out ({kept_peaks.2_3:.0f}). At 2/5 "
    "({peaks.2_5:.1f}) and 3/8 ({peaks.3_8:.1f}) there is no clear excess.",
    alt="Left, dots over rarity: a cloud near the lower edge where features are common, then a small one between 2/3 "
    "and 3/4, then a long line at one half, then a falling band that crosses 2/5 and 3/8. "
    "Right, a sideways density with one tall peak at one half and a broad dotted null below.",
    interval="none in the picture; peaks are quoted with 95 % percentile bootstrap over seeds",
)
def draw_dimensionality(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=4.2, sharey=True, width_ratios=(3, 1.1))
    model, feature = np.nonzero(np.isfinite(result.dimension))
    marks = left.scatter(
        1 / result.p[model], result.dimension[model, feature], s=5, color=plotting.colour("accent"), alpha=0.5, lw=0
    )
    marks.set_rasterized(True)
    for ax in (left, right):
        for value in PEAKS.values():
            plotting.guide(ax, value)
    right.plot(result.curve, result.place, color=plotting.colour("accent"), label="overlap with all features", lw=1.2)
    right.plot(result.kept_curve, result.place, color=plotting.colour("contrast"), label="represented ones only", lw=1)
    right.plot(result.null_curve, result.place, ":", color=plotting.colour("null"), label="random directions")
    left.set(ylabel="dimensionality $D_i$", ylim=(0.1, 1.02))
    left.set_yticks([1, *PEAKS.values(), 0.2], ["1", *PEAKS, "1/5"])
    for label in left.get_yticklabels():  # these two are too close for their words
        label.set_verticalalignment({"2/5": "bottom", "3/8": "top"}.get(label.get_text(), "center_baseline"))
    right.set(xlabel="density", xscale="symlog", xlim=(0, None))
    right.set_xticks([0, 1, 10], ["0", "1", "10"])
    _inverse_axis(left, float(1 / result.p.min()))
    plotting.legend(right, figure=figure)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "uniform-graphs",
    title="Interference graphs as features become rarer",
    caption="One model at each rarity: represented features as points, linked where |cos| exceeds 0.2 (blue "
    "negative, orange positive), components side by side. Dedicated features and triangles give way to antipodal "
    "pairs, then pentagons appear among the pairs, then square antiprisms; at last everything is linked.",
    alt="Six graphs: single points with small triangles; sticks and points; only sticks; sticks and pentagons; "
    "pentagons and eight-cornered clusters; one tangle.",
)
def draw_graphs(result: Result) -> Figure:
    figure, axes = plotting.new_figure(2, 3, width="wide", panel="square")
    for ax, p, W in zip(axes.ravel(), result.picture_p, result.pictures, strict=True):
        lines = plotting.interference_graph(ax, W, edge=EDGES[0], threshold=LIVE)
        lines.set_rasterized(len(lines.get_segments()) > MANY_LINES)
        ax.set_anchor("NW")
        ax.set_title(f"$1/p$ = {1 / p:.2f}")
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "uniform-islands",
    title="Islands while superposition sets in, then a continent",
    caption="(a) Share of represented features in each kind of component (|cos| above 0.2), models pooled in bins of "
    "rarity. (b) Share in small islands, of up to 8 features, at three thresholds for an edge; dotted, random "
    "directions. While superposition sets in, {numbers.onset_wide:% value} of the features are in small islands, by "
    "chance {numbers.onset_null:% value}; beyond $1/p$ = 7 {numbers.rare:% value}. Nearest to p = 1, before "
    "superposition, components are large too.",
    alt="Left, stacked areas over rarity: larger components and single features, then pairs fill everything, then "
    "pentagons and antiprisms, then larger components. Right, curves of the share in small islands rise to one and "
    "fall to zero, while chance stays at zero.",
)
def draw_islands(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    names = [*KINDS, f"other, up to {SMALL}", f"more than {SMALL}"]
    tones = [plotting.colour("faint"), *(plotting.series(k) for k in (0, 1, 2, 3, 4)), plotting.colour("muted")]
    plotting.stacked_shares(left, result.tile_x, dict(zip(names, result.tiles.T, strict=True)), colours=tones)
    for index, (edge, row) in enumerate(zip(EDGES, result.small, strict=True)):
        smooth = [part.mean() for part in np.array_split(row, result.tile_x.size)]
        right.plot(result.tile_x, smooth, color=plotting.series(index), label=f"|cos| > {edge:g}")
    null = [part.mean() for part in np.array_split(result.null_small[0], result.tile_x.size)]
    right.plot(result.tile_x, null, ":", color=plotting.colour("null"), label="random directions, |cos| > 0.2")
    right.set(ylim=(-0.02, 1.02), ylabel="in islands of up to 8")
    left.set_ylabel("share of represented features")
    for ax in (left, right):
        _inverse_axis(ax, float(1 / result.p.min()))
        ax.set_xlim(float(result.tile_x.min()), float(result.tile_x.max()))
        plotting.percent_axis(ax)
        plotting.legend(ax)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "uniform-census",
    title="Kinds of components, and the share of a dimension that their features have",
    caption="Kinds of components of two to eight features found at least twice: mean dimensionality of their features, "
    "beside rank over size, what a tegum factor with equal features has. {found.2_in_1:.0f} digons, "
    "{found.3_in_2:.0f} triangles, {found.5_in_2:.0f} pentagons and {found.8_in_3:.0f} groups of eight in three "
    "dimensions were found; {found.4_in_3:.0f} tetrahedra. Their means lie below the line, "
    "those of groups as many as their dimensions (at 1) far below.",
    alt="A dot for each kind of component against rank over size; the commonest lie just below the diagonal, those "
    "at 1 far below it.",
)
def draw_census(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.2)
    ideal = result.census_rank / result.census_size
    ends = np.array([0.3, 1.0])
    plotting.theory_line(ax, ends, ends, label="rank / size")
    sizes = 8 + 26 * np.log10(result.census_count)
    marks = ax.scatter(ideal, result.census_mean, s=sizes, color=plotting.colour("accent"), alpha=0.8, lw=0, zorder=6)
    plotting.represents(
        marks,
        {
            "size": result.census_size,
            "rank": result.census_rank,
            "count": result.census_count,
            "mean_dimensionality": result.census_mean,
        },
    )
    for size, rank, count, at, value in zip(
        result.census_size, result.census_rank, result.census_count, ideal, result.census_mean, strict=True
    ):
        if (size, rank) in TABULATED:
            ax.annotate(
                f"{size} in {rank}: {count}", (at, value), xytext=(7, -9), textcoords="offset points", va="center"
            )
    ax.set(xlabel="rank / size", ylabel="mean dimensionality")
    return figure


@experiment.claim(
    "uniform-plateau-half",
    title="Dimensions per feature stick at one half",
    source=SOURCE,
    test="Decades of 1/p over which D* of trained models lies within 0.04 of one half.",
    criterion="Supported if the interval lies above 0.2 decades, refuted if below, inconclusive otherwise.",
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def decide_half(result: Result) -> Finding:
    return Finding(result.numbers["plateau_half"], above(result.numbers["plateau_half"], 0.2))


@experiment.claim(
    "uniform-plateau-flat",
    title="On the plateau D* falls four times more slowly than elsewhere",
    source=SOURCE,
    test="Median size of the local slope of D* over log 1/p on the plateau at one half, over that outside both "
    "plateaus.",
    criterion="Supported if the interval lies below one quarter, refuted if above, inconclusive otherwise.",
    figures=("uniform-stickiness",),
    published=Verdict.REFUTED,
)
def decide_flat(result: Result) -> Finding:
    verdict = above(result.numbers["flatness"], 0.25)
    return Finding(result.numbers["flatness"], _OPPOSITE.get(verdict, verdict))


_OPPOSITE = {Verdict.SUPPORTED: Verdict.REFUTED, Verdict.REFUTED: Verdict.SUPPORTED}


@experiment.claim(
    "uniform-plateau-one",
    title="Trained models stick at one dimension per feature",
    source=SOURCE,
    test="Decades of 1/p, from 1 on, with D* above 0.97 in trained models.",
    criterion="Supported if the interval lies above 0.1 decades, refuted if below, inconclusive otherwise.",
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def decide_one(result: Result) -> Finding:
    return Finding(result.numbers["plateau_one"], above(result.numbers["plateau_one"], 0.1))


@experiment.claim(
    "uniform-plateau-one-best",
    title="The plateau at one is a property of the best solution",
    test="Decades of 1/p, from 1 on, with D* above 0.97 for the best brick, against the width found in training.",
    criterion="Supported if the best brick keeps at least half of the trained width, refuted otherwise.",
    figures=("uniform-stickiness",),
    published=Verdict.REFUTED,
)
def decide_one_best(result: Result) -> Finding:
    width = result.numbers["brick_plateau_one"]
    holds = width.value >= result.numbers["plateau_one"].value / 2
    return Finding(width, Verdict.SUPPORTED if holds else Verdict.REFUTED)


@experiment.claim(
    "uniform-bricks",
    title="The brick that gains most per dimension says where the plateau begins and ends",
    test="1/p at which D* of trained models falls through 0.75 and 0.45, against where digons become the best brick "
    "and stop being it. Statistic: the larger of the two ratios, trained over computed or the reverse.",
    criterion="Supported if both ratios lie below a factor of 1.15, refuted if one is above 1.3, mixed otherwise.",
    figures=("uniform-stickiness",),
    published=Verdict.SUPPORTED,
)
def decide_bricks(result: Result) -> Finding:
    factor = result.numbers["switch_factor"]
    if factor.value < 1.15:
        return Finding(factor, Verdict.SUPPORTED)
    return Finding(factor, Verdict.REFUTED if factor.value > 1.3 else Verdict.MIXED)


@experiment.claim(
    "uniform-peaks",
    title="Feature dimensionalities cluster at 3/4, 2/3, 1/2, 2/5 and 3/8",
    source=SOURCE,
    test="Dimensionalities of all features with squared norm above 0.1. For each fraction: density within 0.01 of it "
    "over the density in the middle thirds of the two adjacent gaps, bootstrap over seeds; the same for random "
    "directions. Statistic: fractions with an interval above 2.",
    criterion="Supported if all five intervals lie above 2 and all five of random directions below 2, refuted if fewer "
    "than three do, mixed otherwise.",
    figures=("uniform-dimensionality",),
    published=Verdict.REFUTED,
)
def decide_peaks(result: Result) -> Finding:
    return _by_peaks(result, list(result.peaks.values()))


def _by_peaks(result: Result, found: list[Quantity]) -> Finding:
    hits = [above(one, 2.0) is Verdict.SUPPORTED for one in found]
    chance = [above(one, 2.0) is Verdict.REFUTED for one in result.null_peaks.values()]
    statistic = Quantity(float(np.mean(hits)), n=len(hits), method="bootstrap over seeds for each fraction")
    if all(hits) and all(chance):
        return Finding(statistic, Verdict.SUPPORTED)
    return Finding(statistic, Verdict.REFUTED if sum(hits) < 3 else Verdict.MIXED)


@experiment.claim(
    "uniform-peaks-kept",
    title="So do dimensionalities among the represented features alone",
    test="As for all overlaps, but with the columns of features that are not represented set to 0 first.",
    criterion="As for all overlaps.",
    figures=("uniform-dimensionality",),
    published=Verdict.REFUTED,
)
def decide_peaks_kept(result: Result) -> Finding:
    return _by_peaks(result, list(result.kept_peaks.values()))


@experiment.claim(
    "uniform-bipyramids",
    title="Bipyramids split: features do not gather at 3/5 or 3/7",
    source=SOURCE,
    test="Density of dimensionalities within 0.01 of 3/5 and of 3/7 over the density just beside, bootstrap over "
    "seeds. Statistic: the larger of the two.",
    criterion="Supported if both intervals lie below 1.2, refuted if one lies above, inconclusive otherwise.",
    figures=("uniform-dimensionality",),
    published=Verdict.INCONCLUSIVE,
)
def decide_bipyramids(result: Result) -> Finding:
    verdicts = [above(one, 1.2) for one in result.split.values()]
    statistic = max(result.split.values(), key=lambda one: one.value)
    if all(verdict is Verdict.REFUTED for verdict in verdicts):
        return Finding(statistic, Verdict.SUPPORTED)
    return Finding(statistic, Verdict.REFUTED if Verdict.SUPPORTED in verdicts else Verdict.INCONCLUSIVE)


@experiment.claim(
    "uniform-saturation",
    title="Dimensionalities add up to the number of dimensions",
    source=SOURCE,
    test="Sum of D_i over all features divided by the number of dimensions, in models with D* below 0.9. Statistic: "
    "share of models, each one training from a start of its own, with a sum between 0.97 and 1.",
    criterion="Supported if the interval lies above 0.9, refuted if below, inconclusive otherwise.",
    figures=("uniform-dimensionality",),
    published=Verdict.SUPPORTED,
)
def decide_saturation(result: Result) -> Finding:
    return Finding(result.numbers["saturated"], above(result.numbers["saturated"], 0.9))


@experiment.claim(
    "uniform-islands-first",
    title="With many features, superposition begins in small islands",
    statements=("C7",),
    source=SOURCE,
    test="Models in which superposition has set in and the plateau of pairs is not reached, D* between 0.55 and 0.9. "
    "Share of represented features in connected components of up to 8 features (edges where |cos| exceeds 0.2), and "
    "the same for random directions. Statistic: mean over seeds.",
    criterion="Supported if the interval lies above one half and that of random directions below 0.1; refuted if the "
    "interval lies below one half; inconclusive otherwise.",
    figures=("uniform-islands", "uniform-graphs"),
    published=Verdict.SUPPORTED,
)
def decide_islands(result: Result) -> Finding:
    found = result.numbers["onset_wide"]
    verdict = above(found, 0.5)
    if verdict is Verdict.SUPPORTED and above(result.numbers["onset_null"], 0.1) is not Verdict.REFUTED:
        verdict = Verdict.INCONCLUSIVE
    return Finding(found, verdict)


@experiment.claim(
    "uniform-tegum",
    title="Components are tegum factors: digons, triangles, pentagons, tetrahedra, antiprisms",
    source=SOURCE,
    test="Components (|cos| above 0.2) of 2 features in 1 dimension, 3 in 2, 5 in 2, 4 in 3 and 8 in 3 over all "
    "models, and the mean dimensionality of their features against rank over size. Statistic: kinds that are present "
    "and within 0.01.",
    criterion="Supported if all five are, refuted if fewer than two are, mixed otherwise.",
    figures=("uniform-census", "uniform-graphs"),
    published=Verdict.REFUTED,
)
def decide_tegum(result: Result) -> Finding:
    means = {
        (size, rank): value
        for size, rank, value in zip(
            result.census_size.tolist(), result.census_rank.tolist(), result.census_mean.tolist(), strict=True
        )
    }
    hits = [abs(means.get(kind, np.inf) - kind[1] / kind[0]) < 0.01 for kind in TABULATED]
    statistic = Quantity(float(np.mean(hits)), n=len(hits), method="count over the five kinds")
    if all(hits):
        return Finding(statistic, Verdict.SUPPORTED)
    return Finding(statistic, Verdict.REFUTED if sum(hits) < 2 else Verdict.MIXED)
