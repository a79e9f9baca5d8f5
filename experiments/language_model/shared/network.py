"""Networks: trained, with exact stops and restarts, or random as a control."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core import progress
from experiments.core.threads import in_parallel
from experiments.language_model.shared import byte_pairs, network_config, network_training, text, transformer_model
from experiments.language_model.shared import corpus as corpus_module
from experiments.language_model.shared.checkpoints import Arrays, Checkpoint, checkpoint
from experiments.language_model.shared.corpus import Ids, corpus
from experiments.language_model.shared.network_config import NetworkConfig
from experiments.language_model.shared.network_training import Training, start, train
from experiments.language_model.shared.transformer_model import (
    Array,
    Weights,
    first_weights,
    forward,
    losses,
    residual,
    shapes,
    split,
)
from experiments.language_model.shared.windows import Windows

MODULES = (text, byte_pairs, corpus_module, network_config, transformer_model, network_training)
WINDOWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Network:
    """A network and the course of its training: `loss` (step,) of each batch before its update, empty if random."""

    config: NetworkConfig
    flat: Array
    loss: NDArray[np.float64]

    @property
    def weights(self) -> Weights:
        """Return the weights by name."""
        return split(self.flat, self.config)


def trained_networks(config: NetworkConfig, seeds: int) -> list[Network]:
    """Return networks number 0 to `seeds` - 1, side by side; those trained before are taken from their checkpoints."""
    stream = corpus(config.text).stream
    return in_parallel(lambda seed: _trained(config, seed, stream), range(seeds))


def random_network(network: Network, seed: int) -> Network:
    """Return random weights, each matrix as large (in Frobenius norm) as that of the trained network.

    The control of Heap et al. 2025, arXiv 2501.17727: what a dictionary finds in it is in the text and the
    architecture, not in what was learned.
    """
    flat = first_weights(network.config, 1000 + seed)
    for part, trained in zip(split(flat, network.config), network.weights, strict=True):
        length = float(np.linalg.norm(part))
        part *= np.float32(np.linalg.norm(trained) / length) if length else np.float32(0)
    return Network(network.config, flat, np.zeros(0))


def _trained(config: NetworkConfig, seed: int, stream: Ids) -> Network:
    place = checkpoint(f"network-{seed}", config, MODULES, (text.ARCHIVE,))
    with place.held():
        state = _go_on(config, seed, stream, place)
    return Network(config, state.flat, state.loss)


def _go_on(config: NetworkConfig, seed: int, stream: Ids, place: Checkpoint) -> Training:
    found = place.load()
    state = start(config, seed) if found is None else _taken_up(found)
    while state.step < config.steps:
        train(config, seed, stream, state, min(state.step + config.checkpoint_every, config.steps))
        place.save({**vars(state), "step": np.array(state.step)})
        progress.advance("training the network", state.step / config.steps)
    return state


def _taken_up(kept: Arrays) -> Training:
    return Training(**{name: int(value) if name == "step" else value for name, value in kept.items()})  # type: ignore[arg-type]


def observe(network: Network, windows: Windows) -> tuple[Array, Array]:
    """Return x₁ (token, model) and the MLP activations (token, mlp) at every position of the windows."""
    found = [forward(network.weights, ids, network.config.heads) for ids in _read(windows)]
    return np.concatenate([each.x1 for each in found]), np.concatenate([each.h for each in found])


def token_losses(network: Network, x1: Array, h: Array, windows: Windows) -> Array:
    """Return the loss in nats (token,) at every position if the MLP's activations are `h` (token, mlp)."""
    w, targets = network.weights, windows.ids[:, 1:].ravel()
    rows = 1 << 14
    return np.concatenate(
        [
            losses(w, residual(w, x1[k : k + rows], h[k : k + rows]), targets[k : k + rows])
            for k in range(0, len(x1), rows)
        ]
    )


def parameter_count(config: NetworkConfig) -> int:
    """Return the number of weights."""
    return sum(int(np.prod(shape)) for shape in shapes(config).values())


def _read(windows: Windows) -> list[Ids]:
    ids = windows.ids[:, :-1]
    return [ids[k : k + WINDOWS_AT_ONCE] for k in range(0, len(ids), WINDOWS_AT_ONCE)]
