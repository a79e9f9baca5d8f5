"""Which regular arrangement the columns of `W` form: represented features, the angles between them, and a name.

An arrangement is known by the angles between its represented columns, sorted: they do not change when the hidden space
is rotated or reflected or the features are renumbered. (Two arrangements can share sorted angles; a test keeps
the named ones apart.) Norms decide which features count, and only that. Works in any number of dimensions; the
named shapes here are those of the plane.

Source of the shapes: Elhage et al. 2022, "The geometry of superposition".
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import REPRESENTED_NORM, cosines, off_diagonal, represented

Array = NDArray[np.float64]

TOLERANCE = 8.0
"""Degrees by which each angle between two represented columns may miss that of the shape."""

OTHER = "other"


@dataclass(frozen=True)
class Shape:
    """A named arrangement: `angles`, in degrees and sorted, between all pairs of its `count` directions."""

    name: str
    count: int
    angles: tuple[float, ...]


def sorted_angles(W: ArrayLike) -> Array:
    """Return the angles between all pairs of columns (..., pair), degrees in [0, 180], in rising order."""
    return np.sort(pair_angles(W), axis=-1)


def pair_angles(W: ArrayLike) -> Array:
    """Return the angle between each pair of columns (..., pair), degrees in [0, 180], pairs in row order."""
    return np.degrees(np.arccos(off_diagonal(cosines(W))))


def shape(name: str, columns: ArrayLike) -> Shape:
    """Return the shape that the `columns` (hidden, count) of a matrix form."""
    angles = sorted_angles(columns)
    return Shape(name, np.asarray(columns).shape[-1], tuple(float(angle) for angle in angles))


def at_degrees(*degrees: float) -> Array:
    """Return unit columns (2, count) at these angles in the plane."""
    turn = np.radians(np.array(degrees))
    return np.stack([np.cos(turn), np.sin(turn)])


def polygon(count: int) -> Array:
    """Return the corners of the regular `count`-gon as unit columns (2, count)."""
    return at_degrees(*(360.0 * k / count for k in range(count)))


TWO_DIRECTIONS = shape("two directions", at_degrees(0, 90))
DIGON_AND_ONE = shape("digon + one", at_degrees(0, 180, 90))
TRIANGLE = shape("triangle", polygon(3))
TWO_DIGONS = shape("two digons", polygon(4))
PENTAGON = shape("pentagon", polygon(5))

PLANE = (TWO_DIRECTIONS, TRIANGLE, DIGON_AND_ONE, TWO_DIGONS, PENTAGON)
"""Shapes of the plane; a digon is an antipodal pair, and "one" a direction at right angles to it."""


class Configurations(NamedTuple):
    """What a batch of models looks like.

    `name` (instance,) of the nearest shape with as many directions, or "other" if it misses by more than the
    tolerance; `miss` (instance,) its largest error in an angle, degrees (infinite if no shape has that many
    directions); `live` (instance, feature) which features count.
    """

    name: NDArray[np.str_]
    miss: Array
    live: NDArray[np.bool_]


def classify(
    W: ArrayLike,
    shapes: tuple[Shape, ...] = PLANE,
    tolerance: float = TOLERANCE,
    threshold: float = REPRESENTED_NORM,
) -> Configurations:
    """Name the arrangement of every model of `W` (instance, hidden, feature).

    A feature is represented when its norm exceeds `threshold`; a shape fits when every sorted angle between live
    columns is within `tolerance` degrees of the shape's.
    """
    W = np.asarray(W, dtype=np.float64)
    live = represented(W, threshold)
    names, miss = np.full(len(W), OTHER, dtype="<U32"), np.full(len(W), np.inf)
    for count in np.unique(live.sum(-1)):
        rows = np.flatnonzero(live.sum(-1) == count)
        candidates = [known for known in shapes if known.count == count]
        if not candidates:
            continue
        chosen = np.stack([W[row][:, live[row]] for row in rows])
        targets = np.array([known.angles for known in candidates])
        misses = np.abs(sorted_angles(chosen)[:, None, :] - targets).max(-1)
        nearest = misses.argmin(-1)
        miss[rows] = misses.min(-1)
        fits = miss[rows] <= tolerance
        names[rows[fits]] = np.array([known.name for known in candidates])[nearest[fits]]
    return Configurations(names, miss, live)


def canonical(W: ArrayLike, threshold: float = REPRESENTED_NORM) -> Array:
    """Return one model's `W` (hidden, feature) turned, reflected and renumbered for display.

    Represented columns come first; in the plane they follow each other counter-clockwise, starting after the widest
    gap. The first points along the first axis and the next independent one into the upper half space, and so on.
    """
    W = np.asarray(W, dtype=np.float64)
    live = represented(W, threshold)
    if len(W) == 2 and live.any():
        turn = np.degrees(np.arctan2(W[1], W[0]))
        around = np.flatnonzero(live)[np.argsort(turn[live])]
        gaps = np.diff(np.append(turn[around], turn[around[0]] + 360))
        around = np.roll(around, -int(gaps.argmax()) - 1)
    else:
        around = np.flatnonzero(live)
    columns = W[:, np.concatenate([around, np.flatnonzero(~live)]).astype(int)]
    upper = np.linalg.qr(columns).R
    signs = np.where(np.diagonal(upper) < 0, -1.0, 1.0)
    return np.asarray(signs[:, None] * upper)


def census(names: ArrayLike, kinds: tuple[str, ...]) -> Array:
    """Return the share of each kind in the last axis of `names` (..., run), shape (..., kind)."""
    found = np.asarray(names)[..., None, :] == np.array(kinds)[:, None]
    return np.asarray(found.mean(-1), dtype=np.float64)
