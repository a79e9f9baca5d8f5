"""Shrinkage: a penalty on the sum of activations makes every activation too small, by an amount that can be calculated.

With orthonormal features of probability p and the loss |x - x̂|^2 + λ Σ f, the best activation for a value s is
f = s - b - λ/2, where the decoder's bias b takes up a part of what is missing: b = λ/2 · p / (1 - p). Over the samples
in which a latent is active, the slope Σ f s / Σ s^2 is then 1 - λ / (2 (1 - p)) · E s / E s^2.
Gated and jumping activations
(Rajamanoharan et al. 2024) and those that impose the number of active latents have no reason to shrink.
"""

from dataclasses import dataclass
from itertools import product
from typing import get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.autoencoders.evaluation import evaluate_autoencoders
from experiments.core.autoencoders.specification import Autoencoder, Specification, Variant
from experiments.core.autoencoders.train import train_autoencoders
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.criteria import Above, Below, Criterion, Every, Evidence, Verdict, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.synthetic_data import unrelated

Array = NDArray[np.float64]

VARIANTS: tuple[Variant, ...] = get_args(Variant)


@dataclass(frozen=True)
class Config:
    """Defaults are the published run: as many orthonormal features as dimensions and latents."""

    seed: int = 0
    seeds: int = 12
    features: int = 24
    density: float = 0.08
    spread: float = 0.15
    penalties: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6)  # λ of the L1 penalty
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 3e-3
    samples: int = 20_000


@dataclass(frozen=True)
class Numbers:
    """Mean slopes by variant, the largest distance from the prediction over penalties, the least other slope."""

    largest_error: Quantity
    worst_other: Quantity
    slopes: dict[str, Quantity] = keyed(lambda config: VARIANTS)


@dataclass(frozen=True)
class Result:
    """Median over recovered features of the slope of activations on true values.

    `slope` is of every variant at the true L0, `by_penalty` of `relu` at given penalties, with the `predicted`.
    """

    variants: tuple[str, ...]
    penalties: Array  # (penalty,)
    predicted: Array  # (penalty,)
    slope: Array = undefined("no feature was recovered")  # (variant, seed)
    by_penalty: Array = undefined("no feature was recovered")  # (penalty, seed)
    numbers: Numbers = undefined("no feature was recovered in any seed")


