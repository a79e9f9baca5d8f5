"""Two directions against the rest, at a small size."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.quantities import share
from experiments.first_runs.two_directions import Config, experiment, run


@pytest.fixture(scope="module")
def result():
    return run(Config(seeds=8, p=(1, 0.3, 0.1), search_starts=4, curve_points=7), "cpu")


def test_two_directions_lose_three_fifths_at_every_density(result):
    np.testing.assert_allclose(result.family[0], 0.6, rtol=1e-9)


def test_unit_digons_beat_two_directions_below_four_sevenths():
    p = 4 / 7
    assert 2 * p**2 / 3 + (p / 3 - p**2 / 4) == pytest.approx(3 * (p / 3 - p**2 / 4))


def test_the_best_is_no_worse_than_any_run_or_family(result):
    assert (result.loss.min(-1) >= result.best * (1 - 1e-9)).all()
    assert (result.family[:, np.searchsorted(result.curve_p, result.p)] >= result.best * (1 - 1e-9)).all()


def test_shares_lie_within_their_intervals(result):
    assert (result.worse[:, 1] <= result.worse[:, 0]).all()
    assert (result.worse[:, 0] <= result.worse[:, 2]).all()


@pytest.mark.parametrize(("worse", "verdict"), [(0, Verdict.REFUTED), (30, Verdict.MIXED), (90, Verdict.SUPPORTED)])
def test_the_verdict_follows_the_share_of_worse_runs(worse, verdict):
    found = Evidence(worse=share([True] * worse + [False] * (100 - worse)))
    assert experiment.claims["two-directions-better"].criterion.verdict(found) is verdict


def test_the_quoted_shares_are_those_of_their_densities(result):
    assert result.numbers.worse.value == result.worse[2, 0]
    assert result.numbers.worse_when_dense.value == result.worse[0, 0]
