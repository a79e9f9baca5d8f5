"""Configuration, results and computation of pairwise ANDs; `pairwise_ands` draws and decides."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import comb

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.and_training import Training, trained, worst_pair_errors
from experiments.computation.shared.ands import (
    active_sets,
    centred_gain,
    exponent,
    smallest_width,
    storage_errors,
    wired,
    worst_errors,
)
from experiments.core.contract import keyed
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, bootstrap, exact, share
from experiments.core.training.cpu import thread_count

Array = NDArray[np.float64]

LEVELS = (0.25, 0.5)
"""Errors that a read-out must stay below: of the value itself, and to be on the right side of one half."""

KINDS = ("mean, value", "mean, threshold", "centred, value", "centred, threshold")
"""Read-out of the construction and what is asked of it, in the order of the results."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 12
    features: tuple[int, ...] = (64, 128, 256, 512)
    active: int = 3  # features on in every input
    joins: tuple[tuple[float, int], ...] = ((0.05, 49152), (0.12, 8192), (0.2, 8192))  # probability, most neurons
    least: int = 256  # neurons
    per_octave: int = 4  # widths that are judged
    inputs: int = 24  # on one half the probability is chosen, on the other the width is read
    quantile: float = 0.9  # of inputs whose worst error must lie below the level
    storage: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)  # dimensions
    small: tuple[int, ...] = (8, 12, 16, 24)  # features of trained networks
    shares: tuple[float, ...] = (0.15, 0.3, 0.6, 1.2)  # neurons of trained networks over the number of pairs
    training: Training = field(default_factory=lambda: Training(steps=500, learning_rate=0.03))
    judged: int = 200  # inputs on which a trained network is judged


@dataclass(frozen=True)
class Widths:
    """Neurons needed by the construction and dimensions needed to store, medians over seeds."""

    mean: Quantity
    mean_threshold: Quantity
    centred: Quantity
    centred_threshold: Quantity
    storage: Quantity
    pairs: Quantity  # one neuron per pair would be exact


@dataclass(frozen=True)
class Small:
    """Trained networks of one number of features: neurons needed over the number of pairs, and errors."""

    value: Quantity  # share of pairs' number needed for an error below 1/4
    threshold: Quantity  # for an error below 1/2
    largest: Quantity  # worst error of the widest network
    pairs: Quantity


@dataclass(frozen=True)
class Exponents:
    """Slope of log width over log features."""

    mean: Quantity
    mean_threshold: Quantity
    centred: Quantity
    centred_threshold: Quantity
    storage: Quantity
    trained_threshold: Quantity


@dataclass(frozen=True)
class Numbers:
    """Across numbers of features."""

    exponents: Exponents
    per_pair_most: Quantity  # centred, value: neurons over pairs at the most features
    per_feature_most: Quantity  # centred, value: neurons over features there
    threshold_ratio_mean: Quantity  # neurons for a threshold over those for a value, at the most features
    threshold_ratio_centred: Quantity
    cheaper_from: Quantity  # fewest features at which the centred construction needs fewer neurons than pairs
    reached: Quantity  # share of searches of the construction in which the most neurons suffice
    trained_reached: Quantity  # the same for trained networks and a threshold


@dataclass(frozen=True)
class Result:
    """Widths by number of features."""

    features: Array  # (size,)
    widths: Array  # (kind, size, seed); twice the most neurons tried where these do not suffice
    storage: Array  # (size, seed)
    small: Array  # (small size,)
    neurons: Array  # (small size, share)
    errors: Array  # (small size, share, seed): `quantile` over inputs of the worst error
    trained: Array  # (level, small size, seed): neurons needed; twice the most tried where these do not suffice
    numbers: Numbers
    sizes: dict[str, Widths] = keyed(lambda config: [str(size) for size in config.features])
    trained_sizes: dict[str, Small] = keyed(lambda config: [str(size) for size in config.small])


def computed(config: Config) -> Result:
    """Judge the construction at every size, and train small networks."""
    jobs = [(size, seed) for size in config.features for seed in range(config.seeds)]
    with ThreadPoolExecutor(thread_count()) as pool:
        found = []
        for done, each in enumerate(pool.map(lambda job: _construction(config, *job), jobs)):
            found.append(each)
            advance("wiring", (done + 1) / len(jobs))
    widths = np.array(found).reshape(len(config.features), config.seeds, -1).transpose(2, 0, 1)
    neurons = np.array([[max(round(part * comb(m, 2)), 2) for part in config.shares] for m in config.small])
    errors = _trained_errors(config, neurons)
    needed = np.array(
        [
            [
                [_or_twice(smallest_width(neurons[place], each, level), int(neurons[place, -1])) for each in rows.T]
                for place, rows in enumerate(errors)
            ]
            for level in LEVELS
        ]
    )
    return Result(
        features=np.array(config.features, dtype=np.float64),
        widths=widths[:4],
        storage=widths[4],
        small=np.array(config.small, dtype=np.float64),
        neurons=neurons.astype(np.float64),
        errors=errors,
        trained=needed,
        numbers=_numbers(config, widths, needed),
        sizes={str(size): _widths(size, widths[:, place]) for place, size in enumerate(config.features)},
        trained_sizes={
            str(size): _small(size, needed[:, place], errors[place]) for place, size in enumerate(config.small)
        },
    )


