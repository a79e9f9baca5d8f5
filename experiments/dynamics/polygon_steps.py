"""Six features, exactly one of them present, in two dimensions: does training rest at the losses of regular polygons?

Chen et al. 2023, "Dynamical versus Bayesian Phase Transitions in a Toy Model of Superposition": in the limit of rare
features every regular k-gon, with the other features absent, is a critical point with a loss in closed form.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import Verdict, above
from experiments.core.geometry.configurations import polygon
from experiments.core.geometry.theory import blocks
from experiments.core.losses.exact import expected_loss, one_active
from experiments.core.losses.optimum import minimise
from experiments.core.quantities import Quantity, bootstrap, exact, mean, share
from experiments.core.training.specification import Data, Model, Recipe, log_spaced_steps
from experiments.core.training.train import train
from experiments.dynamics.shared.courses import plateaus

FEATURES = 6

POLYGONS = ("triangle", "square", "pentagon", "hexagon")

NEAR = 0.01
"""A plateau is at a polygon's loss when it is within this share of it; the reference proposes 0.03."""

FLAT, SHORTEST = 0.15, 0.08
"""Greatest slope of ln(loss) per decade on a plateau, and its least length in decades."""

LEARNING = 0.23
"""Loss below which something is learned; no polygon with fewer than two features is lower."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 25
    seeds: int = 64
    steps: int = 20_000
    batch: int = 128
    learning_rate: float = 1e-3
    start_scale: float = 0.1
    snapshots: int = 150


@dataclass(frozen=True)
class Numbers:
    """`near` is the share of time on plateaus that is at a level, `chance` what a loss at random would have, `between`
    the share of plateaus before the last that lie at one. `final`, `square`, `pentagon` and `hexagon` are shares of
    seeds by where they end, `stops` is the number of plateaus of a seed."""

    near: Quantity
    chance: Quantity
    between: Quantity
    final: Quantity
    square: Quantity
    pentagon: Quantity
    hexagon: Quantity
    stops: Quantity
    seeds: Quantity


@dataclass(frozen=True)
class Result:
    """`loss` is exact and summed over features.

    `levels` are losses of polygons, with `corners` represented features and `biased` absent ones whose bias has learned
    the mean. `final` numbers the level a seed ends at, -1 for none. `near` is the share of the seed's time on plateaus,
    in log(step), that is at a level.
    """

    steps: NDArray[np.int64]  # (time,)
    loss: NDArray[np.float32]  # (seed, time)
    levels: Array  # (level,)
    corners: NDArray[np.int64]  # (level,)
    biased: NDArray[np.int64]  # (level,)
    final: NDArray[np.int64]  # (seed,)
    numbers: Numbers
    near: Array = undefined("the seed has no plateau after it began to learn")  # (seed,)


experiment = Experiment(
    __name__,
    title="Steps between polygons",
    config=Config(),
    quick=Config(seeds=8, steps=6000, batch=64, snapshots=90),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    steps, loss = _trained(config, device)
    corners, biased, levels = polygon_losses()
    near = np.array([_share_at(row, np.log10(steps), levels) for row in loss])
    distance = np.abs(loss[:, -1:] / levels - 1)
    final = np.where(distance.min(1) <= NEAR, distance.argmin(1), -1)
    known = near[np.isfinite(near)]
    low, high = np.log(levels.min()), np.log(LEARNING)
    square, pentagon, hexagon = (share((corners[final] == k) & (final >= 0)) for k in (4, 5, 6))
    numbers = Numbers(
        near=mean(known, within=(0, 1)) if known.size else exact(0.0),
        chance=exact(_covered(levels, low, high)),
        between=_between(loss, np.log10(steps), levels),
        final=share(final >= 0),
        square=square,
        pentagon=pentagon,
        hexagon=hexagon,
        stops=mean([len(_stops(row, np.log10(steps))) for row in loss]),
        seeds=exact(config.seeds, method="set-up"),
    )
    return Result(steps, loss.astype(np.float32), levels, corners, biased, final, numbers, near)


def _trained(config: Config, device: str) -> tuple[NDArray[np.int64], Array]:
    """Return steps (time,) and the exact loss summed over features (seed, time)."""
    steps = log_spaced_steps(config.steps, config.snapshots)
    trained = train(
        Data(1 / FEATURES, coupling="anticorrelated", groups=(tuple(range(FEATURES)),)),
        Model(FEATURES, 2),
        Recipe(
            steps=config.steps,
            batch=config.batch,
            learning_rate=config.learning_rate,
            schedule="step",
            start_scale=config.start_scale,
            snapshots=steps,
            seed=config.seed,
        ),
        instances=config.seeds,
        device=device,
    )
    W = np.stack([kept.W for kept in trained.snapshots], axis=1)[:, 1:]
    b = np.stack([kept.b for kept in trained.snapshots], axis=1)[:, 1:]
    return np.array(steps)[1:], FEATURES * expected_loss(W, b, sets=one_active(FEATURES)).value


def polygon_losses() -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Return corners, absent features with a learned bias, and loss, (level,) each, of every k-gon of `FEATURES`.

    The k-gon's norm and bias minimise the exact loss of its own features. An absent feature costs 1/(3c), or
    1/(3c) - 1/(4c^2) once its bias is the mean 1/(2c).
    """
    c = FEATURES
    found = []
    for k in range(2, c + 1):
        directions = polygon(k) if k > 2 else np.array([[1.0, -1.0], [0.0, 0.0]])
        least = minimise(blocks(f"{k}-gon", k, directions), sets=one_active(k)[None]).loss[0]
        alive = k * least * k / c  # of one_active(k) a feature is on k times less often than of one_active(c)
        found += [(k, s, alive + (c - k) / (3 * c) - s / (4 * c**2)) for s in range(c - k + 1)]
    corners, biased, losses = zip(*found, strict=True)
    return np.array(corners), np.array(biased), np.array(losses)


