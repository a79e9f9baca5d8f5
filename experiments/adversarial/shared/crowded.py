"""Trained sets of tied ReLU models over density, several seeds each: what the adversarial experiments attack."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.seeds import instance_seeds
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.starts import raised_start
from experiments.core.training.train import train

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """How crowded models are trained; the learning rate falls to 0 along a cosine.

    Below the density `rare` a batch holds few features, and `rare_batch` is used: with the smaller one, models at
    p = 1/200 end 6 % above the loss they reach with more samples, and a fifth less vulnerable.
    """

    steps: int = 2000
    batch: int = 128
    rare_batch: int = 512
    rare: float = 0.035
    learning_rate: float = 1e-2


STANDARD = Training()
"""Twice the steps, or four times the batch, changes losses of 80 features in 8 dimensions by 1 to 3 %."""


def train_crowded(
    features: int, hidden: int, density: ArrayLike, seeds: int, training: Training, *, seed: int, device: str
) -> list[Weights]:
    """Return trained models, one `Weights` of `seeds` instances for each density.

    They start from b = p/2: from b = 0, outputs die where features are dense.
    """
    densities = np.asarray(density, dtype=np.float64)
    model = Model(features, hidden)
    start = raised_start(model, len(densities) * seeds, np.repeat(densities / 2, seeds), seed)
    models: list[Weights] = []
    for first, last, batch in _parts(densities, training):
        rows = slice(first * seeds, last * seeds)
        p = np.repeat(densities[first:last], seeds)
        recipe = Recipe(
            training.steps,
            batch,
            training.learning_rate,
            schedule="cosine",
            start=Weights(start.W[rows], start.b[rows]),
            seed=seed + first,
        )
        trained = train(Data(p[:, None]), model, recipe, p.size, device)
        W, b = (np.split(each, last - first) for each in (trained.weights.W, trained.weights.b))
        models += [Weights(*pair) for pair in zip(W, b, strict=True)]
    return models


def of_seeds(models: list[Weights]) -> list[list[Weights]]:
    """Return the models of each seed, one `Weights` of a single instance for each density."""
    count = len(models[0].W)
    return [[Weights(each.W[k : k + 1], each.b[k : k + 1]) for each in models] for k in range(count)]


def evaluation_seeds(seed: int, seeds: int) -> list[int]:
    """Return the seed from which each seed's evaluation inputs are drawn."""
    return [int(own) for own in instance_seeds(seed, None, seeds)]


def _parts(densities: Array, training: Training) -> list[tuple[int, int, int]]:
    """Return runs of densities that share a batch size: first, last (exclusive), batch."""
    batches = np.where(densities < training.rare, training.rare_batch, training.batch)
    edges = [0, *(np.flatnonzero(np.diff(batches)) + 1), len(batches)]
    return [(int(a), int(b), int(batches[a])) for a, b in pairwise(edges)]
