"""Does a model learn one thing at a time, and in the order of importance? With Adam, and with plain gradient descent?

Features of falling importance, a small start. What the paper trains with, Adam, divides every gradient by its own size;
gradient descent with momentum is the same recipe with an epsilon that is large beside every gradient.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    Outside,
    Verdict,
    Within,
    above,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.metrics import norms
from experiments.core.quantities import Quantity, exact, mean, median
from experiments.core.rank_correlation import rank_correlation
from experiments.core.training.specification import Data, Model, Recipe, log_spaced_steps
from experiments.core.training.train import train
from experiments.dynamics.shared.courses import crossing, in_turn, together

LEARNED = 0.5
"""A feature is learned when its squared length ends above this; it is learned at the time it passes half of its end."""

SETTINGS = ("relu, descent", "relu, Adam", "linear, descent", "linear, Adam", "room for all")
"""Output and optimiser of the compared models; the last is linear with a dimension for every feature, by descent."""

EPSILON = 1.0
"""Adam divides by sqrt(v) + epsilon; gradients here are below 0.02, so that this is gradient descent with momentum."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 24
    seeds: int = 24
    features: int = 20
    hidden: int = 5
    density: float = 0.1
    decay: float = 0.8  # importance of a feature over that of the one before it
    room: int = 12  # features and dimensions of the last setting
    room_density: float = 0.3
    room_decay: float = 0.7
    steps: int = 20_000
    batch: int = 256
    learning_rate: float = 1e-3  # Adam
    descent_rate: float = 0.5  # gradient descent
    start_scale: float = 0.1
    snapshots: int = 240


@dataclass(frozen=True)
class InTurn:
    """How one setting learns: `order`, `turn` and `at_once` as in the result, over seeds."""

    order: Quantity
    turn: Quantity
    at_once: Quantity


@dataclass(frozen=True)
class Numbers:
    """Each of the `SETTINGS`; `descent_gain` is by how much gradient descent is more in turn than Adam; `slope`,
    `delay` and `crowded_delay` compare the times of the last setting with the formulas."""

    relu_descent: InTurn
    relu_adam: InTurn
    linear_descent: InTurn
    linear_adam: InTurn
    room: InTurn
    descent_gain: Quantity
    seeds: Quantity
    slope: Quantity
    delay: Quantity
    crowded_delay: Quantity


@dataclass(frozen=True)
class Result:
    """Courses over `steps`; a setting is a number into `SETTINGS`.

    `squared` is `||W_i||^2` of the first seed, padded with 0 where there are fewer features. `learned` is the step at
    which a feature passes half of its final squared length, NaN where it is not learned. `order` is Spearman's
    correlation of that step with falling importance, `turn` how far features come one after another, `at_once` how many
    rise together. `predicted` are the steps of the last setting by the logistic formula, `crowded` where the directions
    of features learned before are taken.
    """

    steps: NDArray[np.int64]  # (time,)
    squared: NDArray[np.float32]  # (setting, time, feature)
    importance: NDArray[np.float64]  # (setting, feature)
    order: NDArray[np.float64]  # (setting, seed)
    turn: NDArray[np.float64]  # (setting, seed)
    at_once: NDArray[np.float64]  # (setting, seed)
    predicted: NDArray[np.float64]  # (feature,)
    crowded: NDArray[np.float64]  # (feature,)
    numbers: Numbers
    learned: NDArray[np.float64] = undefined("the feature is not learned")  # (setting, seed, feature)


experiment = Experiment(
    __name__,
    title="One thing at a time",
    config=Config(),
    quick=Config(seeds=4, steps=8000, batch=64, snapshots=120),
)


@dataclass(frozen=True)
class _Setting:
    """One compared kind of model."""

    features: int
    hidden: int
    density: float
    importance: Array
    output: str
    adam: bool


def _settings(config: Config) -> tuple[_Setting, ...]:
    importance = config.decay ** np.arange(config.features)
    tight = [
        _Setting(config.features, config.hidden, config.density, importance, output, adam)
        for output in ("relu", "linear")
        for adam in (False, True)
    ]
    falling = config.room_decay ** np.arange(config.room)
    return (*tight, _Setting(config.room, config.room, config.room_density, falling, "linear", adam=False))


