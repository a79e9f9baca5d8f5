"""The paper's picture of neurons: the weights of each, stacked."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.computation.shared.neurons import MONOSEMANTIC, effective_features, primary_feature
from experiments.core import plotting

Array = NDArray[np.float64]

SEGMENTS = 5
"""So many weights of a neuron have a segment of their own; the rest are one."""


def draw_stacks(stacks: Array, titles: Sequence[str], *, columns: int = 1) -> Figure:
    """Return a panel of stacked bars for every matrix of `stacks` (panel, hidden, feature): sizes of rescaled W."""
    rows = -(-len(stacks) // columns)
    figure, axes = plotting.new_figure(
        rows, columns, width="wide", height=min(0.6 + 1.15 * rows, 9.5), sharex=True, squeeze=False
    )
    for ax, stack, title in zip(axes.ravel(), stacks, titles, strict=True):
        stack_bars(ax, stack)
        ax.set_title(title)
    for ax in axes[-1]:
        ax.set_xlabel("neuron, by the importance of its largest feature")
    figure.supylabel("sizes of a neuron's weights $|W|$, stacked")
    rest = axes[0, 0].bar([0.0], [0.0], color=plotting.colour("null"), alpha=0.45, label="smaller weights")
    plotting.decoration(rest[0])
    plotting.legend(axes[0, 0], figure=figure)
    return figure


def stack_bars(ax: Axes, sizes: Array) -> None:
    """Draw one bar per neuron of `sizes` (hidden, feature), the largest weights at the bottom."""
    first = primary_feature(sizes)
    order = np.lexsort((-sizes.max(1), first))
    ranked = -np.sort(-sizes[order], axis=1)
    shown = np.concatenate([ranked[:, :SEGMENTS], ranked[:, SEGMENTS:].sum(1, keepdims=True)], axis=1)
    few = effective_features(sizes[order]) < MONOSEMANTIC
    for kind, index, label in ((few, 0, "one feature"), (~few, 1, "several features")):
        floor = np.zeros(int(kind.sum()))
        for level, part in enumerate(shown[kind].T):
            rest = level == SEGMENTS
            tone = plotting.colour("null") if rest else plotting.series(index)
            ax.bar(
                np.flatnonzero(kind),
                part,
                bottom=floor,
                width=0.85,
                color=tone,
                alpha=0.45 if rest else 0.9,
                edgecolor=plotting.colour("background"),
                linewidth=0.4,
            )
            floor = floor + part
        key = ax.bar([0.0], [0.0], color=plotting.series(index), alpha=0.9, label=label)
        plotting.decoration(key[0])
    ax.set_xlim(-0.7, len(sizes) - 0.3)
    ax.set_xticks([])
