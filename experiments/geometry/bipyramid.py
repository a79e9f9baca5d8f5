"""In a triangular bipyramid, are all five features represented alike? Statement C5.

Five features in three dimensions. The equator is a triangle, the poles an antipodal pair at right angles to it: neither
part touches the other, so each is what it would be alone, and they differ in strength.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting, views
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import (
    AboveThat,
    Criterion,
    Evidence,
    MoreThan,
    Outside,
    Verdict,
    Within,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.first_run import train_grid
from experiments.core.geometry.polyhedra import PENTAGONAL_BIPYRAMID, SOLIDS, TRIANGULAR_BIPYRAMID, TWO_DIGONS_AND_ONE
from experiments.core.geometry.recognition import match, recognise
from experiments.core.metrics import dimensionality, norms, represented
from experiments.core.plotting.solids import OBLIQUE, wire_frame
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.core.training.specification import Recipe
from experiments.geometry.shared.branches import branch
from experiments.geometry.shared.hulls import edges, faces

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition" (non-uniform polyhedra)'
FEATURES, EQUATOR = 5, 3
CLOSE = 0.02
"""Largest miss of a mean dimensionality that still counts as the value predicted."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 512  # models per density; not all become bipyramids
    p: tuple[float, ...] = (0.7, 0.65, 0.6, 0.55, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
    measured_p: float = 0.6  # one of `p`: bipyramids are measured there; many form, and no seed has a say in it
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 1e-2  # falls to 0 along a cosine
    curve_points: int = 41
    least_runs: int = 8  # bipyramids at a density below which no mean is shown


@dataclass(frozen=True)
class Numbers:
    """What pages quote. `own` is a dimensionality; "other" stands for two digons and one; bipyramids are measured at
    `measured_p`, where `formed` is the share of seeds that end as one."""

    formed: Quantity
    measured_p: Quantity
    equator_own: Quantity
    poles_own: Quantity
    equator_norm: Quantity
    poles_norm: Quantity
    norm_difference: Quantity
    rarest: Quantity
    rarest_other: Quantity
    better_from: Quantity
    better_to: Quantity
    equal_norm_p: Quantity
    rare_difference: Quantity
    rare_lead: Quantity


@dataclass(frozen=True)
class Result:
    """`part` is the equator, then the poles; `range` a mean and the ends of its interval, over trained bipyramids.

    `share` is of seeds that end as a bipyramid, and as two digons and one. `lead` is that of the bipyramid over two
    digons and one, in kept features. "other" is the pentagonal bipyramid.
    """

    p: Array  # (case,)
    share: Array  # (case, 2)
    values: Array  # (run, part): dimensionality in each bipyramid at `measured_p`
    curve_p: Array  # (point,)
    curve_norm: Array  # (part, point), of the exact optimum
    lead: Array  # (point,)
    other_norm: Array  # (part, point)
    columns: Array  # (3, 5), the optimum that is drawn
    other_columns: Array  # (3, 7)
    numbers: Numbers
    norm: Array = undefined("too few runs are bipyramids")  # (case, part, range)
    own: Array = undefined("too few runs are bipyramids")  # (case, part, range): dimensionality


experiment = Experiment(
    __name__,
    title="Poles and equator of a bipyramid",
    config=Config(),
    quick=Config(seeds=48, p=(0.6, 0.5, 0.3), steps=1000, batch=128, curve_points=9, least_runs=2),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.array(config.p)
    recipe = Recipe(
        steps=config.steps, batch=config.batch, learning_rate=config.learning_rate, schedule="cosine", start="xavier"
    )
    weights = train_grid(recipe, p, config.seeds, config.seed, device, features=FEATURES, hidden=3)
    W = weights.W.reshape(len(p), config.seeds, 3, FEATURES).astype(np.float64)
    names = recognise(weights.W, SOLIDS).name.reshape(len(p), config.seeds)
    is_one, measured = names == TRIANGULAR_BIPYRAMID.name, config.p.index(config.measured_p)
    parts = [_parts(runs[chosen]) for runs, chosen in zip(W, is_one, strict=True)]
    curves = _curves(config)
    shown = parts[measured]
    return Result(
        p=p,
        share=np.stack([(names == solid.name).mean(1) for solid in (TRIANGULAR_BIPYRAMID, TWO_DIGONS_AND_ONE)], axis=1),
        values=shown.own,
        curve_p=curves.p,
        curve_norm=curves.norm,
        lead=curves.lead,
        other_norm=curves.other_norm,
        columns=curves.columns,
        other_columns=curves.other_columns,
        norm=_means([part.norm for part in parts], config.least_runs),
        own=_means([part.own for part in parts], config.least_runs),
        numbers=Numbers(
            formed=share(is_one[measured]),
            measured_p=exact(config.measured_p, method="chosen beforehand"),
            equator_own=mean(shown.own[:, 0], within=(0, 1)),
            poles_own=mean(shown.own[:, 1], within=(0, 1)),
            equator_norm=mean(shown.norm[:, 0]),
            poles_norm=mean(shown.norm[:, 1]),
            norm_difference=mean(shown.norm[:, 0] - shown.norm[:, 1]),
            rarest=share(is_one[int(p.argmin())]),
            rarest_other=share(names[int(p.argmin())] == TWO_DIGONS_AND_ONE.name),
            **_curve_numbers(curves),
        ),
    )


class _Parts(NamedTuple):
    """Mean norm and dimensionality of equator and poles of each bipyramid, (run, 2)."""

    norm: Array
    own: Array


def _parts(W: Array) -> _Parts:
    """Measure bipyramids `W` (run, hidden, feature): which columns are poles follows from the best match."""
    norm, own = np.empty((len(W), 2)), np.empty((len(W), 2))
    for run_, columns in enumerate(W):
        vertices = columns[:, represented(columns)]
        equator = match(vertices, TRIANGULAR_BIPYRAMID.directions).order < EQUATOR
        for part, members in enumerate((equator, ~equator)):
            norm[run_, part] = norms(vertices)[members].mean()
            own[run_, part] = dimensionality(vertices)[members].mean()
    return _Parts(norm, own)


def _means(values: list[Array], least: int) -> Array:
    """Return means over runs with intervals (case, 2, 3), NaN where there are fewer than `least` runs."""
    found = np.full((len(values), 2, 3), np.nan)
    for case, sample in enumerate(values):
        if len(sample) >= least:
            for part in range(2):
                q = mean(sample[:, part])
                found[case, part] = [q.value, q.low, q.high]
    return found


class _Curves(NamedTuple):
    """The exact optimum of both bipyramids over densities; fields as in `Result`."""

    p: Array
    norm: Array
    lead: Array
    other_norm: Array
    columns: Array
    other_columns: Array


def _curves(config: Config) -> _Curves:
    p = np.geomspace(min(config.p), max(config.p), config.curve_points)
    bipyramid, rival = branch(TRIANGULAR_BIPYRAMID, p), branch(TWO_DIGONS_AND_ONE, p)
    other = branch(PENTAGONAL_BIPYRAMID, p)
    middle = int(np.nanargmax(bipyramid.kept - rival.kept))
    return _Curves(
        p, norms(bipyramid.W)[:, [0, -1]].T, bipyramid.kept - rival.kept, norms(other.W)[:, [0, -1]].T,
        bipyramid.W[middle], other.W[0],
    )  # fmt: skip


def _curve_numbers(curves: _Curves) -> dict[str, Quantity]:
    """Return where the bipyramid is better than two digons and one, and where its parts are equally strong."""
    better = curves.p[curves.lead > 0]
    equal = np.flatnonzero(np.diff(np.sign(curves.norm[0] - curves.norm[1])))
    return {
        "better_from": exact(better.max() if len(better) else 0, method="exact losses on a grid of densities"),
        "better_to": exact(better.min() if len(better) else 0, method="exact losses on a grid of densities"),
        "equal_norm_p": exact(curves.p[equal[-1]] if len(equal) else 0, method="exact optimum on a grid of densities"),
        "rare_difference": exact(curves.norm[0, 0] - curves.norm[1, 0], method="exact optimum at the least density"),
        "rare_lead": exact(curves.lead[0], "features", "exact losses at the least density"),
    }


@experiment.figure(
    "geometry-bipyramid",
    title="The triangular bipyramid is not one shape but two",
    caption=(
        "Equator and poles of a triangular bipyramid differ in norm and in their share of a dimension. (a) The "
        "exact optimum, equator and poles in two colours. (b) Norms of trained bipyramids (dots) and of the "
        "exact optimum (lines). (c) Dimensionality of equator and poles in each bipyramid at p = "
        "{numbers.measured_p:.2g}; dashed, 2/3 and 1/2. (d) Share of seeds that end as a bipyramid or as two digons "
        "and one; the bipyramid is the better of the two at the shaded densities."
    ),
    alt=(
        "A wire frame of a triangular bipyramid; norms of both, that of the equator larger, most of all among "
        "common features; two clouds of "
        "points at two thirds and one half; shares of seeds over feature probability."
    ),
    interval="b: Student t interval of the mean over runs that are bipyramids, 95 %",
)
def draw(result: Result) -> Figure:
    figure, ((solid, strength), (own, shares)) = plotting.new_figure(2, 2, width="wide", height=5.6)
    equator, poles = plotting.shape_colour("triangle"), plotting.shape_colour("digon")
    tones = [equator] * EQUATOR + [poles] * (FEATURES - EQUATOR)
    W = result.columns
    wire_frame(solid, W, edges(faces(W)), view=OBLIQUE, tone=plotting.colour("muted"), tones=tones, limit=1.1)
    solid.set_title("triangle and digon")
    for part, (label, tone) in enumerate({"equator": equator, "poles": poles}.items()):
        strength.plot(result.curve_p, result.curve_norm[part], color=tone, label=label)
        there = np.isfinite(result.norm[:, part, 0])
        value, low, high = result.norm[there, part].T
        strength.errorbar(
            result.p[there], value, yerr=[value - low, high - value], fmt="o", markersize=3.5, linewidth=1.2,
            color=tone,
        )  # fmt: skip
    strength.set(ylabel="norm", title="strength")
    values = {"equator": result.values[:, 0], "poles": result.values[:, 1]}
    plotting.distribution_strip(own, values, colours=(equator, poles))
    for level in (2 / 3, 1 / 2):
        plotting.theory_level(own, level, label="")
    own.set(ylabel="dimensionality $D_i$", title="share of a dimension", ylim=(0.4, 0.75))
    better = result.curve_p[result.lead > 0]
    if len(better):
        plotting.decoration(
            shares.axvspan(better.min(), better.max(), color=plotting.colour("faint"), alpha=0.6, zorder=0)
        )
    for index, name in enumerate(("triangular bipyramid", "two digons + one")):
        shares.plot(result.p, result.share[:, index], "o-", color=plotting.shape_colour(name), label=name)
    shares.set(ylabel="share of seeds", title="what training finds", ylim=(0, 1))
    plotting.percent_axis(shares)
    for ax in (strength, shares):
        plotting.density_axis(ax, ticks=(0.7, 0.5, 0.3, 0.2, 0.1, 0.05))
        ax.set_xlim(float(result.p.min()) / 1.05, float(result.p.max()) * 1.05)
        plotting.legend(ax)
    plotting.panel_letters((solid, strength, own, shares))
    return figure


@experiment.view("geometry-bipyramid")
def turn(result: Result) -> views.Solids:
    solids = []
    for name, W in (("triangular bipyramid", result.columns), ("pentagonal bipyramid", result.other_columns)):
        rings = faces(W)
        equator, poles = (plotting.SHAPE_SERIES[shape] for shape in ("triangle", "digon"))
        colours = (equator,) * (W.shape[1] - 2) + (poles,) * 2
        solids.append(views.Solid(name, W.T, edges(rings), rings, colours=colours))
    return views.Solids("Bipyramids, equator and poles in two colours", tuple(solids))


@experiment.claim(
    "bipyramid-dimensionality",
    title="Equator and poles have different shares of a dimension, 2/3 and 1/2",
    statements=("C5",),
    source=SECTION,
    test=(
        "Mean dimensionality of the equator and of the poles over trained bipyramids at the density 0.6. "
        "Statistic: that of the equator."
    ),
    criterion=Criterion(
        supported_if(
            where(
                equator=Within(2 / 3 - CLOSE, high=2 / 3 + CLOSE, label=f"{CLOSE} of 2/3"),
                poles=Within(1 / 2 - CLOSE, high=1 / 2 + CLOSE, label=f"{CLOSE} of 1/2"),
            )
        ),
        mixed_if(AboveThat("equator", "poles")),
        otherwise=Verdict.REFUTED,
        names={"equator": "the equator's mean", "poles": "the poles' mean"},
    ),
    figures=("geometry-bipyramid",),
    published=Verdict.SUPPORTED,
)
def equator_and_poles(result: Result) -> Evidence:
    return Evidence(equator=result.numbers.equator_own, poles=result.numbers.poles_own)


@experiment.claim(
    "bipyramid-strength",
    title="Equator and poles differ in norm",
    statements=("C5",),
    source=SECTION,
    test="Mean over trained bipyramids at the density 0.6 of the equator's norm less the poles'.",
    criterion=Criterion(
        supported_if(Outside(-0.01, high=0.01, label="±0.01")),
        refuted_if(Within(-0.01, high=0.01, label="±0.01")),
    ),
    figures=("geometry-bipyramid",),
    published=Verdict.SUPPORTED,
)
def norm_difference(result: Result) -> Quantity:
    return result.numbers.norm_difference


@experiment.claim(
    "bipyramid-optimum",
    title="Five rare features in space are best as a triangular bipyramid",
    statements=("C4", "C5"),
    source=SECTION,
    test=(
        "Variance that the best bipyramid keeps, less that of two antipodal pairs and one feature at right angles, at "
        "the least density; exact losses."
    ),
    criterion=Criterion(supported_if(MoreThan(0)), otherwise=Verdict.REFUTED),
    figures=("geometry-bipyramid",),
    published=Verdict.REFUTED,
)
def rare_lead(result: Result) -> Quantity:
    return result.numbers.rare_lead
