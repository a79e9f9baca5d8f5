"""The factorial of the second run on tiny models."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity
from experiments.core.training.specification import Weights
from experiments.first_runs import second_run
from experiments.first_runs.second_run import Causes, Config, Result

TINY = Config(
    seeds=3,
    features=20,
    hidden=8,
    density=0.05,
    fixed_samples=200,
    steps=(40, 60),
    batch=(8, 16),
    long_steps=100,
    snapshots=4,
    evaluation_samples=512,
    resamples=50,
)


@pytest.fixture(scope="module")
def result() -> Result:
    return second_run.run(TINY, "cpu")


def test_the_short_run_at_a_constant_rate_is_the_beginning_of_the_long_one(result: Result) -> None:
    short = second_run._train(TINY, "cpu", TINY.steps[0]).weights
    expected = second_run._loss(TINY, short).reshape(2, -1)
    np.testing.assert_allclose(result.loss[:, 0, 0, 0, 0], expected, rtol=1e-6)


def test_each_cell_holds_its_own_combination(result: Result) -> None:
    falling_fresh_large = second_run._train(TINY, "cpu", TINY.steps[1], falling=1, fresh=1, batch=1).weights
    expected = second_run._loss(TINY, falling_fresh_large).reshape(2, -1)
    np.testing.assert_allclose(result.loss[:, 1, 1, 1, 1], expected, rtol=1e-6)


def test_both_scales_start_in_the_same_directions() -> None:
    start = second_run._train(TINY, "cpu", 2, extra=(1,)).snapshots[0].W
    ratio = start[: TINY.seeds] / start[TINY.seeds :]
    np.testing.assert_allclose(ratio, np.sqrt((20 + 8) / 2), rtol=1e-5)


def test_shares_sum_to_one_and_extreme_cells_close_nothing_and_all(result: Result) -> None:
    assert sum(quantity.value for quantity in result.shares.values()) == pytest.approx(1)
    assert second_run._closed(result.loss, (0, 0, 0, 0, 0)).value == 0
    assert second_run._closed(result.loss, (1, 1, 1, 1, 1)).value == 1


@pytest.mark.parametrize(
    ("scale", "other", "verdict"),
    [(0.6, 0.2, Verdict.SUPPORTED), (0.3, 0.4, Verdict.REFUTED), (0.4, 0.2, Verdict.MIXED)],
)
def test_the_verdict_follows_the_share_of_the_scale(
    result: Result, scale: float, other: float, verdict: Verdict
) -> None:
    shares = dict.fromkeys(asdict(result.shares), Quantity(other, other - 0.01, other + 0.01, 16))
    shares["initial_scale"] = Quantity(scale, scale - 0.01, scale + 0.01, 16)
    found = second_run.scale_share(replace(result, shares=Causes(**shares)))
    assert second_run.experiment.claims["second-run-scale"].criterion.verdict(found) is verdict


def test_seeds_have_evaluation_samples_of_their_own_and_combinations_share_them() -> None:
    weights = Weights(np.zeros((6, 8, 20), np.float32), np.zeros((6, 20), np.float32))  # two scales of three seeds
    loss = second_run._loss(TINY, weights).reshape(2, 3)
    np.testing.assert_array_equal(loss[0], loss[1])
    assert len(set(loss[0])) == 3
