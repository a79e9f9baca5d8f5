"""Training a model against an alarm: does it hide the watched feature, or lose the behaviour?

The model goes on training on its own loss, with a penalty on what the fixed alarm sees in dangerous samples. Nothing
else tells it what to do. All seeds train together; one target per model.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.alarm.shared.adam import Adam
from experiments.alarm.shared.world import DANGER, WorldConfig, background
from experiments.core.training.specification import Weights

Array = NDArray[np.float32]


def trained_against(
    config: WorldConfig, start: Weights, rows: Array, bias: Array, strength: float, steps: int, batch: int, seed: int
) -> Weights:
    """Return models (seed, ...) after `steps` of Adam with the penalty `strength` * mean ReLU(v . h + c)^2.

    `rows` v (seed, hidden) and `bias` c (seed,) are the alarm of the first target, above 0 when it rings; the penalty
    is taken over dangerous samples. A strength of 0 is the control: training goes on without the penalty.
    """
    generators = [np.random.default_rng([seed, s]) for s in range(len(start.W))]
    W = torch.from_numpy(start.W.copy()).requires_grad_()
    b = torch.from_numpy(start.b.copy()).requires_grad_()
    v, c = torch.from_numpy(rows), torch.from_numpy(bias)
    weight = torch.ones(config.features)
    weight[: config.targets] = torch.tensor(config.importance)
    adam = Adam([W, b])
    for _ in range(steps):
        x = torch.from_numpy(np.stack([background(config, each, batch) for each in generators]))
        watched = x.clone()
        drawn = [each.random(batch, dtype=np.float32) for each in generators]
        watched[..., 0] = torch.from_numpy(DANGER + (1 - DANGER) * np.stack(drawn))
        y = torch.relu(x @ W.transpose(1, 2) @ W + b[:, None])
        loss = (weight * (x - y) ** 2).mean((1, 2))
        reading = (v[:, None] @ W).transpose(1, 2)  # the alarm's weights on the input
        seen = (watched @ reading)[..., 0] + c[:, None]
        total = (loss + strength * torch.relu(seen).pow(2).mean(1)).sum()
        adam.step(torch.autograd.grad(total, [W, b]), 1e-3)
    return Weights(W.detach().numpy(), b.detach().numpy())
