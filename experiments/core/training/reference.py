"""The reference backend: what training means, in plain torch with automatic differentiation.

The fused backends are tested against `loss`, `gradients` and `adam_step`. An instance's draws depend on its
own seed alone; its weights may differ in the last bits with the number of instances trained beside it,
since a batched matrix product may sum in another order.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.core import progress
from experiments.core.training.problem import Problem
from experiments.core.training.sampling import Batches
from experiments.core.training.specification import Model, Recipe, Trained, Weights

Parameters = dict[str, Tensor]
"""The parts of `Weights` that the model has, by their names."""


def forward(model: Model, weights: Parameters, x: Tensor) -> Tensor:
    """Return y (instance, batch, feature) for x (instance, batch, feature)."""
    h = torch.einsum("ibf,ihf->ibh", x, weights["W"])
    if model.hidden_bias:
        h = h + weights["b_hidden"][:, None, :]
    if model.hidden_activation == "relu":
        h = h.relu()
    W_out = weights["W"].transpose(1, 2) if model.tied else weights["W_out"]
    y = torch.einsum("ibh,ifh->ibf", h, W_out) + weights["b"][:, None, :]
    return y.relu() if model.output == "relu" else y


def target(model: Model, x: Tensor) -> Tensor:
    """Return what y should equal, target(x) + target_mixing x: (instance, batch, feature)."""
    wanted = {"identity": lambda: x, "absolute": x.abs, "relu": x.relu}[model.target]()
    if model.target_mixing is None:
        return wanted
    mixing = torch.as_tensor(np.asarray(model.target_mixing, dtype=np.float32), device=x.device)
    return wanted + x @ mixing.transpose(-1, -2)


def loss(model: Model, weights: Parameters, importance: Tensor, x: Tensor) -> Tensor:
    """Return the mean over batch and features of importance * (target - y)^2, or ^4 for "l4": (instance,)."""
    error = target(model, x) - forward(model, weights, x)
    return (importance[:, None, :] * error ** (4 if model.loss == "l4" else 2)).mean(dim=(1, 2))


def gradients(model: Model, weights: Parameters, importance: Tensor, x: Tensor) -> tuple[Tensor, Parameters]:
    """Return the loss (instance,) and its gradient with respect to every parameter."""
    leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
    losses = loss(model, leaves, importance, x)
    # Each instance's loss depends on its own weights alone, so the gradient of the sum holds all of them.
    found = torch.autograd.grad(losses.sum(), list(leaves.values()))
    return losses.detach(), dict(zip(leaves, found, strict=True))


def adam_step(
    recipe: Recipe, step: int, rate: Tensor, value: Tensor, gradient: Tensor, first: Tensor, second: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return value and moments after step number `step` (from 1) of AdamW (Loshchilov and Hutter 2019).

    `rate` is the learning rate of this step, broadcast over `value`; the decay is decoupled, as in torch.
    """
    first = recipe.beta1 * first + (1 - recipe.beta1) * gradient
    second = recipe.beta2 * second + (1 - recipe.beta2) * gradient**2
    scale = (second.sqrt() / (1 - recipe.beta2**step) ** 0.5) + recipe.epsilon
    value = value * (1 - rate * recipe.weight_decay) - rate / (1 - recipe.beta1**step) * first / scale
    return value, first, second


def to_parameters(weights: Weights, device: str) -> Parameters:
    """Return weights as tensors on `device`."""
    arrays = {"W": weights.W, "b": weights.b, "W_out": weights.W_out, "b_hidden": weights.b_hidden}
    return {name: torch.tensor(array, device=device) for name, array in arrays.items() if array is not None}


def to_weights(parameters: Parameters) -> Weights:
    """Return tensors as weights on the host."""
    arrays: dict[str, NDArray[np.float32]] = {name: value.cpu().numpy().copy() for name, value in parameters.items()}
    return Weights(arrays["W"], arrays["b"], arrays.get("W_out"), arrays.get("b_hidden"))


def train_reference(problem: Problem, device: str) -> Trained:
    """Train every instance, all steps in lockstep, on any device torch knows."""
    recipe = problem.recipe
    weights = to_parameters(problem.start, device)
    first, second = ({name: torch.zeros_like(value) for name, value in weights.items()} for _ in range(2))
    importance, learning_rate = (torch.tensor(a, device=device) for a in (problem.importance, problem.learning_rate))
    stopped_at = torch.full((problem.instances,), recipe.steps, device=device)
    kept = {0: to_weights(weights)}
    batches = Batches(problem)
    for step in range(recipe.steps):
        x = torch.from_numpy(batches.next()).to(device)
        _, slopes = gradients(problem.model, weights, importance, x)
        rate = learning_rate * float(problem.rates[step])
        updated: Parameters = {}
        for name in weights:
            if name in recipe.frozen:
                updated[name] = weights[name]
                continue
            state = weights[name], slopes[name], first[name], second[name]
            updated[name], first[name], second[name] = adam_step(recipe, step + 1, _per(rate, state[0]), *state)
        finite = _finite(updated, second)
        stopped_at = torch.where(finite | (stopped_at <= step), stopped_at, torch.full_like(stopped_at, step))
        going = stopped_at > step
        weights = {name: torch.where(_per(going, value), value, weights[name]) for name, value in updated.items()}
        if step + 1 in recipe.snapshots:
            kept[step + 1] = to_weights(weights)
        if step % 50 == 0:
            progress.advance("training", step / recipe.steps)
    progress.advance("training", 1.0)
    stops = stopped_at.cpu().numpy().astype(np.int64)
    return Trained(
        weights=to_weights(weights),
        steps=tuple(recipe.snapshots),
        snapshots=tuple(kept[step] for step in recipe.snapshots),
        diverged=stops < recipe.steps,
        stopped_at=stops,
        backend="reference",
        device=device,
        threads=torch.get_num_threads(),
    )


def _per(values: Tensor, like: Tensor) -> Tensor:
    """Return (instance,) values shaped to broadcast over `like` (instance, ...)."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _finite(weights: Parameters, second: Parameters) -> Tensor:
    """Return whether all weights and second moments of each instance are finite: (instance,).

    The second moment holds the squared gradient, so an overflow there would freeze a weight silently.
    """
    flags = [t.isfinite().flatten(1).all(dim=1) for t in (*weights.values(), *second.values())]
    return torch.stack(flags).all(dim=0)
