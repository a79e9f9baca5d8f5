"""Detecting whether one feature is present in activations `h = W x`: thresholds, linear gates and small probes.

Feature 0 is the one to detect. It is present with a value U[0, 1] in half of all labelled samples, and the others are
independent, present with probability `p` and then U[0, 1]. The *balanced error* is the mean of the share of absences
taken for presences and of presences missed: 1/2 for a gate that knows nothing.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from torch import Tensor
from torch.nn import functional

Array = NDArray[np.float64]


class Labelled(NamedTuple):
    """Activations `h` (instance, sample, hidden) and whether feature 0 is present, `present` (instance, sample)."""

    h: Tensor
    present: Tensor


def random_directions(features: int, hidden: int, codes: int, rng: np.random.Generator) -> Array:
    """Return `W` (code, hidden, feature) with independent random unit columns."""
    W = rng.standard_normal((codes, hidden, features))
    return np.asarray(W / np.linalg.norm(W, axis=1, keepdims=True))


def with_dedicated_neuron(features: int, hidden: int, codes: int, rng: np.random.Generator) -> Array:
    """Return `W` in which feature 0 has neuron 0 to itself and the others share the remaining dimensions."""
    W = np.zeros((codes, hidden, features))
    W[:, 1:, 1:] = random_directions(features - 1, hidden - 1, codes, rng)
    W[:, 0, 0] = 1.0
    return W


def overlaps(W: ArrayLike) -> Array:
    """Return how strongly each other feature disturbs a read-out of feature 0, (code, feature - 1).

    The read-out is along `W_0`, scaled to give feature 0 its own value: `W_0 . W_j / ||W_0||^2`.
    """
    W = np.asarray(W, dtype=np.float64)
    return np.asarray(np.einsum("ch,chf->cf", W[:, :, 0], W[:, :, 1:]) / (W[:, :, 0] ** 2).sum(1)[:, None])


def interference(overlap: ArrayLike, density: float) -> Array:
    """Return the standard deviation of the disturbance, (code,): sqrt(sum_j overlap_j^2 (p/3 - p^2/4))."""
    return np.asarray(np.sqrt((np.asarray(overlap) ** 2).sum(-1) * (density / 3 - density**2 / 4)))


def threshold_error(disturbance: ArrayLike) -> Array:
    """Return the balanced error of the best threshold on `x_0 + disturbance`, (code,).

    `disturbance` (code, sample) is a sample of its distribution. The value of `x_0` is integrated exactly: given the
    disturbance `z`, a presence is missed at threshold `t` with probability clip(t - z, 0, 1).
    """
    z = np.sort(np.asarray(disturbance, dtype=np.float64), axis=1)
    count = z.shape[1]
    # Where the error is least, t is one of the disturbances: between two of them only misses grow.
    below = np.arange(1, count + 1)
    total = np.concatenate([np.zeros((len(z), 1)), np.cumsum(z, axis=1)], axis=1)
    errors = np.empty_like(z)
    for code, row in enumerate(z):
        sure = np.searchsorted(row, row - 1, side="right")  # so low that every value is missed
        partly = (below - sure) * row - (total[code, 1:] - total[code, sure])
        errors[code] = ((count - below) + sure + partly) / (2 * count)
    return np.asarray(errors.min(1))


def gaussian_error(sigma: ArrayLike) -> Array:
    """Return the balanced error of the best threshold if the disturbance were normal with standard deviation `sigma`.

    A value U[0, 1] is missed with probability E Phi((t - x) / sigma), which is elementary.
    """
    s = np.atleast_1d(np.asarray(sigma, dtype=np.float64))[:, None]
    t = np.linspace(-1, 2, 6001)

    def integral(u: Array) -> Array:
        """Return the integral of Phi up to u: u Phi(u) + phi(u)."""
        return np.asarray(u * ndtr(u) + np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi))

    missed = s * (integral(t / s) - integral((t - 1) / s))
    return np.asarray(((1 - ndtr(t / s) + missed) / 2).min(1))


def labelled(W: Array, density: float, samples: int, seed: int) -> Labelled:
    """Return balanced samples for every code of `W` (code, hidden, feature), (code, sample, ...)."""
    rng = np.random.default_rng(seed)
    codes, _, features = W.shape
    shape = (codes, samples, features)
    x = np.where(rng.random(shape, dtype=np.float32) < density, rng.random(shape, dtype=np.float32), 0)
    present = rng.permuted(np.broadcast_to(np.arange(samples) % 2 == 0, (codes, samples)), axis=1)
    x[..., 0] = np.where(present, rng.random((codes, samples), dtype=np.float32), 0)
    h = torch.from_numpy(x.astype(np.float32)) @ torch.from_numpy(W.astype(np.float32)).mT
    return Labelled(h, torch.from_numpy(present))


class Gate:
    """A batch of gates, one per instance: `logit = w . h + c`, or with `width` ReLU units in between."""

    def __init__(self, instances: int, hidden: int, width: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        sizes = (hidden, width, 1) if width else (hidden, 1)
        self.layers = [
            (
                (torch.randn(instances, rows, columns, generator=generator) * (2 / rows) ** 0.5).requires_grad_(),
                torch.zeros(instances, 1, columns, requires_grad=True),
            )
            for rows, columns in pairwise(sizes)
        ]

    @property
    def parameters(self) -> list[Tensor]:
        return [tensor for layer in self.layers for tensor in layer]

    def __call__(self, h: Tensor) -> Tensor:
        """Return logits (instance, sample) of `h` (instance, sample, hidden)."""
        for weight, bias in self.layers[:-1]:
            h = torch.relu(torch.baddbmm(bias, h, weight))
        weight, bias = self.layers[-1]
        return torch.baddbmm(bias, h, weight).squeeze(-1)


def train_gates(
    data: Labelled, row: ArrayLike, counts: ArrayLike, width: int, steps: int, seed: int, batch: int = 256
) -> Gate:
    """Train a gate per instance on the first `counts` samples (instance,) of the code `row` (instance,) of `data`.

    Adam, from 3e-2 down to 0, on the logistic loss of batches drawn with replacement; a quarter of the samples is held
    out, and of the states after every 20th step each instance keeps the one with the least loss there. Then the
    threshold is moved to where the balanced error on all its samples is least: the logistic loss puts it elsewhere
    when presences reach down to a value of 0, and even a dedicated neuron would err.
    """
    count, rows = torch.as_tensor(np.asarray(counts)), torch.as_tensor(np.asarray(row))[:, None]
    gate = Gate(len(count), data.h.shape[-1], width, seed)
    held = torch.clamp(count // 4, min=1)
    learned = count - held
    generator = torch.Generator().manual_seed(seed + 1)
    adam = _Adam(gate.parameters)
    best = torch.full((len(count),), torch.inf)
    kept = [parameter.detach().clone() for parameter in gate.parameters]
    check = (held[:, None] * torch.linspace(0, 1, 257)[:-1]).long() + learned[:, None]  # 256 of those held out
    for step in range(1, steps + 1):
        chosen = (torch.rand(len(count), batch, generator=generator) * learned[:, None]).long()
        loss = _losses(gate, data.h[rows, chosen], data.present[rows, chosen]).sum()
        adam.step(torch.autograd.grad(loss, gate.parameters), 3e-2 * (1 - (step - 1) / steps))
        if step % 20 == 0:
            with torch.no_grad():
                now = _losses(gate, data.h[rows, check], data.present[rows, check])
                better = now < best
                best = torch.where(better, now, best)
                for copy, parameter in zip(kept, gate.parameters, strict=True):
                    copy[better] = parameter[better]
    with torch.no_grad():
        for copy, parameter in zip(kept, gate.parameters, strict=True):
            parameter.copy_(copy)
        thresholds = _best_thresholds(gate(data.h[rows[:, 0]]), data.present[rows[:, 0]], np.asarray(counts))
        gate.layers[-1][1].sub_(thresholds[:, None, None])
    return gate


class _Adam:
    """Adam as Kingma and Ba 2015 have it; torch's own takes longer to import than these gates take to train."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.mean = [torch.zeros_like(each) for each in parameters]
        self.square = [torch.zeros_like(each) for each in parameters]
        self.steps = 0

    def step(self, gradients: tuple[Tensor, ...], rate: float) -> None:
        self.steps += 1
        first, second = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        with torch.no_grad():
            for parameter, m, v, g in zip(self.parameters, self.mean, self.square, gradients, strict=True):
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                parameter.sub_(rate / first * m / ((v / second).sqrt_() + 1e-8))


