"""Which features share a neuron when the hidden layer has a ReLU? Elhage et al. 2022, "Superposition in a Privileged
Basis": h = ReLU(Wx), y = ReLU(W^T h + b), a thousand models per density.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.computation.shared.code_search import ARMS, Config, Result, paper_code, searched
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    AtLeast,
    AtLeastSo,
    Below,
    Criterion,
    Every,
    Evidence,
    FewerThan,
    LessThan,
    Verdict,
    Within,
    refuted_if,
    supported_if,
    where,
)

SOURCE = 'Toy Models of Superposition, "Superposition in a Privileged Basis"'

experiment = Experiment(
    __name__,
    title="Codes that neurons form",
    config=Config(),
    quick=Config(
        models=24,
        steps=400,
        samples=1 << 12,
        finalists=8,
        final_samples=1 << 14,
        arm_seeds=12,
        arm_samples=1 << 12,
    ),
    large=Config(models=4000, steps=8000, batch=512, arm_seeds=256),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return searched(config, device)


@experiment.figure(
    "privileged-codes",
    title="The best code at each density",
    caption=(
        "As features become rarer, fewer neurons keep one feature to themselves. Weights of the model of least loss at "
        "each density, a row per neuron, with the number of neurons that have one feature; in the paper the numbers "
        "are 0, 0, 0, 1, 2, 3, 3 and 5. Importance falls from left to right. A negative weight holds a feature down "
        "while the neuron is active."
    ),
    alt="Eight small matrices of weights with five rows. At low density rows have several entries of both signs in "
    "all columns; at high density each row has a single entry in one of the first five columns.",
)
def draw_codes(result: Result) -> Figure:
    columns = 4
    rows = -(-len(result.p) // columns)
    figure, axes = plotting.new_figure(rows, columns, width="wide", height=1.3 * rows + 0.5, sharex=True, sharey=True)
    panels = np.ravel(axes)
    for ax, place in zip(panels, np.argsort(result.p), strict=False):
        p, W = result.p[place], result.W[place]
        image = plotting.gram(ax, W, limit=1.5, axis="", colourbar=False)
        alone = result.densities[f"{p:g}"].monosemantic.value
        ax.set_title(f"$p$ = {p:g}: {alone:.0f} alone", loc="left")
        ax.set(xticks=[0, 3, 6, 9], yticks=range(W.shape[0]), aspect="equal")
    for ax in panels[len(result.p) :]:
        ax.set_visible(False)
    for ax in panels[-columns:]:
        ax.set_xlabel("feature")
    for ax in panels[::columns]:
        ax.set_ylabel("neuron")
    plotting.colour_scale(image, axes, label="weight (cut off at ±1.5)")
    return figure


@experiment.figure(
    "privileged-census",
    title="Neurons with one feature, in all models",
    caption=(
        "Models of one density end in different codes. (a) Share of models by their number of neurons with one "
        "feature, at each density. (b) The same number in the best model and in the paper."
    ),
    alt="Stacked areas over density: at high density models have anything from none to five neurons with one feature, "
    "at low density nearly all have none. Below, the number in the best model rises from none to five, inside the "
    "paper's marks.",
)
def draw_census(result: Result) -> Figure:
    figure, (top, bottom) = plotting.new_figure(2, 1, height=4.8, height_ratios=[1.3, 1])
    shares = {str(count): (result.monosemantic == count).mean(1) for count in range(result.W.shape[1] + 1)}
    plotting.stacked_shares(top, result.p, shares)
    plotting.percent_axis(top)
    top.set_ylabel("share of models")
    paper = [paper_code(p)[0] for p in result.p]
    bottom.plot(
        result.p, paper, "D", color=plotting.colour("contrast"), markerfacecolor="none", markersize=9, label="paper"
    )
    alone = [result.densities[f"{p:g}"].monosemantic for p in result.p]
    plotting.points(bottom, result.p, alone, label="best model", line=True)
    bottom.set(ylabel="neurons with\none feature", ylim=(-0.4, result.W.shape[1] + 0.5))
    for ax, label in ((top, ""), (bottom, "feature probability $p$")):
        plotting.density_axis(ax, ticks=[0.02, 0.05, 0.1, 0.2, 0.5], label=label)
        ax.set_xlim(0.9 * result.p.min(), 1.1 * result.p.max())
    plotting.legend(top, title="neurons with one feature")
    plotting.legend(bottom)
    plotting.panel_letters((top, bottom))
    return figure


@experiment.figure(
    "privileged-alignment",
    title="A hidden ReLU makes neurons matter",
    caption=(
        "With a hidden ReLU features mostly lie on neurons; without it they lie as in matrices turned at random. (a, "
        "b) Weights of one model each at the highest density. (c) The largest share that one neuron has in a feature, "
        "mean over features, for {numbers.arm_seeds:.0f} models of each kind, beside the same matrices turned at "
        "random; bars are medians."
    ),
    alt="Two matrices of weights, one filled all over, one with a single entry per row; and strips of points: the "
    "linear models lie among their rotations, the ReLU models at one.",
)
def draw_alignment(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=2.9, width_ratios=[1, 1, 1.25])
    for ax, place in ((left, 0), (middle, 1)):
        image = plotting.gram(ax, result.arm_W[place], limit=1.5, axis="feature", colourbar=False)
        ax.set(title=ARMS[place], ylabel="neuron", xticks=[0, 3, 6, 9])
    plotting.colour_scale(image, middle, label="weight")
    groups = {
        "linear": result.alignment[0, 0],
        "linear,\nturned": result.alignment_rotated[0, 0],
        "ReLU": result.alignment[1, 0],
        "ReLU,\nturned": result.alignment_rotated[1, 0],
    }
    plotting.distribution_strip(right, groups)
    right.set(ylabel="share of one neuron", ylim=(0, 1.05))
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.figure(
    "privileged-biases",
    title="With hidden biases the ReLU does little",
    caption=(
        "With hidden biases the pre-activations are mostly positive, and the ReLU passes these unchanged. (a) Share of "
        "pre-activations above 0. (b) Loss over that of the linear hidden layer. Mean over {numbers.arm_seeds:.0f} "
        "models at each density with its interval."
    ),
    alt="Left, the share of positive pre-activations over density, high with hidden biases and lower without. Right, "
    "the loss ratio over density.",
    interval="95 % interval over models: Student t on the left, bootstrap on the right",
)
def draw_biases(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.0)
    arms = [result.arms[f"{p:g}"] for p in result.arm_p]
    for index, label in ((1, ARMS[1]), (2, ARMS[2])):
        chosen = [each.relu if index == 1 else each.biased for each in arms]
        plotting.points(left, result.arm_p, [each.positive for each in chosen], label=label, index=index, line=True)
        plotting.points(right, result.arm_p, [each.loss for each in chosen], label=label, index=index, line=True)
    plotting.guide(right, 1.0)
    for ax, label in ((left, "pre-activations above 0"), (right, "loss / loss of the linear layer")):
        plotting.density_axis(ax, ticks=list(result.arm_p))
        ax.set_ylabel(label)
    plotting.percent_axis(left)
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


TABLE = ("0.75", "0.35", "0.15", "0.12", "0.06", "0.02")
"""Densities of the paper's regimes, one each."""


