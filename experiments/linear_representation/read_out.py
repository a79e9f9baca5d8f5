"""How well does a linear read-out recover features from superposition, and what breaks it? Statements B1 and B2.

In the toy model the features are known, so both halves of the hypothesis can be measured: whether activations are sums
of features times directions, and whether a linear layer gets the features back out of the sum.
"""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Verdict, above, less_than
from experiments.core.losses.evaluation import evaluate
from experiments.core.quantities import Quantity, mean
from experiments.core.read_out import (
    decomposed,
    least_squares,
    leverage,
    sparse_samples,
    undisturbed,
)
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float64]

READ_OUTS = ("own", "linear", "no bias", "no threshold", "no interference")
"""The model's own read-out `ReLU(W^T h + b)`; the best linear one, by least squares; and its own with b = 0, without
the ReLU, or with all other features absent."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 12  # models for each number of features and each density
    hidden: int = 10
    features: tuple[int, ...] = (10, 20, 40, 80)
    densities: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
    steps: int = 2500
    batch: int = 256
    learning_rate: float = 1e-2
    samples: int = 1 << 14  # of each seed, for evaluation; its arms share them
    broken: int = 40  # features of the models whose read-out is taken apart, and of those with a hidden ReLU


@dataclass(frozen=True)
class Numbers:
    """R^2 of each read-out where features are `rare` (p = 0.01) and `crowded` (p = 0.1), and shares of sums."""

    own_rare: Quantity
    linear_rare: Quantity
    no_bias_rare: Quantity
    no_threshold_rare: Quantity
    no_interference_rare: Quantity
    own_crowded: Quantity
    linear_crowded: Quantity
    no_bias_crowded: Quantity
    no_threshold_crowded: Quantity
    no_interference_crowded: Quantity
    sums_densest: Quantity
    sums_crowded: Quantity
    sums_start_crowded: Quantity
    sums_sparsest: Quantity
    sums_least: Quantity


@dataclass(frozen=True)
class Result:
    """R^2 `explained` by the `READ_OUTS`, over all features of a model.

    `ceiling` is the least-squares R^2 in closed form. `sums` is the share of the variance of a trained ReLU hidden
    layer that a sum of directions explains, `sums_at_start` the same of the layer that training started from.
    `broken` is the number of features of the models that are taken apart.
    """

    features: tuple[int, ...]
    hidden: int
    densities: Array  # (density,)
    explained: Array  # (features, density, read-out, seed)
    ceiling: Array  # (features, density, seed)
    sums: Array  # (density, seed)
    sums_at_start: Array  # (density, seed)
    rare_own: Quantity
    rare_linear: Quantity
    linear_error: Quantity
    interference_share: Quantity
    sum_share: Quantity
    numbers: Numbers
    broken: int

    @property
    def lost(self) -> Array:
        """Return the share of variance that is not explained, shaped as `explained`."""
        return 1 - self.explained


experiment = Experiment(
    __name__,
    title="Reading features from superposition",
    config=Config(),
    quick=Config(seeds=2, features=(10, 40), densities=(1.0, 0.1, 0.01), steps=200, samples=1 << 12),
    large=Config(seeds=32, steps=10_000, batch=1024),
)

RARE, CROWDED = 0.01, 0.1
"""The densities at which claims are decided: features mostly alone, and four of forty at a time."""


@experiment.run
def run(config: Config, device: str) -> Result:
    measured = [_measured(config, n, k, device) for k, n in enumerate(config.features)]
    sums, sums_at_start = _sums(config, device)
    found = np.stack([each for each, _ in measured])
    ceiling = np.stack([each for _, each in measured])
    broken = found[config.features.index(config.broken)]
    rare, crowded = (broken[config.densities.index(p)] for p in (RARE, CROWDED))
    at = {name: number for number, name in enumerate(READ_OUTS)}
    lost = 1 - crowded[at["own"]]
    by_read_out = {
        f"{name.replace(' ', '_')}_{where}": mean(values[at[name]], within=(-np.inf, 1))
        for where, values in (("rare", rare), ("crowded", crowded))
        for name in READ_OUTS
    }
    numbers = Numbers(
        **by_read_out,
        sums_densest=mean(sums[0], within=(0, 1)),
        sums_crowded=mean(sums[config.densities.index(CROWDED)], within=(0, 1)),
        sums_start_crowded=mean(sums_at_start[config.densities.index(CROWDED)], within=(0, 1)),
        sums_sparsest=mean(sums[-1], within=(0, 1)),
        sums_least=Quantity(float(sums.min()), n=sums.size, method="least over all densities and seeds"),
    )
    error = np.abs(found[:, :, at["linear"]] - ceiling)
    return Result(
        features=config.features,
        hidden=config.hidden,
        densities=np.array(config.densities),
        explained=found,
        ceiling=ceiling,
        sums=sums,
        sums_at_start=sums_at_start,
        rare_own=numbers.own_rare,
        rare_linear=numbers.linear_rare,
        linear_error=Quantity(float(error.max()), n=error.size, method="largest over all models"),
        interference_share=mean((crowded[at["no interference"]] - crowded[at["own"]]) / lost),
        sum_share=numbers.sums_crowded,
        numbers=numbers,
        broken=config.broken,
    )


def _measured(config: Config, n: int, k: int, device: str) -> tuple[Array, Array]:
    """Return R^2 (density, read-out, seed) and the closed form (density, seed) of models with `n` features."""
    model, p = Model(n, config.hidden), np.repeat(config.densities, config.seeds)
    recipe = replace(_recipe(config, config.seed + k), start_bias=p[:, None] / 2)
    trained = train(Data(p[:, None]), model, recipe, p.size, device)
    progress.advance(f"{n} features", (k + 1) / (len(config.features) + 1))
    weights = trained.weights
    linear = Model(n, config.hidden, output="linear")
    read_outs = {
        "own": _explained(config, weights, model, p),
        "linear": _explained(config, least_squares(weights.W, p), replace(linear, tied=False), p),
        "no bias": _explained(config, Weights(weights.W, np.zeros_like(weights.b)), model, p),
        "no threshold": _explained(config, weights, linear, p),
        "no interference": undisturbed(weights, p),
    }
    shape = (len(config.densities), config.seeds)
    by_read_out = np.stack([read_outs[name].reshape(shape) for name in READ_OUTS], axis=1)
    return by_read_out, leverage(weights.W).mean(-1).reshape(shape)


def _explained(config: Config, weights: Weights, model: Model, p: Array) -> Array:
    """Return R^2 (instance,), measured against the variance of the very samples that are read.

    Each seed has samples of its own, common to its densities and read-outs. Instances are (density, seed).
    """
    linear = Model(model.features, model.hidden, output="linear")
    constant = np.repeat(p[:, None] / 2, model.features, axis=1).astype(np.float32)
    found = np.empty(len(p))
    for seed in range(config.seeds):
        at = np.arange(seed, len(p), config.seeds)
        R = None if weights.W_out is None else weights.W_out[at]
        own, mean_input = Weights(weights.W[at], weights.b[at], R), Weights(np.zeros_like(weights.W[at]), constant[at])
        read, unread = (
            evaluate(each, Data(p[at, None]), kind, config.samples, config.seed + seed).feature_loss.mean(-1)
            for each, kind in ((own, model), (mean_input, linear))
        )
        found[at] = 1 - read / unread
    return found


def _sums(config: Config, device: str) -> tuple[Array, Array]:
    """Return the share of a ReLU hidden layer's variance that a sum explains, trained and at the start."""
    model = Model(config.broken, config.hidden, hidden_activation="relu", tied=False)
    p = np.repeat(config.densities, config.seeds)
    recipe = replace(_recipe(config, config.seed + len(config.features)), snapshots=(0,))
    trained = train(Data(p[:, None]), model, recipe, p.size, device)
    samples = min(config.samples, 1 << 14)

    def shares(weights: Weights) -> Array:
        found = [
            decomposed(np.maximum(x @ W.T, 0), x)
            for k, (density, W) in enumerate(zip(p, weights.W, strict=True))
            for x in [sparse_samples(density, config.broken, samples, config.seed + k)]
        ]
        return np.array(found).reshape(len(config.densities), config.seeds)

    return shares(trained.weights), shares(trained.snapshots[0])


