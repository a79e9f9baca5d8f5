"""Probes are what their names say."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from experiments.alarm.shared.probes import PIECE, RIDGE, Networks, logistic


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
    parts = [torch.from_numpy(part).clone().requires_grad_() for part in network.parts]
    A, a, v, c = parts
    z = (h - torch.from_numpy(network.centre)) / torch.from_numpy(network.size)
    scores = (torch.relu(z @ A + a) @ v + c).squeeze(-1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, y, reduction="none").mean(1).sum()
    for mine, known in zip(network._gradients(h.numpy(), y.numpy() > 0), torch.autograd.grad(loss, parts), strict=True):
        np.testing.assert_allclose(mine, known, rtol=1e-4, atol=1e-6)


def test_scores_of_the_network_are_those_that_its_gradients_belong_to():
    generator = np.random.default_rng(2)
    h = generator.normal(size=(2, 50, 4)).astype(np.float32)
    network = Networks(h, generator.random((2, 50)) < 0.5, width=8, steps=20, batch=16, seed=0)
    for target in (0, 1):
        np.testing.assert_allclose(network(h[0])[target], network.slope(h[0], target)[0], atol=1e-5)
    parts = [torch.from_numpy(each[1]) for each in (*network.parts, network.centre, network.size)]
    A, a, v, c, centre, size = parts
    at = torch.from_numpy(h[0]).requires_grad_()
    (known,) = torch.autograd.grad((torch.relu((at - centre) / size @ A + a) @ v + c).sum(), at)
    np.testing.assert_allclose(network.slope(h[0], 1)[1], known, rtol=1e-4, atol=1e-6)


def test_scores_do_not_depend_on_the_pieces_in_which_samples_are_taken():
    generator = np.random.default_rng(3)
    h = generator.normal(size=(2, 40, 4)).astype(np.float32)
    network = Networks(h, generator.random((2, 40)) < 0.5, width=8, steps=10, batch=16, seed=0)
    many = generator.normal(size=(2 * PIECE + 7, 4)).astype(np.float32)
    one_by_one = np.concatenate([network(each[None]) for each in many[PIECE - 5 : PIECE + 5]], axis=1)
    np.testing.assert_allclose(network(many)[:, PIECE - 5 : PIECE + 5], one_by_one, atol=1e-5)
