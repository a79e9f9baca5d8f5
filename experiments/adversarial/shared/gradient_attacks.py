"""Projected gradient attacks with restarts on batches of tied ReLU models, to check attacks found on paper.

Madry et al. 2018, "Towards deep learning models resistant to adversarial attacks". The gradient is written out, since
it is one line: for `L = sum_j w_j (y_j - t_j)^2` and `y = ReLU(W^T W x + b)` it is `2 W^T W [w (y - t) 1(y > 0)]`. It
vanishes where no output that errs is positive: there gradients see nothing (*masking*), and only restarts help.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from experiments.adversarial.shared.attacks import Norm

Array = NDArray[np.float64]


class Ascent(NamedTuple):
    """What gradient ascent found: `loss` (instance, start, sample) at best, the first start being the clean input.

    `clean` (instance, sample) is the loss at the first start and `masked` (instance, sample) says that its gradient is
    exactly zero there; `delta` (instance, sample, feature) is the best attack over starts.
    """

    loss: Array
    clean: Array
    masked: NDArray[np.bool_]
    delta: NDArray[np.float32]


def ascend(
    W: ArrayLike,
    b: ArrayLike,
    x: ArrayLike,
    size: float,
    norm: Norm,
    *,
    restarts: int,
    steps: int,
    seed: int,
    target: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    start: ArrayLike | None = None,
) -> Ascent:
    """Attack models W (instance, hidden, feature), b (instance, feature) at inputs x (sample, feature).

    One start at the clean input, or at the attack `start` (instance, sample, feature), and `restarts` random ones;
    `steps` steps of 2.5 size / steps along the gradient's direction ("l2") or signs ("linf"), projected back.
    `target` (instance, sample, feature) is x unless given and `weight` (sample, feature) 1: a weight of one feature
    and the clean output as target ask for the largest change of that output.
    """
    W_, b_, x_ = (torch.as_tensor(np.asarray(each, dtype=np.float32)) for each in (W, b, x))
    aim = x_ if target is None else torch.as_tensor(np.asarray(target, dtype=np.float32))[:, None]
    w = torch.ones_like(x_) if weight is None else torch.as_tensor(np.asarray(weight, dtype=np.float32))
    delta = _starts((len(W_), restarts + 1, *x_.shape), size, norm, seed)
    if start is not None:
        delta[:, 0] = torch.as_tensor(np.asarray(start, dtype=np.float32))
    best, best_delta = torch.full(delta.shape[:3], -torch.inf), delta.clone()
    for step in range(steps + 1):
        loss, slope = loss_and_slope(W_, b_, x_ + delta, aim, w)
        better = loss > best
        best, best_delta = torch.where(better, loss, best), torch.where(better[..., None], delta, best_delta)
        if step == 0:
            clean, masked = loss[:, 0].clone(), (slope[:, 0] == 0).all(-1)
        delta = project(delta + 2.5 * size / steps * direction(slope, norm), size, norm)
    choice = best.argmax(1)[:, None, :, None].expand(-1, 1, -1, delta.shape[-1])
    found = best_delta.gather(1, choice)[:, 0]
    return Ascent(best.double().numpy(), clean.double().numpy(), masked.numpy(), found.numpy())


def loss_and_slope(W: Tensor, b: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss (instance, start, sample) at inputs x (instance, start, sample, feature), and its gradient."""
    flat = x.flatten(1, 2)
    y = torch.relu(torch.baddbmm(b[:, None], flat @ W.mT, W)).view(x.shape)
    error = weight * (y - target)
    loss = (error * (y - target)).sum(-1)
    slope = 2 * ((error * (y > 0)).flatten(1, 2) @ W.mT) @ W
    return loss, slope.view(x.shape)


def direction(slope: Tensor, norm: Norm) -> Tensor:
    """Return the step of unit size along a gradient; no step where there is no gradient."""
    if norm == "linf":
        return torch.sign(slope)
    return slope / _length(slope)


def project(delta: Tensor, size: float, norm: Norm) -> Tensor:
    """Return the nearest attack within the budget."""
    if norm == "linf":
        return torch.clamp(delta, -size, size)
    return delta * torch.clamp(size / _length(delta), max=1.0)


def _length(vectors: Tensor) -> Tensor:
    return torch.clamp(torch.linalg.vector_norm(vectors, dim=-1, keepdim=True), min=1e-20)


def _starts(shape: tuple[int, ...], size: float, norm: Norm, seed: int) -> Tensor:
    """Return first attacks: none, then random ones on the sphere or uniform in the cube, the same for all instances."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape[1:], generator=generator)
    drawn = size * (drawn / drawn.norm(dim=-1, keepdim=True) if norm == "l2" else torch.erf(drawn / 2**0.5))
    drawn[0] = 0
    return drawn.expand(shape).clone()
