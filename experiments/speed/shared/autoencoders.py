"""Sparse autoencoders: several of them in one call here, against plain torch and against SAELens, on the same worlds.

Plain torch is the reference backend: dense products and automatic differentiation, all autoencoders in one batch. The
row of SAELens, which trains one after the other, is measured where `sae-lens` is installed: it brings a language-model
stack with it.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.core.autoencoders import VARIANTS, Batch, Specification, grid, sparse_uniform, train_autoencoders

FEATURES, HIDDEN, LATENTS, ACTIVE, BATCH, COUNT = 256, 64, 256, 4, 1024, 8
"""Features in a world, its dimensions, latents, k, batch, and autoencoders."""

LEARNING_RATE = 3e-4


@dataclass(frozen=True, eq=False)
class World:
    """Unit features of value 1, each present with probability ACTIVE / FEATURES."""

    directions: NDArray[np.float32]

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return activations and features."""
        features = (sparse_uniform(generator, count, FEATURES, ACTIVE / FEATURES) > 0).astype(np.float32)
        return Batch(features @ self.directions, features)


def directions(seed: int) -> NDArray[np.float32]:
    """Return random unit rows (feature, hidden)."""
    rows = np.random.default_rng(seed).standard_normal((FEATURES, HIDDEN))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def available() -> bool:
    """Return whether SAELens is installed."""
    return find_spec("sae_lens") is not None


def train_ours(steps: int, device: str, count: int = COUNT) -> None:
    """Train `count` top-k autoencoders, each on a world of its own."""
    specification = Specification(
        grid(("topk",), (LATENTS,), (ACTIVE,), range(count)), steps=steps, batch=BATCH, learning_rate=LEARNING_RATE
    )
    train_autoencoders([World(directions(seed)) for seed in range(count)], specification, device=device)


def train_variants(steps: int, device: str, backend: str = "auto") -> None:
    """Train one autoencoder of every variant, all on the first world."""
    models = grid(VARIANTS, (LATENTS,), (ACTIVE,), (0,))
    specification = Specification(models, steps=steps, batch=BATCH, learning_rate=LEARNING_RATE)
    train_autoencoders(World(directions(0)), specification, device=device, backend=backend)


def train_theirs(steps: int, device: str, count: int = COUNT) -> None:
    """Do the same with SAELens, which trains one at a time."""
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.synthetic import ActivationGenerator, FeatureDictionary, train_toy_sae

    for seed in range(count):
        world = FeatureDictionary(FEATURES, HIDDEN, initializer=None, device=device, seed=seed)
        world.feature_vectors.data[:] = torch.tensor(directions(seed))
        features = ActivationGenerator(FEATURES, ACTIVE / FEATURES, device=device)
        settings = TopKTrainingSAEConfig(d_in=HIDDEN, d_sae=LATENTS, k=ACTIVE, device=device)
        train_toy_sae(TopKTrainingSAE(settings), world, features, steps * BATCH, BATCH, LEARNING_RATE, device=device)


def described(against: str, instances: int = COUNT) -> dict[str, Any]:
    """Return what is compared and the sizes, as the measurement file states them."""
    sizes = {"features": FEATURES, "hidden": HIDDEN, "latents": LATENTS, "active": ACTIVE}
    return sizes | {"instances": instances, "batch": BATCH, "against": against}
