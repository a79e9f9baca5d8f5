"""Does the number of learned features grow with the dimensions alone, and not with how many there are to learn?

Elhage et al. 2022, "The geometry of superposition": with n much larger than m, ||W||_F^2 is proportional to m and does
not depend on n. One number of dimensions is trained with three numbers of features, and one ratio of both with
three sizes, at five densities.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    AtLeastSo,
    Below,
    Criterion,
    Every,
    Evidence,
    Verdict,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.metrics import represented_mass
from experiments.core.quantities import Quantity, mean
from experiments.core.training.specification import Data, Model, Recipe
from experiments.core.training.train import train

Array = NDArray[np.float64]
SOURCE = 'Toy Models of Superposition, "The geometry of superposition"'

EQUAL = Criterion(
    supported_if(where(spreads=Every(each=Below(0.05, label="5 %"), of="density"))),
    refuted_if(
        where(spreads=AtLeastSo(0.6, each=Above(0.05, label="5 %"), of="of the densities", label="three fifths"))
    ),
    otherwise=Verdict.MIXED,
    names={"spreads": "the difference between sizes"},
)
"""Sizes agree at every density."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 12
    by_features: tuple[tuple[int, int], ...] = ((100, 20), (200, 20), (400, 20))
    by_dimensions: tuple[tuple[int, int], ...] = ((100, 10), (200, 20), (400, 40))
    densities: tuple[float, ...] = (0.28, 0.2, 0.1)
    steps: int = 8000
    batch: int = 64
    checked: tuple[int, float] = (2, 0.1)  # of `by_features` and density, trained again for twice as long
    rate_times_features: float = 0.8  # more features make more noise at the same rate; falling to 0 along a cosine


@dataclass(frozen=True)
class Spreads:
    """Largest minus smallest ||W||_F^2 / hidden over their mean, of the sizes of one comparison, seed by seed.

    `largest` is that of the density where it is largest, `plateau` the mean over densities from 0.25 on.
    """

    largest: Quantity
    plateau: Quantity
    at: dict[str, Quantity] = keyed(lambda config: [f"{p:g}" for p in config.densities])


@dataclass(frozen=True)
class Checked:
    """What twice the steps change at one size and density, relative, and how far the middle size is away there."""

    doubled: Quantity
    against_middle: Quantity
    longer_against_middle: Quantity


@dataclass(frozen=True)
class Result:
    """Two comparisons: more features in as many dimensions, and as many features per dimension in more of them."""

    sizes: NDArray[np.int64]  # (size, 2): features, hidden
    by_features: NDArray[np.int64]  # (3,): which sizes are compared
    by_dimensions: NDArray[np.int64]  # (3,)
    density: Array  # (density,)
    per_dimension: Array  # (size, density, seed): ||W||_F^2 / hidden
    features: Spreads
    dimensions: Spreads
    checked: Checked


