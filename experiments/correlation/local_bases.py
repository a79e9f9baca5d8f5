"""Two sets of ten correlated features in ten dimensions: does each set get an almost orthogonal basis of its own?

Elhage et al. 2022, "The geometry of superposition", local almost-orthogonal bases. The two sets are independent of each
other; all ten members of a set are present or absent as one.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Verdict, above
from experiments.core.losses.evaluation import evaluate
from experiments.core.metrics import (
    cosines,
    dimensions_per_feature,
    gram,
    random_directions,
    represented,
)
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.core.training.specification import Data, Model, Weights
from experiments.correlation.shared.coupled_training import Plan, Trained, train_coupled
from experiments.correlation.shared.strategies import HALF, agreement

Array = NDArray[np.float64]

SECTION = 'Toy Models of Superposition, "The Geometry of Superposition"'

SETS = (tuple(range(10)), tuple(range(10, 20)))
HIDDEN = 10

ALMOST = 0.05
"""Within a set the root mean square of off-diagonal entries of W^T W stays below this: an almost orthogonal basis."""

IN_SUPERPOSITION = 0.05
"""A model that represents all twenty features is in superposition if D* is within this of one half."""

OPPOSED = -0.9


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    densities: tuple[float, ...] = (0.7, 0.5, 0.35, 0.25, 0.18, 0.13, 0.09, 0.06, 0.04, 0.025)
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 1e-2
    pictured: tuple[float, ...] = (0.5, 0.13, 0.04)
    samples: int = 1 << 17  # of the common set on which models are compared with exact opposites


@dataclass(frozen=True)
class AtDensity:
    """Means over seeds at one density; fields as in `Result`."""

    within: Quantity
    across: Quantity
    null_within: Quantity
    agreement: Quantity
    features: Quantity
    dimensions: Quantity
    opposed: Quantity


@dataclass(frozen=True)
class Numbers:
    """Models in superposition over all densities: the share of models, and what holds of these; `turn` is a density."""

    superposed: Quantity
    almost: Quantity
    opposed: Quantity
    turn: Quantity
    seeds: Quantity


@dataclass(frozen=True)
class Result:
    """Two sets of ten over density and seeds; entries are root mean squares of W^T W between different features."""

    density: Array  # (p,)
    within: Array  # (p, seed): entries between features of one set
    across: Array  # (p, seed): entries between features of two sets
    null_within: Array  # (p, seed): as `within`, for random directions with the same norms
    agreement: Array  # (p, seed): of partners
    features: Array  # (p, seed): how many are represented
    dimensions: Array  # (p, seed): dimensions per feature, D*
    opposed: Array  # (p, seed): share of features with a cosine below -0.9, the lowest, in the other set
    pictured: Array  # (picture,): densities
    pictures: Array  # (picture, feature, feature): W^T W of first models, opposites on the diagonal
    numbers: Numbers
    at: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.densities])
    saving: dict[str, Quantity] = keyed(lambda config: [f"{p:g}" for p in config.pictured])


experiment = Experiment(
    __name__,
    title="Local almost-orthogonal bases",
    config=Config(),
    quick=Config(seeds=3, densities=(0.5, 0.13, 0.04), steps=400, batch=64, samples=1 << 10),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    plan = Plan(config.steps, config.batch, config.learning_rate)
    models = train_coupled(np.array(config.densities), 1.0, HIDDEN, SETS, config.seeds, plan, config.seed, device)
    W = models.W
    null = random_directions(W, np.random.default_rng(config.seed))
    fields = {
        "within": _entries(W)[0],
        "across": _entries(W)[1],
        "null_within": _entries(null)[0],
        "agreement": agreement(W, SETS),
        "features": represented(W).sum(-1).astype(np.float64),
        "dimensions": dimensions_per_feature(W),
        "opposed": _opposed(W),
    }
    chosen = [config.densities.index(p) for p in config.pictured]
    return Result(
        density=np.array(config.densities),
        pictured=np.array(config.pictured),
        pictures=np.array([_picture(W[k, 0]) for k in chosen]),
        numbers=_numbers(config, fields),
        at={
            f"{p:g}": AtDensity(**{name: mean(values[k]) for name, values in fields.items()})
            for k, p in enumerate(config.densities)
        },
        saving=_savings(config, models),
        **fields,
    )


def _entries(W: Array) -> tuple[Array, Array]:
    """Return the root mean square of entries of W^T W within sets, without the diagonal, and across them, (...)."""
    square = gram(W) ** 2
    size = len(SETS[0])
    off = ~np.eye(size, dtype=bool)
    inside = np.concatenate([square[..., :size, :size][..., off], square[..., size:, size:][..., off]], axis=-1)
    return np.asarray(np.sqrt(inside.mean(-1))), np.asarray(np.sqrt(square[..., :size, size:].mean((-1, -2))))


def _opposed(W: Array) -> Array:
    """Return the share of features whose lowest cosine is below -0.9 and with a feature of the other set (...)."""
    cosine, size = cosines(W), len(SETS[0])
    lowest = cosine.argmin(-1)
    other = (lowest >= size) != (np.arange(2 * size) >= size)
    return np.asarray((other & (cosine.min(-1) < OPPOSED)).mean(-1))


def _picture(W: Array) -> Array:
    """Return W^T W with the second set ordered greedily by its opposites in the first."""
    matrix, size = gram(W), len(SETS[0])
    left, order = list(range(size, 2 * size)), []
    for feature in range(size):
        order.append(min(left, key=lambda other: matrix[feature, other]))
        left.remove(order[-1])
    index = np.array([*range(size), *order])
    return np.asarray(matrix[np.ix_(index, index)])


def _numbers(config: Config, fields: dict[str, Array]) -> Numbers:
    superposed = (fields["features"] == 20) & (np.abs(fields["dimensions"] - 0.5) < IN_SUPERPOSITION)
    return Numbers(
        superposed=share(superposed, "of models"),
        almost=_share_of(fields["within"] < ALMOST, superposed),
        opposed=_mean_of(fields["opposed"], superposed),
        turn=exact(_turn(config, fields["agreement"]), method="mean agreement interpolated in the logarithm of p"),
        seeds=exact(config.seeds, method="models per density"),
    )


def _savings(config: Config, models: Trained) -> dict[str, Quantity]:
    """Return by how much the best model's loss is below that of two exactly opposite orthonormal bases, at densities
    that are pictured; both on one common set of samples.
    """
    opposite = np.concatenate([np.eye(HIDDEN), -np.eye(HIDDEN)], axis=1)
    savings = {}
    for p in config.pictured:
        k = config.densities.index(p)
        W, b = np.concatenate([models.W[k], opposite[None]]), np.concatenate([models.b[k], np.zeros((1, 2 * HIDDEN))])
        data = Data(p, coupling="correlated", groups=SETS)
        weights = Weights(W.astype(np.float32), b.astype(np.float32))
        loss = evaluate(weights, data, Model(2 * HIDDEN, HIDDEN), config.samples, config.seed).loss
        method = f"best of {config.seeds}, one common set of {config.samples} samples"
        savings[f"{p:g}"] = exact(1 - loss[:-1].min() / loss[-1], method=method)
    return savings


NOTHING_KNOWN = Quantity(0.0, 0.0, 1.0, 0, method="no model is in superposition, so any share is possible")


def _share_of(flags: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> Quantity:
    return share(flags[chosen], "of models in superposition") if chosen.any() else NOTHING_KNOWN


def _mean_of(values: Array, chosen: NDArray[np.bool_]) -> Quantity:
    return mean(values[chosen], "of features", within=(0, 1)) if chosen.any() else NOTHING_KNOWN


def _turn(config: Config, agree: Array) -> float:
    """Return the density at which the mean agreement of partners passes one half."""
    order = np.argsort(config.densities)
    return float(np.exp(np.interp(HALF, agree.mean(-1)[order], np.log(np.array(config.densities)[order]))))


@experiment.figure(
    "local-bases",
    title="Two sets, two bases",
    caption=(
        "When features are rare, entries within a set nearly vanish and interference is between the sets. (a-c) "
        "Products WᵀW of one model at each of three densities: features 0 to 9 come together, and so do 10 to 19; "
        "the second set is ordered by its opposites. A feature interferes with several features of the other set in "
        "a, and mostly with one opposite in b. Dense sets share directions (c)."
    ),
    alt="Three square heat maps of twenty by twenty entries with a strong diagonal. Off-diagonal blocks are partly a "
    "diagonal, partly stripes on the left, where the diagonal blocks are clean; a second, negative diagonal in the "
    "middle; and noise on the right.",
)
def draw_pictures(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.pictured), width="wide", panel="square")
    for index, (ax, chosen) in enumerate(zip(axes, np.argsort(result.pictured), strict=True)):
        image = plotting.gram(ax, result.pictures[chosen], limit=1.0, colourbar=False)
        ax.set(xticks=[0, 10, 19], yticks=[0, 10, 19], ylabel="feature" if index == 0 else "")
        ax.set_title(f"$p$ = {result.pictured[chosen]:g}")
        plotting.decoration(ax.axhline(9.5, color=plotting.colour("muted"), linewidth=0.6))
        plotting.decoration(ax.axvline(9.5, color=plotting.colour("muted"), linewidth=0.6))
    plotting.colour_scale(image, axes, label=r"$W_i \cdot W_j$")
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "local-bases-density",
    title="Orthogonal within, overlapping across",
    caption=(
        "At low density each set has an almost orthogonal basis, far more orthogonal than random directions. (a) "
        "Root mean square of the entries of WᵀW between different features of one set and of two sets, over "
        "density; dotted, random directions with the same norms. (b) Agreement of partners (1: principal "
        "components, 0: partners orthogonal) and the share of features with an opposite in the other set."
    ),
    alt="Left, towards low density the entries within a set sink far below the dotted chance line while those across "
    "rise. Right, agreement falls from one to zero; the share with an opposite rises only at the lowest densities, to "
    "a third.",
    interval="bars: 95 % Student t interval of the mean over seeds",
)
def draw_density(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.6)
    p = result.density
    for index, (name, values) in enumerate((("within a set", result.within), ("across sets", result.across))):
        plotting.points(left, p, [mean(row) for row in values], label=name, index=index, line=True)
    left.plot(p, result.null_within.mean(-1), ":", color=plotting.colour("null"), label="random directions")
    left.set(ylabel="root mean square of $W_i \\cdot W_j$", ylim=(0, None))
    pairs = (("agreement of partners", result.agreement, -1), ("opposed across sets", result.opposed, 0))
    for index, (name, values, least) in enumerate(pairs):
        means = [mean(row, within=(least, 1)) for row in values]
        plotting.points(right, p, means, label=name, index=index + 2, line=True)
    right.set(ylabel="agreement; share of features", ylim=(-0.05, 1.05))
    for ax in (left, right):
        plotting.density_axis(ax, ticks=(0.03, 0.1, 0.25, 0.5))
        plotting.legend(ax)
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "local-orthogonal",
    title="In superposition, each correlated set has an almost orthogonal basis",
    statements=("C10",),
    source=SECTION,
    test="Models over densities that represent all twenty features with D* within 0.05 of one half. Statistic: share "
    "of them whose entries of W^T W between different features of one set have a root mean square below 0.05.",
    criterion=above(0.8),
    figures=("local-bases", "local-bases-density"),
    published=Verdict.SUPPORTED,
)
def almost_orthogonal(result: Result) -> Quantity:
    return result.numbers.almost


@experiment.claim(
    "local-opposed",
    title="More than four of five features have an opposite in the other set",
    statements=("C10",),
    test="The same models. Statistic: mean share of features whose lowest cosine is with a feature of the other set "
    "and below -0.9.",
    criterion=above(0.8),
    figures=("local-bases", "local-bases-density"),
    published=Verdict.REFUTED,
)
def opposites(result: Result) -> Quantity:
    return result.numbers.opposed
