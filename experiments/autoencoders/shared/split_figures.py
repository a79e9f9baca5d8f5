"""Drawings of feature splitting: where events go from width to width, where latents come from, and what probes need."""

from itertools import pairwise
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from experiments.autoencoders.shared.lineage import LEAST_CARRIED, ORIGINS, count_flow
from experiments.autoencoders.shared.split_numbers import mean_ratio
from experiments.core import plotting
from experiments.core.quantities import mean
from experiments.core.split_information import NOBODY

Array = NDArray[np.float64]

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


class Measured(Protocol):
    """A result with worlds at rising widths; `matched` is as in `measure_matches`, worlds first."""

    @property
    def worlds(self) -> tuple[str, ...]: ...

    @property
    def widths(self) -> NDArray[np.int64]: ...  # (width,)

    @property
    def clusters(self) -> int: ...

    @property
    def information(self) -> Array: ...  # (world, width, seed)

    @property
    def null_low(self) -> Array: ...  # (world, width)

    @property
    def null_high(self) -> Array: ...  # (world, width)

    @property
    def latents(self) -> Array: ...  # (world, width, seed)

    @property
    def ceiling(self) -> Array: ...  # (world, seed)

    @property
    def matched(self) -> NDArray[np.int64]: ...  # (world with leaves, containment, step, seed, 4)

    @property
    def containments(self) -> Array: ...  # (containment,)

    @property
    def probed(self) -> NDArray[np.int64]: ...  # (width, seed, cluster)

    @property
    def effective(self) -> Array: ...  # (width, seed, cluster)


def information_figure(result: Measured) -> Figure:
    """Draw split information and effective latents over width, by world."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.6)
    ratio = result.widths / result.clusters
    for k, name in enumerate(result.worlds):
        tells = [mean(row, within=(0, 1)) for row in result.information[k]]
        plotting.marked(plotting.points(left, ratio, tells, label=name, index=k, line=True), k)
        plotting.marked(plotting.points(right, ratio, [mean(row) for row in result.latents[k]], index=k, line=True), k)
    clustered = result.worlds.index("clustered")
    plotting.null_band(
        left, ratio, result.null_low[clustered], result.null_high[clustered], label="clustered, labels permuted"
    )
    plotting.theory_level(right, float(result.ceiling[clustered].mean()), label="one latent per leaf")
    for ax in (left, right):
        plotting.doubling_axis(ax, ratio, "latents per cluster")
    left.set(ylabel="split information (share of leaf entropy)", ylim=(-0.03, 1.03))
    right.set(ylabel="effective latents per cluster", ylim=(0, None))
    plotting.panel_letters([left, right])
    plotting.legend(left, figure=figure)
    return figure


def checks_figure(result: Measured) -> Figure:
    """Draw split edges against true splits, by the least containment, and probes against carriers."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    one = int(np.flatnonzero(result.widths == result.clusters)[0])
    for k, (world, part, label) in enumerate(
        (
            (0, (1, 0), "true splits found, clustered"),
            (0, (3, 2), "false edges, clustered"),
            (1, (3, 2), "false edges, flat"),
        )
    ):
        counts = result.matched[world, :, one:].sum(1)
        shares = [mean_ratio(counts[row][:, part].T) for row in range(len(result.containments))]
        known = np.array([np.isfinite(quantity.value) for quantity in shares])  # at a small scale there may be no split
        shares = [quantity for quantity, here in zip(shares, known, strict=True) if here]
        plotting.points(left, result.containments[known], shares, label=label, index=k, line=True)
    left.set(xlabel="least containment", ylabel="share", ylim=(-0.03, 1.03))
    plotting.percent_axis(left)
    plotting.legend(left, columns=1)
    draw_probed(right, result.widths[one:], result.probed[one:], result.effective[one:])
    right.set(xlabel="latents that a probe needs (1: no split)", ylabel="effective latents", ylim=(0, None))
    plotting.legend(right, columns=3)
    plotting.panel_letters([left, right])
    return figure


def descent_figure(result: Carried) -> Figure:
    """Draw the pictured events as they pass between latents, from width to width, in the colours of their clusters."""
    figure, ax = plotting.new_figure(width="wide", height=5.0)
    flows = [
        count_flow(small, large, int(a), int(b))
        for (small, large), (a, b) in zip(pairwise(result.carrier), pairwise(result.widths), strict=True)
    ]
    kept = [_shown(result, stage) for stage in range(len(result.widths))]
    flows = [flow[np.ix_(left, right)] for flow, (left, right) in zip(flows, pairwise(kept), strict=True)]
    orders = _layout(flows, kept, result)
    ordered = [flow[np.ix_(a, b)] for flow, (a, b) in zip(flows, pairwise(orders), strict=True)]
    nodes = [rows[order] for rows, order in zip(kept, orders, strict=True)]
    plotting.alluvial(
        ax,
        ordered,
        [f"{width} latents" for width in result.widths],
        [_tones(result, stage, rows) for stage, rows in enumerate(nodes)],
        names=[[_name(result, stage, int(row)) for row in rows] for stage, rows in enumerate(nodes)],
        least=0.002,
        gap=0.008,
    )
    shown = int(result.cluster.max()) + 1
    marks = [Patch(color=plotting.series(k), label=f"cluster {k + 1}") for k in range(shown)]
    marks.append(Patch(color=plotting.colour("muted"), label="nobody, or a latent of another cluster"))
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks))
    return figure


def _shown(result: Carried, stage: int) -> NDArray[np.int64]:
    """Return the nodes of a stage: latents that carry some of the pictured events, and nobody, numbered last."""
    carrier = result.carrier[stage]
    counts = np.bincount(carrier[carrier != NOBODY], minlength=int(result.widths[stage]))
    return np.append(np.flatnonzero(counts >= LEAST_CARRIED * carrier.size), result.widths[stage])


def _layout(flows: list[NDArray[np.int64]], kept: list[NDArray[np.int64]], result: Carried) -> list[NDArray[np.int64]]:
    """Order nodes by where their events come from, the first stage by cluster, nobody and strangers on top."""
    first = np.argsort([_rank(result, 0, int(row)) for row in kept[0]], kind="stable")
    orders = plotting.untangled(flows, first)
    for stage, order in enumerate(orders):
        rank = np.array([_rank(result, stage, int(kept[stage][node])) for node in order])
        orders[stage] = order[np.argsort(rank, kind="stable")]
    return orders


def _rank(result: Carried, stage: int, row: int) -> int:
    """Return the cluster of a node; nodes of no pictured cluster come after all."""
    pictured = int(result.cluster.max()) + 1
    home = int(result.home[stage, row]) if row < result.widths[stage] else pictured
    return min(home, pictured)


def _tones(result: Carried, stage: int, rows: NDArray[np.int64]) -> list[str]:
    ranks = [_rank(result, stage, int(row)) for row in rows]
    return [plotting.series(rank) if rank <= result.cluster.max() else plotting.colour("muted") for rank in ranks]


def _name(result: Carried, stage: int, row: int) -> str:
    return f"latent {row}" if row < result.widths[stage] else "nobody"


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
