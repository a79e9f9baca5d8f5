"""How many neurons compute all pairwise ANDs of m features? Hänni et al. 2024 (arXiv:2408.05451): a sparse random
construction, at sizes where constants count, and trained networks beside it.
"""

from math import comb

import numpy as np
from matplotlib.figure import Figure

from experiments.computation.shared.and_results import KINDS, Config, Result, computed
from experiments.computation.shared.and_training import Training
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    Outside,
    Verdict,
    Within,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, mean

SOURCE = "Hänni et al. 2024, arXiv:2408.05451"

experiment = Experiment(
    __name__,
    title="All pairwise ANDs from one layer",
    config=Config(),
    quick=Config(
        seeds=2,
        joins=((0.2, 4096),),
        per_octave=2,
        inputs=4,
        storage=(128, 512, 2048),
        shares=(0.3, 1.2),
        training=Training(steps=40),
        judged=50,
    ),
    large=Config(
        seeds=24,
        features=(64, 128, 256, 512, 1024),
        joins=((0.03, 98304), (0.05, 98304), (0.08, 49152), (0.12, 16384), (0.16, 16384), (0.2, 16384)),
        inputs=64,
        small=(8, 16, 24, 32, 48, 64),
        training=Training(steps=4000, batch=512, learning_rate=0.03),
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return computed(config)


@experiment.figure(
    "ands-width",
    title="Neurons that compute all pairwise ANDs",
    caption=(
        "The sparse random construction needs many neurons, and hardly more for more features. Neurons needed so that "
        "for nine inputs in ten, with three features on, every AND is read within 1/4 (value) or on the right side of "
        "1/2 (threshold). Two linear read-outs; dashed: one neuron per pair, which is exact. Below them, the "
        "dimensions needed to store the features themselves. Median over seeds with its interval."
    ),
    alt="Log-log plot of neurons over the number of features. Four nearly level lines of the construction between one "
    "thousand and some ten thousand neurons, a steep dashed line for one neuron per pair that crosses them, and a low "
    "line for storage.",
    interval="95 % bootstrap interval of the median over seeds",
)
def draw_width(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=4.0)
    sizes = [result.sizes[f"{size:.0f}"] for size in result.features]
    names = ("mean", "mean_threshold", "centred", "centred_threshold", "storage")
    lines = dict(zip((*KINDS, "storage"), names, strict=True))
    plotting.field_points(ax, result.features, sizes, lines, indices=(0, 1, 2, 3, 5))
    pairs = [comb(int(size), 2) for size in result.features]
    plotting.theory_line(ax, result.features, pairs, label="one neuron per pair")
    ax.set_yscale("log")
    ax.set_ylabel("neurons, or dimensions")
    plotting.doubling_axis(ax, result.features, "features")
    plotting.legend(ax, columns=3)
    return figure


@experiment.figure(
    "ands-trained",
    title="Trained networks",
    caption=(
        "Trained networks of the construction's form err less the more neurons they have per pair. The error that nine "
        "inputs in ten stay below, over neurons per pair, for several numbers of features; mean over seeds with its "
        "interval. Faint lines mark the levels 1/4 (value) and 1/2 (threshold); with one neuron per pair an exact "
        "network exists."
    ),
    alt="Falling lines of the worst error over the number of neurons per pair, one line per number of features.",
    interval="95 % Student t interval over seeds",
)
def draw_trained(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.3)
    for index, size in enumerate(result.small):
        found = [mean(errors) for errors in result.errors[index]]
        ratio = result.neurons[index] / comb(int(size), 2)
        plotting.points(ax, ratio, found, label=f"{size:.0f} features", index=index % 6, line=True)
    for level, name in ((0.25, "value"), (0.5, "threshold")):
        plotting.guide(ax, level)
        place = {"xytext": (-2, 2), "textcoords": "offset points", "ha": "right", "fontsize": "small"}
        ax.annotate(name, (1, level), xycoords=ax.get_yaxis_transform(), color=plotting.colour("muted"), **place)
    ax.set_ylabel("worst error")
    ax.set_ylim(bottom=0)
    plotting.doubling_axis(
        ax, np.unique(np.round(result.neurons[-1] / comb(int(result.small[-1]), 2), 2)), "neurons per pair"
    )
    plotting.legend(ax)
    return figure


@experiment.claim(
    "ands-exponent",
    title="The construction's width grows as the number of features to the power two thirds",
    statements=("F2",),
    source=SOURCE,
    test=(
        "Neurons needed for an error below 1/4 of a linear read-out (centred mean), for 64 to 512 features with three "
        "on. Statistic: slope of the logarithm of the median width over the logarithm of the number of features."
    ),
    criterion=Criterion(
        supported_if(Within(0.52, high=0.82)),
        refuted_if(Outside(0.52, high=0.82)),
        note="The paper's exponent is an upper bound for features stored in superposition.",
    ),
    figures=("ands-width",),
    published=Verdict.REFUTED,
)
def width_exponent(result: Result) -> Quantity:
    return result.numbers.exponents.centred


@experiment.claim(
    "ands-fewer-than-pairs",
    title="The construction computes more ANDs than it has neurons",
    statements=("F2",),
    source=SOURCE,
    test=(
        "Neurons needed for an error below 1/4 of a linear read-out (centred mean) over the number of pairs, at the "
        "most features; one neuron per pair is exact."
    ),
    criterion=Criterion(supported_if(Below(1)), refuted_if(Above(1))),
    figures=("ands-width",),
    published=Verdict.SUPPORTED,
)
def fewer_than_pairs(result: Result) -> Quantity:
    return result.numbers.per_pair_most


@experiment.claim(
    "ands-fewer-than-features",
    title="The construction needs fewer neurons than there are features",
    statements=("F2",),
    source=SOURCE,
    test=(
        "As before, over the number of features, at the most features. Only below one could the inputs be in "
        "superposition in as many dimensions as there are neurons."
    ),
    criterion=Criterion(supported_if(Below(1)), refuted_if(Above(1))),
    figures=("ands-width",),
    published=Verdict.REFUTED,
)
def fewer_than_features(result: Result) -> Quantity:
    return result.numbers.per_feature_most


@experiment.claim(
    "ands-threshold-cheaper",
    title="Reading with a threshold takes less than half the neurons",
    statements=("F2",),
    test=(
        "Neurons needed for every AND to be on the right side of 1/2, over those needed for an error below 1/4, for "
        "both read-outs, at the most features: the intervals of the medians."
    ),
    criterion=Criterion(
        supported_if(where(ratios=Every(each=Below(0.5), of="read-out"))),
        refuted_if(where(ratios=Every(each=Above(0.5), of="read-out"))),
        otherwise=Verdict.MIXED,
        names={"ratios": "the ratio of widths"},
    ),
    figures=("ands-width",),
    published=Verdict.SUPPORTED,
)
def threshold_cheaper(result: Result) -> Evidence:
    found = result.numbers.threshold_ratio_mean, result.numbers.threshold_ratio_centred
    return Evidence(centred=found[1], ratios=found)


@experiment.claim(
    "ands-trained-fewer",
    title="Trained networks compute more ANDs than they have neurons",
    statements=("F2",),
    test=(
        "Networks of the construction's form with all weights trained, three features on. Neurons needed for every AND "
        "to be on the right side of 1/2, over the number of pairs, for each number of features; shown is the last."
    ),
    criterion=Criterion(
        supported_if(where(shares=Every(each=Below(1), of="number of features"))),
        refuted_if(where(shares=Every(each=Above(1), of="number of features"))),
        otherwise=Verdict.MIXED,
        names={"shares": "neurons per pair"},
    ),
    figures=("ands-trained",),
    published=Verdict.SUPPORTED,
)
def trained_fewer(result: Result) -> Evidence:
    shares = tuple(each.threshold for each in result.trained_sizes.values())
    return Evidence(last=shares[-1], shares=shares)
