"""Drawings of the offset test, shared by vectors trained here, of this project, and given in a file."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.linear_representation.shared.analogies import METHODS
from experiments.linear_representation.shared.analogy_results import OffsetResult, Scores

LABELS = {
    "offset": "offset b − a + c",
    "neighbour": "nearest to c",
    "random": "random offset",
    "shuffled": "shuffled partners",
}


def families_figure(result: OffsetResult) -> Figure:
    """Draw, per family and embedding, the share of questions right by each method, own words barred."""
    figure, axes = _panels(result)
    for ax, name, families in zip(axes, result.embeddings, result.by_family, strict=True):
        for m in range(len(METHODS)):
            _row_points(ax, families, m)
        ax.set(title=name, xlim=(-0.03, 1.03))
        plotting.percent_axis(ax, x=True)
        ax.set_xlabel("questions right")
    plotting.legend(axes[0], figure=figure)
    return figure


def parallel_figure(result: OffsetResult) -> Figure:
    """Draw, per family and embedding, how parallel offsets are with true and with exchanged partners."""
    figure, axes = _panels(result)
    for ax, name in zip(axes, result.embeddings, strict=True):
        _parallel(ax, result, name, "parallel", -0.15, 0, "true partners")
        _parallel(ax, result, name, "parallel_shuffled", 0.15, 3, "exchanged partners")
        plotting.guide(ax, 0.0, vertical=True)
        ax.set(title=name, xlim=(-0.35, 1.0), xlabel="mean cosine with the family's other offsets")
    plotting.legend(axes[0], figure=figure)
    return figure


def _parallel(ax: Axes, result: OffsetResult, name: str, what: str, shift: float, index: int, label: str) -> None:
    """Draw every pair's mean cosine, one row per family, and the family's mean as a bar."""
    cosines = getattr(result, what)[result.embeddings.index(name)]
    ax.scatter(cosines, result.family + shift, s=9, color=plotting.series(index), alpha=0.6, linewidths=0, label=label)
    for row, family in enumerate(result.by_family[result.embeddings.index(name)]):
        mean = getattr(family, what).value
        bar = ax.plot([mean, mean], [row + shift - 0.13, row + shift + 0.13], color=plotting.colour("ink"))
        plotting.decoration(bar[0])


def answers_figure(result: OffsetResult) -> Figure:
    """Draw what the nearest word to b - a + c is: the fourth word, one of the question's own, or another."""
    figure, ax = plotting.new_figure(height=0.55 * len(result.embeddings) + 1.4)
    for e, scores in enumerate(result.overall):
        right, echoed = scores.included.value, scores.echoed.value
        start = 0.0
        for share, label, tone in (
            (right, "the fourth word", plotting.series(0)),
            (echoed, "a word of the question", plotting.series(1)),
            (1 - right - echoed, "another word", plotting.colour("faint")),
        ):
            ax.barh(e, share, left=start, height=0.55, color=tone, label=label if e == 0 else None)
            start += share
    ax.set_yticks(range(len(result.embeddings)), list(result.embeddings))
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="nearest word to b − a + c, nothing barred")
    plotting.percent_axis(ax, x=True)
    plotting.legend(ax, figure=figure)
    return figure


QUESTION = ("king", "man", "woman")


def queen_figure(nearest: tuple[str, ...], cosines: NDArray[np.float64]) -> Figure:
    """Draw the cosines of the words `nearest` to king - man + woman; say so where a word of the question lacks."""
    figure, ax = plotting.new_figure(height=0.26 * max(2, len(nearest)) + 1.4)
    words = [plotting.verbatim(word) for word in nearest]
    labelled: set[str] = set()
    kinds = dict.fromkeys(QUESTION, "of the question") | {"queen": "queen"}
    for row, (word, cosine) in enumerate(zip(words, cosines, strict=True)):
        name = kinds.get(word.lower(), "another word")
        tone = {"queen": "accent", "of the question": "contrast", "another word": "null"}[name]
        label = name if name not in labelled else None
        hatch = "///" if name == "of the question" else None
        ax.barh(row, cosine, height=0.7, color=plotting.colour(tone), hatch=hatch, label=label)
        labelled.add(name)
    if not words:
        lacking = f"The file lacks a vector for one of {', '.join((*QUESTION, 'queen'))}."
        ax.text(0.5, 0.5, lacking, transform=ax.transAxes, ha="center", va="center")
    ax.set_yticks(range(len(words)), words)
    ax.invert_yaxis()
    ax.set(xlabel="cosine with king − man + woman", xlim=(0, 1))
    if words:
        plotting.legend(ax, figure=figure)
    return figure


def _panels(result: OffsetResult) -> tuple[Figure, list[Axes]]:
    height = 0.42 * len(result.families) + 1.5
    figure, axes = plotting.new_figure(1, len(result.embeddings), width="wide", height=height, sharey=True)
    panels = list(np.atleast_1d(axes))
    names = [f"{family} ({int((result.family == f).sum())})" for f, family in enumerate(result.families)]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].invert_yaxis()
    return figure, panels


def _row_points(ax: Axes, families: tuple[Scores, ...], index: int) -> None:
    """Draw the share of questions right by the method of this number, one row per family."""
    method = METHODS[index]
    rows = np.arange(len(families)) + (index - (len(METHODS) - 1) / 2) * 0.17
    shares = [getattr(each, method) for each in families]
    plotting.points(ax, rows, shares, index=(0, 1, 3, 2)[index], horizontal=True, label=LABELS[method])
