"""Hedging: what a latent does with a feature that has no latent, if the two occur together.

Chanin, Dulka and Garriga-Alonso 2025, "Feature Hedging" (2505.11756): an autoencoder that is too narrow mixes part of
a missing, correlated feature into a latent. With one latent that tracks feature i, least squares adds feature j by
the slope of its regression, Cov(x_i, x_j) / Var(x_i), whatever the sparsity.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.autoencoders.inference import dictionary
from experiments.core.autoencoders.specification import Autoencoder, Specification
from experiments.core.autoencoders.train import train_autoencoders
from experiments.core.contract import Experiment, Finding, Verdict
from experiments.core.quantities import Quantity, mean
from experiments.core.splits.failures import hedge
from experiments.core.worlds import CorrelatedWorld, family, unrelated

Array = NDArray[np.float64]

ARMS = ("one latent, child needs parent", "one latent, independent", "two latents, child needs parent")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run: a parent and one child, and the same two features independent."""

    seed: int = 0
    seeds: int = 8
    parent: float = 0.25
    children: tuple[float, ...] = (0.05, 0.15, 0.3, 0.5, 0.7, 0.9)  # probability of the child, given the parent
    hidden: int = 4
    spread: float = 0.15
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class Result:
    """`hedge` (arm, child, seed), loading of the missing feature in the latent of the parent relative to the parent's
    own; and its prediction `slope` (child,)."""

    children: Array
    hedge: Array
    slope: Array
    numbers: dict[str, Quantity]


experiment = Experiment(
    __name__,
    title="Hedging",
    config=Config(),
    quick=Config(seeds=2, children=(0.15, 0.5, 0.9), steps=500),
    large=Config(seeds=50, steps=20_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    arms = [_arm(config, device, arm) for arm in range(len(ARMS))]
    slope = np.array([predicted_slope(config.parent, given, config.spread) for given in config.children])
    return Result(np.array(config.children), np.array(arms), slope, _numbers(np.array(arms), slope))


def _arm(config: Config, device: str, arm: int) -> Array:
    """Return the hedge (child, seed) of one arm."""
    cells = list(product(config.children, range(config.seeds)))
    worlds = [_world(config, given, s, together=arm != 1) for given, s in cells]
    width = 2 if arm == 2 else 1
    models = tuple(
        Autoencoder("batchtopk", width, _active(config, given, width), seed=1000 * arm + place, source=place)
        for place, (given, _) in enumerate(cells)
    )
    specification = Specification(models, config.steps, config.batch, config.learning_rate, seed=config.seed)
    trained = train_autoencoders(worlds, specification, device=device)
    rows = [dictionary(trained.state, models, place) for place in range(len(models))]
    found = [hedge(row, world.directions, 0, 1) for row, world in zip(rows, worlds, strict=True)]
    return np.array(found).reshape(len(config.children), config.seeds)


def _active(config: Config, given: float, width: int) -> float:
    """Return how many features that have a latent are present on average."""
    return config.parent * (1 + given) if width == 2 else config.parent


def _world(config: Config, given: float, s: int, together: bool) -> CorrelatedWorld:
    seed = 1000 * config.seed + s
    if together:
        return family(config.parent, [given], config.hidden, seed, config.spread)
    return unrelated([config.parent, config.parent * given], config.hidden, seed, spread=config.spread)


def predicted_slope(parent: float, given: float, spread: float) -> float:
    """Return Cov(x_parent, x_child) / Var(x_parent) = q (1 - p) / (1 + spread^2 - p), with unit mean values.

    E x_p x_c = p q, so Cov = p q - p (p q); and Var = p (1 + spread^2) - p^2.
    """
    return given * (1 - parent) / (1 + spread**2 - parent)


def _numbers(found: Array, slope: Array) -> dict[str, Quantity]:
    error = np.abs(found[0] - slope[:, None]).max(0)
    return {
        "largest_error": mean(error),
        "largest_independent": mean(np.abs(found[1]).max(0)),
        "largest_two": mean(np.abs(found[2]).max(0)),
        "hedge_most": mean(found[0, -1]),
        "slope_most": Quantity(float(slope[-1]), method="closed form"),
    }


@experiment.figure(
    "failure-hedging",
    title="Hedging",
    caption="How much of a child feature is mixed into the latent of its parent when there is no latent for the "
    "child. It follows the slope of a regression (dashed); with an independent second feature it stays within "
    "{numbers.largest_independent:.3f} of zero, in the mean over seeds of the largest. With a second latent it goes "
    "away or turns into absorption.",
    alt="Points that rise along a dashed line with the probability of the child; a second series near zero for "
    "independent features; and a third for two latents.",
    interval="Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.2)
    for k, arm in enumerate(ARMS):
        plotting.points(ax, result.children, [mean(row) for row in result.hedge[k]], label=arm, index=k)
    plotting.theory_line(ax, result.children, result.slope, label="regression slope")
    plotting.guide(ax, 0.0)
    ax.set(xlabel="probability of the child, given its parent", ylabel="child's loading / parent's")
    plotting.legend(ax)
    return figure


@experiment.claim(
    "failure-hedging",
    title="A latent hedges: it takes in a missing feature by the slope of its regression",
    source='Chanin, Dulka and Garriga-Alonso 2025, "Feature Hedging"',
    test="One latent, a parent and a child. Statistic: largest distance, over probabilities of the child, of the "
    "child's relative loading from Cov/Var, per seed; beside it the largest loading of an independent feature.",
    criterion="Supported if both intervals lie below 0.1; refuted if the first lies above 0.3; mixed otherwise.",
    figures=("failure-hedging",),
)
def decide(result: Result) -> Finding:
    error, chance = result.numbers["largest_error"], result.numbers["largest_independent"]
    assert error.low is not None
    assert error.high is not None
    assert chance.high is not None
    if error.high < 0.1 and chance.high < 0.1:
        return Finding(error, Verdict.SUPPORTED)
    return Finding(error, Verdict.REFUTED if error.low > 0.3 else Verdict.MIXED)
