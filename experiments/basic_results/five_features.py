"""Five features of falling importance in two dimensions: which arrangement wins at which density?

Elhage et al. 2022, the first figure of the paper, with importances 0.9^i as in its public notebook. The same features
at equal importance are the reader's first run.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import brentq

from experiments.basic_results.shared.importance_sweep import Ladder, Models, Training, train_ladder
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Criterion,
    Evidence,
    Holds,
    Verdict,
    mixed_if,
    supported_if,
    where,
)
from experiments.core.geometry.configurations import OTHER, PLANE, census, classify
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import polish
from experiments.core.metrics import cosines, norms, off_diagonal, represented
from experiments.core.quantities import Quantity, exact, share

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SECTION = "Toy Models of Superposition, introduction (five features in two dimensions)"
LADDER = Ladder(features=5, hidden=2, decay=0.9)
KINDS = (*(known.name for known in PLANE), OTHER)
MOST_SEEDS = 0.8
"""A statement is reproduced when it holds in more than this share of seeds."""
GAP = 8.0
"""Degrees by which an angle between neighbours of the pentagon may miss 72."""

TRAINING = Training(steps=5000, batches=((0.0, 256),))


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 192  # models per density
    densities: tuple[float, ...] = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05)
    training: Training = TRAINING


@dataclass(frozen=True)
class BestHolds:
    """Whether the model of least loss is in each state that the paper shows."""

    two: bool
    pairs: bool
    pentagon: bool


@dataclass(frozen=True)
class Numbers:
    """Shares of seeds in each state of the paper, gaps of the best pentagon, and how near training comes to minima."""

    seeds: Quantity
    two: Quantity
    pairs: Quantity
    pentagon: Quantity
    pentagon_rarer: Quantity
    digons_of_any: Quantity
    widest_gap: Quantity
    narrowest_gap: Quantity
    best_excess: Quantity
    at_best_dense: Quantity
    at_best_pairs: Quantity
    at_best_pentagon: Quantity
    digons_to_pentagon: Quantity


@dataclass(frozen=True)
class Result:
    """`loss` is exact, relative to answering the mean; `shares` of seeds per `KINDS`.

    `shown` are the models of least loss at `shown_density` (1, 0.2 and 0.1), turned so that the most important feature
    points along the first axis. `best_holds` says whether the model of least loss is in the state that the paper shows.
    """

    density: Array  # (density,)
    loss: Array  # (density, seed)
    shares: Array  # (density, kind)
    shown_density: Array  # (picture,)
    shown: Array  # (picture, 2, feature)
    best_holds: BestHolds
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Five features of falling importance in two dimensions",
    config=Config(),
    quick=Config(seeds=8, densities=(1.0, 0.5, 0.2, 0.1, 0.05), training=replace(TRAINING, steps=1500)),
    large=Config(seeds=1024),
)


class State(NamedTuple):
    """A state that the paper shows: its density, and which models (seed, 2, feature) are in it."""

    density: float
    holds: Flags


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.densities)
    models = train_ladder(LADDER, p, config.training, config.seeds, config.seed, device)
    value = expected_loss(models.W, models.b, p[:, None, None], LADDER.importance).value
    loss = value / (absent_loss(p)[:, None] * LADDER.importance.mean())
    names = np.stack([classify(W).name for W in models.W])
    best = loss.argmin(1)
    states = _states(models, p)
    cases = {name: _case(p, state.density) for name, state in states.items()}
    shown = [_case(p, wanted) for wanted in (1.0, 0.2, 0.1)]
    return Result(
        density=p,
        loss=loss,
        shares=census(names, KINDS),
        shown_density=p[shown],
        shown=np.stack([_first_ahead(models.W[case, best[case]]) for case in shown]),
        best_holds=BestHolds(
            **{name: bool(states[name].holds[best[cases[name]]]) for name in ("two", "pairs", "pentagon")}
        ),
        numbers=Numbers(
            seeds=exact(config.seeds, method="set-up"),
            **{name: share(state.holds) for name, state in states.items()},
            digons_of_any=share(names[_case(p, 0.2)] == "two digons"),
            **_gaps(models, p, loss),
            **_reached(models, p, loss),
            digons_to_pentagon=exact(_crossing(models, p, loss, names), method="crossing of exact losses"),
        ),
    )


def _case(p: Array, wanted: float) -> int:
    return int(np.argmin(np.abs(np.log(p / wanted))))


def _states(models: Models, p: Array) -> dict[str, State]:
    """Return the three states of the paper's figure at their densities, and the pentagon at 0.05 as well."""
    return {
        "two": State(1.0, _two_orthogonal(models.W[_case(p, 1.0)])),
        "pairs": State(0.2, _two_pairs(models.W[_case(p, 0.2)])),
        "pentagon": State(0.1, _pentagon(models.W[_case(p, 0.1)])),
        "pentagon_rarer": State(0.05, _pentagon(models.W[_case(p, 0.05)])),
    }


