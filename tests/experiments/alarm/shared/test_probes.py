"""Probes are what their names say."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from experiments.alarm.shared.probes import RIDGE, Networks, logistic


@pytest.fixture
def labelled():
    generator = np.random.default_rng(0)
    h = generator.normal(size=(400, 5)).astype(np.float32)
    chance = 1 / (1 + np.exp(-(h @ [1.5, -1.0, 0.5, 0.0, 0.0] - 0.3)))
    return h, generator.random(400) < chance


def test_the_logistic_probe_is_that_of_a_library(labelled):
    h, labels = labelled
    z = (h - h.mean(0)) / h.std(0)
    known = LogisticRegression(C=1 / (RIDGE * len(h)), tol=1e-10, max_iter=1000).fit(z, labels)
    weights, bias = logistic(h, labels)
    np.testing.assert_allclose(weights * h.std(0), known.coef_[0], atol=2e-3)
    assert bias + weights @ h.mean(0) == pytest.approx(known.intercept_[0], abs=2e-3)


def test_separable_labels_still_give_a_finite_probe():
    h = np.array([[-1.0], [-0.5], [0.5], [1.0]], np.float32)
    weights, bias = logistic(h, np.array([False, False, True, True]))
    assert np.isfinite([*weights, bias]).all()
    assert ((h @ weights + bias > 0) == [False, False, True, True]).all()


def test_the_network_learns_what_no_linear_probe_can():
    generator = np.random.default_rng(1)
    h = generator.uniform(-1, 1, (1, 2000, 2)).astype(np.float32)
    labels = (h[..., 0] * h[..., 1]) > 0
    network = Networks(h, labels, width=32, steps=600, batch=256, seed=0)
    right = ((network(h[0])[0] > 0) == labels[0]).mean()
    weights, bias = logistic(h[0], labels[0])
    assert right > 0.9
    assert ((h[0] @ weights + bias > 0) == labels[0]).mean() < 0.7


def test_many_labels_and_a_start_elsewhere_end_at_the_probe_of_the_library():
    generator = np.random.default_rng(4)
    h = generator.normal(size=(25_000, 4)).astype(np.float32)
    labels = generator.random(len(h)) < 1 / (1 + np.exp(-(h @ [2.0, -1.0, 0.0, 0.5])))
    known = LogisticRegression(C=1 / (RIDGE * len(h)), tol=1e-10, max_iter=1000).fit((h - h.mean(0)) / h.std(0), labels)
    far = np.array([-1.0, 1.0, 1.0, 0.0], np.float32), 0.7
    for start in (None, logistic(h[:100], labels[:100]), far):
        weights, bias = logistic(h, labels, start=start)
        np.testing.assert_allclose(weights * h.std(0), known.coef_[0], atol=2e-3)
        assert bias + weights @ h.mean(0) == pytest.approx(known.intercept_[0], abs=2e-3)


def test_gradients_of_the_network_are_those_of_automatic_differentiation():
    generator = torch.Generator().manual_seed(0)
    h, y = torch.randn(2, 40, 3, generator=generator), torch.rand(2, 40, generator=generator).round()
    network = Networks(h.numpy(), y.numpy() > 0, width=6, steps=5, batch=16, seed=0)
    parts = [part.clone().requires_grad_() for part in network.parts]
    A, a, v, c = parts
    scores = (torch.relu((h - network.centre) / network.size @ A + a) @ v + c).squeeze(-1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, y, reduction="none").mean(1).sum()
    for mine, known in zip(network._gradients(h, y), torch.autograd.grad(loss, parts), strict=True):
        torch.testing.assert_close(mine, known, rtol=1e-4, atol=1e-6)


def test_scores_of_the_network_are_those_that_its_gradients_belong_to():
    generator = np.random.default_rng(2)
    h = generator.normal(size=(2, 50, 4)).astype(np.float32)
    network = Networks(h, generator.random((2, 50)) < 0.5, width=8, steps=20, batch=16, seed=0)
    x = torch.from_numpy(h[0])
    for target in (0, 1):
        np.testing.assert_allclose(network(h[0])[target], network.slope(x, target)[0].numpy(), atol=1e-5)
    at = x.clone().requires_grad_()
    (known,) = torch.autograd.grad(network.slope(at, 1)[0].sum(), at)
    torch.testing.assert_close(network.slope(x, 1)[1], known)
    assert known.abs().mean() > 1e-3
