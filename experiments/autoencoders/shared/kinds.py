"""The kinds of autoencoder that are trained on this report's own models, and when one of them has found a feature."""

import numpy as np
from numpy.typing import NDArray

from experiments.autoencoders.shared.own_models import Worlds
from experiments.core.autoencoders.evaluation import Recovery
from experiments.core.autoencoders.specification import VARIANTS, Autoencoder, Specification, grid

FOUND = 0.9
"""A feature is found when some latent's direction has at least this cosine with its own."""

KINDS = (*VARIANTS, "frozen")
"""What is trained: the six variants, and a top-k autoencoder whose random decoder stays as it was drawn."""


def every_kind(worlds: Worlds, steps: int, batch: int, learning_rate: float, seed: int) -> Specification:
    """Return all kinds, one autoencoder per world, with as many latents as features and the true L0.

    k of `topk` is the nearest whole number.
    """
    seeds, width, active = *worlds.counted.shape, worlds.active
    whole = max(1, round(active))
    models = [
        model
        for variant in VARIANTS
        for model in grid((variant,), (width,), (whole if variant == "topk" else active,), range(seeds))
    ]
    frozen = [Autoencoder("topk", width, whole, s, s, frozen=True) for s in range(seeds)]
    return Specification(
        models=(*models, *frozen),
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        aux=True,
        resample=250,
        dead_after=20_000,
        seed=seed,
    )


def share_found(scores: Recovery) -> NDArray[np.float64]:
    """Return the share of counted features that some latent points at: (instance,)."""
    counted = ~np.isnan(scores.cosine)
    return np.asarray((np.nan_to_num(scores.cosine) > FOUND).sum(axis=1) / counted.sum(axis=1))
