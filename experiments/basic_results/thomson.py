"""One rare feature at a time, unit norms, no bias: is what remains of the loss what training minimises?

Elhage et al. 2022, "Mathematical understanding": in that limit the loss is the positive interference of points on a
sphere, a generalised Thomson problem. Its minima, those of equal charges (Thomson's own), the best packings (Tammes's
problem), and trained models, whose norms and biases are free, are compared by the angles between features.
"""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.basic_results.shared.arrangements import (
    Case,
    Trained,
    angles_off,
    freed_loss,
    interference_of,
    reduction_error,
    share_of_the_best,
)
from experiments.basic_results.shared.importance_sweep import Ladder, Training, train_ladder
from experiments.basic_results.shared.loss_terms import loss_terms
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    AtLeast,
    Below,
    Criterion,
    Evidence,
    LessThan,
    MoreThan,
    Verdict,
    less_than,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.geometry.configurations import TOLERANCE, canonical, sorted_angles
from experiments.core.geometry.spreading import PACKING, POSITIVE_INTERFERENCE, THOMSON, spread, total_energy
from experiments.core.metrics import represented
from experiments.core.quantities import Quantity, exact

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "Mathematical Understanding"'
TRAINING = Training(steps=6000, batches=((0.0, 2048),))


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 32  # trained models per case
    density: float = 0.003
    planar: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9, 10)
    spatial: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    starts: int = 96  # descents per minimum
    packings: int = 16  # descents per packing
    training: Training = TRAINING
    samples: int = 512


@dataclass(frozen=True)
class Numbers:
    """Energies and differences of minima; `as_*` are shares of cases in which the best model is at such a minimum,
    `last_*` are of the most points in space."""

    seeds: Quantity
    free_largest: Quantity
    crowded_least: Quantity
    pentagon_miss: Quantity
    reduction_error: Quantity
    as_ideal: Quantity
    as_charges: Quantity
    as_packing: Quantity
    all_live: Quantity
    last_points: Quantity
    last_least: Quantity
    last_at_charges: Quantity
    last_freed: Quantity
    last_freed_charges: Quantity


