"""The model of the absolute value, how it starts, how it is trained, and what it gets wrong.

h = ReLU(W x), y = ReLU(R h + b), target |x|; no hidden bias. Elhage et al. 2022, "Computation in superposition".

**The start matters when features are rare.** An output that is negative whenever its own feature is present passes no
gradient there and never learns. With an ordinary start that is the fate of many outputs: the read-out has random signs,
and Adam's first steps, all of one size, carry the small biases below zero. So R starts with its entries' absolute
values, W and R start small, b starts at E|x| = p/2 and the learning rate rises slowly. `ORDINARY` is the start without.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.losses.evaluation import evaluate
from experiments.core.training import Data, Model, Recipe, Weights, train

Array = NDArray[np.float64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Start:
    """How training starts: weights are normal with variance 2/(hidden + feature), times `scale` (W) or `read` (R)."""

    scale: float = 0.15
    read: float = 0.15
    positive: bool = True  # the read-out starts with its entries' absolute values
    warmup: float = 0.25  # share of the steps over which the learning rate rises


PREPARED = Start()
ORDINARY = Start(scale=1.0, read=1.0, positive=False, warmup=0.0)


@dataclass(frozen=True)
class Training:
    """How long and fast; `batch` is that of the densest models, rarer features get more (see `batch_at`)."""

    steps: int = 4000
    batch: int = 256
    present: int = 10  # a batch grows until a feature is present so many times on average
    most: int = 4096  # samples per batch, at most
    learning_rate: float = 1e-2
    beta2: float = 0.99  # a short memory of squared gradients, which for rare features vary much
    start: Start = PREPARED


def batch_at(training: Training, p: float) -> int:
    """Return the samples per batch at density `p`: doubled until a feature is `present` often enough, or `most`."""
    batch = training.batch
    while batch * p < training.present and 2 * batch <= training.most:
        batch *= 2
    return batch


def absolute(features: int, hidden: int, *, relu_hidden: bool = True, relu_output: bool = True) -> Model:
    """Return the two-layer model of |x|; either ReLU can be left out for a control."""
    return Model(
        features,
        hidden,
        output="relu" if relu_output else "linear",
        hidden_activation="relu" if relu_hidden else "linear",
        tied=False,
        target="absolute",
    )


def first_weights(start: Start, model: Model, density: Array, seed: int, seeds: int) -> Weights:
    """Return the first weights of instances (case, seed) at `density` (case,), cases outermost.

    A seed starts from the same W and R in every case, so that cases can be compared seed by seed.
    """
    n, d = model.features, model.hidden
    generators = [np.random.default_rng([seed, k]) for k in range(seeds)]
    drawn = np.stack([generator.standard_normal((2, d, n)) for generator in generators])
    drawn *= np.sqrt(2 / (n + d))
    W, read = start.scale * drawn[:, 0], start.read * drawn[:, 1]
    read = np.abs(read) if start.positive else read
    b = np.repeat(density[:, None] / 2, n, axis=1).repeat(seeds, axis=0)
    cases = (len(density), 1, 1)
    return Weights(
        np.tile(W, cases).astype(np.float32),
        b.astype(np.float32),
        np.ascontiguousarray(np.tile(read.swapaxes(1, 2), cases), dtype=np.float32),
    )


def trained_at(
    training: Training,
    model: Model,
    p: float,
    importance: Array,
    seed: int,
    seeds: int,
    device: str,
    *,
    learn_W: bool = True,
) -> Weights:
    """Train `seeds` models at density `p` for each row of `importance` (arm, feature); instances run (arm, seed).

    Importance is scaled to a mean of one, which leaves the minimum where it is. Adam's epsilon is so small that the
    least important features, whose gradients are tiny, move as well.
    """
    arms = len(importance)
    weight = np.repeat(importance / importance.mean(1, keepdims=True), seeds, axis=0)
    density = np.full(arms, p)
    recipe = Recipe(
        training.steps,
        batch_at(training, p),
        training.learning_rate,
        schedule="cosine",
        warmup=round(training.start.warmup * training.steps),
        beta2=training.beta2,
        epsilon=1e-12,
        start=first_weights(training.start, model, density, seed, seeds),
        seed=int(np.random.SeedSequence([seed, round(1e6 * p)]).generate_state(1)[0]),
        frozen=() if learn_W else ("W",),
    )
    return train(Data(p, weight, signed=True), model, recipe, arms * seeds, device).weights


def relative_errors(weights: Weights, model: Model, p: float, samples: int, seed: int, seeds: int) -> Array:
    """Return E (|x_i| - y_i)^2 / (p/3) (instance, feature) for instances that run (arm, seed).

    Samples in which no feature is present are all alike and counted exactly; the others are drawn, anew for every
    seed and the same for its arms. The sum of both is weighted with their probabilities.
    """
    empty = (1 - p) ** model.features
    error = np.empty(weights.b.shape)
    for k in range(seeds):
        chosen = slice(k, None, seeds)
        x = present_samples(np.random.default_rng([seed, 1, k]), samples, model.features, p)
        found = evaluate(part(weights, chosen), Data(p, samples=x, signed=True), model)
        error[chosen] = (1 - empty) * found.feature_loss
    b = weights.b.astype(np.float64)
    at_nothing = np.maximum(b, 0.0) if model.output == "relu" else b
    return np.asarray((error + empty * at_nothing**2) / (p / 3))


def present_samples(generator: np.random.Generator, count: int, features: int, p: float) -> Floats:
    """Return samples (count, feature) given that at least one feature is present."""
    kept = 1 - (1 - p) ** features
    rows: list[Floats] = []
    while sum(map(len, rows)) < count:
        draw = min(int(1.2 * count / kept) + 100, 4_000_000 // features)
        active = generator.random((draw, features), dtype=np.float32) < p
        active = active[active.any(1)]
        rows.append(np.where(active, generator.uniform(-1, 1, active.shape), 0.0).astype(np.float32))
    return np.concatenate(rows)[:count]


def part(weights: Weights, chosen: slice) -> Weights:
    """Return some instances of `weights`."""
    W_out = None if weights.W_out is None else weights.W_out[chosen]
    return Weights(weights.W[chosen], weights.b[chosen], W_out)


def total(error: ArrayLike, importance: Array) -> Array:
    """Return the importance-weighted mean (...) of relative errors (..., feature)."""
    return np.asarray(np.asarray(error) @ importance / importance.sum())


def outputs(weights: Weights, instance: int, x: Floats) -> Floats:
    """Return y (sample, feature) of one two-layer model with both ReLUs on samples x (sample, feature)."""
    assert weights.W_out is not None
    h = np.maximum(x @ weights.W[instance].T, 0)
    return np.asarray(np.maximum(h @ weights.W_out[instance].T + weights.b[instance], 0))


def errors_by_count(
    weights: Weights, instance: int, counts: tuple[int, ...], samples: int, seed: tuple[int, ...]
) -> tuple[Array, Array]:
    """Return squared errors of one model by how many features are present: of those (count,), and of all others.

    Both are sums over a sample's features, divided by 1/3 (the mean square of a present feature) and by the number
    present: 1 is what the constant 0 loses on the present ones, and the second is what leaks into absent ones for each
    that is present. All sets of present features are equally likely.
    """
    features = weights.b.shape[1]
    own, leak = np.empty(len(counts)), np.empty(len(counts))
    for place, count in enumerate(counts):
        generator = np.random.default_rng([*seed, count])
        active = generator.random((samples, features), dtype=np.float32).argsort(1) < count
        x = np.where(active, generator.uniform(-1, 1, active.shape), 0.0).astype(np.float32)
        square = (outputs(weights, instance, x).astype(np.float64) - np.abs(x)) ** 2
        own[place] = 3 * square[active].sum() / (count * samples)
        leak[place] = 3 * square[~active].sum() / (count * samples)
    return own, leak
