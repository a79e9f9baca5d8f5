"""Configuration, results and computation of the dispute; `compressed_computation` draws and decides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.compressed import (
    best_linear_loss,
    drawn_inputs,
    eigenspace_overlap,
    errors,
    functions_per_neuron,
    mixing_matrices,
    naive_loss,
    network_outputs,
    offset_gain,
    responses,
)
from experiments.computation.shared.fourth_power import train_fourth
from experiments.core.contract import keyed
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float64]

ARMS = ("L2 loss", "L4 loss", "L4, linear network")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: int = 100
    hidden: int = 50
    p: float = 0.01
    sigmas: tuple[float, ...] = (0.0, 0.005, 0.01, 0.02, 0.05)  # standard deviation of the mixing matrix's entries
    disputed: float = 0.02  # one of them: the scale of the public work
    steps: int = 1000
    batch: int = 256
    learning_rate: float = 1e-2
    samples: int = 1 << 13  # per model, for every measure
    many: int = 500  # features of the comparison of losses
    few: int = 50  # neurons there
    many_p: float = 0.02
    many_steps: int = 600
    many_batch: int = 256


@dataclass(frozen=True)
class AtScale:
    """Errors at one scale of the mixing matrix, in units of the naive half's error against ReLU(x)."""

    active: Quantity
    crosstalk: Quantity
    total: Quantity
    clean: Quantity  # total against ReLU(x) alone, of the same network
    clean_active: Quantity
    clean_crosstalk: Quantity
    linear: Quantity  # the best linear map of the same rank, in closed form, against the labels
    overlap: Quantity  # of the space that neurons read with the mixing matrix's top eigenspace
    functions: Quantity  # ReLU functions' worth of nonlinearity per neuron


@dataclass(frozen=True)
class ByLoss:
    """One network of many features and few neurons, without a mixing matrix; units as in `AtScale`."""

    active: Quantity
    crosstalk: Quantity
    total: Quantity
    fourth: Quantity  # fourth power of the error over the naive half's
    rise: Quantity  # output i at x_i = 1, mean over features
    fall: Quantity  # output i at x_i = -1
    functions: Quantity


@dataclass(frozen=True)
class Losses:
    """One entry per way of training."""

    square: ByLoss
    fourth: ByLoss
    linear: ByLoss


@dataclass(frozen=True)
class Numbers:
    """What is compared across networks."""

    chance: Quantity  # overlap of random spaces
    offset: Quantity  # share of its error that the naive half could save by guessing means
    relu_over_linear: Quantity  # fourth power of the error, ReLU network over linear one, seed by seed
    linear_share: Quantity  # of what the L4 network gains on the naive half in fourth power, reached by the linear one


@dataclass(frozen=True)
class Result:
    """Errors by scale and by loss."""

    sigma: Array  # (scale,)
    label_errors: Array  # (scale, part, seed): active, crosstalk, total
    clean_errors: Array  # (scale, part, seed)
    linear: Array  # (scale, seed)
    overlap: Array  # (scale, seed)
    functions: Array  # (scale, seed)
    arm_errors: Array  # (arm, part, seed): active, crosstalk, total, fourth
    rise: Array  # (arm, seed): mean over features
    fall: Array  # (arm, seed)
    numbers: Numbers
    losses: Losses
    scales: dict[str, AtScale] = keyed(lambda config: [f"{sigma:g}" for sigma in config.sigmas])


def disputed(config: Config, device: str) -> Result:
    """Train at every scale of the mixing matrix, then with two losses and one linear network."""
    swept = _swept(config, device)
    compared = _compared(config, device)
    fourth = compared["arm_errors"][:, 3]
    return Result(
        sigma=np.array(config.sigmas),
        **swept,
        **compared,
        numbers=Numbers(
            chance=exact(config.hidden / config.features),
            offset=exact(offset_gain(config.features, config.hidden, config.p)),
            relu_over_linear=mean(fourth[1] / fourth[2]),
            linear_share=mean((1 - fourth[2]) / (1 - fourth[1])),
        ),
        losses=Losses(*(_by_loss(config, compared, arm) for arm in range(len(ARMS)))),
        scales={f"{sigma:g}": _at_scale(swept, place) for place, sigma in enumerate(config.sigmas)},
    )


def _recipe(config: Config, steps: int, batch: int, seed: int) -> Recipe:
    # Output biases are frozen at 0: the disputed model has none.
    return Recipe(
        steps, batch, learning_rate=config.learning_rate, schedule="cosine", frozen=("b",), epsilon=1e-12, seed=seed
    )


