"""What does the reader's first run give, over many seeds and densities? Statement A1.

Five features in two dimensions. Every run is judged by its exact expected loss, so that runs on different data,
converged runs and arrangements that were never trained are compared on one scale.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Evidence, Experiment, Verdict
from experiments.core.criteria import Above, AtLeast, Below, Criterion, LessThan, above, refuted_if, supported_if, where
from experiments.core.first_run import CONVERGED, READERS, SAMPLES, STEPS_PER_EPOCH, train_grid
from experiments.core.geometry.configurations import OTHER, PLANE, TWO_DIGONS, canonical, census, classify
from experiments.core.geometry.theory import (
    absent_loss,
    crossing,
    digon_and_one,
    least_in_family,
    pentagon,
    triangle,
    two_digons,
    two_directions,
)
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import polish, search
from experiments.core.metrics import REPRESENTED_NORM, cosines, norms
from experiments.core.quantities import Quantity, exact, median, share
from experiments.core.training.specification import Weights

Array = NDArray[np.float64]

FEATURES = 5
KINDS = (*(known.name for known in PLANE), OTHER)
FAMILIES = tuple(make(FEATURES) for make in (two_directions, triangle, digon_and_one, two_digons, pentagon))
ARMS = ("the reader's run", "converged")
AT_BEST = 1.01
"""A run has reached the best loss when its own is at most this many times as large."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models per density and recipe
    p: tuple[float, ...] = (1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01)
    readers_p: float = 0.1  # one of them: the reader's own
    epochs: int = 40  # of the reader's 10,000 samples
    converged_steps: int = 10_000
    search_starts: int = 64  # random starts of the search for the best loss at the reader's p


@dataclass(frozen=True)
class Arm:
    """One recipe's runs at the reader's p: the share in each arrangement and at the best loss, and the median loss."""

    two_directions: Quantity
    triangle: Quantity
    digon_and_one: Quantity
    two_digons: Quantity
    pentagon: Quantity
    other: Quantity
    at_best: Quantity
    loss: Quantity


@dataclass(frozen=True)
class Numbers:
    """`stuck_...`: shares of the converged runs that miss the best loss, at the reader's p."""

    readers: Arm
    converged: Arm
    search_starts: Quantity
    best_loss: Quantity
    pentagon_excess: Quantity
    stuck_minimum: Quantity  # above the best loss in the exact minimum below them, too
    stuck_behind: Quantity  # with a short column behind a represented one
    stuck_absent: Quantity  # with a column of hardly any length
    stuck_two_digons: Quantity


@dataclass(frozen=True)
class Changes:
    """Densities at which the best arrangement changes."""

    triangle_to_digons: Quantity
    digons_to_pentagon: Quantity


@dataclass(frozen=True)
class Result:
    """Losses are shares of the features' variance: 1 when nothing is represented. Cases are densities."""

    p: Array  # (case,)
    readers_case: int
    kind: NDArray[np.int64]  # (arm, case, seed), a number into `KINDS`
    loss: Array  # (arm, case, seed)
    shares: Array  # (arm, case, kind)
    example: Array  # (case, kind, 2, feature), the reader's run of median loss; zero where there is none
    family: Array  # (family,), the least loss of each arrangement at the reader's p
    changes: Changes
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="The reader's first run: five features in two dimensions",
    config=Config(),
    quick=Config(seeds=16, p=(1, 0.5, 0.2, 0.1, 0.01), search_starts=16),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.p, dtype=np.float64)
    arms = _train(config, p, device)
    grid = (len(ARMS), len(p), config.seeds)
    names = np.stack([classify(weights.W).name for weights in arms]).reshape(grid)
    density = np.repeat(p, config.seeds)[:, None]
    exact_losses = np.stack([expected_loss(weights.W, weights.b, density).value for weights in arms])
    loss = exact_losses.reshape(grid) / absent_loss(p)[:, None]
    case = int(np.argmin(np.abs(p - config.readers_p)))
    family = np.array([least_in_family(known, p[case])[0] for known in FAMILIES]) / absent_loss(p[case])
    return Result(
        p=p,
        readers_case=case,
        kind=np.argmax(names[..., None] == np.array(KINDS), axis=-1),
        loss=loss,
        shares=census(names, KINDS),
        example=_examples(arms[0].W.reshape(*grid[1:], 2, FEATURES).astype(np.float64), names[0], loss[0]),
        family=family,
        changes=Changes(
            triangle_to_digons=exact(crossing(FAMILIES[1], FAMILIES[3], 0.5, 0.8)),
            digons_to_pentagon=exact(crossing(FAMILIES[3], FAMILIES[4], 0.1, 0.4)),
        ),
        numbers=_numbers(config, arms[1], case, names[:, case], loss[:, case], family),
    )


def _train(config: Config, p: Array, device: str) -> tuple[Weights, Weights]:
    """Train the reader's runs and the converged ones, (case * seed) instances each."""
    readers = replace(READERS, steps=config.epochs * STEPS_PER_EPOCH)
    converged = replace(CONVERGED, steps=config.converged_steps)
    common = (p, config.seeds, config.seed, device)
    return (
        train_grid(readers, *common, features=FEATURES, samples=SAMPLES),
        train_grid(converged, *common, features=FEATURES),
    )


