"""What a specification must satisfy; every failure names the field and its value."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError
from experiments.core.training.specification import Data, Model, Recipe


class SpecificationError(ReportError, ValueError):
    """A specification of training that makes no sense: names the field, its value and what would be valid."""


def check_range(name: str, values: NDArray[np.float32], low: float, high: float, open_low: bool = False) -> None:
    """Raise unless all `values` are finite and lie in [low, high] ((low, high] when `open_low`)."""
    fine = np.isfinite(values) & (values <= high) & ((values > low) if open_low else (values >= low))
    if not fine.all():
        where = tuple(int(index) for index in np.argwhere(~fine)[0])
        bounds = f"{'(' if open_low else '['}{low:g}, {high:g}]"
        raise SpecificationError(f"{name} is {values[where]:g} at {where}; it must be finite and in {bounds}")


def check_model(model: Model) -> None:
    """Raise unless the model's sizes and options are known."""
    for name, size in (("features", model.features), ("hidden", model.hidden)):
        if size < 1:
            raise SpecificationError(f"{name} is {size}; a model needs at least 1")
    _one_of("output", model.output, ("relu", "linear"))
    _one_of("hidden_activation", model.hidden_activation, ("linear", "relu"))
    _one_of("target", model.target, ("identity", "absolute", "relu"))
    _one_of("loss", model.loss, ("l2", "l4"))
    if model.loss == "l4" and model.output == "linear":
        raise SpecificationError("loss is 'l4', but output is 'linear'; the L4 loss needs output='relu'")
    if model.target_mixing is not None:
        _check_mixing(np.asarray(model.target_mixing), model.features)


def _check_mixing(mixing: NDArray[np.float32], features: int) -> None:
    if mixing.ndim not in (2, 3) or mixing.shape[-2:] != (features, features):
        raise SpecificationError(
            f"target_mixing has shape {mixing.shape}, which fits neither (feature, feature) = ({features}, {features}) "
            f"nor (instance, {features}, {features})"
        )
    check_range("target_mixing", mixing, -np.inf, np.inf)


def check_data(data: Data, model: Model, density: NDArray[np.float32], strength: NDArray[np.float32]) -> None:
    """Raise unless groups, coupling and the finite data set are consistent; `density` is (instance, feature)."""
    _one_of("coupling", data.coupling, ("independent", "correlated", "anticorrelated"))
    check_range("strength", strength, 0.0, 1.0)
    _check_groups(data, model.features)
    for group in data.groups:
        _check_group_density(data, group, density)
    if data.fixed_samples is not None and data.fixed_samples < 1:
        raise SpecificationError(f"fixed_samples is {data.fixed_samples}; a data set needs at least 1 sample")
    if data.samples is not None:
        _check_samples(data, model)


def _check_groups(data: Data, features: int) -> None:
    if data.groups and data.coupling == "independent":
        raise SpecificationError(f"groups is {data.groups}, but coupling is 'independent', which has no groups")
    if not data.groups and data.coupling != "independent":
        raise SpecificationError(f"coupling is {data.coupling!r}, but groups is empty: {data.groups}")
    owner: dict[int, int] = {}
    for number, group in enumerate(data.groups):
        if not group:
            raise SpecificationError(f"groups[{number}] is empty: {group}")
        for feature in group:
            if not 0 <= feature < features:
                raise SpecificationError(f"groups[{number}] holds feature {feature}, but features is {features}")
            if feature in owner:
                raise SpecificationError(f"groups[{owner[feature]}] and groups[{number}] overlap in feature {feature}")
            owner[feature] = number


def _check_group_density(data: Data, group: tuple[int, ...], density: NDArray[np.float32]) -> None:
    inside = density[:, list(group)]
    unequal = np.flatnonzero((inside != inside[:, :1]).any(axis=1))
    if unequal.size:
        values = inside[unequal[0]].tolist()
        raise SpecificationError(f"density differs inside group {group} at instance {unequal[0]}: {values}")
    total = inside[:, 0].astype(np.float64) * len(group)
    worst = int(total.argmax())
    if data.coupling == "anticorrelated" and total[worst] > 1 + 1e-6:
        raise SpecificationError(
            f"density {inside[worst, 0]:g} of anticorrelated group {group} sums to {total[worst]:g}, more than 1"
        )


def _check_samples(data: Data, model: Model) -> None:
    samples = np.asarray(data.samples)
    if data.fixed_samples is not None:
        raise SpecificationError(f"samples and fixed_samples={data.fixed_samples} are both given; give one")
    if samples.ndim != 2 or samples.shape[1] != model.features or not len(samples):
        raise SpecificationError(f"samples has shape {samples.shape}, which does not fit (sample, {model.features})")
    check_range("samples", samples, -np.inf, np.inf)


def check_recipe(recipe: Recipe, model: Model) -> None:
    """Raise unless steps, batch, schedule, Adam's constants, start and snapshots make sense."""
    _at_least("steps", recipe.steps, 1)
    _at_least("batch", recipe.batch, 1)
    _at_least("warmup", recipe.warmup, 0)
    _one_of("schedule", recipe.schedule, ("constant", "cosine", "step"))
    for name, value, high in (
        ("step_at", recipe.step_at, 1.0),
        ("step_factor", recipe.step_factor, np.inf),
        ("epsilon", recipe.epsilon, np.inf),
        ("weight_decay", recipe.weight_decay, np.inf),
    ):
        if not 0 <= value <= high or not np.isfinite(value):
            raise SpecificationError(f"{name} is {value}; it must be finite and in [0, {high:g}]")
    for name, value in (("beta1", recipe.beta1), ("beta2", recipe.beta2)):
        if not 0 <= value < 1:
            raise SpecificationError(f"{name} is {value}; it must lie in [0, 1)")
    if isinstance(recipe.start, str):
        _one_of("start", recipe.start, ("xavier", "normal"))
    else:
        for name, given, default in (("start_scale", recipe.start_scale, 1), ("start_bias", recipe.start_bias, 0)):
            if np.any(np.asarray(given) != default):
                raise SpecificationError(f"{name} is {given}, but given start weights are taken as they are")
    parts = ["W", *(["b_hidden"] if model.hidden_bias else []), *([] if model.tied else ["W_out"]), "b"]
    for name in recipe.frozen:
        if name not in parts:
            raise SpecificationError(f"frozen holds {name!r}; the parameters of this model are {', '.join(parts)}")
    for step in recipe.snapshots:
        if not 0 <= step <= recipe.steps:
            raise SpecificationError(f"snapshots holds {step}, outside 0 to steps={recipe.steps}")


def _at_least(name: str, value: int, low: int) -> None:
    if value < low:
        raise SpecificationError(f"{name} is {value}; it must be at least {low}")


def _one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecificationError(f"{name} is {value!r}; known are {', '.join(known)}")
