"""Configuration, results and computation of the absolute value over densities; `absolute_value` draws and decides."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.absolute import (
    Training,
    absolute,
    errors_by_count,
    relative_errors,
    total,
    trained_at,
)
from experiments.computation.shared.baselines import best_allocation, one_neuron
from experiments.computation.shared.neurons import MONOSEMANTIC, effective_features, primary_feature, rescaled
from experiments.core.contract import keyed, undefined
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean, share
from experiments.core.rank_correlation import rank_correlation

Array = NDArray[np.float64]

EQUAL, FALLING = "equal", "falling"
ARMS = (EQUAL, FALLING)

LOSS_SHARE = 0.9
"""A model beats the best allocation without superposition if its loss is below this share of that allocation's."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: int = 100
    hidden: int = 40
    p: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    falling: float = 0.8  # importance falls by this factor from feature to feature; the other arm has equal importance
    training: Training = field(default_factory=lambda: Training(batch=128, present=6))
    samples: int = 20_000  # of the evaluation, in each of which a feature is present
    counts: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16)  # how many features are present together
    count_samples: int = 1000  # for each of these


@dataclass(frozen=True)
class Arm:
    """One density with one importance; quantities over seeds."""

    ratio: Quantity  # loss over B, the best allocation's
    beats: Quantity  # seeds in which that is below 0.9
    computed: Quantity  # features with an error below r1/2
    monosemantic: Quantity  # share of the used neurons
    effective: Quantity  # features per used neuron, mean
    used: Quantity  # neurons
    order: Quantity  # rank correlation of effective features with the rank of a neuron's primary feature


@dataclass(frozen=True)
class AtDensity:
    """Both arms at one density, and models of equal importance by how many features are present together."""

    equal: Arm
    falling: Arm
    alone: Quantity  # error per present feature, what leaks into absent ones included, one feature present
    four: Quantity  # with four
    most: Quantity  # with as many as were tried
    worse_together: Quantity  # four over one, errors of present features only


@dataclass(frozen=True)
class Result:
    """Errors are shares of those of an output that is always 0; arms are equal and falling importance.

    `best` is B; `own` and `leak` hold errors per present feature, of present and of absent ones, by how many are
    present; `stacks` are the rescaled |W| of the first seed of the falling arm.
    """

    p: Array  # (density,)
    importance: Array  # (arm, feature)
    best: Array  # (arm, density)
    error: Array  # (arm, density, seed, feature)
    ratio: Array  # (arm, density, seed)
    computed: Array  # (arm, density, seed)
    monosemantic: Array  # (arm, density, seed)
    counts: NDArray[np.int64]  # (count,)
    own: Array  # (density, seed, count)
    leak: Array  # (density, seed, count)
    stacks: Array  # (density, hidden, feature)
    at: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.p])
    effective: Array = undefined("the neuron is not used")  # (arm, density, seed, hidden)


@dataclass(frozen=True)
class _Density:
    """What is measured at one density: arrays as in `Result` without their density axis."""

    error: Array  # (arm, seed, feature)
    effective: Array  # (arm, seed, hidden)
    primary: NDArray[np.int64]  # (arm, seed, hidden)
    own: Array  # (seed, count)
    leak: Array  # (seed, count)
    stacks: Array  # (hidden, feature)


def swept(config: Config, device: str) -> Result:
    """Train all densities, arms and seeds, and measure them."""
    importance = np.stack([np.ones(config.features), config.falling ** np.arange(config.features)])
    found = []
    for place, p in enumerate(config.p):
        advance("densities", place / len(config.p))
        found.append(_at_density(config, p, importance, device))
    densities = np.array(config.p)
    best = np.array([[best_allocation(each, row, config.hidden) for each in config.p] for row in importance])
    error = np.stack([each.error for each in found], axis=1)
    loss = np.stack([total(each, row) for each, row in zip(error, importance, strict=True)])
    effective = np.stack([each.effective for each in found], axis=1)
    result = {
        "p": densities,
        "importance": importance,
        "best": best,
        "error": error,
        "ratio": loss / best[..., None],
        "computed": (error < one_neuron(densities)[None, :, None, None] / 2).sum(-1).astype(np.float64),
        "effective": effective,
        "monosemantic": _share_monosemantic(effective),
        "counts": np.array(config.counts),
        "own": np.stack([each.own for each in found]),
        "leak": np.stack([each.leak for each in found]),
        "stacks": np.stack([each.stacks for each in found]),
    }
    primary = np.stack([each.primary for each in found], axis=1)
    return Result(**result, at=_summary(config, result, primary))


