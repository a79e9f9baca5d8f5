"""What does a column of WᵀW hold beside the one?

Statement E2: (1, eps, -eps, eps, ...) in place of (1, 0, 0, ...). Elhage et al. 2022, "The relationship between
superposition and adversarial robustness". Columns are divided by their diagonal entry, so that they begin with 1; only
represented features are counted, as rows and as columns.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from experiments.adversarial.shared.crowded import STANDARD, Training, train_crowded
from experiments.adversarial.shared.interference import FELT, epsilon, felt, negative_share, row_norm, tight_frame_norm
from experiments.core import plotting
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Criterion,
    Every,
    Evidence,
    NoneOf,
    Verdict,
    Within,
    below,
    refuted_if,
    supported_if,
)
from experiments.core.metrics import gram, represented
from experiments.core.quantities import Quantity, bootstrap_each, mean

Array = NDArray[np.float64]

PAPER = 'Toy Models of Superposition, "The relationship between superposition and adversarial robustness"'

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 5
    seeds: int = 12
    features: int = 80
    hidden: int = 8
    densities: tuple[float, ...] = (0.5, 0.4, 0.32, 0.25, 0.2, 0.16, 0.1, 0.063, 0.025, 0.01, 0.005)
    pictured: tuple[float, ...] = (0.4, 0.1, 0.01)
    plane: float = 0.05  # density of five features in two dimensions, a pentagon
    training: Training = STANDARD


@dataclass(frozen=True)
class Numbers:
    """`pairs` is the density with two represented features per dimension, `sparse` the lowest.

    `tight` is the size of eps over the least possible one, `slope` an exponent in features per dimension.
    """

    negative_pairs: Quantity
    pairs_density: Quantity
    negative_sparse: Quantity
    count_pairs: Quantity
    count_sparse: Quantity
    size_pairs: Quantity
    size_sparse: Quantity
    total_sparse: Quantity
    entry_sparse: Quantity
    tight: Quantity
    tight_excess: Quantity
    size_slope: Quantity
    count_slope: Quantity
    total_slope: Quantity


@dataclass(frozen=True)
class Result:
    """Means over represented features unless said otherwise.

    `crowding` is represented features per dimension; `size` and `total` the root mean square l2 and mean l1 norm of
    eps; `count` the number of entries above 0.05; `negative` the share of the l1 norm that negative entries carry.
    `quantiles` are of all entries above 0.05 in size, all seeds together. `columns` holds one column each, sorted, of a
    pentagon and of the pictured densities, padded with 0; `lengths` says how long each is.
    """

    density: Array  # (density,)
    crowding: Array  # (density, seed)
    size: Array  # (density, seed)
    total: Array  # (density, seed)
    count: Array  # (density, seed)
    negative: Array  # (density, seed)
    quantiles: Array  # (density, quantile)
    columns: Array  # (picture, entry)
    lengths: tuple[int, ...]
    names: tuple[str, ...]
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="A column of WᵀW",
    config=Config(),
    quick=Config(
        seeds=2,
        features=40,
        hidden=4,
        densities=(0.4, 0.1, 0.02),
        pictured=(0.4, 0.1, 0.02),
        training=Training(steps=200, batch=64, rare_batch=64),
    ),
    large=Config(seeds=64, training=Training(steps=6000, batch=512, rare_batch=2048)),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density = np.array(config.densities)
    models = train_crowded(
        config.features, config.hidden, density, config.seeds, config.training, seed=config.seed, device=device
    )
    scaled = [[_columns(W) for W in each.W] for each in models]
    (plane,) = train_crowded(5, 2, [config.plane], config.seeds, config.training, seed=config.seed, device=device)
    rows = np.array([[_summary(eps, config.hidden) for eps in each] for each in scaled])
    quantiles = np.array([_quantiles(each) for each in scaled])
    shown = [_most_regular(plane.W)] + [scaled[config.densities.index(p)][0] for p in config.pictured]
    columns, lengths = _sorted_columns(shown)
    names = ("5 in 2", *(f"{config.features} in {config.hidden}, p = {p:g}" for p in config.pictured))
    crowding, size, total, count, negative = np.moveaxis(rows, -1, 0)
    numbers = _numbers(density, crowding, size, total, count, negative)
    return Result(density, crowding, size, total, count, negative, quantiles, columns, lengths, names, numbers)


def _columns(W: ArrayLike) -> Array:
    """Return eps of the represented features, each row divided by its own G_ii."""
    W = np.asarray(W, dtype=np.float64)
    chosen = W[:, represented(W)]
    G = gram(chosen)
    return np.asarray(epsilon(chosen) / np.diagonal(G)[:, None])


def _summary(eps: Array, hidden: int) -> list[float]:
    """Return features per dimension, size, total, count and share of negatives of one model."""
    size = np.sqrt((row_norm(eps, 2) ** 2).mean())
    means = [float(each.mean()) for each in (row_norm(eps, 1), felt(eps), negative_share(eps))]
    return [len(eps) / hidden, float(size), *means]


def _quantiles(models: list[Array]) -> Array:
    entries = np.concatenate([eps.ravel() for eps in models])
    felt_entries = entries[np.abs(entries) > FELT]
    return np.quantile(felt_entries, QUANTILES) if felt_entries.size else np.zeros(len(QUANTILES))


def _most_regular(W: NDArray[np.float32]) -> Array:
    """Return scaled eps of the model with the most represented features, the first of these."""
    return _columns(W[int(represented(W).sum(-1).argmax())])


def _sorted_columns(shown: list[Array]) -> tuple[Array, tuple[int, ...]]:
    """Return the first column of each model: the one, then the others in falling order; padded with zeros."""
    longest = max(len(eps) for eps in shown)
    columns = np.zeros((len(shown), longest))
    for k, eps in enumerate(shown):
        columns[k, : len(eps)] = [1, *np.sort(np.delete(eps[0], 0))[::-1]]
    return columns, tuple(len(eps) for eps in shown)


def _numbers(density: Array, crowding: Array, size: Array, total: Array, count: Array, negative: Array) -> Numbers:
    """Return shares of negative entries at the extremes, how size and count grow, and the size of a tight frame."""
    above = crowding.mean(-1) > 2.5

    def slope(values: Array) -> Quantity:
        return mean(
            [np.polyfit(np.log(crowding[above, s]), np.log(values[above, s]), 1)[0] for s in range(crowding.shape[1])]
        )

    def in_pairs(seeds: NDArray[np.int64]) -> list[float]:
        pairs = int(np.abs(crowding[:, seeds].mean(-1) - 2).argmin())
        return [float(density[pairs]), *(float(each[pairs, seeds].mean()) for each in (negative, count, size))]

    pairs_density, negative_pairs, count_pairs, size_pairs = bootstrap_each(in_pairs, crowding.shape[1])
    return Numbers(
        negative_pairs=negative_pairs,
        pairs_density=pairs_density,
        negative_sparse=mean(negative[-1], within=(0, 1)),
        count_pairs=count_pairs,
        count_sparse=mean(count[-1]),
        size_pairs=size_pairs,
        size_sparse=mean(size[-1]),
        total_sparse=mean(total[-1]),
        entry_sparse=mean(size[-1] / np.sqrt(count[-1])),
        tight=mean(np.exp(np.log(size[above] / tight_frame_norm(crowding[above])).mean(0))),
        tight_excess=mean((size / np.maximum(tight_frame_norm(crowding), 1e-9))[above].max(0) - 1),
        size_slope=slope(size),
        count_slope=slope(count),
        total_slope=slope(total),
    )


@experiment.figure(
    "column-shapes",
    title="One column of WᵀW at four degrees of crowding",
    caption="Beside its one, a column has two positive and two negative entries in a pentagon (a), many small entries "
    "of both signs in crowded models (b, c), and a single −1 in an antipodal pair (d). Each panel is a column of WᵀW "
    "over its diagonal entry, sorted: 5 features in 2 dimensions (a), 80 features in 8 dimensions at three densities.",
    alt="Four bar charts: one followed by two positive and two negative bars; two long ranges that fall smoothly from "
    "positive to negative, the second shorter; last, one followed by zeros and a bar at minus one.",
)
def draw_shapes(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.columns), width="wide", height=2.4, sharey=True)
    sparse_first = [0, *range(len(result.names) - 1, 0, -1)]  # the pentagon, then densities, which are pictured falling
    for ax, place in zip(axes, sparse_first, strict=True):
        name, column, length = result.names[place], result.columns[place], result.lengths[place]
        at = np.arange(length)
        signs = (column[:length] >= 0, column[:length] < 0)
        for chosen, tone in zip(signs, ("contrast", "accent"), strict=True):
            ax.bar(at[chosen], column[:length][chosen], width=0.9, color=plotting.colour(tone))
        plotting.guide(ax, 0.0)
        title = name.rpartition(", ")[2].replace("p =", "$p$ =")
        ax.set(title=title, xlabel="entry, sorted", xticks=[0, length - 1], ylim=(-1.15, 1.1))
    axes[0].set_ylabel("entry / diagonal")
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "column-growth",
    title="Signs, size and number of the small entries",
    caption="As features crowd, the entries beside the one become more numerous and balance in sign. (a) Share of "
    "their total size that is negative: {numbers.negative_pairs:.2f} in antipodal pairs, "
    "{numbers.negative_sparse:.2f} at the lowest density. (b) Length ‖ε‖₂ of the rest of a column; dashed, the least "
    "possible, √(k − 1), with k represented features per dimension. (c) Number above 0.05: {numbers.count_sparse:.0f} "
    "at the lowest density.",
    alt="Three panels over features per dimension. The negative share falls from one to one half; the length rises "
    "along the dashed curve; the number of entries rises from one to several dozen.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_growth(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=2.9)
    x = result.crowding.mean(-1)
    order = np.argsort(x)
    panels = (result.negative, result.size, result.count)
    for index, (ax, values) in enumerate(zip(axes, panels, strict=True)):
        plotting.seed_band(ax, x[order], values[order], index=index, marker="o")
        ax.set_xlabel("features per dimension")
    plotting.guide(axes[0], 0.5)
    plotting.theory_line(axes[1], x[order], tight_frame_norm(x[order]), label="tight frame")
    axes[0].set(ylabel="negative share", ylim=(0, 1.05))
    axes[1].set(ylabel="length of ε (ℓ₂)", ylim=(0, None))
    axes[2].set(ylabel="entries above 0.05", ylim=(0, None))
    plotting.legend(axes[1])
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "column-entries",
    title="Distribution of the small entries over density",
    caption="Where features are antipodal nearly all entries are −1; as features crowd, entries of both signs appear. "
    "Quantiles of entries beside the one (larger than 0.05 in size), all represented features and seeds.",
    alt="Lines of five quantiles over density. On the dense side most lie at minus one; towards rare features they "
    "converge to a band between about minus one half and a little less than one half.",
)
def draw_entries(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=2.9)
    for index, (share, tone) in enumerate(zip(QUANTILES, plotting.ramp(len(QUANTILES)), strict=True)):
        ax.plot(result.density, result.quantiles[:, index], color=tone, marker="o", label=f"{100 * share:g} %")
    plotting.guide(ax, 0.0)
    plotting.density_axis(ax, ticks=(0.005, 0.02, 0.1, 0.5))
    ax.set(ylabel="entry / diagonal")
    plotting.legend(ax, title="quantile")
    return figure


@experiment.claim(
    "column-signs",
    title="The other entries of a column have both signs, about equally",
    statements=("E2",),
    source=PAPER,
    test="Share of the ℓ₁ norm of a column's other entries that negative ones carry, at every density at which "
    "features share dimensions (more than 1.2 per dimension). Statistic: mean over seeds at the lowest density.",
    criterion=Criterion(
        supported_if(Every(name="shares", each=Within(0.4, high=0.6), of="density")),
        refuted_if(NoneOf(name="shares", each=Within(0.4, high=0.6), of="density")),
        otherwise=Verdict.MIXED,
        names={"shares": "the negative share"},
    ),
    figures=("column-growth", "column-shapes", "column-entries"),
    published=Verdict.MIXED,
)
def negative_shares(result: Result) -> Evidence:
    shared = result.crowding.mean(-1) > 1.2
    shares = tuple(mean(row, within=(0, 1)) for row in result.negative[shared])
    return Evidence(sparse=result.numbers.negative_sparse, shares=shares)


@experiment.claim(
    "column-size",
    title="Together the small entries are within a tenth of the least that geometry allows",
    statements=("E2",),
    test="Length of the rest of a column over √(k − 1), the least possible with k represented features per "
    "dimension, at densities with k above 2.5. Statistic: geometric mean over densities, mean over seeds.",
    criterion=below(1.1),
    figures=("column-growth",),
    published=Verdict.SUPPORTED,
)
def size_over_the_least(result: Result) -> Quantity:
    return result.numbers.tight
