"""Panels over density that show all seeds of models of falling importance: counts, losses, shares, features."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from experiments.basic_results.shared.importance_figures import over_density
from experiments.core import plotting

Array = NDArray[np.float64]

OverDensity = Mapping[str, tuple[Array, Array]]
"""By label, densities (density,) and values (density, seed)."""

TICKS = (0.001, 0.01, 0.1, 1)


def draw_live(ax: Axes, counts: OverDensity) -> None:
    """Draw how many features are represented."""
    for index, (label, (density, values)) in enumerate(counts.items()):
        over_density(ax, density, values, label=label, index=index)
    plotting.density_axis(ax, ticks=TICKS)
    ax.set(ylabel="features represented", ylim=(0, 20), yticks=range(0, 21, 5), title="represented")
    plotting.legend(ax)


def draw_loss(ax: Axes, losses: OverDensity, least: float) -> None:
    """Draw losses relative to answering the mean, and the `least` of a linear model."""
    for index, (label, (density, values)) in enumerate(losses.items()):
        over_density(ax, density, values, label=label, index=index)
    plotting.theory_level(ax, least, label="least linear loss")
    plotting.density_axis(ax, ticks=TICKS)
    ax.set(ylabel="loss / loss of the mean", yscale="log", title="loss")
    ax.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
    ax.yaxis.set_minor_formatter(NullFormatter())
    plotting.legend(ax)


def draw_shares(ax: Axes, density: Array, shared: Array, negative: Array, strongly: Array) -> None:
    """Draw shares (density, seed) of represented features: in superposition, with negative biases, clearly so."""
    over_density(ax, density, shared, label="in superposition")
    over_density(ax, density, negative, label="bias < 0", index=2)
    over_density(ax, density, strongly, label="bias < −0.05", index=3)
    plotting.density_axis(ax, ticks=TICKS)
    plotting.percent_axis(ax)
    ax.set(ylabel="share of represented features", ylim=(-0.03, 1.03), title="how")
    plotting.legend(ax)


def draw_live_share(ax: Axes, density: Array, share: Array) -> None:
    """Draw the share of seeds that represent each feature, (density, feature)."""
    plotting.density_axis(ax, ticks=TICKS)
    mesh = plotting.heat(ax, density, np.arange(1, share.shape[1] + 1), share.T, colourbar=False)
    mesh.set_rasterized(True)
    plotting.colour_scale(mesh, ax, label="share of seeds")
    ax.set(ylabel="feature, by importance", title="which features", ylim=(20.5, 0.5), yticks=[1, 5, 10, 15, 20])
