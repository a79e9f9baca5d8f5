"""Ratios of losses and of interference between models that share their samples, with intervals over seeds."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import RESAMPLES, Quantity, from_resamples, mean

Array = NDArray[np.float64]

TOLERANCE = 1.05
"""A loss at most this many times that of another model counts as competitive."""

NO_INTERFERENCE = 1e-6
"""Interference, as a share of the input's energy, below which there is none worth a ratio."""


def typical_ratio(one: ArrayLike, other: ArrayLike, unit: str = "times") -> Quantity:
    """Return the geometric mean of one / other (density, seed), its interval over seeds from the logarithms.

    The mean is over densities within a seed, then over seeds: samples are common to both models of a seed.
    """
    logs = np.log(np.asarray(one, dtype=np.float64)) - np.log(np.asarray(other, dtype=np.float64))
    found = mean(np.atleast_2d(logs).mean(0))
    low, high = (None if bound is None else float(np.exp(bound)) for bound in (found.low, found.high))
    method = "Student t interval of the mean logarithm, 95 %"
    return Quantity(float(np.exp(found.value)), low, high, found.n, unit, method if low is not None else found.method)


def least_typical_ratio(ratios: ArrayLike, unit: str = "times") -> Quantity:
    """Return the least over models of the geometric means of `ratios` (model, density, seed); choosing is resampled."""
    logs = np.log(np.asarray(ratios, dtype=np.float64)).mean(1)
    return _over_seeds(lambda rows: np.exp(logs[:, rows].mean(-1).min(0)), logs.shape[1], unit)


def avoidance(loss: Array, routed: Array, baselines: Array, baseline_routed: Array) -> Quantity:
    """Return the larger of two ratios, which is below 1 when a model avoids superposition at no cost.

    `loss` and `routed` are (density, seed), those of the matched models (baseline, density, seed). At each density the
    model is compared with the matched model of least mean loss. The two ratios are geometric means over densities: of
    its loss over `TOLERANCE` times that loss, and of its routed interference over that interference.
    """

    def at(rows: NDArray[np.int64]) -> Array:
        own, own_routed, others, others_routed = (
            part[..., rows].mean(-1) for part in (loss, routed, baselines, baseline_routed)
        )
        best = others.argmin(0)[None]
        least = np.take_along_axis(others, best, 0)[0]
        interference = np.take_along_axis(others_routed, best, 0)[0]
        cleaner = np.maximum(own_routed, NO_INTERFERENCE) / np.maximum(interference, NO_INTERFERENCE)
        score: Array = np.maximum(np.exp(np.log(own / least).mean(0)) / TOLERANCE, np.exp(np.log(cleaner).mean(0)))
        return score

    return _over_seeds(at, loss.shape[-1])


def interference_at_equal_loss(loss: Array, routed: Array, dense_loss: Array, dense_routed: Array) -> Quantity:
    """Return a model's routed interference over that of a dense model of the same loss, geometric mean over densities.

    `loss` and `routed` are (density, seed), those of the dense models (size, density, seed). Dense models of other
    sizes are interpolated linearly in the loss, which falls with the size.
    """

    def at(rows: NDArray[np.int64]) -> Array:
        own, own_routed, x, y = (part[..., rows].mean(-1) for part in (loss, routed, dense_loss, dense_routed))
        order = x.argsort(0)
        there = _interpolated(own, np.take_along_axis(x, order, 0), np.take_along_axis(y, order, 0))
        cleaner = np.maximum(own_routed, NO_INTERFERENCE) / np.maximum(there, NO_INTERFERENCE)
        ratio: Array = np.exp(np.log(cleaner).mean(0))
        return ratio

    return _over_seeds(at, loss.shape[-1])


def _over_seeds(statistic: Callable[[NDArray[np.int64]], Array], seeds: int, unit: str = "times") -> Quantity:
    """Return a statistic of all seeds with its bootstrap interval.

    `statistic` returns one number for each row of seeds (resample, seed), all rows at once: as `bootstrap` does one
    after the other.
    """
    rows = np.random.default_rng(0).integers(0, seeds, (RESAMPLES, seeds))
    value = float(statistic(np.arange(seeds)[None])[0])
    return from_resamples(value, statistic(rows), seeds, unit=unit)


def _interpolated(at: Array, x: Array, y: Array) -> Array:
    """Return the piecewise linear curves through (x, y) at `at` (...,), held at the ends; `x` rises along axis 0."""
    right = (x <= at).sum(0).clip(1, len(x) - 1)[None]
    left = right - 1
    x0, x1, y0, y1 = (np.take_along_axis(curve, end, 0)[0] for curve in (x, y) for end in (left, right))
    inside = (y1 - y0) / (x1 - x0) * (at - x0) + y0
    held: Array = np.where(at <= x[0], y[0], np.where(at >= x[-1], y[-1], inside))
    return held
