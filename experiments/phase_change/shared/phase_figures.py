"""Drawings shared by the two phase diagrams."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import BoundaryNorm, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.metrics import REPRESENTED_NORM
from experiments.core.phases import (
    ABSENT_NORM,
    CONFUSED,
    DEDICATED,
    IGNORED,
    NORMAL_PAIR,
    OTHER,
    PARTIAL,
    SUPERPOSED,
    TRIANGLE,
    TRIPLE_POINT,
    Setting,
    boundary,
    stability_limit,
)
from experiments.phase_change.shared.phase_results import SweepResult

_SHAPES = {SUPERPOSED: "digon", TRIANGLE: "triangle", DEDICATED: "dedicated"}
_SERIES = {IGNORED: 2, NORMAL_PAIR: 4, CONFUSED: 5}

Array = NDArray[np.float64]


def phase_colour(phase: str) -> str:
    """Return the colour of a phase, the same in every figure; "partial" and "other" are grey and faint."""
    if phase in _SHAPES:
        return plotting.shape_colour(_SHAPES[phase])
    if phase in _SERIES:
        return plotting.series(_SERIES[phase])
    return plotting.colour({PARTIAL: "null", OTHER: "faint"}[phase])


def map_axes(ax: Axes, *, bottom: bool = True, left: bool = True, ticks: Sequence[float] = (0.01, 0.1, 1)) -> None:
    """Set up a log-log map, importance of the extra feature across and density up; label the outer edges only."""
    ax.set(xscale="log", yscale="log")
    plain_ticks(ax.xaxis, (0.1, 1, 10))
    plain_ticks(ax.yaxis, ticks)
    if bottom:
        ax.set_xlabel("importance $r$ of the extra feature")
    if left:
        ax.set_ylabel("feature probability $p$")


def plain_ticks(axis: Axis, values: Sequence[float]) -> None:
    """Put ticks of a logarithmic axis at `values`, written as plain numbers."""
    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def phase_map(ax: Axes, setting: Setting, result: SweepResult, labels: NDArray[np.int64]) -> None:
    """Colour every cell of a map (ratio, density) by its phase."""
    colours = ListedColormap([phase_colour(phase) for phase in setting.phases])
    edges = [plotting.cell_edges(axis, log=True) for axis in (result.ratio, result.density)]
    norm = BoundaryNorm(np.arange(len(setting.phases) + 1) - 0.5, len(setting.phases))
    mesh = ax.pcolormesh(*edges, labels.T, cmap=colours, norm=norm, shading="flat", alpha=0.9, linewidth=0)
    mesh.set_rasterized(True)
    r, p = np.meshgrid(result.ratio, result.density, indexing="ij")
    names = np.array(setting.phases)[labels]
    plotting.represents(mesh, {"r": r.ravel(), "p": p.ravel(), "phase": names.ravel()})


def closed_form_lines(ax: Axes, setting: Setting, result: SweepResult, tone: str = "theory") -> None:
    """Draw the closed-form boundaries over a map, wall at r = 1 included, in the colour of role `tone`."""
    r = np.geomspace(result.ratio[0], result.ratio[-1], 201)
    lowest = TRIPLE_POINT[1] if setting.features == 2 else result.density[-1]
    for x, y in ((r, boundary(setting, r)), (np.ones(2), np.array([lowest, 1.0]))):
        plotting.theory_line(ax, x, y, label="").set_color(plotting.colour(tone))


def phase_legend(figure: Figure, setting: Setting, maps: Sequence[NDArray[np.int64]]) -> None:
    """Name the phases that occur in `maps` above the figure."""
    present = [k for k in range(len(setting.phases)) if any((labels == k).any() for labels in maps)]
    handles = [Patch(color=phase_colour(setting.phases[k]), alpha=0.9, label=setting.words[k]) for k in present]
    figure.legend(handles=handles, loc="outside upper left", ncols=4 if setting.features == 3 else 3, alignment="left")


def draw_maps(setting: Setting, result: SweepResult) -> Figure:
    """Draw four maps: closed forms, exact optimum, best of the trained, exact optimum without bias."""
    figure, axes = plotting.new_figure(2, 2, panel="square", height=6.6, sharex=True, sharey=True)
    panels = {
        "ideal solutions, closed form": result.predicted,
        "exact optimum, norm and bias free": result.optimum,
        "training, best of each cell": result.best,
        "exact optimum without bias": result.optimum_without_bias,
    }
    for number, (ax, (title, labels)) in enumerate(zip(axes.flat, panels.items(), strict=True)):
        map_axes(ax, bottom=number > 1, left=number % 2 == 0)
        phase_map(ax, setting, result, labels)
        closed_form_lines(ax, setting, result)
        ax.set_title(title)
    plotting.panel_letters(axes)
    phase_legend(figure, setting, list(panels.values()))
    return figure


def draw_norms(setting: Setting, result: SweepResult) -> Figure:
    """Draw the extra feature's norm: averaged as in the paper, and in the best model of each cell."""
    figure, axes = plotting.new_figure(1, 2, panel="square", sharey=True)
    norm = Normalize(0.0, max(1.1, float(result.extra_norm.max()), float(result.extra_norm_paper.max())))
    for ax, values, title in (
        (axes[0], result.extra_norm_paper, "mean without the worst"),
        (axes[1], result.extra_norm, "best of each cell"),
    ):
        map_axes(ax, left=ax is axes[0])
        mesh = plotting.heat(ax, result.ratio, result.density, values.T, norm=norm, colourbar=False)
        mesh.set_rasterized(True)
        closed_form_lines(ax, setting, result, tone="contrast")
        ax.set_title(title)
    plotting.colour_scale(mesh, axes, label=rf"$\Vert W_{setting.features}\Vert$ of the extra feature")
    plotting.panel_letters(axes)
    return figure


