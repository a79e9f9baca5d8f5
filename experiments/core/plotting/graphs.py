"""Interference graphs: features as points, overlaps between them as lines, connected components side by side."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import Islands, cosines, islands
from experiments.core.plotting.roles import represents
from experiments.core.plotting.style import colour, diverging

Array = NDArray[np.float64]


class Layout(NamedTuple):
    """`places` (feature, 2) of all features, NaN for those not drawn; `extent` (2,) of the whole picture."""

    places: Array
    extent: tuple[float, float]


def interference_graph(ax: Axes, W: ArrayLike, *, edge: float, threshold: float) -> LineCollection:
    """Draw the represented features of `W` (hidden, feature) by components, linked where `|cos|` exceeds `edge`.

    A component is laid out so that angles between directions become distances as well as a plane allows: an
    antipodal pair is a stick, a pentagon a star. Negative overlap is blue, positive orange, stronger is darker.
    """
    columns = np.asarray(W, dtype=np.float64)
    found = islands(columns, edge, threshold)
    layout = component_layout(columns, found)
    overlap = cosines(columns)
    first, second = np.nonzero(np.triu(np.abs(overlap) > edge, k=1) & (found.label >= 0) & (found.label >= 0)[:, None])
    strength = overlap[first, second]
    order = np.argsort(np.abs(strength), kind="stable")
    first, second, strength = first[order], second[order], strength[order]
    lines = LineCollection(
        list(np.stack([layout.places[first], layout.places[second]], axis=1)),
        colors=diverging()((1 + np.sign(strength) * np.abs(strength) ** 0.6) / 2),
        linewidths=0.4 + 1.2 * np.abs(strength),
        zorder=2,
    )
    ax.add_collection(represents(lines, {"feature": first, "other": second, "cosine": strength}))
    live = np.flatnonzero(found.label >= 0)
    marks = ax.scatter(layout.places[live, 0], layout.places[live, 1], s=6, color=colour("ink"), linewidths=0, zorder=3)
    represents(marks, {"feature": live, "component": found.label[live]})
    ax.set(xticks=[], yticks=[], aspect="equal", xlim=(0, layout.extent[0]), ylim=(-layout.extent[1], 0))
    ax.spines[:].set_visible(False)
    return lines


def component_layout(W: Array, found: Islands, across: float = 13.0) -> Layout:
    """Place components in rows from the largest to the smallest, within a picture `across` wide."""
    places = np.full((W.shape[-1], 2), np.nan)
    x, y, row = 0.0, 0.0, 0.0
    for component in np.argsort(-found.size, kind="stable"):
        members = np.flatnonzero(found.label == component)
        radius = 0.75 * max(len(members), 1.5) ** 0.5
        if x > 0 and x + 2 * radius > across:
            x, y, row = 0.0, y - row, 0.0
        places[members] = np.array([x + radius, y - radius]) + 0.72 * radius * spread_out(W[:, members])
        x, row = x + 2 * radius, max(row, 2 * radius)
    return Layout(places, (across, row - y))


def spread_out(columns: Array) -> Array:
    """Return places (feature, 2), at most 1 from the origin, whose distances follow the angles between the columns.

    Classical multidimensional scaling (Torgerson 1952) of the angles; the first places fix reflections.
    """
    count = columns.shape[-1]
    if count == 1:
        return np.zeros((1, 2))
    angles = np.arccos(cosines(columns)) * (1 - np.eye(count))
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centre @ angles**2 @ centre)
    axes = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0.0))
    axes = axes * np.where(axes[np.abs(axes).argmax(0), [0, 1]] < 0, -1.0, 1.0)
    return np.asarray(axes / np.linalg.norm(axes, axis=1).max())
