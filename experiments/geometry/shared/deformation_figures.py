"""Parts of the drawings of a deformed pentagon: the axis of ratios and the map of best solutions."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.geometry.shared.perturbation import SOMETHING_ELSE, WITHOUT_ANOTHER, WITHOUT_ODD, Map

TONES = {WITHOUT_ODD: "muted", WITHOUT_ANOTHER: "faint", SOMETHING_ELSE: "theory"}
NAMES = {WITHOUT_ODD: "pairs without it", WITHOUT_ANOTHER: "pairs without another", SOMETHING_ELSE: "else"}


def ratio_axis(ax: Axes, label: str) -> None:
    """Make x the ratio of the odd feature to the others, logarithmic."""
    ax.set_xscale("log")
    ax.set_xlabel(label)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 4])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


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
