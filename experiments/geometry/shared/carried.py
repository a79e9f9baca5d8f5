"""Models that are moved to another density and trained on: do they keep their shape, and where do they leave it?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiments.core.geometry.polyhedra import Solid
from experiments.core.geometry.recognition import recognise
from experiments.core.metrics import represented_mass
from experiments.core.quantities import share
from experiments.core.training.specification import Data, Model, Weights
from experiments.core.training.train import train
from experiments.geometry.shared.census_config import CensusConfig
from experiments.geometry.shared.shape_curves import Curves, Pictures, Transitions

Array = NDArray[np.float64]


def _jittered(W: Array, b: Array, config: CensusConfig, generator: np.random.Generator) -> Weights:
    return Weights((W + config.jitter * generator.standard_normal(W.shape)).astype(np.float32), b.astype(np.float32))


def _go_on(config: CensusConfig, weights: Weights, density: Array, steps: int, seed: int, device: str) -> Weights:
    """Train given models (instance, ...) on, each at its own density (instance,)."""
    recipe = replace(config.recipe, start=weights, steps=steps, learning_rate=config.sweep_rate, seed=seed)
    hidden, features = weights.W.shape[1:]
    return train(Data(density[:, None]), Model(features, hidden), recipe, device=device).weights


def held_shares(
    config: CensusConfig, solids: Sequence[Solid], curves: Curves, steps: Transitions, device: str
) -> Array:
    """Return the share, with interval, of models that keep the shape they start from, (transition, 2, 3).

    They start at the density where both shapes are equally good, from either, slightly disturbed.
    """
    count, generator = config.held_models, np.random.default_rng([config.seed, 1])
    starts = [
        curves.model(int(kind), float(density), config.features)
        for density, pair in zip(steps.p, steps.kind, strict=True)
        for kind in pair
    ]
    if not starts:
        return np.zeros((0, 2, 3))
    W, b = (np.repeat(np.stack(values), count, axis=0) for values in zip(*starts, strict=True))
    ended = _go_on(
        config, _jittered(W, b, config, generator), np.repeat(steps.p, 2 * count), 2 * config.sweep_steps, config.seed,
        device,
    )  # fmt: skip
    names = recognise(ended.W, solids).name.reshape(-1, 2, count)
    expected = np.array([solid.name for solid in solids])[steps.kind]
    held = [[share(names[t, s] == expected[t, s]) for s in range(2)] for t in range(len(steps.p))]
    return np.array([[[q.value, q.low, q.high] for q in pair] for pair in held], dtype=np.float64)


def sweep(config: CensusConfig, pictured: Pictures, sweep_p: Array, device: str) -> Array:
    """Return `||W||_F^2` (direction, seed, point) of models carried along `sweep_p`, and of others carried back.

    The former start from the optimum among common features, the latter from that among rare ones; each goes on
    at the next density from where it ended at the last, slightly disturbed.
    """
    count, generator = config.sweep_seeds, np.random.default_rng([config.seed, 2])
    W = np.repeat(pictured.W[[0, -1]], count, axis=0)
    b = np.repeat(pictured.b[[0, -1]], count, axis=0)
    mass = np.empty((2, count, len(sweep_p)))
    for step in range(len(sweep_p)):
        points = np.array([step, len(sweep_p) - 1 - step])
        moved = _jittered(W, b, config, generator)
        density, seed = np.repeat(sweep_p[points], count), 1000 * config.seed + step
        weights = _go_on(config, moved, density, config.sweep_steps, seed, device)
        W, b = weights.W.astype(np.float64), weights.b.astype(np.float64)
        for direction, point in enumerate(points):
            mass[direction, :, point] = represented_mass(W).reshape(2, count)[direction]
    return mass
