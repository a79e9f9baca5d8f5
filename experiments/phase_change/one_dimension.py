"""Two features, one dimension: when is the second feature ignored, superposed or given the dimension?

Elhage et al. 2022, "Superposition as a Phase Change". A map over the importance of the second feature and the density
of both, trained, computed exactly, and predicted by closed forms; derivations stand in `phases` and
on the page.
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from experiments.core.contract import Evidence, Experiment, Verdict
from experiments.core.criteria import (
    AtLeast,
    AtMost,
    Criterion,
    LessThan,
    MoreThan,
    above,
    at_least,
    below,
    less_than,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.phases import TWO_FEATURES
from experiments.core.quantities import Quantity
from experiments.phase_change.shared import phase_figures
from experiments.phase_change.shared.phase_results import SweepResult, sweep
from experiments.phase_change.shared.phase_sweep import SweepConfig

SECTION = 'Toy Models of Superposition, "Superposition as a Phase Change"'


@dataclass(frozen=True)
class Config(SweepConfig):
    """Defaults are the published run."""


@dataclass(frozen=True)
class Result(SweepResult):
    """Fields as in `SweepResult`; the extra feature is the second."""


experiment = Experiment(
    __name__,
    title="Phase diagram of two features in one dimension",
    config=Config(),
    quick=Config(
        ratios=12, densities=12, models=4, line_densities=24, line_models=6, steps=800, batch=128, starts=5, halvings=9
    ),
    large=Config(ratios=256, densities=256, line_densities=96, line_models=256, steps=5000, batch=1024),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return Result(**sweep(config, device))


@experiment.figure(
    "phase-map-two",
    title="Phases of two features in one dimension",
    caption=(
        "Trained models and the exact optimum show the same phases; the closed forms put the boundaries a little "
        "too low. Drawn is which solution wins, for {numbers.cells:.0f} combinations of importance and "
        "probability. (a) Best of the three ideal solutions. (b) Global minimum of the exact expected loss with "
        "free norms and biases. (c) Best of {numbers.per_cell:.0f} trained models in each cell, in the phase of "
        "(b) in {numbers.trained_is_optimum:count} cells. (d) As (b) without biases: only there is a phase in "
        "which both features point the same way. Dashed: boundaries of (a)."
    ),
    alt="Four square maps of importance against feature probability. In all of them superposition fills the sparse "
    "lower part, and above it a left region ignores the second feature and a right region gives it the dimension. "
    "The map without bias has an extra region at the top, around equal importance.",
)
def draw_maps(result: Result) -> Figure:
    return phase_figures.draw_maps(TWO_FEATURES, result)


@experiment.figure(
    "phase-norm-two",
    title="How strongly the second feature is represented",
    caption=(
        "The average over models blurs the phases; the best model of each cell shows them sharply. Drawn is the "
        "length of the second feature's column over the same map. (a) As the paper averages: the mean over "
        "{numbers.per_cell:.0f} models without the one of highest loss, which mixes phases wherever models end up"
        " in different ones. (b) The model with the lowest exact loss. Dashed: closed-form boundaries."
    ),
    alt="Two heat maps of the second feature's norm, near 0 in the upper left and near 1 elsewhere. The edge is "
    "blurred in the averaged map and sharp in the map of best models.",
)
def draw_norms(result: Result) -> Figure:
    return phase_figures.draw_norms(TWO_FEATURES, result)


@experiment.figure(
    "phase-shares-two",
    title="Where single models end up",
    caption=(
        "{numbers.failed:% value} of all models stay more than 1 % above the exact optimum. Of these, "
        "{numbers.failures.same_way:% value} have two columns of the same sign, mostly one of them too short to count "
        "as represented, and {numbers.failures.dead:% value} have an output that is never positive and so gets no "
        "gradient. Drawn is the share of the {numbers.per_cell:.0f} models of every cell in each phase. Dashed: "
        "closed-form boundaries."
    ),
    alt="Small maps, one per phase, of the share of models in it. Ignoring and dedicating reach far into the region "
    "where superposition is better.",
)
def draw_shares(result: Result) -> Figure:
    return phase_figures.draw_shares(TWO_FEATURES, result)


@experiment.figure(
    "phase-line-two",
    title="Across the transition",
    caption=(
        "The second feature enters in a jump, where two minima of the loss cross. Importance is "
        "{numbers.line_ratio:.1f}, with {numbers.line_models:.0f} models at each probability. (a) The second "
        "feature's norm jumps; few models lie between the branches. (b) The branches of the loss cross at p = "
        "{numbers.line_boundary:.3f} with different slopes; over {numbers.coexistence:.2f} decades both are "
        "minima. Free norms and biases lower the pair's loss below its closed form (dashed) and move the crossing"
        " from p = {numbers.line_boundary_theory:.3f} (dashed, vertical)."
    ),
    alt="Left, norms of trained models against probability lie on two horizontal branches, near 0 at high and near "
    "0.9 at low probability. Right, relative losses: a flat line and a rising line that cross.",
)
def draw_line(result: Result) -> Figure:
    return phase_figures.draw_line(TWO_FEATURES, result)


@experiment.figure(
    "phase-boundary-two",
    title="The boundary, and the jump across it",
    caption=(
        "The exact boundary lies above the closed form, by a factor of {numbers.boundary_shift:.2f} on average for "
        "importances below one half; training follows it. (a) Probability below which both features are "
        "represented. (b) Shortest column of the exact optimum on both sides. Away from equal importance it jumps"
        " from zero. Near equal importance the ignored feature first enters continuously, from the dotted line in"
        " (a) on, and the jump that follows shrinks to {numbers.smallest_jump:.2f}."
    ),
    alt="Left, three curves shaped like a tent over importance: closed form lowest, exact optimum above, dots of "
    "training on it. Right, norm below the boundary between 0.6 and 0.8, norm above it zero on both flanks and "
    "rising to one half in the middle.",
)
def draw_boundaries(result: Result) -> Figure:
    return phase_figures.draw_boundaries(TWO_FEATURES, result)


@experiment.claim(
    "phase-two-agreement",
    title="Importance and sparsity decide between three phases",
    source=SECTION,
    test="Best of the models of each cell by exact expected loss, named by its column norms and signs, against the "
    "ideal solution with the lowest closed-form loss. Statistic: share of agreeing cells among those more than 0.15 "
    "decades from a boundary.",
    criterion=above(0.9),
    figures=("phase-map-two", "phase-shares-two"),
    published=Verdict.SUPPORTED,
)
def agreeing_cells(result: Result) -> Quantity:
    return result.numbers.agreement


@experiment.claim(
    "phase-two-boundary",
    title="The boundary is where the closed forms put it, within 0.15 decades",
    source=SECTION,
    test="Probability at which the best models of a given importance stop representing both features, against "
    "4r/(5r + 2) for r up to 1 and 4/(5 + 2r) beyond. Statistic: root mean square of the difference in decades.",
    criterion=below(0.15, label="0.15 decades"),
    figures=("phase-boundary-two",),
    published=Verdict.SUPPORTED,
)
def boundary_error(result: Result) -> Quantity:
    return result.numbers.boundary_error


@experiment.claim(
    "phase-two-exact-boundary",
    title="Unit norms and zero biases give the boundary of the exact optimum",
    source=SECTION,
    test="Probability at which the global minimum of the exact loss, norms and biases free, stops representing both "
    "features, against the closed form. No training is involved. Statistic: root mean square over importances, in "
    "decades.",
    criterion=less_than(0.032, label="half the height of a cell of the published map, 0.032 decades"),
    figures=("phase-boundary-two", "phase-map-two"),
    published=Verdict.REFUTED,
)
def exact_boundary_error(result: Result) -> Quantity:
    return result.numbers.boundary_theory_error


@experiment.claim(
    "phase-two-jump",
    title="At importance 0.3 the second feature enters suddenly",
    statements=("C6",),
    source=SECTION,
    test="Models at importance 0.3. Statistic: largest change of the median norm of the second feature between two "
    "probabilities within a factor of 1.3.",
    criterion=above(0.6),
    figures=("phase-line-two",),
    published=Verdict.SUPPORTED,
)
def line_jump(result: Result) -> Quantity:
    return result.numbers.line_jump


@experiment.claim(
    "phase-two-first-order",
    title="At importance 0.3 the change is of first order: two minima cross in loss",
    statements=("C6",),
    source=SECTION,
    test="Exact loss at importance 0.3. Statistic: by how much the norms of the second feature differ between the "
    "two best solutions at the probability where their losses are equal.",
    criterion=Criterion(
        supported_if(where(difference=MoreThan(0.6), coexistence=MoreThan(0))),
        refuted_if(where(difference=LessThan(0.1))),
        otherwise=Verdict.MIXED,
        names={
            "difference": "that difference",
            "coexistence": "the range of probabilities, in decades, over which both solutions are local minima",
        },
    ),
    figures=("phase-line-two",),
    published=Verdict.SUPPORTED,
)
def first_order(result: Result) -> Evidence:
    return Evidence(difference=result.numbers.line_exact_jump, coexistence=result.numbers.coexistence)


@experiment.claim(
    "phase-two-sudden-everywhere",
    title="The change is one jump at every importance",
    statements=("C6",),
    source=SECTION,
    test="Exact optimum just above the boundary, for every importance of the map. Statistic: share of importances at "
    "which the weaker feature is still absent there (norm below 0.05), so that it enters in the jump alone.",
    criterion=at_least(1, few=0.5),
    figures=("phase-boundary-two",),
    published=Verdict.MIXED,
)
def sudden_importances(result: Result) -> Quantity:
    return result.numbers.sudden_columns


@experiment.claim(
    "phase-two-loss",
    title="Trained models reach the loss of the ideal solutions",
    source=SECTION,
    test="Exact expected loss of the best model of each cell over the lowest closed-form loss. Statistic: share of "
    "cells where it is at most 1.02.",
    criterion=above(0.95),
    figures=("phase-map-two",),
    published=Verdict.SUPPORTED,
)
def cells_at_ideal_loss(result: Result) -> Quantity:
    return result.numbers.loss_within


@experiment.claim(
    "phase-two-confused-without-bias",
    title="Without biases there is an extra phase where both features point the same way",
    source=SECTION + ", comment by Tom McGrath",
    test="Global minimum of the exact loss with all biases zero. Statistic: share of cells in which both columns are "
    "longer than 0.5 and have the same sign.",
    criterion=Criterion(
        supported_if(AtLeast(0.01, label="1 % of cells")), refuted_if(AtMost(0)), otherwise=Verdict.MIXED
    ),
    figures=("phase-map-two",),
    published=Verdict.SUPPORTED,
)
def confused_without_bias(result: Result) -> Quantity:
    return result.numbers.phases["confused"].optimum_without_bias


@experiment.claim(
    "phase-two-confused-with-bias",
    title="With biases, too, there is a phase where both features point the same way",
    source=SECTION + ", comment by Tom McGrath",
    test="Best trained model of each cell, and the global minimum of the exact loss with free biases. Statistic: "
    "share of cells whose best model has both columns longer than 0.5 and of the same sign.",
    criterion=Criterion(
        supported_if(where(trained=AtLeast(0.01, label="1 %"), exact=AtLeast(0.01, label="1 %"))),
        refuted_if(where(exact=AtMost(0), trained=LessThan(0.01, label="1 %"))),
        otherwise=Verdict.MIXED,
        names={"trained": "the share of trained cells", "exact": "the share of exact optima"},
    ),
    figures=("phase-map-two", "phase-shares-two"),
    published=Verdict.REFUTED,
)
def confused_with_bias(result: Result) -> Evidence:
    confused = result.numbers.phases["confused"]
    return Evidence(trained=confused.best, exact=confused.optimum)
