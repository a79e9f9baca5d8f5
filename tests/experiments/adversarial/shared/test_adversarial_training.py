"""Training against attacks, against a plain loop with automatic differentiation, and ordinary training."""

import numpy as np
import pytest
import torch

from experiments.adversarial.shared.adversarial_training import Hardening, _worse_sign, harden
from experiments.core.metrics import represented_mass
from experiments.core.training.seeds import DATA, START, stream

SMALL = Hardening(features=6, hidden=2, steps=30, batch=16)


def plain_loop(p: float, size: float, seed: int, how: Hardening) -> tuple[np.ndarray, np.ndarray]:
    """Return W and b of one model, trained with torch's Adam and gradients."""
    n, m = how.features, how.hidden
    start, draws = stream(seed, START), stream(seed, DATA)
    W = torch.tensor((2 / (m + n)) ** 0.5 * start.standard_normal((m, n)), dtype=torch.float32, requires_grad=True)
    b = torch.full((n,), p / 2, requires_grad=True)
    adam = torch.optim.Adam([W, b], lr=how.learning_rate)
    for step in range(how.steps):
        present = draws.random((how.batch, n), dtype=np.float32) < np.float32(p)
        x = torch.from_numpy(np.where(present, draws.random((how.batch, n), dtype=np.float32), np.float32(0)))
        with torch.no_grad():
            rows = (W.T @ W)[draws.integers(0, n, how.batch)]
            move = size * rows / rows.norm(dim=1, keepdim=True)
            harm = [((torch.relu((x + s * move) @ W.T @ W + b) - x) ** 2).sum(1, True) for s in (1, -1)]
            seen = x + torch.where(harm[0] >= harm[1], move, -move)
        loss = ((torch.relu(seen @ W.T @ W + b) - x) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        adam.param_groups[0]["lr"] = how.learning_rate * 0.5 * (1 + np.cos(np.pi * step / how.steps))
        adam.step()
    return W.detach().numpy(), b.detach().numpy()


def test_all_conditions_of_all_seeds_are_a_plain_loop_over_models():
    conditions, seeds = [(0.5, 0.0), (0.5, 0.3), (0.1, 0.3)], [7, 8]
    density, size = np.array(conditions).T
    together = harden(density, size, seeds, SMALL)
    for s, own in enumerate(seeds):
        for k, (p, length) in enumerate(conditions):
            W, b = plain_loop(p, length, own, SMALL)
            assert np.allclose(together.W[s, k], W, atol=2e-5)
            assert np.allclose(together.b[s, k], b, atol=2e-5)


def test_each_seed_may_have_its_own_sizes_of_attack():
    found = harden([0.5], [[0.0], [0.3]], [7, 7], SMALL)
    assert np.allclose(found.W[0], harden([0.5], [0.0], [7], SMALL).W[0], atol=1e-7)
    assert np.allclose(found.W[1], harden([0.5], [0.3], [7], SMALL).W[0], atol=1e-7)
    assert not np.allclose(found.W[0], found.W[1])


def test_the_worse_sign_leaves_the_larger_error():
    x, z = np.array([0.5, 0.0], np.float32), np.array([0.5, -0.1], np.float32)
    assert _worse_sign(x, z, np.array([0.2, 0.2], np.float32)) == 1
    assert _worse_sign(x, z, np.array([0.2, -0.2], np.float32)) == -1


def test_a_model_does_not_depend_on_what_trains_beside_it():
    alone, beside = harden([0.3], [0.2], [1], SMALL), harden([0.3, 0.9], [0.2, 0.5], [1, 2, 3], SMALL)
    assert np.allclose(alone.W[0, 0], beside.W[0, 0], atol=1e-7)


@pytest.mark.parametrize("size", [0.0, 2.0])
def test_strong_attacks_empty_the_model_and_none_leave_superposition(size):
    found = harden([0.05], [size], [0], Hardening(features=10, hidden=2, steps=800, batch=64))
    crowding = represented_mass(found.W[0, 0]) / 2
    assert crowding > 1.5 if size == 0 else crowding < 1.05
