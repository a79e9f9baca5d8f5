"""What is asked of models of falling importance at every size: linear ones, dense ones, those of rare features."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.basic_results.shared.importance_sweep import (
    Ladder,
    Measures,
    Models,
    absent_bias_error,
    identity_error,
    measure,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST_SEEDS = 0.8
"""A statement is reproduced when it holds in more than this share of seeds."""

LITTLE = 0.02
"""The most superposition of a feature that has a dimension to itself, and the most error of a bias."""


class Dense(NamedTuple):
    """ReLU models at density 1: whether each is the linear model, and its largest errors, (seed,) each."""

    as_linear: Flags
    identity_error: Array
    bias_error: Array
    live: Array


def only_top(measures: Measures) -> Flags:
    """Return whether exactly the top features are represented, without superposition, (density, seed)."""
    return np.asarray(measures.top & (measures.worst < LITTLE))


def dense_models(ladder: Ladder, models: Models, density: Array) -> Dense:
    """Compare the models of the first density with the identity on the top features and the mean elsewhere."""
    first = Models(models.W[:1], models.b[:1])
    found, identity = measure(ladder, first), identity_error(ladder, first)[0]
    bias = absent_bias_error(first, density[:1])[0]
    return Dense(only_top(found)[0] & (identity < 0.05) & (bias < LITTLE), identity, bias, found.live[0])


def all_superposed(measures: Measures, rare: Flags) -> Flags:
    """Return whether a seed's represented features all share, with mostly negative biases, at every `rare` density.

    `rare` (density,) marks densities; the result is (seed,).
    """
    return np.asarray(((measures.shared[rare] == 1) & (measures.negative[rare] >= 0.8)).all(0))
