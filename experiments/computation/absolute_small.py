"""Three features, six neurons: is the absolute value computed as ReLU(x) + ReLU(-x)?

Elhage et al. 2022, "Computation in superposition", its first model of the absolute value. There are enough neurons for
every side of every feature, so nothing has to be superposed.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.computation.shared.absolute import (
    ORDINARY,
    PREPARED,
    Training,
    absolute,
    relative_errors,
    trained_at,
)
from experiments.computation.shared.neurons import Rescaled, rescaled
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import above
from experiments.core.quantities import Quantity, share

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SECTION = 'Toy Models of Superposition, "Computation in Superposition"'

NEAR = 0.05
"""A row of W is a unit vector if no entry is further than this from one."""

SOLVED = 1e-4
"""A model solves the task if its mean squared error per feature is below this; an output of 0 has 1/3."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 128
    features: int = 3
    hidden: int = 6  # two neurons for each feature
    ordinary: Training = field(default_factory=lambda: Training(start=ORDINARY))
    prepared: Training = field(default_factory=lambda: Training(start=PREPARED))
    samples: int = 4000  # of the evaluation, per seed


@dataclass(frozen=True)
class Numbers:
    """Shares of seeds; from an ordinary start unless said."""

    solved: Quantity  # error below SOLVED
    unit_rows: Quantity  # every row a unit vector, each side of each feature once
    agree: Quantity  # the task is solved if and only if every side of every feature has a neuron to itself
    prepared_solved: Quantity  # solved, from the small positive start of the large models


@dataclass(frozen=True)
class Result:
    """Models with every feature present; `W` and `R` are those of the first seed that solves the task, rescaled."""

    loss: Array  # (start, seed), mean squared error per feature; starts are ordinary and prepared
    W: Array  # (hidden, feature)
    R: Array  # (feature, hidden)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="The absolute value of three features with six neurons",
    config=Config(),
    quick=Config(
        seeds=24,
        ordinary=Training(steps=1500, start=ORDINARY),
        prepared=Training(steps=1500, start=PREPARED),
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    losses, units = zip(
        *(_trained(config, training, device) for training in (config.ordinary, config.prepared)), strict=True
    )
    loss = np.stack(losses)
    solved, unit = loss < SOLVED, unit_rows(units[0].W)
    served = sides_served(units[0].W).all((1, 2))
    shown = int(np.argmin(loss[0] + ~solved[0]))
    order = np.lexsort((-np.sign(units[0].W[shown].sum(1)), np.abs(units[0].W[shown]).argmax(1)))
    numbers = Numbers(share(solved[0]), share(unit), share(solved[0] == served), share(solved[1]))
    return Result(loss, units[0].W[shown][order], units[0].R[shown][:, order], numbers)


def _trained(config: Config, training: Training, device: str) -> tuple[Array, Rescaled]:
    """Return the mean squared error per feature (seed,) and the rescaled weights."""
    model = absolute(config.features, config.hidden)
    importance = np.ones((1, config.features))
    weights = trained_at(training, model, 1.0, importance, config.seed, config.seeds, device)
    error = relative_errors(weights, model, 1.0, config.samples, config.seed, config.seeds)
    return error.mean(1) / 3, rescaled(weights)


def sides_served(W: Array) -> Flags:
    """Return which side of which feature has a neuron that is a unit vector for it: (seed, feature, side)."""
    own = np.abs(W).argmax(-1)
    target = np.zeros_like(W)
    sign = np.sign(np.take_along_axis(W, own[..., None], -1))
    np.put_along_axis(target, own[..., None], sign, -1)
    unit = np.abs(W - target).max(-1) < NEAR
    served = [(unit[..., None] & (target == side)).any(1) for side in (1, -1)]
    return np.stack(served, axis=-1)


def unit_rows(W: Array) -> Flags:
    """Return which models (seed,) have one unit vector for each side of each feature, and no other rows."""
    neurons, features = W.shape[1:]
    return np.asarray((sides_served(W).sum((1, 2)) == 2 * features) & (neurons == 2 * features))


@experiment.figure(
    "absolute-small",
    title="Two neurons for each feature",
    caption=(
        "The task is solved by {numbers.solved:count} models, and {numbers.unit_rows:count} have exactly one neuron "
        "for each side of each feature. (a) What a model that solves the task writes into its "
        "neurons, and (b) what it reads out of them, rescaled so that the largest |W| of a neuron is 1. (c) Mean "
        "squared error of all models, by start; below the line the task counts as solved, and what is below 10⁻⁹ is "
        "drawn there."
    ),
    alt=(
        "Two small signed matrices, one entry of plus or minus one per neuron, and a strip of points of losses on a "
        "logarithmic axis, in which most lie far below a line and the others in clusters above."
    ),
)
def draw(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", height=3.4, width_ratios=(1, 1, 1.5))
    _matrix(left, result.W, "W", colourbar=False)
    _matrix(middle, result.R.T, "read-out", colourbar=True)
    left.set_ylabel("neuron")
    floor = np.maximum(result.loss, 1e-9)
    plotting.distribution_strip(right, {"ordinary start": floor[0], "small, positive": floor[1]})
    right.set(yscale="log", ylabel="mean squared error")
    plotting.guide(right, SOLVED)
    plotting.panel_letters((left, middle, right))
    return figure


def _matrix(ax: Axes, matrix: Array, title: str, *, colourbar: bool) -> None:
    plotting.gram(ax, matrix, limit=1.0, colourbar=colourbar)
    ax.set(title=title, xlabel="feature", ylabel="")


@experiment.claim(
    "absolute-small-rows",
    title="Without a shortage of neurons, each neuron serves one side of one feature",
    source=SECTION,
    test=(
        "Three features, six neurons, every feature present. Share of seeds whose rows of W, rescaled, are within 0.05 "
        "of unit vectors, each sign of each feature once."
    ),
    criterion=above(0.5),
    figures=("absolute-small",),
)
def rows(result: Result) -> Quantity:
    return result.numbers.unit_rows


@experiment.claim(
    "absolute-small-solved",
    title="With two neurons for each feature, training computes the absolute value in most seeds",
    source=SECTION,
    test="Three features, six neurons, every feature present. Share of seeds with a mean squared error below 0.0001.",
    criterion=above(0.5),
    figures=("absolute-small",),
)
def solves(result: Result) -> Quantity:
    return result.numbers.solved
