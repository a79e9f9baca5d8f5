"""Training against attacks: tied ReLU models that meet, at every step, an attack on a random feature of every input.

Elhage et al. 2022, "The relationship between superposition and adversarial robustness": a feature is drawn for each
input, and the input is moved along `G_i / ||G_i||`, the analytic l2 attack on the current weights, with the sign that
harms more; the loss is that of the attacked input against the clean one. All budgets of a seed train on the same
inputs, as one batch; gradients do not go through the choice of the attack.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from experiments.core import progress
from experiments.core.threads import in_parallel
from experiments.core.training.reference import adam_step
from experiments.core.training.seeds import DATA, START, instance_seeds, stream
from experiments.core.training.specification import Recipe, Weights


@dataclass(frozen=True)
class Hardening:
    """How models are trained against attacks; the learning rate falls to 0 along a cosine."""

    features: int = 80
    hidden: int = 8
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 1e-2


def harden(density: ArrayLike, size: ArrayLike, seeds: int, how: Hardening, seed: int) -> list[Weights]:
    """Return trained models, one `Weights` (condition, ...) for each seed.

    A condition is a `density` and a `size` of attack (condition,), in the l2 norm; 0 trains on clean inputs.
    """
    p, sizes = (np.asarray(each, dtype=np.float32) for each in (density, size))
    chosen = instance_seeds(seed, None, seeds)

    def one(own: np.uint64) -> Weights:
        found = _one_seed(torch.from_numpy(p), torch.from_numpy(sizes), int(own), how)
        progress.advance("training against attacks", 0.5)
        return found

    return in_parallel(one, list(chosen))


def _one_seed(p: Tensor, size: Tensor, seed: int, how: Hardening) -> Weights:
    """Train all conditions from one start on one stream of draws."""
    start, draws = stream(seed, START), stream(seed, DATA)
    scale = np.sqrt(2.0 / (how.hidden + how.features))
    first = scale * start.standard_normal((how.hidden, how.features))
    W = torch.tensor(first, dtype=torch.float32).expand(len(p), -1, -1).clone()
    b = (p[:, None] / 2).expand(-1, how.features).clone()
    values = [W, b]
    moments = [(torch.zeros_like(each), torch.zeros_like(each)) for each in values]
    recipe = Recipe(steps=how.steps, batch=how.batch)
    for step in range(how.steps):
        presence = torch.from_numpy(draws.random((how.batch, how.features), dtype=np.float32))
        value = torch.from_numpy(draws.random((how.batch, how.features), dtype=np.float32))
        target = torch.from_numpy(draws.integers(0, how.features, how.batch))
        x = torch.where(presence < p[:, None, None], value, torch.zeros(()))
        slopes = gradients(values[0], values[1], attacked(values[0], values[1], x, target, size), x)
        rate = torch.tensor(how.learning_rate * 0.5 * (1 + np.cos(np.pi * step / how.steps)))
        for k, slope in enumerate(slopes):
            values[k], *moments[k] = adam_step(recipe, step + 1, rate, values[k], slope, *moments[k])  # type: ignore[call-overload]
    return Weights(values[0].numpy(), values[1].numpy())


def attacked(W: Tensor, b: Tensor, x: Tensor, target: Tensor, size: Tensor) -> Tensor:
    """Return inputs (instance, batch, feature) moved by the worse of the two attacks on feature `target` (batch,).

    `size` (instance,) is the length of the move.
    """
    rows = W[:, :, target].mT @ W
    unit = rows / torch.clamp(torch.linalg.vector_norm(rows, dim=-1, keepdim=True), min=1e-12)
    move = size[:, None, None] * unit
    z, moved = (x @ W.mT) @ W + b[:, None], (move @ W.mT) @ W
    up, down = (((torch.relu(each) - x) ** 2).sum(-1, keepdim=True) for each in (z + moved, z - moved))
    return x + torch.where(up >= down, move, -move)


def gradients(W: Tensor, b: Tensor, seen: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivatives, by `W` and `b`, of the mean over batch and features of (ReLU(W^T W seen + b) - x)^2."""
    h = seen @ W.mT
    y = torch.relu(torch.baddbmm(b[:, None], h, W))
    error = 2 * (y - x) * (y > 0) / (x.shape[1] * x.shape[2])
    return h.mT @ error + (error @ W.mT).mT @ seen, error.sum(1)
