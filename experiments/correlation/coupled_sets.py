"""Where do correlated and anticorrelated features go? Two or three sets of two in the plane.

Elhage et al. 2022, "The geometry of superposition", correlated and anticorrelated features: four features in two sets
that come together or exclude each other, and six in three sets that come together, beside six independent ones.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, Finding, Verdict
from experiments.core.geometry.configurations import at_degrees
from experiments.core.losses.optimum import Family, everything, minimise
from experiments.core.metrics import norms, represented
from experiments.core.quantities import Quantity, exact, share
from experiments.correlation.shared.coupled_training import Plan, best_of, exact_losses, signed_sets, train_coupled
from experiments.correlation.shared.strategies import mate_cosines

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'

TWO, THREE = ((0, 1), (2, 3)), ((0, 1), (2, 3), (4, 5))

ORTHOGONAL, OPPOSITE, HEXAGON, COLLAPSED = 0.1, -0.95, (0.3, 0.6), 0.98
"""Cosines of mates: |cos| below the first, below the second, between the third, above the last."""

CHANCE = 2 / 15
"""Of the 15 ways to pair off the corners of a hexagon, 2 join neighbours only."""


class Setting(NamedTuple):
    """`pairs` of mates, coupled with a signed strength: 1 together, -1 excluding each other, 0 independent."""

    name: str
    pairs: tuple[tuple[int, int], ...]
    strength: float


SETTINGS = (
    Setting("two sets, together", TWO, 1.0),
    Setting("two sets, excluding", TWO, -1.0),
    Setting("three sets, together", THREE, 1.0),
    Setting("six independent", THREE, 0.0),
)
OUTCOMES = ("mates as expected", "mates orthogonal instead", "six directions, mates elsewhere", "mates merged", "other")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 256
    densities: tuple[float, ...] = (0.2, 0.1, 0.05, 0.02, 0.01)
    steps: int = 2500
    batch: int = 256
    learning_rate: float = 1e-2
    starts: int = 12  # of the search for the exact optimum of three sets
    angle_density: float = 0.1
    angle_step: float = 5.0


@dataclass(frozen=True)
class Result:
    """Models of the four settings over `density` (p,).

    `best` (setting, p, 2, feature), the model of lowest exact loss, turned for display, the last two columns zeros
    where there are four features. `outcomes` (setting, p, outcome) are shares of seeds. Two features at an `angle`
    (angle,) in degrees: `angle_loss` (kind, angle), the least loss of a pair that comes together, is independent,
    excludes itself, over p.
    """

    density: Array
    best: Array
    outcomes: Array
    angle: Array
    angle_loss: Array
    numbers: dict[str, Quantity]


experiment = Experiment(
    __name__,
    title="Correlated and anticorrelated sets in the plane",
    config=Config(),
    quick=Config(seeds=8, steps=200, batch=64, starts=1, angle_step=15.0),
)


class Census(NamedTuple):
    """One setting's models: the `best` W (p, 2, feature), its cosines of mates (p, pair), and all losses (p, seed).

    `expected`, `orthogonal`, `six`, `beside`, `merged` (p, seed): mates stand as the paper says; two sets have mates at
    right angles; all six features live; all mates are neighbours; some mates coincide.
    """

    best: Array
    best_cosine: Array
    loss: Array
    expected: Flags
    orthogonal: Flags
    six: Flags
    beside: Flags
    merged: Flags


@experiment.run
def run(config: Config, device: str) -> Result:
    censuses = [_census(config, device, setting, number) for number, setting in enumerate(SETTINGS)]
    together = censuses[2]
    optimum = _optimum(config, together)
    angle = np.arange(0, 180 + config.angle_step / 2, config.angle_step)
    angle_loss = _angle_losses(config, angle)
    return Result(
        density=np.array(config.densities),
        best=np.array([[_display(W) for W in census.best] for census in censuses]),
        outcomes=np.array([_outcomes(census) for census in censuses]),
        angle=angle,
        angle_loss=angle_loss,
        numbers=_numbers(config, censuses)
        | _optimum_numbers(config, optimum, together)
        | _local_minimum(config)
        | {"close_ratio": _close_ratio(angle_loss[0])},
    )


def _census(config: Config, device: str, setting: Setting, number: int) -> Census:
    p = np.array(config.densities)
    plan = Plan(config.steps, config.batch, config.learning_rate)
    own = config.seed + 10 * number
    models = train_coupled(p, setting.strength, 2, setting.pairs, config.seeds, plan, own, device)
    loss = exact_losses(models, p, setting.strength, setting.pairs)
    best = best_of(models, loss).W
    cosine = mate_cosines(models.W, setting.pairs)
    six = np.asarray(represented(models.W).all(-1) & (len(setting.pairs) == 3))
    merged = np.asarray((cosine > COLLAPSED).any(-1))
    expected, beside = _expected(models.W, setting), side_by_side(models.W, setting.pairs)
    upright = np.asarray((np.abs(cosine) < ORTHOGONAL).all(-1) & represented(models.W).all(-1))
    orthogonal = upright & (len(setting.pairs) == 2)
    return Census(best, mate_cosines(best, setting.pairs), loss, expected, orthogonal, six, beside, merged)


def _expected(W: Array, setting: Setting) -> Flags:
    """Return whether mates stand as the paper says (...): orthogonal, opposite, or side by side in a hexagon."""
    cosine = mate_cosines(W, setting.pairs)
    if setting.strength < 0:
        met = cosine < OPPOSITE
    elif len(setting.pairs) == 2:
        met = np.abs(cosine) < ORTHOGONAL
    else:
        return represented(W).all(-1) & side_by_side(W, setting.pairs) & _spread(cosine)
    return np.asarray(met.all(-1) & represented(W).all(-1))


def _spread(cosine: Array) -> Flags:
    return np.asarray(((cosine > HEXAGON[0]) & (cosine < HEXAGON[1])).all(-1))


def side_by_side(W: Array, pairs: tuple[tuple[int, int], ...]) -> Flags:
    """Return whether the mates of every pair are neighbours in the order of angles (...), `W` (..., 2, feature)."""
    place = np.argsort(np.argsort(np.arctan2(W[..., 1, :], W[..., 0, :]), axis=-1), axis=-1)
    count = W.shape[-1]
    steps = np.stack([(place[..., i] - place[..., j]) % count for i, j in pairs], axis=-1)
    return np.asarray(((steps == 1) | (steps == count - 1)).all(-1))


def _outcomes(census: Census) -> Array:
    """Return shares of seeds in each of `OUTCOMES`, (p, outcome); the first that fits counts."""
    left = np.ones_like(census.merged)
    shares = []
    for flags in (census.expected, census.orthogonal, census.six & ~census.merged, census.merged):
        shares.append((left & flags).mean(-1))
        left &= ~flags
    return np.stack([*shares, left.mean(-1)], axis=-1)


def _display(W: Array) -> Array:
    """Return columns (2, 6), turned so that the first feature points right and its mate up; absent features are "
    "zeros."""
    angle = -np.arctan2(W[1, 0], W[0, 0])
    columns = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ W
    if columns[1, 1] < 0:
        columns[1] *= -1
    padded = np.zeros((2, 6))
    padded[:, : columns.shape[1]] = columns
    return padded


