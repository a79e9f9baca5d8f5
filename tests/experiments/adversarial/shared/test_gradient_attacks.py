"""Gradient attacks against automatic differentiation, a linear model's exact optimum and a dense search."""

import numpy as np
import pytest
import torch

from experiments.adversarial.shared.attacks import NORMS, draws, harm, worst_inputs
from experiments.adversarial.shared.gradient_attacks import ascend, direction, loss_and_slope, project
from experiments.core.metrics import gram


def models(count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, 3, 7)) / 3**0.5, rng.uniform(-0.3, 0.1, (count, 7))


def test_the_gradient_is_that_of_autograd():
    W, b = (torch.tensor(each) for each in models())
    x = torch.rand(2, 4, 5, 7, dtype=torch.float64, requires_grad=True)
    target, weight = torch.rand(5, 7, dtype=torch.float64), torch.rand(5, 7, dtype=torch.float64)
    loss, slope = loss_and_slope(W, b, x, target, weight)
    (found,) = torch.autograd.grad(loss.sum(), x)
    assert torch.allclose(found, slope)


@pytest.mark.parametrize("norm", NORMS)
def test_attacks_stay_within_the_budget_and_are_worth_what_is_said(norm):
    (W, b), x = models(), draws(30, 7, 1).inputs(0.5)
    found = ascend(W, b, x, 0.2, norm, restarts=4, steps=20, seed=0)
    size = np.linalg.norm(found.delta, axis=-1) if norm == "l2" else np.abs(found.delta).max(-1)
    assert size.max() <= 0.2 * (1 + 1e-5)
    y = np.maximum(np.einsum("isf,ifg->isg", x + found.delta, gram(W)) + b[:, None], 0)
    assert ((y - x) ** 2).sum(-1) == pytest.approx(found.loss.max(1), rel=1e-4)
    assert (found.loss.max(1) >= found.clean - 1e-6).all()


def test_it_finds_the_top_singular_vector_of_a_linear_model():
    W, _ = models(1)
    x = np.zeros((1, 7))
    high = np.full((1, 7), 5.0)  # so far up that no output is cut
    found = ascend(W, high, x, 0.2, "l2", restarts=20, steps=100, seed=0, target=np.full((1, 1, 7), 5.0))
    assert found.loss.max() == pytest.approx((0.2 * np.linalg.eigvalsh(gram(W[0])).max()) ** 2, rel=5e-3)


def test_with_three_inputs_it_does_as_well_as_a_dense_search():
    rng = np.random.default_rng(3)
    W, b = rng.standard_normal((1, 2, 3)), np.array([[-0.1, 0.0, 0.1]])
    x = draws(20, 3, 4).inputs(0.6)
    tried = rng.standard_normal((20_000, 3))
    tried *= 0.3 / np.linalg.norm(tried, axis=1, keepdims=True)
    G = gram(W[0])
    dense = [((np.maximum((s + tried) @ G + b[0], 0) - s) ** 2).sum(1).max() for s in x.astype(np.float64)]
    found = ascend(W, b, x, 0.3, "l2", restarts=20, steps=60, seed=0).loss.max(1)[0]
    assert (found >= 0.999 * np.array(dense)).all()


@pytest.mark.parametrize("norm", NORMS)
def test_on_one_output_no_gradient_attack_beats_the_analytic_one(norm):
    (W, b), x = models(1), draws(40, 7, 5).inputs(0.5).astype(np.float64)
    G, weight = gram(W[0]), np.eye(7)[np.arange(40) % 7]
    clean = np.maximum(x @ G + b[0], 0)
    reach = 0.2 * (np.linalg.norm(G, axis=1) if norm == "l2" else np.abs(G).sum(1))
    z = x @ G + b[0]
    change = np.maximum(np.abs(np.maximum(z + reach, 0) - clean), np.abs(np.maximum(z - reach, 0) - clean))
    found = ascend(W, b, x, 0.2, norm, restarts=20, steps=60, seed=0, target=clean[None], weight=weight)
    best = (weight * change**2).sum(-1)
    assert (found.loss.max(1)[0] <= best * (1 + 1e-3) + 1e-7).all()
    assert found.loss.max(1)[0].sum() >= 0.95 * best.sum()


def test_a_start_at_the_analytic_attack_never_ends_below_it():
    (W, b), x = models(1), draws(40, 7, 6).inputs(0.5).astype(np.float64)
    start = worst_inputs(gram(W[0]), b[0], x, 0.2, "l2")
    found = ascend(W, b, x, 0.2, "l2", restarts=0, steps=20, seed=0, start=start[None])
    assert found.loss.max(1).mean() >= harm(gram(W), b, x, 0.2, "l2").attacked[0] * (1 - 1e-5)


def test_a_gradient_is_masked_where_every_output_is_cut():
    W, b = models(1)
    found = ascend(W, b - 10, np.zeros((3, 7)), 0.1, "l2", restarts=0, steps=3, seed=0)
    assert found.masked.all()
    assert found.loss.max() == 0


def test_steps_and_projections_of_nothing_are_nothing():
    assert not direction(torch.zeros(2, 3), "l2").any()
    assert not project(torch.zeros(2, 3), 1.0, "l2").any()
    assert project(torch.tensor([[3.0, 4.0]]), 1.0, "l2").tolist() == [pytest.approx([0.6, 0.8])]