def _two_orthogonal(W: Array) -> Flags:
    """Return whether exactly the first two features are represented, and |cos| between them is below 0.05, (seed,)."""
    live = represented(W)
    return np.asarray((live == (np.arange(5) < 2)).all(-1) & (np.abs(cosines(W)[:, 0, 1]) < 0.05))


def _two_pairs(W: Array) -> Flags:
    """Return whether the first four form two antipodal pairs at right angles and the fifth is gone, (seed,)."""
    live = represented(W)
    sorted_cosines = np.sort(off_diagonal(cosines(W[:, :, :4])), axis=-1)
    pairs = (sorted_cosines[:, :2] < -0.98).all(-1) & (np.abs(sorted_cosines[:, 2:]) < 0.05).all(-1)
    return np.asarray(live[:, :4].all(-1) & pairs & (norms(W)[:, 4] < 0.1))


def _pentagon(W: Array) -> Flags:
    """Return whether all five are represented and neighbours are 72 degrees apart, within the tolerance, (seed,)."""
    turn = np.sort(np.degrees(np.arctan2(W[:, 1], W[:, 0])), axis=-1)
    gaps = np.diff(turn, axis=-1, append=turn[:, :1] + 360)
    return np.asarray(represented(W).all(-1) & (np.abs(gaps - 72) < GAP).all(-1))


def _first_ahead(W: Array) -> Array:
    """Return one `W` (2, feature) turned so that the first feature points right, reflected so the second is above."""
    angle = np.arctan2(W[1, 0], W[0, 0])
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ W
    return np.asarray(turned * np.array([[1.0], [np.sign(turned[1, 1]) or 1.0]]))


def _gaps(models: Models, p: Array, loss: Array) -> dict[str, Quantity]:
    """Return how irregular the best pentagon is: its largest and smallest gap, in degrees."""
    case = _case(p, 0.1)
    W = models.W[case, loss[case].argmin()]
    turn = np.sort(np.degrees(np.arctan2(W[1], W[0])))
    gaps = np.diff(turn, append=turn[0] + 360)
    return {"widest_gap": exact(gaps.max(), unit="°"), "narrowest_gap": exact(gaps.min(), unit="°")}


def _reached(models: Models, p: Array, loss: Array) -> dict[str, Quantity]:
    """Return how far the best models are above the exact minima they roll into, and how many come within 1 %."""
    best = loss.argmin(1)
    rows = np.arange(len(p))
    below = polish(models.W[rows, best], models.b[rows, best], p[:, None], LADDER.importance).loss
    least = below / (absent_loss(p) * LADDER.importance.mean())
    return {
        "best_excess": exact((loss.min(1) / least - 1).max(), method="largest over densities"),
        **{f"at_best_{name}": share(loss[_case(p, q)] < 1.01 * least[_case(p, q)])
           for name, q in (("dense", 1.0), ("pairs", 0.2), ("pentagon", 0.1))},
    }  # fmt: skip


def _crossing(models: Models, p: Array, loss: Array, names: NDArray[np.str_]) -> float:
    """Return the density at which the exact minima "two digons" and "pentagon" cost the same.

    Each is followed from the best trained model of its kind, found anywhere on the grid, over densities at which both
    are minima.
    """
    starts = [_best_of_kind(models, loss, names, kind) for kind in ("two digons", "pentagon")]
    W, b = np.stack([W for W, _ in starts]), np.stack([b for _, b in starts])

    def advantage(density: float) -> float:
        found = polish(W, b, [[density]], LADDER.importance).loss
        return float((found[0] - found[1]) / density)

    return float(brentq(advantage, 0.1, 0.2, xtol=1e-5))


def _best_of_kind(models: Models, loss: Array, names: NDArray[np.str_], kind: str) -> tuple[Array, Array]:
    """Return the model of a kind whose loss is closest to the best at its own density."""
    excess = np.where(names == kind, loss / loss.min(1, keepdims=True), np.inf)
    case, seed = np.unravel_index(int(excess.argmin()), excess.shape)
    return models.W[case, seed], models.b[case, seed]


