"""Training cut by instance: an instance depends on its own seed and settings alone, so others may train beside it."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.cpu import thread_count
from experiments.core.training.cpu_sparse import SPARSE_DENSITY, sparse_densities
from experiments.core.training.problem import Problem
from experiments.core.training.specification import Data, Model, Recipe, Trained, Weights

Chosen = NDArray[np.int64]
"""Instance numbers (instance of the piece,)."""


def multiply_adds(problem: Problem) -> NDArray[np.float64]:
    """Estimate the work of every instance (instance,), to about a factor of 3 as measured.

    The sparse kernel's costs rise with density, up to those of the dense one where that takes over.
    """
    model, recipe = problem.model, problem.recipe
    dense = float(recipe.steps) * recipe.batch * model.features * (5 * model.hidden + 10)
    sparse = sparse_densities(problem)
    share = 0.15 + 0.85 * sparse / (SPARSE_DENSITY * np.sqrt(model.features * model.hidden))
    return dense * np.where(np.isnan(sparse), 1.0, share)


def cut(problem: Problem, chosen: Chosen) -> tuple[Data, Model, Recipe]:
    """Return what trains the `chosen` instances of `problem` exactly as they are trained among all."""
    data = replace(
        problem.data,
        density=problem.density[chosen],
        importance=problem.importance[chosen],
        strength=problem.strength[chosen],
    )
    model, mixing = problem.model, problem.mixing
    if mixing is not None and len(mixing) > 1:
        model = replace(model, target_mixing=mixing[chosen])
    start = Weights(**{name: rows[chosen] for name, rows in _named(problem.start).items()})
    recipe = replace(
        problem.recipe,
        learning_rate=problem.learning_rate[chosen],
        start=start,
        start_scale=1.0,
        start_bias=0.0,
        instance_seeds=tuple(int(seed) for seed in problem.seeds[chosen]),
    )
    return data, model, recipe


def in_order(parts: Sequence[NDArray[Any]], chosen: Sequence[Chosen]) -> NDArray[Any]:
    """Return the rows of `parts` as one array (instance, ...): row i of part p belongs to instance `chosen[p][i]`."""
    whole: NDArray[Any] = np.concatenate(parts)[np.argsort(np.concatenate(chosen))]
    return whole


def joined(problem: Problem, chosen: Sequence[Chosen], found: Sequence[Trained]) -> Trained:
    """Return what training all instances at once returns, from what training the `chosen` ones each did."""
    kept = zip(*(each.snapshots for each in found), strict=True)
    return replace(
        found[0],
        weights=_joined([each.weights for each in found], chosen),
        snapshots=tuple(_joined(step, chosen) for step in kept),
        diverged=in_order([each.diverged for each in found], chosen),
        stopped_at=in_order([each.stopped_at for each in found], chosen),
        threads=min(thread_count(), problem.instances),
    )


def _joined(parts: Sequence[Weights], chosen: Sequence[Chosen]) -> Weights:
    named = [_named(each) for each in parts]
    return Weights(**{name: in_order([each[name] for each in named], chosen) for name in named[0]})


def _named(weights: Weights) -> dict[str, Any]:
    """Return the parameters that there are, by name."""
    named = {each.name: getattr(weights, each.name) for each in fields(weights)}
    return {name: rows for name, rows in named.items() if rows is not None}