def _local_minimum(config: Config) -> dict[str, Quantity]:
    """Return whether strangers opposed, disturbed a little, is a local minimum for sets that exclude themselves.

    The exact loss is minimised from it at every density; the share of densities at which mates stay orthogonal.
    """
    p = np.array(config.densities)
    disturbed = at_degrees(0, 90, 180, 270) + 0.02 * np.random.default_rng(config.seed).standard_normal((2, 4))
    starts = np.concatenate([disturbed.ravel(), np.zeros(4)])
    found = minimise(everything(2, 4), sets=signed_sets(p, -1.0, 4, TWO), starts=np.tile(starts, (p.size, 1)))
    stays = (np.abs(mate_cosines(found.W, TWO)) < ORTHOGONAL).all(-1)
    return {
        "trap": Quantity(float(stays.mean()), n=p.size, unit="of densities", method="exact descent from it"),
        "trap_loss": exact((4 * found.loss / p**2)[-1], "times p squared", "exact, at the lowest density"),
    }


class Optimum(NamedTuple):
    """Best known model of three sets at every density (p,): `loss`, and mean `cosine` of mates and `norm`."""

    loss: Array
    cosine: Array
    norm: Array


def _optimum(config: Config, trained: Census) -> Optimum:
    """Minimise the exact loss from the best trained model and from random ones."""
    generator = np.random.default_rng(config.seed)
    found = []
    for p, best in zip(config.densities, trained.best, strict=True):
        W = np.concatenate([best.reshape(1, -1), generator.normal(0, 0.7, (config.starts, 12))])
        b = generator.uniform(-0.2, 0.1, (len(W), 6))
        starts, sets = np.concatenate([W, b], axis=1), signed_sets(p, 1.0, 6, THREE)
        least = minimise(everything(2, 6), sets=np.repeat(sets, len(W), axis=0), starts=starts).best()
        found.append((float(least.loss), mate_cosines(least.W, THREE).mean(), norms(least.W).mean()))
    return Optimum(*np.array(found).T)


