"""Drawings of how a concept divides among latents: where its events go from width to width, and what they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.split_information import NOBODY
from experiments.language_model.shared.over_networks import per_network
from experiments.language_model.shared.splits import best_climb
from experiments.language_model.shared.width_figures import width_axis

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]


def information_figure(ratios: Array, widths: Sequence[Any]) -> Figure:
    """Draw split information and effective latents over width; `widths` hold both, and the random network's."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    curves = {
        "trained, all": "information", "trained, beyond the token": "excess",
        "random, all": "random_information", "random, beyond the token": "random_excess",
    }  # fmt: skip
    for index, drawn in enumerate(plotting.field_points(left, ratios, widths, curves)):
        plotting.marked(drawn, index)
    plotting.field_points(right, ratios, widths, {"": "effective"})
    for ax in (left, right):
        width_axis(ax, ratios)
    plotting.percent_axis(left)
    left.set_ylabel("split information")
    right.set_ylabel("effective latents per concept")
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


def concepts_figure(ratios: Array, concepts: tuple[str, ...], effective: Array) -> Figure:
    """Draw the latents that share each concept, `effective` (width, network, dictionary, concept), mean over those of
    each network and then over networks."""
    figure, ax = plotting.new_figure(width="text", height=3.4)
    for k, name in enumerate(concepts):
        (line,) = ax.plot(
            ratios,
            np.nanmean(per_network(effective[..., k], axis=2), axis=1),
            color=plotting.series(k % 6),
            linestyle="-" if k < 6 else "--",
            markersize=4.5,
            label=name,
        )
        plotting.marked(line, k)
        if k >= 6:
            line.set_markerfacecolor(plotting.colour("background"))
    width_axis(ax, ratios)
    ax.set(ylabel="effective latents", ylim=(0, None))
    plotting.legend(ax, columns=4)
    return figure


def climb_figure(
    ratios: Array, concepts: tuple[str, ...], counted: Array, information: Array, excess: Array, climbs: Flags
) -> Figure:
    """Draw the ladder that climbs best, and how many ladders every concept climbs.

    `counted`, `information` and `excess` are (width, ladder, concept); `climbs` (ladder, concept). Among those that
    climb, the one with the largest excess at the last width is shown; where none does, the left panels say so.
    """
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.2)
    if climbs.any():
        ladder, concept = best_climb(excess[-1], climbs)
        _climb(left, ratios, counted[:, :, concept], ladder)
        _above_null(middle, ratios, information[:, ladder, concept], excess[:, ladder, concept])
    for ax in (left, middle):
        if climbs.any():
            ax.set_title(concepts[concept])
            plotting.legend(ax)
        else:
            ax.text(0.5, 0.5, "no ladder climbs", ha="center", transform=ax.transAxes)
        width_axis(ax, ratios[1::2])  # a narrow panel has no room for more
        ax.set_ylim(0, None)
    rows = np.arange(len(concepts), dtype=float)[::-1]
    right.barh(rows, climbs.sum(0), height=0.6, color=plotting.series(2))
    right.set(yticks=rows, yticklabels=concepts, xlabel=f"of {len(climbs)} ladders", xlim=(0, len(climbs)))
    left.set_ylabel("latents that carry a twentieth")
    middle.set_ylabel("split information")
    plotting.percent_axis(middle)
    plotting.panel_letters((left, middle, right))
    return figure


def _climb(ax: Axes, ratios: Array, counted: Array, ladder: int) -> None:
    for k in np.delete(np.arange(counted.shape[1]), ladder):
        label = "other ladders" if k == (ladder == 0) else ""
        ax.plot(ratios, counted[:, k], color=plotting.colour("null"), linewidth=0.8, alpha=0.6, label=label)
    (line,) = ax.plot(ratios, counted[:, ladder], color=plotting.series(0), label="this ladder")
    plotting.marked(line, 0)


