"""Are the shapes that features form solutions of a spreading problem, the same that arrange charges? Statement C4.

As many features as points, 2 to 12 of them, in two and three dimensions: the best trained arrangement beside the least
energy of equal charges on the sphere (Thomson) and of the model's own generalised Thomson problem.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from experiments.core import plotting, views
from experiments.core.best_of import best_of_some
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Verdict,
    Within,
    mixed_if,
    refuted_if,
    supported_if,
)
from experiments.core.geometry.configurations import OTHER, TOLERANCE
from experiments.core.geometry.polyhedra import SHAPES, named
from experiments.core.geometry.recognition import match, recognise, settled
from experiments.core.geometry.spreading import POSITIVE_INTERFERENCE, THOMSON, spread, total_energy
from experiments.core.losses.evaluation import evaluate
from experiments.core.metrics import directions, norms, represented
from experiments.core.plotting.solids import wire_frame
from experiments.core.quantities import Quantity, exact
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.geometry.shared.hulls import edges, faces

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition" and its generalised Thomson problem'
DIMENSIONS = (2, 3)
TOP = 125.0
"""Where runs that leave features out are marked on an axis of degrees."""

LEFT_OUT = 180.0
"""The largest error of an angle when a feature is left out."""

SPREAD_ALIKE = Criterion(
    supported_if(Above(0.9)), refuted_if(Below(0.5, label="one half")), mixed_if(Within(0.5, high=0.9))
)
"""When features are said to spread as a solution does, judged by the share of numbers of points."""

LEAST = 0.02
"""An arrangement has the least energy of the model's own problem when its energy per pair is within this of it."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models per number of features
    most: int = 12  # points and features
    p: float = 0.03
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 1e-2  # falls to 0 along a cosine
    samples: int = 1 << 14  # of the common set that picks the best run
    starts: int = 64  # of the search for the least energy
    best_of: int = 16  # runs, of which the best by loss is compared with the solutions


@dataclass(frozen=True)
class Numbers:
    """Shares of the numbers of points, from 4 (3 in the plane) on, at which the best of `best_of` runs agrees.

    With the angles of equal charges; with the least interference, `own`; in keeping all features, `whole`.
    `best_charges` and `best_own` count those at which the best of all runs in space agrees, as drawn.
    """

    seeds: Quantity
    best_of: Quantity
    p: Quantity
    plane_charges: Quantity
    plane_own: Quantity
    plane_whole: Quantity
    space_charges: Quantity
    space_own: Quantity
    space_whole: Quantity
    best_charges: Quantity
    best_own: Quantity


@dataclass(frozen=True)
class Result:
    """The best run for each dimension (2, 3) and number of points, beside both solutions in space, turned alike.

    Columns that are not used are 0.
    """

    counts: NDArray[np.int64]  # (count,): numbers of points and features, from 2 on
    features: NDArray[np.int64]  # (dimension, count): represented ones
    name: tuple[str, ...]  # (dimension * count,)
    miss: Array  # (dimension, count): largest error of an angle against equal charges, degrees; 180 if one is left out
    own: Array  # (dimension, count): excess energy in the model's own problem over the least, per pair
    found: Array  # (count, 3, most): columns of the best run
    charges: Array  # (count, 3, most)
    interference: Array  # (count, 3, most)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Features and charges",
    config=Config(),
    quick=Config(seeds=8, best_of=3, most=8, steps=600, starts=12, samples=1 << 12),
    large=Config(seeds=1024, steps=10_000, batch=1024, samples=1 << 17),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    counts = np.arange(2, config.most + 1)
    grid = (len(DIMENSIONS), len(counts))
    features, miss = np.zeros(grid, dtype=np.int64), np.full(grid, LEFT_OUT)
    own = np.zeros(grid)
    runs, hits = [], np.zeros((3, *grid, config.seeds), dtype=bool)
    solved = np.zeros((3, len(counts), 3, config.most))
    names: list[str] = []
    for d, hidden in enumerate(DIMENSIONS):
        runs.append(_train(config, counts, hidden, device))
        for k, (count, W) in enumerate(zip((int(count) for count in counts), runs[d].best(), strict=True)):
            charges = _upright(spread(count, hidden, THOMSON, config.starts, config.seed).positions[0])
            interference = spread(count, hidden, POSITIVE_INTERFERENCE, config.starts, config.seed).positions[0]
            features[d, k] = represented(W).sum()
            names.append(str(recognise(W[None], SHAPES[hidden]).name[0]))
            own[d, k] = _excess(W, interference)
            hits[:, d, k] = _agreements(runs[d].W[k], count, charges, interference)
            if features[d, k] == count:
                miss[d, k] = match(W, charges).miss
            if hidden == 3:
                for solution, columns in enumerate((W, charges, interference)):
                    solved[solution, k, :, :count] = columns if count < 4 else settled(columns, charges)
    return Result(
        counts=counts,
        features=features,
        name=tuple(names),
        miss=miss,
        own=own,
        found=solved[0],
        charges=solved[1],
        interference=solved[2],
        numbers=_numbers(config, counts, [each.loss for each in runs], hits, miss[1], own[1]),
    )


