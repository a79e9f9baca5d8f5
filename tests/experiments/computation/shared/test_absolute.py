"""Models of the absolute value: their start, their training and what they get wrong, against plain computations."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.computation.shared.absolute import (
    ORDINARY,
    PREPARED,
    Training,
    absolute,
    batch_at,
    errors_by_count,
    first_weights,
    outputs,
    present_samples,
    relative_errors,
    total,
    trained_at,
)
from experiments.computation.shared.absolute_sweep import Config
from experiments.core.training import Weights


def dedicated(features: int, computed: int) -> Weights:
    """Return the exact model of the first `computed` features, two neurons each, and zeros elsewhere."""
    W = np.zeros((1, 2 * computed, features), np.float32)
    for i in range(computed):
        W[0, 2 * i, i], W[0, 2 * i + 1, i] = 1, -1
    return Weights(W, np.zeros((1, features), np.float32), np.ascontiguousarray(np.abs(W).swapaxes(1, 2)))


def test_features_with_two_neurons_cost_nothing_and_others_all():
    error = relative_errors(dedicated(5, 2), absolute(5, 4), 0.3, 20_000, 0, 1)
    np.testing.assert_allclose(error[0, :2], 0, atol=1e-12)
    np.testing.assert_allclose(error[0, 2:], 1, rtol=0.05)


@pytest.mark.parametrize("p", [1.0, 0.2, 0.01])
def test_errors_agree_with_plain_monte_carlo(p):
    generator = np.random.default_rng(1)
    weights = first_weights(replace(ORDINARY, positive=True), absolute(4, 3), np.array([p]), 0, 1)
    weights = Weights(weights.W, np.full_like(weights.b, 0.05), weights.W_out)
    x = np.where(generator.random((400_000, 4)) < p, generator.uniform(-1, 1, (400_000, 4)), 0).astype(np.float32)
    plain = ((outputs(weights, 0, x).astype(np.float64) - np.abs(x)) ** 2).mean() / (p / 3)
    assert relative_errors(weights, absolute(4, 3), p, 100_000, 3, 1).mean() == pytest.approx(plain, rel=0.03)


def test_every_present_sample_has_a_feature_and_the_right_number_of_them():
    x = present_samples(np.random.default_rng(0), 20_000, 30, 0.02)
    assert x.shape == (20_000, 30)
    assert (x != 0).any(1).all()
    assert (x != 0).sum(1).mean() == pytest.approx(30 * 0.02 / (1 - 0.98**30), rel=0.02)


def test_arms_of_a_seed_start_alike_and_a_prepared_read_out_is_positive():
    weights = first_weights(PREPARED, absolute(6, 4), np.array([0.1, 1.0]), 5, 3)
    np.testing.assert_array_equal(weights.W[:3], weights.W[3:])
    assert weights.W_out is not None
    assert (weights.W_out > 0).all()
    assert not np.array_equal(weights.W[0], weights.W[1])
    np.testing.assert_allclose(weights.b[[0, 3], 0], [0.05, 0.5])


def test_batches_grow_as_features_become_rare_up_to_a_limit():
    training = Training()
    assert [batch_at(training, p) for p in (1.0, 0.03, 0.01, 0.001)] == [256, 512, 1024, 4096]
    published = Config()
    batches = [batch_at(published.training, p) for p in published.p]
    assert batches == [128, 128, 128, 256, 1024, 2048, 4096]


def test_random_neurons_stay_and_learned_ones_move():
    training = Training(steps=20, start=ORDINARY)
    fixed, learned = (
        trained_at(training, absolute(4, 2), 0.5, np.ones((1, 4)), 0, 2, "cpu", learn_W=learn).W
        for learn in (False, True)
    )
    np.testing.assert_array_equal(fixed, first_weights(ORDINARY, absolute(4, 2), np.array([0.5]), 0, 2).W)
    assert (fixed != learned).all()


def test_an_exact_model_stays_exact_when_features_meet():
    own, leak = errors_by_count(dedicated(6, 6), 0, (1, 3, 6), 500, (0,))
    np.testing.assert_allclose(own, 0, atol=1e-12)
    np.testing.assert_allclose(leak, 0, atol=1e-12)


def test_errors_by_count_are_shares_of_those_of_an_output_of_zero():
    own, leak = errors_by_count(dedicated(6, 3), 0, (1, 2), 20_000, (0,))
    np.testing.assert_allclose(own, 0.5, rtol=0.05)
    np.testing.assert_allclose(leak, 0, atol=1e-12)


def test_the_total_weighs_features_by_importance():
    assert total(np.array([0.0, 1.0]), np.array([3.0, 1.0])) == pytest.approx(0.25)
