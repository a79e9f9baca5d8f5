"""Three correlated pairs in the plane: how many pairs merge, as a function of density?

Elhage et al. 2022, "The geometry of superposition", collapse of correlated features. Solutions with one pair more or
less merged differ by about one per cent in loss, so the exact loss decides.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, Finding, Verdict, graded, undefined
from experiments.core.geometry.configurations import at_degrees
from experiments.core.losses.optimum import everything, minimise
from experiments.core.metrics import represented
from experiments.core.quantities import Quantity, exact, share
from experiments.correlation.shared.coupled_training import (
    Plan,
    Trained,
    best_of,
    exact_losses,
    signed_sets,
    train_coupled,
)
from experiments.correlation.shared.strategies import agreement, mate_cosines, principal_loss

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'

PAIRS = ((0, 1), (2, 3), (4, 5))

MERGED = 0.98
"""Mates are merged, or collapsed, from this cosine on."""

PAPER = ((0.05, 0.05), (0.15, 0.15), (0.2, 0.25))
"""Densities at which, by the paper's regimes, the first, the second and the third pair merges (lowest, highest)."""

FACTOR = 1.6
"""A switch point agrees with the paper's if it is within this factor."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    densities: int = 21
    lowest: float = 0.02
    highest: float = 0.7
    starts: int = 8  # random starts of the search, beside arranged ones and the best trained model
    seeds: int = 64
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 1e-2

    @property
    def density_axis(self) -> Array:
        return np.geomspace(self.lowest, self.highest, self.densities)


@dataclass(frozen=True)
class Result:
    """Over `density` (p,): merged pairs of the exact `optimum` and of the best trained model, `trained` (p,);
    `cosine` (p, pair), sorted, of the optimum's mates; `overlap` (p,), how far its row space lies in that of the pairs'
    sums; `gain` (p,), its loss over that of linear principal components. `branch` (count, p) is the least loss found
    with so many merged pairs over the least of all, - 1. `shares` (count, p) of trained models with so many merged
    pairs. `drawn` (picture, 2, feature) are optima at `drawn_density`.
    """

    density: Array
    optimum: Counts
    trained: Counts
    cosine: Array
    overlap: Array
    gain: Array
    shares: Array
    drawn: Array
    drawn_density: Array
    numbers: dict[str, Quantity]
    branch: Array = undefined("no minimum with so many merged pairs was found at this density")


experiment = Experiment(
    __name__,
    title="Collapse of correlated pairs",
    config=Config(),
    quick=Config(densities=5, starts=0, seeds=4, steps=300, batch=64),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = config.density_axis
    plan = Plan(config.steps, config.batch, config.learning_rate)
    models = train_coupled(p, 1.0, 2, PAIRS, config.seeds, plan, config.seed, device)
    loss = exact_losses(models, p, 1.0, PAIRS)
    best = best_of(models, loss)
    minima_loss, minima = _minima(config, best)
    lowest = minima_loss.argmin(1)
    optimum = minima[np.arange(p.size), lowest]
    least = minima_loss.min(1)
    shown = np.unique(np.linspace(0, p.size - 1, 5).astype(int))
    return Result(
        density=p,
        optimum=merged_pairs(optimum),
        trained=merged_pairs(best.W),
        cosine=np.sort(mate_cosines(optimum, PAIRS), axis=-1),
        overlap=(agreement(optimum, PAIRS) + 1) / 2,
        gain=6 * least / principal_loss(p, 1.0, 3, 2, 2),
        branch=_branches(minima_loss, minima) / least - 1,
        shares=np.array([(merged_pairs(models.W) == count).mean(-1) for count in range(4)]),
        drawn=np.array([_turned(optimum[k]) for k in shown]),
        drawn_density=p[shown],
        numbers=_numbers(config, optimum, best, loss, least),
    )


def merged_pairs(W: Array) -> Counts:
    """Return how many pairs of represented mates have a cosine above 0.98, (...)."""
    live = represented(W)
    both = np.stack([live[..., i] & live[..., j] for i, j in PAIRS], axis=-1)
    counts: Counts = ((mate_cosines(W, PAIRS) > MERGED) & both).sum(-1)
    return counts


def _minima(config: Config, best: Trained) -> tuple[Array, Array]:
    """Return loss (p, start) and W (p, start, 2, 6) of all minima found: arranged, random and trained starts."""
    generator, p = np.random.default_rng(config.seed), config.density_axis
    random = generator.normal(0, 0.7, (config.starts, 12))
    fixed = np.concatenate([_arranged(generator), random])
    fixed = np.concatenate([fixed, generator.uniform(-0.2, 0.1, (len(fixed), 6))], axis=1)
    trained = np.concatenate([best.W.reshape(p.size, 1, 12), best.b.reshape(p.size, 1, 6)], axis=-1)
    starts = np.concatenate([np.broadcast_to(fixed, (p.size, *fixed.shape)), trained], axis=1)
    count = starts.shape[1]
    sets = np.repeat(signed_sets(p, 1.0, 6, PAIRS), count, axis=0)
    found = minimise(everything(2, 6), sets=sets, starts=starts.reshape(-1, 18))
    return found.loss.reshape(p.size, count), found.W.reshape(p.size, count, 2, 6)


def _arranged(generator: np.random.Generator) -> Array:
    """Return starts (5, 12) with 0 to 3 merged pairs evenly around the circle, and two merged pairs at right angles."""
    rows = []
    for merged in range(4):
        corners = 6 - merged
        where = np.concatenate([np.repeat(np.arange(merged), 2), np.arange(merged, corners)])
        lengths = np.where(np.arange(6) < 2 * merged, 0.75, 1.1)
        rows.append(lengths * at_degrees(*(360 * where / corners)))
    axes = at_degrees(0, 0, 90, 90, 45, 45) * np.array([0.7] * 4 + [0.05] * 2)
    starts = np.array([W.ravel() for W in [*rows, axes]])
    return starts + 0.01 * generator.standard_normal(starts.shape)


def _branches(loss: Array, W: Array) -> Array:
    """Return the least loss found with 0, 1, 2, 3 merged pairs, (4, p); NaN where none was found."""
    counts = merged_pairs(W)
    least = [np.where(counts == count, loss, np.inf).min(1) for count in range(4)]
    return np.where(np.isfinite(least), least, np.nan)


def _turned(W: Array) -> Array:
    """Return W turned so that the first pair's mean points up."""
    mean = W[:, :2].sum(1)
    angle = np.pi / 2 - np.arctan2(mean[1], mean[0])
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ W


