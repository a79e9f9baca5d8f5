"""Twenty features in five dimensions: what does a linear model keep, and what a ReLU model, as features become rare?

Elhage et al. 2022, "Demonstrating superposition" (visualisation and basic results): importance falls as 0.7^i, the
same data are given to a model with a linear and one with a ReLU output, at seven densities from 1 to 0.001.
"""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray
from scipy.stats import spearmanr

from experiments.basic_results.shared.importance_figures import draw_pictures, over_density
from experiments.basic_results.shared.importance_sweep import (
    Ladder,
    Measures,
    Models,
    Picture,
    Training,
    absent_bias_error,
    best_of,
    identity_error,
    least_linear_loss,
    measure,
    only,
    relative_loss,
    revived,
    train_ladder,
    train_on,
)
from experiments.core import plotting
from experiments.core.collapse import percentile_quantity
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Criterion,
    Evidence,
    Holds,
    Verdict,
    above,
    mixed_if,
    supported_if,
    where,
)
from experiments.core.metrics import represented
from experiments.core.quantities import Quantity, exact, mean, median, share

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "Demonstrating Superposition"'
RELU = Ladder(features=20, hidden=5, decay=0.7)
LINEAR = Ladder(features=20, hidden=5, decay=0.7, output="linear")

MOST_SEEDS = 0.8
"""A statement is reproduced when it holds in more than this share of seeds."""

RARE = 0.003
"""Densities up to this one count as "high sparsity"."""


RELU_TRAINING = Training(
    steps=6000, batches=((0.2, 64), (0.1, 128), (0.03, 256), (0.01, 384), (0.003, 1024), (0.0, 2048))
)
LINEAR_TRAINING = Training(steps=5000, batches=((0.03, 64), (0.003, 256), (0.0, 1024)))


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 48  # ReLU models per density
    linear_seeds: int = 32  # linear models per density
    pictured: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # the paper's seven
    between: tuple[float, ...] = (0.8, 0.6, 0.5, 0.4, 0.2)  # ReLU models only, to see where superposition sets in
    relu: Training = RELU_TRAINING
    linear: Training = LINEAR_TRAINING
    samples: int = 1024  # for the loss given each number of present features
    resamples: int = 1000


@dataclass(frozen=True)
class Numbers:
    """Of linear models, and of ReLU models at density 1 (`dense_*`), where superposition sets in (`onset*`), and at the
    lowest densities (`rare_*`); `revived_*` of those when absent features start anew and training goes on."""

    seeds: Quantity
    linear_seeds: Quantity
    linear_ideal: Quantity
    linear_worst: Quantity
    linear_least: Quantity
    linear_excess: Quantity
    linear_bias_error: Quantity
    dense_as_linear: Quantity
    dense_identity_error: Quantity
    dense_bias_error: Quantity
    onset: Quantity
    onset_live: Quantity
    onset_pairs: Quantity
    onset_antipodal: Quantity
    onset_first: Quantity
    rare_superposed: Quantity
    rare_shared: Quantity
    rare_negative: Quantity
    rare_strongly: Quantity
    rare_live: Quantity
    rare_most: Quantity
    rare_all: Quantity
    rare_best_live: Quantity
    rare_spread: Quantity
    rare_loss: Quantity
    revived_live: Quantity
    revived_gain: Quantity
    revived_best_gain: Quantity
    rank_correlation: Quantity