@experiment.claim(
    "privileged-table",
    title="The best of many models has as many neurons with one feature as the paper's, at every density",
    statements=("F1",),
    source=SOURCE,
    test=(
        "Best models by loss on common fresh samples. Statistic per density of the paper's table: how often the best "
        "of half the models, over all choices, has the paper's number of neurons with one feature; shown is the least."
    ),
    criterion=Criterion(
        supported_if(where(densities=Every(each=Above(0.5), of="density"))),
        refuted_if(where(densities=FewerThan(0.5, each=Above(0.5), of="of the densities", label="half"))),
        otherwise=Verdict.MIXED,
        names={"densities": "the share of choices"},
    ),
    figures=("privileged-codes", "privileged-census"),
    published=Verdict.SUPPORTED,
)
def table_followed(result: Result) -> Evidence:
    found = tuple(result.densities[name].follows for name in TABLE)
    return Evidence(least=min(found, key=lambda each: each.value), densities=found)


@experiment.claim(
    "privileged-features",
    title="Neurons that share hold as many features as in the paper, at every density",
    statements=("F1",),
    source=SOURCE,
    test=(
        "As for the table, at the densities where neurons share. Statistic per density: how often the best of half the "
        "models has both the paper's number of sharing neurons and its number of features in them (two with three, "
        "three with five, four with six, five with eight, five with ten); shown is the least."
    ),
    criterion=Criterion(
        supported_if(where(densities=Every(each=Above(0.5), of="density"))),
        refuted_if(where(densities=FewerThan(0.5, each=Above(0.5), of="of the densities", label="half"))),
        otherwise=Verdict.INCONCLUSIVE,
        names={"densities": "the share of choices"},
    ),
    figures=("privileged-codes",),
    published=Verdict.INCONCLUSIVE,
)
def features_followed(result: Result) -> Evidence:
    found = tuple(result.densities[name].follows_code for name in TABLE[1:])
    return Evidence(least=min(found, key=lambda each: each.value), densities=found)


