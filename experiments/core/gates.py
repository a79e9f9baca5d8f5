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


def train_gates(data: Labelled, counts: ArrayLike, width: int, steps: int, seed: int, batch: int = 256) -> Gate:
    """Train a gate per instance on its first `counts` samples (instance,) and return the best by validation.

    Adam at 1e-2 on the logistic loss of batches drawn with replacement; a quarter of the samples is held out, and of
    the states after every 20th step each instance keeps the one with the least loss there.
    """
    instances, _, hidden = data.h.shape
    gate = Gate(instances, hidden, width, seed)
    optimiser = torch.optim.Adam(gate.parameters, lr=1e-2)
    held = torch.as_tensor(np.maximum(np.asarray(counts) // 4, 1))
    learned = torch.as_tensor(np.asarray(counts)) - held
    generator = torch.Generator().manual_seed(seed + 1)
    rows = torch.arange(instances)[:, None]
    best = torch.full((instances,), torch.inf)
    kept = [parameter.detach().clone() for parameter in gate.parameters]
    check = (held[:, None] * torch.linspace(0, 1, 513)[:-1]).long() + learned[:, None]  # 512 of those held out
    for step in range(1, steps + 1):
        chosen = (torch.rand(instances, batch, generator=generator) * learned[:, None]).long()
        loss = _losses(gate, data.h[rows, chosen], data.present[rows, chosen]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
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
    return gate


def _losses(gate: Gate, h: Tensor, present: Tensor) -> Tensor:
    """Return the mean logistic loss of every instance."""
    return functional.binary_cross_entropy_with_logits(gate(h), present.float(), reduction="none").mean(-1)


def balanced_error(gate: Gate, data: Labelled) -> Array:
    """Return the balanced error (instance,) of gates that call a feature present where the logit is above 0."""
    with torch.no_grad():
        wrong = (gate(data.h) > 0) != data.present
        present = data.present
        missed = (wrong & present).sum(-1) / present.sum(-1)
        false = (wrong & ~present).sum(-1) / (~present).sum(-1)
    return np.asarray((missed + false) / 2, dtype=np.float64)
