"""The loss over all pairs and its gradient are those of autograd, and one neuron per pair is exact."""

import numpy as np
import pytest
import torch

from experiments.computation.shared.and_training import (
    Network,
    Training,
    hidden_activity,
    loss_and_gradient,
    started,
    trained,
    worst_pair_errors,
)
from experiments.computation.shared.ands import active_sets


def one_neuron_per_pair(features):
    rows, columns = np.triu_indices(features, k=1)
    B = np.zeros((len(rows), features), np.float32)
    B[range(len(rows)), rows] = B[range(len(rows)), columns] = 1
    return Network(B.copy(), np.full(len(rows), -1, np.float32), B)


def by_autograd(network, sets, weight):
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in vars(network).values()]
    W, b, B = leaves
    x = torch.zeros(len(sets), W.shape[1], dtype=torch.float64)
    x.scatter_(1, torch.as_tensor(sets), 1)
    h = (x @ W.T + b).relu()
    y = torch.einsum("nk,ki,kj->nij", h, B, B)
    wanted = torch.einsum("ni,nj->nij", x, x)
    pairs = torch.triu(torch.ones(y.shape[1:], dtype=torch.float64), 1)
    loss = ((1 + (weight - 1) * wanted) * (y - wanted) ** 2 * pairs).sum((1, 2)).mean()
    loss.backward()
    return loss.item(), [leaf.grad.numpy() for leaf in leaves]


@pytest.mark.parametrize("active", [2, 3])
def test_loss_and_gradient_are_those_of_all_pairs(active):
    generator = np.random.default_rng(0)
    network, sets = started(9, 7, generator), active_sets(9, active, 20, generator)
    loss, slope = loss_and_gradient(network, sets, 5.0)
    expected, slopes = by_autograd(network, sets, 5.0)
    assert loss == pytest.approx(expected, rel=1e-4)
    for name, wanted in zip(("W", "b", "B"), slopes, strict=True):
        np.testing.assert_allclose(getattr(slope, name), wanted, rtol=1e-3, atol=1e-4)


def test_one_neuron_per_pair_is_exact():
    network, sets = one_neuron_per_pair(8), active_sets(8, 3, 30, np.random.default_rng(0))
    assert loss_and_gradient(network, sets, 4.0)[0] == pytest.approx(0, abs=1e-4)
    # A read-out by products sees no other pair; three features on never switch a neuron beyond 1.
    np.testing.assert_allclose(worst_pair_errors(network, sets), 0, atol=1e-6)


def test_hidden_activity_is_never_negative():
    network = started(6, 20, np.random.default_rng(0))
    assert (hidden_activity(network, np.eye(6, dtype=np.float32)) >= 0).all()


def test_training_lowers_the_worst_error():
    sets = active_sets(8, 3, 60, np.random.default_rng(1))
    before = trained(8, 24, 3, Training(steps=1), np.random.default_rng(0))
    after = trained(8, 24, 3, Training(steps=300), np.random.default_rng(0))
    assert np.median(worst_pair_errors(after, sets)) < 0.7 * np.median(worst_pair_errors(before, sets))