@experiment.figure(
    "basic-five",
    title="Five features of falling importance in two dimensions",
    caption="As features become rarer the best model keeps the two most important, with a dimension each; then four, "
    "in two antipodal pairs; then all five, in a pentagon whose gaps are {numbers.narrowest_gap:.0f} to "
    "{numbers.widest_gap:.0f} degrees. Drawn is the model of least exact loss of {numbers.seeds:.0f}, turned so that "
    "the most important feature points right; numbers are ranks of importance.",
    alt="Three arrow plots inside unit circles: two arrows at right angles; four arrows along two axes; five "
    "arrows in a pentagon, slightly longer than the circle's radius.",
)
def draw_directions(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, panel="square", height=2.5)
    limit = 1.05 * float(norms(result.shown).max())
    for ax, W, p in zip(axes, result.shown, result.shown_density, strict=True):
        plotting.directions(ax, W, limit=limit, colours=plotting.ramp(5)[::-1])
        for i in np.flatnonzero(represented(W)):
            beside = W[:, i] * 0.72 + 0.13 * np.array([-W[1, i], W[0, i]])
            ax.text(*beside, f"{i + 1}", ha="center", va="center", fontsize=8)
        ax.set_title(f"$p$ = {p:g}", loc="center")
    return figure


@experiment.figure(
    "basic-five-census",
    title="What training finds with falling importance",
    caption="Training changes over gradually from two digons to the pentagon, around p = "
    "{numbers.digons_to_pentagon:.3f} (dashed), where their exact losses cross. Drawn is the share of "
    "{numbers.seeds:.0f} seeds that end in each arrangement.",
    alt="Stacked areas over feature probability: from right to left two directions, then two digons with a little "
    "digon and one, then pentagons, with a dashed line at the crossing.",
)
def draw_census(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.2)
    tones = [plotting.shape_colour(kind) for kind in KINDS]
    found = [k for k in range(len(KINDS)) if result.shares[:, k].any()]
    shares = {KINDS[k]: result.shares[:, k] for k in found}
    plotting.stacked_shares(ax, result.density, shares, colours=[tones[k] for k in found])
    plotting.theory_level(ax, result.numbers.digons_to_pentagon.value, vertical=True, label="")
    plotting.density_axis(ax, ticks=(0.05, 0.1, 0.2, 0.5, 1))
    plotting.percent_axis(ax)
    ax.set_ylabel("share of seeds")
    plotting.legend(ax)
    return figure


CRITERION = Criterion(
    supported_if(where(best=Holds(), seeds=Above(MOST_SEEDS))),
    mixed_if(where(best=Holds())),
    otherwise=Verdict.REFUTED,
    names={"best": "the model of least exact loss shows it", "seeds": "the share of seeds"},
)


@experiment.claim(
    "basic-five-dense",
    title="With all features present, the two most important have a dimension each and the others are dropped",
    source=SECTION,
    test="Models at p = 1: exactly the two most important features have a norm above 1/2, and |cos| between them is "
    "below 0.05. Statistic: share of seeds.",
    criterion=CRITERION,
    figures=("basic-five", "basic-five-census"),
    published=Verdict.SUPPORTED,
)
def two_orthogonal(result: Result) -> Evidence:
    return Evidence(seeds=result.numbers.two, best=result.best_holds.two)


@experiment.claim(
    "basic-five-pairs",
    title="At p = 0.2, four features form two antipodal pairs and the fifth is dropped",
    source=SECTION,
    test="Models at p = 0.2: the four most important features form two pairs with a cosine below −0.98, |cos| between "
    "pairs is below 0.05, and the fifth has a norm below 0.1. Statistic: share of seeds.",
    criterion=CRITERION,
    figures=("basic-five", "basic-five-census"),
    published=Verdict.MIXED,
)
def two_pairs(result: Result) -> Evidence:
    return Evidence(seeds=result.numbers.pairs, best=result.best_holds.pairs)


@experiment.claim(
    "basic-five-pentagon",
    title="At p = 0.1, all five features form a pentagon",
    source=SECTION,
    test="Models at p = 0.1: all five features have a norm above 1/2 and neighbours are 72 degrees apart, within 8. "
    "Statistic: share of seeds.",
    criterion=CRITERION,
    figures=("basic-five", "basic-five-census"),
    published=Verdict.MIXED,
)
def pentagon_of_all(result: Result) -> Evidence:
    return Evidence(seeds=result.numbers.pentagon, best=result.best_holds.pentagon)
