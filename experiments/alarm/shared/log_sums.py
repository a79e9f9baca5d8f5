"""Sums over all states of a small world, on a logarithmic scale."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import inlined, jit

Array = NDArray[np.float64]

NEGLIGIBLE = -45.0
"""Terms smaller than exp of this times the largest vanish in double precision, however many thousand there are."""


def log_sums(points: Array, centres: Array, weight: Array, sharpness: float) -> Array:
    """Return log sum_k exp(weight_k - sharpness |point - centre_k|^2) (point,).

    `points` (point, dimension) and `centres` (state, dimension).
    """
    found = np.empty(len(points))
    exponent, space = np.empty(len(weight)), np.empty(len(weight))
    _fill(np.ascontiguousarray(points), np.ascontiguousarray(centres.T), weight, sharpness, exponent, space, found)
    return found


@jit
def _fill(points, centres, weight, sharpness, exponent, space, found):
    for n in range(len(points)):
        for k in range(weight.size):
            exponent[k] = weight[k]
        for d in range(points.shape[1]):
            at = points[n, d]
            for k in range(weight.size):
                away = at - centres[d, k]
                exponent[k] -= sharpness * away * away
        top = _largest(exponent, space)
        count = _not_negligible(exponent, top + NEGLIGIBLE, space)
        total = 0.0
        for k in range(count):
            total += np.exp(space[k] - top)
        found[n] = top + np.log(total)


@inlined
def _largest(values, space):
    """Return the largest value; halves are compared number by number, which takes whole vectors, until one is left."""
    size = values.size
    for k in range(size):
        space[k] = values[k]
    while size > 1:
        half = size // 2
        for k in range(half):
            one, other = space[k], space[size - half + k]
            space[k] = one if one > other else other
        size -= half
    return space[0]


@inlined
def _not_negligible(values, least, space):
    """Write to `space` the values above `least`, in order; return how many they are."""
    count = 0
    for k in range(values.size):
        space[count] = values[k]
        count += values[k] > least
    return count