@dataclass(frozen=True)
class Result:
    """`density` falls from 1; for the measures see `Measures`. Linear models are measured at `pictured` densities.

    `loss` and `linear_loss` are relative to answering the mean. `pictures` and `linear_pictures` show the model of
    least loss at each pictured density. `live_share` is the share of seeds in which a feature is represented.
    """

    density: Array  # (density,)
    pictured: Array  # (pictured density,)
    live: Array  # (density, seed)
    shared: Array  # (density, seed)
    negative: Array  # (density, seed)
    strongly: Array  # (density, seed)
    loss: Array  # (density, seed)
    linear_live: Array  # (pictured density, seed)
    linear_worst: Array  # (pictured density, seed)
    linear_loss: Array  # (pictured density, seed)
    pictures: Picture
    linear_pictures: Picture
    live_share: Array  # (density, feature)
    best_shows_pairs: bool
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Basic results: twenty features in five dimensions",
    config=Config(),
    quick=Config(
        seeds=6,
        linear_seeds=4,
        between=(0.5,),
        relu=Training(steps=800, batches=((0.1, 32), (0.01, 128), (0.0, 256))),
        linear=Training(steps=600, batches=((0.03, 32), (0.0, 128))),
        samples=64,
        resamples=50,
    ),
    large=Config(seeds=1024, linear_seeds=256),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    pictured = np.array(config.pictured)
    density = np.array(sorted(set(config.pictured) | set(config.between), reverse=True))
    relu = train_ladder(RELU, density, config.relu, config.seeds, config.seed, device)
    linear = train_ladder(LINEAR, pictured, config.linear, config.linear_seeds, config.seed, device)
    loss = relative_loss(RELU, relu, density, config.samples, config.seed)
    linear_loss = relative_loss(LINEAR, linear, pictured, config.samples, config.seed)
    measures, linear_measures = measure(RELU, relu), measure(LINEAR, linear)
    shown = np.isin(density, pictured)
    onset = int(np.argmax(np.median(measures.live, axis=1) > RELU.hidden))
    pairs = _shares_in_pairs(measures)
    return Result(
        density=density,
        pictured=pictured,
        live=measures.live,
        shared=measures.shared,
        negative=measures.negative,
        strongly=measures.strongly,
        loss=loss,
        linear_live=linear_measures.live,
        linear_worst=linear_measures.worst,
        linear_loss=linear_loss,
        pictures=best_of(only(relu, density, pictured), loss[shown]),
        linear_pictures=best_of(linear, linear_loss),
        live_share=represented(relu.W).mean(1),
        best_shows_pairs=bool(pairs[onset, loss[onset].argmin()]),
        numbers=Numbers(
            seeds=exact(config.seeds, method="set-up"),
            linear_seeds=exact(config.linear_seeds, method="set-up"),
            **_linear_numbers(linear, linear_measures, pictured, linear_loss),
            **_dense_numbers(relu, measures, density),
            **_onset_numbers(measures, pairs, density, onset),
            **_rare_numbers(measures, loss, density),
            **_revived_numbers(config, relu, density, loss[-1], device),
            rank_correlation=_rank_correlation(measures.live, config),
        ),
    )


def _shares_in_pairs(measures: Measures) -> NDArray[np.bool_]:
    """Return whether a model's shared features are all antipodal, and none is among the two most important."""
    return np.asarray((measures.shared > 0) & (measures.paired == 1) & (measures.first_shared > 2))


def _linear_numbers(models: Models, measures: Measures, density: Array, loss: Array) -> dict[str, Quantity]:
    ideal = measures.top & (measures.worst < 0.02)
    return {
        "linear_ideal": share(ideal.all(0)),
        "linear_worst": exact(measures.worst.max(), method="largest of all models"),
        "linear_least": exact(least_linear_loss(LINEAR), method="closed form"),
        "linear_excess": exact((loss / least_linear_loss(LINEAR)).max() - 1, method="largest of all models"),
        "linear_bias_error": exact(absent_bias_error(models, density).max(), method="largest of all models"),
    }


def _dense_numbers(models: Models, measures: Measures, density: Array) -> dict[str, Quantity]:
    """Return how ReLU models at density 1 compare with the identity on the top features and the mean elsewhere."""
    dense = Models(models.W[:1], models.b[:1])
    identity, bias = identity_error(RELU, dense)[0], absent_bias_error(dense, density[:1])[0]
    as_linear = measures.top[0] & (measures.worst[0] < 0.02) & (identity < 0.05) & (bias < 0.02)
    return {
        "dense_as_linear": share(as_linear),
        "dense_identity_error": median(identity),
        "dense_bias_error": median(bias),
    }


def _onset_numbers(measures: Measures, pairs: NDArray[np.bool_], density: Array, onset: int) -> dict[str, Quantity]:
    return {
        "onset": exact(density[onset], method="the densest at which the median model represents more than 5"),
        "onset_live": median(measures.live[onset]),
        "onset_pairs": share(pairs[onset]),
        "onset_antipodal": mean(measures.paired[onset]),
        "onset_first": median(measures.first_shared[onset]),
    }


def _rare_numbers(measures: Measures, loss: Array, density: Array) -> dict[str, Quantity]:
    rare, rarest = density <= RARE, len(density) - 1
    crowded = (measures.shared[rare] == 1) & (measures.negative[rare] >= 0.8)
    return {
        "rare_superposed": share(crowded.all(0)),
        "rare_shared": mean(measures.shared[rarest]),
        "rare_negative": mean(measures.negative[rarest]),
        "rare_strongly": mean(measures.strongly[rarest]),
        "rare_live": median(measures.live[rarest]),
        "rare_most": exact(measures.live[rarest].max(), method="most of all models"),
        "rare_all": share(measures.live[rarest] == RELU.features),
        "rare_best_live": exact(measures.live[rarest, loss[rarest].argmin()], method="model of least loss"),
        "rare_spread": exact(np.median(loss[rarest]) / loss[rarest].min() - 1, method="median over least loss"),
        "rare_loss": median(loss[rarest]),
    }


