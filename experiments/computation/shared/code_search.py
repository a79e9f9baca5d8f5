"""Configuration, results and computation of the codes that neurons form; `privileged_basis` draws and decides."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.codes import (
    Census,
    binary_code,
    census,
    code_numbers,
    in_order,
    neuron_alignment,
    rotated,
)
from experiments.core.best_of import best_of_some
from experiments.core.contract import keyed
from experiments.core.losses.evaluation import evaluate
from experiments.core.quantities import RESAMPLES, Quantity, bootstrap, exact, mean, share
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float64]

PAPER = ((0.5, (5, 0, 0)), (0.2, (3, 2, 3)), (0.15, (2, 3, 5)), (0.12, (1, 4, 6)), (0.05, (0, 5, 8)), (0.0, (0, 5, 10)))
"""The paper's regimes: from this density on, neurons with one feature, neurons that share, features these hold."""

BESIDE_BEST = "share of the models of this run; others may hold a better best, so no interval"

ARMS = ("linear hidden layer", "ReLU hidden layer", "ReLU and hidden biases")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    features: int = 10
    hidden: int = 5
    decay: float = 0.75  # importance of feature i is decay^i
    p: tuple[float, ...] = (0.75, 0.35, 0.25, 0.15, 0.12, 0.08, 0.06, 0.02)
    regimes: tuple[tuple[float, float], ...] = ((0.35, 0.25), (0.08, 0.06))  # densities of one regime of the paper
    models: int = 1000  # per density
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 0.01
    samples: int = 1 << 15  # fresh, on which all models of a density are ranked
    finalists: int = 50  # models that are ranked again
    final_samples: int = 1 << 19
    near: float = 0.01  # a model has found the best if its loss is at most this much larger
    arm_p: tuple[float, ...] = (0.75, 0.35, 0.12, 0.02)
    arm_seeds: int = 64
    arm_samples: int = 1 << 14


@dataclass(frozen=True)
class AtDensity:
    """The best of all models at one density, and how often it is found."""

    monosemantic: Quantity  # neurons of the best model with one feature
    shared: Quantity  # neurons of the best model with several
    features: Quantity  # features in these
    paper: Quantity  # neurons with one feature in the paper
    found: Quantity  # share of models within `near` of the least loss
    same: Quantity  # share of models with the best one's code
    modal: Quantity  # share of models with the commonest code
    modal_monosemantic: Quantity
    modal_excess: Quantity  # least loss of a model with the commonest code, over the best, minus 1
    codes: Quantity  # different codes among the models
    follows: Quantity  # how often the best of half the models has the paper's neurons with one feature
    follows_code: Quantity  # the same for neurons that share and the features they hold


@dataclass(frozen=True)
class Arm:
    """One architecture at one density."""

    alignment: Quantity
    rotated: Quantity  # the same after a random rotation
    positive: Quantity  # share of hidden pre-activations above 0 (only where there is a ReLU)
    loss: Quantity  # over that of the linear hidden layer, means over models
    best_loss: Quantity  # the same for the best model of each


@dataclass(frozen=True)
class ByArm:
    """One entry per architecture."""

    linear: Arm
    relu: Arm
    biased: Arm


@dataclass(frozen=True)
class Numbers:
    """At the highest densities of the search and of the architectures, and how many models there are."""

    relu_alignment: Quantity  # of all models of the search
    found_alignment: Quantity  # of those that found the best loss
    linear_beyond_null: Quantity  # alignment of linear models minus that of the same matrices turned at random
    models: Quantity  # per density of the search
    arm_seeds: Quantity  # per architecture and density


@dataclass(frozen=True)
class Result:
    """Codes of the best models, a census of all, and three architectures."""

    p: Array  # (density,)
    W: Array  # (density, hidden, feature), of the best model, its neurons in order
    monosemantic: NDArray[np.int64]  # (density, model)
    excess: Array  # (density, model): loss over the least, minus 1
    arm_p: Array  # (arm density,)
    arm_W: Array  # (arm, hidden, feature): the first model at the first of `arm_p`
    alignment: Array  # (arm, arm density, seed)
    alignment_rotated: Array  # (arm, arm density, seed)
    positive: Array  # (arm, arm density, seed)
    loss: Array  # (arm, arm density, seed)
    numbers: Numbers
    densities: dict[str, AtDensity] = keyed(lambda config: [f"{p:g}" for p in config.p])
    arms: dict[str, ByArm] = keyed(lambda config: [f"{p:g}" for p in config.arm_p])
    regimes: dict[str, Quantity] = keyed(lambda config: [regime_name(*pair) for pair in config.regimes])


