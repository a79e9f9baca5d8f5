"""Hedging: what a latent does with a feature that has no latent, if the two occur together.

Chanin, Dulka and Garriga-Alonso 2025, "Feature Hedging" (2505.11756): an autoencoder that is too narrow mixes part of
a missing, correlated feature into a latent. With one latent that fires when the parent is present, the best decoder
row is the first principal component of the activations, so the mixture can be calculated.
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
from experiments.core.contract import Experiment
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, exact, median, share
from experiments.core.synthetic_data import CorrelatedWorld, family, unrelated

Array = NDArray[np.float64]

ARMS = ("child needs parent", "independent")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run: a parent and one child, and the same two features independent."""

    seed: int = 0
    seeds: int = 16  # each with directions, data and first weights of its own
    parent: float = 0.25
    children: tuple[float, ...] = (0.05, 0.15, 0.3, 0.5, 0.7, 0.9)  # probability of the child, given the parent
    hidden: int = 4
    spread: float = 0.15
    steps: int = 3000
    batch: int = 256
    learning_rate: float = 3e-3


@dataclass(frozen=True)
class Numbers:
    """Distances of the loading from its prediction, largest over probabilities of the child, medians over seeds.

    `error` is of all latents, `error_upright` of upright ones; `independent` is the loading of an independent feature.
    `upright` are shares of runs.
    """

    error: Quantity
    error_upright: Quantity
    independent: Quantity
    upright: Quantity
    upright_independent: Quantity
    hedge_most: Quantity
    predicted_most: Quantity


