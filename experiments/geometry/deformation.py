"""One feature of a pentagon differs from the others: does the shape bend or break? Statements C8 and C9.

Elhage et al. 2022, "Non-uniform superposition": five features in two dimensions, one of them denser or rarer than the
rest, fitted many times. Here both branches are followed as minima of the exact loss, so that their crossing is known
as a curve; trained models stand beside them; and the same is done for importance in place of density.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy.stats import spearmanr

from experiments.core import plotting
from experiments.core.collapse import percentile_quantity
from experiments.core.contract import Experiment, Finding, Verdict, above, undefined
from experiments.core.geometry.configurations import PENTAGON, classify
from experiments.core.geometry.theory import pentagon
from experiments.core.losses.exact import expected_loss, one_active
from experiments.core.losses.optimum import minimise
from experiments.core.metrics import norms
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.geometry.shared.perturbation import (
    FEATURES,
    HIDDEN,
    SOMETHING_ELSE,
    WITHOUT_ANOTHER,
    WITHOUT_ODD,
    Varied,
    all_live,
    best_map,
    branches,
    crossing,
    odd_gap,
    settings,
    vanishing,
)

Array = NDArray[np.float64]
SOURCE = 'Toy Models of Superposition, "Non-uniform superposition"'
VARIED: tuple[Varied, Varied] = ("density", "importance")
PAPERS_BASELINE, PAPERS_FACTOR = 0.05, 2.5


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    fits: int = 64  # per ratio and baseline
    baselines: tuple[float, ...] = (0.05, 0.1)  # of the trained models; the first is the paper's
    ratios: tuple[float, ...] = (
        0.1, 0.15, 0.2, 0.225, 0.25, 0.275, 0.3, 0.35, 0.375, 0.4, 0.425, 0.45, 0.5, 0.6, 0.8, 1.0, 1.4, 2.0, 3.0
    )  # fmt: skip
    steps: int = 6000
    batch: int = 128
    learning_rate: float = 2e-3  # falling to 0 along a cosine; small beside the odd feature's bias, or it dies
    curve_baselines: tuple[float, ...] = (0.0, 0.003, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.16, 0.19, 0.21)
    map_baselines: tuple[float, float, int] = (0.01, 0.4, 14)  # from, to, how many
    map_ratios: tuple[float, float, int] = (0.1, 4.0, 16)
    map_starts: int = 6
    shown: tuple[float, ...] = (0.2, 0.3, 0.6, 1.0, 1.8, 3.0)  # ratios of the drawn optima
    line_points: int = 41
    resamples: int = 1000


@dataclass(frozen=True)
class Result:
    """Losses are exact. The odd feature is the first; `ratio` is its density over that of the others.

    `loss`, `gap`, `norm` (baseline, ratio, fit) describe trained models: loss over the baseline density, mean angle to
    the two neighbours, norm of the odd feature. `line_loss` (branch, point), `line_gap`, `line_norm` (point,) follow
    both branches, or the pentagon, at the first baseline over `line_ratio`. `curve` and `spinodal` (varied, point) are
    ratios at which the branches cross and the pentagon ends. `kind`, `map_gap` (varied, baseline, ratio) describe the
    best solutions. `shapes` (picture, hidden, feature) are optima at the ratios `shown`.
    """

    ratio: Array
    loss: Array
    norm: Array
    line_ratio: Array
    curve_p: Array
    map_p: Array
    map_ratio: Array
    kind: NDArray[np.int64]
    shown: Array
    shapes: Array
    numbers: dict[str, Quantity]
    trained_crossing: dict[str, Quantity]
    gap: Array = undefined("not all features live")
    line_loss: Array = undefined("no pentagon there")
    line_gap: Array = undefined("no pentagon there")
    line_norm: Array = undefined("no pentagon there")
    curve: Array = undefined("the branches do not cross at this baseline")
    spinodal: Array = undefined("the branches do not cross at this baseline")
    map_gap: Array = undefined("not all features live")


experiment = Experiment(
    __name__,
    title="Deforming the pentagon",
    config=Config(),
    quick=Config(
        fits=8,
        ratios=(0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0),
        steps=1500,
        learning_rate=5e-3,
        curve_baselines=(0.0, 0.02, 0.05, 0.1, 0.21),
        map_baselines=(0.02, 0.4, 4),
        map_ratios=(0.1, 4.0, 5),
        map_starts=1,
        line_points=11,
        resamples=50,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    ratio = np.array(config.ratios)
    W, b, loss = _trained(config, device)
    line_ratio = np.geomspace(ratio.min(), ratio.max(), config.line_points)
    line = branches(*settings(config.baselines[0], line_ratio, "density"))
    there = all_live(line.pentagon.W)
    curve, spinodal = _curves(config)
    map_p, map_ratio = np.geomspace(*config.map_baselines), np.geomspace(*config.map_ratios)
    maps = [best_map(map_p, map_ratio, varied, config.map_starts, config.seed) for varied in VARIED]
    losses = np.stack([np.where(there, line.pentagon.loss, np.nan), line.digons.loss])
    gap, norm = odd_gap(W), norms(W)[..., 0]
    return Result(
        ratio=ratio,
        loss=loss / np.array(config.baselines)[:, None, None],
        gap=gap,
        norm=norm,
        line_ratio=line_ratio,
        line_loss=losses / config.baselines[0],
        line_gap=odd_gap(line.pentagon.W),
        line_norm=np.where(there, norms(line.pentagon.W)[:, 0], np.nan),
        curve_p=np.array(config.curve_baselines),
        curve=curve,
        spinodal=spinodal,
        map_p=map_p,
        map_ratio=map_ratio,
        kind=np.stack([one.kind for one in maps]),
        map_gap=np.stack([one.gap for one in maps]),
        shown=np.array(config.shown),
        shapes=_shapes(config),
        numbers=_crossings(config, curve)
        | _bending(config, loss, gap)
        | _first_order(config, norm)
        | _norm_relation(config, W, b),
        trained_crossing=_trained_crossings(config, loss, norm),
    )


def _trained(config: Config, device: str) -> tuple[Array, Array, Array]:
    """Return W, b and the exact loss of all fits, each with axes (baseline, ratio, fit)."""
    p, r, _ = np.meshgrid(config.baselines, config.ratios, np.zeros(config.fits), indexing="ij")
    density, _ = settings(p.ravel(), r.ravel(), "density")
    model = Model(FEATURES, HIDDEN)
    recipe = Recipe(
        config.steps,
        config.batch,
        config.learning_rate,
        schedule="cosine",
        start_bias=density[:, :1] / 2,
        seed=config.seed,
    )
    trained = train(Data(density), model, recipe, p.size, device)
    if trained.diverged.any():
        raise RuntimeError(f"{trained.diverged.sum()} of {p.size} models diverged")
    W, b = trained.weights.W.astype(np.float64), trained.weights.b.astype(np.float64)
    loss = expected_loss(W, b, density).value
    return W.reshape(*p.shape, HIDDEN, FEATURES), b.reshape(*p.shape, FEATURES), loss.reshape(p.shape)


def _curves(config: Config) -> tuple[Array, Array]:
    """Return where the branches cross and where the pentagon ends, (varied, baseline)."""
    cross = np.array([[crossing(p, varied) for p in config.curve_baselines] for varied in VARIED])
    end = [
        [
            vanishing(p, varied, at) if np.isfinite(at) else np.nan
            for p, at in zip(config.curve_baselines, row, strict=True)
        ]
        for varied, row in zip(VARIED, cross, strict=True)
    ]
    return cross, np.array(end)


def _shapes(config: Config) -> Array:
    """Return the better branch at each drawn ratio, turned so that the odd feature, or a digon, points up."""
    pair = branches(*settings(config.baselines[0], np.array(config.shown), "density"))
    best = np.where((pair.pentagon.loss < pair.digons.loss)[:, None, None], pair.pentagon.W, pair.digons.W)
    lead = np.where(norms(best)[:, 0] > 0.3, 0, 1)
    upright = []
    for W, first in zip(best, lead, strict=True):
        x, y = W[:, first] / np.linalg.norm(W[:, first])
        upright.append(np.array([[y, -x], [x, y]]) @ W)
    return np.array(upright)


def _crossings(config: Config, curve: Array) -> dict[str, Quantity]:
    """Return exact crossings at the trained baselines, in the rare limit, and where equal features cross."""
    method = "both branches minimised exactly"
    found = {}
    for k, varied in enumerate(VARIED):
        for p in config.baselines:
            at = crossing(p, varied)
            found[f"{varied}_{_slug(p)}"] = exact(at, method=method)
            found[f"{varied}_{_slug(p)}_factor"] = exact(1 / at, method=method)
        found[f"{varied}_limit"] = exact(crossing(0.0, varied), method="limit of rare features")
        known = np.isfinite(curve[k])
        found[f"{varied}_highest"] = exact(float(np.array(config.curve_baselines)[known].max()), method=method)
    found["fits"] = exact(config.fits, method="per ratio and baseline")
    found["crossings"] = Quantity(
        float(np.isfinite(curve).mean()), n=curve.size, method="baselines and quantities at which the branches cross"
    )
    return found


def _slug(p: float) -> str:
    return f"p{p:g}".replace("0.", "")


def _best(loss: Array, values: NDArray[Any]) -> NDArray[Any]:
    """Return `values` of the fit with the lowest loss, along the last axis."""
    return np.take_along_axis(values, loss.argmin(-1)[..., None], axis=-1)[..., 0]


def _bending(config: Config, loss: Array, gap: Array) -> dict[str, Quantity]:
    """Return how the angle beside the odd feature follows the ratio, and how far importance bends a best pentagon."""
    ratio, best = np.array(config.ratios), _best(loss, gap)[0]
    chosen = np.isfinite(best) & (ratio >= 0.4)
    rank = float(spearmanr(ratio[chosen], best[chosen]).statistic) if chosen.sum() > 2 else 0.0
    pair = branches(*settings(config.baselines[0], np.geomspace(*config.map_ratios), "importance"))
    bent = odd_gap(pair.pentagon.W)[all_live(pair.pentagon.W) & (pair.pentagon.loss < pair.digons.loss)]
    method = "exact pentagons that beat two digons, first baseline"
    return {
        "gap_rank": exact(rank, method="rank correlation of ratio and angle over best fits, ratios from 0.4 on"),
        "gap_smallest": exact(float(np.nanmin(best)), "degrees", "best fits at the first baseline"),
        "gap_largest": exact(float(np.nanmax(best)), "degrees", "best fits at the first baseline"),
        "importance_bend": exact(float(np.abs(bent - 72).max()), "degrees", method),
        "importance_smallest": exact(float(bent.min()), "degrees", method),
        "importance_largest": exact(float(bent.max()), "degrees", method),
    }


def _first_order(config: Config, norm: Array) -> dict[str, Quantity]:
    """Return slopes of both exact branches at the crossing, and shares of fits on each branch on either side."""
    p, step = config.baselines[0], 1e-3
    at = crossing(p, "density")
    pair = branches(*settings(p, np.array([at - step, at + step]), "density"))
    slopes = [float((one.loss[1] - one.loss[0]) / (2 * step * p)) for one in pair]
    jump = branches(*settings(p, np.array([at]), "density")).pentagon.W
    ratio = np.array(config.ratios)
    live = norm[0] > 0.3
    below, over = (ratio < at) & (ratio > at / 2), (ratio > at) & (ratio < 2 * at)
    return {
        "slope_pentagon": exact(slopes[0], method="exact branch at the crossing"),
        "slope_digons": exact(slopes[1], method="exact branch at the crossing"),
        "slope_ratio": exact(slopes[1] / slopes[0], method="exact branches at the crossing"),
        "norm_jump": exact(float(norms(jump)[0, 0]), method="exact pentagon at the crossing, against 0"),
        "live_below": mean(live[below].mean(0)),
        "dead_above": mean(1 - live[over].mean(0)),
    }


def _norm_relation(config: Config, W: Array, b: Array) -> dict[str, Quantity]:
    """Return norm and bias of regular pentagons: trained, exact at the first baseline, and with one active feature."""
    p = config.baselines[0]
    at = int(np.abs(np.array(config.ratios) - 1).argmin())
    regular = (classify(W[0, at]).name == PENTAGON.name) & all_live(W[0, at])
    length, bias = norms(W[0, at])[regular].mean(-1), b[0, at][regular].mean(-1)
    family = pentagon(FEATURES)
    rare = minimise(family, sets=one_active(FEATURES)[None], starts=[[1.17, -0.28]])
    usual = minimise(family, np.array([[p]]), starts=[[1.17, -0.28]])
    found = {"trained_norm": mean(length), "trained_bias": mean(bias), "relation": mean(length * (1 - bias))}
    for name, one in (("exact", usual), ("rare", rare)):
        norm, shift = (float(value) for value in one.parameters[0])
        method = "exact minimum among regular pentagons"
        found |= {
            f"{name}_norm": exact(norm, method=method),
            f"{name}_bias": exact(shift, method=method),
            f"{name}_relation": exact(norm * (1 - shift), method=method),
            f"{name}_predicted": exact(1 / (1 - shift), method="1/(1 - b)"),
            f"{name}_root": exact(np.sqrt(1 - shift), method="square root of 1 - b"),
        }
    return found


def _trained_crossings(config: Config, loss: Array, norm: Array) -> dict[str, Quantity]:
    """Return the ratio at which the best fits turn from digons to pentagons, at each baseline."""
    generator = np.random.default_rng(config.seed)
    drawn = generator.integers(0, config.fits, (config.resamples, config.fits))
    ratio = np.array(config.ratios)
    found = {}
    for k, p in enumerate(config.baselines):
        live = norm[k] > 0.3
        sampled = [_turning(ratio, _best(loss[k][:, fits], live[:, fits])) for fits in drawn]
        centre = _turning(ratio, _best(loss[k], live))
        found[_slug(p)] = percentile_quantity(centre, np.array(sampled), config.fits)
    return found


def _turning(ratio: Array, live: NDArray[np.bool_]) -> float:
    """Return the middle between the last ratio with a dead and the first with a live odd feature."""
    dead, alive = ratio[~live], ratio[live]
    last = dead.max() if dead.size else ratio.min()
    first = alive.min() if alive.size else ratio.max()
    return float((last + first) / 2)


def _ratio_axis(ax: Axes, label: str) -> None:
    ax.set_xscale("log")
    ax.set_xlabel(label)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 4])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


RATIO_LABEL = "density of the odd feature / others"


@experiment.figure(
    "deformation-shapes",
    title="A pentagon bends, then breaks",
    caption="Best solutions of five features in two dimensions, density 0.05, while one (orange) is rarer or denser by "
    "the factor above. Rarer, its neighbours close in; denser, they move away; at "
    "{numbers.density_p05:.2f} the pentagon is given up for two antipodal pairs without it.",
    alt="Six starfish plots. First a cross of four arrows and no fifth; then pentagons whose upper arrow has narrower, "
    "equal and wider gaps beside it.",
)
def draw_shapes(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.shown), width="wide", height=1.75)
    tones = [plotting.colour("contrast"), *[plotting.colour("accent")] * (FEATURES - 1)]
    for ax, ratio, W in zip(axes, result.shown, result.shapes, strict=True):
        plotting.directions(ax, W, limit=1.35, colours=tones)
        ax.set_title(f"× {ratio:g}")
    return figure


@experiment.figure(
    "deformation-crossing",
    title="Two branches of the loss, and where they cross",
    caption="(a) Exact loss of all {numbers.fits:.0f} fits per ratio at density 0.05, by whether the odd feature "
    "lives, on the two exact branches. They cross at {numbers.density_p05:.3f}, that is "
    "{numbers.density_p05_factor:.1f} times rarer. (b) The crossing against the density of the others, exact "
    "(lines) and best of the fits (bars), for density and for importance. Dotted: below it no pentagon is left. The "
    "paper's factor of 2.5 (cross) is close to what holds at twice its density.",
    alt="Left, dots on two curves that cross: one steep and straight, one flatter. Right, two rising curves of the "
    "crossing ratio, dotted ends of the pentagon below, two points with bars on the density curve and a cross above "
    "it.",
    interval="95 % percentile bootstrap over fits, best of each resample",
)
def draw_crossing(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.5)
    live = result.norm[0] > 0.3
    spread = np.broadcast_to(result.ratio[:, None], live.shape)
    for index, (chosen, name) in enumerate(((live, "odd feature lives"), (~live, "odd feature absent"))):
        dots = left.plot(spread[chosen], result.loss[0][chosen], ".", ms=3, color=plotting.series(index), label=name)
        dots[0].set_rasterized(True)
        plotting.theory_line(left, result.line_ratio, result.line_loss[index], label="" if index else "exact branches")
    left.set(ylabel="loss / density", ylim=(0, 1.6 * float(np.nanmax(result.line_loss[0]))))
    _ratio_axis(left, RATIO_LABEL)
    for index, varied in enumerate(VARIED):
        right.plot(result.curve_p, result.curve[index], color=plotting.series(2 + index), label=f"{varied} varied")
        right.plot(result.curve_p, result.spinodal[index], ":", color=plotting.series(2 + index))
    found = list(result.trained_crossing.values())
    plotting.points(right, baselines_of(result), found, label="best fits", index=0)
    right.plot([PAPERS_BASELINE], [1 / PAPERS_FACTOR], "x", color=plotting.colour("ink"), ms=7, label="the paper")
    right.set(xlabel="density of the others", ylabel="ratio at the crossing", ylim=(0, 1))
    for ax in (left, right):
        plotting.legend(ax)
    plotting.panel_letters((left, right))
    return figure


def baselines_of(result: Result) -> list[float]:
    """Return the densities that the trained crossings are named after."""
    return [float("0." + name.removeprefix("p")) for name in result.trained_crossing]


@experiment.figure(
    "deformation-angles",
    title="How far it bends",
    caption="At density 0.05. (a) Mean angle between the odd feature and its two neighbours, 72° in a regular "
    "pentagon; (b) its norm. Dots are fits (large: the best of each ratio), lines the exact pentagon, drawn to "
    "where it ends as a minimum. The angle changes gradually; the norm falls to 0 at once.",
    alt="Left, an angle that rises with the ratio and passes 72 degrees at 1. Right, a norm above 1 on a line that "
    "ends at a small ratio; best fits lie on it down to a ratio near {numbers.density_p05:.2f} and at zero below.",
)
def draw_angles(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=2.9)
    for ax, values, line in ((left, result.gap[0], result.line_gap), (right, result.norm[0], result.line_norm)):
        spread = np.broadcast_to(result.ratio[:, None], values.shape)
        dots = ax.plot(spread.ravel(), values.ravel(), ".", ms=2.5, color=plotting.colour("null"), label="all fits")
        dots[0].set_rasterized(True)
        ax.plot(result.ratio, _best(result.loss[0], values), "o", color=plotting.colour("accent"), label="best fit")
        plotting.theory_line(ax, result.line_ratio, line, label="exact pentagon")
        _ratio_axis(ax, RATIO_LABEL)
    plotting.guide(left, 72)
    left.set(ylabel="angle to neighbours (°)", ylim=(58, 92))
    right.set(ylabel="norm of the odd feature", ylim=(-0.05, 1.4))
    plotting.legend(left, figure=figure)
    plotting.panel_letters((left, right))
    return figure


def _one_colour(role: str) -> ListedColormap:
    return ListedColormap([plotting.colour(role)])


@experiment.figure(
    "deformation-map",
    title="Where shapes bend and where they break",
    caption="Best solution of the exact loss in each cell: the odd feature differs (a) in density, (b) in "
    "importance. Coloured: all five live; the colour is the angle between the odd feature and its neighbours, near "
    "white at 72°, darkest where it stands at right angles to all others. Grey: two antipodal pairs, without the "
    "odd feature (dark) or another one (light). Blank: a density above 1. Dashed: where the branches cross. Common "
    "features have no pentagon "
    "to bend.",
    alt="Two maps. A coloured region at low density, blue on the left and orange on the right, is bounded on the "
    "left by a rising dashed curve, beyond which all is dark grey; above it pale grey.",
)
def draw_map(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.9, sharey=True)
    tones = {WITHOUT_ODD: "muted", WITHOUT_ANOTHER: "faint", SOMETHING_ELSE: "theory"}
    norm = plotting.centred(limit=14.0)
    edges = [plotting.cell_edges(axis, log=True) for axis in (result.map_ratio, result.map_p)]
    for k, (ax, varied) in enumerate(zip(axes, VARIED, strict=True)):
        for kind, tone in tones.items():
            there = np.where(result.kind[k] == kind, 1.0, np.nan)
            flat = ax.pcolormesh(*edges, there, cmap=_one_colour(tone), shading="flat")
            plotting.decoration(flat).set_rasterized(True)
        image = ax.pcolormesh(*edges, result.map_gap[k] - 72, cmap=plotting.diverging(), norm=norm, shading="flat")
        image.set_rasterized(True)
        grid = np.meshgrid(result.map_ratio, result.map_p)
        columns = {"ratio": grid[0].ravel(), "p": grid[1].ravel(), "kind": result.kind[k].ravel()}
        plotting.represents(image, columns | {"angle_minus_72": result.map_gap[k].ravel() - 72})
        inside = result.curve_p > 0
        plotting.theory_line(ax, result.curve[k][inside], result.curve_p[inside], label="")
        _ratio_axis(ax, f"{varied} of the odd feature / others")
        ax.set(yscale="log", xlim=(edges[0][0], edges[0][-1]), ylim=(edges[1][0], edges[1][-1]))
        ax.set_yticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
        ax.yaxis.set_minor_locator(NullLocator())
    axes[0].set_ylabel("density of the others")
    plotting.colour_scale(image, axes, label="angle to neighbours − 72°")
    names = {WITHOUT_ODD: "pairs without it", WITHOUT_ANOTHER: "pairs without another", SOMETHING_ELSE: "else"}
    present = [kind for kind in tones if (result.kind == kind).any()]
    handles = [Patch(color=plotting.colour(tones[kind]), label=names[kind]) for kind in present]
    figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), alignment="left")
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "deformation-bends",
    title="Changing one feature's importance bends the pentagon",
    statements=("C8",),
    source=SOURCE,
    test="Exact pentagons at density 0.05 that lose less than two digons without the odd feature, its importance from "
    "a tenth to four times that of the others: largest change, from 72 degrees, of the angle to its neighbours.",
    criterion="Supported if above 2 degrees, refuted otherwise.",
    figures=("deformation-map",),
    published=Verdict.SUPPORTED,
)
def decide_bends(result: Result) -> Finding:
    bend = result.numbers["importance_bend"]
    return Finding(bend, Verdict.SUPPORTED if bend.value > 2 else Verdict.REFUTED)


@experiment.claim(
    "deformation-repels",
    title="Neighbours keep away from a denser feature and close in on a rarer one",
    statements=("C8",),
    source=SOURCE,
    test="Best fit at each ratio from 0.4 to 3, density 0.05. Statistic: rank correlation of ratio and angle.",
    criterion="Supported if above 0.95, refuted if below 0.5, mixed otherwise.",
    figures=("deformation-angles", "deformation-shapes"),
    published=Verdict.SUPPORTED,
)
def decide_repels(result: Result) -> Finding:
    rank = result.numbers["gap_rank"]
    if rank.value > 0.95:
        return Finding(rank, Verdict.SUPPORTED)
    return Finding(rank, Verdict.REFUTED if rank.value < 0.5 else Verdict.MIXED)


@experiment.claim(
    "deformation-shatters",
    title="Far enough from the others, the feature breaks the pentagon",
    statements=("C9",),
    source=SOURCE,
    test="Crossing of the exact branches, pentagon and two digons without the odd feature, at baselines up to 0.21, "
    "beyond which equal features soon have no pentagon, for density and for importance. Statistic: share of these at "
    "which they cross.",
    criterion="Supported if at all of them and the norm of the odd feature jumps by more than one half at density "
    "0.05; refuted if at fewer than half; mixed otherwise.",
    figures=("deformation-crossing", "deformation-map"),
    published=Verdict.SUPPORTED,
)
def decide_shatters(result: Result) -> Finding:
    share = result.numbers["crossings"]
    if share.value == 1 and result.numbers["norm_jump"].value > 0.5:
        return Finding(share, Verdict.SUPPORTED)
    return Finding(share, Verdict.REFUTED if share.value < 0.5 else Verdict.MIXED)


@experiment.claim(
    "deformation-first-order",
    title="The break is a crossing of two branches, a first-order change",
    statements=("C9",),
    source=SOURCE,
    test="Slopes of both exact branches at the crossing, density 0.05, and shares of fits on the branch of higher loss "
    "within a factor of two on either side. Statistic: ratio of the slopes.",
    criterion="Supported if the slopes differ by more than 20 % and on both sides the interval of the share on the "
    "worse branch lies above 0; refuted if the slopes differ by less; mixed otherwise.",
    figures=("deformation-crossing",),
    published=Verdict.SUPPORTED,
)
def decide_first_order(result: Result) -> Finding:
    ratio = result.numbers["slope_ratio"]
    populated = [(result.numbers[name].low or 0.0) > 0 for name in ("live_below", "dead_above")]
    if not (ratio.value > 1.2 or ratio.value < 1 / 1.2):
        return Finding(ratio, Verdict.REFUTED)
    return Finding(ratio, Verdict.SUPPORTED if all(populated) else Verdict.MIXED)


@experiment.claim(
    "deformation-factor",
    title="The pentagon breaks when one feature is 2.5 times rarer than the others, at density 0.05",
    source=SOURCE,
    test="Crossing of the exact branches at density 0.05, as a factor between the others' density and the odd one's.",
    criterion="Supported if between 2.25 and 2.75, refuted otherwise.",
    figures=("deformation-crossing",),
    published=Verdict.REFUTED,
)
def decide_factor(result: Result) -> Finding:
    factor = result.numbers["density_p05_factor"]
    return Finding(factor, Verdict.SUPPORTED if 2.25 <= factor.value <= 2.75 else Verdict.REFUTED)


@experiment.claim(
    "deformation-trained",
    title="The best of many fits break where the exact branches cross",
    source=SOURCE,
    test="Ratio between the last with an absent and the first with a live odd feature, best fits, against the exact "
    "crossing at each baseline. Statistic: largest difference.",
    criterion="Supported if below 0.03, refuted if above 0.06, mixed otherwise.",
    figures=("deformation-crossing",),
    published=Verdict.SUPPORTED,
)
def decide_trained(result: Result) -> Finding:
    misses = [
        abs(found.value - result.numbers[f"density_{name}"].value) for name, found in result.trained_crossing.items()
    ]
    statistic = exact(max(misses), method="largest over baselines")
    if statistic.value < 0.03:
        return Finding(statistic, Verdict.SUPPORTED)
    return Finding(statistic, Verdict.REFUTED if statistic.value > 0.06 else Verdict.MIXED)


@experiment.claim(
    "deformation-norm",
    title="In a pentagon the norm is 1/(1 − b)",
    source=SOURCE,
    test="Regular pentagons among the fits with equal features, density 0.05: norm times (1 − b), which would be 1.",
    criterion="Supported if the interval lies within 0.05 of 1, refuted if it lies wholly outside, inconclusive "
    "otherwise.",
    figures=("deformation-shapes",),
    published=Verdict.REFUTED,
)
def decide_norm(result: Result) -> Finding:
    found = result.numbers["relation"]
    if found.low is None or found.high is None:
        return Finding(found, Verdict.INCONCLUSIVE)
    if found.low > 0.95 and found.high < 1.05:
        return Finding(found, Verdict.SUPPORTED)
    outside = above(found, 1.05) is Verdict.SUPPORTED or above(found, 0.95) is Verdict.REFUTED
    return Finding(found, Verdict.REFUTED if outside else Verdict.INCONCLUSIVE)