def regime_name(one: float, other: float) -> str:
    """Return the name of a pair of densities of one regime."""
    return f"{one:g} and {other:g}"


def paper_code(p: float) -> tuple[int, int, int]:
    """Return neurons with one feature, neurons that share, and the features these hold, in the paper at density p."""
    return next(counts for least, counts in PAPER if p >= least - 1e-9)


def searched(config: Config, device: str) -> Result:
    """Train all models, rank them, read their codes; then train the three architectures."""
    W, loss = _ranked(config, device)
    code = binary_code(W)
    counted = census(code)
    numbers = code_numbers(code.reshape(-1, *code.shape[2:])).reshape(loss.shape)
    best = loss.argmin(1)
    found = [
        _at_density(config, place, loss[place], numbers[place], Census(*(part[place] for part in counted)))
        for place in range(len(config.p))
    ]
    parts = _arms(config, device)
    arms = {part: values for part, values in parts.items() if part != "arm_W"}
    dense = int(np.argmax(config.p))
    aligned = neuron_alignment(W[dense])
    return Result(
        p=np.array(config.p),
        W=np.stack([in_order(W[place, chosen]) for place, chosen in enumerate(best)]),
        monosemantic=counted.monosemantic,
        excess=loss / loss.min(1, keepdims=True) - 1,
        arm_p=np.array(config.arm_p),
        **parts,
        numbers=Numbers(
            relu_alignment=mean(aligned, within=(0, 1)),
            found_alignment=mean(aligned[loss[dense] <= (1 + config.near) * loss[dense].min()], within=(0, 1)),
            linear_beyond_null=mean(arms["alignment"][0, 0] - arms["alignment_rotated"][0, 0]),
            models=exact(config.models, "models"),
            arm_seeds=exact(config.arm_seeds, "models"),
        ),
        densities={f"{p:g}": each for p, each in zip(config.p, found, strict=True)},
        arms={f"{p:g}": _by_arm(arms, place) for place, p in enumerate(config.arm_p)},
        regimes={regime_name(*pair): _one_code(config, pair, loss, numbers) for pair in config.regimes},
    )


def _importance(config: Config) -> Array:
    return np.asarray(config.decay ** np.arange(config.features))


def _recipe(config: Config, seed: int) -> Recipe:
    # Adam's epsilon must lie below the gradients of the least important, rare features.
    return Recipe(
        config.steps, config.batch, learning_rate=config.learning_rate, schedule="cosine", epsilon=1e-12, seed=seed
    )


def _ranked(config: Config, device: str) -> tuple[Array, Array]:
    """Return W (density, model, hidden, feature) and the loss (density, model) on common fresh samples.

    The models of least loss are judged again on more samples, and their losses scaled to those: the best of many is
    otherwise the one whom the samples flatter.
    """
    model = Model(config.features, config.hidden, hidden_activation="relu")
    density = np.repeat(config.p, config.models)[:, None]
    data = Data(density, _importance(config))
    weights = train(data, model, _recipe(config, config.seed), device=device).weights
    loss = evaluate(weights, data, model, config.samples, seed=config.seed + 1).loss.reshape(len(config.p), -1)
    for place, p in enumerate(config.p):
        chosen = np.argsort(loss[place])[: config.finalists]
        rows = place * config.models + chosen
        part = Weights(weights.W[rows], weights.b[rows])
        again = evaluate(part, Data(p, _importance(config)), model, config.final_samples, seed=config.seed + 2).loss
        loss[place] *= again.mean() / loss[place, chosen].mean()
        loss[place, chosen] = again
    return weights.W.reshape(*loss.shape, config.hidden, config.features).astype(np.float64), loss


