"""Does training against attacks undo superposition, at what budget, and at what cost?

Elhage et al. 2022, "The relationship between superposition and adversarial robustness": adversarial training reduces
superposition, and attacks of about 80 % of the input's norm were needed to remove it.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.adversarial.shared.adversarial_training import Hardening, harden
from experiments.adversarial.shared.attacks import budget, draws_of_seeds
from experiments.adversarial.shared.crowded import evaluation_seeds
from experiments.adversarial.shared.vulnerability import measure
from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Criterion,
    Every,
    Evidence,
    Outside,
    Verdict,
    Within,
    above,
    below,
    refuted_if,
    supported_if,
)
from experiments.core.metrics import represented, represented_mass
from experiments.core.quantities import Quantity, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.read_out import variance

Array = NDArray[np.float64]

PAPER = 'Toy Models of Superposition, "The relationship between superposition and adversarial robustness"'

COUNTED = "features with a norm above ½, per dimension"

GONE = 1.05
"""Superposition counts as undone when ||W||_F^2/m is below this."""

HOW = Hardening(steps=2000, learning_rate=5e-3)
"""Twice as fast and half as long, models explain less under strong attacks, and some outputs die."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 3
    seeds: int = 12
    densities: tuple[float, ...] = (0.1, 0.05, 0.02)
    shares: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)  # attack over mean input norm
    how: Hardening = HOW
    samples: int = 4096  # inputs of each seed, common to its models


@dataclass(frozen=True)
class AtDensity:
    """Superposition and what is explained without attacks and where superposition is `gone`.

    `gone` is the attack size, over the mean input norm, at which superposition ends; `kept` is the variance explained
    there over that of as many orthogonal features as there are dimensions.
    """

    gone: Quantity
    kept: Quantity
    crowding: Quantity
    explained: Quantity
    explained_gone: Quantity


@dataclass(frozen=True)
class Numbers:
    """`dense` and `rare` are the highest and the lowest density; `falls` is a rank correlation with attack size.

    `robust_gain` and `robust_cost` are what training against attacks of a fifth of the norm gives and takes.
    """

    dense: AtDensity
    rare: AtDensity
    falls: Quantity
    robust_gain: Quantity
    robust_cost: Quantity


@dataclass(frozen=True)
class Result:
    """`crowding` is ||W||_F^2/m; `represented` counts features with norm above one half, per dimension.

    `explained` is the share of the variance of clean inputs, R²; `ratio` is the vulnerability to attacks of a tenth of
    the mean input norm. `gone` is the attack size at which superposition ends, `kept` as in `AtDensity`.
    """

    density: Array  # (density,)
    share: Array  # (share,)
    crowding: Array  # (density, share, seed)
    represented: Array  # (density, share, seed)
    explained: Array  # (density, share, seed)
    ratio: Array  # (density, share, seed)
    gone: Array  # (density, seed)
    kept: Array  # (density, seed)
    orthogonal: float
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Training against attacks",
    config=Config(),
    quick=Config(
        seeds=2,
        densities=(0.1, 0.05),
        shares=(0.0, 0.2, 0.6, 1.0),
        how=Hardening(features=40, hidden=4, steps=150, batch=32),
        samples=256,
    ),
    large=Config(seeds=32, how=Hardening(steps=5000, batch=512)),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density, share = np.array(config.densities), np.array(config.shares)
    n, m = config.how.features, config.how.hidden
    seeds = evaluation_seeds(config.seed, config.seeds)
    drawn = draws_of_seeds(config.samples, n, seeds)
    norms = np.array([[budget(own.inputs(p), "l2", 1.0) for p in density] for own in drawn])
    sizes = (norms[:, :, None] * share).reshape(config.seeds, -1)
    trained = harden(np.repeat(density, len(share)), sizes, seeds, config.how)
    progress.advance("attacks", 0.9)
    cells = (config.seeds, len(density), len(share))
    W, b = trained.W.reshape(*cells, m, n), trained.b.reshape(*cells, n)
    crowding = np.moveaxis(represented_mass(W) / m, 0, -1)
    counted = np.moveaxis(represented(W).sum(-1) / m, 0, -1)
    found = [[measure(W[s, k], b[s, k], own.inputs(p)) for s, own in enumerate(drawn)] for k, p in enumerate(density)]
    clean, ratio = (
        np.array([[getattr(each, name) for each in row] for row in found]).swapaxes(1, 2) for name in ("clean", "ratio")
    )
    explained = 1 - clean / (n * variance(density))[:, None, None]
    gone = np.array([[_crossing(share, run) for run in each.T] for each in crowding])
    left = np.array([_at(share, each, ends) for each, ends in zip(explained, gone, strict=True)])
    numbers = _numbers(share, crowding, explained, ratio, gone, left, m / n)
    kept = left / (m / n)
    return Result(density, share, crowding, counted, explained, ratio, gone, kept, m / n, numbers)