def _construction(config: Config, features: int, seed: int) -> list[float]:
    """Return the neurons needed for each of `KINDS`, then the dimensions needed to store, for one seed."""
    generator = np.random.default_rng([config.seed, features, seed])
    sets = active_sets(features, config.active, config.inputs, generator)
    half = config.inputs // 2
    chosen, judged = np.full(4, np.inf), np.full(4, 2.0 * max(most for _, most in config.joins))
    for q, most in config.joins:
        grid = _grid(config, most)
        worst = worst_errors(wired(features, most, q, generator), features, sets, grid, centred_gain(q, config.active))
        for kind in range(4):
            first, second = (
                smallest_width(grid, np.quantile(part, config.quantile, axis=-1), LEVELS[kind % 2])
                for part in (worst[:, kind // 2, :half], worst[:, kind // 2, half:])
            )
            if first < chosen[kind]:  # never if it is NaN, when the most neurons did not suffice
                chosen[kind], judged[kind] = first, _or_twice(second, most)
    dimensions = np.array(config.storage)
    stored = storage_errors(features, sets, dimensions, int(generator.integers(1 << 31)))
    needed = smallest_width(dimensions, np.quantile(stored, config.quantile, axis=-1), LEVELS[0])
    return [*judged, _or_twice(needed, int(dimensions[-1]))]


def _or_twice(width: float, most: int) -> float:
    """Return a width, or twice the most that was tried where that did not suffice."""
    return width if np.isfinite(width) else 2.0 * most


def _grid(config: Config, most: int) -> NDArray[np.int64]:
    octaves = np.log2(most / config.least)
    points = round(octaves * config.per_octave) + 1
    return np.unique(np.round(np.geomspace(config.least, most, points)).astype(np.int64))


def _trained_errors(config: Config, neurons: NDArray[np.int64]) -> Array:
    """Return the errors (small size, share, seed) of trained networks on fresh inputs."""
    jobs = [
        (place, part, seed)
        for place in reversed(range(len(config.small)))
        for part in reversed(range(len(config.shares)))
        for seed in range(config.seeds)
    ]

    def one(job: tuple[int, int, int]) -> float:
        place, part, seed = job
        features = config.small[place]
        generator = np.random.default_rng([config.seed + 1, features, part, seed])
        network = trained(features, int(neurons[place, part]), config.active, config.training, generator)
        sets = active_sets(features, config.active, config.judged, generator)
        return float(np.quantile(worst_pair_errors(network, sets), config.quantile))

    errors = np.empty((len(config.small), len(config.shares), config.seeds))
    with ThreadPoolExecutor(thread_count()) as pool:
        for done, (job, error) in enumerate(zip(jobs, pool.map(one, jobs), strict=True)):
            errors[job] = error
            advance("training", (done + 1) / len(jobs))
    return errors


def _median(values: Array, unit: str) -> Quantity:
    """Return the median over seeds with a bootstrap interval."""
    return bootstrap(lambda chosen: float(np.median(values[chosen])), len(values), unit=unit)


def _slope(sizes: tuple[int, ...], widths: Array) -> Quantity:
    """Return the exponent of the median width (size, seed) with a bootstrap over seeds of all sizes at once."""
    return bootstrap(lambda chosen: float(exponent(sizes, np.median(widths[:, chosen], axis=1))), widths.shape[1])


def _widths(size: int, found: Array) -> Widths:
    mean, mean_threshold, centred, centred_threshold = (_median(each, "neurons") for each in found[:4])
    storage = _median(found[4], "dimensions")
    return Widths(mean, mean_threshold, centred, centred_threshold, storage, exact(comb(size, 2), "pairs"))


def _small(size: int, needed: Array, errors: Array) -> Small:
    pairs = comb(size, 2)
    value, threshold = (_median(each / pairs, "") for each in needed)
    return Small(value, threshold, _median(errors[-1], ""), exact(pairs, "pairs"))


def _numbers(config: Config, widths: Array, needed: Array) -> Numbers:
    most = config.features[-1]
    slopes = [_slope(config.features, each) for each in widths] + [_slope(config.small, needed[1])]
    centred = np.median(widths[2], axis=1)
    cheaper = [size for size, width in zip(config.features, centred, strict=True) if width < comb(size, 2)]
    return Numbers(
        exponents=Exponents(*slopes),
        per_pair_most=_median(widths[2, -1] / comb(most, 2), ""),
        per_feature_most=_median(widths[2, -1] / most, ""),
        threshold_ratio_mean=_median(widths[1, -1] / widths[0, -1], ""),
        threshold_ratio_centred=_median(widths[3, -1] / widths[2, -1], ""),
        cheaper_from=exact(min(cheaper, default=float("nan")), "features"),
        reached=share(widths[:4] < max(neurons for _, neurons in config.joins)),
        trained_reached=share(needed[1] <= np.array([[config.shares[-1] * comb(m, 2) + 1] for m in config.small])),
    )