def _above_null(ax: Axes, ratios: Array, information: Array, excess: Array) -> None:
    for k, (name, values) in enumerate({"as found": information, "contexts exchanged": information - excess}.items()):
        (line,) = ax.plot(ratios, values, color=plotting.series(k), label=name)
        plotting.marked(line, k)


def descent_figure(ratios: Array, carrier: Ids, leaf: Ids, leaves: tuple[str, ...]) -> Figure:
    """Draw the events of one concept as they pass between latents, from width to width.

    `carrier` (width, event) is the latent that carries each event and `leaf` (event,) its context, one of `leaves`.
    """
    figure, ax = plotting.new_figure(width="wide", height=4.2)
    flows, colours = [], []
    nodes = [np.unique(row) for row in carrier]
    rows = [np.searchsorted(names, row) for names, row in zip(nodes, carrier, strict=True)]
    for small, large, a, b in zip(nodes, nodes[1:], rows, rows[1:], strict=False):
        flows.append(np.bincount(a * len(large) + b, minlength=len(small) * len(large)).reshape(len(small), -1))
    first = np.argsort(-flows[0].sum(1), kind="stable")
    orders = plotting.untangled(flows, first)
    flows = [flow[np.ix_(a, b)] for flow, a, b in zip(flows, orders, orders[1:], strict=False)]
    for latents, row, order in zip(nodes, rows, orders, strict=True):
        table = np.bincount(row * len(leaves) + leaf, minlength=len(latents) * len(leaves))
        home = table.reshape(len(latents), -1).argmax(1)
        tones = [plotting.colour("null") if latent == NOBODY else leaf_colour(int(h))
                 for latent, h in zip(latents, home, strict=True)]  # fmt: skip
        colours.append([tones[k] for k in order])
    stages = [f"{ratio:g}×" for ratio in ratios]
    plotting.alluvial(ax, flows, stages, colours, least=0.002)
    for k, name in enumerate(leaves):
        plotting.decoration(ax.plot([], [], color=leaf_colour(k), linewidth=6, label=name)[0])
    plotting.decoration(ax.plot([], [], color=plotting.colour("null"), linewidth=6, label="nobody")[0])
    plotting.legend(ax, figure=figure)
    ax.set_xlabel("latents per neuron")
    return figure


def leaf_colour(leaf: int) -> str:
    """Return the colour of a context; orange and olive go to two that are not neighbours (base64 and strings)."""
    return plotting.series((2, 0, 4, 3, 1, 5)[leaf % 6])


def examples_figure(
    latents: Ids, leaves: tuple[str, ...], bars: Ids, snippets: tuple[str, ...], concept: str
) -> Figure:
    """Draw the contexts of each latent's events, `bars` (latent, leaf), over a piece of text, one of `snippets`."""
    count = max(len(latents), 1)
    figure, ax = plotting.new_figure(width="wide", height=0.62 * count + 1.0)
    rows = np.arange(len(latents))[::-1].astype(float)
    floor = np.zeros(len(latents))
    for k, leaf in enumerate(leaves):
        part = bars[:, k] / np.maximum(bars.sum(1), 1)
        ax.barh(rows, part, left=floor, height=0.42, color=leaf_colour(k), label=leaf)
        floor = floor + part
    for row, text in zip(rows, snippets, strict=True):
        ax.text(0.0, row - 0.26, text, va="top", family=plotting.VERBATIM, fontsize=7.5, parse_math=False)
    ax.set(yticks=rows, yticklabels=[f"latent {name}" for name in latents], xlim=(0, 1), ylim=(-0.7, count - 0.5))
    plotting.percent_axis(ax, x=True)
    if not len(latents):
        ax.barh([0.0], [0.0], height=0.42, color=leaf_colour(0))  # no latents is what there is to show
        ax.text(0.5, 0.5, "no ladder climbs", ha="center", transform=ax.transAxes)
        return figure
    ax.set_xlabel(f"share of the latent's tokens ({concept})")
    plotting.legend(ax, figure=figure)
    return figure