def _recipe(config: Config, seed: int) -> Recipe:
    return Recipe(config.steps, config.batch, config.learning_rate, schedule="cosine", seed=seed)


@experiment.figure(
    "read-out-density",
    title="Reading features back, by density and features per dimension",
    caption="Sparsity helps the model's own read-out and not the best linear one. Drawn is the share of the features' "
    "variance that is read from ten hidden dimensions, mean over seeds. (a) The best linear read-out explains d/n of "
    "the variance (dashed) at every density. (b) The model's own read-out adds a bias and a ReLU, and with them the "
    "share rises as features become rare: with four features per dimension and p = 0.01 it is {rare_own:% value} where "
    "a linear read-out has {rare_linear:% value}.",
    alt="Two panels of R squared against feature probability, one line per number of features. Left: flat lines at "
    "one, one half, a quarter and an eighth. Right: the same values at probability one, rising as features become "
    "rarer.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", sharey=True)
    titles = {"linear": "best linear read-out", "own": "the model's own"}
    for ax, (read_out, title) in zip(axes, titles.items(), strict=True):
        for index, n in enumerate(result.features):
            _line(ax, result, result.explained[index, :, READ_OUTS.index(read_out)], index, f"$n$ = {n}")
            if read_out == "linear":
                label = "$d/n$" if n == result.features[-1] else ""
                level = min(1.0, result.hidden / n)
                plotting.theory_line(ax, result.densities, np.full(len(result.densities), level), label=label)
        plotting.density_axis(ax)
        ax.set(title=title, ylim=(-0.02, 1.02))
    axes[0].set_ylabel("variance explained, R²")
    plotting.legend(axes[0], figure=figure)
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "read-out-broken",
    title="What breaks a read-out, and what repairs it",
    caption="Bias and ReLU keep interference out: R² at p = 0.01 is {numbers.own_rare:value} with both, "
    "{numbers.no_bias_rare:value} without the bias and {numbers.no_threshold_rare:value} without the ReLU. Drawn is "
    "the variance that read-outs of models with four features per dimension leave; a constant leaves one (line). "
    "Without interference (all other features absent) less is left wherever "
    "features are rare: at p = 0.1 interference accounts for {interference_share:% value} of the loss. At p = 1 the "
    "biases compensate for interference, and taking it away does harm.",
    alt="Variance lost, on a logarithmic scale, against feature probability for five read-outs. Least is lost "
    "without interference; the model's own read-out loses less as features become rarer; without the bias or the ReLU "
    "the error exceeds that of a constant.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_broken(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.4)
    index = result.features.index(result.broken)
    for place, name in enumerate(READ_OUTS):
        label = name if name != "own" else "own, bias and ReLU"
        _line(ax, result, result.lost[index, :, place], place, label)
    plotting.guide(ax, 1.0)
    plotting.density_axis(ax)
    ax.set(ylabel="variance lost, 1 − R²", yscale="log")
    plotting.legend(ax, columns=3)
    return figure


