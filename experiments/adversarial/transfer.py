"""Do attacks made on one model work on another, and does the likeness of their interference say how well?

Features are labelled by their input, so WᵀW of two seeds can be compared entry by entry, whatever the rotation of their
hidden layers. Independent seeds are about equally unlike; so pairs are also made from starts that are partly the same.
Stevinson et al. 2025 (arXiv 2510.11709) report that transfer follows shared geometry.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.adversarial.shared.attacks import budget, draws, rise, worst_inputs
from experiments.adversarial.shared.crowded import evaluation_seeds
from experiments.adversarial.shared.interference import epsilon, similarity
from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, above, refuted_if, supported_if, where
from experiments.core.metrics import gram
from experiments.core.quantities import Quantity, bootstrap, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.starts import raised_start
from experiments.core.training.train import train

Array = NDArray[np.float64]

STEVINSON = "Stevinson et al. 2025, arXiv 2510.11709"


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 4
    pairs: int = 12  # independent first models, each with one partner per angle
    features: int = 80
    hidden: int = 8
    densities: tuple[float, float] = (0.1, 0.02)  # dense and rare
    angles: tuple[float, ...] = (0.0, 5.0, 10.0, 20.0, 40.0, 90.0)  # degrees between the starts; 90 is independent
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 1e-2
    samples: int = 512
    resamples: int = 1000


@dataclass(frozen=True)
class Numbers:
    """What is found at one density.

    `rank` is the correlation of likeness and transfer over all pairs; the others are means over pairs with independent
    starts or the same start. `columns_error` is how far transfer is from what the columns alone say.
    """

    rank: Quantity
    independent: Quantity
    same_start: Quantity
    chance: Quantity
    alike_independent: Quantity
    alike_same_start: Quantity
    columns_error: Quantity


@dataclass(frozen=True)
class Result:
    """`similarity` is the cosine of the two models' eps.

    `transfer` is the rise of the second model's loss under attacks made on the first, over the rise under its own;
    `chance` the same for random directions. `columns` is what the columns say: the mean squared cosine of the two
    models' columns.
    """

    density: Array  # (density,)
    angles: Array  # (angle,)
    similarity: Array  # (density, angle, pair)
    transfer: Array  # (density, angle, pair)
    chance: Array  # (density, angle, pair)
    columns: Array  # (density, angle, pair)
    dense: Numbers
    rare: Numbers


experiment = Experiment(
    __name__,
    title="Transfer of attacks",
    config=Config(),
    quick=Config(
        pairs=3, densities=(0.1, 0.05), angles=(0.0, 20.0, 90.0), steps=200, batch=64, samples=48, resamples=50
    ),
    large=Config(pairs=48, steps=6000, batch=512, samples=2048),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    firsts, partners = _trained(config, device)
    progress.advance("attacks", 0.6)
    seeds = evaluation_seeds(config.seed, config.pairs)
    found = np.array(
        [
            [
                [_pair(config, p, firsts[k][i], partners[k][a][i], own) for i, own in enumerate(seeds)]
                for a in _count(config)
            ]
            for k, p in enumerate(config.densities)
        ]
    )
    alike, transfer, chance, columns = np.moveaxis(found, -1, 0)
    dense, rare = (_numbers(config, *each) for each in zip(alike, transfer, chance, columns, strict=True))
    return Result(np.array(config.densities), np.array(config.angles), alike, transfer, chance, columns, dense, rare)


def _count(config: Config) -> range:
    return range(len(config.angles))


Single = tuple[Array, Array]
"""W (hidden, feature) and b (feature,) of one model."""


def _trained(config: Config, device: str) -> tuple[list[list[Single]], list[list[list[Single]]]]:
    """Return first models [density][pair] and their partners [density][angle][pair]."""
    model, turns = Model(config.features, config.hidden), np.radians(config.angles)
    count, groups = config.pairs, 1 + len(config.angles)
    own = raised_start(model, count, 0.0, config.seed)
    other = raised_start(model, count, 0.0, config.seed + 1)
    starts = np.concatenate([own.W, *(np.cos(t) * own.W + np.sin(t) * other.W for t in turns)]).astype(np.float32)
    density = np.repeat(config.densities, len(starts))
    b = np.repeat(density[:, None] / 2, config.features, axis=1).astype(np.float32)
    start = Weights(np.tile(starts, (len(config.densities), 1, 1)), b)
    recipe = Recipe(config.steps, config.batch, config.learning_rate, schedule="cosine", start=start, seed=config.seed)
    trained = train(Data(density[:, None]), model, recipe, density.size, device)
    singles = [
        (W.astype(np.float64), b.astype(np.float64)) for W, b in zip(trained.weights.W, trained.weights.b, strict=True)
    ]
    blocks = [singles[k * count : (k + 1) * count] for k in range(groups * len(config.densities))]
    per_density = [blocks[k * groups : (k + 1) * groups] for k in range(len(config.densities))]
    return [each[0] for each in per_density], [each[1:] for each in per_density]


def _pair(config: Config, p: float, first: Single, second: Single, seed: int) -> tuple[float, float, float, float]:
    """Return likeness of eps, transfer, chance, and squared cosine of columns for one pair of models."""
    x = draws(config.samples, config.features, seed).inputs(p)
    size, (one, two) = budget(x, "l2"), (gram(first[0]), gram(second[0]))
    own = rise(two, second[1], x, worst_inputs(two, second[1], x, size, "l2"))
    foreign = rise(two, second[1], x, worst_inputs(one, first[1], x, size, "l2"))
    drawn = np.random.default_rng([seed, 1]).standard_normal(x.shape)
    random = rise(two, second[1], x, size * drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosine = (one * two).sum(1) / np.maximum(lengths, 1e-12)
    alike = float(similarity(epsilon(first[0]), epsilon(second[0])))
    return alike, foreign / own, random / own, float((cosine**2).mean())


def _numbers(config: Config, alike: Array, transfer: Array, chance: Array, columns: Array) -> Numbers:
    """Return the rank correlation and the rates of the two extreme angles, from arrays (angle, pair) of one density."""
    return Numbers(
        rank=_rank(config, alike, transfer),
        independent=mean(transfer[-1]),
        same_start=mean(transfer[0]),
        chance=mean(chance[-1]),
        alike_independent=mean(alike[-1]),
        alike_same_start=mean(alike[0]),
        columns_error=mean(np.abs(columns - transfer).mean(0)),
    )


def _rank(config: Config, alike: Array, transfer: Array) -> Quantity:
    """Return the rank correlation over all pairs (angle, pair); whole columns, one per first model, are resampled."""

    def correlation(chosen: NDArray[np.int64]) -> float:
        return float(rank_correlation(alike[:, chosen].ravel(), transfer[:, chosen].ravel()))

    return bootstrap(correlation, alike.shape[1], seed=config.seed, resamples=config.resamples, of="first models")


@experiment.figure(
    "transfer",
    title="Attacks made on another model",
    caption="Attacks transfer as far as two models share their interference: rank correlations are {dense.rank:.2f} "
    "(p = 0.1) and {rare.rank:.2f} (p = 0.02). Drawn is the rise of a model's loss under attacks made on another, "
    "over that under attacks made on itself, by the likeness of their interference ε, for pairs whose starts differ "
    "by an angle. Crosses are random directions of the same size.",
    alt="Two scatter plots, one per density. Points rise from the lower left, where seeds are independent, to the "
    "upper right, where they began alike; random directions lie at the bottom.",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.4, sharex=True, sharey=True)
    for ax, p, alike, transfer, chance in zip(
        axes, result.density, result.similarity, result.transfer, result.chance, strict=True
    ):
        tones = [*plotting.ramp(len(result.angles) - 1)[::-1], plotting.colour("contrast")]
        for index, (angle, tone) in enumerate(zip(result.angles, tones, strict=True)):
            name = "independent" if angle == 90 else f"{angle:.0f}°"
            ax.scatter(alike[index], transfer[index], s=16, color=tone, linewidths=0, label=name)
        ax.scatter(
            alike.ravel(), chance.ravel(), s=10, marker="x", color=plotting.colour("null"), label="random direction"
        )
        plotting.guide(ax, 0.0)
        ax.set(title=f"$p$ = {p:g}", xlabel="likeness of ε (cosine)")
    axes[0].set_ylabel("rise, foreign / own attack")
    plotting.legend(axes[0], figure=figure, title="angle between starts", columns=7)
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "transfer-alike",
    title="The more alike two models' interference is, the better attacks transfer",
    source=STEVINSON,
    test="Pairs of models with starts 0 to 90 degrees apart: cosine between their ε against the rise of loss under a "
    "foreign attack, over that under an own one. Statistic: rank correlation over pairs, at the lowest density; first "
    "models are resampled with all their partners.",
    criterion=Criterion(
        supported_if(where(rare=Above(0.8), dense=Above(0.8))),
        refuted_if(where(rare=Below(0.8), dense=Below(0.8))),
        otherwise=Verdict.MIXED,
        names={"rare": "the correlation at the lowest density", "dense": "that at the highest"},
    ),
    figures=("transfer",),
    published=Verdict.SUPPORTED,
)
def likeness_and_transfer(result: Result) -> Evidence:
    return Evidence(rare=result.rare.rank, dense=result.dense.rank)


@experiment.claim(
    "transfer-independent",
    title="Attacks made on one model do more than half of an own attack's harm to an independent one",
    source=STEVINSON,
    test="Rise of loss under attacks made on a model with an independent start and other data, over that under own "
    "attacks. Statistic: mean over pairs at the lowest density.",
    criterion=above(0.5),
    figures=("transfer",),
    published=Verdict.REFUTED,
)
def transfer_between_independent_seeds(result: Result) -> Quantity:
    return result.rare.independent
