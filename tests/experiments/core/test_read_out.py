"""Shares of variance against closed forms, samples and limits."""

import numpy as np
import pytest

from experiments.core.losses.evaluation import evaluate
from experiments.core.read_out import (
    decomposed,
    explained,
    least_squares,
    leverage,
    sparse_samples,
    undisturbed,
    variance,
)
from experiments.core.training.specification import Data, Model, Weights


def weights(features: int, hidden: int, b: float = 0.0, count: int = 2) -> Weights:
    W = np.random.default_rng(0).standard_normal((count, hidden, features)).astype(np.float32)
    return Weights(W, np.full((count, features), b, np.float32))


def test_the_variance_is_that_of_samples():
    x = sparse_samples(0.3, 4, 200_000, 0)
    assert x.var() == pytest.approx(float(variance(0.3)), rel=0.01)
    assert (x > 0).mean() == pytest.approx(0.3, abs=0.003)


@pytest.mark.parametrize("p", [1.0, 0.2])
def test_least_squares_reads_as_much_as_the_leverage_says_and_numpy_finds_no_better(p):
    W = weights(12, 4).W
    read = least_squares(W, np.full(2, p))
    x = sparse_samples(p, 12, 40_000, 1).astype(np.float64)
    h = np.c_[x @ W[0].T, np.ones(len(x))]
    fitted = h @ np.linalg.lstsq(h, x, rcond=None)[0]
    ours = x @ read.W[0].T @ read.W_out[0].T + read.b[0]
    shares = 1 - ((x - ours) ** 2).sum(0) / ((x - x.mean(0)) ** 2).sum(0)
    assert np.allclose(shares, leverage(W)[0], atol=0.02)
    assert ((x - ours) ** 2).sum() == pytest.approx(((x - fitted) ** 2).sum(), rel=2e-3)


def test_leverages_add_up_to_the_rank():
    assert np.allclose(leverage(weights(30, 7).W).sum(-1), 7)
    deficient = np.ones((1, 3, 5))
    assert np.allclose(leverage(deficient).sum(-1), 1)


def test_without_others_a_unit_column_and_no_bias_read_everything():
    W = np.zeros((1, 1, 2), np.float32)
    W[0, 0, 0] = 1
    alone = undisturbed(Weights(W[..., :1], np.zeros((1, 1), np.float32)), np.array([0.1]))
    assert alone == pytest.approx(1.0)


def test_undisturbed_is_the_evaluation_of_a_model_with_one_feature():
    W, b = np.full((1, 1, 1), 0.9, np.float32), np.full((1, 1), -0.1, np.float32)
    found = evaluate(Weights(W, b), Data(0.3), Model(1, 1), 1 << 18)
    assert undisturbed(Weights(W, b), np.array([0.3])) == pytest.approx(explained(found.feature_loss, 0.3), abs=0.01)


def test_linear_activations_are_sums_and_products_are_not():
    x = sparse_samples(0.5, 6, 20_000, 0).astype(np.float64)
    W = np.random.default_rng(0).standard_normal((3, 6))
    assert decomposed(x @ W.T, x) == pytest.approx(1)
    centred = x - x.mean(0)
    assert decomposed(centred[:, :3] * centred[:, 3:], x) < 0.02


def test_a_relu_layer_is_a_sum_when_one_feature_is_present_at_a_time():
    x = np.eye(6).repeat(50, 0) * np.random.default_rng(0).random((300, 1))
    W = np.random.default_rng(1).standard_normal((4, 6))
    assert decomposed(np.maximum(x @ W.T, 0), x) == pytest.approx(1)


def test_a_constant_layer_counts_as_a_sum():
    assert decomposed(np.ones((10, 2)), np.random.default_rng(0).random((10, 3))) == 1
