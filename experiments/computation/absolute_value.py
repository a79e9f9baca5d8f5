"""Does a network compute |x| for more features than its neurons allow? Statements F1 and F2.

Elhage et al. 2022, "Computation in superposition": a hundred features, forty ReLU neurons, densities from 1 to 0.001.
The yardstick is exact: the best that forty neurons can do if no neuron serves more than one feature.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from experiments.computation.shared.absolute import Training
from experiments.computation.shared.absolute_sweep import (
    ARMS,
    EQUAL,
    FALLING,
    LOSS_SHARE,
    Config,
    Result,
    arms_at,
    swept,
)
from experiments.computation.shared.pictures import draw_stacks
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    AtLeast,
    Below,
    Criterion,
    Every,
    Evidence,
    NoneOf,
    Verdict,
    Within,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity

SECTION = 'Toy Models of Superposition, "Computation in Superposition"'

experiment = Experiment(
    __name__,
    title="The absolute value of a hundred features with forty neurons",
    config=Config(),
    quick=Config(
        seeds=3,
        features=40,
        hidden=16,
        training=Training(steps=500, most=1024),
        samples=4000,
        count_samples=300,
    ),
    large=Config(seeds=32, training=Training(steps=40_000, most=16_384), samples=100_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return swept(config, device)


LABELS = {EQUAL: "equal importance", FALLING: "importance $0.8^i$"}


def _over_density(ax: Axes, result: Result, values: np.ndarray) -> None:
    for index, arm in enumerate(ARMS):
        plotting.seed_band(ax, result.p, values[index], label=LABELS[arm], index=index, marker="o")
    plotting.density_axis(ax, ticks=result.p[::2].tolist())


@experiment.figure(
    "absolute-loss",
    title="Loss and number of features computed",
    caption=(
        "With equal importance and one feature in a hundred present, forty neurons compute "
        "{at.0.01.equal.computed:value} features; one neuron to each side of a feature would give 20 (faint line). "
        "(a) Loss over that of the best allocation without superposition. (b) Features with an error below half of "
        "what one neuron and a bias leave."
    ),
    alt=(
        "Two panels over the feature probability, rare features on the left. With equal importance the loss falls "
        "below the baseline as features become rarer and the number of features computed rises from about ten to "
        "nearly 100; with falling importance the loss is above the baseline when features are dense."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_loss(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    _over_density(left, result, result.ratio)
    left.set(yscale="log", ylabel="loss / best without superposition")
    left.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plotting.theory_level(left, 1.0, label="best without superposition")
    _over_density(right, result, result.computed)
    right.set(ylabel="features computed", ylim=(0, result.error.shape[-1] * 1.02))
    plotting.guide(right, result.stacks.shape[1] / 2)
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "absolute-ranks",
    title="Which features are computed",
    caption=(
        "With falling importance a model computes the most important features: {at.0.01.falling.computed:value} of "
        "them at a density of 0.01. Mean error of each feature over seeds, as a share of that of an output that is "
        "always 0; one line per density. (a) Equal importance. (b) Importance 0.8 to the power of the rank i."
    ),
    alt=(
        "Two panels of lines over the feature's number. With equal importance the lines are flat, lower for rarer "
        "features. With falling importance each line rises from near zero for the first features to a plateau."
    ),
)
def draw_ranks(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.2, sharey=True)
    chosen = range(0, len(result.p), 2)
    tones = plotting.ramp(len(chosen))
    for arm, ax in enumerate(axes):
        for tone, place in zip(tones, chosen, strict=True):
            error = result.error[arm, place].mean(0)
            ax.plot(np.arange(len(error)) + 1, error, color=tone, linewidth=1.2, label=f"$p$ = {result.p[place]:g}")
        ax.set(xlabel=("feature", "feature, by importance")[arm], title=LABELS[ARMS[arm]], ylim=(0, 1.1))
    axes[0].set_ylabel("error / that of zero")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


RARE = 0.1
"""Models trained on features at most so dense are compared by how many features are present."""


@experiment.figure(
    "absolute-together",
    title="What superposition costs when features meet",
    caption=(
        "At a density of 0.01 a feature that is present alone leaves {at.0.01.alone:% value} of the error of an output "
        "that is always 0, and one of four that are present together {at.0.01.four:% value}. Equal importance. (a) "
        "Squared error per present feature, what leaks into absent outputs included; the faint line is what twenty "
        "dedicated pairs of neurons leave at any number. (b) The leaked part alone. Models trained at densities "
        "above 0.1 are left out: their biases are wrong for samples with few features."
    ),
    alt=(
        "Two panels over the number of features present together. Lines of models trained on rare features start near "
        "zero and rise; the line of models trained at 0.1 is flat or falls."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_together(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    features, hidden = result.error.shape[-1], result.stacks.shape[1]
    for index, place in enumerate(np.flatnonzero(result.p <= RARE)):
        style: dict[str, Any] = {"label": f"$p$ = {result.p[place]:g}", "index": index, "marker": "os^Dvd"[index]}
        plotting.seed_band(left, result.counts, (result.own + result.leak)[place].T, **style)
        plotting.seed_band(right, result.counts, result.leak[place].T, **style)
    plotting.guide(left, 1 - (hidden // 2) / features)
    for ax in (left, right):
        plotting.doubling_axis(ax, [count for count in result.counts if count & (count - 1) == 0], "features present")
        ax.set_ylim(0, None)
    left.set_ylabel("error per present feature")
    right.set_ylabel("its part in absent features")
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure, title="trained at")
    return figure


@experiment.figure(
    "absolute-neurons",
    title="Neurons with one feature and with many",
    caption=(
        "With falling importance, {at.1.falling.monosemantic:% value} of the neurons that are used serve hardly more "
        "than one feature when all features are present, and {at.0.001.falling.monosemantic:% value} when one in a "
        "thousand is. (a) Share of neurons with fewer than 1.3 effective features. (b) Mean number of effective "
        "features per neuron, the participation ratio of its weights."
    ),
    alt=(
        "Two panels over the feature probability. The share of neurons with one feature falls to zero as features "
        "become rarer, and the number of effective features per neuron rises, more so with equal importance."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_neurons(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2)
    _over_density(left, result, result.monosemantic)
    left.set(ylabel="neurons with one feature", ylim=(-0.02, 1.05))
    plotting.percent_axis(left)
    _over_density(right, result, np.nanmean(result.effective, axis=-1))
    right.set(ylabel="effective features per neuron", yscale="log")
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "absolute-stacks",
    title="The weights of every neuron, stacked",
    caption=(
        "Over all seeds, {at.0.03.falling.monosemantic:% value} of neurons have one feature at a density of 0.03, and "
        "the mean neuron has {at.0.001.falling.effective:value} effective features at 0.001. Each bar is one neuron of "
        "the first seed, with falling importance: the sizes of its weights from features, rescaled so that the largest "
        "is 1 and stacked from the largest up. Neurons are ordered by the importance of their largest feature; a gap "
        "is a neuron that is not used. Effective features: the participation ratio of a neuron's weights; one feature "
        "means fewer than 1.3 of them."
    ),
    alt=(
        "A column of bar charts, one per density. With dense features nearly every bar has a single segment of "
        "height one; with rare features the bars are stacks of many segments."
    ),
)
def draw_neuron_stacks(result: Result) -> Figure:
    return draw_stacks(result.stacks, [f"$p$ = {p:g}" for p in result.p])


BEYOND = Criterion(
    supported_if(
        where(
            computed=Every(each=Above(20), of="density of at most 0.01"),
            beats=Every(each=AtLeast(0.8, label="80 %"), of="density of at most 0.01"),
            computed_dense=NoneOf(each=Above(20), of="density of at least 0.3"),
        )
    ),
    refuted_if(where(computed=NoneOf(each=Above(20), of="density of at most 0.01"))),
    refuted_if(where(beats=NoneOf(each=AtLeast(0.8, label="80 %"), of="density of at most 0.01"))),
    otherwise=Verdict.MIXED,
    names={
        "computed": "the number of features computed",
        "computed_dense": "the number of features computed",
        "beats": f"the share of seeds with a loss below {LOSS_SHARE:g} B",
    },
)
TEST = (
    "Models trained at densities from 1 to 0.001. A feature counts as computed if its error is below r1/2, half of "
    "what one neuron and a bias leave. B is the least loss of any allocation of 0, 1 or 2 neurons to each feature. "
    "Statistic: features computed at a density of 0.01."
)


def _beyond(result: Result, arm: str) -> Evidence:
    rare, dense = arms_at(result, arm, 0.0, 0.01), arms_at(result, arm, 0.3, 1.0)
    return Evidence(
        statistic=getattr(result.at["0.01"], arm).computed,
        computed=tuple(each.computed for each in rare),
        beats=tuple(each.beats for each in rare),
        computed_dense=tuple(each.computed for each in dense),
    )


@experiment.claim(
    "absolute-beyond-equal",
    title="Equally important features are computed in superposition when rare, and not when dense",
    statements=("F1", "F2"),
    source=SECTION,
    test=f"Equal importance. {TEST}",
    criterion=BEYOND,
    figures=("absolute-loss",),
)
def beyond_equal(result: Result) -> Evidence:
    return _beyond(result, EQUAL)


@experiment.claim(
    "absolute-beyond-falling",
    title="With steeply falling importance, too, features are computed in superposition when rare, and not when dense",
    statements=("F1", "F2"),
    source=SECTION,
    test=f"Importance 0.8 to the i, so that all ranks beyond 20 hold 1.2 % of it. {TEST}",
    criterion=BEYOND,
    figures=("absolute-loss", "absolute-ranks"),
)
def beyond_falling(result: Result) -> Evidence:
    return _beyond(result, FALLING)


@experiment.claim(
    "absolute-meeting",
    title="Computing in superposition pays while few features are present, and loses when many are",
    statements=("F2",),
    test=(
        "Models trained at a density of 0.01 with equal importance. Squared error per present feature, leaks into "
        "absent outputs included, with one feature present and with sixteen, against the 0.8 that twenty dedicated "
        "pairs of neurons leave."
    ),
    criterion=Criterion(
        supported_if(where(crowd=Above(0.8), alone=Below(0.8))),
        refuted_if(where(crowd=Below(0.8))),
        refuted_if(where(alone=Above(0.8))),
        names={"crowd": "the error with sixteen", "alone": "the error with one"},
    ),
    figures=("absolute-together",),
)
def meeting(result: Result) -> Evidence:
    return Evidence(crowd=result.at["0.01"].most, alone=result.at["0.01"].alone)


@experiment.claim(
    "absolute-worse-together",
    title="A feature in superposition is computed worse beside three others than alone",
    statements=("F2",),
    test=(
        "Models trained at a density of 0.01 with equal importance: squared error of present features, four present "
        "over one present, mean over seeds."
    ),
    criterion=above(2, refuted_below=1),
    figures=("absolute-together",),
)
def worse_together(result: Result) -> Quantity:
    return result.at["0.01"].worse_together


@experiment.claim(
    "absolute-monosemantic",
    title="When features are dense nearly every neuron has one feature, and when they are rare hardly any",
    statements=("F2",),
    source=SECTION,
    test=(
        "Importance 0.8 to the i. Share of used neurons with fewer than 1.3 effective features, at densities of 1 and "
        "0.3 and at 0.001."
    ),
    criterion=Criterion(
        supported_if(where(dense=Every(each=Above(0.95, label="95 %"), of="dense one"), rare=Below(0.05, label="5 %"))),
        refuted_if(where(dense=Every(each=Below(0.5, label="half"), of="dense one"))),
        refuted_if(where(rare=Above(0.5, label="half"))),
        otherwise=Verdict.MIXED,
        names={"dense": "the share", "rare": "the share at 0.001"},
    ),
    figures=("absolute-neurons", "absolute-stacks"),
)
def monosemantic(result: Result) -> Evidence:
    dense = tuple(arm.monosemantic for arm in arms_at(result, FALLING, 0.3, 1.0))
    return Evidence(rare=result.at["0.001"].falling.monosemantic, dense=dense)


@experiment.claim(
    "absolute-coexist",
    title="At middle densities neurons of one and of several features coexist, and important features have their own",
    statements=("F2",),
    source=SECTION,
    test=(
        "Importance 0.8 to the i, densities of 0.03 and 0.01. Share of used neurons with fewer than 1.3 effective "
        "features, and, over used neurons, rank correlation of effective features with the rank of the neuron's "
        "largest feature."
    ),
    criterion=Criterion(
        supported_if(
            where(
                share=Every(each=Within(0.1, high=0.9, label="10 % to 90 %"), of="density"),
                order=Every(each=Above(0.5), of="density"),
            )
        ),
        refuted_if(where(order=NoneOf(each=Above(0.5), of="density"))),
        otherwise=Verdict.MIXED,
        names={"share": "the share", "order": "the correlation"},
    ),
    figures=("absolute-neurons", "absolute-stacks"),
)
def coexist(result: Result) -> Evidence:
    arms = arms_at(result, FALLING, 0.01, 0.03)
    return Evidence(
        statistic=result.at["0.03"].falling.order,
        share=tuple(arm.monosemantic for arm in arms),
        order=tuple(arm.order for arm in arms),
    )
