"""Peaks on made-up values: one that is there, one that is not, and their intervals over seeds."""

import numpy as np
import pytest

from experiments.uniform.shared.peaks import between, contrast, counts_in, smooth_density

GENERATOR = np.random.default_rng(0)
FLAT = [GENERATOR.random(400) for _ in range(8)]
PEAKED = [np.concatenate([flat, np.full(60, 0.5)]) for flat in FLAT]
GAPS = [(0.4, 0.42), (0.58, 0.6)]


def test_a_smooth_density_integrates_to_one_and_peaks_where_values_are():
    at = np.linspace(-0.5, 1.5, 4001)
    curve = smooth_density(PEAKED[0], at, 0.01)
    assert curve.sum() * (at[1] - at[0]) == pytest.approx(1, abs=1e-6)
    assert at[curve.argmax()] == pytest.approx(0.5, abs=0.005)


def test_windows_include_their_ends():
    assert counts_in([np.array([0.1, 0.2, 0.3])], [(0.1, 0.2)]).tolist() == [[2.0]]


def test_flat_values_have_no_peak():
    found = contrast(FLAT, (0.49, 0.51), GAPS, 400, np.random.default_rng(1))
    assert found.low < 1 < found.high


def test_a_peak_stands_out_by_the_ratio_of_densities():
    found = contrast(PEAKED, (0.49, 0.51), GAPS, 400, np.random.default_rng(1))
    flat = contrast(FLAT, (0.49, 0.51), GAPS, 400, np.random.default_rng(1))
    gap_count = counts_in(FLAT, GAPS).sum()
    assert found.value - flat.value == pytest.approx(8 * 60 / 0.02 / (gap_count / 0.04 + 1 / 0.06))
    assert found.low > 2


def test_no_values_at_all_are_no_peak():
    found = contrast([np.ones(3)] * 4, (0.49, 0.51), [(0.4, 0.45)], 50, np.random.default_rng(1))
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


def test_the_interval_reflects_that_seeds_are_the_unit():
    one_seed_has_all = [FLAT[0].repeat(20), *FLAT[1:]]
    one_seed_has_all[0] = np.full(2000, 0.5)
    found = contrast(one_seed_has_all, (0.49, 0.51), GAPS, 400, np.random.default_rng(1))
    assert found.low < 2 < found.value


def test_gaps_are_the_middle_thirds_between_lines():
    assert between([1.0, 0.4, 0.7]) == [pytest.approx((0.5, 0.6)), pytest.approx((0.8, 0.9))]
