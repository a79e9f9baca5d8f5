"""Are nearly orthogonal directions meant to be orthogonal, and are antipodal pairs exact? Statements A2 and A3.

Every run that ends in two digons, in a digon and one, or in two directions is made of right angles and opposite pairs.
How far each is off is measured in the reader's run, in runs on the same data and on fresh data that went on until they
had converged, and in the exact minimum below each of the reader's runs.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Evidence, Experiment, Verdict, undefined
from experiments.core.criteria import AboveThat, BelowThat, Criterion, above, refuted_if, supported_if
from experiments.core.first_run import CONVERGED, READERS, SAMPLES, train_grid
from experiments.core.geometry.configurations import DIGON_AND_ONE, TWO_DIGONS, TWO_DIRECTIONS, classify, pair_angles
from experiments.core.losses.optimum import polish
from experiments.core.metrics import norms
from experiments.core.quantities import Quantity, median, share

Array = NDArray[np.float64]

FEATURES = 5
SHAPES = (TWO_DIRECTIONS, DIGON_AND_ONE, TWO_DIGONS)
"""The arrangements whose angles are all 90 or 180 degrees."""

WIDE = 25.0
"""Degrees an angle may be off and still count here: wide, because how far it is off is the question."""

VISIBLE = 1.0
"""Degrees; an angle off by less looks exact in a plot."""

NUMERICAL = 1e-3
"""Degrees; what is left in a numerical minimum of an angle that is exact."""

ARMS = ("reader's run", "same data, converged", "fresh data, converged", "exact minimum")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256  # runs per density and arm
    p: tuple[float, ...] = (0.5, 0.2, 0.1, 0.05)
    readers_p: float = 0.1  # one of them: the reader's own


@dataclass(frozen=True)
class Arm:
    """One arm's runs at the reader's p: medians of each run's largest error, and the shares that are off by under 1°.

    `mismatch` is how far the norms within an antipodal pair differ, as a share.
    """

    right: Quantity
    opposite: Quantity
    mismatch: Quantity
    right_exact: Quantity
    opposite_exact: Quantity


@dataclass(frozen=True)
class Numbers:
    """One field per arm; `..._true_minimum` are the shares of exact minima whose angles are off by under 0.001°."""

    reader: Arm
    finite: Arm
    converged: Arm
    minimum: Arm
    right_true_minimum: Quantity
    opposite_true_minimum: Quantity
    counted: Quantity


@dataclass(frozen=True)
class Result:
    """Angles in degrees; NaN where a run has no such angle, because it ended in another arrangement."""

    p: Array  # (case,)
    readers_case: int
    numbers: Numbers
    right: Array = undefined("the run has no right angle")  # (arm, case, seed), the largest deviation from 90
    opposite: Array = undefined("the run has no antipodal pair")  # (arm, case, seed), the largest from 180


experiment = Experiment(
    __name__,
    title="Right angles and opposite pairs",
    config=Config(),
    quick=Config(seeds=24, p=(0.5, 0.1)),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.p, dtype=np.float64)
    recipes = ((READERS, SAMPLES), (CONVERGED, SAMPLES), (CONVERGED, None))
    arms = [
        train_grid(recipe, p, config.seeds, config.seed, device, features=FEATURES, samples=samples)
        for recipe, samples in recipes
    ]
    density = np.repeat(p, config.seeds)[:, None]
    W = [weights.W.astype(np.float64) for weights in arms]
    W.append(_minima(W[0], arms[0].b, density))
    measured = np.stack([_measure(each) for each in W], axis=1).reshape(3, len(ARMS), len(p), config.seeds)
    case = int(np.argmin(np.abs(p - config.readers_p)))
    return Result(p, case, _numbers(measured[:, :, case]), right=measured[0], opposite=measured[1])


def _minima(W: Array, b: NDArray[np.float32], density: Array) -> Array:
    """Return the exact minima below those runs that count here; the others stay as they are."""
    counted = np.flatnonzero(classify(W, SHAPES, WIDE).miss <= WIDE)
    minima = W.copy()
    minima[counted] = polish(W[counted], b[counted], density[counted]).W
    return minima


def _measure(W: Array) -> Array:
    """Return the largest errors of right angles and of opposite pairs, and of norms within a pair, (3, instance)."""
    found = classify(W, SHAPES, WIDE)
    first, second = np.triu_indices(FEATURES, k=1)
    counted = (found.miss <= WIDE)[:, None] & found.live[:, first] & found.live[:, second]
    angle, length = pair_angles(W), norms(W)
    mismatch = np.abs(length[:, first] / np.maximum(length[:, second], 1e-12) - 1)
    across, opposite = counted & (angle < 135), counted & (angle >= 135)
    return np.stack(
        [
            _largest(np.abs(angle - 90), across),
            _largest(180 - angle, opposite),
            _largest(mismatch, opposite),
        ]
    )


def _largest(values: Array, chosen: NDArray[np.bool_]) -> Array:
    """Return the largest chosen value of each row, NaN where none is chosen."""
    top = np.where(chosen, values, -np.inf).max(-1)
    return np.where(np.isfinite(top), top, np.nan)


def _numbers(measured: Array) -> Numbers:
    """Return medians over the runs that have such an angle, for `measured` (3, arm, seed) at the reader's density."""
    reader, finite, converged, minimum = (_arm(*measured[:, arm]) for arm in range(len(ARMS)))
    return Numbers(
        reader=reader,
        finite=finite,
        converged=converged,
        minimum=minimum,
        right_true_minimum=_share_below(measured[0, -1], NUMERICAL),
        opposite_true_minimum=_share_below(measured[1, -1], NUMERICAL),
        counted=share(np.isfinite(measured[0, 0])),
    )


