"""Islands on made-up weights and made-up shares."""

import numpy as np
import pytest

from experiments.core.metrics import cosines
from experiments.first_runs.shared.islands import measures, over_range, sorted_cosines


def test_measures_of_antipodal_pairs_are_those_of_islands_of_two() -> None:
    W = np.hstack([np.eye(5), -np.eye(5), np.full((5, 3), 0.01)])
    near_zero, largest = measures(W)
    assert near_zero == pytest.approx(1 - 5 / 45)
    assert largest == pytest.approx(2 / 10)


def test_sorting_only_reorders_the_cosines() -> None:
    W = np.random.default_rng(0).standard_normal((4, 9))
    found = sorted_cosines(W)
    np.testing.assert_allclose(np.linalg.eigvalsh(found), np.linalg.eigvalsh(cosines(W)), atol=1e-12)


def test_a_range_counts_for_the_densities_that_keep_it_up_together() -> None:
    seeds = np.ones(4)
    near_zero = np.array([0.9, 0.2, 0.6, 0.5, 0.7, 0.1])[:, None] * seeds  # 0.9 stands alone; three keep at least 0.5
    islands = np.array([0.05, 0.3, 0.1, 0.15, 0.4, 0.01])[:, None] * seeds  # two adjacent ones stay at 0.15
    chance = np.array([1, 1, 1, 1, 1, 0.4])[:, None] * seeds
    found = over_range(near_zero, 0.25 * np.ones((6, 4)), islands, chance, resamples=20, seed=0)
    assert found.near_zero.value == pytest.approx(2.0)
    assert found.island.value == pytest.approx(0.15)
    alone = over_range(near_zero, 0.25 * np.ones((6, 4)), islands, 0.4 * chance, resamples=20, seed=0)
    assert alone.island.value == 1  # by chance islands are small as well
