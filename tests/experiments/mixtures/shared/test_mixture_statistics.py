"""Ratios and the score of avoidance, on numbers whose answer is known."""

import numpy as np
import pytest

from experiments.core.quantities import bootstrap
from experiments.mixtures.shared.mixture_measures import evenness
from experiments.mixtures.shared.mixture_statistics import (
    avoidance,
    interference_at_equal_loss,
    least_typical_ratio,
    typical_ratio,
)


def noisy(value, shape=(3, 16), seed=0):
    return value * np.exp(0.02 * np.random.default_rng(seed).standard_normal(shape))


def test_a_ratio_is_a_geometric_mean_over_densities():
    one, other = np.array([[2.0, 2.0], [8.0, 8.0]]), np.ones((2, 2))
    assert typical_ratio(one, other).value == pytest.approx(4.0)


def test_the_interval_of_a_ratio_holds_the_truth_and_knows_its_seeds():
    found = typical_ratio(noisy(3.0), noisy(2.0, seed=1))
    assert found.low < 1.5 < found.high
    assert found.n == 16


def test_the_least_ratio_is_that_of_the_best_model():
    ratios = np.stack([noisy(1.4), noisy(1.1, seed=1), noisy(2.0, seed=2)])
    assert least_typical_ratio(ratios).value == pytest.approx(1.1, rel=0.02)


@pytest.mark.parametrize(
    ("loss", "routed", "expected"),
    [
        (1.0, 0.5, 1 / 1.05),  # as good, half the interference: what counts is the loss
        (2.0, 0.1, 2 / 1.05),  # clean but bad
        (0.5, 3.0, 3.0),  # good but no cleaner
    ],
)
def test_avoidance_is_below_one_only_for_a_clean_and_competitive_model(loss, routed, expected):
    baselines = np.stack([np.ones((2, 12)), np.full((2, 12), 4.0)])
    baseline_routed = np.stack([np.ones((2, 12)), np.full((2, 12), 0.01)])
    found = avoidance(np.full((2, 12), loss), np.full((2, 12), routed), baselines, baseline_routed)
    assert found.value == pytest.approx(expected)


def test_evenness_is_one_for_equal_use_and_zero_for_a_single_expert():
    assert evenness(np.full(4, 0.25)) == pytest.approx(1.0)
    assert evenness(np.array([1.0, 0, 0])) == 0
    assert evenness(np.ones(1)) == 1


def test_interference_at_equal_loss_reads_the_dense_curve_between_its_sizes():
    sizes = np.array([4.0, 2.0, 1.0])  # losses of ever larger dense models
    dense_loss = np.broadcast_to(sizes[:, None, None], (3, 2, 12))
    dense_routed = np.broadcast_to(np.array([1.0, 5.0, 3.0])[:, None, None], (3, 2, 12))
    found = interference_at_equal_loss(np.full((2, 12), 3.0), np.full((2, 12), 1.5), dense_loss, dense_routed)
    assert found.value == pytest.approx(1.5 / 3.0)  # halfway between losses 2 and 4: interference 3


def test_all_resamples_at_once_are_the_resamples_one_after_the_other():
    generator = np.random.default_rng(5)
    loss, routed = np.exp(0.3 * generator.standard_normal((2, 4, 16)))
    dense_loss, dense_routed = np.exp(0.3 * generator.standard_normal((2, 5, 4, 16)))

    def one(chosen):
        x, y = dense_loss[..., chosen].mean(-1), dense_routed[..., chosen].mean(-1)
        order = x.argsort(0)
        own = loss[:, chosen].mean(-1)
        there = [np.interp(own[k], x[order[:, k], k], y[order[:, k], k]) for k in range(4)]
        return float(np.exp(np.log(routed[:, chosen].mean(-1) / there).mean()))

    expected = bootstrap(one, 16, unit="times")
    assert interference_at_equal_loss(loss, routed, dense_loss, dense_routed) == expected