experiment = Experiment(
    __name__,
    title="Features learned, by features and dimensions",
    config=Config(),
    quick=Config(
        seeds=2,
        by_features=((20, 5), (40, 5), (60, 5)),
        by_dimensions=((20, 3), (40, 5), (60, 9)),
        densities=(0.3, 0.2),
        checked=(2, 0.2),
        steps=600,
        rate_times_features=0.4,
    ),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    sizes = sorted({*config.by_features, *config.by_dimensions})
    mass = np.array([_per_dimension(config, device, size, config.densities, config.steps) for size in sizes])
    features, dimensions = (
        np.array([sizes.index(size) for size in group]) for group in (config.by_features, config.by_dimensions)
    )
    return Result(
        sizes=np.array(sizes),
        by_features=features,
        by_dimensions=dimensions,
        density=np.array(config.densities),
        per_dimension=mass,
        features=_spreads(mass[features], config),
        dimensions=_spreads(mass[dimensions], config),
        checked=_checked(config, device, mass[features]),
    )


def _per_dimension(
    config: Config, device: str, size: tuple[int, int], densities: tuple[float, ...], steps: int
) -> Array:
    """Return ||W||_F^2 / hidden (density, seed) of models of one size."""
    features, hidden = size
    p, model = np.repeat(densities, config.seeds), Model(features, hidden)
    recipe = Recipe(
        steps,
        config.batch,
        config.rate_times_features / features,
        schedule="cosine",
        start_bias=p[:, None] / 2,
        seed=config.seed,
    )
    weights = train(Data(p[:, None]), model, recipe, p.size, device).weights
    return np.asarray(represented_mass(weights.W).reshape(-1, config.seeds) / hidden)


def _checked(config: Config, device: str, mass: Array) -> Checked:
    """Return what twice the steps change at one size and density, relative, and the spread of sizes there."""
    which, density = config.checked
    longer = _per_dimension(config, device, config.by_features[which], (density,), 2 * config.steps)[0]
    usual = mass[:, config.densities.index(density)]
    return Checked(
        doubled=mean(longer / usual[which].mean() - 1),
        against_middle=mean(usual[which] / usual[which - 1] - 1),
        longer_against_middle=mean(longer / usual[which - 1] - 1),
    )


def _spreads(mass: Array, config: Config) -> Spreads:
    """Return how far the sizes (size, density, seed) of one comparison differ, relative to their mean, by density."""
    spread = np.ptp(mass, axis=0) / mass.mean(0)
    at = {f"{p:g}": mean(row) for p, row in zip(config.densities, spread, strict=True)}
    plateau = mean(spread[np.array(config.densities) >= 0.25].mean(0))
    return Spreads(max(at.values(), key=lambda one: one.value), plateau, at)


@experiment.figure(
    "uniform-sizes",
    title="Features learned per dimension, in five sizes",
    caption=(
        "Sizes agree on the plateau of pairs and differ where features are rarer. $\\Vert W\\Vert_F^2/d$ over "
        "rarity. (a) The same dimensions, more features: sizes differ by at most {features.largest:%}. (b) The "
        "same ratio of features to dimensions: at most {dimensions.largest:%}."
    ),
    alt="Two panels with three nearly coinciding curves each that rise from two features per dimension; at the "
    "end those of the left panel are further apart.",
    interval="95 % Student t interval of the mean over seeds",
)
def draw_sizes(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", sharey=True)
    panels = {"the same $d$": result.by_features, "the same $n/d$": result.by_dimensions}
    for ax, (title, group) in zip(axes, panels.items(), strict=True):
        for index, size in enumerate(group):
            n, d = result.sizes[size]
            quantities = [mean(row) for row in result.per_dimension[size]]
            plotting.points(ax, 1 / result.density, quantities, label=f"{n} in {d}", index=index, line=True)
        ax.set(xscale="log", yscale="log", xlabel="rarity $1/p$", title=title)
        ticks = [tick for tick in (3, 5, 10, 20) if tick <= 1 / result.density.min() + 1e-9]
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.set_yticks([2, 3, 5, 7], ["2", "3", "5", "7"])
        ax.minorticks_off()
        plotting.legend(ax)
    axes[0].set_ylabel(r"$\Vert W\Vert_F^2\,/\,d$")
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "uniform-n-irrelevant",
    title="With many more features than dimensions, their number does not matter",
    source=SOURCE,
    test="||W||_F^2 of 100, 200 and 400 features in 20 dimensions at three densities: largest minus smallest over "
    "their mean, seed by seed. Statistic: mean over seeds at the density where it is largest.",
    criterion=EQUAL,
    figures=("uniform-sizes",),
    published=Verdict.MIXED,
)
def over_features(result: Result) -> Evidence:
    return Evidence(largest=result.features.largest, spreads=tuple(result.features.at.values()))


@experiment.claim(
    "uniform-proportional",
    title="Features learned are proportional to dimensions",
    source=SOURCE,
    test="||W||_F^2 / d of 10, 20 and 40 dimensions with ten times as many features, at three densities: largest minus "
    "smallest over their mean, seed by seed. Statistic: mean over seeds at the density where it is largest.",
    criterion=EQUAL,
    figures=("uniform-sizes",),
    published=Verdict.MIXED,
)
def over_dimensions(result: Result) -> Evidence:
    return Evidence(largest=result.dimensions.largest, spreads=tuple(result.dimensions.at.values()))
