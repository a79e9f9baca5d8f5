"""Which variable decides? Curves of systems of several sizes, and how well each predicts the others.

A hypothesis says that an outcome is one function of one variable for all sizes, such as "the represented share of n
depends on p n / d". It is tested by leaving each size out and reading its outcomes off the curve of the other sizes. No
functional form is fitted: the curve is linear interpolation, over the logarithm of the variable, between averages.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def held_out_errors(variables: Sequence[Array], outcomes: Sequence[Array]) -> list[Array]:
    """Return, per size, measured minus predicted outcome at each of its points, NaN outside the others' range.

    `variables` and `outcomes` hold one array (point,) per size; both are usually logarithms.
    """
    return [
        outcome - _interpolated(variable, _others(variables, size), _others(outcomes, size))
        for size, (variable, outcome) in enumerate(zip(variables, outcomes, strict=True))
    ]


def _others(arrays: Sequence[Array], left_out: int) -> Array:
    return np.concatenate([array for size, array in enumerate(arrays) if size != left_out])


def _interpolated(at: Array, variable: Array, outcome: Array) -> Array:
    """Return the curve through the averages of points that share a variable, NaN outside its range."""
    places, where = np.unique(np.round(variable, 9), return_inverse=True)
    heights = np.bincount(where, outcome) / np.bincount(where)
    return np.interp(np.round(at, 9), places, heights, left=np.nan, right=np.nan)


def root_mean_square(errors: Sequence[Array], common: Sequence[NDArray[np.bool_]]) -> float:
    """Return the root of the mean squared error over the points marked in `common`."""
    chosen = np.concatenate([error[keep] for error, keep in zip(errors, common, strict=True)])
    return float(np.sqrt(np.mean(chosen**2)))
