"""The dense-bias experiment on few models."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity, share
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


@pytest.mark.parametrize(
    ("agreeing", "verdict"), [(128, Verdict.SUPPORTED), (90, Verdict.MIXED), (10, Verdict.REFUTED)]
)
def test_the_verdict_follows_the_share_of_models_that_agree(result: Result, agreeing: int, verdict: Verdict) -> None:
    found = replace(result, within_four_digits=share(np.arange(128) < agreeing))
    assert dense_bias.decide_formula(found).verdict is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.0, 0.01, Verdict.SUPPORTED), (0.06, 0.08, Verdict.REFUTED), (0.01, 0.06, Verdict.MIXED)],
)
def test_the_verdict_on_ignored_features_follows_its_interval(
    result: Result, low: float, high: float, verdict: Verdict
) -> None:
    found = replace(result, numbers=result.numbers | {"ignored_error": Quantity((low + high) / 2, low, high, 9)})
    assert dense_bias.decide_ignored(found).verdict is verdict
