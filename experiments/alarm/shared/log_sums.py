"""Sums over all states of a small world, on a logarithmic scale."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import jit

Array = NDArray[np.float64]

NEGLIGIBLE = -45.0
"""Terms smaller than exp of this times the largest vanish in double precision, however many thousand there are."""


def log_sums(points: Array, centres: Array, weight: Array, sharpness: float) -> Array:
    """Return log sum_k exp(weight_k - sharpness |point - centre_k|^2) (point,).

    `points` (point, dimension) and `centres` (state, dimension).
    """
    found = np.empty(len(points))
    _fill(
        np.ascontiguousarray(points), np.ascontiguousarray(centres.T), weight, sharpness, np.empty(len(weight)), found
    )
    return found


@jit
def _fill(points, centres, weight, sharpness, exponent, found):
    for n in range(len(points)):
        for k in range(weight.size):
            exponent[k] = weight[k]
        for d in range(points.shape[1]):
            at = points[n, d]
            for k in range(weight.size):
                away = at - centres[d, k]
                exponent[k] -= sharpness * away * away
        top = exponent[0]
        for k in range(weight.size):
            top = max(top, exponent[k])
        total = 0.0
        for k in range(weight.size):
            if exponent[k] - top > NEGLIGIBLE:
                total += np.exp(exponent[k] - top)
        found[n] = top + np.log(total)
