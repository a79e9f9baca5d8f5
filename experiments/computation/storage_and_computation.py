"""Does how a feature is stored tell how well it is computed? The geometry of W against the error of |x|.

Part C of the report measures how features share the dimensions of a hidden layer. Here the same measures are taken of
the first layer of models that compute the absolute value, and compared with the error of each feature.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.computation.shared.absolute import Training, absolute, outputs, relative_errors, trained_at
from experiments.computation.shared.baselines import bias_alone
from experiments.computation.shared.neurons import Rescaled, rescaled
from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import AboveThat, BelowThat, Criterion, Evidence, above, below, refuted_if, supported_if
from experiments.core.metrics import dimensionality, norms, superposition
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.training import Weights

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: int = 40
    hidden: int = 16
    p: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
    training: Training = field(default_factory=Training)
    samples: int = 40_000  # of the evaluation, in each of which a feature is present
    meetings: int = 10  # samples for each pair of features that meet


@dataclass(frozen=True)
class AtDensity:
    """One density. Correlations are Spearman's over the features of a model, mean over seeds."""

    interference: Quantity  # of W: squared overlap with all other features' columns, mean over features
    dimensionality: Quantity  # share of a dimension that a feature has to itself, mean over features
    error: Quantity  # over that of a bias alone, mean over features
    by_interference: Quantity  # correlation of a feature's error with its interference
    by_dimensionality: Quantity  # correlation of a feature's error with its dimensionality
    by_norm: Quantity  # correlation of a feature's error with the length of its column of W
    by_leak: Quantity  # correlation of a feature's error with what others write into its output
    too_little: Quantity  # pairs of present features in which the output of one is short by more than 0.05
    too_much: Quantity  # the same with an excess


@dataclass(frozen=True)
class Numbers:
    """Over all densities, and what the whole circuit adds at a density of 0.01."""

    across: Quantity  # rank correlation over densities of mean interference with mean error, mean over seeds
    leak_gain: Quantity  # correlation of error with leak less that with interference, density 0.01


@dataclass(frozen=True)
class Result:
    """Features of all models, units rescaled. `leak` is the mean square of what a single other feature writes."""

    p: Array  # (density,)
    interference: Array  # (density, seed, feature)
    dimensionality: Array  # (density, seed, feature)
    norm: Array  # (density, seed, feature)
    leak: Array  # (density, seed, feature)
    error: Array  # (density, seed, feature), over that of a bias alone
    numbers: Numbers
    at: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.p])


