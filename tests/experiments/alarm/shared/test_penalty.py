"""Training against an alarm follows the slope of the stated loss, and lowers what the alarm sees."""

import numpy as np
import torch

from experiments.alarm.shared.penalty import alarm_slope, own_slopes, trained_against
from experiments.alarm.shared.world import DANGER, WorldConfig, background, dangerous
from experiments.core.training.specification import Weights

WORLD = WorldConfig(features=6, hidden=3, density=0.3, rare=0.1, importance=(4,))


def start(seeds=2):
    generator = np.random.default_rng(0)
    W = generator.normal(size=(seeds, 3, 6)).astype(np.float32) * 0.6
    rows = W[:, :, 0] / np.linalg.norm(W[:, :, 0], axis=1, keepdims=True)
    return Weights(W, np.full((seeds, 6), 0.1, np.float32)), rows, np.full(seeds, -0.1, np.float32)


def loss(W, b, row, c, strength, s, batch):
    """The loss as stated, in plain numpy, on the batch of the first step."""
    generator = np.random.default_rng([5, s])
    x = background(WORLD, generator, batch).astype(np.float64)
    watched = x.copy()
    watched[:, 0] = DANGER + (1 - DANGER) * generator.random(batch, dtype=np.float32)
    weight = np.array([4, 1, 1, 1, 1, 1])
    own = (weight * (x - np.maximum(x @ W.T @ W + b, 0)) ** 2).mean()
    return own + strength * (np.maximum(watched @ W.T @ row + c, 0) ** 2).mean()


def test_the_first_step_goes_down_the_slope_of_the_stated_loss():
    first, rows, bias = start()
    (changed,) = trained_against(WORLD, first, rows, bias, (2.0,), 1, 64, 5)
    for s in range(2):
        W = first.W[s].astype(np.float64)
        slope = np.zeros_like(W)
        for place in np.ndindex(W.shape):
            step = np.zeros_like(W)
            step[place] = 1e-5
            high, low = (loss(each, first.b[s], rows[s], bias[s], 2.0, s, 64) for each in (W + step, W - step))
            slope[place] = (high - low) / 2e-5
        moved = changed.W[s] - first.W[s]
        clear = np.abs(slope) > 1e-3
        assert clear.sum() > 10
        np.testing.assert_allclose(moved[clear], -1e-3 * np.sign(slope[clear]), rtol=1e-2)


def test_the_penalty_lowers_what_the_alarm_sees_below_the_control():
    first, rows, bias = start()
    seen = {}
    strengths = (0.0, 20.0)
    for strength, changed in zip(
        strengths, trained_against(WORLD, first, rows, bias, strengths, 150, 64, 5), strict=True
    ):
        generator = np.random.default_rng(1)
        x = dangerous(background(WORLD, generator, 2000), 0, generator)
        seen[strength] = [np.maximum(x @ changed.W[s].T @ rows[s] + bias[s], 0).mean() for s in range(2)]
    assert (np.array(seen[20.0]) < np.array(seen[0.0])).all()


def test_gradients_are_those_of_automatic_differentiation():
    generator = torch.Generator().manual_seed(0)
    W, b = torch.randn(3, 6, generator=generator), torch.randn(6, generator=generator)
    x, weight = torch.rand(40, 6, generator=generator), torch.rand(6, generator=generator)
    v, c = torch.randn(3, generator=generator), torch.tensor(0.1)
    parts = [W.clone().requires_grad_(), b.clone().requires_grad_()]
    own = (weight * (x - torch.relu(x @ parts[0].T @ parts[0] + parts[1])) ** 2).mean()
    for mine, known in zip(
        own_slopes(*(each.numpy() for each in (W, b, x, weight))), torch.autograd.grad(own, parts), strict=True
    ):
        np.testing.assert_allclose(mine, known, rtol=1e-4, atol=1e-6)
    seen = torch.relu(x @ parts[0].T @ v + c).pow(2).mean()
    (known,) = torch.autograd.grad(seen, parts[:1])
    np.testing.assert_allclose(alarm_slope(*(each.numpy() for each in (W, x, v, c))), known, rtol=1e-4, atol=1e-6)


def test_models_trained_side_by_side_are_those_trained_alone():
    first, rows, bias = start()
    together = trained_against(WORLD, first, rows, bias, (0.0, 3.0), 5, 32, 5)
    for strength, changed in zip((0.0, 3.0), together, strict=True):
        (alone,) = trained_against(WORLD, first, rows, bias, (strength,), 5, 32, 5)
        np.testing.assert_array_equal(changed.W, alone.W)
        np.testing.assert_array_equal(changed.b, alone.b)
