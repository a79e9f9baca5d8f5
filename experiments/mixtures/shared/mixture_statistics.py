"""Ratios of losses and of interference between models that share their samples, with intervals over seeds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantities import Quantity, bootstrap, mean

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
    return bootstrap(lambda chosen: float(np.exp(logs[:, chosen].mean(1).min())), logs.shape[1], unit=unit)


def _score(loss: Array, routed: Array, baselines: Array, baseline_routed: Array) -> float:
    """Return the score of means over seeds: see `avoidance`."""
    best = baselines.argmin(0)[None]
    least = np.take_along_axis(baselines, best, 0)[0]
    interference = np.take_along_axis(baseline_routed, best, 0)[0]
    cleaner = np.maximum(routed, NO_INTERFERENCE) / np.maximum(interference, NO_INTERFERENCE)
    return float(max(np.exp(np.log(loss / least).mean()) / TOLERANCE, np.exp(np.log(cleaner).mean())))


def avoidance(loss: Array, routed: Array, baselines: Array, baseline_routed: Array) -> Quantity:
    """Return the larger of two ratios, which is below 1 when a model avoids superposition at no cost.

    `loss` and `routed` are (density, seed), those of the matched models (baseline, density, seed). At each density the
    model is compared with the matched model of least mean loss. The two ratios are geometric means over densities: of
    its loss over `TOLERANCE` times that loss, and of its routed interference over that interference.
    """

    def at(chosen: NDArray[np.int64]) -> float:
        parts = (loss, routed, baselines, baseline_routed)
        return _score(*(part[..., chosen].mean(-1) for part in parts))

    return bootstrap(at, loss.shape[-1], unit="times")


def interference_at_equal_loss(loss: Array, routed: Array, dense_loss: Array, dense_routed: Array) -> Quantity:
    """Return a model's routed interference over that of a dense model of the same loss, geometric mean over densities.

    `loss` and `routed` are (density, seed), those of the dense models (size, density, seed). Dense models of other
    sizes are interpolated linearly in the loss, which falls with the size.
    """

    def at(chosen: NDArray[np.int64]) -> float:
        own_loss, own = loss[:, chosen].mean(-1), np.maximum(routed[:, chosen].mean(-1), NO_INTERFERENCE)
        curves = zip(dense_loss[..., chosen].mean(-1).T, dense_routed[..., chosen].mean(-1).T, strict=True)
        there = [np.interp(own_loss[k], x[np.argsort(x)], y[np.argsort(x)]) for k, (x, y) in enumerate(curves)]
        return float(np.exp(np.log(own / np.maximum(there, NO_INTERFERENCE)).mean()))

    return bootstrap(at, loss.shape[-1], unit="times")
