"""The report's own superposition models as worlds: activations h = W x, directions the columns of W."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.sources import Superposed
from experiments.core.metrics import represented
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train


@dataclass(frozen=True)
class Worlds:
    """One trained model and one source per seed; `counted` (seed, feature) are the features the model represents."""

    weights: Weights
    sources: list[Superposed]
    counted: NDArray[np.bool_]
    density: float

    @property
    def active(self) -> float:
        """Return how many represented features are present per sample on average, over all models: the true L0."""
        return float(self.density * self.counted.sum(axis=1).mean())


def own_worlds(
    features: int, hidden: int, density: float, seeds: int, *, steps: int, batch: int, seed: int, device: str
) -> Worlds:
    """Train `seeds` models y = ReLU(W^T W x + b) of independent features, U[0, 1] with probability `density`.

    Adam, learning rate 0.01 falling along a cosine, biases from the mean up so that no output starts dead.
    """
    model = Model(features, hidden)
    recipe = Recipe(steps, batch, 1e-2, schedule="cosine", seed=seed, start_bias=density / 2)
    trained = train(Data(density), model, recipe, seeds, device)
    W = trained.weights.W
    return Worlds(trained.weights, [Superposed(each, density) for each in W], represented(W), density)