@dataclass(frozen=True)
class Result:
    """Cases are numbers of `points` in 2 or 3 dimensions; models are trained for the cases in `trained_case`.

    Energies are of positive interference: the `least`, that `at_charges`, where Thomson's energy is least, and that of
    the best `trained` model's directions. `freed` and `freed_charges` are the least loss of both arrangements, one
    feature present, when a common norm and bias are free. `miss`, `miss_charges` and `miss_packing` are the largest
    difference in an angle of the trained model from each, in degrees; `live` the features it represents.
    `planar_ideal` and `planar_trained` are columns, zero-padded.
    """

    dimension: NDArray[np.int64]  # (case,)
    points: NDArray[np.int64]  # (case,)
    least: Array  # (case,)
    at_charges: Array  # (case,)
    freed: Array  # (case,)
    freed_charges: Array  # (case,)
    trained_case: NDArray[np.int64]  # (trained case,), numbers of cases
    trained: Array  # (trained case,)
    live: Array  # (trained case,)
    miss: Array  # (trained case,)
    miss_charges: Array  # (trained case,)
    miss_packing: Array  # (trained case,)
    pictured: NDArray[np.int64]  # (picture,), numbers of points
    planar_ideal: Array  # (picture, 2, 10)
    planar_trained: Array  # (picture, 2, 10)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Spread points: a generalised Thomson problem",
    config=Config(),
    quick=Config(
        seeds=3,
        planar=(4, 5, 6),
        spatial=(6, 8),
        starts=8,
        packings=2,
        training=replace(TRAINING, steps=400),
        samples=32,
    ),
    large=Config(seeds=256, starts=2048),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    cases = [
        Case(d, k, *(spread(k, d, energy, config.starts, config.seed) for energy in (POSITIVE_INTERFERENCE, THOMSON)))
        for d, ks in ((2, config.planar), (3, config.spatial))
        for k in ks
    ]
    crowded = [index for index, case in enumerate(cases) if case.points > 2 * case.dimension]
    models = [_train(config, cases[index], device) for index in crowded]
    best = [each.best for each in models]
    planar = [index for index, case in enumerate(crowded) if cases[case].dimension == 2]
    least = np.array([case.ideal.energy[0] for case in cases])
    free = np.array([case.points <= 2 * case.dimension for case in cases])
    return Result(
        dimension=np.array([case.dimension for case in cases]),
        points=np.array([case.points for case in cases]),
        least=least,
        at_charges=np.array([total_energy(case.charges.positions[0], POSITIVE_INTERFERENCE) for case in cases]),
        freed=np.array([freed_loss(case.ideal.positions[0]) for case in cases]),
        freed_charges=np.array([freed_loss(case.charges.positions[0]) for case in cases]),
        trained_case=np.array(crowded),
        trained=np.array([interference_of(each.W[k]) for each, k in zip(models, best, strict=True)]),
        live=np.array([float(each.live[k]) for each, k in zip(models, best, strict=True)]),
        miss=np.array([each.miss[k] for each, k in zip(models, best, strict=True)]),
        miss_charges=np.array([each.miss_charges[k] for each, k in zip(models, best, strict=True)]),
        miss_packing=np.array([each.miss_packing[k] for each, k in zip(models, best, strict=True)]),
        pictured=np.array([cases[crowded[index]].points for index in planar]),
        planar_ideal=np.stack([_padded(canonical(cases[crowded[i]].ideal.positions[0])) for i in planar]),
        planar_trained=np.stack([_padded(canonical(models[i].W[best[i]])) for i in planar]),
        numbers=Numbers(
            seeds=exact(config.seeds, method="set-up"),
            free_largest=exact(least[free].max(), method="largest of all cases"),
            crowded_least=exact(least[~free].min(), method="smallest of all cases"),
            pentagon_miss=exact(_pentagon_miss(config), unit="°", method="largest difference of an angle"),
            reduction_error=exact(reduction_error(cases), method="largest relative difference of all cases"),
            as_ideal=_cases_at("miss", models, config),
            as_charges=_cases_at("miss_charges", models, config),
            as_packing=_cases_at("miss_packing", models, config),
            all_live=share_of_the_best(
                np.stack([each.live == each.W.shape[-1] for each in models]), models, config.seed
            ),
            **_twelve(cases),
        ),
    )


def _train(config: Config, case: Case, device: str) -> Trained:
    """Train equally important features at a low density, and compare the models with each kind of minimum."""
    ladder = Ladder(case.points, case.dimension, 1.0)
    density = np.array([config.density])
    models = train_ladder(ladder, density, config.training, config.seeds, config.seed, device)
    W = models.W[0]
    loss = loss_terms(W, models.b[0], config.density, samples=config.samples, seed=config.seed).loss
    packing = spread(case.points, case.dimension, PACKING, config.packings, config.seed)
    miss = [angles_off(W, found) for found in (case.ideal, case.charges, packing)]
    return Trained(W, represented(W).sum(-1), loss, *miss)


def _cases_at(what: str, models: list[Trained], config: Config) -> Quantity:
    """Return the share of cases whose best model is at a kind of minimum (`what`), all features represented.

    The cases are all there are; what is random is which seeds were trained, so the bootstrap draws seeds anew and
    chooses the best of them again. `n` is the number of cases.
    """
    hits = np.stack([(getattr(each, what) <= TOLERANCE) & (each.live == each.W.shape[-1]) for each in models])
    return share_of_the_best(hits, models, config.seed)


def _pentagon_miss(config: Config) -> float:
    """Return how far the minimum of five points in the plane is from a regular pentagon, degrees in an angle."""
    found = spread(5, 2, POSITIVE_INTERFERENCE, config.starts, config.seed).positions[0]
    return float(np.abs(sorted_angles(found) - np.repeat([72.0, 144.0], 5)).max())


