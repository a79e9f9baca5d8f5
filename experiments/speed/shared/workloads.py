"""Trainings that an earlier commit of this project can do as well: run as a script, it times one and prints seconds.

`python workloads.py NAME`, with the commit to be timed on `PYTHONPATH`. It uses nothing but the two trainers' entry
points, which have stayed as they were.
"""

import sys
from collections.abc import Callable
from functools import partial
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

SEEDS = 6


def autoencoders(
    features: int, hidden: int, latents: int, active: float, p: float, steps: int
) -> Callable[[bool], object]:
    """Return the training of one autoencoder of every kind for each seed, on superposed features of density `p`."""
    from experiments.core.autoencoders import VARIANTS, Specification, Superposed, grid, train_autoencoders

    def directions(seed: int) -> NDArray[np.float32]:
        rows = np.random.default_rng(seed).standard_normal((hidden, features)).astype(np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=0), np.float32)

    sources = [Superposed(directions(seed), p) for seed in range(SEEDS)]
    models = grid(VARIANTS, widths=(latents,), actives=(active,), seeds=range(SEEDS))
    specification = Specification(models=models, steps=steps, batch=512, aux=True, resample=steps // 3)
    return lambda first: train_autoencoders(sources, specification, until=3 if first else None)


def toy_models(instances: int, features: int, hidden: int, steps: int, p: float) -> Callable[[bool], object]:
    """Return the training of toy models of independent features."""
    from experiments.core.training import Data, Model, Recipe, train

    recipe = Recipe(steps=steps, batch=1024)
    return lambda first: train(Data(p), Model(features, hidden), recipe, 2 if first else instances)


WORKLOADS: dict[str, Callable[[], Callable[[bool], object]]] = {
    "autoencoders, 40 dimensions, 100 latents": partial(autoencoders, 100, 40, 100, 3, 0.03, 900),
    "autoencoders, 40 dimensions, dense data": partial(autoencoders, 100, 40, 100, 30, 0.3, 300),
    "autoencoders, 64 dimensions, 256 latents": partial(autoencoders, 256, 64, 256, 4, 1 / 64, 450),
    "toy models, 5 features": partial(toy_models, 256, 5, 2, 2000, 0.1),
    "toy models, 20 features": partial(toy_models, 64, 20, 5, 1500, 0.1),
    "toy models, 80 features": partial(toy_models, 32, 80, 20, 600, 0.03),
    "toy models, 200 features": partial(toy_models, 16, 200, 30, 300, 0.01),
}
"""By name, what is timed: the first call, of few steps or models, compiles."""


def seconds(name: str) -> float:
    """Return how long one training takes once it is compiled."""
    work = WORKLOADS[name]()
    work(True)
    start = perf_counter()
    work(False)
    return perf_counter() - start


if __name__ == "__main__":
    sys.stdout.write(f"{seconds(sys.argv[1])}\n")
