"""The phase diagram of a mixture of two experts beside the dense one: does superposition still set in abruptly?

Two or three features, one hidden unit per expert, over density and the importance of the last feature.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import below
from experiments.core.quantities import Quantity, bootstrap, mean
from experiments.mixtures.shared.mixture_model import GateStart, Mixture, dense
from experiments.mixtures.shared.mixture_samples import Source
from experiments.mixtures.shared.mixture_statistics import typical_ratio
from experiments.mixtures.shared.mixture_training import Found, Recipe, seeds_of, train_mixtures

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: tuple[int, ...] = (2, 3)
    experts: int = 2  # of one hidden unit each
    points: int = 8  # densities, and importances, on the grid
    least_p: float = 0.02  # densities run from here to 1, evenly in the logarithm
    most_importance: float = 8.0  # importance of the last feature, from the inverse of this to this
    balance: float = 0.01  # weight of the load-balancing loss, relative to a loss summed over features
    batch: int = 128
    steps: int = 250
    learning_rate: float = 3e-2


MODELS = ("dense", "mixture, Xavier gate", "mixture, K-hot gate")


def cases(config: Config) -> list[str]:
    """Return the names of the phase diagrams: one per number of features and model."""
    return [f"{n} features, {model}" for n in config.features for model in MODELS]


@dataclass(frozen=True)
class Diagram:
    """What one phase diagram shows."""

    jump: Quantity  # largest change of the last feature's norm, median over seeds, between neighbouring cells
    superposed: Quantity  # share of cells in which an expert that works holds more than one feature
    loss: Quantity  # weighted loss over that of the dense model, geometric mean over cells


@dataclass(frozen=True)
class Numbers:
    """Mixture over dense model of as many features."""

    jumps: tuple[Quantity, ...]  # (mixture diagram,) jump over that of the dense model of as many features
    largest: Quantity  # of these


@dataclass(frozen=True)
class Result:
    """Diagrams over density and importance."""

    p: Array  # (density,)
    importance: Array  # (importance,), of the last feature; the others have 1
    norm: Array  # (case, importance, density, seed), ||W_last||, the mean over experts by their use
    held: Array  # (case, importance, density, seed), features per dimension ||W_e||^2, the mean over experts by use
    numbers: Numbers
    diagrams: dict[str, Diagram] = keyed(cases)


experiment = Experiment(
    __name__,
    title="The phase diagram of a mixture",
    config=Config(),
    quick=Config(seeds=3, points=4, batch=64, steps=60),
    large=Config(seeds=32, points=20, batch=512, steps=3000, learning_rate=3e-3),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    p = np.geomspace(config.least_p, 1.0, config.points)
    importance = np.geomspace(1 / config.most_importance, config.most_importance, config.points)
    fields = [_fields(config, n, p, importance) for n in config.features]
    norm, held, loss = (np.concatenate([each[k] for each in fields]) for k in range(3))
    base = [number - number % len(MODELS) for number in range(len(norm))]
    diagrams = {
        name: Diagram(
            jump=bootstrap(partial(_jump, norm[k]), config.seeds),
            superposed=mean((held[k] > SUPERPOSED).mean((0, 1)), within=(0, 1)),
            loss=typical_ratio(loss[k].reshape(-1, config.seeds), loss[base[k]].reshape(-1, config.seeds)),
        )
        for k, name in enumerate(cases(config))
    }
    ratios = tuple(_sharper(norm[k], norm[base[k]]) for k in range(len(norm)) if k != base[k])
    return Result(p, importance, norm, held, Numbers(ratios, max(ratios, key=lambda each: each.value)), diagrams)


SUPERPOSED = 1.25
"""More than this many features in one dimension count as superposition."""


def _models(config: Config, features: int) -> list[Mixture]:
    starts: tuple[GateStart, ...] = ("xavier", "k-hot")
    balance = config.balance / features
    return [dense(1), *(Mixture(config.experts, 1, gate_start=start, balance=balance) for start in starts)]


def _fields(config: Config, features: int, p: Array, importance: Array) -> tuple[Array, Array, Array]:
    """Return norm, held and loss (model, importance, density, seed) for one number of features."""
    seeds = seeds_of(config.seed, config.seeds)
    recipe = Recipe(config.steps, config.learning_rate)
    sources, batches = [Source(features, density) for density in p], [config.batch] * len(p)
    rows = []
    for last in importance:
        weights = np.ones(features, np.float32)
        weights[-1] = last
        found = train_mixtures(_models(config, features), sources, batches, seeds, recipe, weights)
        rows.append([[[_summary(each) for each in row] for row in by_seed] for by_seed in found])
    # (importance, density, seed, model, 3) -> three of (model, importance, density, seed)
    norm, held, loss = np.moveaxis(np.array(rows), (3, 4), (1, 0))
    return norm, held, loss


def _summary(found: Found) -> tuple[float, float, float]:
    """Return the last feature's norm and the features per dimension, means over experts by use, and the loss."""
    W, use = found.last.W.astype(np.float64), found.measures.use
    norms = np.linalg.norm(W, axis=1)
    return float(use @ norms[:, -1]), float(use @ (norms**2).sum(1)), found.measures.loss