def _at_density(config: Config, p: float, importance: Array, device: str) -> _Density:
    """Train and measure the models of one density; instances run (arm, seed)."""
    model = absolute(config.features, config.hidden)
    shape = (len(ARMS), config.seeds)
    weights = trained_at(config.training, model, p, importance, config.seed, config.seeds, device)
    error = relative_errors(weights, model, p, config.samples, config.seed, config.seeds)
    units = rescaled(weights)
    effective = np.where(units.used, effective_features(units.W), np.nan)
    by_count = [
        errors_by_count(weights, k, config.counts, config.count_samples, (config.seed, 2, k))
        for k in range(config.seeds)  # the first arm: equal importance
    ]
    return _Density(
        error.reshape(*shape, -1),
        effective.reshape(*shape, -1),
        primary_feature(units.W).reshape(*shape, -1),
        np.stack([own for own, _ in by_count]),
        np.stack([leak for _, leak in by_count]),
        np.abs(units.W[config.seeds]) * units.used[config.seeds, :, None],
    )


def _share_monosemantic(effective: Array) -> Array:
    """Return the share of used neurons with hardly more than one feature (...); 0 where none is used."""
    used = np.isfinite(effective)
    few = (np.nan_to_num(effective, nan=np.inf) < MONOSEMANTIC).sum(-1)
    return np.asarray(few / np.maximum(used.sum(-1), 1))


def _summary(config: Config, result: dict[str, Array], primary: NDArray[np.int64]) -> dict[str, AtDensity]:
    summary = {}
    for place, p in enumerate(config.p):
        arms = [_arm(config, result, primary, number, place) for number in range(len(ARMS))]
        own, leak = result["own"][place], result["leak"][place]
        four = config.counts.index(4)
        summary[f"{p:g}"] = AtDensity(
            equal=arms[0],
            falling=arms[1],
            alone=mean((own + leak)[:, 0]),
            four=mean((own + leak)[:, four]),
            most=mean((own + leak)[:, -1]),
            worse_together=mean(own[:, four] / own[:, 0]),
        )
    return summary


def _arm(config: Config, result: dict[str, Array], primary: NDArray[np.int64], arm: int, place: int) -> Arm:
    at = (arm, place)
    effective = result["effective"][at]
    used = np.isfinite(effective)
    order = [
        float(rank_correlation(many[kept], first[kept]))
        for many, first, kept in zip(effective, primary[at], used, strict=True)
    ]
    per_neuron = [float(many[kept].mean()) for many, kept in zip(effective, used, strict=True)]
    return Arm(
        ratio=mean(result["ratio"][at]),
        beats=share(result["ratio"][at] < LOSS_SHARE),
        computed=mean(result["computed"][at], "features", within=(0, config.features)),
        monosemantic=mean(result["monosemantic"][at], within=(0, 1)),
        effective=mean(per_neuron, "features"),
        used=mean(used.sum(-1), "neurons", within=(0, config.hidden)),
        order=mean(order, within=(-1, 1)),
    )


def arms_at(result: Result, arm: str, lowest: float, highest: float) -> list[Arm]:
    """Return the summaries of one arm at all densities from `lowest` to `highest`, in order of the result."""
    chosen = [p for p in result.p if lowest <= p <= highest]
    return [getattr(result.at[f"{p:g}"], arm) for p in chosen]