@experiment.run
def run(config: Config, device: str) -> Result:
    steps = log_spaced_steps(config.steps, config.snapshots)
    settings = _settings(config)
    courses = [_squared_lengths(setting, config, steps, device) for setting in settings]
    spans = [_spans(course, np.array(steps)) for course in courses]
    measured = [_measures(span, setting.importance) for span, setting in zip(spans, settings, strict=True)]
    order, turn, at_once = (np.array([each[k] for each in measured]) for k in range(3))
    learned = np.stack([_padded(span[1], config.features, np.nan) for span in spans])
    predicted, crowded = (logistic_steps(settings[-1], config, crowded=taken) for taken in (False, True))
    return Result(
        steps=np.array(steps),
        squared=np.stack([_padded(course[0], config.features, 0.0) for course in courses]).astype(np.float32),
        importance=np.stack([_padded(setting.importance, config.features, 0.0) for setting in settings]),
        order=order,
        turn=turn,
        at_once=at_once,
        predicted=predicted,
        crowded=crowded,
        learned=learned,
        numbers=_numbers(order, turn, at_once, _room(learned[-1, :, : config.room], predicted, crowded, settings[-1])),
    )


def _squared_lengths(setting: _Setting, config: Config, steps: tuple[int, ...], device: str) -> Array:
    """Return `||W_i||^2` over training, (seed, time, feature)."""
    rate, epsilon = (config.learning_rate, 1e-8) if setting.adam else (config.descent_rate, EPSILON)
    trained = train(
        Data(setting.density, importance=setting.importance),
        Model(setting.features, setting.hidden, output="relu" if setting.output == "relu" else "linear"),
        Recipe(
            steps=config.steps,
            batch=config.batch,
            start_scale=config.start_scale,
            snapshots=steps,
            seed=config.seed,
            learning_rate=rate,
            epsilon=epsilon,
        ),
        instances=config.seeds,
        device=device,
    )
    return np.stack([norms(kept.W) ** 2 for kept in trained.snapshots], axis=1)


