"""Ten features in three dimensions: which solids, how often, and how one gives way to the next?

Statements C2, C3 and C6 in space, by the same means as in the plane.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from experiments.core.contract import Experiment
from experiments.core.criteria import Criterion, Evidence, Holds, Verdict, supported_if
from experiments.core.quantities import Quantity
from experiments.core.views import Solids
from experiments.geometry.shared import census_figures
from experiments.geometry.shared.census import CensusResult, take_census
from experiments.geometry.shared.census_claims import (
    APPEARS,
    BEST_IS_OPTIMUM,
    FOLLOWS,
    NOTHING_BETTER,
    SUDDEN,
    appears,
    follows,
    order_of_ranges,
    sudden,
)
from experiments.geometry.shared.census_config import CensusConfig

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'


@dataclass(frozen=True)
class Config(CensusConfig):
    """Defaults are the published run."""

    seed: int = 1
    hidden: int = 3


@dataclass(frozen=True)
class Result(CensusResult):
    """Fields as in `CensusResult`."""


experiment = Experiment(
    __name__,
    title="A census of arrangements in space",
    config=Config(),
    quick=Config(
        seeds=12, features=8, p=(0.9, 0.7, 0.5, 0.3, 0.18, 0.1), steps=600, batch=128, samples=1 << 12,
        computed_points=7, sweep_points=6, sweep_seeds=4, held_models=4, best_of=3, sweep_steps=200, judged=1,
    ),
    large=Config(seeds=1024, steps=10_000, batch=1024, sweep_points=48, sweep_seeds=128),
)  # fmt: skip


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**take_census(config, device))


@experiment.figure(
    "geometry-space-shapes",
    title="What becomes of ten features in space as they get rarer",
    caption=(
        "Common features make a tetrahedron, rarer ones three antipodal pairs (an octahedron); then come seven, "
        "eight, nine and ten vertices. The exact optimum for ten features in three dimensions, seen from the "
        "side and along its axis, with the range of densities p over which it is best; absent features are left "
        "out."
    ),
    alt=(
        "Wire frames in two rows, one column per solid, from tetrahedron and square pyramid over the octahedron, "
        "pentagonal bipyramid, square antiprism and tricapped trigonal prism to solids of ten vertices."
    ),
)
def draw_shapes(result: Result) -> Figure:
    return census_figures.draw_space_path(result)


@experiment.view("geometry-space-shapes")
def turn_shapes(result: Result) -> Solids:
    return census_figures.turn_space_path(result)


@experiment.figure(
    "geometry-space-transitions",
    title="Each solid at its best, and what is carried across the transitions",
    caption=(
        "The square antiprism takes over at p = {shape.square_antiprism.best_from:.3f} and yields to the "
        "tricapped prism at p = {shape.tricapped_trigonal_prism.best_from:.3f}; models that are carried across "
        "keep their shape. (a) Variance that each shape keeps at its exact best, in features, and the best run "
        "at each density. (b) Represented mass, the squared norm of W: that of the optimum, which jumps, and of "
        "models carried to rarer features and back."
    ),
    alt=(
        "Left, curves fan out from three as features get rarer, one above the other in turn; dots of trained models "
        "follow the highest. Right, a dashed staircase of the optimum and two lines that lag behind it on either side."
    ),
    interval="b: median and middle half of the models carried along",
)
def draw_transitions(result: Result) -> Figure:
    return census_figures.draw_curves(result, "octahedron")


@experiment.figure(
    "geometry-space-census",
    title="Which solids training finds, and which is best for fewer features",
    caption=(
        "The octahedron reaches {shape.octahedron.most:% value} of seeds, the square antiprism "
        "{shape.square_antiprism.most:% value}, the tricapped prism {shape.tricapped_trigonal_prism.most:% "
        "value}. (a) Share of {numbers.seeds:.0f} seeds in each arrangement; dashed, transitions of the exact "
        "optimum. (b) Best named shape for n features: with four or five of them the tetrahedron and the "
        "triangular bipyramid are best among common features only."
    ),
    alt=(
        "Left, stacked areas over feature probability, one solid after the other, with irregular arrangements "
        "at both ends. Right, a map whose colours change from octahedron to antiprism to larger solids as features get "
        "rarer and more."
    ),
)
def draw_census(result: Result) -> Figure:
    return census_figures.draw_census(result)


@experiment.claim(
    "space-antipodal",
    title="In space too, rarer features form antipodal pairs",
    statements=("C2",),
    source=SECTION,
    test="Share of seeds that end as three antipodal pairs, an octahedron, at the density where that share is largest.",
    criterion=APPEARS,
    figures=("geometry-space-census", "geometry-space-shapes"),
    published=Verdict.SUPPORTED,
)
def antipodal_pairs(result: Result) -> Evidence:
    return appears(result, "octahedron")


@experiment.claim(
    "space-tetrahedron",
    title="Tetrahedra appear once features are rarer than in antipodal pairs",
    statements=("C3",),
    source=SECTION,
    test=(
        "Densities at which the tetrahedron, and at which the octahedron, is the exact optimum of ten features. "
        "Statistic: share of seeds that end as a tetrahedron, at the density where that share is largest."
    ),
    criterion=Criterion(
        supported_if(Holds(name="later")),
        otherwise=Verdict.REFUTED,
        names={"later": "the tetrahedron is best, and only at lower densities than the octahedron is"},
    ),
    figures=("geometry-space-shapes", "geometry-space-census"),
    published=Verdict.REFUTED,
)
def tetrahedra(result: Result) -> Evidence:
    order = order_of_ranges(result, "octahedron", "tetrahedron")
    return Evidence(most=result.shape["tetrahedron"].most, later=order is not None and order[0] > order[1])


@experiment.claim(
    "space-antiprism",
    title="Features rarer than in octahedra form square antiprisms",
    statements=("C3",),
    source=SECTION,
    test="Share of seeds that end as a square antiprism, at the density where that share is largest.",
    criterion=FOLLOWS,
    figures=("geometry-space-census", "geometry-space-transitions"),
    published=Verdict.SUPPORTED,
)
def antiprisms(result: Result) -> Evidence:
    return follows(result, "octahedron", "square antiprism")


@experiment.claim(
    "space-sudden",
    title="In space, one shape gives way to the next in a jump",
    statements=("C6",),
    source=SECTION,
    test=(
        "Share of the transitions of the exact optimum that are first order: ||W||_F^2 jumps by more than 0.25, and "
        "most models that start from either shape at the transition keep it. The interval of the share that keeps it "
        "says whether that is beyond doubt."
    ),
    criterion=SUDDEN,
    figures=("geometry-space-transitions",),
    published=Verdict.REFUTED,
)
def sudden_transitions(result: Result) -> Evidence:
    return sudden(result)


@experiment.claim(
    "space-best-is-optimum",
    title="In space, the best of 16 runs has the shape of the exact optimum",
    statements=("C3",),
    test="Share of densities at which the best of 16 runs, by loss on common samples, has the shape that is best of "
    "all named ones, averaged over all choices of 16 of the 256 runs.",
    criterion=BEST_IS_OPTIMUM,
    figures=("geometry-space-transitions",),
    published=Verdict.MIXED,
)
def best_is_optimum(result: Result) -> Quantity:
    return result.numbers.best_is_optimum


@experiment.claim(
    "space-nothing-better",
    title="No run beats the best named solid by more than a hundredth of a feature",
    test="Largest lead, over all densities, of the best run over the best named shape, in features' worth of kept "
    "variance; losses are exact.",
    criterion=NOTHING_BETTER,
    figures=("geometry-space-transitions",),
    published=Verdict.SUPPORTED,
)
def largest_lead(result: Result) -> Quantity:
    return result.numbers.ahead
