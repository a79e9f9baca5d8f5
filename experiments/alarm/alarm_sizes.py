"""Is superposition what limits the alarm? The same features in more and more dimensions. Statement G1."""

from dataclasses import dataclass, field, replace

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.alarm.shared.detection import Judging, judged
from experiments.alarm.shared.detectors import DIRECTION, bank, labelled, logistic_name
from experiments.alarm.shared.world import WorldConfig, trained_models
from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import above
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 200
    seeds: int = 16
    world: WorldConfig = field(default_factory=WorldConfig)
    hidden: tuple[int, ...] = (64, 128, 256)  # dimensions for the same features
    steps: tuple[int, ...] = (1000, 500, 400)  # per size: with little interference models converge sooner
    labels: int = 10_000
    negatives: int = 65_000  # per seed and size
    positives: int = 1000
    rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class AtSize:
    """True alarms at a false-alarm rate of 0.0001."""

    direction: Quantity
    probe: Quantity


@dataclass(frozen=True)
class Numbers:
    """What the most dimensions gain over the fewest, within a seed, at a false-alarm rate of 0.0001."""

    direction_gain: Quantity
    probe_gain: Quantity


@dataclass(frozen=True)
class Result:
    """Rates of true alarms."""

    hidden: NDArray[np.int64]  # (size,)
    rates: Array  # (rate,)
    true: Array  # (size, detector, rate, seed); own direction, logistic probe
    numbers: Numbers
    sizes: dict[str, AtSize] = keyed(lambda config: [str(hidden) for hidden in config.hidden])


experiment = Experiment(
    __name__,
    title="The alarm with less superposition",
    config=Config(),
    quick=Config(
        seeds=3,
        world=WorldConfig(features=48, importance=(10, 40), batch=128),
        hidden=(12, 48),
        steps=(300, 300),
        labels=1000,
        negatives=20_000,
        positives=200,
    ),
    large=Config(
        seeds=64,
        world=WorldConfig(features=1024, density=0.005),
        hidden=(128, 256, 512, 1024),
        steps=(20_000, 10_000, 5000, 5000),
        negatives=2_000_000,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    how = Judging(config.negatives, config.positives, config.rates)
    true = np.empty((len(config.hidden), 2, len(config.rates), config.seeds))
    for size, (hidden, steps) in enumerate(zip(config.hidden, config.steps, strict=True)):
        world = replace(config.world, hidden=hidden, steps=steps)
        models = trained_models(world, config.seeds, config.seed, device)
        for s in range(config.seeds):
            generator = np.random.default_rng([config.seed, hidden, s])
            data = labelled(world, models.W[s], config.labels, generator)
            counts = [config.labels // 10, config.labels]  # the probe with few labels is where the other starts
            found = bank(models.W[s], data, counts, (), 0, None, (), 0, config.seed + s)
            shown = found.part((DIRECTION, logistic_name(config.labels)))
            true[size, ..., s] = judged(world, models.W[s], shown, how, generator).true.mean(1)
            advance("alarms by dimension", (size + (s + 1) / config.seeds) / len(config.hidden))
    last = true[:, :, -1]
    sizes = {
        str(hidden): AtSize(*(mean(rates, within=(0, 1)) for rates in last[size]))
        for size, hidden in enumerate(config.hidden)
    }
    gains = Numbers(*(mean(last[-1, detector] - last[0, detector]) for detector in range(2)))
    return Result(np.array(config.hidden), np.array(config.rates), true, gains, sizes)


@experiment.figure(
    "alarm-sizes",
    title="The alarm with less superposition",
    caption=(
        "From the smallest hidden size to the largest the plain direction gains {numbers.direction_gain:% value} and "
        "the probe {numbers.probe_gain:% value} of dangerous samples. Dangerous samples noticed at one false alarm in "
        "ten thousand, against the hidden size that holds the same features; with as many dimensions as features "
        "nothing interferes. Mean over seeds with its interval."
    ),
    alt="Two rising lines of the true-alarm rate over the number of dimensions, for the plain direction and a probe.",
    interval="95 % Student t interval over seeds, each the mean over its targets",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.0)
    for index, label in enumerate(("own direction", "logistic probe")):
        found = [mean(row, within=(0, 1)) for row in result.true[:, index, -1]]
        plotting.points(ax, result.hidden, found, label=label, index=index, line=True)
    plotting.doubling_axis(ax, result.hidden, "hidden size $d$")
    ax.set_ylabel("TPR at the smallest FPR")
    plotting.percent_axis(ax)
    plotting.legend(ax)
    return figure


@experiment.claim(
    "alarm-limited-by-superposition",
    title="Superposition costs the plain direction more than five points of true alarms",
    statements=("G1",),
    test=(
        "True alarms of the target's own direction at a false-alarm rate of 0.0001: with as many dimensions as "
        "features less with a quarter as many."
    ),
    criterion=above(0.05),
    figures=("alarm-sizes",),
)
def direction_gain(result: Result) -> Quantity:
    return result.numbers.direction_gain
