"""Resampling: latents that no longer fire are pointed at what is reconstructed worst (Bricken et al. 2023)."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.inference import decode, encode
from experiments.core.autoencoders.sources import RESAMPLING, stream
from experiments.core.autoencoders.specification import Specification
from experiments.core.autoencoders.state import FIRST_THRESHOLD, State, split

ENCODER_SHARE = 0.2
"""Length of a resampled encoder row, as a share of the mean over living latents."""


def due(specification: Specification, step: int) -> bool:
    """Return whether latents are resampled after so many steps."""
    every = specification.resample
    if every is None or step % every:
        return False
    return step <= specification.resample_until * specification.steps


def resample(specification: Specification, state: State, batches: dict[int, NDArray[np.float32]]) -> None:
    """Resample, in place, every latent that has been silent for `dead_after` samples.

    `batches` holds one batch (batch, hidden) per source. A dead latent's decoder row becomes the direction of the
    residual of a sample drawn in proportion to its squared residual; the encoder row is the same, shorter; moments
    start anew.
    """
    for i, model in enumerate(specification.models):
        dead = np.flatnonzero(state.silent[i, : model.width] >= specification.dead_after)
        if len(dead):
            _revive(specification, state, i, dead, batches[model.source])


def _revive(
    specification: Specification, state: State, i: int, dead: NDArray[np.int64], x: NDArray[np.float32]
) -> None:
    models, model = specification.models, specification.models[i]
    residual = (x - decode(state, models, i, encode(state, models, i, x))).astype(np.float64)
    weight = (residual**2).sum(axis=1)
    if weight.sum() <= 0:
        return
    generator = stream(model.seed, RESAMPLING, model.source, state.step)
    rows = residual[generator.choice(len(x), size=len(dead), p=weight / weight.sum())]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    w = split(state.parameters[i], state.latents, state.hidden)
    alive = np.setdiff1d(np.arange(model.width), dead)
    length = float(np.linalg.norm(w.W_enc[alive], axis=1).mean()) if len(alive) else 1.0
    share = ENCODER_SHARE if model.variant in ("relu", "gated") else 1.0
    for flat in (state.parameters, state.first, state.second):
        named = split(flat[i], state.latents, state.hidden)
        for part in named[:5]:
            part[dead] = 0
    if not model.frozen:
        w.W_dec[dead] = rows
    w.W_enc[dead] = share * length * rows
    if model.variant == "jumprelu":
        w.extra[dead] = np.log(FIRST_THRESHOLD)
    state.silent[i, dead] = 0
