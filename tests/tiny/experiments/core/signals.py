"""Helpers of the tiny report: one that its experiment uses, one that it does not."""

import numpy as np
from numpy.typing import NDArray

SCALE = 1.0


def sine(periods: int, samples: int) -> NDArray[np.float64]:
    """Return `samples` values of a sine over `periods` periods."""
    return SCALE * np.sin(_angles(periods, samples))


def cosine(periods: int, samples: int) -> NDArray[np.float64]:
    """Return `samples` values of a cosine over `periods` periods."""
    return np.cos(_angles(periods, samples))


def _angles(periods: int, samples: int) -> NDArray[np.float64]:
    # The end point is left out, so that the mean over whole periods is zero.
    return np.linspace(0.0, 2 * np.pi * periods, samples, endpoint=False)
