"""Samples: densities, clusters, and models that are matched."""

import numpy as np
import pytest

from experiments.core.training.seeds import DATA
from experiments.mixtures.shared.mixture_model import Mixture, dense, matched, multiply_adds, parameters, start
from experiments.mixtures.shared.mixture_samples import Source, as_array, as_samples, draw, first_state, new_samples

COUNT = 20_000


def drawn(source, seed=1):
    samples = new_samples(source, COUNT)
    draw(source, first_state(seed, DATA), samples)
    return samples, as_array(samples, source.features)


@pytest.mark.parametrize("density", [0.01, 0.1, 0.5, 1.0])
def test_features_are_present_at_their_density_with_uniform_values(density):
    _, x = drawn(Source(20, density))
    error = np.sqrt(density * (1 - density) / COUNT)
    assert np.abs((x > 0).mean(0) - density).max() <= 4.5 * error
    present = x[x > 0]
    assert present.mean() == pytest.approx(0.5, abs=5 * 0.29 / np.sqrt(len(present)))
    assert (present**2).mean() == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("purity", [0.0, 0.5, 1.0])
def test_purity_moves_features_into_their_cluster_and_keeps_the_density(purity):
    source = Source(20, 0.05, clusters=4, purity=purity)
    samples, x = drawn(source)
    own = np.arange(20) // 5 == samples.label[:, None]
    assert (x > 0).mean() == pytest.approx(0.05, abs=0.002)
    assert (x > 0)[own].mean() == pytest.approx(0.05 * (1 + 3 * purity), abs=0.005)
    assert (x > 0)[~own].mean() == pytest.approx(0.05 * (1 - purity), abs=0.002)
    assert (own & (x > 0)).any()


def test_lists_and_arrays_hold_the_same():
    samples, x = drawn(Source(20, 0.1))
    again = as_samples(x)
    np.testing.assert_array_equal(again.starts, samples.starts)
    np.testing.assert_array_equal(as_array(again, 20), x)


def test_a_density_that_no_probability_gives_is_refused():
    with pytest.raises(ValueError, match="purity"):
        Source(20, 0.5, clusters=4, purity=1.0)


@pytest.mark.parametrize("active", [1, 2, 5])
def test_matched_dense_models_are_no_larger_and_the_next_ones_are(active):
    model, n = Mixture(10, 2, active), 100
    found = matched(model, n)
    assert parameters(dense(found.total), n) <= parameters(model, n) < parameters(dense(found.total + 1), n)
    assert multiply_adds(dense(found.cost), n) <= multiply_adds(model, n) < multiply_adds(dense(found.cost + 1), n)
    assert found.hidden == 20


def test_multiply_adds_by_hand():
    assert multiply_adds(dense(20), 100) == 2 * 20 * 100
    assert multiply_adds(Mixture(5, 4, 1), 100) == 5 * 100 + 2 * 4 * 100
    assert multiply_adds(Mixture(5, 4, 2), 100) == 5 * 100 + 2 * 8 * 100 + 2 * 100
    assert multiply_adds(Mixture(5, 4, 1, router="hash"), 100) == 2 * 4 * 100
    assert multiply_adds(Mixture(5, 4, 1, router="bottleneck"), 100) == 20 * 100 + 5 * 20 + 4 * 100
    assert multiply_adds(Mixture(1, 20, units=3), 100) == 20 * 100 + 3 * 100


def test_a_k_hot_gate_deals_the_features_evenly():
    gate = start(Mixture(5, 4, 1, gate_start="k-hot"), 100, 0.1, 3).gate
    np.testing.assert_array_equal(gate.sum(1), np.full(5, 20))
    np.testing.assert_array_equal(gate.sum(0), np.ones(100))


def test_more_active_experts_than_there_are_is_refused():
    with pytest.raises(ValueError, match="active is 6"):
        Mixture(5, 4, 6)
