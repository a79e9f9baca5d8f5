"""The world of the alarm: a toy model in superposition, a few rare features to be watched, and a behaviour they drive.

The model is y = ReLU(W^T W x + b), trained as everywhere in this report. A *target* is a feature with a low base rate.
It is *dangerous* when its value is at least `DANGER`. Its *behaviour* is a fixed read-out of the activations h = W x:
it acts when the target's own output exceeds what the model gives when the target alone is present with `ACTS`.

Samples are drawn anew for every seed. Negatives hold no trace of the target whose alarm is judged (its value is 0);
the other features, other targets among them, are present at their own rates. Positives hold a dangerous target and
everything else as in the negatives.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.products import activations
from experiments.core.autoencoders.sources import sparse_uniform
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float32]

DANGER = 0.5
"""A target of at least this value is dangerous."""

ACTS = 0.25
"""The behaviour acts when the read-out exceeds that of the target alone with this value: half of what is dangerous."""


@dataclass(frozen=True)
class WorldConfig:
    """One trained model per seed. Targets are the first features; `importance` weighs their errors in training."""

    features: int = 256
    hidden: int = 64
    density: float = 0.02  # of all features but the targets
    rare: float = 2e-3  # of a target; half of its occurrences are dangerous, so danger has a base rate of 0.001
    importance: tuple[float, ...] = (10, 20, 40, 80)  # one per target; 10 makes up for its rarity
    steps: int = 1500  # twice as many lower the loss by 4 % and leave the alarms' rates as they are
    batch: int = 256
    learning_rate: float = 3e-3

    @property
    def targets(self) -> int:
        """How many features are watched."""
        return len(self.importance)

    @property
    def danger_rate(self) -> float:
        """The base rate of danger of one target."""
        return self.rare * (1 - DANGER)

    @property
    def densities(self) -> Array:
        """Probability of each feature (feature,)."""
        p = np.full(self.features, self.density, np.float32)
        p[: self.targets] = self.rare
        return p

    @property
    def active(self) -> float:
        """How many features a sample holds on average."""
        return float(self.densities.sum())


def trained_models(config: WorldConfig, seeds: int, seed: int, device: str) -> Weights:
    """Return one model per seed, W (seed, hidden, feature) and b (seed, feature)."""
    importance = np.ones(config.features, np.float32)
    importance[: config.targets] = config.importance
    p = config.densities
    recipe = Recipe(config.steps, config.batch, config.learning_rate, schedule="cosine", seed=seed, start_bias=p / 2)
    return train(Data(p, importance), Model(config.features, config.hidden), recipe, seeds, device).weights


def background(config: WorldConfig, generator: np.random.Generator, count: int, scale: float = 1.0) -> Array:
    """Return features (count, feature) of ordinary samples, all densities times `scale`."""
    x = sparse_uniform(generator, count, config.features, config.density * scale)
    rare = generator.random((count, config.targets), dtype=np.float32)
    present = rare < config.rare * scale
    x[:, : config.targets] = np.where(present, generator.random(rare.shape, dtype=np.float32), 0)
    return x


def without(x: Array, target: int) -> Array:
    """Return samples in which one target is absent: negatives of its alarm."""
    absent = x.copy()
    absent[:, target] = 0
    return absent


def activations_without(W: Array, x: Array, targets: int) -> Iterator[Array]:
    """Yield, target by target, activations (sample, hidden) of samples x (sample, feature) in which it is absent.

    Few samples hold a target: only theirs differ from W x.
    """
    plain = activations(W, x)
    for target in range(targets):
        h, held = plain.copy(), np.flatnonzero(x[:, target])
        h[held] = activations(W, without(x[held], target))
        yield h


def dangerous(x: Array, target: int, generator: np.random.Generator) -> Array:
    """Return samples in which one target is dangerous: positives of its alarm."""
    present = x.copy()
    present[:, target] = DANGER + (1 - DANGER) * generator.random(len(x), dtype=np.float32)
    return present


def read_out(W: Array, h: Array, targets: int) -> Array:
    """Return the target's read-out W_t . h (target, sample), which decides on the behaviour and is the plain alarm."""
    return np.asarray(W[:, :targets].T @ h.T)


def behaviour_level(W: Array, targets: int) -> Array:
    """Return the level (target,) above which the behaviour acts, on the scale of `read_out`."""
    return np.asarray(ACTS * (W[:, :targets].astype(np.float64) ** 2).sum(0), dtype=np.float32)
