"""Drawings of what autoencoders recover from superposition models: features found, and interference left."""

from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.read_outs import READ_OUTS
from experiments.core import plotting
from experiments.core.autoencoders.specification import VARIANTS
from experiments.core.quantities import mean

Array = NDArray[np.float64]


class Recovered(Protocol):
    """Scores by density: kinds as in `KINDS`, read-outs as in `READ_OUTS`."""

    @property
    def densities(self) -> Array: ...  # (density,)

    @property
    def found(self) -> Array: ...  # (density, kind, seed)

    @property
    def f1(self) -> Array: ...  # (density, kind, seed)

    @property
    def own_f1(self) -> Array: ...  # (density, seed)

    @property
    def interference(self) -> Array: ...  # (density, read-out, seed)


def density_figure(result: Recovered) -> Figure:
    """Draw shares of features found and F1 of the nearest latents, by density."""
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.5)
    for ax, scores in zip(axes, (result.found, result.f1), strict=True):
        for k, variant in enumerate(VARIANTS):
            label = plotting.VARIANT_NAMES[variant]
            band = plotting.seed_band(ax, result.densities, scores[:, k], label=label, index=k, within=(0, 1))
            plotting.marked(band, k)
        frozen = scores[:, len(VARIANTS)].mean(axis=1)
        ax.plot(result.densities, frozen, color=plotting.colour("null"), linestyle=":", label="frozen decoder")
        plotting.density_axis(ax, ticks=tuple(result.densities))
        ax.set(ylim=(-0.03, 1.03))
    own = result.own_f1.mean(axis=1)
    axes[1].plot(result.densities, own, color=plotting.colour("ink"), linestyle="--", label="model's own read-out")
    axes[0].set_ylabel("share of features found")
    axes[1].set_ylabel("F1 of the nearest latent")
    plotting.legend(axes[1], figure=figure, columns=4)
    plotting.panel_letters(axes)
    return figure


def _models(ax: Axes, x: Array, values: Array, index: int, label: str) -> None:
    """Draw means over seeds as a line and every seed as a dot: on a logarithmic axis an interval of few is no help."""
    tone = plotting.series(index)
    ax.plot(x, values.mean(axis=1), "--" if "code" in label else "-", color=tone, label=label)
    ax.scatter(np.repeat(x, values.shape[1]), values.ravel(), s=9, color=tone, alpha=0.6, linewidths=0)


SHOWN = {
    "linear": "best linear probe",
    "own": "model's own read-out",
    "gated": "Gated latent",
    "topk": "TopK latent",
    "learned code": "sparse code, TopK dictionary",
    "true code": "sparse code, true dictionary",
}


def interference_figure(result: Recovered, here: int) -> Figure:
    """Draw the interference left, by density, and that of every read-out at density number `here`."""
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.7, width_ratios=(1.15, 1))
    for index, (name, label) in enumerate(SHOWN.items()):
        _models(left, result.densities, result.interference[:, READ_OUTS.index(name)], index, label)
    plotting.density_axis(left, ticks=tuple(result.densities))
    left.set(ylabel="interference left, 1 − R²", yscale="log", ylim=(5e-5, 1.2))
    names = ["linear", "frozen", "own", *VARIANTS, "learned code", "true code"]
    labels = {**plotting.VARIANT_NAMES, "linear": "linear probe", "own": "own read-out"}
    labels |= {"learned code": "code, TopK", "true code": "code, true"}
    values = [mean(result.interference[here, READ_OUTS.index(name)], within=(0, 1)) for name in names]
    places = np.arange(len(names))[::-1]
    plotting.points(right, places, values, horizontal=True)
    right.set_yticks(places, [labels.get(name, name) for name in names])
    right.set(xlabel="interference left, 1 − R²", xlim=(-0.02, 1))
    plotting.legend(left, figure=figure, columns=3)
    plotting.panel_letters((left, right))
    return figure
