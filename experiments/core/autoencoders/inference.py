"""What a trained autoencoder does to activations: latents and reconstructions, in plain numpy.

This is the one definition of inference. The batch top-k variants use their running threshold here, so that a sample's
latents do not depend on the other samples; at training they do.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.specification import Autoencoder
from experiments.core.autoencoders.state import Parameters, State

Array = NDArray[np.float32]


def parameters_of(state: State, models: tuple[Autoencoder, ...], instance: int) -> Parameters:
    """Return one instance's parameters, cut to its own width."""
    width, named = models[instance].width, state.named
    W_dec, W_enc, b_enc, r_mag, extra = (part[instance, :width] for part in named[:5])
    return Parameters(W_dec, W_enc, b_enc, r_mag, extra, named.b_dec[instance])


def encode(
    state: State, models: tuple[Autoencoder, ...], instance: int, x: Array, only: NDArray[np.int64] | None = None
) -> Array:
    """Return the latents (batch, latent), at least 0, of one autoencoder for activations `x` (batch, hidden).

    `only` (latent,) are those that are wanted; ValueError for "topk", whose latents depend on each other.
    """
    w, model = parameters_of(state, models, instance), models[instance]
    if only is not None:
        if model.variant == "topk":
            raise ValueError("some latents of a top-k autoencoder cannot be computed without the others")
        w = w._replace(**{name: getattr(w, name)[only] for name in ("W_dec", "W_enc", "b_enc", "r_mag", "extra")})
    v = np.asarray((x - w.b_dec) @ w.W_enc.T + w.b_enc, dtype=np.float32)
    if model.variant == "relu":
        return np.maximum(v, 0)
    if model.variant == "gated":
        return np.asarray(np.maximum((v - w.b_enc) * np.exp(w.r_mag) + w.extra, 0) * (v > 0), dtype=np.float32)
    if model.variant == "jumprelu":
        return np.asarray(v * (v > np.exp(w.extra)), dtype=np.float32)
    if model.variant == "topk":
        return _largest(v, int(model.active))
    return np.asarray(v * (v > max(float(state.threshold[instance]), 0.0)), dtype=np.float32)


def decode(state: State, models: tuple[Autoencoder, ...], instance: int, f: Array) -> Array:
    """Return the reconstruction (batch, hidden) from latents `f` (batch, latent)."""
    w = parameters_of(state, models, instance)
    return f @ w.W_dec + w.b_dec


def dictionary(state: State, models: tuple[Autoencoder, ...], instance: int) -> Array:
    """Return the unit decoder rows (latent, hidden) of one autoencoder."""
    return parameters_of(state, models, instance).W_dec


def _largest(v: Array, k: int) -> Array:
    """Return the k largest positive values of every row, the others 0."""
    if k >= v.shape[1]:
        return np.maximum(v, 0)
    cut = np.partition(v, -k, axis=1)[:, -k]
    return np.asarray(v * (v >= np.maximum(cut, 0)[:, None]), dtype=np.float32)