def _best_thresholds(logits: Tensor, present: Tensor, counts: NDArray[np.int64]) -> Tensor:
    """Return the logit (instance,) above which calling a feature present errs least on the first `counts` samples."""
    found = []
    for row, truth, count in zip(logits, present, counts, strict=True):
        ordered, order = torch.sort(row[: int(count)])
        here = truth[: int(count)][order].float()
        missed = torch.cumsum(here, 0) / here.sum().clamp(min=1)
        false = 1 - torch.cumsum(1 - here, 0) / (1 - here).sum().clamp(min=1)
        best = int(torch.argmin(missed + false))  # everything up to `best` is called absent
        found.append((ordered[best] + ordered[min(best + 1, int(count) - 1)]) / 2)
    return torch.stack(found)


def _losses(gate: Gate, h: Tensor, present: Tensor) -> Tensor:
    """Return the mean logistic loss of every instance."""
    return functional.binary_cross_entropy_with_logits(gate(h), present.float(), reduction="none").mean(-1)


def balanced_error(gate: Gate, data: Labelled, row: ArrayLike) -> Array:
    """Return the balanced error (instance,) of gates that call a feature present where the logit is above 0."""
    rows = torch.as_tensor(np.asarray(row))
    with torch.no_grad():
        present = data.present[rows]
        wrong = (gate(data.h[rows]) > 0) != present
        missed = (wrong & present).sum(-1) / present.sum(-1)
        false = (wrong & ~present).sum(-1) / (~present).sum(-1)
    return np.asarray((missed + false) / 2, dtype=np.float64)
