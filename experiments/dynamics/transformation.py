"""Two sets of three correlated features in three dimensions: through which shapes does training reach the octahedron?

Elhage et al. 2022, "Superposition and Learning Dynamics", geometric transformations. The paper shows single models;
here every seed's course is cut into stages by the weights alone, and the stages are counted.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.coupling import coupled_sets
from experiments.core.criteria import Verdict, above, below
from experiments.core.losses.exact import expected_loss
from experiments.core.quantities import Quantity, share
from experiments.core.training.specification import Data, Model, Recipe, log_spaced_steps
from experiments.core.training.train import train
from experiments.core.views import Cloud, Curves, Frames
from experiments.dynamics.shared.courses import runs_of
from experiments.dynamics.shared.set_figures import draw_triangles
from experiments.dynamics.shared.set_numbers import Courses, Numbers, numbers_of
from experiments.dynamics.shared.set_stages import (
    SETS,
    SHORT,
    STAGES,
    constrained_minima,
    principal_overlap,
    stages_of,
    standing,
    stay,
    told,
)

Array = NDArray[Any]

SECTION = 'Toy Models of Superposition, "Superposition and Learning Dynamics"'
SHOWN_LEVELS = ("nothing", "one line, same side", "one line", "a line for each set", "one split off", "octahedron")
"""Constrained minima that are drawn beside the loss."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 22
    seeds: int = 128
    density: float = 0.05  # of each feature; the paper's is not known
    steps: int = 12_000
    batch: int = 256
    learning_rate: float = 3e-3  # falls to zero along a cosine
    start_scale: float = 0.1  # of Xavier's; a small start keeps the early stages apart
    snapshots: int = 120  # evenly spaced in the logarithm of the step
    shown: int = 3  # models whose course is drawn, one of each of the most frequent paths


@dataclass(frozen=True)
class Result:
    """Courses over `steps`, in float32.

    `loss` is exact; `singular` are the singular values of W; `stage` numbers of `STAGES`; `overlap` that of the row
    space with the leading principal plane before the third dimension. `shown` are seeds of the most frequent paths; `W`
    their weights, turned as a whole so that the final octahedron stands on the axes. `paths` name the paths, most
    frequent first, and `counts` their seeds. `levels` are exact losses of the best model of each kind in `level_names`.
    """

    steps: NDArray[np.int64]  # (time,)
    loss: NDArray[np.float32]  # (seed, time)
    singular: NDArray[np.float32]  # (seed, time, 3)
    stage: NDArray[np.int64]  # (seed, time)
    overlap: Array  # (seed,)
    shown: NDArray[np.int64]  # (shown model,)
    W: NDArray[np.float32]  # (shown model, time, 3, 6)
    paths: tuple[str, ...]
    counts: NDArray[np.int64]  # (path,)
    levels: Array  # (level,)
    level_names: tuple[str, ...]
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="How training reaches the octahedron",
    config=Config(),
    quick=Config(seeds=8, steps=8000, batch=128, snapshots=90),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    steps, W, b = _trained(config, device)
    sets = coupled_sets(config.density, 6, SETS)
    loss = expected_loss(W, b, sets=sets).value
    singular = np.linalg.svd(W, compute_uv=False)
    stage = stages_of(W, singular)
    paths = [tuple(dict.fromkeys(runs_of(row, stay(steps)))) for row in stage]
    counted = Counter(paths).most_common()
    shown = np.array([paths.index(path) for path, _ in counted[: config.shown]])
    levels = constrained_minima(sets)
    overlap = principal_overlap(W, singular, steps)
    return Result(
        steps=steps,
        loss=loss.astype(np.float32),
        singular=singular.astype(np.float32),
        stage=stage,
        overlap=overlap,
        shown=shown,
        W=np.stack([standing(W[seed]) for seed in shown]).astype(np.float32),
        paths=tuple(told(path) for path, _ in counted),
        counts=np.array([count for _, count in counted]),
        levels=np.array([levels[name] for name in SHOWN_LEVELS]),
        level_names=SHOWN_LEVELS,
        numbers=numbers_of(Courses(steps, loss, singular, stage, overlap), paths, levels),
    )


