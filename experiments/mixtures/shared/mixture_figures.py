"""Drawings of mixtures beside other models: a row per model, and points of each kind over cost or loss."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.quantities import Quantity
from experiments.mixtures.shared.mixture_results import Result

Array = NDArray[np.float64]


def rows_of_models(
    axes: Iterable[Axes], names: Sequence[str], found: Iterable[Sequence[Quantity]], *, limit: float | None = None
) -> None:
    """Draw a panel per list of quantities, with a row per model, the first on top, and a line at `limit`."""
    panels = list(axes)
    rows = np.arange(len(names))[::-1]
    for ax, quantities in zip(panels, found, strict=True):
        plotting.points(ax, rows, quantities, horizontal=True)
        if limit is not None:
            plotting.guide(ax, limit, vertical=True)
    panels[0].set_yticks(rows, names)


def frontier_figure(result: Result) -> Figure:
    """Draw, at three densities, the loss over that of a model that always says the mean, against multiply-adds."""
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.4, sharey=True)
    for ax, density in zip(axes, _shown_densities(result), strict=True):
        cost, loss = np.array(result.multiply_adds) / 1000, _loss(result, density)
        _points_of_kinds(ax, result, cost, loss)
        ax.set(xscale="log", xlabel="thousand multiply-adds", title=f"$p$ = {result.p[density]:g}")
        ax.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
        ax.minorticks_off()
    axes[0].set(ylabel="loss over that of the mean", ylim=(0, None))
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


def interference_figure(result: Result) -> Figure:
    """Draw, at three densities, routed interference against the loss over that of a model that says the mean."""
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.4)
    for ax, density in zip(axes, _shown_densities(result), strict=True):
        _points_of_kinds(ax, result, _loss(result, density), result.routed[:, density].mean(-1))
        ax.set(title=f"$p$ = {result.p[density]:g}", xlabel="loss over that of the mean", ylim=(0, None))
    axes[0].set_ylabel("routed interference")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


def _loss(result: Result, density: int) -> Array:
    """Return each model's loss at one density, over that of a model that always says the mean: (model,)."""
    p = result.p[density]
    return np.asarray(result.loss[:, density].mean(-1) / (p / 3 - (p / 2) ** 2))


def _points_of_kinds(ax: Axes, result: Result, x: Array, y: Array) -> None:
    """Draw models (model,) by kind: a line of dense ones, and symbols."""
    for index, (label, chosen) in enumerate(_kinds(result).items()):
        if chosen:
            style = "o-" if label == "dense" else ("s", "D", "^")[index - 1]
            ax.plot(x[chosen], y[chosen], style, color=plotting.series(index), label=label, markersize=4, linewidth=1.1)


def _kinds(result: Result) -> dict[str, list[int]]:
    """Return which models belong to each kind, by their place in the arrays."""
    names = list(result.compared)
    kinds = {
        "mixtures, Xavier gate": [k for k, name in enumerate(names) if name.endswith("Xavier")],
        "mixtures, K-hot gate": [k for k, name in enumerate(names) if name.endswith("K-hot")],
        "top-k bottleneck": [k for k, name in enumerate(names) if "bottleneck" in name],
    }
    return {"dense": list(range(len(names), len(result.loss))), **kinds}


def _shown_densities(result: Result) -> list[int]:
    """Return three densities to show: a rare one, a middle one, a common one."""
    wanted = [0.01, 0.03, 0.1] if len(result.p) > 3 else sorted(result.p)
    return [int(np.argmin(np.abs(np.log(result.p / p)))) for p in wanted]
