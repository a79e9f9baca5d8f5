"""Traits of a target's neighbourhood agree with plain loops."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from experiments.alarm.shared.neighbourhood import at_targets, neighbourhood, traits


@pytest.fixture
def models():
    return np.random.default_rng(0).normal(size=(9, 5, 7))  # (seed, hidden, feature)


def rows_of(W):
    return np.stack([(each.T @ each)[:2] for each in W], axis=-1)


def test_traits_are_those_of_the_columns(models):
    size, largest, total = traits(rows_of(models))
    for s, W in enumerate(models):
        for t in range(2):
            own = W[:, t] @ W[:, t]
            overlaps = [max(W[:, t] @ W[:, j], 0) / own for j in range(7) if j != t]
            assert size[t, s] == pytest.approx(np.sqrt(own))
            assert largest[t, s] == pytest.approx(max(overlaps))
            assert total[t, s] == pytest.approx(np.sqrt(sum(each**2 for each in overlaps)))


def test_correlations_are_those_of_the_library_over_all_and_within_targets(models):
    column, rate = rows_of(models), np.random.default_rng(1).random((2, 9))
    found = neighbourhood(rate, column)
    size, largest, _ = traits(column)
    assert found.norm.value == pytest.approx(spearmanr(size.ravel(), rate.ravel())[0])
    within = np.mean([spearmanr(largest[t], rate[t])[0] for t in range(2)])
    assert found.largest_within.value == pytest.approx(within)


def test_every_target_is_summarised_under_its_weight(models):
    column, rate = rows_of(models), np.random.default_rng(2).random((2, 9))
    found = at_targets((10, 40), rate, 1 - rate, column)
    assert list(found) == ["10", "40"]
    assert found["40"].direction.value == pytest.approx(rate[1].mean())
    assert found["40"].probe.value == pytest.approx(1 - rate[1].mean())
    assert found["10"].norm.value == pytest.approx(traits(column)[0][0].mean())
