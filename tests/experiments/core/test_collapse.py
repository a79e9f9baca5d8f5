"""Curves that share a variable predict each other; curves that do not, do not."""

import numpy as np
import pytest

from experiments.core.collapse import held_out_errors, root_mean_square


def test_sizes_that_follow_one_line_are_predicted_exactly_inside_the_range() -> None:
    variables = [np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.5]), np.array([3.0])]
    errors = held_out_errors(variables, [2 * variable + 1 for variable in variables])
    np.testing.assert_allclose(errors[1], [0, 0], atol=1e-12)
    assert np.isnan(errors[0][0])  # below all points of the others
    assert np.isnan(errors[2][0])  # above them


def test_points_that_share_a_variable_are_averaged() -> None:
    variables = [np.array([1.0]), np.array([1.0]), np.array([1.0])]
    errors = held_out_errors(variables, [np.array([0.0]), np.array([2.0]), np.array([5.0])])
    assert errors[2][0] == pytest.approx(5 - 1)


def test_a_shift_between_two_sizes_is_the_error() -> None:
    variables = [np.linspace(0, 3, 7)] * 2
    errors = held_out_errors(variables, [variables[0], variables[0] + 0.3])
    keep = [np.ones(7, bool)] * 2
    assert root_mean_square(errors, keep) == pytest.approx(0.3)
