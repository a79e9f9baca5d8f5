"""Probes trained on labels: logistic regression by Newton's method, and a small network with one hidden layer."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from experiments.alarm.shared.adam import Adam

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]

CONVERGED = 1e-10
"""Newton's method stops when the loss falls by less."""

CURVATURE_SAMPLES = 5_000
"""So many samples are enough for the curvature, which decides on the path of Newton's method, not its end."""

PIECE = 1_000
"""Samples taken at a time, so that what is made of them stays in the processor's cache."""

RIDGE = 1e-3
"""Penalty on the squared weights of a logistic probe, per label; separable labels have no finite solution without."""


def logistic(
    h: Array, labels: NDArray[np.bool_], steps: int = 30, start: tuple[Array, float] | None = None
) -> tuple[Array, float]:
    """Return weights (dimension,) and bias of a logistic regression of `labels` on `h` (sample, dimension).

    Newton's method with halved steps where the loss would rise, from the probe `start` if one is given; inputs are
    standardised inside.
    """
    y = np.asarray(labels, dtype=np.float64)
    centre, size = _moments(h)
    z = np.empty((len(h), h.shape[1] + 1))
    z[:, -1] = 1
    for first in range(0, len(h), PIECE):
        some = z[first : first + PIECE, :-1]
        np.divide(np.subtract(h[first : first + PIECE], centre, out=some), size, out=some)
    penalty = np.full(z.shape[1], RIDGE * 1.0)
    penalty[-1] = 1e-9
    beta = np.zeros(z.shape[1])
    if start is not None:
        beta[:-1], beta[-1] = start[0] * size, start[1] + start[0] @ centre
    score = z @ beta
    loss = _loss(score, y, beta, penalty)
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(score, -35, 35)))
        slope = z.T @ (p - y) / len(y) + penalty * beta
        step = np.linalg.solve(_curvature(z, p * (1 - p)) + np.diag(penalty), slope)
        along = z @ step
        for _ in range(20):
            tried = _loss(score - along, y, beta - step, penalty)
            if tried <= loss:
                break
            step, along = step / 2, along / 2
        fell = loss - tried
        beta, score, loss = beta - step, score - along, min(tried, loss)
        if fell < CONVERGED:
            break
    weights = beta[:-1] / size
    return weights.astype(np.float32), float(beta[-1] - weights @ centre)


def _moments(h: Array) -> tuple[Numbers, Numbers]:
    """Return the mean and the standard deviation (dimension,) of inputs, 1 for one that does not vary."""
    centre = h.mean(0, dtype=np.float64)
    power = np.einsum("nd,nd->d", h, h, dtype=np.float64) / len(h)
    size = np.sqrt(np.maximum(power - centre**2, 0))
    return centre, np.where(size > 1e-6, size, 1.0)


def _curvature(z: Numbers, weight: Numbers) -> Array:
    """Return the mean over samples of weight z z^T, in single precision; of many samples, those with more weight serve.

    Near the end few samples have any weight: samples taken at equal steps of the summed weight count alike.
    """
    if len(z) <= CURVATURE_SAMPLES:
        some = z.astype(np.float32)
        return np.asarray((some * weight[:, None].astype(np.float32)).T @ some / len(z))
    summed = np.cumsum(weight)
    places = (np.arange(CURVATURE_SAMPLES) + 0.5) / CURVATURE_SAMPLES * summed[-1]
    some = z[np.searchsorted(summed, places)].astype(np.float32)
    return np.asarray(some.T @ some * np.float32(summed[-1] / len(z) / CURVATURE_SAMPLES))


def _loss(score: Numbers, y: Numbers, beta: Numbers, penalty: Numbers) -> float:
    return float((np.logaddexp(0, score) - y * score).mean() + 0.5 * (penalty * beta**2).sum())


class Networks:
    """Small networks, one per target: score = v . ReLU(A h + a) + c, trained together with Adam on a logistic loss.

    `inputs` (target, label, hidden) and `labels` (target, label); full batches of at most `batch` drawn by `seed`.
    """

    def __init__(self, inputs: Array, labels: NDArray[np.bool_], width: int, steps: int, batch: int, seed: int) -> None:
        targets, count, hidden = inputs.shape
        generator = torch.Generator().manual_seed(seed)
        self.centre, self.size = (
            np.stack(each)[:, None].astype(np.float32) for each in zip(*map(_moments, inputs), strict=True)
        )
        draw = torch.randn(targets, hidden, width, generator=generator).numpy() * np.float32((2 / hidden) ** 0.5)
        head = torch.randn(targets, width, 1, generator=generator).numpy() * np.float32(width**-0.5)
        self.parts = [draw, np.zeros((targets, 1, width), np.float32), head, np.zeros((targets, 1, 1), np.float32)]
        adam = Adam(self.parts, weight_decay=1e-3)
        for step in range(steps):
            chosen = torch.randint(count, (min(batch, count),), generator=generator).numpy()
            slopes = self._gradients(inputs.take(chosen, axis=1), labels.take(chosen, axis=1))
            adam.step(slopes, 1.5e-3 * (1 + math.cos(math.pi * step / steps)))

    def _gradients(self, h: Array, y: NDArray[np.bool_]) -> list[Array]:
        """Return the gradients of every target's mean logistic loss by its own parts; labels y (target, sample)."""
        A, a, v, c = self.parts
        z = (h - self.centre) / self.size
        hidden = np.maximum(z @ A + a, 0)
        error = (expit(hidden @ v + c) - y[..., None]) / np.float32(y.shape[1])
        back = error * v.transpose(0, 2, 1) * (hidden > 0)
        sums = [part.sum(1, keepdims=True) for part in (back, error)]
        return [z.transpose(0, 2, 1) @ back, sums[0], hidden.transpose(0, 2, 1) @ error, sums[1]]

    def __call__(self, h: Array) -> Array:
        """Return scores (target, sample) of activations (sample, hidden)."""
        _, _, v, c = self.parts
        scaled, shift = self._folded()
        targets, hidden, width = scaled.shape
        first = scaled.transpose(1, 0, 2).reshape(hidden, targets * width)  # all targets' units side by side
        heads = np.zeros((targets, width, targets), np.float32)
        heads[np.arange(targets), :, np.arange(targets)] = v[..., 0]
        second = heads.reshape(targets * width, targets)
        scores = np.empty((targets, len(h)), np.float32)
        for start in range(0, len(h), PIECE):
            some = slice(start, start + PIECE)
            before = h[some] @ first + shift.ravel()
            scores[:, some] = (np.maximum(before, 0, out=before) @ second + c.ravel()).T
        return scores

    def _folded(self) -> tuple[Array, Array]:
        """Return the first layer with standardising folded in: (h - m) / s @ A = h @ (A / s) - m / s @ A."""
        A, a, _, _ = self.parts
        return A / self.size.transpose(0, 2, 1), a - (self.centre / self.size) @ A

    def slope(self, h: Array, target: int) -> tuple[Array, Array]:
        """Return one target's scores (sample,) and their gradients (sample, hidden) at `h` (sample, hidden)."""
        scaled, shift = (part[target] for part in self._folded())
        v, c = self.parts[2][target, :, 0], self.parts[3][target]
        before = h @ scaled + shift
        return np.maximum(before, 0) @ v + c[0], ((before > 0) * v) @ scaled.T