def _searched(config: Config, p: float) -> float:
    """Return the best loss of a search that knows of no family."""
    found = search(2, FEATURES, [[p]], starts=config.search_starts, seed=config.seed)[0]
    return float(found.loss.min() / absent_loss(p))


def _minima_below(weights: Weights, case: int, chosen: NDArray[np.bool_], p: float) -> Array:
    """Return the losses of the exact minima that the chosen runs of one case roll into."""
    runs = case * len(chosen) + np.flatnonzero(chosen)
    return polish(weights.W[runs], weights.b[runs], [[p]]).loss / absent_loss(p)


def _behind(W: Array) -> NDArray[np.bool_]:
    """Return (run,) if a column of norm 0.1 to 0.5 is within 10° of a represented one, for `W` (run, 2, feature)."""
    lengths, close = norms(W), cosines(W) > np.cos(np.radians(10))
    short = (lengths > 0.1) & (lengths <= REPRESENTED_NORM)
    return np.asarray((short[:, :, None] & (lengths > REPRESENTED_NORM)[:, None, :] & close).any((1, 2)))


def _examples(W: Array, names: NDArray[np.str_], loss: Array) -> Array:
    """Return the run of median loss of each kind at each density, turned to a common orientation."""
    example = np.zeros((len(W), len(KINDS), *W.shape[2:]))
    for case, column in np.ndindex(len(W), len(KINDS)):
        runs = np.flatnonzero(names[case] == KINDS[column])
        if len(runs):
            middle = runs[np.argsort(loss[case, runs])[len(runs) // 2]]
            example[case, column] = canonical(W[case, middle])
    return example


def _numbers(
    config: Config, converged: Weights, case: int, names: NDArray[np.str_], loss: Array, family: Array
) -> Numbers:
    """Return the numbers at the reader's density: `names` and `loss` (arm, seed), and all `converged` runs."""
    p = config.p[case]
    best = min(_searched(config, p), float(family.min()))
    at_best = loss <= AT_BEST * best
    stuck = ~at_best[1]
    W = converged.W.reshape(len(config.p), config.seeds, 2, FEATURES)[case]
    below = _minima_below(converged, case, stuck, p)
    return Numbers(
        readers=_arm(names[0], at_best[0], loss[0]),
        converged=_arm(names[1], at_best[1], loss[1]),
        search_starts=exact(config.search_starts, method="set-up"),
        best_loss=exact(best, method="exact loss, least of a search and of all families"),
        pentagon_excess=exact(family[-1] / best - 1),
        stuck_minimum=_share(below > AT_BEST * best),
        stuck_behind=_share(_behind(W)[stuck]),
        stuck_absent=_share((norms(W)[stuck] < 0.1).any(-1)),
        stuck_two_digons=_share(names[1][stuck] == TWO_DIGONS.name),
    )


def _share(hits: NDArray[np.bool_]) -> Quantity:
    """Return the share of true values; 0 without an interval when no run is stuck."""
    return share(hits) if len(hits) else exact(0, method="no run was stuck")


def _arm(names: NDArray[np.str_], at_best: NDArray[np.bool_], loss: Array) -> Arm:
    kinds = {kind.replace(" + ", "_and_").replace(" ", "_"): share(names == kind) for kind in KINDS}
    return Arm(**kinds, at_best=share(at_best), loss=median(loss))


def _tones() -> list[str]:
    return [plotting.shape_colour(kind) for kind in KINDS]


@experiment.figure(
    "first-run-starfish",
    title="What the reader's first run gives",
    caption=(
        "At the reader's p, {numbers.readers.pentagon:% value} of runs end as a pentagon and "
        "{numbers.readers.two_digons:% value} as two digons; {numbers.readers.other:% value} fit no regular "
        "arrangement. Drawn are the columns of W after the reader's training, for five densities p and each "
        "arrangement that occurred there: the run of median loss, with the share of seeds."
    ),
    alt=(
        "A grid of small arrow plots inside unit circles. Rows are densities from 1 down to 0.01, columns are the "
        "arrangements two directions, triangle, digon and one, two digons, pentagon, other. Irregular arrows fill the "
        "row of the largest density; two digons dominate in the middle and pentagons at small density."
    ),
)
def draw_starfish(result: Result) -> Figure:
    shown = [int(np.argmin(np.abs(np.log(result.p / value)))) for value in (1, 0.5, 0.2, 0.1, 0.01)]
    limit = 1.02 * float(norms(result.example[shown]).max())
    figure, axes = plotting.new_figure(len(shown), len(KINDS), width="wide", height=6.3)
    for row, case in enumerate(shown):
        axes[row, 0].set_ylabel(f"$p$ = {result.p[case]:g}")
        for column, kind in enumerate(KINDS):
            ax, found = axes[row, column], result.shares[0, case, column]
            ax.set_title(kind if row == 0 else "", loc="center")
            if found > 0:
                plotting.directions(ax, result.example[case, column], limit=limit, colours=_tones()[column])
                ax.text(0.02, 0.98, f"{100 * found:.2g} %", transform=ax.transAxes, va="top")
            else:
                ax.set(xticks=[], yticks=[], aspect="equal")
                ax.spines[:].set_visible(False)
    return figure


@experiment.figure(
    "first-run-census",
    title="Which arrangements training finds",
    caption=(
        "Where the best arrangement jumps, training changes gradually. Drawn is the share of seeds that end in "
        "each arrangement, against p. Dashed lines mark where the best arrangement changes, by exact loss: from a "
        "triangle to two digons, and from two digons to a pentagon."
    ),
    alt=(
        "Two panels of stacked areas over feature probability, the reader's run and the converged run, with two dashed "
        "vertical lines. From right to left irregular arrangements give way to two digons and then to pentagons."
    ),
)
def draw_census(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.6, sharey=True)
    for ax, arm, shares in zip(axes, ARMS, result.shares, strict=True):
        plotting.stacked_shares(ax, result.p, dict(zip(KINDS, shares.T, strict=True)), colours=_tones())
        for change in (result.changes.triangle_to_digons, result.changes.digons_to_pentagon):
            plotting.theory_level(ax, change.value, vertical=True, label="")
        plotting.density_axis(ax, ticks=(0.01, 0.03, 0.1, 0.3, 1))
        plotting.percent_axis(ax)
        ax.set_title(arm)
    axes[0].set_ylabel("share of seeds")
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.figure(
    "first-run-losses",
    title="How good each arrangement is",
    caption=(
        "{numbers.readers.at_best:% value} of the reader's runs and {numbers.converged.at_best:% value} of the "
        "converged ones come within one percent of the best loss. Drawn is the exact loss of every run at the "
        "reader's p, by the arrangement it ended in. Dashed lines mark the least loss of an arrangement with "
        "optimised lengths and biases."
    ),
    alt=(
        "Two panels of point clouds, one cloud per arrangement, the reader's run and converged. Pentagons lie lowest, "
        "two digons above them and digon and one higher; in the reader's run the clouds are taller."
    ),
)
def draw_losses(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.6, sharey=True)
    case = result.readers_case
    for ax, arm, kinds, losses in zip(axes, ARMS, result.kind[:, case], result.loss[:, case], strict=True):
        present = np.unique(kinds)
        groups = {KINDS[k].replace(" ", "\n", 1): losses[kinds == k] for k in present}
        plotting.distribution_strip(ax, groups, colours=[_tones()[k] for k in present])
        for position, kind in enumerate(present):
            if kind < len(FAMILIES):
                level = [result.family[kind]] * 2
                ax.plot([position - 0.42, position + 0.42], level, label=f"least {KINDS[kind]}", **_dashes())
        ax.set_title(arm)
    axes[0].set_ylabel("loss / variance of the features")
    return figure


def _dashes() -> dict[str, Any]:
    """Return the line style of a theoretical level that spans one group only."""
    return {"color": plotting.colour("theory"), "linestyle": (0, (4, 2)), "linewidth": 1.2}


@experiment.claim(
    "first-run-pentagon",
    title="The reader's run usually gives a pentagon, and that is the optimum",
    statements=("A1",),
    source="Elhage et al. 2022, introduction (five features in two dimensions)",
    test="Share of the reader's runs, at the reader's p, whose columns form a regular pentagon (each angle within 8°).",
    criterion=Criterion(
        supported_if(where(pentagon=Above(0.5), excess=LessThan(AT_BEST - 1, label="1 %"))),
        refuted_if(where(pentagon=Below(0.5)) | where(excess=AtLeast(AT_BEST - 1, label="1 %"))),
        names={"pentagon": "that share", "excess": "the pentagon's excess over the best loss found"},
    ),
    figures=("first-run-starfish", "first-run-census"),
    published=Verdict.SUPPORTED,
)
def pentagons(result: Result) -> Evidence:
    return Evidence(pentagon=result.numbers.readers.pentagon, excess=result.numbers.pentagon_excess)


@experiment.claim(
    "first-run-reliable",
    title="One of the reader's runs is enough to see the best arrangement",
    statements=("A1",),
    test="Share of the reader's runs, at the reader's p, whose exact loss is within one percent of the best found.",
    criterion=above(0.9),
    figures=("first-run-losses",),
    published=Verdict.REFUTED,
)
def readers_at_best(result: Result) -> Quantity:
    return result.numbers.readers.at_best


@experiment.claim(
    "first-run-longer",
    title="Converged training on fresh data is enough to see the best arrangement",
    statements=("A1",),
    test="Share of the converged runs, at the reader's p, whose exact loss is within one percent of the best found.",
    criterion=above(0.9),
    figures=("first-run-losses",),
    published=Verdict.REFUTED,
)
def converged_at_best(result: Result) -> Quantity:
    return result.numbers.converged.at_best
