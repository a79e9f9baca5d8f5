"""The feature alarm: can a dangerous feature be noticed, by what, and at which rate of false alarms? Statement G1.

A model keeps 256 features in 64 dimensions. A few of them are rare and dangerous. Every detector sees the same
activations: the feature's own direction, probes trained on labels, latents of a sparse autoencoder, sparse codes.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.alarm.shared.alarm_results import Config, Result, detected
from experiments.alarm.shared.detectors import DIRECTION, LATENT, TRUE_CODE, logistic_name, network_name
from experiments.alarm.shared.neighbourhood import traits
from experiments.alarm.shared.world import WorldConfig
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    Verdict,
    above,
    below,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, mean

experiment = Experiment(
    __name__,
    title="The feature alarm",
    config=Config(),
    quick=Config(
        seeds=4,
        world=WorldConfig(features=64, hidden=24, importance=(10, 40), steps=600, batch=256),
        labels=(10, 1000),
        network_labels=(1000,),
        latents=128,
        narrow_latents=64,
        autoencoder_steps=400,
        autoencoder_batch=256,
        latent_counts=(5,),
        latent_labels=1000,
        network_steps=200,
        negatives=40_000,
        positives=500,
        cause_samples=40_000,
        harm_samples=500,
    ),
    large=Config(
        seeds=64,
        world=WorldConfig(features=1024, hidden=128, density=0.005, steps=20_000),
        latents=2048,
        narrow_latents=1024,
        autoencoder_steps=20_000,
        negatives=2_000_000,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return detected(config, device)


def _shown(result: Result) -> list[str]:
    """Return the detectors that figures show: each kind once, probes with the most labels or fewest latents."""
    most = int(result.labels.max())
    network = network_name(int(result.network_labels.max()))
    few = next(name for name in result.detectors if name.endswith(" latents"))
    return [DIRECTION, logistic_name(most), network, LATENT, few, TRUE_CODE]


ENDS = (0.05, 0.9999)
"""What the logistic axis of true alarms shows; 0 and 1 lie infinitely far out on it."""


def _roc(ax: Axes, result: Result, place: int, index: int, marker: str) -> None:
    found = [mean(row, within=(0, 1)) for row in result.true[place].mean(1)]
    bounds = [[getattr(each, name) for each in found] for name in ("low", "value", "high")]
    plotting.band(ax, result.rates, *(np.clip(each, *ENDS) for each in bounds), index=index, marker=marker)


def _axis_of_rates(ax: Axes) -> None:
    ax.set(xscale="log", xlabel="rate of false alarms (FPR)", ylabel="rate of true alarms (TPR)")
    ax.set_yscale("logit")
    ticks = (0.1, 0.5, 0.9, 0.99, 0.999)
    ax.set_yticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    ax.set(ylim=(ENDS[0], 1 - (1 - ENDS[1]) * 0.8), xticks=[1e-4, 1e-3, 1e-2, 1e-1])
    ax.minorticks_off()


@experiment.figure(
    "alarm-rates",
    title="Rates of true and false alarms",
    caption=(
        "At one false alarm in a thousand samples, the probe with the most labels notices "
        "{numbers.probe_at_3:% value} of dangerous samples, the feature's own direction "
        "{numbers.direction_at_3:% value} and the best latent of the autoencoder {numbers.latent_at_3:% value}. "
        "(a) Rate of true alarms against the rate of false alarms, down to one in ten thousand, on axes that stretch "
        "the ends: logarithmic for false alarms, logistic for true ones; values beyond the end of an axis are drawn at "
        "the end. Mean over seeds with its interval. (b) Share of samples that raise the alarm, by the value of the "
        "feature, at one false alarm in a thousand; a value of 0.5 or more counts as dangerous."
    ),
    alt=(
        "Left, one line per detector of the true-alarm rate over rates of false alarms from one in ten thousand to one "
        "in ten. Right, curves of the share of alarms that rise with the value of the feature."
    ),
    interval="95 % Student t interval over seeds, each seed being the mean over its targets",
)
def draw_rates(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.7)
    names = list(result.detectors)
    bins = result.by_value.shape[1]
    value = (np.arange(bins) + 0.5) / bins
    for index, name in enumerate(_shown(result)):
        place = names.index(name)
        marker = "^" if index > 2 else "o"
        _roc(left, result, place, index, marker)
        by_value = result.by_value[place].mean(1)
        plotting.seed_band(right, value, by_value, label=name, index=index, marker=marker, within=(0, 1))
    _axis_of_rates(left)
    right.set(xlabel="value of the feature", ylabel="samples with an alarm", xlim=(0, 1))
    plotting.percent_axis(right)
    plotting.panel_letters((left, right))
    plotting.legend(right, figure=figure)
    return figure


@experiment.figure(
    "alarm-neighbours",
    title="Which targets are hard to watch",
    caption=(
        "At one false alarm in ten thousand the rank correlation of the direction's true alarms is "
        "{numbers.neighbourhood.norm} with the target's norm, {numbers.neighbourhood.largest} with the largest overlap "
        "of another feature and {numbers.neighbourhood.total} with all positive overlaps together. Each point is one "
        "target of one seed; colours and shapes tell its weight in training. (a) Against the norm of its column of W. "
        "(b) Against the largest overlap, over the squared norm. (c) Against the root of the summed squares of all "
        "positive overlaps, over the squared norm."
    ),
    alt=(
        "Three panels of points in four groups, one per weight. The rate of true alarms falls steeply with the norm "
        "and with the total overlap, and loosely with the largest overlap."
    ),
    interval="95 % bootstrap interval over seeds, in the caption",
)
def draw_neighbours(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.1, sharey=True)
    rate = result.true[list(result.detectors).index(DIRECTION), -1]
    labels = ("norm of the target", "largest overlap", "all positive overlaps")
    for ax, trait, label in zip(axes, traits(result.column), labels, strict=True):
        for index, weight in enumerate(result.targets):
            style = {"color": plotting.series(index), "marker": "os^D"[index % 4], "label": f"weight {weight}"}
            ax.scatter(trait[index], rate[index], s=14, linewidths=0, **style)
        ax.set_xlabel(label)
    axes[0].set_ylabel("TPR at FPR 0.0001")
    plotting.percent_axis(axes[0])
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.figure(
    "alarm-labels",
    title="How many labels a probe needs",
    caption=(
        "With the most labels the logistic probe differs from the feature's own direction (dashed) by "
        "{numbers.probe_less_direction:% value} of dangerous samples. True alarms at one false "
        "alarm in a thousand samples, against the number of labelled samples, half of them dangerous. Dotted: the best "
        "latent of an autoencoder, which is chosen with labels but trained without any."
    ),
    alt=(
        "Two rising curves, one per kind of probe, of the true-alarm rate against the number of labels from ten to a "
        "hundred thousand, with horizontal lines for the plain direction and for the best latent."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_labels(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.4)
    kinds = (("logistic probe", result.labels, logistic_name), ("network probe", result.network_labels, network_name))
    for index, (label, counts, named) in enumerate(kinds):
        found = [result.detectors[named(int(count))].true_at_3 for count in counts]
        plotting.points(ax, counts, found, label=label, index=index, line=True)
    plotting.theory_level(ax, result.detectors[DIRECTION].true_at_3.value, label="own direction")
    latent = result.detectors[LATENT].true_at_3.value
    line = ax.axhline(latent, color=plotting.series(3), linestyle=":", linewidth=1.6, label="best latent")
    plotting.represents(line, {"y": [latent]})
    ax.set(xscale="log", xlabel="labelled samples", ylabel="TPR at FPR 0.001", ylim=(0, 1.02))
    plotting.percent_axis(ax)
    plotting.legend(ax)
    return figure


@experiment.figure(
    "alarm-causes",
    title="Which features set off a false alarm",
    caption=(
        "False alarms go with a feature's overlap with the target, an entry of WᵀW: rank correlations, mean over "
        "seeds, are {numbers.causes_direction} for the direction, {numbers.causes_probe} for the probe and "
        "{numbers.causes_latent} for the best latent. Each point is a feature other than the target: the share of "
        "samples with an alarm among those that hold it, against its overlap; all targets of the first seed, "
        "thresholds at one false alarm in a thousand."
    ),
    alt=(
        "Three panels of points. For the direction the share of alarms rises steeply with positive overlap and is "
        "close to zero for negative overlap; for the probe and the latent the relation is weaker."
    ),
    interval="95 % Student t interval over seeds, in the caption",
)
def draw_causes(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.0, sharey=True)
    targets = result.cause.shape[1]
    for index, (ax, label) in enumerate(zip(axes, ("own direction", "logistic probe", "best latent"), strict=True)):
        x, y = result.column[:, targets:, 0], result.cause[index, :, targets:, 0]
        ax.scatter(x.ravel(), y.ravel(), s=7, color=plotting.series(index), label=label, alpha=0.7, linewidths=0)
        ax.set(title=label, xlabel="overlap with the target")
        plotting.guide(ax, 0.0, vertical=True)
    axes[0].set_ylabel("P(alarm | feature present)")
    plotting.panel_letters(axes)
    return figure


INTERVENTIONS = {
    "nothing": "nothing changed",
    "true_direction": "true direction removed",
    "difference": "difference of means removed",
    "probe": "probe's direction removed",
    "latent": "best latent silenced",
    "chance": "random direction removed",
}


@experiment.figure(
    "alarm-cause",
    title="Stopping the behaviour",
    caption=(
        "With the difference of means of labelled samples projected out, the behaviour still acts in "
        "{numbers.acts.difference:% value} of dangerous samples, with the best latent silenced in "
        "{numbers.acts.latent:% value}. (a) Dangerous samples in which the behaviour still acts after an "
        "intervention. (b) Rise of the squared error of all other features on ordinary samples."
    ),
    alt=(
        "Two panels of points with intervals, one row per intervention: nothing changed, true direction, difference of "
        "means, probe's direction, best latent, random direction."
    ),
    interval="95 % Student t interval over seeds",
)
def draw_cause(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=2.8, sharey=True)
    rows = np.arange(len(INTERVENTIONS))[::-1]
    for ax, found in ((left, result.numbers.acts), (right, result.numbers.harm)):
        plotting.points(ax, rows, [getattr(found, name) for name in INTERVENTIONS], horizontal=True)
        plotting.percent_axis(ax, x=True)
    left.set(yticks=rows, yticklabels=list(INTERVENTIONS.values()), xlabel="behaviour still acts", xlim=(-0.03, 1.03))
    right.set_xlabel("rise of the other features' error")
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "alarm-works",
    title="A trained probe notices more than 90 % of dangerous samples at one false alarm in a thousand",
    statements=("G1",),
    test="True alarms of the logistic probe with the most labels, at a false-alarm rate of 0.001, mean over targets.",
    criterion=above(0.9),
    figures=("alarm-rates",),
)
def probe_rate(result: Result) -> Quantity:
    return result.numbers.probe_at_3


@experiment.claim(
    "alarm-direction-works",
    title="The feature's own direction notices more than 90 % of dangerous samples at one false alarm in a thousand",
    statements=("G1",),
    test="True alarms of the dot product with the target's own direction, at a false-alarm rate of 0.001.",
    criterion=above(0.9),
    figures=("alarm-rates",),
)
def direction_rate(result: Result) -> Quantity:
    return result.numbers.direction_at_3


@experiment.claim(
    "alarm-autoencoder-suffices",
    title="A sparse autoencoder's best latent comes within five points of the best labelled probe",
    statements=("G1", "G2"),
    test="True alarms at a false-alarm rate of 0.001: best single latent less the logistic probe with most labels.",
    criterion=above(-0.05),
    figures=("alarm-rates",),
)
def latent_against_probe(result: Result) -> Quantity:
    return result.numbers.latent_less_probe


@experiment.claim(
    "alarm-wider-dictionary",
    title="An autoencoder with twice as many latents as features keeps rare targets that a narrower one loses",
    statements=("G1", "G2"),
    test=(
        "True alarms at a false-alarm rate of 0.001: best latent of an autoencoder with twice as many latents as "
        "features, less best latent of one with just as many, trained alike."
    ),
    criterion=above(0.1),
    figures=("alarm-rates",),
)
def gain_of_width(result: Result) -> Quantity:
    return result.numbers.latent_less_narrow


@experiment.claim(
    "alarm-autoencoder-beats-direction",
    title="A sparse autoencoder's best latent is a better alarm than the feature's true direction",
    statements=("G1", "G2"),
    test="True alarms at a false-alarm rate of 0.001: best single latent less the target's own direction.",
    criterion=above(0.0),
    figures=("alarm-rates",),
)
def latent_against_direction(result: Result) -> Quantity:
    return result.numbers.latent_less_direction


@experiment.claim(
    "alarm-area-hides",
    title="Nearly perfect areas under the curve hide large differences between alarms",
    statements=("G1",),
    test=(
        "Over the directions, the probes with at least 1,000 labels and the latents of the wide autoencoder: largest "
        "difference of true alarms at a false-alarm rate of 0.0001, and the least area under the ROC curve."
    ),
    criterion=Criterion(
        supported_if(where(gap=Above(0.2), least_area=Above(0.95))),
        refuted_if(where(gap=Below(0.2))),
        otherwise=Verdict.MIXED,
        names={"gap": "the difference", "least_area": "the least area"},
    ),
    figures=("alarm-rates",),
)
def hidden_gap(result: Result) -> Evidence:
    return Evidence(gap=result.numbers.widest_gap_at_4, least_area=result.numbers.least_auroc)


@experiment.claim(
    "alarm-false-causes",
    title="The more a feature interferes with the target, the more false alarms it sets off",
    statements=("G1", "E2"),
    test=(
        "Rank correlation, over the other features, of P(alarm | feature present) with the feature's overlap with the "
        "target (its entry in the target's row of WᵀW); the target's own direction, mean over targets."
    ),
    criterion=above(0.5),
    figures=("alarm-causes",),
)
def causes(result: Result) -> Quantity:
    return result.numbers.causes_direction


@experiment.claim(
    "alarm-is-causal",
    title="Removing the direction found from labelled samples nearly always stops the behaviour",
    statements=("G1",),
    test="Share of dangerous samples in which the behaviour still acts once the difference of means is projected out.",
    criterion=below(0.05),
    figures=("alarm-cause",),
)
def projected(result: Result) -> Quantity:
    return result.numbers.acts.difference


@experiment.claim(
    "alarm-latent-is-causal",
    title="Silencing the best latent nearly always stops the behaviour",
    statements=("G1", "G2"),
    test="Share of dangerous samples in which the behaviour still acts after what the best latent writes is removed.",
    criterion=below(0.05),
    figures=("alarm-cause",),
)
def silenced(result: Result) -> Quantity:
    return result.numbers.acts.latent
