"""Ten features in two dimensions: which polygons, how often, and how one gives way to the next?

Statements C2, C3 and C6 in the plane. Every named polygon at its exact best, from common to rare features, beside a
census of what training finds, models that are carried from density to density, and the best shape for fewer features.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from experiments.core.contract import Experiment
from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import Quantity
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
    sudden,
)
from experiments.geometry.shared.census_config import CensusConfig

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'


@dataclass(frozen=True)
class Config(CensusConfig):
    """Defaults are the published run."""


@dataclass(frozen=True)
class Result(CensusResult):
    """Fields as in `CensusResult`."""


experiment = Experiment(
    __name__,
    title="A census of arrangements in the plane",
    config=Config(),
    quick=Config(
        seeds=12, features=6, p=(0.9, 0.5, 0.3, 0.13, 0.04), steps=600, batch=128, samples=1 << 12, computed_points=17,
        sweep_points=6, sweep_seeds=4, held_models=4, best_of=3, sweep_steps=200,
    ),
    large=Config(seeds=1024, steps=10_000, batch=1024, sweep_points=48, sweep_seeds=128),
)  # fmt: skip


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**take_census(config, device))


@experiment.figure(
    "geometry-plane-shapes",
    title="What becomes of ten features in a plane as they get rarer",
    caption=(
        "Common features make a triangle, rarer ones two antipodal pairs, then a pentagon and a hexagon; the "
        "other features are left out. Columns of W: above, the exact optimum over the stated range of densities; "
        "below, the best of {numbers.seeds:.0f} runs at a density within it."
    ),
    alt=(
        "Arrow plots inside unit circles in two rows: three arrows at equal angles, a cross of four, five at equal "
        "angles, six at equal angles. The lower row of trained models repeats them with small stray arrows."
    ),
)
def draw_shapes(result: Result) -> Figure:
    return census_figures.draw_plane_path(result)


@experiment.figure(
    "geometry-plane-transitions",
    title="Each polygon at its best, and what is carried across the transitions",
    caption=(
        "Digons give way to the pentagon at p = {shape.pentagon.best_from:.3f} and the pentagon to the hexagon "
        "at p = {shape.hexagon.best_from:.3f}; models that are carried across keep their shape. (a) Variance "
        "that each shape keeps at its exact best, in features, and the best run at each density: the curves "
        "cross at an angle. (b) Represented mass, the squared norm of W: that of the optimum, which jumps, and of "
        "models carried to rarer features and back."
    ),
    alt=(
        "Left, curves fan out from two as features get rarer, each levelling off near its number of vertices; dots of "
        "trained models follow the highest. Right, a dashed staircase and two lines that lag behind it on either side."
    ),
    interval="b: median and middle half of the models carried along",
)
def draw_transitions(result: Result) -> Figure:
    return census_figures.draw_curves(result, "two digons")


@experiment.figure(
    "geometry-plane-census",
    title="Which polygons training finds, and which is best for fewer features",
    caption=(
        "Training finds two digons in up to {shape.two_digons.most:% value} of seeds, the pentagon in "
        "{shape.pentagon.most:% value}, and the hexagon in only {shape.hexagon.most:% value}, though it "
        "is the optimum of rare features. (a) Share of {numbers.seeds:.0f} seeds in each arrangement; dashed, "
        "transitions of the exact optimum. (b) Best named shape for n features: a shape is available from the "
        "number of its vertices on."
    ),
    alt=(
        "Left, stacked areas over feature probability: from right to left irregular arrangements beside some of two "
        "directions and triangles, then two digons, then pentagons with some hexagons and irregular ones. Right, a map "
        "whose colours change from triangle to two digons, pentagon and hexagon as features get rarer and more."
    ),
)
def draw_census(result: Result) -> Figure:
    return census_figures.draw_census(result)


@experiment.claim(
    "plane-antipodal",
    title="As features get rarer, the model starts to represent them as antipodal pairs",
    statements=("C2",),
    source=SECTION,
    test="Share of seeds that end as two antipodal pairs at right angles, at the density where that share is largest.",
    criterion=APPEARS,
    figures=("geometry-plane-census", "geometry-plane-shapes"),
    published=Verdict.SUPPORTED,
)
def antipodal_pairs(result: Result) -> Evidence:
    return appears(result, "two digons")


@experiment.claim(
    "plane-pentagon",
    title="Features rarer than in antipodal pairs form pentagons",
    statements=("C3",),
    source=SECTION,
    test="Share of seeds that end as a regular pentagon, at the density where that share is largest.",
    criterion=FOLLOWS,
    figures=("geometry-plane-census", "geometry-plane-transitions"),
    published=Verdict.SUPPORTED,
)
def pentagons(result: Result) -> Evidence:
    return follows(result, "two digons", "pentagon")


@experiment.claim(
    "plane-sudden",
    title="In the plane, one shape gives way to the next in a jump",
    statements=("C6",),
    source=SECTION,
    test=(
        "Share of the transitions of the exact optimum that are first order: ||W||_F^2 jumps by more than 0.25, and "
        "most models that start from either shape at the transition keep it. The interval of the share that keeps it "
        "says whether that is beyond doubt."
    ),
    criterion=SUDDEN,
    figures=("geometry-plane-transitions",),
    published=Verdict.MIXED,
)
def sudden_transitions(result: Result) -> Evidence:
    return sudden(result)


@experiment.claim(
    "plane-best-is-optimum",
    title="In the plane, the best of 16 runs has the shape of the exact optimum",
    statements=("C3",),
    test="Share of densities at which the best of 16 runs, by loss on common samples, has the shape that is best of "
    "all named ones, averaged over all choices of 16 of the 256 runs.",
    criterion=BEST_IS_OPTIMUM,
    figures=("geometry-plane-shapes", "geometry-plane-transitions"),
    published=Verdict.SUPPORTED,
)
def best_is_optimum(result: Result) -> Quantity:
    return result.numbers.best_is_optimum


@experiment.claim(
    "plane-nothing-better",
    title="No run beats the best named polygon by more than a hundredth of a feature",
    test="Largest lead, over all densities, of the best run over the best named shape, in features' worth of kept "
    "variance; losses are exact.",
    criterion=NOTHING_BETTER,
    figures=("geometry-plane-transitions",),
    published=Verdict.SUPPORTED,
)
def largest_lead(result: Result) -> Quantity:
    return result.numbers.ahead
