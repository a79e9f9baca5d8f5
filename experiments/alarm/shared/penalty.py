"""Training a model against an alarm: does it hide the watched feature, or lose the behaviour?

The model goes on training on its own loss, with a penalty on what the fixed alarm sees in dangerous samples. Nothing
else tells it what to do. One target per model; a model and its control see the same samples.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.adam import Adam
from experiments.alarm.shared.products import activations
from experiments.alarm.shared.world import WorldConfig, background, dangerous
from experiments.core.training.specification import Weights

Array = NDArray[np.float32]


def trained_against(
    config: WorldConfig,
    start: Weights,
    rows: Array,
    bias: Array,
    strengths: Sequence[float],
    steps: int,
    batch: int,
    seed: int,
) -> list[Weights]:
    """Return, per strength, models (seed, ...) after `steps` of Adam with a penalty, strength * mean ReLU(v . h + c)^2.

    `rows` v (seed, hidden) and `bias` c (seed,) are the alarm of the first target, above 0 when it rings; the penalty
    is taken over dangerous samples. A strength of 0 is the control: training goes on without the penalty.
    """
    changed = [Weights(start.W.copy(), start.b.copy()) for _ in strengths]
    weight = np.ones(config.features, np.float32)
    weight[: config.targets] = config.importance
    for s in range(len(start.W)):  # one model at a time stays in the processor's cache
        generator = np.random.default_rng([seed, s])
        models = [(each.W[s], each.b[s]) for each in changed]
        adams = [Adam(model) for model in models]
        for _ in range(steps):
            x = background(config, generator, batch)
            watched = dangerous(x, 0, generator)
            for model, adam, strength in zip(models, adams, strengths, strict=True):
                W_slope, b_slope = own_slopes(*model, x, weight)
                if strength:
                    W_slope += strength * alarm_slope(model[0], watched, rows[s], bias[s])
                adam.step((W_slope, b_slope), 1e-3)
    return changed


def own_slopes(W: Array, b: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """Return the gradients by W (hidden, feature) and b of the mean over samples and features of weight (x - y)^2."""
    h = activations(W, x)
    before = h @ W + b
    error = (np.maximum(before, 0) - x) * (2 / x.size * weight) * (before > 0)
    return h.T @ error + (error @ W.T).T @ x, error.sum(0)


def alarm_slope(W: Array, watched: Array, v: Array, c: Array) -> Array:
    """Return the gradient by W (hidden, feature) of the mean over samples of ReLU(v . W x + c)^2."""
    seen = np.maximum(watched @ (v @ W) + c, 0)
    return np.asarray(np.outer(v, 2 / len(watched) * seen @ watched), dtype=np.float32)
