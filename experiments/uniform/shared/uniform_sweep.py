"""Training for many equally important features: every seed has densities of its own, so that all cover the axis."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.evaluation import evaluate
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train
from experiments.uniform.shared.tegum import BRICKS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class UniformConfig:
    """What a sweep over densities needs; defaults are the published run."""

    seed: int = 0
    seeds: int = 12
    features: int = 200
    hidden: int = 20
    densities: int = 8  # per seed; no two seeds share one
    rarest: float = 20.0  # 1/p runs from 1 to this
    common: float = 0.45  # features more common than this train longer, at a lower rate: they gain little and slowly
    steps: tuple[int, int] = (24_000, 12_000)  # common, rare
    learning_rate: tuple[float, float] = (2e-3, 4e-3)  # falling to 0 along a cosine
    batch: int = 64
    checked: tuple[float, ...] = (1.7, 4.5)  # 1/p trained again for twice as long
    checked_seeds: int = 3
    evaluation_samples: int = 1 << 15
    bricks: tuple[str, ...] = tuple(brick.name for brick in BRICKS)
    brick_points: int = 41
    pictured: tuple[float, ...] = (1.62, 1.8, 2.8, 4.2, 4.8, 7.0)  # 1/p, nearest models
    resamples: int = 1000


def grid(config: UniformConfig) -> tuple[Array, NDArray[np.int64]]:
    """Return falling densities and the seed of each: every seed has its own, evenly spaced in the logarithm."""
    exponent = (
        np.arange(config.densities)[:, None] + (np.arange(config.seeds) + 0.5) / config.seeds
    ) / config.densities
    return config.rarest ** -exponent.ravel(), np.tile(np.arange(config.seeds), config.densities)


def train_models(config: UniformConfig, device: str, p: Array, longer: int = 1) -> Weights:
    """Return models trained at each of the falling densities, `longer` times the usual number of steps."""
    model, parts = Model(config.features, config.hidden), []
    for group, density in enumerate((p[p > config.common], p[p <= config.common])):
        if not density.size:
            continue
        recipe = Recipe(
            config.steps[group] * longer,
            config.batch,
            config.learning_rate[group],
            schedule="cosine",
            start_bias=density[:, None] / 2,
            seed=config.seed + group,
        )
        parts.append(train(Data(density[:, None]), model, recipe, density.size, device).weights)
    return Weights(np.concatenate([part.W for part in parts]), np.concatenate([part.b for part in parts]))


def saved_per_dimension(config: UniformConfig, weights: Weights, p: Array) -> Array:
    """Return the loss saved per dimension, over V = p/3 - p^2/4, on one common set of samples (model,)."""
    model, data = Model(config.features, config.hidden), Data(p[:, None])
    constant = Weights(np.zeros_like(weights.W), np.repeat(p[:, None] / 2, config.features, 1).astype(np.float32))
    kept, none = (
        evaluate(one, data, model, samples=config.evaluation_samples, seed=config.seed).loss
        for one in (weights, constant)
    )
    return np.asarray(config.features * (none - kept) / (config.hidden * absent_loss(p)))