def _revived_numbers(config: Config, models: Models, density: Array, loss: Array, device: str) -> dict[str, Quantity]:
    """Return what becomes of the rarest models when absent features get a second chance and training goes on."""
    lowest, training = float(density[-1]), replace(config.relu, learning_rate=config.relu.learning_rate / 3)
    start = revived(Models(models.W[-1], models.b[-1]), 0.3, np.random.default_rng(config.seed))
    again = train_on(RELU, lowest, training, start, config.seed + 1, device)
    new = Models(again.W[None], again.b[None])
    new_loss = relative_loss(RELU, new, [lowest], config.samples, config.seed)[0]
    return {
        "revived_live": median(measure(RELU, new).live[0]),
        "revived_gain": median(1 - new_loss / loss),
        "revived_best_gain": exact(1 - new_loss.min() / loss.min(), method="best of all models against best"),
    }


def _rank_correlation(live: Array, config: Config) -> Quantity:
    """Return Spearman's correlation, over densities, of 1/p with the mean number of live features."""
    order = np.arange(len(live))  # densities fall
    generator = np.random.default_rng(config.seed)
    seeds = live.shape[1]
    resampled = [
        spearmanr(order, live[:, generator.integers(seeds, size=seeds)].mean(1)).statistic
        for _ in range(config.resamples)
    ]
    return percentile_quantity(float(spearmanr(order, live.mean(1)).statistic), np.array(resampled), seeds)


@experiment.figure(
    "basic-twenty",
    title="Twenty features in five dimensions, linear and ReLU output",
    caption="The model of least loss at each density: above, the map W^T W from input to output, most important "
    "feature first, with the bias of every output beside it; below, the norms, darker where features share their "
    "direction. The linear model keeps the five most important features whatever the density. The ReLU model does the "
    "same when all features are present, and represents more, in superposition, the rarer they are: "
    "{numbers.rare_best_live:.0f} at the lowest density.",
    alt="Four rows of seven small panels. Linear model: the same five diagonal entries at every density and five pale "
    "bars. ReLU model: five entries at density 1, then more and more diagonal entries with negative entries off the "
    "diagonal, and more, darker bars, as density falls.",
)
def draw_panels(result: Result) -> Figure:
    titles = [f"$p$ = {p:g}" for p in result.pictured]
    return draw_pictures(
        {
            "linear": (result.linear_pictures, titles),
            "ReLU": (result.pictures, titles),
        },
        height=4.1,
    )


@experiment.figure(
    "basic-twenty-seeds",
    title="Superposition over density, over seeds",
    caption="Over {numbers.seeds:.0f} seeds, {numbers.linear_seeds:.0f} for linear models. (a) Features "
    "represented: the linear model's five, and a growing number of ReLU models. (b) Loss, in units of answering the "
    "mean: dashed, the least that a linear model can reach. (c) Share of represented features in superposition, and "
    "with a bias below 0 and clearly below. (d) Share of seeds that represent each feature: the least important "
    "are represented in few seeds or none, at every density.",
    alt="Four panels. As density falls, represented features rise from 5 to more than twice as many; loss of ReLU "
    "models falls from the linear level to a small part of it; the share in superposition and of negative biases rises "
    "to one; a heat map of feature by density whose border moves from feature 5 to less important ones.",
    interval="band: middle 80 % of seeds, line: median",
)
def draw_seeds(result: Result) -> Figure:
    figure, axes = plotting.new_figure(2, 2, width="wide", height=6.2)
    _draw_live(axes[0, 0], result)
    _draw_loss(axes[0, 1], result)
    _draw_shares(axes[1, 0], result)
    _draw_live_share(axes[1, 1], result)
    plotting.panel_letters(axes)
    return figure


def _draw_live(ax: Axes, result: Result) -> None:
    over_density(ax, result.density, result.live, label="ReLU")
    over_density(ax, result.pictured, result.linear_live, label="linear", index=1)
    plotting.density_axis(ax, ticks=(0.001, 0.01, 0.1, 1))
    ax.set(ylabel="features represented", ylim=(0, 20), yticks=range(0, 21, 5), title="represented")
    plotting.legend(ax)


def _draw_loss(ax: Axes, result: Result) -> None:
    over_density(ax, result.density, result.loss, label="ReLU")
    over_density(ax, result.pictured, result.linear_loss, label="linear", index=1)
    plotting.theory_level(ax, result.numbers.linear_least.value, label="least linear loss")
    plotting.density_axis(ax, ticks=(0.001, 0.01, 0.1, 1))
    ax.set(ylabel="loss / loss of the mean", yscale="log", title="loss")
    ax.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
    ax.yaxis.set_minor_formatter(NullFormatter())
    plotting.legend(ax)