class _Runs(NamedTuple):
    """Models for several numbers of features, with their loss on a common set of samples."""

    counts: NDArray[np.int64]  # (count,)
    W: Array  # (count, seed, hidden, most)
    loss: Array  # (count, seed)

    def best(self) -> list[Array]:
        """Return `W` (hidden, count) of the run with the least loss, for each count."""
        return [W[loss.argmin(), :, :count] for count, W, loss in zip(*self, strict=True)]


def _train(config: Config, counts: NDArray[np.int64], hidden: int, device: str) -> _Runs:
    """Return trained models for each number of features.

    All are trained at once, with as many features as the largest count has: those beyond a run's own are never present
    and have no importance, so that they change nothing.
    """
    own = np.repeat(np.arange(config.most) < counts[:, None], config.seeds, axis=0)
    data, model = Data(np.where(own, config.p, 0.0), own.astype(np.float64)), Model(config.most, hidden)
    recipe = Recipe(
        steps=config.steps, batch=config.batch, learning_rate=config.learning_rate, schedule="cosine", start="xavier",
        seed=config.seed,
    )  # fmt: skip
    weights = train(data, model, recipe, device=device).weights
    loss = evaluate(weights, data, model, config.samples, config.seed).loss.reshape(len(counts), config.seeds)
    W = weights.W.reshape(*loss.shape, hidden, config.most).astype(np.float64)
    return _Runs(counts, W, loss)


def _agreements(W: Array, count: int, charges: Array, interference: Array) -> NDArray[np.bool_]:
    """Return whether runs (seed, hidden, feature) have the charges' angles, least interference, all features."""
    columns = W[..., :count]
    whole = represented(columns).all(-1)
    angles, least = np.zeros((2, len(W)), dtype=bool)
    for seed in np.flatnonzero(whole):
        angles[seed] = match(columns[seed], charges, TOLERANCE).miss <= TOLERANCE
        least[seed] = _excess(columns[seed], interference) <= LEAST
    return np.stack([angles, least, whole])


def _upright(columns: Array) -> Array:
    """Return an arrangement turned as the shape of its name, if it has one."""
    name = recognise(columns[None], SHAPES[len(columns)]).name[0]
    return columns if name == OTHER else settled(columns, named(str(name)).directions)


def _excess(W: Array, solution: Array) -> float:
    """Return by how much the positive interference of the directions of `W` exceeds the least, per pair of points."""
    pairs = W.shape[1] * (W.shape[1] - 1) / 2
    found, least = (total_energy(columns, POSITIVE_INTERFERENCE) for columns in (directions(W), solution))
    return float((found - least) / pairs)


def _numbers(
    config: Config, counts: NDArray[np.int64], losses: list[Array], hits: NDArray[np.bool_], miss: Array, own: Array
) -> Numbers:
    """Return how often runs agree, `hits` (what, dimension, count, seed); `miss` and `own` are those of the best."""
    shares = [
        [best_of_some(losses[d][counts > hidden], what[d][counts > hidden], config.best_of) for what in hits]
        for d, hidden in enumerate(DIMENSIONS)
    ]
    in_space = counts > DIMENSIONS[1]
    return Numbers(
        seeds=exact(config.seeds, method="set-up"),
        best_of=exact(config.best_of, method="set-up"),
        p=exact(config.p, method="set-up"),
        plane_charges=shares[0][0],
        plane_own=shares[0][1],
        plane_whole=shares[0][2],
        space_charges=shares[1][0],
        space_own=shares[1][1],
        space_whole=shares[1][2],
        best_charges=_count(miss[in_space] <= TOLERANCE),
        best_own=_count((miss[in_space] < LEFT_OUT) & (own[in_space] <= LEAST)),
    )


def _count(hits: NDArray[np.bool_]) -> Quantity:
    return Quantity(float(hits.mean()), n=len(hits), method="count over numbers of points, best of all runs")


@experiment.figure(
    "geometry-charges",
    title="Charges on a sphere, the model's own spreading problem, and what training finds",
    caption=(
        "Features spread as equal charges do for {numbers.best_charges:count} numbers of points. Arrangements of "
        "4 to 12 points in three dimensions: above, least energy of equal charges; middle, least positive "
        "interference, the loss of rare features of unit norm (one of many solutions up to five points); below, "
        "the best of {numbers.seeds:.0f} runs with as many features, coloured by whether its angles are those of "
        "the charges within 8 degrees."
    ),
    alt=(
        "Three rows of wire frames, from four to twelve vertices. The upper row goes from tetrahedron to icosahedron. "
        "Some solids of the lower row look like those above; the first two have antipodal pairs instead."
    ),
)
def draw_solids(result: Result) -> Figure:
    shown = np.flatnonzero(result.counts >= 4)
    figure, axes = plotting.new_figure(3, len(shown), width="wide", height=3.6)
    for column, k in enumerate(shown):
        agrees = result.miss[1, k] <= TOLERANCE
        tones = (plotting.colour("ink"), plotting.colour("muted"), plotting.colour("accent" if agrees else "contrast"))
        for row, (columns, tone) in enumerate(
            zip((result.charges, result.interference, result.found), tones, strict=True)
        ):
            W = _shown(columns[k])
            wire_frame(axes[row, column], W, edges(faces(W)), tone=tone, limit=1.15)
        axes[0, column].set_title(f"{result.counts[k]}", loc="center")
    for row, label in enumerate(("equal\ncharges", "least inter-\nference", "training")):
        axes[row, 0].set_ylabel(label)
    keys = {"accent": "training: angles of the charges", "contrast": "training: other angles"}
    handles = [Patch(color=plotting.colour(role), label=label) for role, label in keys.items()]
    figure.legend(handles=handles, loc="outside upper left", ncols=2, alignment="left")
    return figure


