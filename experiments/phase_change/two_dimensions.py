"""Three features, two dimensions: which feature is ignored, and who shares a dimension with whom?

Elhage et al. 2022, "Superposition as a Phase Change", its second theory figure, here with trained models beside it. The
extra feature, whose importance varies, is the third; the two normal ones have importance 1.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from experiments.core.contract import Experiment, Verdict
from experiments.core.criteria import above, at_least, below
from experiments.core.phases import THREE_FEATURES
from experiments.core.quantities import Quantity
from experiments.phase_change.shared import phase_figures
from experiments.phase_change.shared.phase_results import SweepResult, sweep
from experiments.phase_change.shared.phase_sweep import SweepConfig

SECTION = 'Toy Models of Superposition, "Superposition as a Phase Change"'


@dataclass(frozen=True)
class Config(SweepConfig):
    """Defaults are the published run."""

    seed: int = 1
    features: int = 3


@dataclass(frozen=True)
class Result(SweepResult):
    """Fields as in `SweepResult`; the extra feature is the third."""


experiment = Experiment(
    __name__,
    title="Phase diagram of three features in two dimensions",
    config=Config(),
    quick=Config(
        ratios=8, densities=8, models=4, line_densities=16, line_models=4, steps=800, batch=128, starts=4, halvings=8
    ),
    large=Config(ratios=256, densities=256, line_densities=96, line_models=256, steps=5000, batch=1024),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**sweep(config, device))


@experiment.figure(
    "phase-map-three",
    title="Phases of three features in two dimensions",
    caption=(
        "The sparse half of the map follows the closed forms; upper right, where a normal feature should be "
        "ignored, the optimum keeps a part of it. Drawn is which solution wins, for {numbers.cells:.0f} "
        "combinations of importance and probability. (a) Best of the four ideal solutions. (b) Global minimum of "
        "the exact expected loss with free norms and biases. (c) Best of {numbers.per_cell:.0f} trained models in"
        " each cell, in the phase of (b) in {numbers.trained_is_optimum:count} cells. (d) As (b) without biases. "
        "Dashed: boundaries of (a)."
    ),
    alt="Four square maps of importance against feature probability. The sparse lower part is split at equal "
    "importance: left, the extra feature shares a dimension; right, the two normal features share one. The upper "
    "left ignores the extra feature. The upper right differs between the panels; a few cells at equal importance are "
    "triangles.",
)
def draw_maps(result: Result) -> Figure:
    return phase_figures.draw_maps(THREE_FEATURES, result)


@experiment.figure(
    "phase-norm-three",
    title="How strongly the third feature is represented",
    caption=(
        "The third feature is absent upper left and represented elsewhere. Drawn is the length of its column over"
        " the same map. (a) Mean over {numbers.per_cell:.0f} models without the one of highest loss, as the paper"
        " averages. (b) The model with the lowest exact loss. Dashed: closed-form boundaries."
    ),
    alt="Two heat maps of the third feature's norm: near 0 in the upper left, near 1 elsewhere, blurred on the left "
    "and sharp on the right.",
)
def draw_norms(result: Result) -> Figure:
    return phase_figures.draw_norms(THREE_FEATURES, result)


@experiment.figure(
    "phase-shares-three",
    title="Where single models of three features end up",
    caption=(
        "{numbers.failed:% value} of all models stay more than 1 % above the exact optimum, and "
        "{numbers.failures.other_ideal:% value} of these are in another ideal solution: the wrong two features "
        "share a dimension. Drawn is the share of the {numbers.per_cell:.0f} models of every cell in each phase. "
        "Dashed: closed-form boundaries."
    ),
    alt="Small maps, one per phase, of the share of models in it. Superposed models and normal pairs reach far into "
    "each other's region.",
)
def draw_shares(result: Result) -> Figure:
    return phase_figures.draw_shares(THREE_FEATURES, result)


@experiment.figure(
    "phase-line-three",
    title="Across the transition with three features",
    caption=(
        "The third feature enters in a jump, as with two features in one dimension. Importance is "
        "{numbers.line_ratio:.1f}, with {numbers.line_models:.0f} models at each probability. (a) The third "
        "feature's norm. (b) The branches of the loss cross at p = {numbers.line_boundary:.3f}. Models on the "
        "upper curve are local minima in which the two normal features share a dimension and the third has its "
        "own. Dashed: closed forms."
    ),
    alt="Left, norms of trained models lie on two branches, near 0 at high and near 0.9 at low probability. Right, "
    "relative losses: a flat line and a rising line that cross, with models on both and some on other branches.",
)
def draw_line(result: Result) -> Figure:
    return phase_figures.draw_line(THREE_FEATURES, result)


@experiment.figure(
    "phase-boundary-three",
    title="The boundary with three features",
    caption=(
        "An unimportant third feature enters in a jump; beyond equal importance the transition is continuous. (a)"
        " Probability below which all three features are represented: closed form, exact optimum, and the best "
        "trained models. (b) Shortest column of the exact optimum on both sides. Beyond equal importance the two "
        "normal features share one dimension unequally above the boundary and become equal continuously, except "
        "next to the triangles at r just above 1."
    ),
    alt="Left, three curves that rise with importance up to one and are level beyond; the exact one peaks at equal "
    "importance. Right, norms on both sides of the boundary: far apart on the left, equal on the right but for one "
    "spike.",
)
def draw_boundaries(result: Result) -> Figure:
    return phase_figures.draw_boundaries(THREE_FEATURES, result)


@experiment.claim(
    "phase-three-agreement",
    title="Three features in two dimensions follow the four ideal solutions",
    source=SECTION,
    test="Best of the models of each cell by exact expected loss, named by norms and cosines, against the ideal "
    "solution with the lowest closed-form loss. Statistic: share of agreeing cells among those more than 0.15 "
    "decades from a boundary.",
    criterion=above(0.9),
    figures=("phase-map-three", "phase-shares-three"),
    published=Verdict.SUPPORTED,
)
def agreeing_cells(result: Result) -> Quantity:
    return result.numbers.agreement


@experiment.claim(
    "phase-three-boundary",
    title="The boundary of three features is where the closed forms put it, within 0.15 decades",
    source=SECTION,
    test="Probability at which the best models of a given importance stop representing all three features, against "
    "4r/(5r + 2) for r up to 1 and 4/7 beyond. Statistic: root mean square of the difference in decades.",
    criterion=below(0.15, label="0.15 decades"),
    figures=("phase-boundary-three",),
    published=Verdict.SUPPORTED,
)
def boundary_error(result: Result) -> Quantity:
    return result.numbers.boundary_error


@experiment.claim(
    "phase-three-jump",
    title="At importance 0.3 the third feature enters suddenly",
    statements=("C6",),
    source=SECTION,
    test="Models at importance 0.3. Statistic: largest change of the median norm of the third feature between two "
    "probabilities within a factor of 1.3.",
    criterion=above(0.6),
    figures=("phase-line-three",),
    published=Verdict.SUPPORTED,
)
def line_jump(result: Result) -> Quantity:
    return result.numbers.line_jump


@experiment.claim(
    "phase-three-sudden-everywhere",
    title="The change is one jump at every importance, with three features too",
    statements=("C6",),
    source=SECTION,
    test="Exact optimum just above the boundary, for every importance of the map. Statistic: share of importances at "
    "which the weakest feature is still absent there (norm below 0.05), so that it enters in the jump alone.",
    criterion=at_least(1, few=0.5),
    figures=("phase-boundary-three",),
    published=Verdict.REFUTED,
)
def sudden_importances(result: Result) -> Quantity:
    return result.numbers.sudden_columns


@experiment.claim(
    "phase-three-ignored-normal",
    title="Where an extra feature is important and features are dense, a normal feature is ignored",
    source=SECTION,
    test="Cells in which the closed forms give two dimensions to the extra and one normal feature (r > 1, p > 4/7). "
    "Statistic: share of them whose best model has exactly one column shorter than 0.3, a normal one.",
    criterion=above(0.5),
    figures=("phase-map-three", "phase-shares-three"),
    published=Verdict.REFUTED,
)
def ignored_normal(result: Result) -> Quantity:
    return result.numbers.kept["dedicated"]


@experiment.claim(
    "phase-three-only-ideal",
    title="Best models are nearly always in one of the four ideal phases",
    source=SECTION,
    test="Phase of the best model of each cell. Statistic: share of cells in one of the four ideal phases, rather "
    "than a triangle, two features that point the same way, a partly represented one or anything else.",
    criterion=above(0.95),
    figures=("phase-map-three", "phase-shares-three"),
    published=Verdict.REFUTED,
)
def ideal_cells(result: Result) -> Quantity:
    return result.numbers.best_ideal


@experiment.claim(
    "phase-three-loss",
    title="Trained models of three features reach the loss of the ideal solutions",
    source=SECTION,
    test="Exact expected loss of the best model of each cell over the lowest closed-form loss. Statistic: share of "
    "cells where it is at most 1.02.",
    criterion=above(0.95),
    figures=("phase-map-three",),
    published=Verdict.SUPPORTED,
)
def cells_at_ideal_loss(result: Result) -> Quantity:
    return result.numbers.loss_within
