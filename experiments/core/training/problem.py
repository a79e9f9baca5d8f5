"""A checked and broadcast training problem: what every backend is given.

`resolve` turns what a person writes (scalars, anything that broadcasts) into plain arrays with one row
per instance, and refuses what makes no sense before any work starts. Backends trust a `Problem`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.checks import SpecificationError, check_data, check_model, check_range, check_recipe
from experiments.core.training.seeds import START, instance_seeds, stream
from experiments.core.training.specification import Data, Model, Recipe, Weights

UNCOUPLED, CORRELATED, ANTICORRELATED = 0, 1, 2
COUPLING_CODES = {"independent": UNCOUPLED, "correlated": CORRELATED, "anticorrelated": ANTICORRELATED}


@dataclass(frozen=True, eq=False)
class Problem:
    """Everything a backend needs, one row per instance, float32 and C-contiguous unless said.

    `density`, `importance` (instance, feature); `learning_rate`, `strength` (instance,);
    `seeds` (instance,) uint64. Groups are stored as consecutive runs: group g is
    `group_members[group_starts[g] : group_starts[g + 1]]` (int32), `loose` (int32) are the features in
    no group, and `coupling` is 0 (independent), 1 (correlated) or 2 (anticorrelated).

    `start` holds the first weights of every instance: starts are drawn here, so all backends share them.
    `samples` (sample, feature) is the explicit data set, if any; `fixed_samples` asks for one data set
    per instance, which `sampling.fixed_data_sets` draws, again for all backends alike.

    `mixing` (instance or 1, feature, feature) is the matrix of the target, if it has one.

    `rates` (step,) float64 multiplies the learning rate at each step.
    """

    data: Data
    model: Model
    recipe: Recipe
    instances: int
    density: NDArray[np.float32]
    importance: NDArray[np.float32]
    learning_rate: NDArray[np.float32]
    strength: NDArray[np.float32]
    seeds: NDArray[np.uint64]
    coupling: int
    group_members: NDArray[np.int32]
    group_starts: NDArray[np.int32]
    loose: NDArray[np.int32]
    samples: NDArray[np.float32] | None
    start: Weights
    mixing: NDArray[np.float32] | None
    rates: NDArray[np.float64]

    @property
    def plain(self) -> bool:
        """Whether the model is a common one: tied, linear inside without bias, L2, no mixed target, nothing frozen."""
        model = self.model
        usual = Model(model.features, model.hidden, model.output, target=model.target)
        return self.mixing is None and not self.recipe.frozen and model == usual

    @property
    def samples_per_epoch(self) -> int | None:
        """Size of the finite data set, or `None` when every batch is fresh."""
        return len(self.samples) if self.samples is not None else self.data.fixed_samples


def resolve(data: Data, model: Model, recipe: Recipe, instances: int | None = None) -> Problem:
    """Check, broadcast and draw the starts.

    Raises `SpecificationError` (a `ValueError`) naming the field and its value.
    """
    check_model(model)
    count = _instances(data, model, recipe, instances)
    density = _per_feature("density", data.density, count, model.features)
    check_range("density", density, 0.0, 1.0)
    strength = _per_instance("strength", data.strength, count)
    check_data(data, model, density, strength)
    check_recipe(recipe, model)
    importance = _per_feature("importance", data.importance, count, model.features)
    check_range("importance", importance, 0.0, np.inf)
    learning_rate = _per_instance("learning_rate", recipe.learning_rate, count)
    check_range("learning_rate", learning_rate, 0.0, np.inf, open_low=True)
    seeds = instance_seeds(recipe.seed, recipe.instance_seeds, count)
    members, starts, loose = _groups(data, model)
    return Problem(
        data=data,
        model=model,
        recipe=recipe,
        instances=count,
        density=density,
        importance=importance,
        learning_rate=learning_rate,
        strength=strength,
        seeds=seeds,
        coupling=COUPLING_CODES[data.coupling],
        group_members=members,
        group_starts=starts,
        loose=loose,
        samples=None if data.samples is None else np.ascontiguousarray(data.samples, dtype=np.float32),
        start=_start(recipe, model, seeds),
        mixing=_mixing(model),
        rates=rate_factors(recipe),
    )


def rate_factors(recipe: Recipe) -> NDArray[np.float64]:
    """Return what the learning rate is multiplied by at each step: (step,)."""
    step = np.arange(recipe.steps, dtype=np.float64)
    if recipe.schedule == "cosine":
        after = np.clip((step - recipe.warmup) / max(recipe.steps - recipe.warmup, 1), 0.0, 1.0)
        factor = 0.5 * (1.0 + np.cos(np.pi * after))
    elif recipe.schedule == "step":
        factor = np.where(step >= recipe.step_at * recipe.steps, recipe.step_factor, 1.0)
    else:
        factor = np.ones(recipe.steps)
    if recipe.warmup:
        factor = factor * np.minimum((step + 1) / recipe.warmup, 1.0)
    return factor


def _instances(data: Data, model: Model, recipe: Recipe, asked: int | None) -> int:
    """Infer the number of instances from everything that may have one entry per instance."""
    named: dict[str, int] = {} if asked is None else {"instances": asked}
    for name, value, axis in (
        ("density", data.density, 2),
        ("importance", data.importance, 2),
        ("start_bias", recipe.start_bias, 2),
        ("strength", data.strength, 1),
        ("learning_rate", recipe.learning_rate, 1),
        ("start_scale", recipe.start_scale, 1),
    ):
        shape = np.shape(value)
        if len(shape) > axis:
            raise SpecificationError(f"{name} has shape {shape}, but at most {axis} axes make sense")
        if len(shape) == axis:
            named[name] = shape[0]
    if recipe.instance_seeds is not None:
        named["instance_seeds"] = len(recipe.instance_seeds)
    if model.target_mixing is not None and np.ndim(model.target_mixing) == 3:
        named["target_mixing"] = len(model.target_mixing)
    if isinstance(recipe.start, Weights):
        named["start"] = len(recipe.start.W)
    return _agreed(named)


def _agreed(named: Mapping[str, int]) -> int:
    """Return the one size that all entries broadcast to, or say which disagree."""
    for name, size in named.items():
        if size < 1:
            raise SpecificationError(f"{name} asks for {size} instances; at least 1 is needed")
    fixed = {name: size for name, size in named.items() if size > 1 or name in ("instances", "instance_seeds")}
    if len(set(fixed.values())) > 1:
        listed = ", ".join(f"{name} {size}" for name, size in fixed.items())
        raise SpecificationError(f"the number of instances is not agreed: {listed}")
    return max(named.values(), default=1)


def _per_feature(name: str, value: object, instances: int, features: int) -> NDArray[np.float32]:
    return _broadcast(name, value, (instances, features))


def _per_instance(name: str, value: object, instances: int) -> NDArray[np.float32]:
    return _broadcast(name, value, (instances,))


def _broadcast(name: str, value: object, shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = np.asarray(value, dtype=np.float32)
    try:
        return np.ascontiguousarray(np.broadcast_to(array, shape))
    except ValueError:
        expected = "(instance, feature)" if len(shape) == 2 else "(instance,)"
        raise SpecificationError(f"{name} has shape {array.shape}, which does not fit {expected} = {shape}") from None


def _groups(data: Data, model: Model) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    members = np.array([feature for group in data.groups for feature in group], dtype=np.int32)
    starts = np.cumsum([0, *(len(group) for group in data.groups)]).astype(np.int32)
    loose = np.setdiff1d(np.arange(model.features, dtype=np.int32), members).astype(np.int32)
    return members, starts, loose


def _mixing(model: Model) -> NDArray[np.float32] | None:
    if model.target_mixing is None:
        return None
    array = np.asarray(model.target_mixing, dtype=np.float32)
    return np.ascontiguousarray(array.reshape(-1, model.features, model.features))


def _start(recipe: Recipe, model: Model, seeds: NDArray[np.uint64]) -> Weights:
    """Return the first weights (instance, ...), drawn from each instance's own stream unless given."""
    shape = (len(seeds), model.hidden, model.features)
    if isinstance(recipe.start, Weights):
        return _given(recipe.start, shape, model)
    sigma = np.sqrt(2.0 / (model.hidden + model.features)) if recipe.start == "xavier" else 1.0
    scale = _per_instance("start_scale", recipe.start_scale, len(seeds))
    check_range("start_scale", scale, 0.0, np.inf)
    matrices = 1 if model.tied else 2
    drawn = np.stack([stream(seed, START).standard_normal((matrices, *shape[1:])) for seed in seeds])
    drawn = (drawn * (sigma * scale[:, None, None, None])).astype(np.float32)
    W_out = None if model.tied else np.ascontiguousarray(drawn[:, 1].transpose(0, 2, 1), dtype=np.float32)
    b = _per_feature("start_bias", recipe.start_bias, len(seeds), model.features)
    check_range("start_bias", b, -np.inf, np.inf)
    b_hidden = np.zeros(shape[:2], np.float32) if model.hidden_bias else None
    return Weights(np.ascontiguousarray(drawn[:, 0]), b.copy(), W_out, b_hidden)


