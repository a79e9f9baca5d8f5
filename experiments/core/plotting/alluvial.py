"""The alluvial diagram: how what is together at one stage is divided at the next."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray

from experiments.core.plotting.artists import AREA
from experiments.core.plotting.roles import decoration, represents

Array = NDArray[np.float64]

BAR = 0.05
"""Half the width of a node, as a share of the distance between stages."""


def alluvial(
    ax: Axes,
    flows: Sequence[ArrayLike],
    stages: Sequence[str],
    colours: Sequence[Sequence[str]],
    *,
    names: Sequence[Sequence[str]] | None = None,
    least: float = 0.0,
    gap: float = 0.01,
) -> None:
    """Draw nodes as bars at each stage and flows as ribbons between them, in the colour of the node they leave.

    `flows[s]` (node, next node) are amounts from stage s to s + 1; a node is as tall as what flows through it.
    `colours[s]` has one colour per node, `stages` one name per stage, `names[s]` names for the data table (numbers
    from 0 by default). Nodes are stacked in the order given, see `untangled`; flows below `least` of the total are
    drawn as nothing but stay in the table. `gap` separates nodes, as a share of the total.
    """
    amounts = [np.asarray(flow, dtype=np.float64) for flow in flows]
    total = max(float(amount.sum()) for amount in amounts)
    heights = [_heights(amounts, stage) for stage in range(len(stages))]
    floors = [_floors(height, gap * total) for height in heights]
    labels = names or [[str(node) for node in range(len(height))] for height in heights]
    for stage, amount in enumerate(amounts):
        _ribbons(ax, stage, amount, floors, colours[stage], least * total)
        left, right = np.nonzero(amount)
        columns = {
            "stage": np.full(left.size, stages[stage]),
            "from": np.array(labels[stage])[left],
            "to": np.array(labels[stage + 1])[right],
            "amount": amount[left, right],
        }
        represents(ax.collections[-1], columns)
    for stage, (height, floor, tones) in enumerate(zip(heights, floors, colours, strict=True)):
        for size, base, tone in zip(height, floor, tones, strict=True):
            decoration(ax.add_patch(Rectangle((stage - BAR, base), 2 * BAR, size, color=tone, linewidth=0, zorder=3)))
    top = max(float(floor[-1] + height[-1]) for floor, height in zip(floors, heights, strict=True))
    ax.set(xlim=(-2 * BAR, len(stages) - 1 + 2 * BAR), ylim=(-0.01 * top, 1.01 * top), yticks=[])
    ax.set_xticks(range(len(stages)), list(stages))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def untangled(flows: Sequence[ArrayLike], first: ArrayLike) -> list[NDArray[np.int64]]:
    """Return an order of nodes per stage that keeps ribbons from crossing: each node where most of it comes from.

    `first` orders the nodes of the first stage; those of a later one are sorted by the mean position, weighted by
    amount, of what flows into them.
    """
    orders = [np.asarray(first, dtype=np.int64)]
    for flow in flows:
        amount = np.asarray(flow, dtype=np.float64)[orders[-1]]
        height = amount.sum(1)
        middle = np.cumsum(height) - height / 2
        inflow = amount.sum(0)
        place = np.where(inflow > 0, middle @ amount / np.maximum(inflow, 1e-300), np.inf)
        orders.append(np.argsort(place, kind="stable"))
    return orders


def _heights(amounts: Sequence[Array], stage: int) -> Array:
    """Return how tall the nodes of a stage are: the larger of what flows in and what flows out."""
    into = amounts[stage - 1].sum(0) if stage > 0 else 0.0
    out = amounts[stage].sum(1) if stage < len(amounts) else 0.0
    return np.asarray(np.maximum(into, out))


def _floors(heights: Array, gap: float) -> Array:
    """Return where the nodes of a stage start; nodes of no height take no gap."""
    step = np.where(heights > 0, heights + gap, 0.0)
    return np.asarray(np.cumsum(step) - step)


def _ribbons(ax: Axes, stage: int, amount: Array, floors: list[Array], tones: Sequence[str], least: float) -> None:
    start = floors[stage][:, None] + np.cumsum(amount, axis=1) - amount
    end = floors[stage + 1][None, :] + np.cumsum(amount, axis=0) - amount
    drawn = np.argwhere(amount > least)
    patches = [_ribbon(stage, start[i, j], end[i, j], amount[i, j]) for i, j in drawn]
    faces = [tones[i] for i, _ in drawn]
    ax.add_collection(PatchCollection(patches, facecolors=faces, alpha=AREA / 2, linewidths=0, zorder=2))


def _ribbon(stage: int, left: float, right: float, size: float) -> PathPatch:
    """Return a band of constant height that leaves and arrives level."""
    x0, x1 = stage + BAR, stage + 1 - BAR
    middle = (x0 + x1) / 2
    corners = [
        (x0, left), (middle, left), (middle, right), (x1, right),
        (x1, right + size), (middle, right + size), (middle, left + size), (x0, left + size), (x0, left),
    ]  # fmt: skip
    curve = [Path.CURVE4] * 3
    return PathPatch(Path(corners, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]))