def _jump(field: Array, chosen: NDArray[np.int64]) -> float:
    """Return the largest change between neighbouring cells of the median over chosen seeds.

    `field` is (importance, density, seed). The median leaves out the few models that end in a worse local minimum,
    whose norms differ from those of their neighbours for no other reason.
    """
    typical = np.median(field[..., chosen], axis=-1)
    return float(max(np.abs(np.diff(typical, axis=axis)).max() for axis in (0, 1)))


def _sharper(field: Array, other: Array) -> Quantity:
    """Return the jump of one field over that of another, seeds resampled together."""
    return bootstrap(lambda chosen: _jump(field, chosen) / _jump(other, chosen), field.shape[-1], unit="times")


@experiment.figure(
    "mixtures-phases",
    title="Phase diagrams of dense models and mixtures",
    caption=(
        "Between neighbouring cells the last feature's norm changes by up to {numbers.largest:.2f} times as much in a "
        "mixture as in the dense model. Norm of the last feature over density and its importance, relative to that of "
        "the others, median over seeds, mean over experts by their use. Top row: two features, bottom row: three. One "
        "hidden unit per expert, two experts of which one is active."
    ),
    alt="Two rows of three heat maps: dense model, mixture with Xavier gate and mixture with K-hot gate.",
)
def draw_phases(result: Result) -> Figure:
    rows = len(result.norm) // len(MODELS)
    figure, axes = plotting.new_figure(rows, len(MODELS), width="wide", panel="square", sharex=True, sharey=True)
    grid = np.reshape(axes, (rows, len(MODELS)))
    typical = np.median(result.norm, axis=-1)
    limit = float(typical.max())
    for ax, name, field in zip(grid.ravel(), result.diagrams, typical, strict=True):
        ax.set(xscale="log", yscale="log")
        image = plotting.heat(ax, result.p, result.importance, field, norm=Normalize(0.0, limit), colourbar=False)
        ax.set_title(name.replace("mixture, ", "").replace(" gate", ""))
    for ax in grid[-1]:
        plotting.density_axis(ax, ticks=(0.03, 0.1, 0.3, 1.0), label="feature probability $p$")
    for ax in grid[:, 0]:
        ax.set_ylabel("importance of the last")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    plotting.colour_scale(image, grid.ravel().tolist(), label="norm of the last feature")
    plotting.panel_letters(grid)
    return figure


@experiment.claim(
    "mixtures-no-sharp-change",
    title="Between neighbouring cells of the phase diagram a mixture changes less than half as much as the dense model",
    source="Chaudhari et al. 2025",
    test=(
        "Largest change of the last feature's norm, median over seeds, between neighbouring cells of the diagram: "
        "mixture over dense model; the largest ratio of two and three features and of both starts of the gate."
    ),
    criterion=below(0.5),
    figures=("mixtures-phases",),
)
def sharp(result: Result) -> Quantity:
    return result.numbers.largest
