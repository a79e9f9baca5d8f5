import numpy as np
import pytest
from scipy.optimize import nnls

from experiments.core.autoencoders.sources import sparse_uniform
from experiments.core.read_out import least_squares, leverage
from experiments.core.sparse_coding import interference, sparse_code


def test_a_perfect_reading_has_no_interference_and_a_constant_one_is_all_interference():
    x = np.random.default_rng(0).random((100, 3))
    left = interference(np.column_stack([3 * x[:, 0] - 1, -x[:, 1], np.ones(100)]), x)
    assert left == pytest.approx([0, 0, 1], abs=1e-12)


def test_the_best_linear_reading_leaves_one_minus_the_leverage():
    W = np.random.default_rng(1).standard_normal((1, 4, 9)).astype(np.float32)
    R = least_squares(W, np.array([0.1])).W_out
    x = sparse_uniform(np.random.default_rng(2), 200_000, 9, 0.1)
    left = interference(x @ W[0].T @ R[0].T, x)
    assert left == pytest.approx(1 - leverage(W)[0], abs=0.02)


def test_no_other_linear_reading_leaves_less():
    rng = np.random.default_rng(3)
    W = rng.standard_normal((1, 4, 9)).astype(np.float32)
    R = least_squares(W, np.array([0.1])).W_out[0]
    x = sparse_uniform(rng, 50_000, 9, 0.1)
    best = interference(x @ W[0].T @ R.T, x).mean()
    for _ in range(5):
        other = R + 0.1 * rng.standard_normal(R.shape)
        assert interference(x @ W[0].T @ other.T, x).mean() > best


def test_a_sparse_code_without_penalty_solves_non_negative_least_squares():
    rng = np.random.default_rng(4)
    D, h = rng.standard_normal((6, 8)), rng.standard_normal((5, 8))
    found = sparse_code(D, h, 0.0, steps=3000)
    for row, target in zip(found, h, strict=True):
        assert row == pytest.approx(nnls(D.T, target)[0], abs=1e-6)


def test_a_sparse_code_meets_the_conditions_of_a_minimum():
    """Slope D (f D - h) + penalty: zero where a latent is active, not negative where it is not."""
    rng = np.random.default_rng(5)
    D, h = rng.standard_normal((12, 8)), rng.standard_normal((20, 8))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    f = sparse_code(D, h, 0.3, steps=5000)
    slope = (f @ D - h) @ D.T + 0.3
    assert np.abs(slope[f > 1e-4]).max() < 1e-4
    assert slope.min() > -1e-4


def test_few_features_are_read_exactly_by_a_sparse_code_of_the_true_dictionary():
    """Two of forty in sixteen dimensions: a linear probe leaves three fifths, the code next to nothing."""
    rng = np.random.default_rng(6)
    D = rng.standard_normal((40, 16))
    D /= np.linalg.norm(D, axis=1, keepdims=True)
    x = sparse_uniform(rng, 2000, 40, 0.02)
    assert interference(sparse_code(D, x @ D, 1e-3, steps=1000), x).mean() < 0.01
