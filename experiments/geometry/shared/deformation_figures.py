"""Parts of the drawings of a deformed pentagon: the axis of ratios and the map of best solutions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.geometry.shared.perturbation import (
    FEATURES,
    SOMETHING_ELSE,
    VARIED,
    WITHOUT_ANOTHER,
    WITHOUT_ODD,
    Map,
)

Array = NDArray[np.float64]

TONES = {WITHOUT_ODD: "muted", WITHOUT_ANOTHER: "faint", SOMETHING_ELSE: "theory"}
NAMES = {WITHOUT_ODD: "pairs without it", WITHOUT_ANOTHER: "pairs without another", SOMETHING_ELSE: "else"}


def ratio_axis(ax: Axes, label: str) -> None:
    """Make x the ratio of the odd feature to the others, logarithmic."""
    ax.set_xscale("log")
    ax.set_xlabel(label)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 4])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def draw_fits(ax: Axes, ratio: Array, values: Array, best: Array) -> None:
    """Draw `values` (ratio, fit) of all fits as small dots, and of the best of each ratio (ratio,) as large ones."""
    spread = np.broadcast_to(ratio[:, None], values.shape)
    dots = ax.plot(spread.ravel(), values.ravel(), ".", ms=2.5, color=plotting.colour("null"), label="all fits")
    dots[0].set_rasterized(True)
    ax.plot(ratio, best, "o", color=plotting.colour("accent"), label="best fit")


def draw_by_branch(ax: Axes, ratio: Array, loss: Array, kept: NDArray[np.bool_]) -> None:
    """Draw the loss (ratio, fit) of all fits in two colours, by whether the odd feature is kept."""
    spread = np.broadcast_to(ratio[:, None], kept.shape)
    for index, (chosen, name) in enumerate(((kept, "odd feature kept"), (~kept, "odd feature left out"))):
        dots = ax.plot(spread[chosen], loss[chosen], ".", ms=3, color=plotting.series(index), label=name)
        dots[0].set_rasterized(True)


def draw_best(ax: Axes, found: Map) -> QuadMesh:
    """Colour each cell by the angle beside the odd feature, or by the kind where a feature is left out."""
    edges = [plotting.cell_edges(axis, log=True) for axis in (found.ratio, found.baseline)]
    for kind, tone in TONES.items():
        there = np.where(found.kind == kind, 1.0, np.nan)
        flat = ax.pcolormesh(*edges, there, cmap=ListedColormap([plotting.colour(tone)]), shading="flat")
        plotting.decoration(flat).set_rasterized(True)
    image = ax.pcolormesh(
        *edges, found.gap - 72, cmap=plotting.diverging(), norm=plotting.centred(limit=14.0), shading="flat"
    )
    image.set_rasterized(True)
    ratio, p = np.meshgrid(found.ratio, found.baseline)
    columns = {"ratio": ratio.ravel(), "p": p.ravel(), "kind": found.kind.ravel()}
    plotting.represents(image, columns | {"angle_minus_72": found.gap.ravel() - 72})
    ax.set(yscale="log", xlim=(edges[0][0], edges[0][-1]), ylim=(edges[1][0], edges[1][-1]))
    ax.set_yticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
    ax.yaxis.set_minor_locator(NullLocator())
    return image


def name_kinds(figure: Figure, kind: NDArray[np.int64]) -> None:
    """Add a key of the kinds that occur."""
    present = [each for each in TONES if (kind == each).any()]
    handles = [Patch(color=plotting.colour(TONES[each]), label=NAMES[each]) for each in present]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), alignment="left")


def draw_maps(maps: Sequence[Map], curve_p: Array, curve: Array) -> Figure:
    """Draw the best solutions while density and importance vary, with the `curve` (varied, point) of the crossing."""
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.9, sharey=True)
    inside = curve_p > 0
    for ax, varied, found, crossing in zip(axes, VARIED, maps, curve, strict=True):
        image = draw_best(ax, found)
        limits = ax.get_xlim(), ax.get_ylim()
        plotting.theory_line(ax, crossing[inside], curve_p[inside], label="")
        ratio_axis(ax, f"{varied} of the odd feature / others")
        ax.set(xlim=limits[0], ylim=limits[1])
    axes[0].set_ylabel("density of the others")
    plotting.colour_scale(image, axes, label="angle to neighbours, less 72° (°)")
    name_kinds(figure, np.stack([found.kind for found in maps]))
    plotting.panel_letters(axes)
    return figure


def draw_stars(ratios: Array, shapes: Array) -> Figure:
    """Draw the columns of the best solution at each ratio, the odd feature in a colour of its own."""
    figure, axes = plotting.new_figure(1, len(ratios), width="wide", height=1.75)
    tones = [plotting.colour("contrast"), *[plotting.colour("accent")] * (FEATURES - 1)]
    for ax, ratio, W in zip(axes, ratios, shapes, strict=True):
        plotting.directions(ax, W, limit=1.35, colours=tones)
        ax.set_title(f"× {ratio:g}")
    return figure
