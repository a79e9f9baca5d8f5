"""What a dense model keeps: the exact two-feature case and the verdicts."""

import numpy as np
import pytest

from experiments.core.training.specification import Weights
from experiments.first_runs import dense_focus
from experiments.first_runs.dense_focus import Config


def test_the_best_direction_of_two_equal_features_is_turned_and_jumps_to_an_axis_when_unequal() -> None:
    ratio, loss, angle = dense_focus._two_features(Config(ratios=5, ratio_starts=6))
    assert angle[-1] == pytest.approx(21.44, abs=0.01)  # found before by a quadrature on 90,000 nodes
    assert 1 - loss[-1] == pytest.approx(0.000949, abs=1e-6)
    assert angle[0] == pytest.approx(0, abs=0.01)
    assert loss[0] == pytest.approx(1, abs=1e-9)
    assert dense_focus._critical(ratio, angle) == pytest.approx(0.985)


def test_angle_losses_are_symmetric_at_equal_importance() -> None:
    loss = dense_focus._angle_losses(np.array([0.0, 20.0, 45.0, 70.0, 90.0]), [1.0])[0]
    np.testing.assert_allclose(loss, loss[::-1], rtol=1e-9)
    assert loss[1] < loss[0]


def test_a_subspace_of_the_top_features_is_recognised_in_any_rotation() -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2))).Q
    top, other = rotation @ np.eye(2, 5), rotation @ np.eye(2, 5, k=2)
    weights = Weights(np.stack([top, other]).astype(np.float32), np.zeros((2, 5), np.float32))
    np.testing.assert_array_equal(dense_focus._keeps_top(weights, 2), [True, False])
