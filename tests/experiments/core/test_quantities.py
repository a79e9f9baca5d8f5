"""Quantities format as prose and their intervals cover what they claim."""

import numpy as np
import pytest

from experiments.core.quantities import Quantity, bootstrap, exact, from_resamples, mean, median, share


def test_a_number_shows_as_many_places_as_its_interval_supports():
    assert f"{Quantity(0.53217, 0.48, 0.58)}" == "0.53 [0.48, 0.58]"
    assert f"{Quantity(0.53217, 0.5319, 0.5325)}" == "0.53217 [0.53190, 0.53250]"


def test_percent_carries_its_sign_and_interval():
    assert f"{Quantity(0.532, 0.471, 0.590):%}" == "53 % [47 %, 59 %]"
    assert f"{Quantity(0.532, 0.471, 0.590):% value}" == "53 %"


def test_a_count_is_said_in_words():
    assert f"{share([True] * 64):count}" == "all 64"
    assert f"{share([False] * 64):count}" == "none of 64"
    assert f"{share([True] * 3 + [False]):count}" == "3 of 4"


def test_a_count_without_n_is_refused():
    with pytest.raises(ValueError, match="needs n"):
        format(exact(0.5), "count")


def test_a_negative_number_has_a_true_minus_and_zero_has_none():
    assert f"{exact(-0.25)}" == "−0.250"
    assert f"{Quantity(-0.0001, -0.01, 0.01)}" == "0.000 [−0.010, 0.010]"


def test_the_unit_follows_the_interval():
    assert f"{Quantity(2.0, 1.0, 3.0, unit='degrees')}" == "2.0 [1.0, 3.0] degrees"


def test_an_exact_integer_has_no_decimals():
    assert f"{exact(5)}" == "5"


def test_an_explicit_number_format_is_obeyed():
    assert f"{exact(0.12345):.2f}" == "0.12"


@pytest.mark.parametrize(
    ("method", "truth", "draw"),
    [
        (mean, 0.5, lambda rng: rng.random(20)),
        (median, np.log(2), lambda rng: rng.exponential(size=20)),
        (share, 0.3, lambda rng: rng.random(40) < 0.3),
        (
            lambda sample: bootstrap(lambda it: sample[it].mean(), 12, resamples=300),
            0.0,
            lambda rng: rng.normal(size=12),
        ),
    ],
)
def test_intervals_cover_the_truth_as_often_as_they_say(method, truth, draw):
    rng = np.random.default_rng(0)
    trials = 1000
    quantities = [method(draw(rng)) for _ in range(trials)]
    covered = np.mean([q.low <= truth <= q.high for q in quantities])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))


def test_a_share_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        share([])


def test_a_single_value_has_a_mean_without_interval():
    assert mean([3.0]) == Quantity(3.0, n=1, method="a single value, no interval")


@pytest.mark.parametrize(("size", "stated"), [(4, "87.5 %"), (5, "93.8 %"), (6, "95 %"), (12, "95 %"), (64, "95 %")])
@pytest.mark.parametrize("draw", ["normal", "standard_exponential", "standard_cauchy"])
def test_a_median_has_the_coverage_that_its_interval_states(size, stated, draw):
    rng = np.random.default_rng(0)
    truth = {"standard_exponential": np.log(2)}.get(draw, 0.0)
    found = [median(getattr(rng, draw)(size=size)) for _ in range(2000)]
    assert found[0].method == f"interpolated order-statistic interval of the median, {stated}"
    covered = np.mean([q.low <= truth <= q.high for q in found])
    assert covered == pytest.approx(float(stated.removesuffix(" %")) / 100, abs=4 * np.sqrt(0.05 * 0.95 / 2000))


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]])
def test_a_median_without_spread_has_an_interval_of_no_width(values):
    found = median(values)
    assert (found.low, found.value, found.high) == (values[0],) * 3


def test_the_interval_of_a_median_lies_between_the_ranks_that_cover_more_and_less():
    found = median(np.arange(1.0, 13.0))
    assert 3 < found.low < 4
    assert found.high == pytest.approx(13 - found.low)


def test_a_mean_of_shares_has_an_interval_inside_their_range():
    found = mean([1.0, 1.0, 0.9, 1.0], within=(0, 1))
    assert found.high == 1
    assert found.low < 0.9750
    assert "cut off" in found.method
    assert mean([0.5, 0.6, 0.55], within=(0, 1)) == mean([0.5, 0.6, 0.55])


def test_a_bootstrap_moves_all_that_belongs_to_a_unit_together():
    a = np.arange(1.0, 13.0)
    ratio = bootstrap(lambda it: (2 * a)[it].sum() / a[it].sum(), 12)
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (2, 2, 2, 12)


def test_resamples_without_a_value_are_left_out():
    assert from_resamples(1.0, [np.nan, 1.0, 1.0], 12).low == 1.0
    assert from_resamples(1.0, [np.nan], 12).low is None
