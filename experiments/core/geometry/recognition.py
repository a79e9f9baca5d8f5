"""Which known shape the columns of `W` form, found by matching Gram matrices vertex by vertex.

Two arrangements are the same up to rotation, reflection and renumbering exactly when some permutation carries one
matrix of angles between directions into the other. The permutation with the smallest largest error is found by
branch and bound, which costs little because one wrong vertex already breaks the tolerance. Sorted angles
(`configurations`) are a faster test that some different arrangements pass; here they only sort out candidates.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.geometry.configurations import OTHER, TOLERANCE, Configurations, sorted_angles
from experiments.core.geometry.polyhedra import Solid
from experiments.core.metrics import REPRESENTED_NORM, cosines, represented

Array = NDArray[np.float64]


class Match(NamedTuple):
    """How one arrangement fits another: the largest error of an angle, degrees, and which vertex each column is.

    `miss` is infinite, and `order` (count,) all -1, when no permutation stays within the limit.
    """

    miss: float
    order: NDArray[np.int64]


def angles(W: ArrayLike) -> Array:
    """Return the angle between all columns (..., count, count), degrees in [0, 180], 0 on the diagonal."""
    between = np.degrees(np.arccos(cosines(W)))
    count = between.shape[-1]
    return np.where(np.eye(count, dtype=bool), 0.0, between)


def match(columns: ArrayLike, directions: ArrayLike, limit: float = 180.0) -> Match:
    """Return the best matching of `columns` (hidden, count) to `directions` (hidden, count) within `limit` degrees.

    Column `i` stands for direction `order[i]`. Lengths do not matter; both sides need as many vertices.
    """
    found, known = angles(columns), angles(directions)
    if found.shape != known.shape:
        raise ValueError(f"{found.shape[0]} columns cannot match {known.shape[0]} directions")
    order = np.full(len(found), -1)
    miss = _search(found, known, float(limit), order)
    return Match(float(miss), order)


def recognise(
    W: ArrayLike, solids: Sequence[Solid], tolerance: float = TOLERANCE, threshold: float = REPRESENTED_NORM
) -> Configurations:
    """Name the arrangement of every model of `W` (instance, hidden, feature).

    A feature is represented when its norm exceeds `threshold`. A shape fits when its vertices can be numbered so that
    every angle between two represented columns is within `tolerance` degrees of the shape's; the closest fitting one
    gives the name, and "other" is what fits none. `miss` is the largest error in an angle, infinite for "other".
    """
    W = np.asarray(W, dtype=np.float64)
    live = represented(W, threshold)
    names, miss = np.full(len(W), OTHER, dtype="<U32"), np.full(len(W), np.inf)
    for solid in solids:
        rows = np.flatnonzero(live.sum(-1) == solid.count)
        if not len(rows):
            continue
        columns = np.stack([W[row][:, live[row]] for row in rows])
        # The best matching of the sorted angles is a lower bound of the error of any matching of vertices.
        close = np.abs(sorted_angles(columns) - sorted_angles(solid.directions)).max(-1) <= tolerance
        for row, chosen in zip(rows[close], columns[close], strict=True):
            found = match(chosen, solid.directions, min(tolerance, miss[row]))
            if found.miss < miss[row]:
                names[row], miss[row] = solid.name, found.miss
    return Configurations(names, miss, live)


def settled(W: ArrayLike, directions: ArrayLike) -> Array:
    """Return `W` (hidden, count) turned, reflected and renumbered to lie as close as possible to `directions`.

    The numbering is that of the best match, the turn the orthogonal Procrustes solution for it.
    """
    columns, known = np.asarray(W, dtype=np.float64), np.asarray(directions, dtype=np.float64)
    ordered = columns[:, np.argsort(match(columns, known).order)]
    left, _, right = np.linalg.svd(known @ ordered.T)
    return np.asarray(left @ right @ ordered)


@numba.njit(cache=True)
def _search(found, known, limit, order):
    """Write the best numbering into `order`; return its largest error, or infinity if all exceed `limit`.

    Vertices are numbered one after the other; `worst[k]` is the largest error among the first k. A partial numbering
    that is no better than the best complete one is given up.
    """
    count = len(found)
    trial = np.full(count + 1, -1)  # the vertex that each column stands for, as far as chosen
    used = np.zeros(count, dtype=np.bool_)
    worst = np.zeros(count + 1)
    best = np.inf
    depth = 0
    while depth >= 0:
        if trial[depth] >= 0:
            used[trial[depth]] = False
        vertex = trial[depth] + 1
        while vertex < count:
            if not used[vertex]:
                error = worst[depth]
                for earlier in range(depth):
                    error = max(error, abs(found[depth, earlier] - known[vertex, trial[earlier]]))
                if error < best and error <= limit:
                    break
            vertex += 1
        if vertex == count:
            trial[depth] = -1
            depth -= 1
            continue
        trial[depth], used[vertex], worst[depth + 1] = vertex, True, error
        if depth + 1 < count:
            depth += 1
            trial[depth] = -1
        else:
            best = error
            for column in range(count):
                order[column] = trial[column]
    return best
