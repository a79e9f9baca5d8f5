"""Motifs in trained models, removal of neurons in a planted one, and storage against computation."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.computation import inhibition, storage_and_computation
from experiments.computation.shared.absolute import Training
from experiments.computation.shared.motifs import Motif
from experiments.computation.shared.neurons import rescaled
from experiments.computation.shared.removal import ablated, firing, motif_samples
from experiments.core.training import Weights


def planted() -> Weights:
    """Return a model with a motif: neuron 0 serves features 0 and 1, neuron 1 inhibits output 1, neuron 2 serves 1."""
    W = np.array([[[1.0, -0.25, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.0, 0.0]]], np.float32)
    R = np.array([[[1.0, 0.0, 0.0, 0.0], [4.0, -4.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.2]]], np.float32)
    return Weights(W, np.zeros((1, 3), np.float32), R)


def test_removing_the_inhibitor_of_a_planted_motif_lets_the_whole_interference_through():
    weights = planted()
    W = weights.W[0].astype(np.float64)
    x = motif_samples(np.random.default_rng(0), 4000, 0.0, W, Motif(0, 0, 1, 1))
    found = ablated(weights, 0, Motif(0, 0, 1, 1), [3], x)
    assert found.intact == pytest.approx(0, abs=1e-9)
    assert found.other == pytest.approx(0, abs=1e-9)
    assert found.without == pytest.approx(16, rel=0.05)  # 3 E (4 x)^2 for x uniform on [0, 1]
    assert found.error_before < 0 < found.error_after


def test_samples_hold_the_strong_feature_on_the_motifs_side_and_the_weak_one_as_asked():
    W = -planted().W[0].astype(np.float64)
    alone, both = motif_samples(np.random.default_rng(0), 500, 0.5, W, Motif(0, 0, 1, 1))
    assert (alone[:, 0] <= 0).all()
    assert (alone[:, 1] == 0).all()
    assert (both[:, 1] != 0).all()
    np.testing.assert_array_equal(alone[:, [0, 2]], both[:, [0, 2]])


def test_only_neurons_that_fire_are_compared():
    W = planted().W[0].astype(np.float64)
    assert firing(W, Motif(0, 0, 1, 1)) == [3]


@pytest.fixture(scope="module")
def result():
    return inhibition.run(replace(inhibition.experiment.quick, seeds=6, p=(0.1,), samples=200), "cpu")


def test_counts_are_consistent(result):
    at = result.at["0.1"]
    assert at.motifs.value <= at.pairs.value
    assert at.explained.value <= 1
    assert at.motifs.value == pytest.approx(result.count[0].mean())
    assert result.ablation.shape == (round(result.numbers.tested.value * 6), 5)


def test_dedicated_neurons_leak_nothing_and_a_known_entry_leaks_its_square():
    weights = planted()
    weights.W[:] = 0
    weights.W[0, 0, 0], weights.W[0, 1, 0], weights.W[0, 2, 1] = 1, -1, 1
    weights.W_out[:] = 0
    weights.W_out[0, 0, 0] = 1
    assert (storage_and_computation.written_by_others(weights, rescaled(weights)) == 0).all()
    weights.W_out[0, 1, 0] = 0.5  # feature 0, positive side, writes 0.5 into output 1: 0.25 over two others, two sides
    np.testing.assert_allclose(storage_and_computation.written_by_others(weights, rescaled(weights))[0, 1], 0.25 / 4)


def test_dense_features_interfere_less_in_W_than_rare_ones():
    small = replace(
        storage_and_computation.experiment.quick, seeds=2, p=(1.0, 0.01), training=Training(steps=400, most=512)
    )
    found = storage_and_computation.run(small, "cpu")
    assert found.interference[0].mean() < found.interference[1].mean()
    assert ((found.dimensionality >= 0) & (found.dimensionality <= 1 + 1e-9)).all()


def test_an_output_that_another_feature_holds_down_is_short_and_one_that_it_lifts_in_excess():
    generator = np.random.default_rng(0)
    W = np.array([[[1, 0], [-1, 0], [0, 1], [0, -1]]], np.float32)
    exact = np.ascontiguousarray(np.abs(W).swapaxes(1, 2))
    lowered, lifted = exact.copy(), exact.copy()
    lowered[0, 0, 2:], lifted[0, 0, 2:] = -9, 9
    b = np.zeros((1, 2), np.float32)
    pairs = [
        storage_and_computation.missed_in_pairs(Weights(W, b, R), 0, generator, 4000) for R in (exact, lowered, lifted)
    ]
    np.testing.assert_allclose(pairs[0], 0)
    assert pairs[1] == pytest.approx([0.475, 0], abs=0.03)  # output 0 is one of two, and |x| exceeds 0.05 in 95 %
    assert pairs[2] == pytest.approx([0, 0.5], abs=0.03)
