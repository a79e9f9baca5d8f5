"""Eighty features in twenty dimensions: is the larger model the smaller one, rescaled?

Elhage et al. 2022, "Demonstrating superposition": the basic results once more with n = 80, m = 20 and importances
0.9^i. Four features here stand for one of twenty in five dimensions, so the small model that it is compared with has
importances 0.9^(4i).
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from experiments.basic_results.shared.importance_figures import draw_pictures, over_density, part_of
from experiments.basic_results.shared.importance_numbers import (
    MOST_SEEDS,
    all_superposed,
    dense_models,
    only_top,
)
from experiments.basic_results.shared.importance_sweep import (
    Ladder,
    Models,
    Picture,
    Training,
    best_seeds,
    joined,
    least_linear_loss,
    measure,
    only,
    picture_of,
    relative_loss,
    slower,
    train_ladder,
)
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import Verdict, above, below
from experiments.core.metrics import cosines, off_diagonal, represented
from experiments.core.quantities import RESAMPLES, Quantity, exact, from_resamples, mean, median, share

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "Demonstrating Superposition"'
RELU = Ladder(features=80, hidden=20, decay=0.9)
LINEAR = Ladder(features=80, hidden=20, decay=0.9, output="linear")
SMALL = Ladder(features=20, hidden=5, decay=0.9**4)
ALIKE = 0.15
"""Two sizes agree when their features per dimension differ by less than this share at every density."""

RELU_TRAINING = Training(
    # At density 1 the biases of unimportant outputs are the noisiest thing measured, hence the larger batch.
    steps=8000,
    batches=((1.0, 256), (0.1, 64), (0.03, 128), (0.01, 192), (0.003, 512), (0.0, 1536)),
)
# Two features of nearly equal importance take long to sort out which of them is kept: many steps, a high rate.
LINEAR_TRAINING = Training(steps=24_000, batches=((1.0, 48), (0.01, 64), (0.0, 192)), learning_rate=2e-2)
SMALL_TRAINING = Training(
    steps=6000, batches=((0.2, 64), (0.1, 128), (0.03, 256), (0.01, 384), (0.003, 1024), (0, 2048))
)


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 20  # ReLU models per density
    linear_seeds: int = 24
    small_seeds: int = 24
    densities: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # the paper's seven
    linear_densities: tuple[float, ...] = (1.0, 0.001)
    relu: Training = RELU_TRAINING
    linear: Training = LINEAR_TRAINING
    small: Training = SMALL_TRAINING
    checked: tuple[float, ...] = (0.001,)  # trained again for twice as long
    checked_seeds: int = 4
    samples: int = 128  # of each seed, for the loss given each number of present features


@dataclass(frozen=True)
class Numbers:
    """Of linear models, of ReLU models at density 1 (`dense_*`) and at the lowest densities (`rare_*`), and how the two
    sizes compare; `longer_live` is the change when models are trained twice as long."""

    seeds: Quantity
    small_seeds: Quantity
    linear_ideal: Quantity
    linear_worst: Quantity
    linear_excess: Quantity
    dense_as_linear: Quantity
    dense_identity_error: Quantity
    dense_bias_error: Quantity
    dense_live: Quantity
    rare_superposed: Quantity
    rare_shared: Quantity
    rare_negative: Quantity
    rare_live: Quantity
    rare_all: Quantity
    largest_deviation: Quantity
    longer_live: Quantity
    cosine: Quantity
    small_cosine: Quantity


@dataclass(frozen=True)
class Result:
    """`live` and `small_live` are features represented per dimension, `shared` and `small_shared` shares of them in
    superposition.

    `loss` and `small_loss` are relative to answering the mean. `picture` shows the model of least loss at each density,
    `linear_picture` one linear model. `ratio` is the mean of `live` over that of `small_live`.
    """

    density: Array  # (density,)
    live: Array  # (density, seed)
    small_live: Array  # (density, seed)
    shared: Array  # (density, seed)
    small_shared: Array  # (density, seed)
    loss: Array  # (density, seed)
    small_loss: Array  # (density, seed)
    picture: Picture
    linear_picture: Picture
    ratio: tuple[Quantity, ...]  # (density,)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Basic results: eighty features in twenty dimensions",
    config=Config(),
    quick=Config(
        seeds=2,
        linear_seeds=2,
        small_seeds=2,
        densities=(1.0, 0.1, 0.01),
        linear_densities=(1.0, 0.01),
        relu=Training(steps=500, batches=((0.0, 32),)),
        linear=Training(steps=300, batches=((0.0, 32),)),
        small=Training(steps=500, batches=((0.0, 32),)),
        checked=(0.01,),
        checked_seeds=2,
        samples=16,
    ),
    large=Config(seeds=256, linear_seeds=64, small_seeds=1024),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.densities)
    relu = train_ladder(RELU, p, config.relu, config.seeds, config.seed, device)
    small = train_ladder(SMALL, p, config.small, config.small_seeds, config.seed, device)
    q = np.array(config.linear_densities)
    linear = train_ladder(LINEAR, q, config.linear, config.linear_seeds, config.seed, device)
    loss = relative_loss(RELU, relu, p, config.samples, config.seed)
    linear_loss = relative_loss(LINEAR, linear, q, config.samples, config.seed)
    measures, small_measures = measure(RELU, relu), measure(SMALL, small)
    live, small_live = measures.live / RELU.hidden, small_measures.live / SMALL.hidden
    ratio = _ratios(live, small_live, config)
    best = best_seeds(RELU, relu, p, loss, 2 * config.samples, config.seed)
    dense = dense_models(RELU, relu, p)
    linear_best = only(linear, q, q[-1:]), linear_loss[-1:].argmin(1)
    return Result(
        density=p,
        live=live,
        small_live=small_live,
        shared=measures.shared,
        small_shared=small_measures.shared,
        loss=loss,
        small_loss=relative_loss(SMALL, small, p, 2 * config.samples, config.seed),
        picture=picture_of(relu, best),
        linear_picture=picture_of(*linear_best),
        ratio=ratio,
        numbers=Numbers(
            seeds=exact(config.seeds, method="set-up"),
            small_seeds=exact(config.small_seeds, method="set-up"),
            **_linear_numbers(linear, linear_loss),
            dense_as_linear=share(dense.as_linear),
            dense_identity_error=median(dense.identity_error),
            dense_bias_error=median(dense.bias_error),
            dense_live=median(dense.live),
            **_rare_numbers(relu, p),
            largest_deviation=_largest_deviation(live, small_live, config),
            longer_live=_longer(config, live, device),
            cosine=mean(_positive_cosine(relu)),
            small_cosine=mean(_positive_cosine(small)),
        ),
    )


def _linear_numbers(models: Models, loss: Array) -> dict[str, Quantity]:
    found = measure(LINEAR, models)
    return {
        "linear_ideal": share(only_top(found).all(0)),
        "linear_worst": exact(found.worst.max(), method="largest of all models"),
        "linear_excess": exact((loss / least_linear_loss(LINEAR)).max() - 1, method="largest of all models"),
    }


def _rare_numbers(models: Models, p: Array) -> dict[str, Quantity]:
    found, rare = measure(RELU, models), p <= max(0.003, p.min())
    return {
        "rare_superposed": share(all_superposed(found, rare)),
        "rare_shared": mean(found.shared[-1], within=(0, 1)),
        "rare_negative": mean(found.negative[-1], within=(0, 1)),
        "rare_live": median(found.live[-1]),
        "rare_all": share(found.live[-1] == RELU.features),
    }


def _ratios(live: Array, small: Array, config: Config) -> tuple[Quantity, ...]:
    """Return the ratio of mean represented features per dimension at every density."""
    resampled, n = _resampled_ratios(live, small, config), min(live.shape[1], small.shape[1])
    centre = live.mean(1) / small.mean(1)
    return tuple(
        from_resamples(float(value), drawn, n, of="seeds of both sizes")
        for value, drawn in zip(centre, resampled.T, strict=True)
    )


def _resampled_ratios(live: Array, small: Array, config: Config) -> Array:
    """Return ratios (resample, density); the seeds of both sizes are independent and drawn anew each."""
    generator = np.random.default_rng(config.seed)

    def means(values: Array) -> Array:
        chosen = generator.integers(values.shape[1], size=(RESAMPLES, values.shape[1]))
        return np.asarray(values[:, chosen].mean(-1).T)

    return means(live) / means(small)


def _largest_deviation(live: Array, small: Array, config: Config) -> Quantity:
    """Return the largest |ratio - 1| over densities; the largest is chosen anew in each resample."""
    resampled = np.abs(_resampled_ratios(live, small, config) - 1).max(-1)
    value = float(np.abs(live.mean(1) / small.mean(1) - 1).max())
    return from_resamples(value, resampled, min(live.shape[1], small.shape[1]), of="seeds of both sizes")


def _longer(config: Config, live: Array, device: str) -> Quantity:
    """Return the change of live features per dimension when the checked densities are trained twice as long."""
    checked = np.array(config.checked)
    cases = [int(np.argmin(np.abs(np.array(config.densities) - value))) for value in checked]
    again = train_ladder(RELU, checked, slower(config.relu, 2), config.checked_seeds, config.seed, device)
    change = measure(RELU, again).live / RELU.hidden / live[cases, : config.checked_seeds] - 1
    return mean(change.mean(0))


def _positive_cosine(models: Models) -> Array:
    """Return the root mean square of positive cosines between live features, per model of the lowest density."""
    W = models.W[-1]
    live = represented(W)
    between = off_diagonal(cosines(np.where(live[:, None, :], W, 0.0)))
    return np.asarray(np.sqrt((np.maximum(between, 0) ** 2).sum(-1) / (between > 0).sum(-1)))


@experiment.figure(
    "basic-eighty",
    title="Eighty features in twenty dimensions",
    caption="The dense ReLU model is the linear one; at the lowest density the ReLU model represents a median of "
    "{numbers.rare_live:.0f} features. As for twenty features, drawn is the model of least loss at each density: its "
    "map W^T W with the biases b beside it, and below it the norms, coloured by superposition. The first is linear.",
    alt="Two strips of four square maps, each map above its bar chart: a diagonal of twenty entries in the linear and "
    "the dense ReLU model; with falling density the diagonal grows, entries off it become many and weak, and the bars "
    "become more and strongly coloured.",
)
def draw_panels(result: Result) -> Figure:
    together = joined(result.linear_picture, result.picture)
    titles = ["linear", *(f"$p$ = {p:g}" for p in result.density)]
    half = -(-len(titles) // 2)
    rows = (slice(0, half), slice(half, None))
    return draw_pictures(
        {name: (part_of(together, row), titles[row]) for name, row in zip(("", " "), rows, strict=True)}, height=6.0
    )


@experiment.figure(
    "basic-rescaled",
    title="The large model against the small one",
    caption="The large model and the small one differ by up to {numbers.largest_deviation:% value} in features "
    "per dimension. (a) Features represented per dimension, {numbers.seeds:.0f} seeds of the large and "
    "{numbers.small_seeds:.0f} of the small model, whose importance falls by the same factor per dimension. (b) Their "
    "ratio with bootstrap intervals; dashed, the 15 % within which the two count as alike. (c) Loss, in "
    "units of answering the mean.",
    alt="Three panels over feature probability: two curves of features per dimension that rise together from 1; their "
    "ratio with error bars near 1; two falling loss curves.",
    interval="a, c: middle 80 % of seeds, line: median; b: 95 % bootstrap interval over seeds",
)
def draw_rescaled(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.1)
    for index, (label, live, loss) in enumerate(
        (("80 in 20", result.live, result.loss), ("20 in 5", result.small_live, result.small_loss))
    ):
        over_density(axes[0], result.density, live, label=label, index=index)
        over_density(axes[2], result.density, loss, label=label, index=index)
    plotting.points(axes[1], result.density, list(result.ratio))
    for level in (1 - ALIKE, 1 + ALIKE):
        plotting.theory_level(axes[1], level, label="")
    plotting.guide(axes[1], 1)
    for ax in axes:
        plotting.density_axis(ax, ticks=(0.001, 0.01, 0.1, 1))
    axes[0].set(ylabel="features per dimension", ylim=(0, 4), title="represented")
    axes[1].set(ylabel="80 in 20 over 20 in 5", ylim=(0.7, 1.5), title="their ratio")
    axes[2].set(ylabel="loss / loss of the mean", yscale="log", title="loss")
    axes[2].set_yticks([0.01, 0.02, 0.05, 0.1, 0.2], ["0.01", "0.02", "0.05", "0.1", "0.2"])
    axes[2].yaxis.set_minor_formatter(NullFormatter())
    plotting.legend(axes[0], figure=figure)
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "basic-large-linear",
    title="The large linear model keeps the twenty most important features, dense and rare",
    source=SECTION,
    test="Linear models at p = 1 and 0.001: exactly the twenty most important features have a norm above 1/2, "
    "and no superposition exceeds 0.02. Statistic: share of seeds in which this holds at both densities.",
    criterion=above(MOST_SEEDS),
    figures=("basic-eighty",),
    published=Verdict.INCONCLUSIVE,
)
def linear_seeds(result: Result) -> Quantity:
    return result.numbers.linear_ideal


@experiment.claim(
    "basic-large-dense",
    title="With every feature present the large ReLU model is the linear one",
    source=SECTION,
    test="ReLU models at p = 1: exactly the twenty most important features are represented, no superposition exceeds "
    "0.02, W^T W is within 0.05 of the identity on them and 0 elsewhere, and the biases of the others are within 0.02 "
    "of the mean input. Statistic: share of seeds.",
    criterion=above(MOST_SEEDS),
    figures=("basic-eighty",),
    published=Verdict.SUPPORTED,
)
def dense_seeds(result: Result) -> Quantity:
    return result.numbers.dense_as_linear


@experiment.claim(
    "basic-large-rare",
    title="At high sparsity every represented feature of the large model is in superposition, with a negative bias",
    source=SECTION,
    test="ReLU models at p = 0.003 and 0.001: all represented features have a superposition above 0.1 and at least "
    "four fifths of their biases are below 0. Statistic: share of seeds in which this holds at both.",
    criterion=above(MOST_SEEDS),
    figures=("basic-eighty",),
    published=Verdict.SUPPORTED,
)
def superposed_seeds(result: Result) -> Quantity:
    return result.numbers.rare_superposed


@experiment.claim(
    "basic-large-rescaled",
    title="The large model is a rescaled version of the small one",
    source=SECTION,
    test="Features represented per dimension, 80 in 20 dimensions at 0.9^i against 20 in 5 dimensions at 0.9^(4i), at "
    "the same densities. Statistic: largest relative difference of the means over seeds, bootstrap over seeds.",
    criterion=below(ALIKE),
    figures=("basic-rescaled",),
    published=Verdict.REFUTED,
)
def deviation_of_sizes(result: Result) -> Quantity:
    return result.numbers.largest_deviation