@experiment.figure(
    "read-out-sums",
    title="When activations are sums of directions",
    caption="Trained hidden layers are sums of directions, also behind a ReLU. Drawn is the share of a layer's "
    "variance that a sum of feature values times directions explains (without the ReLU it is all, by construction); "
    "dots are models. At p = 0.1, with four features present at a time, it is {numbers.sums_crowded:% value} in "
    "trained models and {numbers.sums_start_crowded:% value} in the random layers they started from.",
    alt="Share explained against feature probability, each model a dot: trained layers lie near one at every "
    "probability, random layers below, and closer the rarer features are.",
)
def draw_sums(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=2.8)
    for index, (shares, label) in enumerate(((result.sums, "trained"), (result.sums_at_start, "at the start"))):
        ax.plot(result.densities, shares.mean(1), color=plotting.series(index), label=label)
        spread = np.repeat(result.densities, shares.shape[1])
        ax.scatter(spread, shares.ravel(), s=9, color=plotting.series(index), alpha=0.6, linewidths=0)
    plotting.density_axis(ax)
    ax.set(ylabel="share explained by a sum", ylim=(None, 1.01))
    plotting.legend(ax)
    return figure


def _line(ax: Axes, result: Result, values: Array, index: int, label: str) -> None:
    found = [mean(row) for row in values]
    low, mid, high = ([getattr(each, name) for each in found] for name in ("low", "value", "high"))
    plotting.band(ax, result.densities, low, mid, high, label=label, index=index, marker="osD^v"[index])


@experiment.claim(
    "read-out-own",
    title="Rare features are read back from four per dimension",
    statements=("B1",),
    test="R² of the model's own read-out, a linear layer with bias and ReLU, over all 40 features of 10 dimensions at "
    "p = 0.01. Statistic: mean over seeds.",
    criterion=above(0.9, refuted_below=0.5),
    figures=("read-out-density",),
    published=Verdict.SUPPORTED,
)
def own_read_out(result: Result) -> Quantity:
    return result.rare_own


@experiment.claim(
    "read-out-linear",
    title="A linear layer alone reads rare features back from four per dimension",
    statements=("B1", "B2"),
    test="R² of the best linear read-out (least squares) of the same models at p = 0.01. Statistic: mean over seeds.",
    criterion=above(0.9, refuted_below=0.5),
    figures=("read-out-density",),
    published=Verdict.REFUTED,
)
def linear_read_out(result: Result) -> Quantity:
    return result.rare_linear


@experiment.claim(
    "read-out-ceiling",
    title="A linear read-out explains rank W of n features' variance, at any density",
    statements=("B2",),
    test="R² of the least-squares read-out on samples against the mean leverage, tr(W⁺W)/n = rank(W)/n, for every "
    "model. Statistic: the largest difference.",
    criterion=less_than(0.02),
    figures=("read-out-density",),
    published=Verdict.SUPPORTED,
)
def distance_from_the_rank(result: Result) -> Quantity:
    return result.linear_error


@experiment.claim(
    "read-out-interference",
    title="Interference, more than scale and bias, limits the read-out at p = 0.1",
    statements=("B2",),
    test="At p = 0.1 and four features per dimension: the share of the unexplained variance that disappears when all "
    "other features are absent. Statistic: mean over seeds.",
    criterion=above(0.5, otherwise=Verdict.MIXED),
    figures=("read-out-broken",),
    published=Verdict.SUPPORTED,
)
def share_of_interference(result: Result) -> Quantity:
    return result.interference_share


@experiment.claim(
    "read-out-sums",
    title="Activations are close to sums of features times directions, also behind a ReLU",
    statements=("B2",),
    test="Share of the variance of a trained ReLU hidden layer that the best sum Σᵢ xᵢ uᵢ + c explains, 40 features "
    "in 10 dimensions, p = 0.1. Statistic: mean over seeds.",
    criterion=above(0.9, refuted_below=0.5),
    figures=("read-out-sums",),
    published=Verdict.SUPPORTED,
)
def explained_by_a_sum(result: Result) -> Quantity:
    return result.sum_share
