"""The reader's first run, and the same model trained until it has converged, for any number of seeds and densities.

The reader's run: independent features, present with probability p and then U[0, 1]; `y = ReLU(W^T W x + b)`;
10,000 fixed samples, batches of 64, Adam at 1e-3 for 40 epochs, W ~ N(0, 1), b = 0.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

SAMPLES = 10_000
BATCH = 64
STEPS_PER_EPOCH = -(-SAMPLES // BATCH)

READERS = Recipe(start="normal", batch=BATCH, steps=40 * STEPS_PER_EPOCH, learning_rate=1e-3)
"""The reader's recipe: a constant rate; the last batch of an epoch is smaller than the others."""

CONVERGED = replace(READERS, steps=10_000, learning_rate=3e-3, schedule="cosine")
"""Same start and batch, a higher rate that falls to 0: nothing of the last steps' noise is left. For fresh samples."""


def train_grid(
    recipe: Recipe,
    density: ArrayLike,
    seeds: int,
    seed: int,
    device: str,
    *,
    features: int,
    hidden: int = 2,
    samples: int | None = None,
) -> Weights:
    """Train `seeds` models at every density; instances run over densities, then seeds.

    Seed k starts from the same W at every density and with every recipe, so runs can be compared seed by seed.
    `samples` is the size of each run's own fixed data set; None draws fresh batches.
    """
    densities = np.atleast_1d(np.asarray(density, dtype=np.float64))
    streams = np.random.SeedSequence(seed).generate_state(seeds, dtype=np.uint64)
    same_starts = tuple(int(stream) for stream in np.tile(streams, len(densities)))
    return train(
        Data(np.repeat(densities, seeds)[:, None], fixed_samples=samples),
        Model(features, hidden),
        replace(recipe, instance_seeds=same_starts),
        instances=len(same_starts),
        device=device,
    ).weights