def _numbers(
    share: Array, crowding: Array, explained: Array, ratio: Array, gone: Array, left: Array, orthogonal: float
) -> Numbers:
    """Return where superposition ends, what is explained there, and how crowding and vulnerability fall."""

    def at(k: int) -> AtDensity:
        return AtDensity(
            gone=mean(gone[k]),
            kept=mean(left[k] / orthogonal),
            crowding=mean(crowding[k, 0]),
            explained=mean(explained[k, 0]),
            explained_gone=mean(left[k]),
        )

    orders = rank_correlation(np.broadcast_to(share, crowding.swapaxes(1, 2).shape), crowding.swapaxes(1, 2))
    fifth = int(np.abs(share - 0.2).argmin())
    return Numbers(
        dense=at(0),
        rare=at(-1),
        falls=mean(orders.mean(0), within=(-1, 1)),
        robust_gain=mean(ratio[-1, 0] / ratio[-1, fifth]),
        robust_cost=mean(1 - explained[-1, fifth] / explained[-1, 0]),
    )


def _at(share: Array, values: Array, places: Array) -> list[float]:
    """Return values (share, seed) at one share for each seed, interpolated."""
    return [float(np.interp(place, share, column)) for place, column in zip(places, values.T, strict=True)]


def _crossing(share: Array, crowding: Array) -> float:
    """Return the first share at which crowding falls below `GONE`, interpolated; the largest one if it never does."""
    below = np.flatnonzero(crowding < GONE)
    if below.size == 0:
        return float(share[-1])
    k = int(below[0])
    if k == 0:
        return float(share[0])
    step = (crowding[k - 1] - GONE) / (crowding[k - 1] - crowding[k])
    return float(share[k - 1] + step * (share[k] - share[k - 1]))


@experiment.figure(
    "hardening",
    title="Training against attacks",
    caption="Training against attacks removes superposition: ‖W‖²/d falls to one (within a twentieth) at attacks of "
    "{numbers.dense.gone:.2f} of the mean input norm for p = 0.1 and of {numbers.rare.gone:.2f} for p = 0.02. Models "
    "of 80 features with d = 8, trained against attacks on a random feature. (a) Features per dimension, ‖W‖²/d; "
    "dotted: features with a norm above one half, per dimension. (b) Variance of clean inputs that is explained; "
    "dashed: by 8 orthogonal features. (c) Vulnerability to small attacks.",
    alt="Three panels over attack size, one line per density. Features per dimension fall through one, their dotted "
    "counts beside them; variance explained falls to a tenth and below; vulnerability falls by more than an order of "
    "magnitude.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.2)
    for index, p in enumerate(result.density):
        plotting.seed_band(left, result.share, result.crowding[index], index=index, label=f"$p$ = {p:g}", marker="o")
        counted = result.represented[index].mean(-1)
        left.plot(result.share, counted, ":", color=plotting.series(index), linewidth=1, label=COUNTED * (index == 0))
        plotting.seed_band(middle, result.share, result.explained[index], index=index, marker="o")
        plotting.seed_band(right, result.share, result.ratio[index], index=index, marker="o")
    plotting.guide(left, 1.0)
    plotting.theory_level(middle, result.orthogonal, label="$d$ orthogonal features")
    left.set(title="superposition", ylabel="features per dimension", ylim=(0, None))
    middle.set(title="clean inputs", ylabel="variance explained, R²", ylim=(-0.05, 1))
    right.set(title="vulnerability", ylabel="(L′ − L) / (L′₀ − L₀)", yscale="log")
    for ax in (left, middle, right):
        ax.set(xlabel="attack / mean norm", xticks=[0, 0.4, 0.8])
    plotting.legend(left, figure=figure)
    plotting.legend(middle)
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.claim(
    "hardening-falls",
    title="Adversarial training reduces superposition, the more the stronger the attack",
    statements=("E1",),
    source=PAPER,
    test="Features per dimension, ‖W‖²/d, after training against attacks of increasing size. Statistic: rank "
    "correlation with the size, mean over densities for each seed, mean over seeds.",
    criterion=below(-0.9),
    figures=("hardening",),
    published=Verdict.SUPPORTED,
)
def fall_with_attack_size(result: Result) -> Quantity:
    return result.numbers.falls


@experiment.claim(
    "hardening-eighty",
    title="Training against attacks of about four fifths of the input's norm undoes superposition",
    source=PAPER,
    test="Attack size, over the mean input norm, at which features per dimension fall below 1.05, interpolated. "
    "Statistic: mean over seeds at the lowest density.",
    criterion=Criterion(
        supported_if(Every(name="sizes", each=Within(0.7, high=0.9), of="density")),
        refuted_if(Every(name="sizes", each=Outside(0.7, high=0.9), of="density")),
        otherwise=Verdict.MIXED,
        names={"sizes": "the attack size"},
    ),
    figures=("hardening",),
    published=Verdict.REFUTED,
)
def sizes_that_undo_superposition(result: Result) -> Evidence:
    return Evidence(rare=result.numbers.rare.gone, sizes=tuple(mean(row) for row in result.gone))


@experiment.claim(
    "hardening-cost",
    title="Where superposition ends, the model explains more than nine tenths of what d orthogonal features would",
    test="Share of the variance of clean inputs that is explained where superposition is gone, over d/n, what d "
    "perfectly read orthogonal features explain. Statistic: mean over seeds at the lowest density.",
    criterion=above(0.9),
    figures=("hardening",),
    published=Verdict.REFUTED,
)
def kept_without_superposition(result: Result) -> Quantity:
    return result.numbers.rare.kept
