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


def test_scores_of_the_network_are_those_that_its_gradients_belong_to():
    generator = np.random.default_rng(2)
    h = generator.normal(size=(2, 50, 4)).astype(np.float32)
    network = Networks(h, generator.random((2, 50)) < 0.5, width=8, steps=20, batch=16, seed=0)
    x = torch.from_numpy(h[0]).expand(2, -1, -1).contiguous()
    scores, gradient = network.slope(x)
    np.testing.assert_allclose(network(h[0]), scores.numpy(), atol=1e-5)
    step = 1e-3 * torch.randn(4, generator=torch.Generator().manual_seed(0))
    moved, _ = network.slope(x + step)
    off = np.abs((moved - scores).numpy() - (gradient @ step).numpy())
    assert (off > 5e-5).mean() <= 0.05, "the step may carry a hidden unit of a few samples across its kink"
    assert np.abs((gradient @ step).numpy()).mean() > 1e-3