def _shown(columns: Array) -> Array:
    """Return the unit directions of the columns that are used."""
    return directions(columns[:, norms(columns) > 0.1])


@experiment.view("geometry-charges")
def turn_solids(result: Result) -> views.Solids:
    solids = []
    for k in np.flatnonzero(result.counts >= 4):
        W, name = _shown(result.found[k]), result.name[len(result.counts) + k]
        rings = faces(W)
        agrees = result.miss[1, k] <= TOLERANCE
        title = f"{result.counts[k]} features" + (f": {name}" if name != OTHER else "")
        solids.append(views.Solid(title, W.T, edges(rings), rings, colours=(0 if agrees else 1,) * W.shape[1]))
    return views.Solids("The best trained arrangement of four to twelve features in three dimensions", tuple(solids))


@experiment.figure(
    "geometry-energies",
    title="How far trained arrangements are from those of charges, and from the least interference",
    caption=(
        "In space the best runs solve the model's own spreading problem, to within the tolerance of the claim, "
        "for {numbers.best_own:count} numbers of points. (a) Largest difference between an angle of the best run "
        "and of equal charges; dashed, the tolerance. (b) Positive interference of its directions above the "
        "least possible, per pair, where no feature is left out. In the plane more than six features form no "
        "larger polygon: the others are left out."
    ),
    alt=(
        "Two panels over the number of points. Left, angles: in the plane small from four to six points, beyond it "
        "features are left out; in space they go up and down across the tolerance. Right, excess interference, near "
        "zero throughout."
    ),
)
def draw_energies(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2)
    for d, hidden in enumerate(DIMENSIONS):
        tone, label, many = plotting.series(d), f"{hidden} dimensions", result.counts > hidden
        whole = many & (result.features[d] == result.counts)
        left.plot(result.counts[whole], result.miss[d][whole], "o-", color=tone, label=label)
        partial = result.counts[many & ~whole]
        marks = left.plot(partial, np.full(len(partial), TOP), "o", markerfacecolor="none", markeredgecolor=tone)
        plotting.decoration(marks[0])
        right.plot(result.counts[whole], result.own[d][whole], "o-", color=tone)
    plotting.theory_level(left, TOLERANCE, label="")
    plotting.guide(right, 0)
    left.set(ylabel="largest angle error (°)", title="from equal charges", ylim=(-3, TOP + 8))
    left.text(12, TOP - 6, "open: features left out", va="top", ha="right", color=plotting.colour("muted"))
    right.set(ylabel="excess interference per pair", title="from the model's own problem")
    for ax in (left, right):
        ax.set_xlabel("number of points and features")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.claim(
    "charges-in-space",
    title="In three dimensions, features spread as equal charges do",
    statements=("C4",),
    source=SECTION,
    test=(
        "Share of the numbers of points from 4 to 12 for which the best of 16 runs has all angles of the solution of "
        "Thomson's problem, each within 8°, averaged over all choices of 16 of the 256 runs."
    ),
    criterion=SPREAD_ALIKE,
    figures=("geometry-charges", "geometry-energies"),
    published=Verdict.REFUTED,
)
def space_charges(result: Result) -> Quantity:
    return result.numbers.space_charges


@experiment.claim(
    "charges-in-plane",
    title="In two dimensions, features spread as equal charges do",
    statements=("C4",),
    source=SECTION,
    test="As in three dimensions, for 3 to 12 points; the charges make regular polygons.",
    criterion=SPREAD_ALIKE,
    figures=("geometry-energies",),
    published=Verdict.REFUTED,
)
def plane_charges(result: Result) -> Quantity:
    return result.numbers.plane_charges


@experiment.claim(
    "own-energy-in-space",
    title="In three dimensions, features nearly solve the model's own spreading problem",
    statements=("C4",),
    source=SECTION,
    test=(
        "Share of the numbers of points from 4 to 12 for which the best of 16 runs keeps all features and its "
        "directions have the least positive interference, within 0.02 per pair."
    ),
    criterion=SPREAD_ALIKE,
    figures=("geometry-charges", "geometry-energies"),
    published=Verdict.SUPPORTED,
)
def space_own(result: Result) -> Quantity:
    return result.numbers.space_own
