"""How a network is trained: Adam, one batch after another, from a state that can be kept and taken up again.

The state holds all that the next step depends on, and the batch of a step is a function of the network's number and
the step alone, so that stopping and going on gives the same bytes as one run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.corpus import Ids
from experiments.language_model.shared.network_config import NetworkConfig
from experiments.language_model.shared.transformer_model import Array, first_weights, gradient

BETA1, BETA2, EPSILON, CLIP = np.float32(0.9), np.float32(0.98), np.float32(1e-8), 1.0


@dataclass(eq=False)
class Training:
    """Where training stands after `step` steps: flat weights, Adam's moments, and the losses so far (step,)."""

    flat: Array
    first: Array
    second: Array
    loss: NDArray[np.float64]
    step: int = 0


def start(config: NetworkConfig, seed: int) -> Training:
    """Return the state before the first step."""
    flat = first_weights(config, seed)
    return Training(flat, np.zeros_like(flat), np.zeros_like(flat), np.zeros(config.steps))


def train(config: NetworkConfig, seed: int, stream: Ids, state: Training, until: int) -> None:
    """Go on training, in place, up to step number `until`; the batch of a step depends on seed and step alone."""
    for step in range(state.step, until):
        ids = batch(config, seed, stream, step)
        state.loss[step], g = gradient(state.flat, config, ids)
        length = float(np.linalg.norm(g))
        if length > CLIP:
            g *= np.float32(CLIP / length)
        _adam(state, g, np.float32(rate(config, step)), step + 1)
        state.step = step + 1


def batch(config: NetworkConfig, seed: int, stream: Ids, step: int) -> Ids:
    """Return the windows (batch, context + 1) of one step, at random places of the stream."""
    rng = np.random.default_rng([config.seed, seed, 2, step])
    places = rng.integers(0, len(stream) - config.context, config.batch)
    return np.asarray(stream[places[:, None] + np.arange(config.context + 1)])


def rate(config: NetworkConfig, step: int) -> float:
    """Return the learning rate of a step."""
    rise = min((step + 1) / config.warmup, 1.0)
    fall = 0.55 + 0.45 * np.cos(np.pi * step / config.steps)
    return float(config.learning_rate * rise * fall)


def _adam(state: Training, g: Array, rate: np.float32, count: int) -> None:
    state.first += (1 - BETA1) * (g - state.first)
    state.second += (1 - BETA2) * (g * g - state.second)
    size = np.sqrt(state.second / np.float32(1 - float(BETA2) ** count)) + EPSILON
    state.flat -= rate / np.float32(1 - float(BETA1) ** count) * state.first / size
