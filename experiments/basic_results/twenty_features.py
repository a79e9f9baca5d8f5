"""Twenty features in five dimensions: what does a linear model keep, and what a ReLU model, as features become rare?

Elhage et al. 2022, "Demonstrating superposition" (visualisation and basic results): importance falls as 0.7^i, the
same data are given to a model with a linear and one with a ReLU output, at seven densities from 1 to 0.001.
"""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.basic_results.shared.importance_figures import draw_pictures
from experiments.basic_results.shared.importance_numbers import (
    MOST_SEEDS,
    all_superposed,
    dense_models,
    only_top,
)
from experiments.basic_results.shared.importance_sweep import (
    Ladder,
    Measures,
    Models,
    Picture,
    Training,
    absent_bias_error,
    best_seeds,
    least_linear_loss,
    measure,
    only,
    picture_of,
    relative_loss,
    revived,
    train_ladder,
    train_on,
)
from experiments.basic_results.shared.seed_panels import draw_live, draw_live_share, draw_loss, draw_shares
from experiments.core import plotting
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
from experiments.core.quantities import Quantity, bootstrap, exact, mean, median, share
from experiments.core.rank_correlation import rank_correlation

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "Demonstrating Superposition"'
RELU = Ladder(features=20, hidden=5, decay=0.7)
LINEAR = Ladder(features=20, hidden=5, decay=0.7, output="linear")

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
    samples: int = 512  # of each seed, for the loss given each number of present features


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
    dense = dense_models(RELU, relu, density)
    onset = int(np.argmax(np.median(measures.live, axis=1) > RELU.hidden))
    pairs = _shares_in_pairs(measures)
    best = best_seeds(RELU, relu, density, loss, 4 * config.samples, config.seed)
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
        pictures=picture_of(only(relu, density, pictured), best[shown]),
        linear_pictures=picture_of(linear, best_seeds(LINEAR, linear, pictured, linear_loss, 1, config.seed)),
        live_share=represented(relu.W).mean(1),
        best_shows_pairs=bool(pairs[onset, best[onset]]),
        numbers=Numbers(
            seeds=exact(config.seeds, method="set-up"),
            linear_seeds=exact(config.linear_seeds, method="set-up"),
            **_linear_numbers(linear, linear_measures, pictured, linear_loss),
            dense_as_linear=share(dense.as_linear),
            dense_identity_error=median(dense.identity_error),
            dense_bias_error=median(dense.bias_error),
            **_onset_numbers(measures, pairs, density, onset),
            **_rare_numbers(measures, loss, density, int(best[-1])),
            **_revived_numbers(config, relu, density, loss[-1], device),
            rank_correlation=bootstrap(lambda k: _rank(measures.live[:, k]), config.seeds, seed=config.seed),
        ),
    )


def _shares_in_pairs(measures: Measures) -> NDArray[np.bool_]:
    """Return whether a model's shared features are all antipodal, and none is among the two most important."""
    return np.asarray((measures.shared > 0) & (measures.paired == 1) & (measures.first_shared > 2))


def _linear_numbers(models: Models, measures: Measures, density: Array, loss: Array) -> dict[str, Quantity]:
    return {
        "linear_ideal": share(only_top(measures).all(0)),
        "linear_worst": exact(measures.worst.max(), method="largest of all models"),
        "linear_least": exact(least_linear_loss(LINEAR), method="closed form"),
        "linear_excess": exact((loss / least_linear_loss(LINEAR)).max() - 1, method="largest of all models"),
        "linear_bias_error": exact(absent_bias_error(models, density).max(), method="largest of all models"),
    }


def _onset_numbers(measures: Measures, pairs: NDArray[np.bool_], density: Array, onset: int) -> dict[str, Quantity]:
    return {
        "onset": exact(density[onset], method="the densest at which the median model represents more than 5"),
        "onset_live": median(measures.live[onset]),
        "onset_pairs": share(pairs[onset]),
        "onset_antipodal": mean(measures.paired[onset], within=(0, 1)),
        "onset_first": median(measures.first_shared[onset]),
    }


def _rare_numbers(measures: Measures, loss: Array, density: Array, best: int) -> dict[str, Quantity]:
    rarest = len(density) - 1
    return {
        "rare_superposed": share(all_superposed(measures, density <= RARE)),
        "rare_shared": mean(measures.shared[rarest], within=(0, 1)),
        "rare_negative": mean(measures.negative[rarest], within=(0, 1)),
        "rare_strongly": mean(measures.strongly[rarest], within=(0, 1)),
        "rare_live": median(measures.live[rarest]),
        "rare_most": exact(measures.live[rarest].max(), method="most of all models"),
        "rare_all": share(measures.live[rarest] == RELU.features),
        "rare_best_live": exact(measures.live[rarest, best], method="model of least loss"),
        "rare_spread": exact(np.median(loss[rarest]) / loss[rarest, best] - 1, method="median over least loss"),
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
        "revived_best_gain": bootstrap(lambda k: 1 - new_loss[k].min() / loss[k].min(), len(loss), seed=config.seed),
    }


def _rank(live: Array) -> float:
    """Return the rank correlation of 1/p with the mean number of represented features, over densities, which fall."""
    return float(rank_correlation(np.arange(len(live)), live.mean(1)))


@experiment.figure(
    "basic-twenty",
    title="Twenty features in five dimensions, linear and ReLU output",
    caption="The linear model keeps the five most important features at every density. The ReLU model does the same "
    "when all features are present, and represents more, in superposition, the rarer they are: "
    "{numbers.rare_best_live:.0f} at the lowest density. Drawn is the model of least loss at each density: the map "
    "W^T W from input to output, most important feature first, with the bias b of every output beside it; below, the "
    "norms, coloured by superposition.",
    alt="Four rows of seven small panels. Linear model: the same five diagonal entries at every density and five "
    "weakly coloured bars. ReLU model: five entries at density 1, then more and more diagonal entries with negative "
    "entries off the diagonal, and more, strongly coloured bars, as density falls.",
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
    caption="Linear models represent five features at every density, ReLU models more the rarer features are; the "
    "least important are represented in few seeds or none. Drawn are {numbers.seeds:.0f} seeds, "
    "{numbers.linear_seeds:.0f} of linear models. (a) Features represented. (b) Loss, in units of answering the mean; "
    "dashed, the least that a linear model can reach. (c) Share of represented features in superposition, with a bias "
    "below 0, and with one clearly below. (d) Share of seeds that represent each feature.",
    alt="Four panels. As density falls, represented features rise from 5 to more than twice as many; loss of ReLU "
    "models falls from the linear level to a small part of it; the share in superposition and of negative biases rises "
    "to one; a heat map of feature by density whose border moves from feature 5 to less important ones.",
    interval="band: middle 80 % of seeds, line: median",
)
def draw_seeds(result: Result) -> Figure:
    figure, axes = plotting.new_figure(2, 2, width="wide", height=6.2)
    draw_live(axes[0, 0], {"ReLU": (result.density, result.live), "linear": (result.pictured, result.linear_live)})
    losses = {"ReLU": (result.density, result.loss), "linear": (result.pictured, result.linear_loss)}
    draw_loss(axes[0, 1], losses, least=result.numbers.linear_least.value)
    draw_shares(axes[1, 0], result.density, result.shared, result.negative, result.strongly)
    draw_live_share(axes[1, 1], result.density, result.live_share)
    plotting.panel_letters(axes)
    return figure


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