def _arm(right: Array, opposite: Array, mismatch: Array) -> Arm:
    return Arm(
        right=_median(right, "°"),
        opposite=_median(opposite, "°"),
        mismatch=_median(mismatch),
        right_exact=_share_below(right, VISIBLE),
        opposite_exact=_share_below(opposite, VISIBLE),
    )


NONE = "no run ended in such an arrangement"


def _median(values: Array, unit: str = "") -> Quantity:
    known = values[np.isfinite(values)]
    return median(known, unit) if len(known) else Quantity(0, 0, 90, 0, unit, NONE)


def _share_below(values: Array, limit: float) -> Quantity:
    """Return the share of known values below the limit; where none is known it can be anything."""
    known = values[np.isfinite(values)]
    return share(known < limit) if len(known) else Quantity(0, 0, 1, 0, method=NONE)


@experiment.figure(
    "right-angles",
    title="How far right angles and opposite pairs are off",
    caption=(
        "Right angles and opposite pairs are exact at the optimum and degrees off in the reader's runs: in the "
        "median by {numbers.reader.right:.1f}° and {numbers.reader.opposite:.1f}°. Drawn is the largest error of an "
        "angle in each run that ended in digons or two directions, at the reader's p (top), and its median over p "
        "(bottom). The scale ends at 0.001°, which is exact to numerical precision."
    ),
    alt=(
        "Four panels on logarithmic scales of degrees; left right angles, right opposite pairs. Clouds of runs fall "
        "from a few degrees in the reader's run, over converged runs, to the floor of the scale in the exact minimum."
    ),
    interval="bottom: order-statistic interval of the median, 95 %",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(2, 2, width="wide", height=5.8, sharey=True)
    for column, (title, errors) in enumerate((("right angles", result.right), ("opposite pairs", result.opposite))):
        top, bottom = axes[:, column]
        groups = {name: _shown(values) for name, values in zip(ARMS, errors[:, result.readers_case], strict=True)}
        clouds = {name.replace(", ", ",\n"): values for name, values in groups.items()}
        plotting.distribution_strip(top, clouds, index=None)
        top.tick_params(axis="x", labelsize=8)
        top.set(title=title, yscale="log")
        for arm, name in enumerate(ARMS):
            cases = [case for case in range(len(result.p)) if np.isfinite(errors[arm, case]).sum() > 5]
            middles = [median(_shown(errors[arm, case])) for case in cases]
            plotting.points(bottom, result.p[cases], middles, label=name, index=arm, line=True)
        plotting.density_axis(bottom, ticks=[float(value) for value in result.p])
        plotting.guide(bottom, VISIBLE)
        bottom.set_title(f"{title}, over $p$")
    for ax in axes[:, 0]:
        ax.set_ylabel("largest error (degrees)")
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    plotting.panel_letters(axes.ravel())
    plotting.legend(axes[1, 0], figure=figure)
    return figure


def _shown(values: Array) -> Array:
    """Return the known values, those that are numerically 0 at the floor of the scale."""
    return np.maximum(values[np.isfinite(values)], NUMERICAL)


@experiment.claim(
    "right-angles-meant",
    title="Nearly orthogonal directions are exactly orthogonal at the optimum",
    statements=("A2",),
    test=(
        "Share of exact minima, each reached from one of the reader's runs at the reader's p that ended in digons"
        " or two directions, whose right angles are all within a thousandth of a degree of 90."
    ),
    criterion=above(0.9, refuted_below=0.5, otherwise=Verdict.INCONCLUSIVE),
    figures=("right-angles",),
    published=Verdict.SUPPORTED,
)
def right_minima(result: Result) -> Quantity:
    return result.numbers.right_true_minimum


@experiment.claim(
    "right-angles-training",
    title="The angle errors come from training, not from the optimum",
    statements=("A2",),
    test="Median over the reader's runs, at the reader's p, of the largest deviation of a right angle from 90°, "
    "against that of the exact minima below the same runs.",
    criterion=Criterion(
        supported_if(AboveThat("trained", "minima", 10)),
        refuted_if(BelowThat("trained", "minima", 2)),
        otherwise=Verdict.MIXED,
        names={"trained": "the reader's median", "minima": "the minima"},
    ),
    figures=("right-angles",),
    published=Verdict.SUPPORTED,
)
def right_angle_errors(result: Result) -> Evidence:
    return Evidence(trained=result.numbers.reader.right, minima=result.numbers.minimum.right)


@experiment.claim(
    "antipodal-exact",
    title="Antipodal pairs in the reader's runs are exact to one degree",
    statements=("A3",),
    test="Share of the reader's runs with antipodal pairs, at the reader's p, whose pairs are within 1° of opposite.",
    criterion=above(0.9),
    figures=("right-angles",),
    published=Verdict.REFUTED,
)
def readers_pairs(result: Result) -> Quantity:
    return result.numbers.reader.opposite_exact


@experiment.claim(
    "antipodal-meant",
    title="At the optimum antipodal pairs are exact",
    statements=("A3",),
    test="Share of exact minima, as for the right angles, whose pairs are within a thousandth of a degree of opposite.",
    criterion=above(0.9, refuted_below=0.5, otherwise=Verdict.INCONCLUSIVE),
    figures=("right-angles",),
    published=Verdict.SUPPORTED,
)
def opposite_minima(result: Result) -> Quantity:
    return result.numbers.opposite_true_minimum
