"""The best possible alarm: an exact likelihood ratio on a model small enough to enumerate. Statement G1.

Six features in two dimensions, values on a grid, activations with a little noise: every state of the world can be
listed, so the probability of the activations with and without danger is known exactly. By the lemma of Neyman and
Pearson no detector notices more danger at the same rate of false alarms than their ratio does.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.alarm.shared.log_sums import log_sums
from experiments.alarm.shared.probes import Networks, logistic
from experiments.alarm.shared.rates import threshold_at
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import below
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean
from experiments.core.training import Data, Model, Recipe, train

Array = NDArray[np.float64]
Singles = NDArray[np.float32]

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Values that a feature can have; 0 is absent, and from one half on the target is dangerous."""

DETECTORS = ("likelihood ratio", "network probe", "logistic probe", "own direction")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 24
    features: int = 6
    hidden: int = 2
    density: float = 0.2
    rare: float = 0.05  # of the target, the first feature
    noise: float = 0.05  # standard deviation added to every activation
    importance: float = 4.0  # of the target, which makes up for its rarity
    steps: int = 4000
    labels: int = 20_000
    network_steps: int = 800
    negatives: int = 20_000
    positives: int = 2000
    rates: tuple[float, ...] = (1e-1, 1e-2, 1e-3)


@dataclass(frozen=True)
class Numbers:
    """True alarms at a false-alarm rate of 0.01, and what each detector lacks to the best possible one."""

    ratio: Quantity
    network: Quantity
    logistic: Quantity
    direction: Quantity
    network_lacks: Quantity
    direction_lacks: Quantity


@dataclass(frozen=True)
class Result:
    """Rates of true alarms."""

    rates: Array  # (rate,)
    true: Array  # (detector, rate, seed)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="The best possible alarm",
    config=Config(),
    quick=Config(seeds=3, steps=400, labels=2000, network_steps=200, negatives=2000, positives=300, rates=(1e-1, 1e-2)),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    W = _models(config, device)
    true = np.empty((len(DETECTORS), len(config.rates), config.seeds))
    for s in range(config.seeds):
        true[..., s] = _one_seed(config, W[s], s)
        advance("exact likelihood ratios", (s + 1) / config.seeds)
    main = list(config.rates).index(1e-2)
    at = true[:, main]
    return Result(
        np.array(config.rates),
        true,
        Numbers(
            ratio=mean(at[0], within=(0, 1)),
            network=mean(at[1], within=(0, 1)),
            logistic=mean(at[2], within=(0, 1)),
            direction=mean(at[3], within=(0, 1)),
            network_lacks=mean(at[0] - at[1]),
            direction_lacks=mean(at[0] - at[3]),
        ),
    )


def densities(config: Config) -> Array:
    """Return the probability of each feature (feature,)."""
    return np.where(np.arange(config.features) == 0, config.rare, config.density)


def _models(config: Config, device: str) -> Singles:
    p = densities(config).astype(np.float32)
    importance = np.where(np.arange(config.features) == 0, config.importance, 1.0).astype(np.float32)
    recipe = Recipe(config.steps, 256, 3e-3, schedule="cosine", seed=config.seed, start_bias=p / 2)
    return train(Data(p, importance), Model(config.features, config.hidden), recipe, config.seeds, device).weights.W


def drawn(config: Config, generator: np.random.Generator, count: int, target: str) -> Singles:
    """Return samples (count, feature) on the grid, the target "absent" or "dangerous"."""
    values = generator.choice(LEVELS[1:], (count, config.features))
    x = np.where(generator.random(values.shape) < densities(config), values, 0.0)
    x[:, 0] = 0.0 if target == "absent" else generator.choice(LEVELS[2:], count)
    return x.astype(np.float32)


def states(config: Config) -> tuple[Singles, Array]:
    """Return all states of the features beside the target (state, feature - 1) and their log probabilities (state,)."""
    values = np.array(list(product(LEVELS, repeat=config.features - 1)), dtype=np.float32)
    p = densities(config)[1:]
    present = np.where(values > 0, np.log(p / (len(LEVELS) - 1)), np.log1p(-p))
    return values, present.sum(1)


def log_ratio(config: Config, W: Singles, h: Singles) -> Array:
    """Return the log of P(h | dangerous) over P(h | absent) (sample,), exact up to rounding."""
    values, weight = states(config)
    others = (values @ W[:, 1:].T).astype(np.float64)
    scores = [
        log_sums(h - level * W[:, 0].astype(np.float64), others, weight, 1 / (2 * config.noise**2))
        for level in (0.0, *LEVELS[2:])
    ]
    danger = np.logaddexp.reduce(scores[1:], axis=0) - np.log(len(LEVELS) - 2)
    return np.asarray(danger - scores[0])


def _one_seed(config: Config, W: Singles, s: int) -> Array:
    """Return the rates of true alarms (detector, rate) of one model; all samples are this seed's own."""
    generator = np.random.default_rng([config.seed, s])

    def activations(count: int, target: str) -> Singles:
        h = drawn(config, generator, count, target) @ W.T
        return np.asarray(h + config.noise * generator.standard_normal(h.shape), dtype=np.float32)

    half = config.labels // 2
    h = np.concatenate([activations(half, "absent"), activations(half, "dangerous")])
    labels = np.arange(len(h)) >= half
    row, bias = logistic(h, labels)
    network = Networks(h[None], labels[None], 32, config.network_steps, 256, config.seed + s)
    no, yes = activations(config.negatives, "absent"), activations(config.positives, "dangerous")
    scores = [(log_ratio(config, W, each), network(each)[0], each @ row + bias, each @ W[:, 0]) for each in (no, yes)]
    return np.array(
        [[(high > threshold_at(low, rate)).mean() for rate in config.rates] for low, high in zip(*scores, strict=True)]
    )


@experiment.figure(
    "alarm-ceiling",
    title="How far detectors are from the best possible one",
    caption=(
        "At one false alarm in a hundred the exact likelihood ratio notices {numbers.ratio:% value} of dangerous "
        "samples, the network probe {numbers.network:% value} and the plain direction {numbers.direction:% value}. Six "
        "features in two dimensions, values on a grid, activations with noise; mean over seeds with its interval."
    ),
    alt="Four rising lines of the true-alarm rate over the false-alarm rate; the likelihood ratio lies highest.",
    interval="95 % Student t interval over seeds",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.3)
    for index, name in enumerate(DETECTORS):
        found = [mean(row, within=(0, 1)) for row in result.true[index]]
        beside = result.rates * 1.05 ** (index - 1.5)  # so that no interval hides another
        plotting.points(ax, beside, found, label=name, index=index, line=True)
    ax.set(xscale="log", xlabel="rate of false alarms (FPR)", ylabel="rate of true alarms (TPR)")
    plotting.percent_axis(ax)
    plotting.legend(ax)
    return figure


@experiment.claim(
    "alarm-near-ceiling",
    title="A trained network comes within five points of the best possible alarm",
    statements=("G1",),
    test="True alarms at a false-alarm rate of 0.01: exact likelihood ratio less network probe.",
    criterion=below(0.05),
    figures=("alarm-ceiling",),
)
def network_lacks(result: Result) -> Quantity:
    return result.numbers.network_lacks


@experiment.claim(
    "alarm-direction-near-ceiling",
    title="The plain direction comes within five points of the best possible alarm",
    statements=("G1",),
    test="True alarms at a false-alarm rate of 0.01: exact likelihood ratio less the target's own direction.",
    criterion=below(0.05),
    figures=("alarm-ceiling",),
)
def direction_lacks(result: Result) -> Quantity:
    return result.numbers.direction_lacks
