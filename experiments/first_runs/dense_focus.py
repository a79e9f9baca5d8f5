"""When every feature is always present (p = 1), does the model keep a few features and ignore the rest? Statement A8.

At equal importance a linear model may keep any subspace. What a ReLU model does is measured by how far the subspace
it keeps lines up with single features, against random subspaces; the losses are compared without sampling error.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ks_2samp

from experiments.core import plotting
from experiments.core.contract import Experiment, Verdict
from experiments.core.criteria import Criterion, LessThan, above, refuted_if
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import minimise, polish, search
from experiments.core.metrics import axis_alignment
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train
from experiments.first_runs.shared.dense import dedicated_loss, one_direction

Array = NDArray[np.float64]

FOCUSED = 0.9
"""A model counts as focused when its axis alignment exceeds this; 1 is a subspace spanned by single features."""

SHAPES = ((5, 2), (20, 5))


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # models of each shape and importance
    decays: tuple[float, ...] = (1.0, 0.9, 0.7)  # importance of feature i is decay^i
    steps: int = 4000
    batch: int = 128
    exact_starts: int = 128  # random starts of the exact search for the best loss of 5 features in 2 dimensions
    ratios: int = 41  # importance ratios of two features in one dimension, 0.98 to 1
    ratio_starts: int = 12


@dataclass(frozen=True)
class Numbers:
    """`alignment_...`: means over models; `large`: of 20 features in 5 dimensions, else 5 in 2."""

    alignment_equal: Quantity
    alignment_null: Quantity
    alignment_equal_large: Quantity
    alignment_null_large: Quantity
    null_distance: Quantity
    focused_nearly_equal: Quantity
    loss_equal: Quantity
    minimum_alignment: Quantity
    two_features_gain: Quantity
    two_features_angle: Quantity
    critical_ratio: Quantity


@dataclass(frozen=True)
class Result:
    """Axis alignment in [0, 1] and loss relative to dedicated dimensions."""

    alignment: Array  # (shape, decay, seed)
    null: Array  # (shape, seed), of random subspaces
    loss: Array  # (seed,), of equally important 5-in-2 models
    minimum_alignment: Array  # (seed,), after these were carried on to an exact minimum
    minimum_loss: Array  # (seed,)
    angle: Array  # (angle,), degrees
    angle_ratio: Array  # (angle ratio,)
    angle_loss: Array  # (angle ratio, angle), of two features in one dimension kept along an angle
    ratio: Array  # (ratio,), of importances
    best_loss: Array  # (ratio,), over all models of two features
    best_angle: Array  # (ratio,)
    focused_equal: Quantity
    focused_unequal: Quantity
    best_found: Quantity
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="What a dense model keeps",
    config=Config(),
    quick=Config(seeds=32, steps=600, batch=64, exact_starts=12, ratios=9, ratio_starts=4),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    models = [[_train(config, device, shape, decay) for decay in config.decays] for shape in SHAPES]
    alignment = np.array([[axis_alignment(weights.W) for weights in row] for row in models])
    generator = np.random.default_rng(config.seed)
    null = np.array([axis_alignment(generator.standard_normal((config.seeds, d, n))) for n, d in SHAPES])
    equal, dedicated = models[0][0], dedicated_loss(5, 2)
    loss = expected_loss(equal.W, equal.b, 1.0).value / dedicated
    minima = polish(equal.W, equal.b, np.ones((1, 5)))
    (found,) = search(2, 5, np.ones((1, 5)), starts=config.exact_starts, seed=config.seed)
    angle, angle_ratio = np.linspace(0, 90, 46), np.array([1.0, 0.995])
    ratio, best_loss, best_angle = _two_features(config)
    away = ks_2samp(alignment[1, 0], null[1])
    return Result(
        alignment=alignment,
        null=null,
        loss=loss,
        minimum_alignment=axis_alignment(minima.W),
        minimum_loss=minima.loss / dedicated,
        angle=angle,
        angle_ratio=angle_ratio,
        angle_loss=_angle_losses(angle, angle_ratio),
        ratio=ratio,
        best_loss=best_loss,
        best_angle=best_angle,
        focused_equal=share(alignment[:, 0] > FOCUSED),
        focused_unequal=share(_keeps_top(models[1][config.decays.index(min(config.decays))], 5)),
        best_found=exact(found.loss.min() / dedicated, method=f"best of {config.exact_starts} exact minimisations"),
        numbers=Numbers(
            alignment_equal=mean(alignment[0, 0]),
            alignment_null=mean(null[0]),
            alignment_equal_large=mean(alignment[1, 0]),
            alignment_null_large=mean(null[1]),
            null_distance=Quantity(
                float(away.statistic), n=config.seeds, method="two-sample Kolmogorov-Smirnov distance"
            ),
            focused_nearly_equal=share(_keeps_top(models[1][config.decays.index(sorted(config.decays)[-2])], 5)),
            loss_equal=mean(loss),
            minimum_alignment=mean(axis_alignment(minima.W)),
            two_features_gain=exact(1 - best_loss[-1], method="exact minimisation"),
            two_features_angle=exact(best_angle[-1], unit="°", method="exact minimisation"),
            critical_ratio=exact(_critical(ratio, best_angle), method="largest ratio on the grid that stays dedicated"),
        ),
    )


def _train(config: Config, device: str, shape: tuple[int, int], decay: float) -> Weights:
    """Train at p = 1 from biases of 1/2, so that no output is dead from the start."""
    features, hidden = shape
    model = Model(features, hidden)
    recipe = Recipe(config.steps, config.batch, 1e-2, schedule="cosine", start_bias=0.5, seed=config.seed)
    return train(Data(1.0, decay ** np.arange(features)), model, recipe, config.seeds, device).weights


def _keeps_top(weights: Weights, hidden: int) -> NDArray[np.bool_]:
    """Return whether each model keeps the first `hidden` features and no others: its subspace is theirs to 90 %."""
    rows = np.linalg.qr(np.swapaxes(weights.W.astype(np.float64), -1, -2)).Q
    return np.asarray((rows[:, :hidden] ** 2).sum((-1, -2)) / hidden > FOCUSED)


def _angle_losses(angle: Array, ratios: ArrayLike) -> Array:
    """Return the exact loss (ratio, angle) of keeping one direction of two features, over that of keeping the first."""
    return np.array(
        [
            [
                minimise(one_direction(np.radians(a)), np.ones((1, 2)), np.array([[1.0, r]])).loss[0]
                / dedicated_loss(2, 1, (1.0, r))
                for a in angle
            ]
            for r in np.asarray(ratios)
        ]
    )


def _two_features(config: Config) -> tuple[Array, Array, Array]:
    """Return importance ratios, and the best loss and its angle in degrees over all models of two features in one."""
    ratio = np.linspace(0.98, 1.0, config.ratios)
    importance = np.stack([np.ones_like(ratio), ratio], 1)
    cases = search(1, 2, np.ones((len(ratio), 2)), importance, starts=config.ratio_starts, seed=config.seed)
    best = [case.best() for case in cases]
    angle = [np.degrees(np.arctan2(*np.sort(np.abs(case.W[0])))) for case in best]
    base = [dedicated_loss(2, 1, row) for row in importance]
    return ratio, np.array([case.loss for case in best]) / base, np.array(angle)


def _critical(ratio: Array, angle: Array) -> float:
    """Return the largest importance ratio whose best model keeps one feature alone (within a degree)."""
    dedicated = ratio[angle < 1]
    return float(dedicated.max()) if dedicated.size else float(ratio.min())


@experiment.figure(
    "dense-focus",
    title="How far a dense model keeps single features",
    caption=(
        "Equal importance gives no focus on single features, unequal importance does. Drawn is the axis alignment"
        " of the subspace that models keep at p = 1: 1 when it is spanned by single features, 0 when all features"
        " are kept alike. At equal importance it is {numbers.alignment_equal} for 5 features in 2 dimensions, "
        "where random subspaces have {numbers.alignment_null}, and {numbers.alignment_equal_large} for 20 in 5, "
        "where they have {numbers.alignment_null_large}; {focused_equal:count} models exceed 0.9. At importance "
        "0.7ⁱ, {focused_unequal:count} models of 20 features keep the top five; of the models of 5 features, some stay "
        "short of single ones."
    ),
    alt="Two panels of point clouds. Random subspaces and equal importance give low, spread alignment; importance "
    "falling by 0.9 or 0.7 per feature gives clouds at 1.",
)
def draw_focus(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", sharey=True)
    for ax, (features, hidden), null, alignment in zip(axes, SHAPES, result.null, result.alignment, strict=True):
        names = ("equal", "0.9ⁱ", "0.7ⁱ")[: len(alignment)]
        plotting.distribution_strip(ax, {"random\nsubspace": null} | dict(zip(names, alignment, strict=True)))
        ax.set(title=f"{features} features in {hidden} dimensions", xlabel="importance")
    axes[0].set(ylabel="axis alignment", ylim=(-0.03, 1.05))
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "dense-rotation",
    title="Why equal importance does not focus",
    caption=(
        "At equal importance a slightly turned direction has a lower loss than a single feature. (a) Two features"
        " in one dimension, exact loss along the direction kept, relative to keeping the first feature alone. At "
        "equal importance (ratio 1) turning by {numbers.two_features_angle:.1f}° saves "
        "{numbers.two_features_gain:% value}: turned outputs sometimes fall below zero, and the ReLU corrects "
        "them at no cost. At ratio 0.995 turning already costs most of that. (b) The best angle jumps to zero at "
        "an importance ratio of {numbers.critical_ratio:.3f}. (c) Five equally important features in two "
        "dimensions: trained models (points) and the exact minima below them (rings); the dedicated solution, at "
        "alignment 1, is not the best."
    ),
    alt="Three panels. Loss against angle dips below one at 21 and 69 degrees for equal importance only. The best "
    "angle falls from 21 to 12 degrees as the ratio falls, then jumps to zero. Minima lie below one at alignment 0.4.",
)
def draw_rotation(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", panel="square")
    for index, (ratio, loss) in enumerate(zip(result.angle_ratio, result.angle_loss, strict=True)):
        left.plot(result.angle, loss, color=plotting.series(index), label=f"ratio {ratio:g}")
    plotting.guide(left, 1.0)
    left.set(xlabel="angle of the direction kept (°)", ylabel="loss / dedicated loss", ylim=(0.9985, 1.0065))
    left.set(title="two features", xticks=[0, 30, 60, 90])
    left.legend(loc="upper left")
    middle.plot(result.ratio, result.best_angle, "o", color=plotting.colour("accent"))
    middle.set(title="best angle", xlabel="importance ratio", ylabel="angle of the best model (°)")
    tone = plotting.series(1)
    right.scatter(result.alignment[0, 0], result.loss, s=6, color=tone, alpha=0.5, linewidths=0, label="trained")
    right.scatter(
        result.minimum_alignment,
        result.minimum_loss,
        s=22,
        facecolors="none",
        edgecolors=plotting.series(2),
        linewidths=1.2,
        label="exact minima",
    )
    right.plot([1.0], [1.0], "D", color=plotting.colour("ink"), label="dedicated")
    plotting.guide(right, 1.0)
    right.set(title="five features", xlabel="axis alignment", ylabel="loss / dedicated loss", ylim=(0.998, 1.003))
    right.legend(loc="upper left")
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.claim(
    "dense-focus-equal",
    title="At p = 1 a model with equally important features focuses on a few of them",
    statements=("A8",),
    test="Models of 5 equally important features in 2 dimensions and of 20 in 5, trained at p = 1. Statistic: the "
    "share whose axis alignment exceeds 0.9.",
    criterion=above(0.8, refuted_below=0.2),
    figures=("dense-focus",),
    published=Verdict.REFUTED,
)
def focused_equal(result: Result) -> Quantity:
    return result.focused_equal


@experiment.claim(
    "dense-focus-unequal",
    title="At p = 1 a model with unequally important features keeps the most important ones",
    statements=("A8",),
    source='Toy Models of Superposition, "Demonstrating superposition": basic results at density 1',
    test="Models of 20 features of importance 0.7ⁱ in 5 dimensions, trained at p = 1. Statistic: the share whose "
    "subspace coincides with that of the top 5 features to 90 %.",
    criterion=above(0.8, refuted_below=0.2),
    figures=("dense-focus",),
    published=Verdict.SUPPORTED,
)
def focused_unequal(result: Result) -> Quantity:
    return result.focused_unequal


@experiment.claim(
    "dense-dedicated-best",
    title="At p = 1 and equal importance dedicated dimensions have the lowest loss",
    statements=("A8",),
    test="Exact minimisation of the loss of 5 equally important features in 2 dimensions from random starts. "
    "Statistic: the lowest loss found, over the loss of dedicated dimensions, (n − d)/(12 n).",
    criterion=Criterion(
        refuted_if(LessThan(1 - 1e-6, label="1 − 1e-6")),
        otherwise=Verdict.SUPPORTED,
        note="The margin is ten thousand times the rounding error.",
    ),
    figures=("dense-rotation",),
    published=Verdict.REFUTED,
)
def lowest_loss(result: Result) -> Quantity:
    return result.best_found
