"""Faces and edges of the solid whose vertices lie in given directions, for drawing it."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import ConvexHull

from experiments.core.metrics import directions

FLAT = 0.05
"""Triangles whose unit normals differ by less than this (about 3 degrees) are parts of one face."""


def faces(columns: ArrayLike) -> tuple[tuple[int, ...], ...]:
    """Return the faces of the convex hull of `columns` (3, count) scaled to unit length, as rings of column numbers.

    Triangles in one plane are joined. Rings run counter-clockwise seen from outside. Raises scipy's `QhullError` if all
    directions lie in one plane.
    """
    points = directions(columns).T
    hull = ConvexHull(points)
    rings, left = [], list(range(len(hull.simplices)))
    while left:
        normal, level = hull.equations[left[0], :3], hull.equations[left[0], 3]
        same = [k for k in left if np.abs(hull.equations[k, :3] - normal).max() < FLAT]
        same = [k for k in same if np.abs(hull.equations[k, 3] - level) < FLAT]
        left = [k for k in left if k not in same]
        rings.append(_ring(np.unique(hull.simplices[same]), points, normal))
    return tuple(sorted(rings))


def edges(rings: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, int], ...]:
    """Return the edges of faces, each once, as rising pairs of column numbers."""
    found = {(min(a, b), max(a, b)) for ring in rings for a, b in pairwise([*ring, ring[0]])}
    return tuple(sorted(found))


def _ring(members: NDArray[np.int64], points: NDArray[np.float64], normal: NDArray[np.float64]) -> tuple[int, ...]:
    """Return the members in order around their centre, from the least number on."""
    centre = points[members].mean(0)
    first = points[members[0]] - centre
    second = np.cross(normal, first)
    offset = points[members] - centre
    around = members[np.argsort(np.arctan2(offset @ second, offset @ first), kind="stable")]
    start = int(around.argmin())
    return tuple(int(k) for k in np.roll(around, -start))
