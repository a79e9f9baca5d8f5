"""No better than chance: which scores tell a trained autoencoder from baselines that have learned nothing of the
features?

The baselines: a decoder frozen at random directions (only the encoder learns), and a randomised model, that is
activations with the same mean and covariance but normal, so without any sparse feature. "Sanity Checks for Sparse
Autoencoders" (2602.14111) finds such baselines close to trained autoencoders by common scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.failures import purity
from experiments.core import plotting
from experiments.core.autoencoders.evaluation import evaluate_autoencoders
from experiments.core.autoencoders.inference import encode
from experiments.core.autoencoders.sources import EVALUATION, Source, stream
from experiments.core.autoencoders.specification import Autoencoder, Specification
from experiments.core.autoencoders.train import Trained, train_autoencoders
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, mean
from experiments.core.synthetic_data import ClusterShape, ClusterWorld, flat, normal_twin

Array = NDArray[np.float64]

ARMS = ("trained", "frozen decoder", "randomised model", "random latents")
SCORES = ("explained variance", "top activations", "recall", "MMCS", "coverage")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run: unrelated features, two per dimension, one latent per feature."""

    seed: int = 0
    seeds: int = 12
    clusters: int = 8
    leaves: int = 8
    hidden: int = 32
    true_l0: float = 2.0
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 5e-3
    resample: int = 250
    top: int = 20  # strongest activations of a latent that a reader would look at
    samples: int = 20_000

    @property
    def shape(self) -> ClusterShape:
        """The sizes of the world; all features are equally frequent."""
        return ClusterShape(self.clusters, self.leaves, self.hidden, self.true_l0, zipf=0.0)


SHORT_ARMS = ("trained", "frozen", "normal", "nothing")
SHORT_SCORES = ("explained", "top", "recall", "mmcs", "coverage")


def number_names(config: Config) -> list[str]:
    """Return names such as "recall_frozen", and "share_recall" for the better baseline over the trained score."""
    return [f"{score}_{arm}" for score in SHORT_SCORES for arm in SHORT_ARMS] + [f"share_{s}" for s in SHORT_SCORES]


@dataclass(frozen=True)
class Result:
    """Scores in the order of `ARMS` and `SCORES`, all in [0, 1] and judged on the real world."""

    scores: Array  # (arm, score, seed)
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Random baselines",
    config=Config(),
    quick=Config(seeds=2, clusters=4, leaves=4, hidden=12, true_l0=1.0, steps=300, samples=4000),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    worlds = [flat(config.shape, 1000 * config.seed + s) for s in range(config.seeds)]
    twins = [normal_twin(world, config.samples, 1000 * config.seed + s) for s, world in enumerate(worlds)]
    arms = [
        _train(config, worlds, device),
        _train(config, worlds, device, frozen=True),
        _train(config, twins, device),
        _train(config, worlds, device, steps=1, frozen=True),
    ]
    scores = np.array([_scores(config, worlds, trained) for trained in arms])
    return Result(scores, _numbers(scores))


def _train(config: Config, sources: Sequence[Source], device: str, steps: int = 0, frozen: bool = False) -> Trained:
    width = config.clusters * config.leaves
    models = tuple(
        Autoencoder("batchtopk", width, config.true_l0, seed=s, source=s, frozen=frozen) for s in range(config.seeds)
    )
    specification = Specification(
        models,
        steps=steps or config.steps,
        batch=config.batch,
        learning_rate=config.learning_rate,
        aux=True,
        resample=config.resample,
        seed=config.seed,
    )
    return train_autoencoders(sources, specification, device=device)


def _scores(config: Config, worlds: list[ClusterWorld], trained: Trained) -> Array:
    """Return scores (score, seed) of one arm on the real worlds."""
    found = evaluate_autoencoders(trained, worlds, samples=config.samples, seed=config.seed)
    pure = [_purity(config, world, trained, s) for s, world in enumerate(worlds)]
    return np.array([found.explained, pure, found.recall, found.mmcs, found.coverage])


def _purity(config: Config, world: ClusterWorld, trained: Trained, s: int) -> float:
    batch = world.draw(stream(config.seed, EVALUATION, s), config.samples)
    latents = encode(trained.state, trained.models, s, batch.activations)
    return purity(latents, batch.features > 0, config.top)


def _numbers(scores: Array) -> dict[str, Quantity]:
    found = {
        f"{key}_{arm}": mean(scores[a, k], within=(0, 1))
        for a, arm in enumerate(SHORT_ARMS)
        for k, key in enumerate(SHORT_SCORES)
    }
    for k, key in enumerate(SHORT_SCORES):
        best, trained = scores[1:3, k].max(0), scores[0, k]
        found[f"share_{key}"] = mean(np.where(trained > 0, best / np.where(trained > 0, trained, 1), 1.0))
    return found


@experiment.figure(
    "failure-random",
    title="Which scores see a difference",
    caption="The better of two baselines, frozen decoder and randomised model, reaches {numbers.share_top:%} of the "
    "trained score by what the strongest activations have in common, {numbers.share_explained:%} by explained "
    "variance, and {numbers.share_coverage:% value} by coverage, the share of features with a latent of their own. "
    "Five scores on the same worlds. MMCS: mean over features of the cosine with the nearest latent.",
    alt="Five groups of points with error bars, four arms in each. Trained autoencoders are high in all. Baselines "
    "come closest by top activations, reach about half or less by explained variance and MMCS, less by recall, and are "
    "at zero by coverage.",
    interval="Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(height=3.2)
    place = np.arange(len(SCORES))
    for k, arm in enumerate(ARMS):
        values = [mean(row, within=(0, 1)) for row in result.scores[k]]
        plotting.marked(plotting.points(ax, place + 0.12 * (k - 1.5), values, label=arm, index=k), k)
    ax.set_xticks(place, SCORES)
    ax.set(ylabel="score", ylim=(-0.03, 1.03))
    plotting.legend(ax)
    return figure


@experiment.claim(
    "failure-random",
    title="Baselines that learned no feature score well by top activations and poorly by coverage",
    source="Sanity Checks for Sparse Autoencoders (2602.14111)",
    test="Unrelated features, two per dimension. Statistic: the better baseline's score, of frozen decoder and "
    "randomised model, as a share of the trained one's, by what a latent's strongest activations have in common; "
    "beside it by coverage.",
    criterion=Criterion(
        supported_if(where(top=Above(0.7), coverage=Below(0.3))),
        refuted_if(where(top=Below(0.5)) | where(coverage=Above(0.7))),
        otherwise=Verdict.MIXED,
        names={"top": "the share by top activations", "coverage": "the share by coverage"},
    ),
    figures=("failure-random",),
    published=Verdict.SUPPORTED,
)
def share_of_baselines(result: Result) -> Evidence:
    return Evidence(top=result.numbers["share_top"], coverage=result.numbers["share_coverage"])
