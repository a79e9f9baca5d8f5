"""Plateaus of made-up curves whose levels and slopes are known."""

import numpy as np
import pytest

from experiments.uniform.shared.plateau import flatness, local_slopes, passes

X = np.linspace(0, 1, 101)
STAIRS = np.interp(X, [0, 0.3, 0.4, 0.7, 1.0], [1.0, 1.0, 0.5, 0.5, 0.2])


def test_a_line_passes_a_level_where_it_should_in_any_order_of_points():
    shuffled = np.random.default_rng(0).permutation(len(X))
    assert passes(X[shuffled], 1 - X[shuffled], 0.355) == pytest.approx(0.645, abs=1e-9)


def test_noise_puts_the_crossing_between_the_last_above_and_the_first_below():
    assert passes([0, 1, 2, 3], [1.0, 0.4, 0.6, 0.0], 0.5) == 1.5


def test_a_curve_on_one_side_passes_at_an_end():
    assert passes(X, np.ones_like(X), 0.5) == 1.0
    assert passes(X, np.zeros_like(X), 0.5) == 0.0


def test_slopes_of_a_line_are_its_slope():
    _, slope = local_slopes(X, 3 - 2 * X, 7)
    np.testing.assert_allclose(slope, -2)


def test_a_plateau_is_flatter_than_its_surroundings_and_a_line_is_not():
    assert flatness(X, STAIRS + 0.01 * X, (0.42, 0.68), (0.0, 1.0), 5) < 0.25
    assert flatness(X, 1 - X, (0.4, 0.6), (0.0, 1.0), 5) == pytest.approx(1)
    assert flatness(X, 1 - X, (2.0, 3.0), (0.0, 1.0), 5) == 1.0