def _swept(config: Config, device: str) -> dict[str, Array]:
    """Return the errors and measures of networks at every scale; see `Result` for shapes."""
    scales, seeds = len(config.sigmas), config.seeds
    unit = mixing_matrices(config.features, seeds, config.seed)
    mixing = (np.array(config.sigmas)[:, None, None, None] * unit).reshape(-1, config.features, config.features)
    model = Model(
        config.features,
        config.hidden,
        output="linear",
        hidden_activation="relu",
        tied=False,
        target="relu",
        target_mixing=mixing.astype(np.float32),
    )
    recipe = _recipe(config, config.steps, config.batch, config.seed + 1)
    weights = train(Data(config.p, signed=True), model, recipe, device=device).weights
    found = [_label_and_clean(config, weights, mixing, k) for k in range(len(mixing))]
    both = np.array(found).reshape(scales, seeds, 2, 3).transpose(2, 0, 3, 1)
    linear = best_linear_loss(mixing, config.hidden, config.p) / naive_loss(config.features, config.hidden, config.p)
    return {
        "label_errors": both[0],
        "clean_errors": both[1],
        "linear": linear.reshape(scales, seeds),
        "overlap": eigenspace_overlap(weights, np.tile(unit, (scales, 1, 1))).reshape(scales, seeds),
        "functions": functions_per_neuron(weights).reshape(scales, seeds),
    }


def _label_and_clean(config: Config, weights: Weights, mixing: Array, instance: int) -> list[tuple[float, ...]]:
    """Return errors against the labels and against ReLU(x); networks of one seed see the same samples."""
    generator = np.random.default_rng([config.seed, 2, instance % config.seeds])
    x = drawn_inputs(config.features, config.p, config.samples, generator)
    y, clean = network_outputs(weights, instance, x), np.maximum(x, 0.0)
    return [errors(y, target, x, config.hidden)[:3] for target in (clean + x @ mixing[instance].T, clean)]


def _compared(config: Config, device: str) -> dict[str, Array]:
    """Return errors and responses of the networks trained with each loss; see `Result` for shapes."""
    data = Data(np.full((config.seeds, 1), config.many_p), signed=True)
    recipe = _recipe(config, config.many_steps, config.many_batch, config.seed + 3)
    relu = Model(config.many, config.few, output="linear", hidden_activation="relu", tied=False, target="relu")
    linear = Model(config.many, config.few, output="linear", tied=False, target="relu")
    trained = [
        (train(data, relu, recipe, device=device).weights, True),
        (train_fourth(data, relu, recipe), True),
        (train_fourth(data, linear, recipe), False),
    ]
    rows = [[_clean_errors(config, weights, k, is_relu) for k in range(config.seeds)] for weights, is_relu in trained]
    shapes = [responses(weights, is_relu) for weights, is_relu in trained]
    return {
        "arm_errors": np.array(rows).transpose(0, 2, 1),
        "rise": np.stack([each.rise.mean(1) for each in shapes]),
        "fall": np.stack([each.fall.mean(1) for each in shapes]),
    }


def _clean_errors(config: Config, weights: Weights, instance: int, relu: bool) -> tuple[float, ...]:
    generator = np.random.default_rng([config.seed, 4, instance])
    x = drawn_inputs(config.many, config.many_p, config.samples, generator)
    return errors(network_outputs(weights, instance, x, relu), np.maximum(x, 0.0), x, config.few)


def _at_scale(swept: dict[str, Array], place: int) -> AtScale:
    labels, clean = swept["label_errors"][place], swept["clean_errors"][place]
    return AtScale(
        active=mean(labels[0]),
        crosstalk=mean(labels[1]),
        total=mean(labels[2]),
        clean=mean(clean[2]),
        clean_active=mean(clean[0]),
        clean_crosstalk=mean(clean[1]),
        linear=mean(swept["linear"][place]),
        overlap=mean(swept["overlap"][place], within=(0, 1)),
        functions=mean(swept["functions"][place]),
    )


def _by_loss(config: Config, compared: dict[str, Array], arm: int) -> ByLoss:
    rise, fall, found = compared["rise"][arm], compared["fall"][arm], compared["arm_errors"][arm]
    return ByLoss(
        active=mean(found[0]),
        crosstalk=mean(found[1]),
        total=mean(found[2]),
        fourth=mean(found[3]),
        rise=mean(rise),
        fall=mean(fall),
        functions=mean((rise + fall) * config.many / config.few),
    )
