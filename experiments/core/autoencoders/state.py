"""The state of training: plain arrays, from which it can go on exactly where it stopped."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.sources import DATA, START, Source, stream
from experiments.core.autoencoders.specification import Autoencoder, Specification

Array = NDArray[np.float32]

FIRST_THRESHOLD = 0.1
"""First threshold θ of `jumprelu`."""


class Parameters(NamedTuple):
    """Views into flat parameters; axes before the named ones stay.

    `W_dec`, `W_enc` (latent, hidden), one row per latent; `b_enc`, `r_mag` (the logarithm of the magnitude's scale,
    `gated`), `extra` (`b_mag` of `gated`, log θ of `jumprelu`) (latent,); `b_dec` (hidden,).
    """

    W_dec: Array
    W_enc: Array
    b_enc: Array
    r_mag: Array
    extra: Array
    b_dec: Array


def parameter_count(latents: int, hidden: int) -> int:
    """Return the length of the flat parameters of one instance."""
    return 2 * latents * hidden + 3 * latents + hidden


def split(flat: Array, latents: int, hidden: int) -> Parameters:
    """Return named views of `flat` (..., parameter)."""
    matrix, lead = latents * hidden, flat.shape[:-1]
    ends = np.cumsum([matrix, matrix, latents, latents, latents])
    parts = np.split(flat, ends, axis=-1)
    W_dec, W_enc = (part.reshape(*lead, latents, hidden) for part in parts[:2])
    return Parameters(W_dec, W_enc, *parts[2:])


@dataclass(frozen=True, eq=False)
class State:
    """Where training stands after `step` steps.

    `parameters`, `first`, `second` (instance, parameter) with Adam's moments; `penalty` λ and `threshold` (the running
    one of the batch top-k variants, negative before the first step) (instance,); `silent` (instance, latent) samples
    since a latent fired last. Widths are padded to the largest one; `latents` and `hidden` say how flat parameters
    are split.
    """

    step: int
    latents: int
    hidden: int
    parameters: Array
    first: Array
    second: Array
    penalty: Array
    threshold: Array
    silent: NDArray[np.int64]

    @property
    def named(self) -> Parameters:
        """Return the parameters by name, with a leading instance axis."""
        return split(self.parameters, self.latents, self.hidden)

    def copy(self) -> "State":
        """Return a state that shares no memory with this one."""
        arrays = ("parameters", "first", "second", "penalty", "threshold", "silent")
        return replace(self, **{name: getattr(self, name).copy() for name in arrays})


def first_state(sources: "tuple[Source, ...]", specification: Specification) -> State:
    """Return the state before the first step: random unit decoder rows, the encoder their transpose.

    `b_dec` starts at the mean of the first batch. Each autoencoder draws from a stream of its own: seeds that share
    first weights look more stable than they are (arXiv 2606.02061).
    """
    models, latents = specification.models, specification.latents
    means = {k: _first_mean(sources[k], specification, k) for k in sorted({model.source for model in models})}
    hidden = len(next(iter(means.values())))
    flat = np.zeros((len(models), parameter_count(latents, hidden)), np.float32)
    for row, model in zip(flat, models, strict=True):
        _start(split(row, latents, hidden), model, means[model.source])
    penalty = [specification.first_penalty if model.penalty is None else model.penalty for model in models]
    return State(
        step=0,
        latents=latents,
        hidden=hidden,
        parameters=flat,
        first=np.zeros_like(flat),
        second=np.zeros_like(flat),
        penalty=np.array(penalty, np.float32),
        threshold=np.full(len(models), -1, np.float32),
        silent=np.zeros((len(models), latents), np.int64),
    )


def _first_mean(source: Source, specification: Specification, number: int) -> Array:
    batch = source.draw(stream(specification.seed, DATA, number, 0), specification.batch)
    return np.asarray(batch.activations.mean(axis=0), dtype=np.float32)


def _start(into: Parameters, model: Autoencoder, mean: Array) -> None:
    rows = stream(model.seed, START, model.source).standard_normal((model.width, len(mean)))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    into.W_dec[: model.width] = rows
    into.W_enc[: model.width] = rows
    into.b_dec[:] = mean
    if model.variant == "jumprelu":
        into.extra[:] = np.log(FIRST_THRESHOLD)
