"""Drawings of what only the English vectors are asked: one offset for many words, and more candidate words."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.linear_representation.shared.analogy_results import OffsetResult
from experiments.linear_representation.shared.english_pairs import OPPOSITE
from experiments.linear_representation.shared.one_offset import OneOffset


def ranks_figure(woman: OneOffset) -> Figure:
    """Draw the rank of each male word's female counterpart, with the word that comes first beside it."""
    order = np.argsort(woman.rank, kind="stable")
    figure, ax = plotting.new_figure(height=0.2 * len(order) + 1.2)
    for row, k in enumerate(order):
        right = woman.rank[k] == 1
        tone = plotting.colour("accent" if right else "contrast")
        ax.plot(woman.rank[k], row, "o" if right else "X", color=tone, markersize=5)
        text = woman.first[k] if right else f"{woman.first[k]} ({woman.expected[k]})"
        note = ax.annotate(text, (woman.rank[k], row), (7, 0), textcoords="offset points", va="center", fontsize=8)
        plotting.decoration(note)
    ax.set_yticks(range(len(order)), [woman.words[k] for k in order])
    ax.invert_yaxis()
    ax.set(xscale="log", xlim=(0.8, 10 * max(woman.rank)), xlabel="rank of the female counterpart (1 is right)")
    ax.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    ax.minorticks_off()
    return figure


def candidates_figure(result: OffsetResult, candidates: NDArray[np.int64], right: NDArray[np.float64]) -> Figure:
    """Draw each family's share of questions right, of `right` (size, pair), over the number of candidate words."""
    figure, ax = plotting.new_figure(width="text", height=3.4)
    for f, name in enumerate(result.families):
        shares = right[:, result.family == f].mean(1)
        tone = plotting.colour("null") if name == OPPOSITE else plotting.series(f)
        ax.plot(candidates, shares, f"{'osD^vPX'[f]}-", color=tone, label=name)
    ax.set(xscale="log", ylim=(-0.03, 1.03), xlabel="candidate words", ylabel="questions right")
    ax.set_xticks(candidates, [f"{size:,}" for size in candidates])
    ax.minorticks_off()
    plotting.percent_axis(ax)
    plotting.legend(ax, figure=figure, columns=4)
    return figure