@experiment.claim(
    "privileged-regimes",
    title="Within a regime the best code is the same at both densities",
    statements=("F1",),
    source=SOURCE,
    test=(
        "Two densities in each of two regimes of the paper (three features in two neurons, eight in five). Statistic: "
        "share of resamples of the models in which the best code is the same at both densities, up to the order of "
        "neurons; shown is the regime where it is least."
    ),
    criterion=Criterion(
        supported_if(where(regimes=Every(each=AtLeast(0.9), of="regime"))),
        refuted_if(where(regimes=Every(each=LessThan(0.5), of="regime"))),
        otherwise=Verdict.MIXED,
        names={"regimes": "the share of resamples"},
    ),
    figures=("privileged-codes",),
    published=Verdict.MIXED,
)
def one_code(result: Result) -> Evidence:
    found = tuple(result.regimes.values())
    return Evidence(least=min(found, key=lambda each: each.value), regimes=found)


@experiment.claim(
    "privileged-alignment",
    title="A hidden ReLU aligns features with neurons, and a linear hidden layer does not",
    statements=("F1",),
    source=SOURCE,
    test=(
        "All models at the highest density. Largest share that one neuron has of a feature, mean over represented "
        "features, for the ReLU layer; for the linear layer, the difference from its own matrices turned at random."
    ),
    criterion=Criterion(
        supported_if(where(relu=Above(0.9), beyond_null=Within(-0.05, high=0.05))),
        refuted_if(where(relu=Below(0.7))),
        otherwise=Verdict.MIXED,
        names={"relu": "the ReLU layer's share", "beyond_null": "the linear layer's excess over its rotations"},
    ),
    figures=("privileged-alignment",),
    published=Verdict.MIXED,
)
def aligned(result: Result) -> Evidence:
    return Evidence(relu=result.numbers.relu_alignment, beyond_null=result.numbers.linear_beyond_null)


@experiment.claim(
    "privileged-biases",
    title="With hidden biases a ReLU layer is nearly linear, and loses as much as a linear one",
    statements=("F1",),
    source=SOURCE,
    test=(
        "Models with hidden biases, at each density. Share of hidden pre-activations above 0 on fresh samples, and "
        "loss over that of models with a linear hidden layer."
    ),
    criterion=Criterion(
        supported_if(
            where(
                positive=Every(each=Above(0.95), of="density"), ratio=Every(each=Within(0.98, high=1.02), of="density")
            )
        ),
        refuted_if(where(positive=AtLeastSo(0.5, each=Below(0.95), of="of the densities", label="half"))),
        otherwise=Verdict.MIXED,
        names={"positive": "the share of positive pre-activations", "ratio": "the ratio of losses"},
    ),
    figures=("privileged-biases",),
    published=Verdict.MIXED,
)
def linear_again(result: Result) -> Evidence:
    arms = tuple(each.biased for each in result.arms.values())
    least = min((each.positive for each in arms), key=lambda each: each.value)
    return Evidence(
        least=least, positive=tuple(each.positive for each in arms), ratio=tuple(each.loss for each in arms)
    )
