"""Drawings of feature splitting: where events go from width to width, where latents come from, and what probes need."""

from itertools import pairwise
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from experiments.autoencoders.shared.lineage import LIVE, ORIGINS, count_flow
from experiments.core import plotting
from experiments.core.split_information import NOBODY

LABELS = {"child": "child of a split", "kept": "kept", "merged": "merged", "born": "born"}


class Carried(Protocol):
    """A result with pictured events: the latent that carries each, its cluster, and the cluster of each latent."""

    @property
    def widths(self) -> NDArray[np.int64]: ...  # (width,)

    @property
    def carrier(self) -> NDArray[np.int64]: ...  # (width, event)

    @property
    def cluster(self) -> NDArray[np.int64]: ...  # (event,)

    @property
    def home(self) -> NDArray[np.int64]: ...  # (width, latent), -1 beyond the width


def descent_figure(result: Carried) -> Figure:
    """Draw the pictured events as they pass between latents, from width to width, in the colours of their clusters."""
    figure, ax = plotting.new_figure(width="wide", height=5.0)
    flows = [
        count_flow(small, large, int(a), int(b))
        for (small, large), (a, b) in zip(pairwise(result.carrier), pairwise(result.widths), strict=True)
    ]
    kept = [_shown(result, rung) for rung in range(len(result.widths))]
    flows = [flow[np.ix_(left, right)] for flow, (left, right) in zip(flows, pairwise(kept), strict=True)]
    orders = _layout(flows, kept, result)
    ordered = [flow[np.ix_(a, b)] for flow, (a, b) in zip(flows, pairwise(orders), strict=True)]
    nodes = [rows[order] for rows, order in zip(kept, orders, strict=True)]
    plotting.alluvial(
        ax,
        ordered,
        [f"{width} latents" for width in result.widths],
        [_tones(result, rung, rows) for rung, rows in enumerate(nodes)],
        names=[[_name(result, rung, int(row)) for row in rows] for rung, rows in enumerate(nodes)],
        least=0.002,
        gap=0.008,
    )
    shown = int(result.cluster.max()) + 1
    marks = [Patch(color=plotting.series(k), label=f"cluster {k + 1}") for k in range(shown)]
    marks.append(Patch(color=plotting.colour("muted"), label="nobody, or a latent of another cluster"))
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks))
    return figure


def _shown(result: Carried, rung: int) -> NDArray[np.int64]:
    """Return the nodes of a stage: latents that carry some of the pictured events, and nobody, numbered last."""
    carrier = result.carrier[rung]
    counts = np.bincount(carrier[carrier != NOBODY], minlength=int(result.widths[rung]))
    return np.append(np.flatnonzero(counts >= LIVE * carrier.size), result.widths[rung])


def _layout(flows: list[NDArray[np.int64]], kept: list[NDArray[np.int64]], result: Carried) -> list[NDArray[np.int64]]:
    """Order nodes by where their events come from, the first stage by cluster, nobody and strangers on top."""
    first = np.argsort([_rank(result, 0, int(row)) for row in kept[0]], kind="stable")
    orders = plotting.untangled(flows, first)
    for rung, order in enumerate(orders):
        rank = np.array([_rank(result, rung, int(kept[rung][node])) for node in order])
        orders[rung] = order[np.argsort(rank, kind="stable")]
    return orders


def _rank(result: Carried, rung: int, row: int) -> int:
    """Return the cluster of a node; nodes of no pictured cluster come after all."""
    pictured = int(result.cluster.max()) + 1
    home = int(result.home[rung, row]) if row < result.widths[rung] else pictured
    return min(home, pictured)


def _tones(result: Carried, rung: int, rows: NDArray[np.int64]) -> list[str]:
    ranks = [_rank(result, rung, int(row)) for row in rows]
    return [plotting.series(rank) if rank <= result.cluster.max() else plotting.colour("muted") for rank in ranks]


def _name(result: Carried, rung: int, row: int) -> str:
    return f"latent {row}" if row < result.widths[rung] else "nobody"


def origins_figure(worlds: tuple[str, ...], widths: NDArray[np.int64], origins: NDArray[np.int64]) -> Figure:
    """Draw each width's latents by descent from the next smaller width: `origins` (world, step, seed, kind)."""
    figure, axes = plotting.new_figure(1, len(worlds), width="wide", height=3.2, sharey=True)
    names = [str(width) for width in widths[1:]]
    for k, (ax, world) in enumerate(zip(axes, worlds, strict=True)):
        share = origins[k].mean(1) / widths[1:, None]
        parts = {LABELS[origin]: share[:, kind] for kind, origin in enumerate(ORIGINS)}
        parts["carries nothing"] = 1 - share.sum(1)
        tones = [plotting.series(tone) for tone in range(4)] + [plotting.colour("faint")]
        plotting.stacked_shares(ax, names, parts, colours=tones)
        ax.set_title(world, loc="left")
        ax.tick_params(axis="x", labelrotation=90)
    plotting.percent_axis(axes[0])
    axes[0].set_ylabel("share of latents")
    axes[len(axes) // 2].set_xlabel("latents")
    plotting.legend(axes[0], figure=figure)
    return figure


def draw_probed(ax: Axes, widths: NDArray[np.int64], probed: NDArray[np.int64], effective: NDArray[np.float64]) -> None:
    """Draw effective latents against those that a probe needs, both (width, seed, cluster), spread sideways."""
    for k, width in enumerate(widths):
        spread = np.linspace(-0.3, 0.3, probed[k].size)
        marks = ax.scatter(
            probed[k].ravel() + spread,
            effective[k].ravel(),
            s=9,
            color=plotting.series(k),
            marker="os^Dv"[k % 5],
            linewidths=0,
            label=f"{width} latents",
        )
        plotting.represents(marks, {"probed": probed[k].ravel(), "effective": effective[k].ravel()})