@dataclass(frozen=True)
class Result:
    """`hedge` is the loading of the other feature in the latent relative to that of the feature it tracks.

    `upright` says whether that feature's loading is positive. `predicted` is the hedge of an upright latent,
    `overturned` that of one that points away from the feature.
    """

    children: Array  # (child,)
    hedge: Array  # (arm, child, seed)
    upright: NDArray[np.bool_]  # (arm, child, seed)
    predicted: Array  # (child,)
    overturned: Array  # (child,)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Hedging",
    config=Config(),
    quick=Config(seeds=4, children=(0.15, 0.5, 0.9), steps=500),
    large=Config(seeds=64, steps=20_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    found = np.array([_arm(config, device, arm) for arm in range(len(ARMS))])
    predicted = np.array([predicted_hedge(config.parent, given, config.spread) for given in config.children])
    upright = found[:, 1] > 0
    children = np.array(config.children)
    return Result(
        children, found[:, 0], upright, predicted, children, _numbers(found[:, 0], upright, predicted, children)
    )


def _arm(config: Config, device: str, arm: int) -> Array:
    """Return the hedge and the tracked feature's loading (2, child, seed) of one arm."""
    cells = list(product(range(len(config.children)), range(config.seeds)))
    worlds = [_world(config, config.children[place], s, together=arm == 0) for place, s in cells]
    models = tuple(
        Autoencoder("batchtopk", 1, config.parent, seed=10_000 * arm + 100 * place + s, source=i)
        for i, (place, s) in enumerate(cells)
    )
    specification = Specification(models, config.steps, config.batch, config.learning_rate, seed=config.seed)
    trained = train_autoencoders(worlds, specification, device=device)
    loadings = np.array(
        [dictionary(trained.state, models, i)[0].astype(np.float64) @ worlds[i].directions.T for i in range(len(cells))]
    )
    if arm == 1:  # a single latent may track either of two independent features
        loadings = np.take_along_axis(loadings, np.argsort(-np.abs(loadings), axis=1), axis=1)
    found = np.array([loadings[:, 1] / loadings[:, 0], loadings[:, 0]])
    return found.reshape(2, len(config.children), config.seeds)


def _world(config: Config, given: float, s: int, together: bool) -> CorrelatedWorld:
    seed = 1000 * config.seed + s
    if together:
        return family(config.parent, [given], config.hidden, seed, config.spread)
    return unrelated([config.parent, config.parent * given], config.hidden, seed, spread=config.spread)


def predicted_hedge(parent: float, given: float, spread: float) -> float:
    """Return the ratio of child to parent in the first principal component of the activations.

    The latent fires when the parent is present; off, x = 0 and the answer is b. Along w the error is nil when on, so
    b has no part there, and its part across w is the weighted mean p E[x | on]. What is left is the trace of Cov(x)
    outside w: least if w is the first principal component. With values of mean 1, the covariance follows from p and q
    = `given`.
    """
    square = 1 + spread**2
    both = parent * given - parent * (parent * given)
    first, second = parent * square - parent**2, parent * given * square - (parent * given) ** 2
    vector = np.linalg.eigh(np.array([[first, both], [both, second]]))[1][:, -1]
    return float(vector[1] / vector[0])


def _numbers(found: Array, upright: NDArray[np.bool_], predicted: Array, children: Array) -> Numbers:
    expected = np.array([np.where(upright[0], predicted[:, None], children[:, None]), np.zeros_like(found[1])])
    errors = np.abs(found - expected)
    return Numbers(
        error=median(errors[0].max(0)),
        error_upright=median(_over_upright(errors[0], upright[0])),
        independent=median(_over_upright(errors[1], upright[1])),
        upright=share(upright[0]),
        upright_independent=share(upright[1]),
        hedge_most=median(found[0, -1]),
        predicted_most=exact(predicted[-1], method="closed form"),
    )


def _over_upright(errors: Array, upright: NDArray[np.bool_]) -> Array:
    """Return each seed's largest error (seed,) over the probabilities at which its latent is upright; 0 if none is."""
    return np.asarray(np.where(upright, errors, 0.0).max(0))


@experiment.figure(
    "failure-hedging",
    title="Hedging",
    caption="With one latent for a parent and its child, an upright latent holds both as the first principal component "
    "does (dashed), or a little more of the child. (a) Share of the child in the parent's latent. In "
    "{numbers.upright:%} of runs the latent is upright; in the others (open circles) it points away from the parent, "
    "fires when the parent is absent, and holds the child in the proportion of its probability. (b) Two independent "
    "features: upright latents hold one of them and nothing of the other.",
    alt="Two panels against the probability of the child. Left, filled points along a dashed curve above the diagonal "
    "and open points below it, on the diagonal. Right, filled points at zero and open points elsewhere.",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.3, sharey=True)
    for k, (ax, arm) in enumerate(zip(axes, ARMS, strict=True)):
        x = np.broadcast_to(result.children[:, None], result.hedge[k].shape)
        for marks, filled, label in ((result.upright[k], True, "upright"), (~result.upright[k], False, "upside down")):
            tone = plotting.series(k)
            ax.scatter(
                x[marks],
                result.hedge[k][marks],
                s=20,
                facecolor=tone if filled else "none",
                edgecolor=tone,
                linewidths=0.9,
                label=label,
            )
        ax.set(title=arm, xlabel="probability of the child, given its parent", ylim=(-0.15, 1.15))
    plotting.theory_line(axes[0], result.children, result.predicted, label="first principal component")
    plotting.guide(axes[1], 0.0)
    axes[0].set_ylabel("second feature / first, in the latent")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.claim(
    "failure-hedging",
    title="With no latent for the child, the parent's latent becomes the first principal component of both",
    source='Chanin, Dulka and Garriga-Alonso 2025, "Feature Hedging"',
    test="One latent, a parent and a child. Statistic: largest distance, over probabilities of the child, of an "
    "upright latent's relative loading of the child from that of the first principal component, median over seeds; "
    "beside it the largest loading of an independent feature in an upright latent.",
    criterion=Criterion(
        supported_if(where(distance=Below(0.1), independent=Below(0.1))),
        refuted_if(where(distance=Above(0.3))),
        otherwise=Verdict.MIXED,
        names={"distance": "the distance", "independent": "the loading of an independent feature"},
    ),
    figures=("failure-hedging",),
    published=Verdict.SUPPORTED,
)
def distance_from_the_component(result: Result) -> Evidence:
    return Evidence(distance=result.numbers.error_upright, independent=result.numbers.independent)
