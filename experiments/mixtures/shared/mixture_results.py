"""Configuration and results of the comparison of mixtures; `mixture_comparison` computes them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import keyed
from experiments.core.quantities import Quantity
from experiments.mixtures.shared.mixture_model import GateStart, Mixture, dense, matched

Array = NDArray[np.float64]

KINDS = ("hidden", "total", "active", "cost")
"""In what a dense model may match a mixture; see `mixture_model.Matched`."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 1  # another one than in the run after which two claims were added
    seeds: int = 16
    features: int = 100
    p: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)  # probability that a feature is present
    batch: tuple[int, ...] = (64, 64, 96, 192, 384, 512)  # samples per step at each density
    xavier: tuple[tuple[int, int, int], ...] = (
        (20, 1, 1),
        (20, 1, 2),
        (20, 1, 3),
        (20, 1, 4),
        (20, 1, 5),
        (10, 2, 1),
        (10, 2, 2),
        (10, 2, 3),
        (5, 4, 1),
        (5, 4, 2),
        (5, 4, 3),
        (4, 5, 1),
    )  # experts, hidden units of each, active experts; gate with a Xavier start
    k_hot: tuple[tuple[int, int, int], ...] = ((20, 1, 1), (10, 2, 1), (5, 4, 1), (5, 4, 2), (4, 5, 1))  # K-hot start
    bottlenecks: tuple[int, ...] = (2, 4)  # units kept by a top-k bottleneck, of `hidden`
    hidden: int = 20  # units of all experts together
    rare_p: float = 0.01  # the density that single numbers are about
    published_p: float = 0.1  # the published averages are over densities from here up
    steps: int = 500
    learning_rate: float = 1e-2
    evaluation: int = 32  # batches in the common evaluation set of a seed
    longer: int = 3  # how many times the steps the check of convergence takes


def name_of(model: Mixture) -> str:
    """Return how a mixture or bottleneck is called."""
    if model.units:
        return f"top-{model.units} bottleneck"
    if model.experts == 1:
        return f"dense {model.hidden}"
    gate = "K-hot" if model.gate_start == "k-hot" else "Xavier"
    return f"{model.experts} x {model.hidden}, top-{model.active}, {gate}"


def mixtures_of(config: Config) -> list[Mixture]:
    """Return all mixtures of the comparison."""
    starts: tuple[tuple[GateStart, tuple[tuple[int, int, int], ...]], ...] = (
        ("xavier", config.xavier),
        ("k-hot", config.k_hot),
    )
    return [Mixture(e, m, k, gate_start=start) for start, shapes in starts for e, m, k in shapes]


def bottlenecks_of(config: Config) -> list[Mixture]:
    """Return the top-k bottlenecks without experts."""
    return [Mixture(1, config.hidden, units=units) for units in config.bottlenecks]


def dense_sizes(config: Config) -> list[int]:
    """Return the hidden units of all dense models that match something, in order."""
    compared = [*mixtures_of(config), *bottlenecks_of(config)]
    return sorted({getattr(matched(model, config.features), kind) for model in compared for kind in KINDS})


def models_of(config: Config) -> list[Mixture]:
    """Return all models, in the order of every array: mixtures, bottlenecks, dense ones."""
    return [*mixtures_of(config), *bottlenecks_of(config), *(dense(size) for size in dense_sizes(config))]


def compared_names(config: Config) -> list[str]:
    """Return the names of mixtures and bottlenecks."""
    return [name_of(model) for model in (*mixtures_of(config), *bottlenecks_of(config))]


def mixture_names(config: Config) -> list[str]:
    """Return the names of mixtures."""
    return [name_of(model) for model in mixtures_of(config)]


@dataclass(frozen=True)
class Against:
    """Loss over that of a matched dense model: geometric means over densities, or at the rare density."""

    hidden: Quantity
    total: Quantity
    active: Quantity
    cost: Quantity
    total_rare: Quantity
    cost_rare: Quantity


@dataclass(frozen=True)
class Compared:
    """One mixture or bottleneck."""

    parameters: Quantity
    multiply_adds: Quantity  # per sample, gate included
    routing_share: Quantity  # multiply-adds of gate and combination over those of the active experts
    avoidance: Quantity  # below 1: less routed interference than the best matched model, at a competitive loss
    avoidance_cost: Quantity  # the same against the dense model of equal cost alone
    same_loss: Quantity  # routed interference over that of a dense model of the same loss
    routed: Quantity  # routed interference at the rare density, share of the input's energy
    general: Quantity
    mass_per_unit: Quantity  # ||W_e||_F^2 / m over living experts, mean over densities
    dimensionality: Quantity  # per feature, summed over experts, at the rare density
    entropy: Quantity  # of expert use over that of equal use, at the rare density
    dead: Quantity  # experts at the rare density
    against: Against


@dataclass(frozen=True)
class Numbers:
    """What several models say together."""

    least_total: Quantity  # least ratio over mixtures, against equal parameters
    least_active: Quantity
    least_cost: Quantity
    least_total_rare: Quantity  # the same at the rare density
    least_cost_rare: Quantity
    tolerance: Quantity  # the ratio up to which a loss is competitive
    least_avoidance: Quantity
    least_bottleneck_avoidance: Quantity
    least_avoidance_cost: Quantity  # of mixtures
    least_same_loss: Quantity  # of mixtures
    most_same_loss: Quantity
    least_routing_share: Quantity
    most_cost_share: Quantity  # largest multiply-adds of a mixture over those of the dense model with as many units
    more_experts: Quantity  # features per dimension: most experts over fewest, top-1
    more_experts_active: Quantity  # the same with as many active units
    gate_start: Quantity  # loss with a K-hot over that with a Xavier gate, at the rare density, all shapes with both
    gate_kept: Quantity  # share of features whose expert after training is that of the start, where the gate learns
    gate_chance: Quantity  # that share if the expert were drawn anew
    least_published: Quantity  # least excess loss over dense at the published densities
    longer_dense: Quantity  # loss after more steps over the loss, at the rare density
    longer_mixture: Quantity


@dataclass(frozen=True)
class Result:
    """Measures of every model on the common evaluation sets."""

    p: Array  # (density,)
    multiply_adds: NDArray[np.int64]  # (model,)
    loss: Array  # (model, density, seed), mean squared error per feature
    routed: Array  # (model, density, seed), interference as a share of the input's energy
    general: Array  # (model, density, seed)
    mass_per_unit: Array  # (model, density, seed), features per dimension, mean over living experts
    mass_dense: Array  # (density, seed), of the dense model with as many hidden units as the mixtures
    entropy: Array  # (model, density, seed), evenness of the use of experts
    dead: Array  # (model, density, seed), experts
    numbers: Numbers
    compared: dict[str, Compared] = keyed(compared_names)
    published: dict[str, Quantity] = keyed(mixture_names)  # excess over dense at the published densities