def _numbers(config: Config, optimum: Array, best: Trained, loss: Array, least: Array) -> dict[str, Quantity]:
    p, counts, trained = config.density_axis, merged_pairs(optimum), merged_pairs(best.W)
    method = "exact optimum, between two densities of the grid"
    numbers: dict[str, Quantity] = {
        "same": share(counts == trained, "of densities"),
        "reached": share(loss.min(1) < 1.001 * least, "of densities"),
        "seeds": exact(config.seeds, method="models per density"),
    }
    for pair in range(3):
        for name, found in (("switch", counts), ("trained_switch", trained)):
            numbers[f"{name}_{pair + 1}"] = exact(switch_point(p, found, pair + 1), "", method)
    overlap, cosine = (agreement(optimum, PAIRS) + 1) / 2, mate_cosines(optimum, PAIRS)
    apart = cosine[cosine <= MERGED]
    numbers["largest_apart"] = exact(apart.max(), method="largest cosine of mates that are not merged, exact optimum")
    numbers["overlap_dense"] = exact(overlap[p >= 0.5].min(), method="least over densities from 0.5, exact optimum")
    numbers["overlap_rare"] = exact(overlap[0], method="exact optimum at the lowest density")
    return numbers


def switch_point(density: Array, counts: Counts, pairs: int) -> float:
    """Return the density from which on at least `pairs` are merged, the geometric mean of its neighbours.

    It is the highest density with fewer merged pairs that counts, so that a non-monotone count is not flattered; the
    ends of the range stand for "always" and "never".
    """
    fewer = np.flatnonzero(counts < pairs)
    if fewer.size == 0:
        return float(density[0])
    last = int(fewer[-1])
    return float(density[-1]) if last == density.size - 1 else float(np.sqrt(density[last] * density[last + 1]))


