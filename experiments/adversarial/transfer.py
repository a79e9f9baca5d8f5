"""Do attacks made on one model work on another, and does the likeness of their interference say how well?

Features are labelled by their input, so WᵀW of two seeds can be compared entry by entry, whatever the rotation of their
hidden layers. Independent seeds are about equally unlike; so pairs are also made from starts that are partly the same.
Stevinson et al. 2025 (arXiv 2510.11709) report that transfer follows shared geometry.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import rankdata

from experiments.adversarial.shared.attacks import budget, draws, rise, worst_inputs
from experiments.adversarial.shared.interference import epsilon, similarity
from experiments.core import plotting, progress
from experiments.core.collapse import percentile_quantity
from experiments.core.contract import Experiment, Finding, Verdict, above
from experiments.core.metrics import gram
from experiments.core.quantities import Quantity, mean
from experiments.core.threads import one_thread
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
class Result:
    """Arrays are (density, angle, pair).

    `similarity` is the cosine of the two models' eps; `transfer` is the rise of the second model's loss under attacks
    made on the first, over the rise under its own; `chance` the same for random directions. `columns` is what the
    columns say: the mean squared cosine of the two models' columns.
    """

    density: Array
    angles: Array
    similarity: Array
    transfer: Array
    chance: Array
    columns: Array
    numbers: dict[str, Quantity]


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
    with one_thread():
        firsts, partners = _trained(config, device)
        progress.advance("attacks", 0.6)
        found = np.array(
            [
                [
                    [_pair(config, p, firsts[k][i], partners[k][a][i]) for i in range(config.pairs)]
                    for a in _count(config)
                ]
                for k, p in enumerate(config.densities)
            ]
        )
    alike, transfer, chance, columns = np.moveaxis(found, -1, 0)
    numbers = _numbers(config, alike, transfer, chance, columns)
    return Result(np.array(config.densities), np.array(config.angles), alike, transfer, chance, columns, numbers)


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
    if trained.diverged.any():
        raise ArithmeticError(f"{trained.diverged.sum()} of {trained.diverged.size} models diverged")
    singles = [
        (W.astype(np.float64), b.astype(np.float64)) for W, b in zip(trained.weights.W, trained.weights.b, strict=True)
    ]
    blocks = [singles[k * count : (k + 1) * count] for k in range(groups * len(config.densities))]
    per_density = [blocks[k * groups : (k + 1) * groups] for k in range(len(config.densities))]
    return [each[0] for each in per_density], [each[1:] for each in per_density]


def _pair(config: Config, p: float, first: Single, second: Single) -> tuple[float, float, float, float]:
    """Return likeness of eps, transfer, chance, and squared cosine of columns for one pair of models."""
    x = draws(config.samples, config.features, config.seed).inputs(p)
    size, (one, two) = budget(x, "l2"), (gram(first[0]), gram(second[0]))
    own = rise(two, second[1], x, worst_inputs(two, second[1], x, size, "l2"))
    foreign = rise(two, second[1], x, worst_inputs(one, first[1], x, size, "l2"))
    drawn = np.random.default_rng(config.seed).standard_normal(x.shape)
    random = rise(two, second[1], x, size * drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    cosine = (one * two).sum(1) / np.maximum(lengths, 1e-12)
    alike = float(similarity(epsilon(first[0]), epsilon(second[0])))
    return alike, foreign / own, random / own, float((cosine**2).mean())


def _numbers(config: Config, alike: Array, transfer: Array, chance: Array, columns: Array) -> dict[str, Quantity]:
    """Return rank correlations with bootstrap intervals over first models, and rates of the two extreme angles."""
    numbers: dict[str, Quantity] = {}
    for k, p in ((0, "dense"), (-1, "rare")):
        numbers |= {
            f"rank_{p}": _rank(config, alike[k], transfer[k]),
            f"independent_{p}": mean(transfer[k, -1]),
            f"same_start_{p}": mean(transfer[k, 0]),
            f"chance_{p}": mean(chance[k, -1]),
            f"alike_independent_{p}": mean(alike[k, -1]),
            f"alike_same_start_{p}": mean(alike[k, 0]),
            f"columns_error_{p}": mean(np.abs(columns[k] - transfer[k]).mean(0)),
        }
    return numbers


def _rank(config: Config, alike: Array, transfer: Array) -> Quantity:
    """Return the rank correlation over all pairs (angle, pair); whole columns, one per first model, are resampled."""

    def correlation(chosen: NDArray[np.int64]) -> float:
        ranks = [rankdata(each[:, chosen].ravel()) for each in (alike, transfer)]
        return float(np.corrcoef(ranks)[0, 1])

    pairs = alike.shape[1]
    drawn = np.random.default_rng(config.seed).integers(0, pairs, (config.resamples, pairs))
    return percentile_quantity(correlation(np.arange(pairs)), np.array([correlation(row) for row in drawn]), pairs)


@experiment.figure(
    "transfer",
    title="Attacks made on another model",
    caption="Rise of a model's loss under attacks made on another, over that under attacks made on itself, by the "
    "likeness of their interference, for pairs with more or less alike starts. Rank correlations are "
    "{numbers.rank_dense:.2f} (p = 0.1) and {numbers.rank_rare:.2f} (p = 0.02). Crosses are random directions of "
    "the same size.",
    alt="Two scatter plots, one per density. Points rise from the lower left, where seeds are independent, to the "
    "upper right, where they began alike; random directions lie at the bottom.",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.4, sharex=True, sharey=True)
    for ax, p, alike, transfer, chance in zip(
        axes, result.density, result.similarity, result.transfer, result.chance, strict=True
    ):
        for index, angle in enumerate(result.angles):
            name = "independent" if angle == 90 else f"{angle:.0f}°"
            ax.scatter(alike[index], transfer[index], s=16, color=plotting.series(index), linewidths=0, label=name)
        ax.scatter(
            alike.ravel(), chance.ravel(), s=10, marker="x", color=plotting.colour("null"), label="random direction"
        )
        plotting.guide(ax, 0.0)
        ax.set(title=f"p = {p:g}", xlabel="likeness of eps (cosine)")
    axes[0].set_ylabel("rise, foreign / own attack")
    plotting.legend(axes[0], figure=figure, title="angle between starts", columns=7)
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "transfer-alike",
    title="How alike two interference matrices are says how well attacks transfer",
    source=STEVINSON,
    test="Pairs of models with starts 0 to 90 degrees apart: cosine between their eps against the rise of loss under a "
    "foreign attack, over that under an own one. Statistic: rank correlation over pairs, at the lowest density; first "
    "models are resampled with all their partners.",
    criterion="Supported if the 95 % intervals lie above 0.8 at all densities, refuted if below 0.8 at all, mixed "
    "otherwise.",
    figures=("transfer",),
    published=Verdict.SUPPORTED,
)
def decide_alike(result: Result) -> Finding:
    found = [result.numbers[f"rank_{p}"] for p in ("dense", "rare")]
    verdicts = {above(q, 0.8) for q in found}
    same = verdicts in ({Verdict.SUPPORTED}, {Verdict.REFUTED})
    return Finding(found[-1], verdicts.pop() if same else Verdict.MIXED)


@experiment.claim(
    "transfer-independent",
    title="Attacks made on one seed work on an independent one",
    source=STEVINSON,
    test="Rise of loss under attacks made on a model with an independent start and other data, over that under own "
    "attacks. Statistic: mean over pairs at the lowest density.",
    criterion="Supported if the 95 % interval lies above one half, refuted if below, inconclusive if it straddles it.",
    figures=("transfer",),
    published=Verdict.REFUTED,
)
def decide_independent(result: Result) -> Finding:
    found = result.numbers["independent_rare"]
    return Finding(found, above(found, 0.5))
