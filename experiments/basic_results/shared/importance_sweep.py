"""Models whose features fall off in importance by a constant factor, trained over densities and measured.

Feature i has importance decay^i, i = 0, 1, 2, ... One set of seeds is trained at every density, with a linear or a
ReLU output, and measured model by model: which features are represented, which share directions, with which biases.

Source: Elhage et al. 2022, "Demonstrating superposition".
"""

from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basic_results.shared.loss_terms import linear_loss, loss_terms
from experiments.core.geometry.theory import absent_loss
from experiments.core.metrics import cosines, directions, gram, norms, represented, superposition
from experiments.core.training.seeds import instance_seeds
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.starts import raised_start
from experiments.core.training.train import train

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

SUPERPOSED = 0.1
"""A feature shares its direction when its superposition exceeds this: a tenth of its own squared length."""

ANTIPODAL = -0.95
"""Two features are an antipodal pair when their cosine lies below this: within 18 degrees of opposite."""


@dataclass(frozen=True)
class Ladder:
    """A model size and the factor by which importance falls from each feature to the next."""

    features: int
    hidden: int
    decay: float
    output: Literal["relu", "linear"] = "relu"

    @property
    def importance(self) -> Array:
        """Importances (feature,), the first of them 1."""
        return np.asarray(self.decay ** np.arange(self.features, dtype=np.float64))


@dataclass(frozen=True)
class Training:
    """How long and on how many samples at a time: `batches` are (density from which on, samples) pairs.

    The rate falls to 0 along a cosine. Adam's epsilon is far below the notebook's, for the gradients of a rare and
    unimportant feature are about as small as its usual 1e-8. Biases start at the mean input unless `raised` is off,
    so that no output is dead from the start.
    """

    steps: int
    batches: tuple[tuple[float, int], ...]
    learning_rate: float = 1e-2
    schedule: Literal["cosine", "constant"] = "cosine"
    epsilon: float = 1e-15
    weight_decay: float = 0.0
    raised: bool = True
    start_scale: float = 1.0

    def batch(self, density: float) -> int:
        """Return the number of samples of a step at `density`."""
        return next(size for least, size in self.batches if density >= least)


class Models(NamedTuple):
    """Trained weights: `W` (density, seed, hidden, feature), `b` (density, seed, feature)."""

    W: Array
    b: Array


def train_ladder(
    ladder: Ladder, densities: ArrayLike, training: Training, seeds: int, seed: int, device: str
) -> Models:
    """Train `seeds` models at every density; a seed starts from the same W at every density.

    Densities that share a batch size train in one call. Raises `DivergedError` should a run diverge.
    """
    p = np.asarray(densities, dtype=np.float64)
    sizes = np.array([training.batch(value) for value in p])
    W = np.zeros((len(p), seeds, ladder.hidden, ladder.features))
    b = np.zeros((len(p), seeds, ladder.features))
    for size in np.unique(sizes):
        cases = np.flatnonzero(sizes == size)
        found = _train_cases(ladder, p[cases], training, int(size), seeds, seed, device)
        W[cases], b[cases] = found.W.reshape(W[cases].shape), found.b.reshape(b[cases].shape)
    return Models(W, b)


def _train_cases(
    ladder: Ladder, p: Array, training: Training, batch: int, seeds: int, seed: int, device: str
) -> Weights:
    start = raised_start(Model(ladder.features, ladder.hidden), seeds, 0.0, seed)
    density = np.repeat(p, seeds)
    W = np.tile(training.start_scale * start.W, (len(p), 1, 1))
    b = np.tile(start.b, (len(p), 1)) + training.raised * density[:, None] / 2
    streams = tuple(int(own) for own in instance_seeds(seed, None, seeds)) * len(p)
    return _train_from(ladder, density, training, batch, Models(W, b), streams, device)


def train_on(ladder: Ladder, density: float, training: Training, start: Models, seed: int, device: str) -> Models:
    """Train given models, `W` (seed, hidden, feature) and `b` (seed, feature), further at one density."""
    seeds = len(start.W)
    streams = tuple(int(own) for own in instance_seeds(seed, None, seeds))
    p = np.full(seeds, density)
    found = _train_from(ladder, p, training, training.batch(density), start, streams, device)
    return Models(found.W.astype(np.float64), found.b.astype(np.float64))


def _train_from(
    ladder: Ladder, p: Array, training: Training, batch: int, start: Models, streams: tuple[int, ...], device: str
) -> Weights:
    recipe = Recipe(
        steps=training.steps,
        batch=batch,
        learning_rate=training.learning_rate,
        schedule=training.schedule,
        epsilon=training.epsilon,
        weight_decay=training.weight_decay,
        start=Weights(start.W.astype(np.float32), start.b.astype(np.float32)),
        instance_seeds=streams,
    )
    model = Model(ladder.features, ladder.hidden, output=ladder.output)
    return train(Data(p[:, None], ladder.importance[None]), model, recipe, device=device).weights


def revived(models: Models, length: float, generator: np.random.Generator) -> Models:
    """Return models (seed, ...) whose absent features start anew: a random direction of this length, a bias of 0.

    An output that no input makes positive gets no gradient; this gives each of them another chance.
    """
    absent = ~represented(models.W)
    fresh = length * directions(generator.standard_normal(models.W.shape))
    return Models(np.where(absent[:, None, :], fresh, models.W), np.where(absent, 0.0, models.b))


