"""The second run over densities and sizes: is superposition sparse, and what decides how many features are represented?

Statements A9 (cosines are sparse: superposition comes in small islands) and A10 (the number of represented features
depends on p n against d). Every model is trained to convergence on fresh data and compared with a null model: random
directions for its represented features.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Evidence, Experiment, Verdict, keyed
from experiments.core.criteria import Above, Below, Criterion, Every, below, refuted_if, supported_if
from experiments.core.metrics import random_directions, represented
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train
from experiments.first_runs.shared.count_hypotheses import Contrast, contrast
from experiments.first_runs.shared.islands import OverRange, arrangement, over_range, sorted_cosines

Array = NDArray[np.float64]

ARRANGED = 3
"""The arrangement of cosines is measured for this many of the sizes, the first ones."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    sizes: tuple[tuple[int, int], ...] = ((100, 40), (50, 20), (100, 20), (100, 10), (200, 10))
    densities: tuple[float, ...] = (1.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
    steps: int = 3000
    batches: tuple[tuple[float, int], ...] = ((0.3, 64), (0.1, 32), (0.03, 64), (0.0, 128))  # from each density on
    learning_rate: float = 1e-2  # falling to 0 along a cosine
    checked: tuple[float, ...] = (0.2, 0.01)  # trained again for twice as long, at the first and the last size
    # Densities at which represented features are counted; beyond them the largest size is not converged in these steps.
    counted: tuple[float, ...] = (0.3, 0.2, 0.1, 0.05, 0.02, 0.01)
    pictured: tuple[float, ...] = (0.5, 0.2, 0.05, 0.005)
    resamples: int = 500


@dataclass(frozen=True)
class Numbers:
    """Shares of near-zero cosines of the first size: `sparsest` is the largest, `rarest` and `dense` at the ends of p.

    `crowded`: of the third size. `null`: of random directions. `doubled`: what twice the steps change. `full`: the
    lowest and highest p n / d at which a tenth of the features is left out.
    """

    doubled_near_zero: Quantity
    doubled_represented: Quantity
    sparsest: Quantity
    sparsest_null: Quantity
    sparsest_density: Quantity
    sparsest_island: Quantity
    rarest: Quantity
    rarest_null: Quantity
    crowded_rarest: Quantity
    crowded_null: Quantity
    dense: Quantity
    dense_null: Quantity
    full_lowest: Quantity
    full_highest: Quantity


def _arranged(config: Config) -> list[str]:
    return [f"{n}_in_{d}" for n, d in config.sizes[:ARRANGED]]


@dataclass(frozen=True)
class Result:
    """Shares are over pairs of represented features, those with a norm above 1/2."""

    sizes: NDArray[np.int64]  # (size, 2), features and hidden dimensions
    density: Array  # (density,)
    represented: Array  # (size, density, seed), counts
    near_zero: Array  # (arranged size, density, seed), the share of pairs with |cos| < 0.05
    null_near_zero: Array  # (arranged size, density, seed), of random directions
    largest: Array  # (arranged size, density, seed), the largest island as a share of the represented features
    null_largest: Array  # (arranged size, density, seed)
    pictured: Array  # (picture,), densities
    pictures: Array  # (picture, feature, feature), cosines of first models, sorted so that islands stand together
    counted: Array  # (counted density,)
    contrast: Contrast
    numbers: Numbers
    over_range: dict[str, OverRange] = keyed(_arranged)


experiment = Experiment(
    __name__,
    title="The second run over densities and sizes",
    config=Config(),
    quick=Config(
        seeds=2,
        sizes=((20, 8), (10, 4), (20, 4)),
        densities=(1.0, 0.5, 0.2, 0.05),
        steps=300,
        batches=((0.0, 32),),
        checked=(0.2,),
        counted=(0.5, 0.2, 0.05),
        pictured=(1.0, 0.5, 0.2, 0.05),
        resamples=50,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    trained = [_sweep(config, device, size, config.densities, config.steps) for size in config.sizes]
    counts = np.array([represented(W).sum(-1) for W in trained], dtype=np.float64)
    generator = np.random.default_rng(config.seed)
    near_zero, largest = arrangement(trained[:ARRANGED])
    null_near_zero, null_largest = arrangement([random_directions(W, generator) for W in trained[:ARRANGED]])
    longer = [_sweep(config, device, config.sizes[k], config.checked, 2 * config.steps) for k in (0, -1)]
    return Result(
        sizes=np.array(config.sizes),
        density=np.array(config.densities),
        represented=counts,
        near_zero=near_zero,
        null_near_zero=null_near_zero,
        largest=largest,
        null_largest=null_largest,
        pictured=np.array(config.pictured),
        pictures=np.array([sorted_cosines(trained[0][config.densities.index(p)][0]) for p in config.pictured]),
        counted=np.array(config.counted),
        contrast=contrast(config.sizes, config.counted, counts[:, _counted(config)], config.resamples, config.seed),
        numbers=Numbers(
            **_convergence(config, near_zero, counts, longer),
            **_ranges(config, near_zero, null_near_zero, largest),
            **_load_when_full(config, counts),
        ),
        over_range={
            name: over_range(
                near_zero[k], null_near_zero[k], largest[k], null_largest[k], config.resamples, config.seed
            )
            for k, name in enumerate(_arranged(config))
        },
    )


def _sweep(config: Config, device: str, size: tuple[int, int], densities: tuple[float, ...], steps: int) -> Array:
    """Return trained W (density, seed, hidden, feature); each model sees fresh data at its own density."""
    model, found = Model(*size), []
    for group, (batch, inside) in enumerate(_by_batch(config, densities)):
        p = np.repeat(inside, config.seeds)
        bias, seed = p[:, None] / 2, config.seed + group
        recipe = Recipe(steps, batch, config.learning_rate, schedule="cosine", start_bias=bias, seed=seed)
        W = train(Data(p[:, None]), model, recipe, p.size, device).weights.W
        found.append(W.reshape(len(inside), config.seeds, *W.shape[1:]))
    return np.concatenate(found).astype(np.float64)


def _by_batch(config: Config, densities: tuple[float, ...]) -> list[tuple[int, list[float]]]:
    """Return batch sizes with the densities that use them; densities fall."""
    edges = [np.inf, *(lowest for lowest, _ in config.batches)]
    groups = [
        (batch, [p for p in densities if lowest <= p < above])
        for (above, lowest), (_, batch) in zip(pairwise(edges), config.batches, strict=True)
    ]
    return [(batch, inside) for batch, inside in groups if inside]


def _counted(config: Config) -> list[int]:
    """Return where the counted densities stand among all."""
    return [config.densities.index(p) for p in config.counted]


def _convergence(config: Config, near_zero: Array, counts: Array, longer: list[Array]) -> dict[str, Quantity]:
    """Return what twice the steps change at the checked densities: cosines of the first size, counts of the last."""
    at = [config.densities.index(p) for p in config.checked]
    again, _ = arrangement(longer[:1])
    return {
        "doubled_near_zero": mean((again[0] - near_zero[0, at]).mean(0)),
        "doubled_represented": mean((represented(longer[1]).sum(-1) / counts[-1, at] - 1).mean(0)),
    }


def _ranges(config: Config, near_zero: Array, null: Array, largest: Array) -> dict[str, Quantity]:
    """Return what the text quotes about the first size and the crowded third one."""
    best = int(near_zero[0].mean(-1).argmax())
    last = len(config.densities) - 1
    third = min(2, len(near_zero) - 1)
    return {
        "sparsest": _mean(near_zero[0, best]),
        "sparsest_null": _mean(null[0, best]),
        "sparsest_density": exact(config.densities[best], method="a point of the grid"),
        "sparsest_island": _mean(largest[0, best]),
        "rarest": _mean(near_zero[0, last]),
        "rarest_null": _mean(null[0, last]),
        "crowded_rarest": _mean(near_zero[third, last]),
        "crowded_null": _mean(null[third, last]),
        "dense": _mean(near_zero[0, 0]),
        "dense_null": _mean(null[0, 0]),
    }


def _mean(shares: Array) -> Quantity:
    return mean(shares, within=(0, 1))


def _load_when_full(config: Config, counts: Array) -> dict[str, Quantity]:
    """Return the lowest and highest p n / d, over sizes that pass it, at which a tenth is left out."""
    loads, passing = [], []
    for (n, d), row in zip(config.sizes, counts[:, _counted(config)].mean(-1), strict=True):
        share = np.maximum.accumulate(row / n)  # as p falls
        loads.append(np.exp(np.interp(0.9, share, np.log(np.array(config.counted) * n / d))))
        passing.append(share[0] < 0.9 < share[-1])
    loads = [load for load, passes in zip(loads, passing, strict=True) if passes or not any(passing)]
    method = "interpolated between densities, means over seeds"
    return {"full_lowest": exact(min(loads), method=method), "full_highest": exact(max(loads), method=method)}


@experiment.figure(
    "islands",
    title="Where superposition is sparse",
    caption=(
        "Superposition is sparse over a middle range of densities. Drawn are cosines between represented "
        "features, mean over seeds; dotted lines are random directions for the same features. (a) Share of pairs "
        "with |cos| below 0.05: at p = {numbers.sparsest_density:.1f}, {numbers.sparsest:%} against "
        "{numbers.sparsest_null:% value} by chance in 100 features and 40 dimensions. Where features crowd (100 "
        "in 20, small p) the share falls below chance, because directions spread out evenly. (b) The largest "
        "island, features linked by |cos| above 0.2, as a share of the represented features. By chance one island"
        " holds nearly all features; trained models have many small ones in the middle range."
    ),
    alt="Two panels over density. The share of near-zero cosines peaks near p of a third far above the dotted chance "
    "lines. The largest island is tiny there and spans nearly all features at both ends.",
    interval="bars: 95 % Student t interval of the mean over seeds",
)
def draw_islands(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide")
    panels = ((result.near_zero, result.null_near_zero), (result.largest, result.null_largest))
    for ax, (found, null) in zip(axes, panels, strict=True):
        for index, (n, d) in enumerate(result.sizes[: len(found)]):
            quantities = [_mean(row) for row in found[index]]
            plotting.points(ax, result.density, quantities, label=f"{n} in {d}", index=index, line=True)
            chance = null[index].mean(-1)
            ax.plot(result.density, chance, ":", color=plotting.series(index), linewidth=1.2)
        _densities(ax, result)
        plotting.percent_axis(ax)
        ax.set_ylim(0, 1.03)
    axes[0].set_title("pairs with |cos| < 0.05")
    axes[1].set_title("largest island")
    axes[0].set_ylabel("share")
    plotting.legend(axes[0], figure=figure)
    plotting.panel_letters(axes)
    return figure


def _densities(ax: Axes, result: Result) -> None:
    plotting.density_axis(ax, ticks=[p for p in (0.005, 0.02, 0.1, 0.3, 1.0) if p >= result.density.min()])


@experiment.figure(
    "islands-pictures",
    title="Cosines at four densities",
    caption=(
        "As features become rarer, antipodal pairs join into small islands and then into one haze of weak "
        "overlaps. Drawn are cosines of one model each, 100 features in 40 dimensions, features sorted so that "
        "islands stand together. At p = 0.5 features form antipodal pairs or are left out. At lower p pairs join "
        "with third features. When features are rare, every feature overlaps a little with many others."
    ),
    alt="Four heat maps. First isolated antipodal pairs along the diagonal, then small blocks, then a haze of weak "
    "cosines with few strong ones.",
)
def draw_pictures(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.pictures), width="wide", panel="square")
    for index, (ax, p, picture) in enumerate(zip(axes, result.pictured, result.pictures, strict=True)):
        image = plotting.gram(ax, picture, limit=1.0, colourbar=False)
        ax.set(title=f"$p$ = {p:g}", xlabel="", ylabel="feature, sorted" if index == 0 else "", xticks=[], yticks=[])
    plotting.colour_scale(image, axes, label="cosine")
    return figure


@experiment.figure(
    "crowding",
    title="What decides how many features are represented",
    caption=(
        "The number per dimension at a density p predicts a size from the others better than p n / d: the error "
        "is {contrast.p} against {contrast.pn_over_d}. Counted are represented features (norm above one half) in "
        "five sizes, n features in d dimensions, means over seeds. (a) As a share of n over p n / d, the "
        "conjectured variable. (b) Per dimension over p; a size levels off once all its features are represented."
        " (c) Error in predicting each size from the others, for each hypothesis."
    ),
    alt="Three panels. Over p n over d the sizes spread out; per dimension over p they lie on one rising curve from "
    "which each departs to a plateau. The dot plot of errors has p lowest.",
    interval="95 %: percentile bootstrap over seeds in panel c; panels a and b show means over seeds",
)
def draw_crowding(result: Result) -> Figure:
    figure, (left, middle, right) = plotting.new_figure(1, 3, width="wide", panel="square")
    p = result.counted
    keep = np.isin(result.density, p)
    for index, (n, d) in enumerate(result.sizes):
        counts = result.represented[index, keep].mean(-1)
        style = {"color": plotting.series(index), "marker": "osD^v"[index], "label": f"{n} in {d}"}
        left.plot(p * n / d, counts / n, **style)
        middle.plot(p, counts / d, **style)
    left.set(xscale="log", title="share of $n$", xlabel="$pn/d$", ylabel="represented / $n$", ylim=(0, 1.05))
    middle.set(
        yscale="log",
        title="per dimension",
        ylabel="represented / $d$",
        yticks=[1, 2, 5, 10],
        yticklabels=["1", "2", "5", "10"],
    )
    middle.minorticks_off()
    _densities(middle, result)
    names = {"pn_over_d": "$pn/d$", "pn_log_over_d": r"$pn\,\ln(1/p)/d$", "pn": "$pn$", "p": "$p$, up to $n$"}
    plotting.points(
        right, np.arange(len(names))[::-1], [getattr(result.contrast, name) for name in names], horizontal=True
    )
    right.set_yticks(np.arange(len(names))[::-1], list(names.values()))
    right.set(title="held-out error", xlabel="error (decades)", xlim=(0, None))
    plotting.legend(left, figure=figure, columns=5)
    plotting.panel_letters((left, middle, right))
    return figure


@experiment.claim(
    "islands-sparse",
    title="Over some range of densities cosines between features are sparser than chance",
    statements=("A9",),
    test="Share of pairs of represented features with |cos| < 0.05, over that of random directions, for 100 features "
    "in 40 dimensions and two other sizes: the largest ratio that three adjacent densities all reach. Shown: the share "
    "itself where it is largest, 100 in 40.",
    criterion=Criterion(
        supported_if(Every(name="ratio", each=Above(1.5), of="size")),
        refuted_if(Every(name="ratio", each=Below(1.5), of="size")),
        otherwise=Verdict.MIXED,
    ),
    figures=("islands", "islands-pictures"),
    published=Verdict.SUPPORTED,
)
def sparse_cosines(result: Result) -> Evidence:
    ratios = tuple(size.near_zero for size in result.over_range.values())
    return Evidence(sparsest=result.numbers.sparsest, ratio=ratios)


@experiment.claim(
    "islands-small",
    title="Over some range of densities superposition comes in small islands",
    statements=("A9",),
    test="Largest connected component of the graph that joins represented features with |cos| > 0.2, as a share of "
    "them, the same sizes: the smallest share that two adjacent densities both keep below, where random directions "
    "have more than one half. Shown: that share where cosines are sparsest, 100 in 40.",
    criterion=Criterion(
        supported_if(Every(name="island", each=Below(0.2), of="size")),
        refuted_if(Every(name="island", each=Above(0.2), of="size")),
        otherwise=Verdict.MIXED,
    ),
    figures=("islands", "islands-pictures"),
    published=Verdict.SUPPORTED,
)
def small_islands(result: Result) -> Evidence:
    islands = tuple(size.island for size in result.over_range.values())
    return Evidence(sparsest_island=result.numbers.sparsest_island, island=islands)


@experiment.claim(
    "crowding-pn-over-d",
    title="The number of represented features is best predicted by p n / d",
    statements=("A10",),
    test="Number of features with norm above one half, over densities from 0.3 to 0.01, in five sizes. Each size is "
    "predicted from the others as one function of p n / d for the share of n, of p n for the share of n, or of p for "
    "the number per dimension up to n. Scored where all three predict and some features are left out. Statistic: "
    "error of p n / d over the lower of the other two.",
    criterion=below(1),
    figures=("crowding",),
    published=Verdict.REFUTED,
)
def error_ratio(result: Result) -> Quantity:
    return result.contrast.ratio