def _trained(config: Config, device: str) -> tuple[NDArray[np.int64], Array, Array]:
    """Return steps (time,), W (seed, time, 3, 6) and b (seed, time, 6)."""
    steps = log_spaced_steps(config.steps, config.snapshots)
    trained = train(
        Data(config.density, coupling="correlated", groups=SETS),
        Model(6, 3),
        Recipe(
            steps=config.steps,
            batch=config.batch,
            learning_rate=config.learning_rate,
            schedule="cosine",
            start_scale=config.start_scale,
            snapshots=steps,
            seed=config.seed,
        ),
        instances=config.seeds,
        device=device,
    )
    W = np.stack([kept.W for kept in trained.snapshots], axis=1).astype(np.float64)
    b = np.stack([kept.b for kept in trained.snapshots], axis=1).astype(np.float64)
    return np.array(steps)[1:], W[:, 1:], b[:, 1:]  # the start has no place on a logarithmic axis


@experiment.figure(
    "transformation-strip",
    title="From two lines to an octahedron",
    caption="Both sets first collapse to a line, which is what a linear model would learn. Then a third dimension "
    "opens, the triangles unfold, twisted against each other, and turn until every feature is opposite to one of the "
    "other set. Drawn are six features in three dimensions at six moments of training, for one seed of each of the "
    "most frequent courses; each set of three is joined to a triangle.",
    alt="Rows of six small drawings of six arrows from a point. From left to right they grow from nothing into one "
    "or two lines, spread into two triangles at an angle, and end as the six corners of an octahedron.",
)
def draw_strip(result: Result) -> Figure:
    places = np.searchsorted(result.steps, _moments(result))
    figure, grid = plotting.new_figure(
        len(result.shown), len(places), width="wide", height=1.2 * len(result.shown) + 0.3, squeeze=False
    )
    for row, model in zip(grid, result.W, strict=True):
        for ax, place in zip(row, places, strict=True):
            draw_triangles(ax, model[place])
    for ax, place in zip(grid[0], places, strict=True):
        first = "step " if ax is grid[0, 0] else ""
        ax.set_title(f"{first}{result.steps[place]:,}", loc="center")
    return figure


def _moments(result: Result) -> Array:
    """Return six steps, evenly spaced in the logarithm, from where things begin to move to the end."""
    return np.geomspace(50, float(result.steps[-1]), 6)


@experiment.view("transformation-strip")
def move_octahedron(result: Result) -> Frames:
    count = 44
    places = np.unique(np.searchsorted(result.steps, np.geomspace(20, float(result.steps[-1]), count)))
    seed, model = int(result.shown[0]), result.W[0][places].astype(np.float64)
    time, loss = np.log10(result.steps[places]), result.loss[seed, places].astype(np.float64)
    captions = tuple(
        f"step {step:,}, loss {value:.2g}, {STAGES[stage]}"
        for step, value, stage in zip(result.steps[places], loss, result.stage[seed, places], strict=True)
    )
    singular = result.singular[seed, places].astype(np.float64)
    ticks = tuple((float(power), f"{10**power:,}") for power in (2, 3, 4) if power <= time[-1])
    triangles = (
        tuple((a, b) for a, b, c in SETS) + tuple((b, c) for a, b, c in SETS) + tuple((a, c) for a, b, c in SETS)
    )
    cloud = Cloud(
        "Six features in three dimensions, the corners of each set joined",
        model.transpose(0, 2, 1),
        edges=triangles,
        faces=SETS,
        limit=1.1,
        colours=(0, 0, 0, 1, 1, 1),
    )
    curves = Curves(
        "Loss, relative to its start, and the singular values of W over training",
        time,
        np.concatenate([loss[:, None] / result.levels[0], singular], axis=1),
        "step",
        "",
        ticks,
        ((0.0, "0"), (1.0, "1"), (float(np.sqrt(2)), "\u221a2")),
        labels=("loss", "singular values", "", ""),
        colours=(1, 0, 0, 0),
    )
    return Frames(
        "Six arrows unfold from two lines into an octahedron while the loss falls in steps", captions, (cloud, curves)
    )


