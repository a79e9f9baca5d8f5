"""The published recipe as most people write it: automatic differentiation, einsum over instances, AdamW.

Set-up: Elhage et al. 2022 and its public notebook (fresh batches, learning rate 1e-3, weight decay 0.01,
densities 20^-linspace(0, 1), importances 0.9^i); for two layers its "computing in superposition". Written anew for
this comparison.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.speed.shared.shapes import Shape

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.01


def densities(shape: Shape) -> NDArray[np.float64]:
    """Return the published densities, from 1 down to 0.05: (instance, 1)."""
    return np.asarray(20.0 ** -np.linspace(0, 1, shape.instances)[:, None], dtype=np.float64)


def importances(shape: Shape) -> NDArray[np.float64]:
    """Return importances that fall by a tenth per feature: (feature,)."""
    return np.asarray(0.9 ** np.arange(shape.features), dtype=np.float64)


class PlainRecipe:
    """All instances of a shape, trained step by step on `device`."""

    def __init__(self, shape: Shape, device: str) -> None:
        self.shape, self.device = shape, device
        self.density = torch.tensor(densities(shape), dtype=torch.float32, device=device)
        self.importance = torch.tensor(importances(shape), dtype=torch.float32, device=device)
        W = torch.empty(shape.instances, shape.features, shape.hidden, device=device)
        self.W = torch.nn.Parameter(torch.nn.init.xavier_normal_(W))
        self.b = torch.nn.Parameter(torch.zeros(shape.instances, shape.features, device=device))
        self.W_out = (
            torch.nn.Parameter(torch.nn.init.xavier_normal_(torch.empty_like(W))) if shape.two_layer else self.W
        )
        trained = [self.W, self.b, *([self.W_out] if shape.two_layer else [])]
        self.optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)

    def train(self, steps: int) -> None:
        """Take `steps` steps."""
        for _ in range(steps):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.batch()).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
        if self.device == "cuda":
            torch.cuda.synchronize()

    def batch(self) -> Tensor:
        """Return a fresh batch (batch, instance, feature)."""
        shape = (self.shape.batch, self.shape.instances, self.shape.features)
        present = torch.rand(shape, device=self.device) <= self.density
        values = torch.rand(shape, device=self.device)
        if self.shape.two_layer:
            values = 2 * values - 1
        return torch.where(present, values, torch.zeros((), device=self.device))

    def loss(self, x: Tensor) -> Tensor:
        """Return the importance-weighted squared error, mean over batch and features, summed over instances."""
        h = torch.einsum("bif,ifh->bih", x, self.W)
        if self.shape.two_layer:
            h = torch.relu(h)
        y = torch.relu(torch.einsum("bih,ifh->bif", h, self.W_out) + self.b)
        wanted = x.abs() if self.shape.two_layer else x
        return (self.importance * (wanted - y) ** 2).mean(dim=(0, 2)).sum()


def train_ours(shape: Shape, device: str, steps: int) -> None:
    """Train `shape` on the same data and recipe with the trainer of this report."""
    data = Data(density=densities(shape), importance=importances(shape), signed=shape.two_layer)
    recipe = Recipe(steps, shape.batch, LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    train(data, model_of(shape), recipe, shape.instances, device)


def model_of(shape: Shape) -> Model:
    """Return the model of a shape as the trainer knows it."""
    if shape.two_layer:
        return Model(shape.features, shape.hidden, hidden_activation="relu", tied=False, target="absolute")
    return Model(shape.features, shape.hidden)
