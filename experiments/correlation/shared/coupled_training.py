"""Training and judging models of coupled features: one call for all seeds, densities and signed strengths.

A signed strength in [-1, 1] correlates the members of every group when positive and makes them exclude each other when
negative; see `coupling`. A *cell* is one combination of density and strength.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.coupling import Kind, coupled_sets
from experiments.core.losses.exact import expected_loss
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train

Array = NDArray[np.float64]
Groups = Sequence[Sequence[int]]


class Trained(NamedTuple):
    """Weights `W` (cell, model, hidden, feature) and `b` (cell, model, feature)."""

    W: Array
    b: Array


class Plan(NamedTuple):
    """How long to train: `steps` on batches of `batch` fresh samples, at a `rate` that falls to 0 along a cosine."""

    steps: int
    batch: int
    rate: float


def kind_of(strength: float) -> Kind:
    """Return how features with this signed strength are coupled."""
    return "anticorrelated" if strength < 0 else "correlated"


def signed_sets(density: ArrayLike, strength: ArrayLike, features: int, groups: Groups) -> Array:
    """Return the probability of every set of present features at each cell, (cell, 2^feature)."""
    cells = zip(*np.broadcast_arrays(np.atleast_1d(density), np.atleast_1d(strength)), strict=True)
    return np.array([coupled_sets(p, features, groups, kind_of(s), abs(s)) for p, s in cells])


def train_coupled(
    density: ArrayLike,
    strength: ArrayLike,
    hidden: int,
    groups: Groups,
    models: int,
    plan: Plan,
    seed: int,
    device: str,
) -> Trained:
    """Train `models` seeds at every cell (density and signed strength, (cell,)).

    All features belong to a group. Every model starts from Xavier weights and biases at the mean p/2, so that no output
    is dead from the start.
    """
    p, s = np.broadcast_arrays(np.atleast_1d(density).astype(float), np.atleast_1d(strength).astype(float))
    model = Model(sum(len(group) for group in groups), hidden)
    W = np.empty((p.size, models, hidden, model.features))
    b = np.empty((p.size, models, model.features))
    for number, cells in enumerate((np.flatnonzero(s >= 0), np.flatnonzero(s < 0))):
        if cells.size == 0:
            continue
        each, own = np.repeat(p[cells], models), seed + number
        data = Data(
            each[:, None],
            coupling=kind_of(-number),
            groups=tuple(tuple(group) for group in groups),
            strength=np.repeat(np.abs(s[cells]), models),
        )
        recipe = Recipe(plan.steps, plan.batch, plan.rate, schedule="cosine", start_bias=each[:, None] / 2, seed=own)
        found = train(data, model, recipe, each.size, device).weights
        W[cells] = found.W.reshape(cells.size, models, hidden, -1)
        b[cells] = found.b.reshape(cells.size, models, -1)
    return Trained(W, b)


def exact_losses(trained: Trained, density: ArrayLike, strength: ArrayLike, groups: Groups) -> Array:
    """Return the exact expected loss of every model, (cell, model), mean over features."""
    sets = signed_sets(density, strength, trained.W.shape[-1], groups)
    return expected_loss(trained.W, trained.b, sets=sets[:, None]).value


def best_of(trained: Trained, loss: Array) -> Trained:
    """Return the model of lowest loss (cell, model) at each cell, without the model axis."""
    cells, best = np.arange(len(loss)), loss.argmin(axis=1)
    return Trained(trained.W[cells, best], trained.b[cells, best])
