"""Rescaling changes no output, and effective features count features."""

import numpy as np
import pytest

from experiments.computation.shared.absolute import outputs
from experiments.computation.shared.neurons import effective_features, primary_feature, rescaled, share_served
from experiments.core.training import Weights


def random_model() -> Weights:
    generator = np.random.default_rng(0)
    W, R = generator.normal(size=(1, 3, 5)), generator.normal(size=(1, 5, 3))
    return Weights(W.astype(np.float32), generator.normal(size=(1, 5)).astype(np.float32), R.astype(np.float32))


def test_rescaling_sets_the_largest_weight_to_one_and_changes_no_output():
    weights = random_model()
    units = rescaled(weights)
    np.testing.assert_allclose(np.abs(units.W).max(-1), 1)
    x = np.random.default_rng(1).normal(size=(20, 5)).astype(np.float32)
    same = Weights(units.W.astype(np.float32), weights.b, units.R.astype(np.float32))
    np.testing.assert_allclose(outputs(same, 0, x), outputs(weights, 0, x), atol=1e-5)


def test_a_neuron_that_is_hardly_read_is_not_used():
    weights = random_model()
    assert weights.W_out is not None
    weights.W_out[0, :, 1] = 1e-4
    assert rescaled(weights).used[0].tolist() == [True, False, True]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_neuron_that_takes_some_features_alike_has_so_many(count):
    row = np.zeros(8)
    row[:count] = -0.7
    assert effective_features(row) == pytest.approx(count)


def test_a_row_of_zeros_has_no_features():
    assert effective_features(np.zeros((1, 4))) == 0


def test_the_primary_feature_has_the_largest_weight_of_either_sign():
    assert primary_feature(np.array([[0.1, -2.0, 1.0]])).tolist() == [1]


def test_a_dedicated_neuron_serves_all_of_its_feature_whatever_its_scale():
    W, R = np.array([[3.0, 0.0]]), np.array([[1 / 3], [0.5]])
    np.testing.assert_allclose(share_served(W, R), [[1, 0]])