def draw_shares(setting: Setting, result: SweepResult) -> Figure:
    """Draw the share of all models of a cell in each phase, one panel per phase that occurs."""
    shown = [k for k in range(len(setting.phases)) if result.shares[..., k].any()]
    columns = 3 if len(shown) <= 6 else 4
    rows = -(-len(shown) // columns)
    figure, axes = plotting.new_figure(rows, columns, width="wide", panel="square", sharex=True, sharey=True)
    for number, ax in enumerate(axes.flat):
        if number >= len(shown):
            ax.set_visible(False)
            continue
        map_axes(ax, bottom=number + columns >= len(shown), left=number % columns == 0)
        ax.set_xlabel(ax.get_xlabel() and "importance $r$")
        if number + columns >= len(shown):
            ax.tick_params(labelbottom=True)
        values = 100 * result.shares[..., shown[number]]
        mesh = plotting.heat(ax, result.ratio, result.density, values.T, norm=Normalize(0, 100), colourbar=False)
        mesh.set_rasterized(True)
        closed_form_lines(ax, setting, result, tone="contrast")
        ax.set_title(setting.words[shown[number]])
    plotting.colour_scale(mesh, axes, label="share of a cell's models (%)")
    return figure


def draw_line(setting: Setting, result: SweepResult) -> Figure:
    """Draw norm and loss of every model of the line, with the exact minima and the closed forms."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.7)
    p, alone = result.line_density, result.line_ignored
    _branches(left, result, result.superposed_norm, np.zeros(p.size))
    _branches(right, result, result.superposed_loss / alone, np.ones(p.size))
    plotting.theory_line(right, p, result.line_pair / alone, label="closed form")
    _every_model(left, p, result.line_norm)
    _every_model(right, p, result.line_loss / alone[:, None])
    for ax in (left, right):
        plotting.theory_level(ax, result.numbers.line_boundary_theory.value, vertical=True, label="")
        plotting.density_axis(ax)
    left.set(ylabel=rf"$\Vert W_{setting.features}\Vert$ of the extra feature", ylim=(-0.05, 1.2))
    right.set(ylabel="loss / loss of ignoring the feature", ylim=(0, 1.5))
    plotting.panel_letters((left, right))
    plotting.legend(right, figure=figure)
    return figure


def _branches(ax: Axes, result: SweepResult, shared: Array, ignored: Array) -> None:
    """Draw both solutions where they are minima, and dotted where the ignored one has become a saddle."""
    p, tone = result.line_density, phase_colour(IGNORED)
    pair, stable = result.superposed_norm > REPRESENTED_NORM, result.ignored_norm < ABSENT_NORM
    ax.plot(p[pair], shared[pair], color=phase_colour(SUPERPOSED), lw=1.6, label="minimum: superposed", zorder=3)
    ax.plot(p[stable], ignored[stable], color=tone, lw=1.6, label="minimum: ignored", zorder=3)
    ax.plot(p[~stable], ignored[~stable], color=tone, lw=1.2, linestyle=":", label="ignored: a saddle", zorder=3)


def _every_model(ax: Axes, density: Array, values: Array) -> None:
    """Draw each model as a faint point, spread a little sideways within its density's share of the axis."""
    step = np.log(density[0] / density[1])
    offset = 0.6 * step * (np.arange(values.shape[1]) * 0.6180339887498949 % 1.0 - 0.5)
    at = density[:, None] * np.exp(offset)
    marks = ax.scatter(
        at, values, s=5, color=plotting.colour("ink"), alpha=0.35, lw=0, label="trained models", zorder=2
    )
    marks.set_rasterized(True)
    plotting.represents(marks, {"p": np.repeat(density, values.shape[1]), "value": values.ravel()})


def draw_boundaries(setting: Setting, result: SweepResult) -> Figure:
    """Draw the boundary by closed form, exactly and by training, and the exact optimum on both sides of it."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.7)
    map_axes(left, ticks=(0.1, 0.2, 0.5, 1))
    r = np.geomspace(result.ratio[0], result.ratio[-1], 201)
    plotting.theory_line(left, r, boundary(setting, r), label="closed form")
    left.plot(result.ratio, result.exact_boundary, color=plotting.series(1), label="exact optimum")
    left.plot(result.ratio, result.trained_boundary, "o", color=plotting.series(0), label="trained")
    if setting.features == 2:
        p = np.geomspace(0.05, 1.0, 201)
        left.plot(stability_limit(p), p, color=plotting.series(3), ls=":", label="stability limit")
        left.plot(1 / stability_limit(p), p, color=plotting.series(3), ls=":")
    left.set(xlim=(result.ratio[0] / 1.1, result.ratio[-1] * 1.1), ylim=(0.09, 1.1))
    right.plot(result.ratio, result.sparse_norm, "o-", ms=3, color=phase_colour(SUPERPOSED), label="just below")
    right.plot(result.ratio, result.dense_norm, "o-", ms=3, color=phase_colour(IGNORED), label="just above")
    right.set(xscale="log", xlabel="importance $r$ of the extra feature", ylim=(-0.05, 1))
    right.set_ylabel("shortest column of the optimum")
    plain_ticks(right.xaxis, (0.1, 1, 10))
    plotting.panel_letters((left, right))
    plotting.legend(left, columns=2)
    plotting.legend(right)
    return figure