def _angle_losses(config: Config, angle: Array) -> Array:
    """Return the least loss (kind, angle), over p, of two features at each angle: together, independent, excluding."""
    p = config.angle_density
    sets = np.array([signed_sets(p, s, 2, ((0, 1),))[0] for s in (1.0, 0.0, -1.0)])
    starts = np.array([[1.0, 0.0], [0.9, -0.1], [0.75, 0.05], [0.6, 0.1]])
    losses = []
    for degrees in angle:
        basis = np.zeros((2, 6))
        basis[0, :4], basis[1, 4:] = at_degrees(0, degrees).ravel(), 1.0
        pair = Family("pair", 2, 2, basis, starts[0])
        each = minimise(pair, sets=np.repeat(sets, len(starts), axis=0), starts=np.tile(starts, (3, 1))).loss
        losses.append(2 * np.maximum(each.reshape(3, -1).min(1), 0.0) / p)
    return np.array(losses).T


def _numbers(config: Config, censuses: list[Census]) -> dict[str, Quantity]:
    """Return shares of seeds, over all densities and at each, and what the best model of every density does."""
    numbers: dict[str, Quantity] = {"seeds": exact(config.seeds, method="models per density and setting")}
    for key, census, setting in zip(("together", "excluding", "six", "control"), censuses, SETTINGS, strict=True):
        best = _expected(census.best, setting)
        beside = side_by_side(census.best, setting.pairs)
        numbers |= {
            f"{key}_expected": share(census.expected, "of seeds"),
            f"{key}_best": Quantity(float(best.mean()), n=best.size, unit="of densities", method="best of all seeds"),
            f"{key}_best_beside": Quantity(
                float(beside.mean()), n=best.size, unit="of densities", method="best of all seeds"
            ),
            f"{key}_merged": share(census.merged, "of seeds"),
            f"{key}_orthogonal": share(census.orthogonal, "of seeds"),
            f"{key}_beside": _beside(census),
            f"{key}_cosine_low": exact(census.best_cosine.min(), method="least over densities, best of all seeds"),
            f"{key}_cosine_high": exact(census.best_cosine.max(), method="largest over densities, best of all seeds"),
        }
        for p, expected, merged in zip(config.densities, census.expected, census.merged, strict=True):
            numbers |= {f"{key}_expected_{p:g}": share(expected, "of seeds"), f"{key}_merged_{p:g}": share(merged)}
    return numbers


def _beside(census: Census) -> Quantity:
    """Return the share of models with six features whose mates are all neighbours; no interval if there is none."""
    if not census.six.any():
        return exact(0.0, method="no model represents six features")
    return share(census.beside[census.six], "of models with six directions")


def _optimum_numbers(config: Config, optimum: Optimum, trained: Census) -> dict[str, Quantity]:
    """Return cosines and norms of the best known model of three sets, and how many seeds come within 1 % of it."""
    numbers: dict[str, Quantity] = {}
    method = "exact loss, minimised from the best trained and random models"
    for k, p in enumerate(config.densities):
        numbers |= {
            f"six_cosine_{p:g}": exact(optimum.cosine[k], method=method),
            f"six_norm_{p:g}": exact(optimum.norm[k], method=method),
            f"six_reached_{p:g}": share(trained.loss[k] < 1.01 * optimum.loss[k], "of seeds"),
        }
    return numbers


KINDS = ("come together", "are independent", "exclude each other")


