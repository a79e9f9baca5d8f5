"""Intervals take the network as the unit: against formulas, brute force and simulated networks."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from experiments.language_model.shared.over_networks import (
    counted,
    over_networks,
    over_pairs,
    padded,
    per_network,
    share_over_networks,
)


def test_dictionaries_stand_in_order_of_width_and_network_with_nothing_in_between():
    found = padded([[[1, 2], [3, 4]], [[5], []]])
    np.testing.assert_array_equal(found, [[[1, 2], [3, 4]], [[5, np.nan], [np.nan, np.nan]]])
    concepts = padded([[[[1, 2]], [[3, 4]]], [[[5, 6]], []]])
    assert concepts.shape == (2, 2, 1, 2)
    assert np.isnan(concepts[1, 1]).all()


def test_a_network_gives_the_mean_of_the_dictionaries_it_has():
    values = np.array([[1.0, 3.0], [5.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(per_network(values), [2, 5, np.nan])
    np.testing.assert_array_equal(per_network(values[None], axis=2), [[2, 5, np.nan]])


def test_the_interval_is_students_over_networks_that_have_a_value():
    values = np.array([0.2, 0.5, np.nan, 0.4])
    known = values[np.isfinite(values)]
    found = over_networks(values)
    half = stats.t.ppf(0.975, 2) * known.std(ddof=1) / np.sqrt(3)
    assert (found.value, found.n) == (pytest.approx(known.mean()), 3)
    assert (found.low, found.high) == pytest.approx((known.mean() - half, known.mean() + half))
    assert "over networks" in found.method


def test_two_networks_have_no_interval():
    assert over_networks([0.2, 0.5, np.nan]).low is None
    assert over_pairs(np.array([[0, 0.3], [0.3, 0]])).low is None
    assert over_pairs(np.array([[0, 0.3], [0.3, 0]])).value == pytest.approx(0.3)


def test_further_dictionaries_of_a_network_do_not_shrink_the_interval():
    few = np.random.default_rng(0).random((6, 1))
    many = np.repeat(few, 50, axis=1)
    one, other = (over_networks(per_network(each)) for each in (few, many))
    assert (other.n, other.low, other.high) == (6, pytest.approx(one.low), pytest.approx(one.high))
    hits = few > 0.5
    one, other = (share_over_networks(each) for each in (hits, np.repeat(hits, 50, axis=1)))
    assert (other.n, other.low, other.high) == (6, pytest.approx(one.low), pytest.approx(one.high))


def test_the_jackknife_over_pairs_leaves_out_one_network_at_a_time():
    rng = np.random.default_rng(1)
    values = rng.random((5, 5))
    values = values + values.T
    np.fill_diagonal(values, np.nan)

    def mean_of(chosen: list[int]) -> float:
        return float(np.mean([values[i, j] for i, j in combinations(chosen, 2)]))

    without = np.array([mean_of([k for k in range(5) if k != left_out]) for left_out in range(5)])
    error = np.sqrt(4 / 5 * ((without - without.mean()) ** 2).sum())
    found = over_pairs(values)
    assert (found.value, found.n) == (pytest.approx(mean_of(list(range(5)))), 5)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 4) * error)
    assert found.value - found.low == pytest.approx(stats.t.ppf(0.975, 4) * error)
    assert over_pairs(values, within=(0, found.value)).high == found.value


def test_sums_over_pairs_have_the_interval_of_the_mean_over_networks():
    """A pair's value that is the mean of its networks' own: then the jackknife gives Student's interval itself."""
    own = np.random.default_rng(2).random(6)
    pairs, networks = over_pairs((own[:, None] + own) / 2), over_networks(own)
    assert (pairs.value, pairs.low, pairs.high) == pytest.approx((networks.value, networks.low, networks.high))


def test_intervals_over_networks_and_pairs_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    runs, hits = 1000, np.zeros(2)
    for _ in range(runs):
        own = rng.normal(size=6)
        noise = rng.normal(scale=0.3, size=(6, 6))
        dictionaries = over_networks(per_network(own[:, None] + rng.normal(scale=0.3, size=(6, 2))))
        pairs = over_pairs(own[:, None] + own + noise + noise.T)
        hits += [each.low <= 0 <= each.high for each in (dictionaries, pairs)]
    assert (hits / runs > 0.95 - 4 * np.sqrt(0.95 * 0.05 / runs)).all()


def test_a_share_has_wilsons_interval_with_a_network_as_one_observation():
    hits = np.array([[True, True], [False, False], [True, True], [False, False]])
    found = share_over_networks(hits)
    wanted = stats.binomtest(2, 4).proportion_ci(0.95, method="wilson")
    assert (found.value, found.n) == (0.5, 4)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high))
    none = share_over_networks(np.zeros((6, 2), bool))
    assert (none.low, none.high) == pytest.approx((0, stats.binomtest(0, 6).proportion_ci(method="wilson").high))


def test_a_count_is_written_over_all_dictionaries():
    assert f"{counted([[True, False], [True, True]], 'ladders'):count}" == "3 of 4"
