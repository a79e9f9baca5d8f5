"""The axis of figures over the widths of dictionaries."""

from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from experiments.core import plotting


def width_axis(ax: Axes, ratios: ArrayLike) -> None:
    """Make x the width of a dictionary in latents per neuron of the MLP, with a tick at every width."""
    plotting.doubling_axis(ax, ratios, "latents per neuron")
