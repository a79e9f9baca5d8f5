"""Shapley values against the average over all orders, and their shares against known effects."""

from itertools import permutations

import numpy as np
import pytest

from experiments.first_runs.shared.attribution import shapley_shares, shapley_values


def over_all_orders(outcomes: np.ndarray) -> np.ndarray:
    causes = outcomes.ndim
    orders = list(permutations(range(causes)))
    total = np.zeros(causes)
    for order in orders:
        changed = [0] * causes
        for cause in order:
            before = outcomes[tuple(changed)]
            changed[cause] = 1
            total[cause] += outcomes[tuple(changed)] - before
    return total / len(orders)


def test_values_are_the_effects_averaged_over_all_orders_and_sum_to_the_whole() -> None:
    outcomes = np.random.default_rng(0).standard_normal((2,) * 4)
    values = shapley_values(outcomes, 4)
    np.testing.assert_allclose(values, over_all_orders(outcomes))
    assert values.sum() == pytest.approx(outcomes[1, 1, 1, 1] - outcomes[0, 0, 0, 0])


def test_an_interaction_is_split_evenly() -> None:
    outcomes = np.zeros((2, 2))
    outcomes[1, 1] = 1
    np.testing.assert_allclose(shapley_values(outcomes, 2), [0.5, 0.5])


def test_shares_recover_additive_effects_and_their_intervals_cover_them() -> None:
    effects = np.array([-3.0, -1.0, 0.0])
    changed = np.stack(np.meshgrid(*[[0, 1]] * 3, indexing="ij"), -1)
    noise = 0.1 * np.random.default_rng(1).standard_normal((2, 2, 2, 40))
    shares = shapley_shares((changed @ effects)[..., None] + noise, resamples=500, seed=0)
    for share, true in zip(shares, effects / effects.sum(), strict=True):
        assert share.low is not None
        assert share.high is not None
        assert share.low - 0.02 < true < share.high + 0.02
        assert share.high - share.low < 0.05


def test_a_wrong_number_of_causes_is_refused() -> None:
    with pytest.raises(ValueError, match="3 axes of length 2"):
        shapley_values(np.zeros((2, 2, 5)), 3)
