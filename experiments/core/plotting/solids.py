"""Solids drawn flat: a wire frame in parallel projection, nearer parts stronger, without any 3-D axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from numpy.typing import ArrayLike, NDArray

from experiments.core.plotting.roles import decoration, represents
from experiments.core.plotting.style import colour

Array = NDArray[np.float64]

OBLIQUE = (25.0, 18.0)
"""View from a little to the side and above, (yaw, pitch) in degrees."""

FROM_ABOVE = (0.0, 90.0)
"""View along the axis."""

BACK = 0.22
"""Opacity of what is furthest away."""


def wire_frame(
    ax: Axes,
    W: ArrayLike,
    edges: Sequence[tuple[int, int]],
    *,
    view: tuple[float, float] = OBLIQUE,
    tone: str,
    tones: Sequence[str] | None = None,
    limit: float = 1.3,
) -> None:
    """Draw the columns of `W` (3, count) as dots, `edges` between them, and thin lines to the origin.

    `tone` is the colour of the edges, `tones` those of the dots if they differ. Panels that are compared share `limit`.
    """
    columns = np.asarray(W, dtype=float)
    x, y, depth = _turn(view) @ columns
    nearness = (depth + limit) / (2 * limit)
    spokes = LineCollection(
        [[(0, 0), (x[k], y[k])] for k in range(len(x))], colors=colour("faint"), linewidths=0.8, zorder=1
    )
    pairs = np.array(edges, dtype=int).reshape(-1, 2)
    near = nearness[pairs].mean(1)
    order = np.argsort(near)
    lines = LineCollection(
        [[(x[a], y[a]), (x[b], y[b])] for a, b in pairs[order]],
        colors=[to_rgba(tone, _strength(n)) for n in near[order]],
        linewidths=0.9 + 1.1 * near[order],
        zorder=2,
    )
    for collection in (spokes, lines):
        ax.add_collection(collection)
        decoration(collection)
    dots = np.argsort(depth)
    colours = np.array(list(tones) if tones is not None else [tone] * len(x))
    marks = ax.scatter(x[dots], y[dots], s=14 + 26 * nearness[dots], c=colours[dots], linewidths=0.8, zorder=3)
    marks.set_edgecolor(colour("background"))
    at = columns[:, dots]
    represents(marks, {"vertex": dots, "W_1": at[0], "W_2": at[1], "W_3": at[2], "norm": np.linalg.norm(at, axis=0)})
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _strength(nearness: float) -> float:
    return float(BACK + (1 - BACK) * np.clip(1.6 * nearness - 0.3, 0, 1))


def _turn(view: tuple[float, float]) -> Array:
    """Return the rotation (3, 3) to screen coordinates: right, up, towards the eye; the axis is up at pitch 0."""
    yaw, pitch = np.radians(view)
    spin = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    stand = np.array([[1, 0, 0], [0, np.sin(pitch), np.cos(pitch)], [0, -np.cos(pitch), np.sin(pitch)]])
    return np.asarray(stand @ spin)