def _at_density(config: Config, place: int, loss: Array, numbers: NDArray[np.int64], counted: Census) -> AtDensity:
    best = int(loss.argmin())
    values, first, counts = np.unique(numbers, return_index=True, return_counts=True)
    modal = int(counts.argmax())
    paper = paper_code(config.p[place])
    follows = counted.monosemantic == paper[0]
    alike = (counted.shared == paper[1]) & (counted.features == paper[2])
    half = max(config.models // 2, 1)
    return AtDensity(
        monosemantic=exact(counted.monosemantic[best], "neurons"),
        shared=exact(counted.shared[best], "neurons"),
        features=exact(counted.features[best], "features"),
        paper=exact(paper[0], "neurons", "the paper's figure"),
        found=exact(np.mean(loss <= (1 + config.near) * loss[best]), method=BESIDE_BEST),
        same=exact(np.mean(numbers == numbers[best]), method=BESIDE_BEST),
        modal=share(numbers == values[modal]),
        modal_monosemantic=exact(counted.monosemantic[first[modal]], "neurons"),
        modal_excess=exact(loss[numbers == values[modal]].min() / loss[best] - 1),
        codes=exact(len(values), "codes"),
        follows=_settled(best_of_some(loss[None], follows[None], half, of="models")),
        follows_code=_settled(best_of_some(loss[None], alike[None], half, of="models")),
    )


def _settled(found: Quantity) -> Quantity:
    """Return a share with its digits beyond the fourth left out: ranks weigh in with powers of two down to 2^-1000."""
    low, high = (None if bound is None else round(bound, 4) for bound in (found.low, found.high))
    return replace(found, value=round(found.value, 4), low=low, high=high)


def _one_code(config: Config, pair: tuple[float, float], loss: Array, numbers: NDArray[np.int64]) -> Quantity:
    """Return how often the best of a new choice of models has one code at both densities of a regime.

    As many models as there are, drawn with replacement at each density independently.
    """
    generator = np.random.default_rng([config.seed, 3])
    codes = []
    for p in pair:
        place = config.p.index(p)
        ranked = numbers[place][np.argsort(loss[place])]
        codes.append(ranked[generator.integers(0, config.models, (RESAMPLES, config.models)).min(1)])
    agree = float((codes[0] == codes[1]).mean())
    return Quantity(agree, n=config.models, unit="", method=f"share of {RESAMPLES} resamples of the models")


def _arms(config: Config, device: str) -> dict[str, Array]:
    """Train the three architectures at each of `arm_p`; see `Result` for what is returned."""
    plain = Model(config.features, config.hidden)
    relu = Model(config.features, config.hidden, hidden_activation="relu")
    biased = Model(config.features, config.hidden, hidden_activation="relu", hidden_bias=True)
    found = [_arm(config, model, device) for model in (plain, relu, biased)]
    parts = ("arm_W", "alignment", "alignment_rotated", "positive", "loss")
    return {part: np.stack([each[place] for each in found]) for place, part in enumerate(parts)}


def _arm(config: Config, model: Model, device: str) -> tuple[Array, Array, Array, Array, Array]:
    shape = len(config.arm_p), config.arm_seeds
    density = np.repeat(config.arm_p, config.arm_seeds)[:, None]
    seeds = np.tile(np.arange(config.arm_seeds), shape[0]) + config.seed + 100
    data = Data(density, _importance(config))
    weights = train(data, model, _recipe(config, config.seed + 4), device=device).weights
    loss = evaluate(weights, data, model, config.arm_samples, seed=seeds).loss
    turned = rotated(weights.W, np.random.default_rng([config.seed, 5]))
    return (
        in_order(weights.W[0]),
        neuron_alignment(weights.W).reshape(shape),
        neuron_alignment(turned).reshape(shape),
        positive_share(weights, density[:, 0], np.random.default_rng([config.seed, 6])).reshape(shape),
        loss.reshape(shape),
    )


def positive_share(weights: Weights, density: Array, generator: np.random.Generator, samples: int = 1024) -> Array:
    """Return the share of hidden pre-activations W x + b_hidden above 0 on fresh samples, (instance,)."""
    found = np.empty(len(weights.W))
    for instance, (W, p) in enumerate(zip(weights.W, density, strict=True)):
        x = generator.random((samples, W.shape[1])) * (generator.random((samples, W.shape[1])) < p)
        bias = 0.0 if weights.b_hidden is None else weights.b_hidden[instance]
        found[instance] = (x @ W.T + bias > 0).mean()
    return found


def _by_arm(arms: dict[str, Array], place: int) -> ByArm:
    return ByArm(*(_arm_numbers({part: values[:, place] for part, values in arms.items()}, arm) for arm in range(3)))


def _arm_numbers(arms: dict[str, Array], arm: int) -> Arm:
    """Return the numbers of one architecture at one density; arrays are (arm, seed)."""
    loss = arms["loss"]

    def ratio(chosen: NDArray[np.int64]) -> float:
        return float(loss[arm, chosen].mean() / loss[0, chosen].mean())

    return Arm(
        alignment=mean(arms["alignment"][arm], within=(0, 1)),
        rotated=mean(arms["alignment_rotated"][arm], within=(0, 1)),
        positive=mean(arms["positive"][arm], within=(0, 1)),
        loss=bootstrap(ratio, loss.shape[1]),
        best_loss=exact(loss[arm].min() / loss[0].min(), method="the best of the models of each"),
    )
