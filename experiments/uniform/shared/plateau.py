"""Plateaus of a falling curve that is known at scattered points: where it passes a level, how wide, how flat."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def passes(x: ArrayLike, y: ArrayLike, level: float) -> float:
    """Return where a falling, slightly noisy curve passes `level`: between the last point above and the first below.

    `x`, `y` (point,) in any order. A curve that stays on one side passes at the corresponding end.
    """
    order = np.argsort(np.asarray(x), kind="stable")
    at, value = np.asarray(x, dtype=np.float64)[order], np.asarray(y, dtype=np.float64)[order]
    above, below = np.flatnonzero(value > level), np.flatnonzero(value <= level)
    last = at[above[-1]] if above.size else at[0]
    first = at[below[0]] if below.size else at[-1]
    return float((last + first) / 2)


def local_slopes(x: ArrayLike, y: ArrayLike, window: int) -> tuple[Array, Array]:
    """Return centres and least-squares slopes over every `window` points adjacent in `x`, (point - window + 1,)."""
    order = np.argsort(np.asarray(x), kind="stable")
    at = np.lib.stride_tricks.sliding_window_view(np.asarray(x, dtype=np.float64)[order], window)
    value = np.lib.stride_tricks.sliding_window_view(np.asarray(y, dtype=np.float64)[order], window)
    centred = at - at.mean(-1, keepdims=True)
    return np.asarray(at.mean(-1)), np.asarray((centred * value).sum(-1) / (centred**2).sum(-1))


def flatness(
    x: ArrayLike, y: ArrayLike, inside: tuple[float, float], outside: tuple[float, float], window: int
) -> float:
    """Return the median size of the slope within `inside`, over that beyond it but still after `outside[0]`.

    `outside` is the range of `x` that the curve is compared over; points within `inside` are left out of it. Below 1
    the curve is flatter inside. 1 if either part holds no window.
    """
    centre, slope = local_slopes(x, y, window)
    within = (inside[0] <= centre) & (centre <= inside[1])
    beyond = (outside[0] <= centre) & (centre <= outside[1]) & ~within
    if not within.any() or not beyond.any():
        return 1.0
    return float(np.median(np.abs(slope[within])) / np.median(np.abs(slope[beyond])))
