"""A small search is complete, its best is the least loss, and dense models keep one feature per neuron."""

import dataclasses

import numpy as np

from experiments.computation import privileged_basis

SMALL = dataclasses.replace(
    privileged_basis.experiment.quick, models=16, steps=1500, arm_seeds=4, arm_p=(0.75,), p=(0.75,), regimes=()
)


def test_a_search_finds_one_feature_per_neuron_when_features_are_dense():
    result = privileged_basis.run(SMALL, "cpu")
    assert result.W.shape == (1, 5, 10)
    assert (result.excess.min(1) == 0).all()
    assert result.densities["0.75"].monosemantic.value == 5
    np.testing.assert_allclose(np.abs(result.W[0][:, :5]).max(1), 1, atol=0.1)
    assert result.arms["0.75"].linear.loss.value == 1


def test_two_densities_of_a_regime_are_compared_by_their_best_codes():
    config = dataclasses.replace(SMALL, steps=20, p=(0.35, 0.25), regimes=((0.35, 0.25), (0.35, 0.35)))
    found = privileged_basis.run(config, "cpu").regimes
    assert 0 <= found["0.35 and 0.25"].value <= 1
    assert found["0.35 and 0.35"].n == 16


def test_hidden_biases_open_the_neurons():
    arm = privileged_basis.run(SMALL, "cpu").arms["0.75"]
    assert arm.biased.positive.value > arm.linear.positive.value + 0.2