def _given(start: Weights, shape: tuple[int, int, int], model: Model) -> Weights:
    instances, hidden, features = shape
    for name, array, wanted, why in (
        ("W_out", start.W_out, not model.tied, f"tied={model.tied}"),
        ("b_hidden", start.b_hidden, model.hidden_bias, f"hidden_bias={model.hidden_bias}"),
    ):
        if wanted != (array is not None):
            raise SpecificationError(f"start.{name} is {'missing' if wanted else 'given'}, but the model is {why}")
    W_out = None if start.W_out is None else _weights("start.W_out", start.W_out, (instances, features, hidden))
    b_hidden = None if start.b_hidden is None else _weights("start.b_hidden", start.b_hidden, (instances, hidden))
    W, b = _weights("start.W", start.W, shape), _weights("start.b", start.b, (instances, features))
    return Weights(W, b, W_out, b_hidden)


def _weights(name: str, value: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    array = np.asarray(value, dtype=np.float32)
    if array.ndim != len(shape) or array.shape[0] not in (1, shape[0]) or array.shape[1:] != shape[1:]:
        raise SpecificationError(f"{name} has shape {array.shape}, which does not fit {shape}")
    check_range(name, array, -np.inf, np.inf)
    return np.ascontiguousarray(np.broadcast_to(array, shape)).copy()