@experiment.figure(
    "collapse-count",
    title="How many pairs merge",
    caption="(a) Merged pairs (cosine above 0.98) of the exact optimum and of the best of {numbers.seeds:.0f} trained "
    "models, over density; shaded: the paper's regimes. (b) Cosines of the three pairs of mates in the optimum. (c) "
    "How much more the best solution with so many merged pairs loses than the optimum.",
    alt="Left, a staircase that rises with density, beside shaded steps. Middle, three cosines that rise towards one. "
    "Right, four curves of excess loss that touch zero one after the other.",
)
def draw_count(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.6)
    p = result.density
    for count, (low, high) in enumerate(((p[0], 0.05), (0.05, 0.15), (0.15, 0.2), (0.25, 0.5))):
        bar = left.fill_between([low, high], count - 0.3, count + 0.3, color=plotting.colour("null"), alpha=0.25, lw=0)
        plotting.represents(bar, {"low": [low], "high": [high], "pairs": [count]})
    left.plot(p, result.optimum, "o-", color=plotting.series(0), label="exact optimum")
    left.plot(p, result.trained, "x", ms=6, color=plotting.series(1), label="best trained")
    left.set(ylabel="merged pairs", yticks=[0, 1, 2, 3])
    middle.plot(p, result.cosine, "o-", ms=3, color=plotting.series(0))
    middle.set(ylabel="cosine of mates")
    for count, values in enumerate(result.branch):
        right.plot(p, 100 * values, "o-", ms=3, color=plotting.series(count), label=f"{count} merged")
    right.set(ylabel="excess loss (%)", ylim=(-0.3, 8))
    for ax in (left, middle, right):
        plotting.density_axis(ax, ticks=(0.02, 0.05, 0.15, 0.5))
    plotting.legend(left)
    plotting.legend(right, columns=2)
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.figure(
    "collapse-pictures",
    title="From hexagon to principal components",
    caption="Exact optimum of three correlated pairs at five densities, mates in one colour. Mates draw together as "
    "they become denser until each pair shares a direction.",
    alt="Five arrow plots, from six separate directions to three.",
)
def draw_pictures(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.drawn), width="wide", panel="square", squeeze=False)
    limit = 1.08 * float(np.linalg.norm(result.drawn, axis=1).max())
    tones = [plotting.series(feature // 2) for feature in range(6)]
    for ax, p, W in zip(axes[0], result.drawn_density, result.drawn, strict=True):
        plotting.directions(ax, W, limit=limit, colours=tones)
        ax.set_title(f"p = {p:.2g}", loc="center")
    return figure


@experiment.figure(
    "collapse-shares",
    title="Merged pairs in single models",
    caption="Share of {numbers.seeds:.0f} trained models with so many merged pairs, over density. Single models often "
    "stay in a solution with another count than the optimum, which costs them little.",
    alt="Stacked areas over density: from no merged pair on the left to three on the right.",
)
def draw_shares(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.0)
    names = {f"{count} merged": values for count, values in enumerate(result.shares)}
    plotting.stacked_shares(ax, result.density, names)
    plotting.density_axis(ax, ticks=(0.02, 0.05, 0.1, 0.2, 0.5))
    plotting.percent_axis(ax)
    ax.set_ylabel("share of models")
    plotting.legend(ax)
    return figure


@experiment.claim(
    "collapse-monotone",
    title="Pairs merge one after the other as they become denser",
    statements=("C10", "C12"),
    source=SECTION,
    test="Merged pairs of the exact optimum over densities from 0.02 to 0.7. Statistic: the density from which on all "
    "three are merged.",
    criterion="Supported if the count never falls as density rises and takes the values 0, 1, 2 and 3; refuted if it "
    "never changes; mixed otherwise.",
    figures=("collapse-count",),
    published=Verdict.SUPPORTED,
)
def decide_monotone(result: Result) -> Finding:
    counts = result.optimum
    rises = bool((np.diff(counts) >= 0).all())
    if rises and set(counts.tolist()) == {0, 1, 2, 3}:
        return Finding(result.numbers["switch_3"], Verdict.SUPPORTED)
    return Finding(result.numbers["switch_3"], Verdict.REFUTED if (counts == counts[0]).all() else Verdict.MIXED)


@experiment.claim(
    "collapse-switches",
    title="Pairs merge at the densities the paper gives",
    statements=("C12",),
    source=SECTION,
    test="Densities from which on at least one, two and three pairs are merged in the exact optimum, against 0.05, "
    "0.15 and 0.2 to 0.25. Statistic: how many of the three are within a factor of 1.6.",
    criterion="Supported if all three, refuted if none, mixed otherwise.",
    figures=("collapse-count",),
    published=Verdict.SUPPORTED,
)
def decide_switches(result: Result) -> Finding:
    found = [result.numbers[f"switch_{pair}"].value for pair in (1, 2, 3)]
    near = [low / FACTOR <= at <= high * FACTOR for at, (low, high) in zip(found, PAPER, strict=True)]
    statistic = Quantity(float(np.mean(near)), n=3, unit="of switch points", method="exact optimum")
    return Finding(statistic, Verdict.SUPPORTED if all(near) else Verdict.MIXED if any(near) else Verdict.REFUTED)


@experiment.claim(
    "collapse-principal",
    title="Dense features are stored by their principal components",
    statements=("C12",),
    source=SECTION,
    test="Exact optimum at densities of one half and more. Statistic: the least share of its row space that lies in "
    "the space of the pairs' sums, which the largest principal components, all equal, span.",
    criterion="Supported if at least 0.98, refuted if below 0.9, mixed otherwise.",
    figures=("collapse-pictures",),
    published=Verdict.SUPPORTED,
)
def decide_principal(result: Result) -> Finding:
    statistic = result.numbers["overlap_dense"]
    return Finding(statistic, graded(statistic, 0.98, 0.9))