experiment = Experiment(
    __name__,
    title="Storage and computation, feature by feature",
    config=Config(),
    quick=Config(
        seeds=4,
        features=20,
        hidden=8,
        p=(1.0, 0.1, 0.03, 0.01, 0.003),
        training=Training(steps=800, most=1024),
        samples=4000,
    ),
    large=Config(seeds=64, features=100, hidden=40),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    model = absolute(config.features, config.hidden)
    importance = np.ones((1, config.features))
    interference, own, norm, leak, error = np.empty((5, len(config.p), config.seeds, config.features))
    missed = np.empty((len(config.p), config.seeds, 2))
    for place, p in enumerate(config.p):
        advance("densities", place / len(config.p))
        weights = trained_at(config.training, model, p, importance, config.seed, config.seeds, device)
        found = relative_errors(weights, model, p, config.samples, config.seed, config.seeds)
        units = rescaled(weights)
        interference[place], own[place], norm[place] = superposition(units.W), dimensionality(units.W), norms(units.W)
        leak[place], error[place] = written_by_others(weights, units), found / float(bias_alone(p))
        for k in range(config.seeds):
            generator = np.random.default_rng([config.seed, 5, k])
            missed[place, k] = missed_in_pairs(weights, k, generator, config.meetings)
    at = {
        f"{p:g}": _summary(error[place], interference[place], own[place], norm[place], leak[place], missed[place])
        for place, p in enumerate(config.p)
    }
    rare = config.p.index(0.01)
    gain = rank_correlation(error[rare], leak[rare]) - rank_correlation(error[rare], interference[rare])
    across = rank_correlation(interference.mean(-1).T, error.mean(-1).T)
    numbers = Numbers(mean(across, within=(-1, 1)), mean(gain))
    return Result(np.array(config.p), interference, own, norm, leak, error, numbers, at)


def written_by_others(weights: Weights, units: Rescaled) -> Array:
    """Return the mean square of output i (instance, feature) over all other features j alone at x_j = 1 and -1."""
    b = weights.b.astype(np.float64)[..., None]
    total = np.zeros(weights.b.shape)
    features = weights.b.shape[1]
    for side in (1.0, -1.0):
        y = np.maximum(units.R @ np.maximum(side * units.W, 0) + b, 0)  # (instance, output, feature present)
        y[:, np.arange(features), np.arange(features)] = 0
        total += (y**2).sum(-1)
    return np.asarray(total / (2 * (features - 1)))


def missed_in_pairs(weights: Weights, instance: int, generator: np.random.Generator, repeats: int) -> Array:
    """Return the shares (2,) of pairs of present features in which one output is short, or in excess, by over 0.05.

    All ordered pairs (feature, other) of one model are drawn `repeats` times, with no third feature present.
    """
    features = weights.b.shape[1]
    one, other = (each.repeat(repeats) for each in np.nonzero(~np.eye(features, dtype=bool)))
    rows = np.arange(len(one))
    x = np.zeros((len(one), features), np.float32)
    x[rows, one] = generator.uniform(-1, 1, len(one))
    x[rows, other] = generator.uniform(-1, 1, len(one))
    error = outputs(weights, instance, x)[rows, one] - np.abs(x[rows, one])
    return np.array([(error < -0.05).mean(), (error > 0.05).mean()])


def _summary(error: Array, interference: Array, own: Array, norm: Array, leak: Array, missed: Array) -> AtDensity:
    def correlation(measure: Array) -> Quantity:
        return mean(rank_correlation(error, measure), within=(-1, 1))

    return AtDensity(
        interference=mean(interference.mean(-1)),
        dimensionality=mean(own.mean(-1), within=(0, 1)),
        error=mean(error.mean(-1)),
        by_interference=correlation(interference),
        by_dimensionality=correlation(own),
        by_norm=correlation(norm),
        by_leak=correlation(leak),
        too_little=mean(missed[:, 0], within=(0, 1)),
        too_much=mean(missed[:, 1], within=(0, 1)),
    )


@experiment.figure(
    "storage-error",
    title="Interference of W and error, feature by feature",
    caption=(
        "How interference and error go together depends on density: their rank correlation inside a model, mean over "
        "seeds, is {at.0.01.by_interference:value} at 0.01, {at.0.03.by_interference:value} at 0.03 and "
        "{at.0.1.by_interference:value} at 0.1. Each point is one feature of one of the first four seeds: its "
        "interference in W, against its error as a share of what a bias alone leaves."
    ),
    alt="Three panels of points, error against interference, one per density, from rare to dense: clouds that lie "
    "higher in denser models.",
)
def draw_points(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.0, sharey=True)
    for ax, p in zip(axes, (0.01, 0.03, 0.1), strict=True):
        place = int(np.argmin(np.abs(result.p - p)))
        x, y = (values[place, :4].ravel() for values in (result.interference, result.error))
        ax.scatter(x, y, s=8, color=plotting.series(0), alpha=0.6, linewidths=0, label=f"p = {p:g}")
        ax.set(title=f"$p$ = {p:g}", xlabel="interference in $W$")
    axes[0].set(ylabel="error / that of a bias", ylim=(0, None))
    plotting.panel_letters(axes)
    return figure


MEASURES = (
    ("by_interference", "interference"),
    ("by_dimensionality", "dimensionality"),
    ("by_norm", "length of column"),
    ("by_leak", "what others write"),
)


@experiment.figure(
    "storage-across",
    title="Storage and computation over densities",
    caption=(
        "From dense to rare features, the mean interference in W goes from {at.1.interference:value} to "
        "{at.0.003.interference:value} and the mean error from {at.1.error:value} to {at.0.003.error:value} of what a "
        "bias alone leaves. (a) Mean interference. (b) Mean error. (c) Rank correlation of a feature's error, inside a "
        "model, with its interference in W, its dimensionality, the length of its column of W, and what single other "
        "features write into its output."
    ),
    alt=(
        "Three panels over the feature probability. Interference is low for dense features and high for rare ones; the "
        "error falls as features become rare; four curves of correlations."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_across(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.2)
    plotting.seed_band(left, result.p, result.interference.mean(-1), marker="o")
    plotting.seed_band(middle, result.p, result.error.mean(-1), marker="o")
    at = list(result.at.values())
    for index, (name, label) in enumerate(MEASURES):
        plotting.points(right, result.p, [getattr(each, name) for each in at], label=label, index=index, line=True)
    left.set_ylabel("interference in $W$")
    middle.set(ylabel="error / that of a bias", ylim=(0, None))
    right.set_ylabel("correlation with the error")
    plotting.guide(right, 0.0)
    for ax in (left, middle, right):
        plotting.density_axis(ax, ticks=(1.0, 0.1, 0.01))
    plotting.panel_letters((left, middle, right))
    plotting.legend(right, figure=figure)
    return figure


@experiment.claim(
    "storage-within",
    title="Inside a model, features with more interference in W are computed worse",
    statements=("F1",),
    test=(
        "Forty features, sixteen neurons, equal importance, density 0.01. Spearman's correlation over features of the "
        "error with the interference in W, the squared overlap with all other columns; mean over seeds."
    ),
    criterion=above(0.3, refuted_below=0.1),
    figures=("storage-error", "storage-across"),
)
def within(result: Result) -> Quantity:
    return result.at["0.01"].by_interference


@experiment.claim(
    "storage-across",
    title="At densities with more interference in W, computation is worse",
    statements=("F1",),
    test=(
        "Spearman's correlation over densities of a seed's mean interference in W with its mean error, as a share of "
        "what a bias alone leaves; mean over seeds."
    ),
    criterion=above(0.3, refuted_below=0),
    figures=("storage-across",),
)
def across(result: Result) -> Quantity:
    return result.numbers.across


@experiment.claim(
    "storage-circuit",
    title="What others write into an output predicts its error better than the interference in W does",
    statements=("F1",),
    test=(
        "Density 0.01. Correlation of a feature's error with the mean square that single other features write into its "
        "output, less the correlation with its interference in W; mean over seeds."
    ),
    criterion=above(0),
    figures=("storage-across",),
)
def circuit(result: Result) -> Quantity:
    return result.numbers.leak_gain


@experiment.claim(
    "storage-dimensionality",
    title="Inside a model, features with more of a dimension to themselves are computed better",
    statements=("F1",),
    test=(
        "Density 0.01. Spearman's correlation over features of the error with the feature's dimensionality in W; mean "
        "over seeds. Written when the first full run was known."
    ),
    criterion=below(-0.5, refuted_above=0),
    figures=("storage-across",),
)
def by_dimensionality(result: Result) -> Quantity:
    return result.at["0.01"].by_dimensionality


@experiment.claim(
    "storage-too-little",
    title="When two features meet, their outputs are more often too small than too large",
    statements=("F2",),
    test=(
        "Density 0.01. Over all pairs of features, both present and no other, the share in which an output is short by "
        "more than 0.05, against the share in which it exceeds by as much. Written when the first full run was known."
    ),
    criterion=Criterion(
        supported_if(AboveThat("short", "excess")),
        refuted_if(BelowThat("short", "excess")),
        names={"short": "the share that is short", "excess": "the share in excess"},
    ),
    figures=("storage-across",),
)
def too_little(result: Result) -> Evidence:
    return Evidence(short=result.at["0.01"].too_little, excess=result.at["0.01"].too_much)
