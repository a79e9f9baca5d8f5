"""Training against attacks, against automatic differentiation, a plain loop and ordinary training."""

import numpy as np
import pytest
import torch

from experiments.adversarial.shared.adversarial_training import Hardening, attacked, gradients, harden
from experiments.adversarial.shared.attacks import unit_attacks
from experiments.core.metrics import gram, represented_mass
from experiments.core.training.seeds import DATA, START, instance_seeds, stream

SMALL = Hardening(features=6, hidden=2, steps=5, batch=16)


def batch(instances: int = 3) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    W = torch.randn(instances, 2, 6, generator=generator, dtype=torch.float64)
    b = 0.1 * torch.randn(instances, 6, generator=generator, dtype=torch.float64)
    x = torch.rand(instances, 16, 6, generator=generator, dtype=torch.float64)
    return W, b, x, torch.randint(0, 6, (16,), generator=generator)


def test_gradients_are_those_of_autograd():
    W, b, x, _ = batch()
    seen = x + 0.1
    W.requires_grad_()
    b.requires_grad_()
    y = torch.relu(seen @ W.mT @ W + b[:, None])
    found = torch.autograd.grad(((y - x) ** 2).mean((1, 2)).sum(), [W, b])
    for one, two in zip(found, gradients(W.detach(), b.detach(), seen, x), strict=True):
        assert torch.allclose(one, two)


def test_the_attack_is_the_analytic_one_of_the_worse_sign():
    W, b, x, target = batch()
    size = torch.tensor([0.0, 0.2, 0.4], dtype=torch.float64)
    moved = (attacked(W, b, x, target, size) - x).numpy()
    assert not moved[0].any()
    for k in (1, 2):
        G = gram(W[k].numpy())
        units = unit_attacks(G, "l2")[target.numpy()] * float(size[k])
        sign = np.sign((moved[k] * units).sum(-1, keepdims=True))
        assert np.allclose(moved[k], sign * units)
        loss = [((np.maximum((x[k].numpy() + s * sign * units) @ G + b[k].numpy(), 0) - x[k].numpy()) ** 2).sum(-1)
                for s in (1, -1)]  # fmt: skip
        assert (loss[0] >= loss[1] - 1e-12).all()


def test_all_conditions_at_once_are_a_plain_loop_over_models():
    conditions = [(0.5, 0.0), (0.5, 0.3), (0.1, 0.3)]
    together = harden(*np.array(conditions).T, 2, SMALL, 7)
    for s, own in enumerate(instance_seeds(7, None, 2)):
        for k, (p, size) in enumerate(conditions):
            start, draws = stream(int(own), START), stream(int(own), DATA)
            W = torch.tensor((2 / 8) ** 0.5 * start.standard_normal((2, 6)), dtype=torch.float32, requires_grad=True)
            b = torch.full((6,), p / 2, requires_grad=True)
            adam = torch.optim.Adam([W, b], lr=1e-2)
            for step in range(SMALL.steps):
                present = draws.random((16, 6), dtype=np.float32) < np.float32(p)
                x = torch.from_numpy(np.where(present, draws.random((16, 6), dtype=np.float32), np.float32(0)))
                with torch.no_grad():
                    rows = (W.T @ W)[draws.integers(0, 6, 16)]
                    move = size * rows / rows.norm(dim=1, keepdim=True)
                    harm = [((torch.relu((x + s * move) @ W.T @ W + b) - x) ** 2).sum(1, True) for s in (1, -1)]
                    seen = x + torch.where(harm[0] >= harm[1], move, -move)
                loss = ((torch.relu(seen @ W.T @ W + b) - x) ** 2).mean()
                adam.zero_grad()
                loss.backward()
                adam.param_groups[0]["lr"] = 1e-2 * 0.5 * (1 + np.cos(np.pi * step / SMALL.steps))
                adam.step()
            assert np.allclose(together[s].W[k], W.detach().numpy(), atol=1e-5)
            assert np.allclose(together[s].b[k], b.detach().numpy(), atol=1e-5)


def test_a_model_does_not_depend_on_what_trains_beside_it():
    alone, beside = harden([0.3], [0.2], 1, SMALL, 1), harden([0.3, 0.9], [0.2, 0.5], 3, SMALL, 1)
    assert np.allclose(alone[0].W[0], beside[0].W[0], atol=1e-7)


@pytest.mark.parametrize("size", [0.0, 2.0])
def test_strong_attacks_empty_the_model_and_none_leave_superposition(size):
    (found,) = harden([0.05], [size], 1, Hardening(features=10, hidden=2, steps=800, batch=64), 0)
    crowding = represented_mass(found.W[0]) / 2
    assert crowding > 1.5 if size == 0 else crowding < 1.05