def _stops(loss: Array, time: Array) -> list[tuple[int, int]]:
    """Return first and last index of the plateaus of one course, once something is learned."""
    return [each for each in plateaus(np.log(loss), time, FLAT, SHORTEST) if loss[each[0]] < LEARNING]


def _share_at(loss: Array, time: Array, levels: Array) -> float:
    """Return the share of the time on plateaus that is spent at a level, NaN without a plateau."""
    long = at = 0.0
    for first, last in _stops(loss, time):
        middle = float(np.median(loss[first : last + 1]))
        long += time[last] - time[first]
        at += (time[last] - time[first]) * bool((np.abs(middle / levels - 1) <= NEAR).any())
    return at / long if long else float("nan")


def _between(loss: Array, time: Array, levels: Array) -> Quantity:
    """Return the share of all plateaus but the last of each seed that lie at a level, with a bootstrap over seeds."""
    stops = [[np.median(row[first : last + 1]) for first, last in _stops(row, time)[:-1]] for row in loss]
    counts = np.array([len(each) for each in stops])
    hits = np.array([sum(bool((np.abs(stop / levels - 1) <= NEAR).any()) for stop in each) for each in stops])
    return bootstrap(lambda k: float(hits[k].sum() / max(counts[k].sum(), 1)), len(loss))


def _covered(levels: Array, low: float, high: float) -> float:
    """Return which share of [low, high] in ln(loss) lies within `NEAR` of a level: what a loss at random would hit."""
    grid = np.exp(np.linspace(low, high, 100_001))
    return float((np.abs(grid[:, None] / levels - 1) <= NEAR).any(axis=1).mean())


@experiment.figure(
    "polygon-steps",
    title="Training stops at the losses of regular polygons",
    caption="Of the time on plateaus {numbers.near:% value} is at the loss of a regular polygon; a loss drawn at "
    "random would be at one in {numbers.chance:% value} of cases. (a) Exact loss of twenty of {numbers.seeds:.0f} "
    "seeds. Dashed: the losses of polygons when the biases of absent features have been learned; grey: before any of "
    "them has. (b) Where the seeds end.",
    alt="Left, falling curves that pause and end on dashed horizontal lines, most on the one of the pentagon. Right, "
    "three intervals: most seeds end as a pentagon, fewer as a square, hardly any as a hexagon.",
    interval="Wilson score intervals over seeds, 95 %",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4, width_ratios=[1.8, 1.0])
    for row in result.loss[:20, ::2]:
        left.plot(result.steps[::2], row, color=plotting.colour("accent"), linewidth=0.6, alpha=0.6)
    for k in range(3, FEATURES + 1):
        level = result.levels[(result.corners == k) & (result.biased == FEATURES - k)][0]
        plotting.theory_level(left, level, label="" if k > 3 else "biases learned")
        before = plotting.guide(left, result.levels[(result.corners == k) & (result.biased == 0)][0])
        before.set_label("" if k > 3 else "biases not learned")
        name = POLYGONS[k - 3]
        left.annotate(name, (11, level), xytext=(0, 2), textcoords="offset points", va="bottom", fontsize=8)
    left.set(
        xscale="log", yscale="log", xlabel="step", ylabel="loss (summed over features)", xlim=(10, result.steps[-1])
    )
    left.set_yticks([0.05, 0.1, 0.2, 0.3], labels=["0.05", "0.1", "0.2", "0.3"])
    left.yaxis.set_minor_formatter(NullFormatter())
    plotting.legend(left)
    names, numbers = POLYGONS[1:], result.numbers
    ends = (numbers.square, numbers.pentagon, numbers.hexagon)
    for place, (name, found) in enumerate(zip(names, ends, strict=True)):
        plotting.points(right, [place], [found], index=plotting.SHAPE_SERIES[name])
    right.set(xticks=range(3), xticklabels=names, xlim=(-0.5, 2.5), ylim=(0, 1), ylabel="share of seeds at the end")
    plotting.percent_axis(right)
    plotting.panel_letters([left, right])
    return figure


@experiment.claim(
    "polygon-steps",
    title="On plateaus, training is at the loss of a regular polygon most of the time",
    statements=("D1", "D2"),
    source="Chen et al. 2023, Dynamical versus Bayesian Phase Transitions in a Toy Model of Superposition",
    test="Plateaus of the exact loss of each seed, from where something is learned on. Statistic: share of the time "
    "on them, in the logarithm of the step, that is within 1 % of the loss of a polygon, mean over seeds.",
    criterion=above(0.8),
    figures=("polygon-steps",),
    published=Verdict.SUPPORTED,
)
def time_at_polygons(result: Result) -> Quantity:
    return result.numbers.near