def _draw_shares(ax: Axes, result: Result) -> None:
    over_density(ax, result.density, result.shared, label="in superposition")
    over_density(ax, result.density, result.negative, label="bias < 0", index=2)
    over_density(ax, result.density, result.strongly, label="bias < −0.05", index=3)
    plotting.density_axis(ax, ticks=(0.001, 0.01, 0.1, 1))
    plotting.percent_axis(ax)
    ax.set(ylabel="share of represented features", ylim=(-0.03, 1.03), title="how")
    plotting.legend(ax)


def _draw_live_share(ax: Axes, result: Result) -> None:
    plotting.density_axis(ax, ticks=(0.001, 0.01, 0.1, 1))
    mesh = plotting.heat(
        ax, result.density, np.arange(1, result.live_share.shape[1] + 1), result.live_share.T, colourbar=False
    )
    mesh.set_rasterized(True)
    plotting.colour_scale(mesh, ax, label="share of seeds")
    ax.set(ylabel="feature, by importance", title="which features", ylim=(20.5, 0.5), yticks=[1, 5, 10, 15, 20])


@experiment.claim(
    "basic-linear-top",
    title="A linear model keeps the most important features, at every density, and nothing else",
    source=SECTION,
    test="Linear models at all seven densities: exactly the five most important features have a norm above 1/2, and no "
    "superposition exceeds 0.02. Statistic: share of seeds in which this holds at every density.",
    criterion=above(MOST_SEEDS),
    figures=("basic-twenty", "basic-twenty-seeds"),
    published=Verdict.SUPPORTED,
)
def linear_seeds(result: Result) -> Quantity:
    return result.numbers.linear_ideal


@experiment.claim(
    "basic-dense-same",
    title="With every feature present the ReLU model is the linear one",
    source=SECTION,
    test="ReLU models at p = 1: exactly the five most important features are represented, no superposition exceeds "
    "0.02, W^T W is within 0.05 of the identity on them and 0 elsewhere, and the biases of the others are within 0.02 "
    "of the mean input. Statistic: share of seeds.",
    criterion=above(MOST_SEEDS),
    figures=("basic-twenty", "basic-twenty-seeds"),
    published=Verdict.SUPPORTED,
)
def dense_seeds(result: Result) -> Quantity:
    return result.numbers.dense_as_linear


@experiment.claim(
    "basic-more-when-rare",
    title="The rarer features are, the more of them a ReLU model represents",
    source=SECTION,
    test="Spearman correlation of 1/p with the mean number of represented features over seeds, bootstrap over seeds.",
    criterion=above(0.95),
    figures=("basic-twenty-seeds",),
    published=Verdict.SUPPORTED,
)
def more_when_rare(result: Result) -> Quantity:
    return result.numbers.rank_correlation


@experiment.claim(
    "basic-pairs-first",
    title="Superposition begins with less important features, as antipodal pairs",
    source=SECTION,
    test="ReLU models at the highest density at which the median model represents more than five features: every "
    "feature in superposition (above 0.1) has a partner with a cosine below −0.95, and neither of the two most "
    "important features is in superposition. Statistic: share of seeds.",
    criterion=Criterion(
        supported_if(where(best=Holds(), seeds=Above(MOST_SEEDS))),
        mixed_if(where(best=Holds())),
        otherwise=Verdict.REFUTED,
        names={"best": "the model of least loss shows it", "seeds": "the share of seeds"},
    ),
    figures=("basic-twenty", "basic-twenty-seeds"),
    published=Verdict.SUPPORTED,
)
def pairs_at_the_onset(result: Result) -> Evidence:
    return Evidence(seeds=result.numbers.onset_pairs, best=result.best_shows_pairs)


@experiment.claim(
    "basic-rare-superposed",
    title="At high sparsity every represented feature is in superposition, with a negative bias",
    source=SECTION,
    test="ReLU models at p = 0.003 and 0.001: all represented features have a superposition above 0.1 and at least "
    "four fifths of their biases are below 0. Statistic: share of seeds in which this holds at both.",
    criterion=above(MOST_SEEDS),
    figures=("basic-twenty", "basic-twenty-seeds"),
    published=Verdict.SUPPORTED,
)
def superposed_seeds(result: Result) -> Quantity:
    return result.numbers.rare_superposed


@experiment.claim(
    "basic-all-represented",
    title="At high sparsity every feature is represented",
    source=SECTION,
    test="ReLU models at p = 0.001. Statistic: share of seeds in which all twenty features have a norm above 1/2.",
    criterion=above(MOST_SEEDS),
    figures=("basic-twenty", "basic-twenty-seeds"),
    published=Verdict.REFUTED,
)
def seeds_with_all(result: Result) -> Quantity:
    return result.numbers.rare_all
