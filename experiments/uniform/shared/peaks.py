"""Peaks in a pooled distribution of values that come from several seeds, the seed being the unit.

Values of one trained model are not independent of each other, so every seed gives one density, and intervals come from
resampling whole seeds. Windows around expected places are compared with windows in between, which needs
no fitted curve; the smooth curve is for the eye.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import Quantity, from_resamples

Array = NDArray[np.float64]
Window = tuple[float, float]


def smooth_density(values: ArrayLike, at: ArrayLike, bandwidth: float) -> Array:
    """Return the Gaussian kernel density (place,) of `values` (value,) at the places `at`."""
    sample, places = np.asarray(values, dtype=np.float64), np.asarray(at, dtype=np.float64)
    bumps = np.exp(-0.5 * ((places[:, None] - sample) / bandwidth) ** 2)
    return np.asarray(bumps.sum(-1) / (len(sample) * bandwidth * np.sqrt(2 * np.pi)))


def counts_in(samples: Sequence[Array], windows: Sequence[Window]) -> Array:
    """Return how many values of each seed lie in each window, ends included, (seed, window)."""
    return np.array([[((low <= one) & (one <= high)).sum() for low, high in windows] for one in samples], dtype=float)


def contrast(
    samples: Sequence[Array], peak: Window, gaps: Sequence[Window], resamples: int, generator: np.random.Generator
) -> Quantity:
    """Return the density of pooled values in `peak` over that in all `gaps` together, with a bootstrap over seeds.

    `samples` holds the values (value,) of each seed. One value spread evenly over all windows is added, so that empty
    gaps give a finite number, and nothing at all gives 1, no peak.
    """
    counts = counts_in(samples, [peak, *gaps])
    wide = peak[1] - peak[0], sum(high - low for low, high in gaps)

    def ratio(total: Array) -> Array:
        inside, beside = total[..., 0] / wide[0], total[..., 1:].sum(-1) / wide[1]
        return np.asarray((inside + 1 / sum(wide)) / (beside + 1 / sum(wide)))

    chosen = generator.integers(0, len(samples), (resamples, len(samples)))
    return from_resamples(float(ratio(counts.sum(0))), ratio(counts[chosen].sum(1)), len(samples))


def between(lines: Sequence[float]) -> list[Window]:
    """Return the middle third between each two adjacent `lines` (rising or falling), as windows."""
    ordered = sorted(lines)
    steps = np.diff(ordered) / 3
    return [
        (low + step, high - step) for low, high, step in zip(ordered[:-1], ordered[1:], steps.tolist(), strict=True)
    ]
