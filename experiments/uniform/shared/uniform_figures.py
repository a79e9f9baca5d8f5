"""Drawings of a sweep of many equally important features over their density."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from experiments.core import plotting
from experiments.uniform.shared.uniform_results import EDGES, KINDS, LEAST_NORM, PEAKS, SMALL, TABULATED, UniformResult

MANY_LINES = 200
"""Graphs of more edges are drawn as pixels: as lines they would be larger than the rest of the picture."""


def _inverse_axis(ax: Axes, rarest: float) -> None:
    """Make x the rarity 1/p = 1/(1 - S), logarithmic, as in the paper."""
    ax.set_xscale("log")
    ax.set(xlim=(1, rarest), xlabel="rarity $1/p$")
    ax.set_xticks([tick for tick in (1, 1.5, 2, 3, 5, 10, 20) if tick <= rarest])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def draw_stickiness(result: UniformResult) -> Figure:
    """Draw D* over rarity beside the best brick (a), and the loss saved per dimension (b)."""
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
    for name in drawn:
        gain, style = result.brick_gain[names.index(name)], plotting.shape_line(name)
        right.plot(1 / result.brick_p, gain, label=name, lw=1.3, **style)
    right.plot(inverse, result.gain, ".", color=plotting.colour("ink"), markersize=3, label="trained models")
    right.set(ylabel="gain per dimension", ylim=(0.95, min(3.2, 1.05 * float(result.gain.max()))))
    plotting.legend(right)
    for ax in (left, right):
        _inverse_axis(ax, rarest)
    plotting.panel_letters((left, right))
    return figure


def draw_dimensionality(result: UniformResult) -> Figure:
    """Draw the dimensionality of every represented feature over rarity (a), and their density (b)."""
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
    right.set(xlabel="probability density of $D_i$", xscale="symlog", xlim=(0, None))
    right.set_xticks([0, 1, 10], ["0", "1", "10"])
    _inverse_axis(left, float(1 / result.p.min()))
    plotting.legend(right, figure=figure)
    plotting.panel_letters((left, right))
    return figure


def draw_graphs(result: UniformResult) -> Figure:
    """Draw interference graphs of a few models."""
    figure, axes = plotting.new_figure(2, 3, width="wide", panel="square")
    for ax, p, W in zip(axes.ravel(), result.picture_p, result.pictures, strict=True):
        lines = plotting.interference_graph(ax, W, edge=EDGES[0], threshold=LEAST_NORM)
        lines.set_rasterized(len(lines.get_segments()) > MANY_LINES)
        ax.set_anchor("NW")
        ax.set_title(f"$1/p$ = {1 / p:.2f}")
    plotting.panel_letters(axes)
    return figure


def draw_islands(result: UniformResult) -> Figure:
    """Draw the share of features in each kind of component (a), and in small islands (b)."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    names = [*KINDS, f"other, up to {SMALL}", f"more than {SMALL}"]
    shapes = {"alone": "dedicated", "antiprism": "square antiprism"}
    rests = ("other", "no named shape")
    tones = [plotting.shape_colour(shapes.get(name, name)) for name in (*KINDS, *rests)]
    plotting.stacked_shares(left, result.tile_x, dict(zip(names, result.tiles.T, strict=True)), colours=tones)
    for index, (edge, row) in enumerate(zip(EDGES, result.small, strict=True)):
        smooth = [part.mean() for part in np.array_split(row, result.tile_x.size)]
        right.plot(result.tile_x, smooth, color=plotting.series(index), label=f"|cos| > {edge:g}")
    null = [part.mean() for part in np.array_split(result.null_small[0], result.tile_x.size)]
    right.plot(result.tile_x, null, ":", color=plotting.colour("null"), label="random, |cos| > 0.2")
    right.set(ylim=(-0.02, 1.02), ylabel="share in islands of up to 8")
    left.set_ylabel("share of represented features")
    for ax in (left, right):
        _inverse_axis(ax, float(1 / result.p.min()))
        ax.set_xlim(float(result.tile_x.min()), float(result.tile_x.max()))
        plotting.percent_axis(ax)
    plotting.legend(left, columns=3)
    plotting.legend(right, columns=2)
    left.set_title("kinds of islands")
    right.set_title("small islands")
    plotting.panel_letters((left, right))
    return figure


def draw_census(result: UniformResult) -> Figure:
    """Draw mean dimensionality of the kinds of components against rank over size."""
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
            shift = {5: (9, -3), 8: (6, -13)}.get(size, (7, -9))
            ax.annotate(
                f"{size} in {rank}: {count}", (at, value), xytext=shift, textcoords="offset points", va="center"
            )
    ax.set(xlabel="rank of the component / features in it", ylabel="mean dimensionality")
    return figure
