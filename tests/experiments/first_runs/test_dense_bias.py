"""The dense-bias experiment on few models."""

import numpy as np
import pytest

from experiments.first_runs import dense_bias
from experiments.first_runs.dense_bias import Config, Result

SMALL = Config(seeds=8, steps=300, batch=64, exact_seeds=4, check_points_log2=14, densities=(1.0, 0.5), density_seeds=2)


@pytest.fixture(scope="module")
def result() -> Result:
    return dense_bias.run(SMALL, "cpu")


def test_exact_minima_obey_the_formula(result: Result) -> None:
    assert result.exact_error.shape == (8,)
    assert result.exact_error.max() < 3e-4  # the clipping term is averaged over 16,384 points only


def test_trained_biases_scatter_about_the_formula_without_offset(result: Result) -> None:
    assert np.abs(result.linear_b - result.linear_formula).mean() < 0.02
    assert np.corrcoef(result.relu_b, result.relu_formula)[0, 1] > 0.99


def test_ignored_features_output_their_mean(result: Result) -> None:
    np.testing.assert_allclose(result.ignored_b, result.ignored_p / 2, rtol=0.2)


def test_the_error_of_ignored_features_has_the_seeds_as_its_unit(result: Result) -> None:
    assert result.numbers.ignored_error.n == SMALL.density_seeds
    found = dense_bias._mean_per_seed(np.array([0.1, 0.3, 0.5]), np.array([0, 0, 1]))
    assert found.value == pytest.approx((0.2 + 0.5) / 2)
