"""Three correlated pairs in the plane: how many pairs merge, as a function of density?

Elhage et al. 2022, "The geometry of superposition", collapse of correlated features. Solutions with one pair more or
less merged differ by about one per cent in loss, so the exact loss decides.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import (
    AtLeast,
    AtMost,
    Criterion,
    Evidence,
    Holds,
    Verdict,
    at_least,
    refuted_if,
    supported_if,
)
from experiments.core.geometry.configurations import at_degrees
from experiments.core.losses.optimum import everything, minimise
from experiments.core.metrics import represented
from experiments.core.quantities import Quantity, exact
from experiments.correlation.shared.coupled_training import (
    Plan,
    Trained,
    best_of,
    exact_losses,
    signed_sets,
    train_coupled,
)
from experiments.correlation.shared.strategies import agreement, partner_cosines, principal_loss

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'

PAIRS = ((0, 1), (2, 3), (4, 5))

MERGED = 0.98
"""Partners are merged, or collapsed, from this cosine on."""

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
class Numbers:
    """What pages quote. `switch_k` is the density from which on at least k pairs are merged, in the exact optimum."""

    same: Quantity
    reached: Quantity
    seeds: Quantity
    switch_1: Quantity
    switch_2: Quantity
    switch_3: Quantity
    trained_switch_1: Quantity
    trained_switch_2: Quantity
    trained_switch_3: Quantity
    largest_apart: Quantity
    overlap_dense: Quantity
    overlap_rare: Quantity


@dataclass(frozen=True)
class Result:
    """The exact optimum and trained models over density."""

    density: Array  # (p,)
    optimum: Counts  # (p,): merged pairs of the exact optimum
    trained: Counts  # (p,): merged pairs of the best trained model
    cosine: Array  # (p, pair), sorted, of the optimum's partners
    overlap: Array  # (p,): how far the optimum's row space lies in that of the pairs' sums
    gain: Array  # (p,): the optimum's loss over that of linear principal components
    shares: Array  # (count, p): trained models with so many merged pairs
    drawn: Array  # (picture, 2, feature): optima
    drawn_density: Array  # (picture,)
    numbers: Numbers
    branch: Array = undefined("no minimum with so many merged pairs was found")  # (count, p): loss over the least, - 1


experiment = Experiment(
    __name__,
    title="Collapse of correlated pairs",
    config=Config(),
    quick=Config(densities=4, starts=0, seeds=4, steps=300, batch=64),
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
        cosine=np.sort(partner_cosines(optimum, PAIRS), axis=-1),
        overlap=(agreement(optimum, PAIRS) + 1) / 2,
        gain=6 * least / principal_loss(p, 1.0, 3, 2, 2),
        branch=_branches(minima_loss, minima) / least - 1,
        shares=np.array([(merged_pairs(models.W) == count).mean(-1) for count in range(4)]),
        drawn=np.array([_turned(optimum[k]) for k in shown]),
        drawn_density=p[shown],
        numbers=_numbers(config, optimum, best, loss, least),
    )


def merged_pairs(W: Array) -> Counts:
    """Return how many pairs of represented partners have a cosine above 0.98, (...)."""
    kept = represented(W)
    both = np.stack([kept[..., i] & kept[..., j] for i, j in PAIRS], axis=-1)
    counts: Counts = ((partner_cosines(W, PAIRS) > MERGED) & both).sum(-1)
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


def _numbers(config: Config, optimum: Array, best: Trained, loss: Array, least: Array) -> Numbers:
    p, counts, trained = config.density_axis, merged_pairs(optimum), merged_pairs(best.W)
    overlap, cosine = (agreement(optimum, PAIRS) + 1) / 2, partner_cosines(optimum, PAIRS)
    switches = {
        f"{name}_{pairs}": exact(switch_point(p, found, pairs), "", f"{kind}, between two densities of the grid")
        for pairs in (1, 2, 3)
        for name, found, kind in (("switch", counts, "exact optimum"), ("trained_switch", trained, "best models"))
    }
    return Numbers(
        same=_count(counts == trained),
        reached=_count(loss.min(1) < 1.001 * least),
        seeds=exact(config.seeds, method="models per density"),
        largest_apart=exact(
            cosine[cosine <= MERGED].max(), method="largest cosine of partners that are not merged, exact optimum"
        ),
        overlap_dense=exact(overlap[p >= 0.5].min(), method="least over densities from 0.5, exact optimum"),
        overlap_rare=exact(overlap[0], method="exact optimum at the lowest density"),
        **switches,
    )


def _count(flags: NDArray[np.bool_]) -> Quantity:
    return Quantity(float(flags.mean()), n=flags.size, unit="of densities", method="count over the grid, best models")


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
    caption=(
        "Pairs merge one after the other as density rises. (a) Merged pairs (cosine above 0.98) of the exact optimum "
        "and of the best of {numbers.seeds:.0f} trained models; shaded, the paper's regimes. (b) Cosines of the three "
        "pairs of partners in the optimum. (c) Loss of the best solution with each number of merged pairs, relative to "
        "the optimum."
    ),
    alt="Left, a staircase that rises with density, beside shaded steps. Middle, three cosines that rise towards one. "
    "Right, four curves of excess loss that touch zero one after the other.",
)
def draw_count(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.6)
    p = result.density
    for count, (low, high) in enumerate(((p[0], 0.05), (0.05, 0.15), (0.15, 0.2), (0.25, 0.5))):
        bar = left.fill_between([low, high], count - 0.3, count + 0.3, color=plotting.colour("null"), alpha=0.25, lw=0)
        bar.set_label("paper's regime" if count == 0 else "")
        plotting.represents(bar, {"low": [low], "high": [high], "pairs": [count]})
    left.plot(p, result.optimum, "o-", color=plotting.series(0), label="exact optimum")
    left.plot(p, result.trained, "x", ms=6, color=plotting.series(1), label="best trained")
    left.set(ylabel="merged pairs", yticks=[0, 1, 2, 3])
    middle.plot(p, result.cosine, "o-", ms=3, color=plotting.series(0))
    middle.set(ylabel="cosine of partners")
    for count, values in enumerate(result.branch):
        right.plot(p, 100 * values, "o-", ms=3, color=plotting.series(count), label=f"{count} merged")
    right.set(ylabel="excess loss (%)", ylim=(-0.3, 8))
    for ax in (left, middle, right):
        plotting.density_axis(ax, ticks=(0.02, 0.05, 0.15, 0.5))
    plotting.legend(left, columns=1)
    plotting.legend(right, columns=2)
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.figure(
    "collapse-pictures",
    title="From hexagon to principal components",
    caption=(
        "Partners draw together as they become denser, until each pair shares a direction. Exact optimum of "
        "three correlated pairs at five densities; partners have one colour."
    ),
    alt="Five arrow plots, from six separate directions to three.",
)
def draw_pictures(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.drawn), width="wide", panel="square", squeeze=False)
    limit = 1.08 * float(np.linalg.norm(result.drawn, axis=1).max())
    tones = [plotting.series(feature // 2) for feature in range(6)]
    for ax, p, W in zip(axes[0], result.drawn_density, result.drawn, strict=True):
        plotting.directions(ax, W, limit=limit, colours=tones)
        ax.set_title(f"$p$ = {p:.2g}", loc="center")
    return figure


@experiment.figure(
    "collapse-shares",
    title="Merged pairs in single models",
    caption=(
        "Single models often keep another number of merged pairs than the optimum, which costs them little. "
        "Share of {numbers.seeds:.0f} trained models with each number of merged pairs, over density."
    ),
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
    criterion=Criterion(
        supported_if(Holds(name="rises")),
        refuted_if(Holds(name="constant")),
        otherwise=Verdict.MIXED,
        names={
            "rises": "the count never falls as density rises and takes the values 0, 1, 2 and 3",
            "constant": "the count never changes",
        },
    ),
    figures=("collapse-count",),
    published=Verdict.SUPPORTED,
)
def one_after_the_other(result: Result) -> Evidence:
    counts = result.optimum
    rises = bool((np.diff(counts) >= 0).all()) and set(counts.tolist()) == {0, 1, 2, 3}
    return Evidence(all_merged=result.numbers.switch_3, rises=rises, constant=bool((counts == counts[0]).all()))


@experiment.claim(
    "collapse-switches",
    title="Pairs merge at densities within a factor of 1.6 of the paper's",
    statements=("C12",),
    source=SECTION,
    test="Densities from which on at least one, two and three pairs are merged in the exact optimum, against 0.05, "
    "0.15 and 0.2 to 0.25. Statistic: the share of the three that are within a factor of 1.6.",
    criterion=Criterion(supported_if(AtLeast(1)), refuted_if(AtMost(0)), otherwise=Verdict.MIXED),
    figures=("collapse-count",),
    published=Verdict.SUPPORTED,
)
def switches_near_the_papers(result: Result) -> Quantity:
    found = [each.value for each in (result.numbers.switch_1, result.numbers.switch_2, result.numbers.switch_3)]
    near = [low / FACTOR <= at <= high * FACTOR for at, (low, high) in zip(found, PAPER, strict=True)]
    return Quantity(float(np.mean(near)), n=3, unit="of switch points", method="exact optimum")


@experiment.claim(
    "collapse-principal",
    title="Dense features are stored by their principal components",
    statements=("C12",),
    source=SECTION,
    test="Exact optimum at densities of one half and more. Statistic: the least share of its row space that lies in "
    "the space of the pairs' sums, which the largest principal components, all equal, span.",
    criterion=at_least(0.98, few=0.9),
    figures=("collapse-pictures",),
    published=Verdict.SUPPORTED,
)
def dense_overlap(result: Result) -> Quantity:
    return result.numbers.overlap_dense