@experiment.figure(
    "transformation-loss",
    title="The loss falls in steps as dimensions come into use",
    caption="Training rests at the losses of its stages, and a new dimension comes into use at each fall. (a) Exact "
    "loss, median and middle four fifths of {numbers.seeds:.0f} seeds, and the least loss of models held at each "
    "stage (dashed). (b) The singular values of $W$: one dimension and soon a second come into use in the first fall, "
    "the third in the second.",
    alt="Left, a curve falls from a plateau to a second one and then to a third, each at a dashed line. Right, two "
    "curves rise from near zero to one at step 100, then to the square root of two, and a third rises from zero to "
    "the same value after step 500.",
    interval="Bands hold the middle 80 % of seeds",
)
def draw_loss(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    plotting.band(left, result.steps, *np.quantile(result.loss, [0.1, 0.5, 0.9], axis=0), label="training")
    for name, level in zip(result.level_names, result.levels, strict=True):
        plotting.theory_level(left, level, label="")
        up = name in ("one line", "octahedron")  # the next level, or the axis, is just below
        align = {"va": "bottom" if up else "top", "xytext": (-3, 2 if up else -3), "textcoords": "offset points"}
        left.annotate(name, (result.steps[-1], level), fontsize=8, ha="right", **align)
    left.set(xscale="log", yscale="log", xlabel="step", ylabel="loss (mean squared error)", xlim=(10, result.steps[-1]))
    for index, name in enumerate(("largest", "second", "third")):
        low, mid, high = np.quantile(result.singular[:, :, index], [0.1, 0.5, 0.9], axis=0)
        plotting.band(right, result.steps, low, mid, high, label=name, index=index)
    plotting.theory_level(right, float(np.sqrt(2)), label="octahedron")
    right.set(xscale="log", xlabel="step", ylabel="singular value of $W$", xlim=(10, result.steps[-1]))
    plotting.legend(right)
    plotting.panel_letters([left, right])
    return figure


@experiment.figure(
    "transformation-paths",
    title="There are several ways to the octahedron",
    caption="At least 5 % of the seeds take each of {numbers.paths:.0f} courses, which differ in the line that is "
    "learned first and in whether one or two pairs of features fall into place before the rest. (a) Share of "
    "{numbers.seeds:.0f} seeds in each stage. Same side, opposite: the sets share a line, on the same side or on "
    "opposite sides; one set: a line for one set; two lines: a line for each; twisted: three dimensions, triangles "
    "not yet aligned; one axis: one or two pairs in place. (b) The most frequent courses. A stage counts when it lasts "
    "a tenth of a decade, and only the first time.",
    alt="Above, stacked areas over the logarithm of the step: nothing, then a line, two lines, twisted triangles and "
    "the octahedron, which fills nearly everything at the end. Below, points with intervals: how many seeds took each "
    "sequence of stages.",
    interval="Wilson score intervals over seeds, 95 %",
)
def draw_paths(result: Result) -> Figure:
    figure, (upper, lower) = plotting.new_figure(2, 1, height=5.4, height_ratios=[1.0, 1.2])
    shares = {SHORT[k]: (result.stage == k).mean(0) for k in range(len(STAGES))}
    stages = [plotting.series(1), plotting.series(5), plotting.series(2), plotting.series(3), plotting.colour("muted")]
    tones = [plotting.colour("faint"), *stages, plotting.series(4), plotting.shape_colour("octahedron")]
    plotting.stacked_shares(upper, result.steps, shares, colours=tones)
    upper.set(xscale="log", xlabel="step", ylabel="share of seeds", xlim=(10, result.steps[-1]))
    plotting.percent_axis(upper)
    plotting.legend(upper, columns=4)
    counts = result.counts[:7]
    total = int(result.counts.sum())
    quantities = [share(np.arange(total) < count) for count in counts]
    plotting.points(lower, np.arange(len(counts)), quantities, horizontal=True)
    for place, path in enumerate(result.paths[: len(counts)]):
        lower.annotate(path, (0.0, place), xytext=(3, 6), textcoords="offset points", va="bottom", fontsize=8)
    lower.set(ylim=(len(counts) - 0.6, -0.9), yticks=[], xlim=(0, 1), xlabel="share of seeds")
    plotting.percent_axis(lower, x=True)
    plotting.panel_letters([upper, lower])
    return figure


@experiment.claim(
    "transformation-octahedron",
    title="In most seeds two sets of three correlated features end as an octahedron, antipodal across the sets",
    statements=("D1",),
    source=SECTION,
    test="Final models: three dimensions in use and each feature of one set antipodal (cosine below -0.95) to one of "
    "the other. Statistic: share of seeds.",
    criterion=above(0.5),
    figures=("transformation-strip", "transformation-paths"),
    published=Verdict.SUPPORTED,
)
def seeds_at_the_octahedron(result: Result) -> Quantity:
    return result.numbers.octahedron


@experiment.claim(
    "transformation-plateaus",
    title="In more than four of five seeds the loss falls in steps, with at least three plateaus",
    statements=("D1", "D2"),
    source=SECTION,
    test="Plateaus of each seed's exact loss over the logarithm of the step: slope of ln(loss) at most 0.3 per "
    "decade for at least a tenth of a decade; plateaus that differ by less than 10 % are one. Statistic: share of "
    "seeds with at least three, the untrained and the final one included.",
    criterion=above(0.8),
    figures=("transformation-loss",),
    published=Verdict.SUPPORTED,
)
def seeds_with_plateaus(result: Result) -> Quantity:
    return result.numbers.three_plateaus


@experiment.claim(
    "transformation-rank",
    title="In more than four of five seeds dimensions come into use one at a time",
    statements=("D2", "D3"),
    source=SECTION,
    test="Number of singular values of W above 0.5, over the logarithm of the step. Statistic: share of seeds in "
    "which it is 0, 1, 2 and 3 in this order, each for at least a tenth of a decade.",
    criterion=above(0.8),
    figures=("transformation-loss", "transformation-paths"),
    published=Verdict.SUPPORTED,
)
def seeds_in_order(result: Result) -> Quantity:
    return result.numbers.rank_in_order


@experiment.claim(
    "transformation-principal",
    title="The early stage is the linear solution: principal components first",
    statements=("D1",),
    source=SECTION,
    test="Share of the model's row space that lies in the plane of the data's two principal components, midway "
    "between the first and the third dimension coming into use; a random direction has one third on average. "
    "Statistic: median over seeds.",
    criterion=above(0.9),
    figures=("transformation-strip", "transformation-loss"),
    published=Verdict.SUPPORTED,
)
def overlap_with_the_plane(result: Result) -> Quantity:
    return result.numbers.overlap


@experiment.claim(
    "transformation-several",
    title="More than a tenth of the seeds take another course than the most frequent one",
    statements=("D1",),
    source=SECTION,
    test="Courses as sequences of stages, each told when it lasts at least a tenth of a decade. Statistic: share of "
    "seeds that take the most frequent one.",
    criterion=below(0.9),
    figures=("transformation-paths", "transformation-strip"),
    published=Verdict.SUPPORTED,
)
def most_frequent_way(result: Result) -> Quantity:
    return result.numbers.most_frequent