def relative_loss(ladder: Ladder, models: Models, densities: ArrayLike, samples: int, seed: int) -> Array:
    """Return losses (density, seed) over that of answering the mean: 1 is nothing learned, 0 perfect.

    Exact for a linear output; for a ReLU, sets of up to one feature are exact and larger ones sampled, `samples`
    for each number of present features. Each seed has samples of its own, common to its densities and to other models
    measured with the same `seed`, so that the spread over seeds holds the error of sampling too. To compare seeds with
    each other use `best_seeds`.
    """
    p = np.asarray(densities, dtype=np.float64)
    scale = absent_loss(p) * ladder.importance.mean()
    if ladder.output == "linear":
        return np.asarray(linear_loss(models.W, models.b, p[:, None], ladder.importance) / scale[:, None])
    found = [
        loss_terms(models.W[:, k], models.b[:, k], p, ladder.importance, samples=samples, seed=[seed, k]).loss / scale
        for k in range(models.b.shape[1])
    ]
    return np.stack(found, axis=1)


def best_seeds(
    ladder: Ladder, models: Models, densities: ArrayLike, loss: Array, samples: int, seed: int, shortlist: int = 8
) -> NDArray[np.int64]:
    """Return the seed of least loss at each density, (density,).

    With samples of its own a seed can look best by luck. So the `shortlist` of seeds that are lowest in `loss`
    (density, seed) are compared on samples common to all of them. For linear models the loss is exact and decides.
    """
    p = np.asarray(densities, dtype=np.float64)
    if ladder.output == "linear":
        return np.asarray(loss.argmin(1))
    listed = np.argsort(loss, axis=1, kind="stable")[:, :shortlist]
    found = []
    for case, seeds in enumerate(listed):
        terms = loss_terms(
            models.W[case, seeds], models.b[case, seeds], p[case], ladder.importance, samples=samples, seed=[seed]
        )
        found.append(seeds[terms.loss.argmin()])
    return np.array(found)


def least_linear_loss(ladder: Ladder) -> float:
    """Return the least relative loss of a linear model: it keeps the `hidden` most important features."""
    importance = ladder.importance
    return float(importance[ladder.hidden :].sum() / importance.sum())


class Measures(NamedTuple):
    """What each model does, all (density, seed).

    `live` counts represented features; `top` whether these are the `hidden` most important ones; `worst` is the
    largest superposition of a live feature; `shared` the share of live features in superposition; `paired` the share
    of those that have an antipodal partner; `first_shared` the rank, from 1, of the most important one (the number of
    features plus 1 where there is none); `negative` the share of live features with a bias below 0, `strongly` below
    -0.05.
    """

    live: Array
    top: Flags
    worst: Array
    shared: Array
    paired: Array
    first_shared: Array
    negative: Array
    strongly: Array


def measure(ladder: Ladder, models: Models) -> Measures:
    """Return the measures of `models`; shares of nothing are 0."""
    W, b = models
    live, crowded = represented(W), superposition(W)
    shared = live & (crowded > SUPERPOSED)
    opposite = np.where(live[..., None, :], cosines(W), 0.0).min(-1) < ANTIPODAL
    rank = np.arange(1, ladder.features + 1)
    return Measures(
        live=live.sum(-1).astype(np.float64),
        top=np.asarray((live == (rank <= ladder.hidden)).all(-1)),
        worst=np.where(live, crowded, 0.0).max(-1),
        shared=_share(shared, live),
        paired=_share(shared & opposite, shared),
        first_shared=np.where(shared, rank, ladder.features + 1.0).min(-1),
        negative=_share(live & (b < 0), live),
        strongly=_share(live & (b < -0.05), live),
    )


def _share(hits: Flags, among: Flags) -> Array:
    count = among.sum(-1)
    return np.asarray(np.divide(hits.sum(-1), count, out=np.zeros(count.shape), where=count > 0))


def identity_error(ladder: Ladder, models: Models) -> Array:
    """Return the largest |W^T W - target| (density, seed), the target 1 for the top features' own entries, else 0."""
    kept = np.diag((np.arange(ladder.features) < ladder.hidden).astype(np.float64))
    return np.asarray(np.abs(gram(models.W) - kept).max((-1, -2)))


def absent_bias_error(models: Models, densities: ArrayLike) -> Array:
    """Return the largest |b_i - p/2| (density, seed) over features that are not represented (0 if all are)."""
    p = np.asarray(densities, dtype=np.float64)[:, None, None]
    return np.asarray(np.where(represented(models.W), 0.0, np.abs(models.b - p / 2)).max(-1))


def only(models: Models, densities: ArrayLike, wanted: ArrayLike) -> Models:
    """Return the models of the densities in `wanted`, in that order."""
    cases = [int(np.argmin(np.abs(np.asarray(densities) - value))) for value in np.asarray(wanted)]
    return Models(models.W[cases], models.b[cases])


@dataclass(frozen=True)
class Picture:
    """What is drawn of one model per density."""

    gram: Array  # (density, n, n)
    b: Array  # (density, n)
    norm: Array  # (density, n)
    superposition: Array  # (density, n)


def joined(one: Picture, other: Picture) -> Picture:
    """Return the models of both, one after the other."""
    return Picture(*(np.concatenate([getattr(each, field.name) for each in (one, other)]) for field in fields(Picture)))


def picture_of(models: Models, chosen: NDArray[np.int64]) -> Picture:
    """Return the model of the `chosen` seed (density,) at each density."""
    case = np.arange(len(chosen))
    W, b = models.W[case, chosen], models.b[case, chosen]
    return Picture(gram(W), b, norms(W), superposition(W))


def slower(training: Training, factor: int) -> Training:
    """Return the same training with `factor` times as many steps."""
    return replace(training, steps=factor * training.steps)
