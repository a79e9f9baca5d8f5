"""Starts taken apart: for runs in which models of several calls, or mixtures of starts, share first weights.

A run that only needs other biases than zero says so by `Recipe.start_bias`.
"""

import numpy as np
from numpy.typing import ArrayLike

from experiments.core.training.seeds import START, instance_seeds, stream
from experiments.core.training.specification import Model, Weights


def raised_start(model: Model, instances: int, bias: ArrayLike, seed: int = 0) -> Weights:
    """Return true per-model Xavier weights with every output bias at `bias` (scalar or one per instance).

    The start is that of `start="xavier"` and `start_bias` with the same seed.
    """
    shape = (model.hidden, model.features)
    drawn = np.stack(
        [stream(own, START).standard_normal((1, *shape))[0] for own in instance_seeds(seed, None, instances)]
    )
    sigma = np.sqrt(2.0 / (model.hidden + model.features))
    b = np.broadcast_to(np.asarray(bias, dtype=np.float32).reshape(-1, 1), (instances, model.features))
    return Weights((sigma * drawn).astype(np.float32), b.copy())
