"""Intervals of the best models of many cells, against enumeration and against models trained anew."""

from itertools import product

import numpy as np
import pytest

from experiments.phase_change.shared.best_models import chances, resampled_best, root_mean_square, share_of_best


def test_the_chance_to_be_best_is_that_of_all_draws_counted():
    draws = np.array([min(chosen) for chosen in product(range(4), repeat=4)])
    np.testing.assert_allclose(chances(4), np.bincount(draws, minlength=4) / 4**4)


def test_the_share_is_that_of_the_best_models_and_cells_without_doubt_add_no_error_but_half_a_cell():
    loss = np.array([[2.0, 1.0, 3.0], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    sure = share_of_best(np.array([[True] * 3, [False] * 3, [True] * 3]), loss)
    assert (sure.value, sure.low, sure.high) == pytest.approx((2 / 3, 1 / 2, 5 / 6))
    doubtful = share_of_best(np.array([[False, True, False], [False] * 3, [True] * 3]), loss)
    likely = chances(3)[0]
    assert doubtful.value == pytest.approx(2 / 3)
    assert doubtful.value - doubtful.low == pytest.approx(1.96 * np.sqrt(likely * (1 - likely)) / 3 + 1 / 6, rel=1e-3)
    assert (doubtful.high, doubtful.n) == (1.0, 3)


@pytest.mark.parametrize("all_alike", [True, False])
def test_where_all_models_are_alike_an_exception_may_still_be_as_rare_as_that_many_models_show(all_alike):
    found = share_of_best(np.full((100, 5), all_alike), np.random.default_rng(0).random((100, 5)))
    assert (found.value, found.n) == (float(all_alike), 100)
    assert found.high - found.low == pytest.approx(1.96**2 / (500 + 1.96**2), rel=1e-3)


def test_resamples_have_the_error_that_the_closed_form_states():
    generator = np.random.default_rng(1)
    hits, loss = generator.random((200, 5)) < 0.5, generator.random((200, 5))
    found = share_of_best(hits, loss)
    drawn = resampled_best(hits, loss, 4000, seed=0).mean(axis=1)
    assert ((found.high - found.low) / 2 - 1 / 400) / 1.96 == pytest.approx(drawn.std(), rel=0.05)


def test_models_trained_anew_lie_outside_as_often_as_a_normal_interval_says():
    """In most cells all models end in one phase; in some, each finds the better one with a chance of its own."""
    generator = np.random.default_rng(2)
    finds = np.where(np.arange(400) < 340, 1.0, generator.uniform(0.05, 0.5, 400))

    def trained():
        found = generator.random((400, 10)) < finds[:, None]
        return share_of_best(found, np.where(found, 1.0, 2.0) + 0.1 * generator.random((400, 10)))

    runs = [trained() for _ in range(400)]
    outside = np.mean([not old.low <= new.value <= old.high for old, new in zip(runs[::2], runs[1::2], strict=True)])
    assert 0.1 < outside < 0.25


def test_the_root_mean_square_leaves_undefined_ratios_out_and_has_the_spread_of_its_resamples():
    drawn = np.array([[0.3, -0.4, np.nan], [0.3, -0.4, 0.1], [0.0, np.inf, np.nan], [0.5, 0.5, np.nan]])
    found = root_mean_square(np.array([0.3, -0.4, np.nan]), drawn)
    each = [np.sqrt(0.125), np.sqrt(0.26 / 3), 0.0, 0.5]
    assert found.value == pytest.approx(np.sqrt(0.125))
    assert found.n == 2
    assert found.high - found.value == pytest.approx(1.96 * np.std(each, ddof=1), rel=1e-3)
    assert found.low == 0.0