def _twelve(cases: list[Case]) -> dict[str, Quantity]:
    """Return, for the most points in space, the energies and the freed losses of the two arrangements."""
    last = cases[-1]
    return {
        "last_points": exact(last.points, method="set-up"),
        "last_least": exact(last.ideal.energy[0]),
        "last_at_charges": exact(float(total_energy(last.charges.positions[0], POSITIVE_INTERFERENCE))),
        "last_freed": exact(freed_loss(last.ideal.positions[0])),
        "last_freed_charges": exact(freed_loss(last.charges.positions[0])),
    }


def _padded(W: Array, width: int = 10) -> Array:
    return np.pad(W, ((0, 0), (0, width - W.shape[1])))


@experiment.figure(
    "spread-energy",
    title="Least positive interference of points on a circle and on a sphere",
    caption="Up to two points per dimension nothing interferes. Drawn are the least energy (line), the energy where "
    "equal charges would sit (diamonds), and that of the directions of the best of {numbers.seeds:.0f} trained models "
    "(circles; hollow where it leaves features out). In space, with {numbers.last_points:.0f} points, the least energy "
    "is {numbers.last_least:.2f}, the icosahedron of equal charges has {numbers.last_at_charges:.2f}, and training "
    "finds the icosahedron.",
    alt="Two panels of energy against number of points. Both are zero up to two points per dimension and rise from "
    "there. Diamonds lie on or slightly above the line; circles of trained models lie on or slightly above the "
    "diamonds in space, and far above the line beyond six points in the plane.",
)
def draw_energy(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, height=3.3)
    for ax, d in zip(axes, (2, 3), strict=True):
        cases = result.dimension == d
        ax.plot(result.points[cases], result.least[cases], color=plotting.series(0), label="least")
        ax.plot(
            result.points[cases], result.at_charges[cases], "D", color=plotting.series(1), label="equal charges", ms=5.5
        )
        mine = result.dimension[result.trained_case] == d
        points = result.points[result.trained_case][mine]
        whole = result.live[mine] == points
        ink = {"ls": "none", "mec": plotting.colour("ink"), "mew": 1.0, "ms": 4}
        for chosen, face, label in (
            (whole, plotting.colour("ink"), "trained"),
            (~whole, "none", "trained, some left out"),
        ):
            if chosen.any():
                ax.plot(points[chosen], result.trained[mine][chosen], "o", mfc=face, label=label, **ink)
        ax.set(xlabel="points", title=f"{d} dimensions", xticks=result.points[cases][::2])
    axes[0].set_ylabel("positive interference")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.figure(
    "spread-plane",
    title="Arrangements in the plane: least interference, and training",
    caption="Up to six points the best trained model has the least positive interference. Beyond, points of least "
    "interference partly coincide (two pentagons on top of each other interfere less than a regular decagon), and "
    "trained models leave features out instead. Above, unit vectors of least positive interference; below, columns of "
    "the best trained model.",
    alt="Two rows of arrow plots for five to ten points: regular polygons at first; above, later, arrows that "
    "coincide; below, hexagons with short leftover arrows.",
)
def draw_plane(result: Result) -> Figure:
    figure, axes = plotting.new_figure(2, len(result.pictured), width="wide", height=3.1)
    axes = np.asarray(axes).reshape(2, -1)
    limit = 1.05 * max(1.0, float(np.linalg.norm(result.planar_trained, axis=1).max()))
    for row, pictures in enumerate((result.planar_ideal, result.planar_trained)):
        for ax, W, k in zip(axes[row], pictures, result.pictured, strict=True):
            plotting.directions(ax, W[:, : int(k)], limit=limit)
            if row == 0:
                ax.set_title(f"{k} points", loc="center")
    axes[0, 0].set_ylabel("least energy")
    axes[1, 0].set_ylabel("trained")
    return figure