@experiment.figure(
    "coupled-starfish",
    title="Where coupled features go",
    caption="Model of lowest exact loss of {numbers.seeds:.0f} at each density; mates share a colour. Features that "
    "come together are orthogonal and features that exclude each other are opposite at every density. Three sets form "
    "a hexagon with mates side by side at {numbers.six_best_beside:count} densities; six independent features know no "
    "mates.",
    alt="Rows of arrow plots over densities. Row one: a cross with mates at right angles. Row two: a cross with mates "
    "opposite. Row three: six arrows, mates next to each other, in pairs that close up at high density. Row four: six "
    "arrows with colours in arbitrary order.",
)
def draw_starfish(result: Result) -> Figure:
    rows, columns = len(SETTINGS), result.density.size
    figure, axes = plotting.new_figure(rows, columns, width="wide", height=1.55 * rows + 0.2, squeeze=False)
    limit = 1.08 * float(np.linalg.norm(result.best, axis=-2).max())
    for row, setting in enumerate(SETTINGS):
        for column, p in enumerate(result.density):
            ax, count = axes[row, column], 2 * len(setting.pairs)
            tones = [plotting.series(feature // 2) for feature in range(count)]
            plotting.directions(ax, result.best[row, column, :, :count], limit=limit, colours=tones)
            if row == 0:
                ax.set_title(f"p = {p:g}", loc="center")
        axes[row, 0].set_ylabel(setting.name.replace(", ", ",\n"), fontsize="small")
    return figure


@experiment.figure(
    "coupled-census",
    title="How often training finds it",
    caption="Shares of {numbers.seeds:.0f} seeds. Mates stand as the paper says (orthogonal, opposite, side by side in "
    "a hexagon), at right angles where they exclude each other, or elsewhere with all six features represented; or "
    "some are merged; or none of these. Over all densities the "
    "expected arrangement comes out in {numbers.together_expected:% value} of seeds where two sets come together, in "
    "{numbers.excluding_expected:% value} where they exclude each other, in {numbers.six_expected:% value} with three "
    "sets, and in {numbers.control_expected:% value} with six independent features.",
    alt="Four panels of bars over density. The first is mostly of one colour; the second is shared by two, mates as "
    "expected and at right angles; in the third the expected hexagon, merged pairs and others share the bars; the "
    "fourth is mostly other, and expected hexagons are hardly to be seen.",
)
def draw_census(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(SETTINGS), width="wide", height=3.1, sharey=True)
    names = [f"{p:g}" for p in result.density]
    for ax, setting, outcomes in zip(axes, SETTINGS, result.outcomes, strict=True):
        plotting.stacked_shares(ax, names, dict(zip(OUTCOMES, outcomes.T, strict=True)))
        ax.set(title=setting.name.replace(", ", ",\n"), xlabel="$p$")
        ax.tick_params(axis="x", labelrotation=60)
    plotting.percent_axis(axes[0])
    axes[0].set_ylabel("share of seeds")
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.figure(
    "coupled-angle",
    title="What an angle costs",
    caption="Least exact loss of two features held at an angle, one norm and one bias free, at p = 1/10. A right angle "
    "costs nothing whether they come together, are independent or exclude each other. Opposite, features that exclude "
    "each other still cost nothing, and those that come together cost the most; for these, closer is better than "
    "further apart.",
    alt="Three curves over the angle from 0 to 180 degrees, all zero at 90. The first is low at 0 and high at 180, the "
    "second high at 0 and low at 180, the third high at 0 and zero from 90 on.",
)
def draw_angle(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.6)
    for index, (kind, losses) in enumerate(zip(KINDS, result.angle_loss, strict=True)):
        ax.plot(result.angle, losses, "o-", ms=3, color=plotting.series(index), label=f"mates {kind}")
    plotting.guide(ax, 90, vertical=True)
    ax.set(xlabel="angle between two features (degrees)", ylabel="loss of the pair / p", xticks=[0, 45, 90, 135, 180])
    ax.set_ylim(-0.01, None)
    plotting.legend(ax)
    return figure


def _close_ratio(losses: Array) -> Quantity:
    """Return the least loss on one direction over that on opposite ones, from losses over angle."""
    return exact(losses[0] / losses[-1], method="exact losses, norm and bias minimised")


def _reproduced(result: Result, key: str) -> Finding:
    """Return the verdict of "in the best model of every density, and in four of five seeds"."""
    statistic, best = result.numbers[f"{key}_expected"], result.numbers[f"{key}_best"].value
    if best < 1 or statistic.low is None:
        return Finding(statistic, Verdict.REFUTED)
    return Finding(statistic, Verdict.SUPPORTED if statistic.low > 0.8 else Verdict.MIXED)


@experiment.claim(
    "coupled-orthogonal",
    title="Features that come together are represented at right angles",
    statements=("C10",),
    source=SECTION,
    test="Two sets of two that come together, in the plane, over densities. Statistic: share of seeds, all densities "
    "pooled, with all four features represented and |cos| < 0.1 within both sets.",
    criterion="Supported if so for the best model (exact loss) of every density and the 95 % interval of the share "
    "lies above 0.8; mixed if only for the best models; refuted otherwise.",
    figures=("coupled-starfish", "coupled-census"),
    published=Verdict.SUPPORTED,
)
def decide_orthogonal(result: Result) -> Finding:
    return _reproduced(result, "together")


@experiment.claim(
    "coupled-opposite",
    title="Features that exclude each other are represented as opposites",
    statements=("C11",),
    source=SECTION,
    test="Two sets of two that exclude each other, in the plane, over densities. Statistic: share of seeds, all "
    "densities pooled, with all four features represented and cos < -0.95 within both sets.",
    criterion="Supported if so for the best model (exact loss) of every density and the 95 % interval of the share "
    "lies above 0.8; mixed if only for the best models; refuted otherwise.",
    figures=("coupled-starfish", "coupled-census"),
    published=Verdict.MIXED,
)
def decide_opposite(result: Result) -> Finding:
    return _reproduced(result, "excluding")


@experiment.claim(
    "coupled-hexagon",
    title="Three sets form a hexagon with mates side by side",
    statements=("C10",),
    source=SECTION,
    test="Three sets of two that come together, in the plane. Best model (exact loss) of each density: all six "
    "features represented, mates neighbours in the order of angles, and every cosine of mates between 0.3 and 0.6. "
    "Statistic: share of densities.",
    criterion="Supported if at every density up to 0.05, refuted if at none of these, mixed otherwise.",
    figures=("coupled-starfish",),
    published=Verdict.SUPPORTED,
)
def decide_hexagon(result: Result) -> Finding:
    rare = result.density <= 0.05
    met = np.array([_expected(W, SETTINGS[2]) for W in result.best[2]])[rare]
    statistic = Quantity(float(met.mean()), n=met.size, unit="of densities", method="best of all seeds, p up to 0.05")
    verdict = Verdict.SUPPORTED if met.all() else Verdict.MIXED if met.any() else Verdict.REFUTED
    return Finding(statistic, verdict)


@experiment.claim(
    "coupled-side-by-side",
    title="It is correlation that puts mates side by side",
    statements=("C10",),
    source=SECTION,
    test="Of models with all six features represented, the share in which all three pairs of mates are neighbours: "
    "three sets that come together against six independent features in arbitrary pairs, for which chance is 2/15. "
    "Statistic: the share for the three sets.",
    criterion="Supported if the 95 % interval of the sets lies above 2/15 and that of the independent features holds "
    "it; refuted if the sets' interval does not lie above; mixed otherwise.",
    figures=("coupled-census",),
    published=Verdict.SUPPORTED,
)
def decide_side_by_side(result: Result) -> Finding:
    statistic, control = result.numbers["six_beside"], result.numbers["control_beside"]
    if statistic.low is None or control.low is None or control.high is None or statistic.low <= CHANCE:
        return Finding(statistic, Verdict.REFUTED)
    return Finding(statistic, Verdict.SUPPORTED if control.low <= CHANCE <= control.high else Verdict.MIXED)


@experiment.claim(
    "coupled-close-is-acceptable",
    title="For features that come together, close is better than opposite; for the others the reverse",
    statements=("C10", "C11"),
    test="Least exact loss of two features that share one direction over that of two opposite ones, norm and bias "
    "free, at p = 1/10. Statistic: that ratio for features that come together.",
    criterion="Supported if the ratio is below 1 for features that come together and above 1 for those that exclude "
    "each other, and a right angle is best for the first; refuted if neither ratio is on its side; mixed otherwise.",
    figures=("coupled-angle",),
    published=Verdict.SUPPORTED,
)
def decide_close(result: Result) -> Finding:
    together, _, excluding = result.angle_loss
    ratio = _close_ratio(together)
    sides = np.array([together[0] < together[-1], excluding[0] > excluding[-1]])
    right = abs(result.angle[int(together.argmin())] - 90) < 1
    if sides.all() and right:
        return Finding(ratio, Verdict.SUPPORTED)
    return Finding(ratio, Verdict.MIXED if sides.any() else Verdict.REFUTED)
