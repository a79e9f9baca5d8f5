"""Drawings of six features in three dimensions, the corners of two triangles."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.dynamics.shared.set_stages import SETS

Array = NDArray[Any]

VIEW_YAW, VIEW_PITCH = np.radians(24.0), np.radians(20.0)


def _seen(W: NDArray[np.float32]) -> Array:
    """Return the columns of W (3, feature) as seen in the plane of the picture, (2, feature)."""
    x, y, z = W.astype(np.float64)
    away = np.cos(VIEW_YAW) * y + np.sin(VIEW_YAW) * x
    across = np.cos(VIEW_YAW) * x - np.sin(VIEW_YAW) * y
    return np.stack([across, np.cos(VIEW_PITCH) * z + np.sin(VIEW_PITCH) * away])


def draw_triangles(ax: Axes, W: NDArray[np.float32]) -> None:
    """Draw six columns as arrows seen from one side, the tips of each set joined to a triangle."""
    seen = _seen(W)
    for index, members in enumerate(SETS):
        tone, corners = plotting.series(index), seen[:, list(members)]
        plotting.decoration(ax.fill(*corners, color=tone, alpha=0.18, linewidth=0)[0])
        for x, y in corners.T:
            plotting.decoration(ax.plot([0, x], [0, y], color=tone, linewidth=1.2)[0])
        dots = ax.scatter(corners[0], corners[1], color=tone, s=9, zorder=3)
        names = {f"W_{k + 1}": W[k, list(members)] for k in range(3)}
        plotting.represents(dots, {"feature": np.array(members)} | names)
    ax.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