def _rounded(found: Quantity) -> Quantity:
    """Return a difference to 9 decimals: what is smaller is rounding, and a row of zeros to read."""
    return exact(round(found.value, 9), found.unit, f"{found.method}, to 9 decimals")


@experiment.claim(
    "spread-reduction",
    title="With one feature present, unit norms and no bias, the loss is the positive interference",
    source=SECTION,
    test="Loss in closed form with exactly one feature present, against the sum over i and j of ReLU(W_i . W_j)^2 over "
    "3 n^2, for arrangements of 2 to 12 unit vectors. Statistic: largest relative difference, to nine decimals.",
    criterion=less_than(1e-9),
    figures=("spread-energy",),
    published=Verdict.SUPPORTED,
)
def difference_of_the_loss(result: Result) -> Quantity:
    return _rounded(result.numbers.reduction_error)


@experiment.claim(
    "spread-free",
    title="Up to two features per dimension fit without interference, and no more",
    source=SECTION,
    test="Least energy for all numbers of points. Statistic: the largest up to 2d points, as antipodal pairs allow, to "
    "nine decimals.",
    criterion=Criterion(
        supported_if(where(free=LessThan(1e-9), crowded=MoreThan(0.1))),
        otherwise=Verdict.REFUTED,
        names={"free": "the largest up to 2d points", "crowded": "the least beyond 2d points"},
    ),
    figures=("spread-energy",),
    published=Verdict.SUPPORTED,
)
def energies_around_two_per_dimension(result: Result) -> Evidence:
    return Evidence(free=_rounded(result.numbers.free_largest), crowded=result.numbers.crowded_least)


@experiment.claim(
    "spread-pentagon",
    title="Five features in the plane of least interference are a regular pentagon",
    source=SECTION,
    test="Angles between the five unit vectors of least energy, against those of a regular pentagon. Statistic: "
    "largest difference in degrees.",
    criterion=less_than(0.01, label="0.01 degrees"),
    figures=("spread-plane",),
    published=Verdict.SUPPORTED,
)
def miss_of_the_pentagon(result: Result) -> Quantity:
    return _rounded(result.numbers.pentagon_miss)


def _most_cases(note: str) -> Criterion:
    """Return "supported if in every number of points, refuted if in fewer than half"; the interval is over seeds."""
    return Criterion(
        supported_if(AtLeast(1)), refuted_if(Below(0.5, label="one half")), otherwise=Verdict.MIXED, note=note
    )


CASES = _most_cases("Written after a pilot that showed most of the outcome.")

PACKING_CASES = _most_cases(
    "Written after the exact optimum of seven features in space had turned out to be a packing."
)


@experiment.claim(
    "spread-training",
    title="Training arranges features as the generalised Thomson problem does",
    source=SECTION,
    test="Equally important features at p = 0.003, 5 to 10 in the plane and 7 to 12 in space, best of the models by "
    "loss: all are represented and every sorted angle is within 8 degrees of that of a minimum. Statistic: share of "
    "cases.",
    criterion=CASES,
    figures=("spread-energy", "spread-plane"),
    published=Verdict.REFUTED,
)
def cases_of_least_energy(result: Result) -> Quantity:
    return result.numbers.as_ideal


@experiment.claim(
    "spread-charges",
    title="Training arranges features as equal charges would sit",
    source=SECTION,
    test="The same models against the minima of Thomson's own problem. Statistic: share of cases.",
    criterion=CASES,
    figures=("spread-energy",),
    published=Verdict.REFUTED,
)
def cases_of_charges(result: Result) -> Quantity:
    return result.numbers.as_charges


@experiment.claim(
    "spread-packing",
    title="Training arranges features as a best packing, with the smallest angle as large as possible",
    source=SECTION,
    test="The same models against the best packings of unit vectors. Statistic: share of cases.",
    criterion=PACKING_CASES,
    figures=("spread-energy",),
    published=Verdict.MIXED,
)
def cases_of_packings(result: Result) -> Quantity:
    return result.numbers.as_packing
