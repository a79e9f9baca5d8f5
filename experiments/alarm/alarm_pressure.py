"""The alarm under pressure: other data, an adversary, and a model that is trained against it. Statement G1.

Thresholds are fixed on samples like those the detectors were trained on. Then the data change, somebody disturbs the
input so that the alarm stays silent while the behaviour goes on, or training itself works against the alarm.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.alarm.shared.pressure_results import DETECTORS, SHIFTS, Config, Result, pressed
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
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, mean

NAMES = {
    "direction": "own direction",
    "logistic": "logistic probe",
    "network": "network probe",
    "latent": "best latent",
}

experiment = Experiment(
    __name__,
    title="The alarm under pressure",
    config=Config(),
    quick=Config(
        seeds=4,
        world=WorldConfig(features=64, hidden=24, importance=(10, 40), steps=600, batch=256),
        labels=1000,
        network_steps=200,
        latents=64,
        autoencoder_steps=400,
        autoencoder_batch=256,
        negatives=20_000,
        positives=300,
        drift_steps=100,
        budgets=(0.05, 0.1, 0.2),
        attacked=50,
        restarts=2,
        attack_steps=10,
        penalty_steps=60,
        penalty_batch=128,
    ),
    large=Config(seeds=64, world=WorldConfig(features=1024, hidden=128, density=0.005, steps=20_000), latents=1024),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    return pressed(config, device)


@experiment.figure(
    "alarm-shifts",
    title="The alarm on other data",
    caption=(
        "At five times the density the logistic probe rings in {shifts.density x5.logistic.false_alarms:% value} of "
        "harmless samples, where one in a thousand was asked for. (a) Rate of true alarms; (b) rate of false alarms, "
        "dashed the rate asked for. Thresholds were fixed on data as in training. Companion: a feature that overlaps "
        "with the target is present far more often. Unseen pair: the target occurs with a feature that never occurred "
        "with it in the labels. Drifted model: the model was trained further."
    ),
    alt="Two panels of points, a row per kind of shift and a colour per detector; the right axis is logarithmic.",
    interval="95 % Student t interval over seeds, each the mean over its targets",
)
def draw_shifts(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.8, sharey=True)
    rows = np.arange(len(SHIFTS))[::-1].astype(float)
    for index, name in enumerate(DETECTORS):
        found = [getattr(result.shifts[shift], name) for shift in SHIFTS]
        place = rows + 0.15 * (1.5 - index)
        plotting.points(
            left, place, [one.true_alarms for one in found], label=NAMES[name], index=index, horizontal=True
        )
        shown = [_above_zero(one.false_alarms) for one in found]
        plotting.points(right, place, shown, label=NAMES[name], index=index, horizontal=True)
    left.set(yticks=rows, yticklabels=[shift.replace("x", "×") for shift in SHIFTS], xlabel="true alarms (TPR)")
    plotting.percent_axis(left, x=True)
    left.locator_params(axis="x", nbins=5)
    right.set(xscale="log", xlabel="false alarms (FPR)")
    plotting.theory_level(right, 1e-3, vertical=True, label="asked for")
    plotting.panel_letters((left, right))
    plotting.legend(left, figure=figure)
    return figure


def _above_zero(rate: Quantity) -> Quantity:
    """Return a rate whose interval can stand on a logarithmic axis."""
    floor = 1e-5
    low, high = max(rate.low or floor, floor), max(rate.high or floor, floor)
    return Quantity(max(rate.value, floor), low, high, rate.n, rate.unit, rate.method)


@experiment.figure(
    "alarm-evasion",
    title="Silencing the alarm while the behaviour goes on",
    caption=(
        "A disturbance of a tenth of the input's length leaves {numbers.robust.logistic:% value} of the logistic "
        "probe's true alarms and {numbers.robust.direction:% value} of those of the target's own direction, along "
        "which the behaviour itself is read. Share of dangerous samples, among those in which the behaviour acts, "
        "that still raise the alarm after a disturbance of a given length that keeps the behaviour. Linear alarms: "
        "the most damaging disturbance, in closed form. Network: the most damaging one that gradients with restarts "
        "found and that leaves the read-out as it is, a weaker adversary; against it the logistic probe would keep "
        "{numbers.robust.logistic_kept:% value} and the network keeps {numbers.robust.network:% value}."
    ),
    alt="Falling curves of the share of surviving alarms over the length of the disturbance, one per detector.",
    interval="95 % Student t interval over seeds, each the mean over its targets",
)
def draw_evasion(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.5)
    for index, name in enumerate(DETECTORS):
        found = [mean(row, within=(0, 1)) for row in result.robust[:, index]]
        plotting.points(ax, result.budgets, found, label=NAMES[name], index=index, line=True)
    ax.set(xscale="log", xlabel="length of the disturbance over that of the input", ylabel="alarms that survive")
    ax.set_xticks(result.budgets, [f"{budget:g}" for budget in result.budgets])
    ax.minorticks_off()
    plotting.percent_axis(ax)
    plotting.legend(ax)
    return figure


@experiment.figure(
    "alarm-trained-against",
    title="Training a model against its alarm",
    caption=(
        "After training with a penalty on the alarm, the old alarm notices "
        "{numbers.penalised.old_alarm:% value} of dangerous samples, the behaviour acts in "
        "{numbers.penalised.acts:% value}, and a probe trained anew notices {numbers.penalised.new_alarm:% value}. "
        "Control: the same training without the penalty."
    ),
    alt="Points with intervals: old alarm, new alarm and behaviour, each with and without the penalty.",
    interval="95 % Student t interval over seeds",
)
def draw_against(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=2.6)
    rows = np.array([2.0, 1.0, 0.0])
    for index, (label, found) in enumerate(
        (("penalised", result.numbers.penalised), ("control", result.numbers.control))
    ):
        values = [found.old_alarm, found.new_alarm, found.acts]
        plotting.points(ax, rows + 0.12 - 0.24 * index, values, label=label, index=index, horizontal=True)
    ax.set(
        yticks=rows,
        yticklabels=["old alarm rings", "new alarm rings", "behaviour acts"],
        xlabel="dangerous samples",
        xlim=(-0.03, 1.03),
        ylim=(-0.5, 2.5),
    )
    plotting.percent_axis(ax, x=True)
    plotting.legend(ax)
    return figure


@experiment.claim(
    "alarm-survives-shift",
    title="An alarm with a fixed threshold holds on other data",
    statements=("G1",),
    test=(
        "Logistic probe, thresholds fixed at a false-alarm rate of 0.001; over five shifts of the data or the model: "
        "largest rate of false alarms over the one asked for, and least rate of true alarms."
    ),
    criterion=Criterion(
        supported_if(where(false_alarms=Below(3), true_alarms=Above(0.8))),
        refuted_if(where(false_alarms=Above(3))),
        otherwise=Verdict.MIXED,
        names={"false_alarms": "the largest ratio of false alarms", "true_alarms": "the least rate of true alarms"},
    ),
    figures=("alarm-shifts",),
)
def shifted(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(false_alarms=numbers.worst_false_logistic, true_alarms=numbers.worst_true_logistic)


@experiment.claim(
    "alarm-robust",
    title="Most of the probe's alarms survive an adversary who disturbs the input by a tenth of its length",
    statements=("G1", "E1"),
    test=(
        "Logistic probe. Share of dangerous samples, among those in which the behaviour acts, whose alarm no "
        "disturbance of at most 0.1 ‖x‖ silences while the behaviour goes on."
    ),
    criterion=above(0.5),
    figures=("alarm-evasion",),
)
def robust(result: Result) -> Quantity:
    return result.numbers.robust.logistic


@experiment.claim(
    "alarm-on-behaviour-robust",
    title="Most alarms on the direction that drives the behaviour survive the same adversary",
    statements=("G1",),
    test="As for the logistic probe, for the dot product with the direction along which the behaviour is read.",
    criterion=above(0.5),
    figures=("alarm-evasion",),
)
def direction_robust(result: Result) -> Quantity:
    return result.numbers.robust.direction


@experiment.claim(
    "alarm-hidden-by-training",
    title="A model trained against its alarm hides the feature and keeps the behaviour",
    statements=("G1",),
    test=(
        "After training with a penalty on the alarm: share of dangerous samples in which the old alarm rings, and in "
        "which the behaviour acts."
    ),
    criterion=Criterion(
        supported_if(where(old_alarm=Below(0.1), behaviour=Above(0.9))),
        refuted_if(where(old_alarm=Above(0.5)) | where(behaviour=Below(0.5))),
        otherwise=Verdict.MIXED,
        names={"old_alarm": "the old alarm's rate", "behaviour": "the share in which the behaviour acts"},
    ),
    figures=("alarm-trained-against",),
)
def hidden(result: Result) -> Evidence:
    return Evidence(old_alarm=result.numbers.penalised.old_alarm, behaviour=result.numbers.penalised.acts)


@experiment.claim(
    "alarm-found-again",
    title="A probe trained anew finds the hidden feature again",
    statements=("G1",),
    test="True alarms, at a false-alarm rate of 0.001, of a logistic probe trained on the changed model.",
    criterion=above(0.9),
    figures=("alarm-trained-against",),
)
def found_again(result: Result) -> Quantity:
    return result.numbers.penalised.new_alarm