def _spans(squared: Array, steps: NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Return the steps at which each feature passes a tenth, half and nine tenths of its end, NaN if never learned."""
    course = np.swapaxes(squared, 1, 2)
    end = np.where(course[..., -1] > LEARNED, course[..., -1], np.inf)
    low, middle, high = (crossing(course, steps, part * end) for part in (0.1, 0.5, 0.9))
    return low, middle, high


def _measures(spans: tuple[Array, Array, Array], importance: Array) -> tuple[Array, Array, Array]:
    """Return order, turn and number at once of every seed, (seed,) each."""
    order, turn, at_once = [], [], []
    for low, middle, high in zip(*spans, strict=True):
        known = np.isfinite(middle)
        order.append(float(rank_correlation(middle[known], -importance[known])))
        turn.append(in_turn(low[known], middle[known], high[known]))
        at_once.append(together(low[known], high[known]))
    return np.array(order), np.array(turn), np.array(at_once)


def logistic_steps(setting: _Setting, config: Config, *, crowded: bool = False) -> Array:
    """Return the step at which gradient flow brings each feature to half its length, (feature,), from a typical start.

    With room for all, `w = ||W_i||^2` follows `dw/dt = (8 I_i V / n) w (1 - w)` per unit of learning rate, V the
    variance p/3 - p^2/4 of a feature, until `ln(1/w_0 - 1) / rate`. At the start
    `w_0 = scale^2 * 2 hidden / (hidden + n)`. Where it is `crowded`, the k features learned before have taken their
    directions, in which a random start has k of its n parts.
    """
    n, hidden = setting.features, setting.hidden
    variance = setting.density / 3 - setting.density**2 / 4
    begin = config.start_scale**2 * 2 * hidden / (hidden + n)
    left = begin * (1 - np.arange(n) / n) if crowded else np.full(n, begin)
    rate = config.descent_rate / EPSILON * 8 * setting.importance * variance / n
    return np.asarray(np.log(1 / left - 1) / rate)


def _padded(values: Array, width: int, fill: float) -> Array:
    """Return `values` (..., feature) with `fill` for features that the setting does not have."""
    room = np.full((*values.shape[:-1], width), fill)
    room[..., : values.shape[-1]] = values
    return room


class _Room(NamedTuple):
    """Slope of log(step) on log(importance), and steps over those of both formulas."""

    slope: Quantity
    delay: Quantity
    crowded_delay: Quantity


def _numbers(order: Array, turn: Array, at_once: Array, room: _Room) -> Numbers:
    """Return what the page quotes of the compared settings, from measures (setting, seed)."""
    relu_descent, relu_adam, linear_descent, linear_adam, with_room = (
        InTurn(mean(order[k], within=(-1, 1)), median(turn[k]), mean(at_once[k])) for k in range(len(SETTINGS))
    )
    return Numbers(
        relu_descent,
        relu_adam,
        linear_descent,
        linear_adam,
        with_room,
        descent_gain=median(turn[0] - turn[1]),
        seeds=exact(order.shape[1], method="set-up"),
        slope=room.slope,
        delay=room.delay,
        crowded_delay=room.crowded_delay,
    )


def _room(steps: Array, predicted: Array, crowded: Array, setting: _Setting) -> _Room:
    """Return how the `steps` (seed, feature) at which features are learned compare with the formulas."""
    known = [np.isfinite(row) for row in steps]
    slopes = [
        float(np.polyfit(np.log(setting.importance[keep]), np.log(row[keep]), 1)[0])
        for row, keep in zip(steps, known, strict=True)
    ]

    def over(formula: Array) -> list[float]:
        return [float(np.median(row[keep] / formula[keep])) for row, keep in zip(steps, known, strict=True)]

    return _Room(mean(slopes), median(over(predicted)), median(over(crowded)))


@experiment.figure(
    "one-thing-courses",
    title="More in turn by gradient descent, nearly together by Adam",
    caption="Gradient descent spreads features out, the more important first; Adam, which divides each gradient by its "
    "size, brings most of them in together. Squared length $\\Vert W_i\\Vert^2$ of each feature over training in one "
    "ReLU model from one start, coloured by importance, trained with gradient descent (a) and with Adam (b).",
    alt="Two panels of rising curves over the logarithm of the step. Left, curves rise from zero to one in turn, those "
    "of important features first. Right, most curves rise at about the same time and cross each other.",
)
def draw_courses(result: Result) -> Figure:
    figure, panels = plotting.new_figure(1, 2, width="wide", height=3.3, sharex=True, sharey=True)
    count = result.squared.shape[2]
    tones, named = plotting.ramp(count)[::-1], (0, count // 2, count - 1)
    for ax, setting, title in zip(panels, (0, 1), ("gradient descent", "Adam"), strict=True):
        for feature, tone in enumerate(tones):
            course = result.squared[setting, 1:, feature]
            label = f"importance {result.importance[setting, feature]:.2g}" if feature in named else None
            ax.plot(result.steps[1:], course, color=tone, linewidth=1.2, zorder=count - feature, label=label)
        ax.set(xscale="log", xlabel="step", title=title, xlim=(10, result.steps[-1]))
    panels[0].set_ylabel(r"squared length $\Vert W_i\Vert^2$")
    plotting.panel_letters(panels)
    plotting.legend(panels[0], figure=figure)
    return figure


@experiment.figure(
    "one-thing-order",
    title="More important features come first, and more nearly in turn by gradient descent",
    caption="Gradient descent takes features more nearly in turn than Adam does. (a) Step at which a feature passes "
    "half of its length, against its importance, medians over seeds; the formula of the text (dashed), and the same "
    "with directions that earlier features have taken (thin). (b) How far features come in turn: 1 if no two rise "
    "together, 0 if all rise at one time; every seed, and the median.",
    alt="Left, three descending series of points on logarithmic axes; one of them runs along a dashed line. Right, "
    "five strips of points: those of gradient descent lie around one half, those of Adam around zero and below.",
)
def draw_order(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.5)
    for index, (setting, label) in enumerate(((4, "room for all, descent"), (0, "ReLU, descent"), (1, "ReLU, Adam"))):
        often = np.isfinite(result.learned[setting]).mean(axis=0) > 0.5
        middle = np.nanmedian(result.learned[setting][:, often], axis=0)
        left.plot(result.importance[setting, often], middle, "o", color=plotting.series(index), label=label)
    room = result.importance[-1, : result.predicted.size]
    plotting.theory_line(left, room, result.predicted, label="formula")
    left.plot(room, result.crowded, color=plotting.colour("theory"), linewidth=0.8, label="same, crowded")
    left.set(xscale="log", yscale="log", xlabel="importance $I_i$", ylabel="step at which it is learned")
    plotting.legend(left)
    names = ("ReLU,\ndescent", "ReLU,\nAdam", "linear,\ndescent", "linear,\nAdam", "room,\ndescent")
    plotting.distribution_strip(right, dict(zip(names, np.clip(result.turn, -1.5, 1), strict=True)), index=0)
    plotting.guide(right, 0.0)
    plotting.guide(right, 1.0)
    right.set(ylabel="in turn (1) or at once (0)", ylim=(-1.6, 1.1))
    plotting.panel_letters([left, right])
    return figure


@experiment.claim(
    "one-thing-order",
    title="More important features tend to be learned earlier",
    statements=("D3",),
    test="ReLU models. Spearman correlation, over the features that are learned, of the step at which one passes "
    "half of its final squared length with falling importance. Statistic: mean over seeds with Adam, as the paper "
    "trains; the criterion looks at gradient descent too.",
    criterion=Criterion(
        supported_if(where(adam=Above(0.5), descent=Above(0.5))),
        refuted_if(where(adam=Below(0.5), descent=Below(0.5))),
        otherwise=Verdict.MIXED,
        names={"adam": "the correlation with Adam", "descent": "that with gradient descent"},
    ),
    figures=("one-thing-order", "one-thing-courses"),
    published=Verdict.SUPPORTED,
)
def order_of_importance(result: Result) -> Evidence:
    return Evidence(adam=result.numbers.relu_adam.order, descent=result.numbers.relu_descent.order)


@experiment.claim(
    "one-thing-adam",
    title="With Adam, learning is closer to one feature at a time than to all at once",
    statements=("D3",),
    test="ReLU models trained with Adam. A feature rises from a tenth to nine tenths of its final squared length; "
    "with k the mean number that rise together and k0 that number if all passed their middle at one time, (k0 - "
    "k)/(k0 - 1) is 1 for one at a time and 0 for all at once. Statistic: median over seeds.",
    criterion=above(0.5),
    figures=("one-thing-order", "one-thing-courses"),
    published=Verdict.REFUTED,
)
def in_turn_with_adam(result: Result) -> Quantity:
    return result.numbers.relu_adam.turn


@experiment.claim(
    "one-thing-descent",
    title="Gradient descent learns features more nearly one at a time than Adam does",
    statements=("D3",),
    test="The same ReLU models from the same starts and samples, trained with gradient descent with momentum "
    "instead. Statistic: median over seeds of the difference in (k0 - k)/(k0 - 1).",
    criterion=above(0),
    figures=("one-thing-order", "one-thing-courses"),
    published=Verdict.SUPPORTED,
)
def gain_of_descent(result: Result) -> Quantity:
    return result.numbers.descent_gain


@experiment.claim(
    "one-thing-formula",
    title="With room for every feature, the time to learn one is inverse to its importance",
    statements=("D3",),
    test="Linear models with as many dimensions as features, by gradient descent. Statistic: mean over seeds of the "
    "slope of log(step at which a feature is learned) on log(importance); gradient flow from a small start gives -1.",
    criterion=Criterion(supported_if(Within(-1.15, high=-0.85)), refuted_if(Outside(-1.15, high=-0.85))),
    figures=("one-thing-order",),
    published=Verdict.SUPPORTED,
)
def slope_on_importance(result: Result) -> Quantity:
    return result.numbers.slope
