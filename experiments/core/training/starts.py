"""Starts that a recipe cannot name: Xavier weights with biases other than zero."""

import numpy as np
from numpy.typing import ArrayLike

from experiments.core.training.seeds import START, instance_seeds, stream
from experiments.core.training.specification import Model, Weights


def raised_start(model: Model, instances: int, bias: ArrayLike, seed: int = 0) -> Weights:
    """Return true per-model Xavier weights with every output bias at `bias` (scalar or one per instance).

    With b = 0 an output whose column of `W` happens to face away from the mean input is negative on all dense
    samples, gets no gradient and stays dead; b = E[x] avoids that. The weights are those of `start="xavier"`
    with the same seed.
    """
    shape = (model.hidden, model.features)
    drawn = np.stack(
        [stream(own, START).standard_normal((1, *shape))[0] for own in instance_seeds(seed, None, instances)]
    )
    sigma = np.sqrt(2.0 / (model.hidden + model.features))
    b = np.broadcast_to(np.asarray(bias, dtype=np.float32).reshape(-1, 1), (instances, model.features))
    return Weights((sigma * drawn).astype(np.float32), b.copy())
