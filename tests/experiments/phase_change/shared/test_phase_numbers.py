"""Statistics of phase sweeps against cases done by hand."""

import numpy as np
import pytest

from experiments.core.phases import TWO_FEATURES
from experiments.phase_change.shared import phase_numbers
from experiments.phase_change.shared.phase_sweep import Models


def test_the_largest_change_looks_no_further_than_the_factor():
    density = np.array([1.0, 0.9, 0.5, 0.45])
    assert phase_numbers.largest_change(density, np.array([0.0, 0.1, 1.0, 0.7]), 1.3) == pytest.approx(0.3)
    assert phase_numbers.largest_change(density, np.array([0.0, 0.1, 1.0, 0.7]), 2.0) == pytest.approx(1.0)


def test_a_model_fails_for_the_first_cause_that_fits():
    W = np.array([[[[1.0, 0.0]], [[0.9, 0.4]], [[1.0, 0.0]], [[1.0, -1.0]]]])
    b = np.array([[[0.0, -0.1], [-0.1, 0.2], [0.0, 0.1], [0.0, 0.0]]])
    models = Models(W, b, loss=np.array([[2.0, 2.0, 2.0, 1.0]]), floor=np.ones((1, 4)))
    phases = np.array([[0, 4, 0, 1]])
    found = phase_numbers._failed(TWO_FEATURES, models, phases, np.array([1]), known=np.array([1.0]))
    assert found["failed"].value == pytest.approx(0.75)
    for cause in ("dead", "same_way", "other_ideal"):
        assert getattr(found["failures"], cause).value == pytest.approx(1 / 3)