experiment = Experiment(
    __name__,
    title="Shrinkage",
    config=Config(),
    quick=Config(seeds=2, features=12, density=0.15, penalties=(0.2, 0.4), steps=800, samples=4000),
    large=Config(seeds=20, features=64, density=0.03, steps=12_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    worlds = [
        unrelated(
            np.full(config.features, config.density), config.features, 1000 * config.seed + s, spread=config.spread
        )
        for s in range(config.seeds)
    ]
    active = config.features * config.density
    arms: list[tuple[Variant, float | None]] = [(variant, None) for variant in VARIANTS]
    arms += [("relu", penalty) for penalty in config.penalties]
    models = tuple(
        Autoencoder(
            variant,
            config.features,
            round(active) if variant == "topk" else active,
            seed=1000 * row + s,
            source=s,
            penalty=penalty,
        )
        for (row, (variant, penalty)), s in product(enumerate(arms), range(config.seeds))
    )
    specification = Specification(models, config.steps, config.batch, config.learning_rate, aux=True, seed=config.seed)
    trained = train_autoencoders(worlds, specification, device=device)
    found = evaluate_autoencoders(trained, worlds, samples=config.samples, seed=config.seed)
    slopes = found.slope.reshape(len(arms), config.seeds)
    ours, given = slopes[: len(VARIANTS)], slopes[len(VARIANTS) :]
    predicted = predicted_slope(np.array(config.penalties), config.density, config.spread)
    return Result(VARIANTS, np.array(config.penalties), predicted, ours, given, _numbers(ours, given, predicted))


def predicted_slope(penalty: Array, density: float, spread: float) -> Array:
    """Return 1 - λ / (2 (1 - p)) E s / E s^2 for values s with mean 1 and standard deviation `spread`.

    Present, the error is λ/2 whatever b is, for f follows: a feature costs p λ (s - b - λ/2) there; absent, it costs
    (1 - p) b^2. The sum is least at b = λ p / (2 (1 - p)), and λ/2 + b = λ / (2 (1 - p)).
    """
    return np.asarray(1 - penalty / (2 * (1 - density)) / (1 + spread**2))


def _numbers(slope: Array, by_penalty: Array, predicted: Array) -> Numbers:
    error = np.abs(by_penalty - predicted[:, None])
    others = np.array([row for variant, row in zip(VARIANTS, slope, strict=True) if variant != "relu"])
    return Numbers(
        slopes={variant: _finite_mean(row) for variant, row in zip(VARIANTS, slope, strict=True)},
        largest_error=_finite_mean(np.nanmax(np.where(np.isfinite(error), error, -np.inf), axis=0)),
        worst_other=exact(float(np.nanmin(np.nanmean(others, axis=1))), method="least mean over seeds"),
    )


def _finite_mean(values: Array) -> Quantity:
    """Return the mean over the seeds in which some feature was recovered."""
    kept = values[np.isfinite(values)]
    return mean(kept) if kept.size else exact(np.nan, method="no seed")


@experiment.figure(
    "failure-shrinkage",
    title="Shrinkage",
    caption="The ℓ₁ penalty shrinks activations to {numbers.slopes.relu} of their true values at the true L0; the "
    "other variants keep at least {numbers.worst_other:.2f} in the mean. Slope of activations on true values, over "
    "recovered features. (a) Every seed, and medians. (b) ReLU + ℓ₁ over the weight of its penalty; dashed: "
    "prediction for orthonormal features.",
    alt="Left, six groups of points near one, except that of the ℓ₁ penalty, which is lower. Right, points that fall "
    "with the penalty along a dashed line.",
    interval="a: every seed; b: Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2, width_ratios=[1.5, 1])
    names = [plotting.VARIANT_NAMES[variant] for variant in result.variants]
    groups = {name: row[np.isfinite(row)] for name, row in zip(names, result.slope, strict=True)}
    plotting.distribution_strip(left, groups)
    plotting.guide(left, 1.0)
    left.tick_params(axis="x", labelrotation=30)
    left.set(ylabel="slope (1: nothing is shrunk)", ylim=(0.6, 1.1))
    plotting.points(right, result.penalties, [_finite_mean(row) for row in result.by_penalty], label="ReLU + ℓ₁")
    plotting.theory_line(right, result.penalties, result.predicted, label="prediction")
    right.set(xlabel=r"penalty $\lambda$", ylabel="slope", ylim=(0.6, 1.1))
    plotting.panel_letters([left, right])
    plotting.legend(right)
    return figure


@experiment.claim(
    "failure-shrinkage",
    title="An ℓ₁ penalty shrinks activations as calculated; the other variants keep 97 % of them",
    source="Rajamanoharan et al. 2024 (2404.16014)",
    test="Orthonormal features. Statistic: largest distance, over penalties, of the slope of activations on true "
    "values from the prediction 1 − λ/(2(1 − p)) E s / E s², per seed; beside it the slopes of the other five "
    "variants at the true L0.",
    criterion=Criterion(
        supported_if(where(distance=Below(0.02)) & Every(name="others", each=Above(0.97), of="other variant")),
        refuted_if(where(distance=Above(0.05))),
        otherwise=Verdict.MIXED,
        names={"distance": "the distance", "others": "the slope"},
    ),
    figures=("failure-shrinkage",),
    published=Verdict.SUPPORTED,
)
def distance_from_the_prediction(result: Result) -> Evidence:
    others = tuple(slope for variant, slope in result.numbers.slopes.items() if variant != "relu")
    return Evidence(distance=result.numbers.largest_error, others=others)
