"""What a code is, how neurons are counted, and that a rotation takes alignment away."""

import numpy as np
import pytest

from experiments.computation.shared.code_search import Config, paper_code, positive_share
from experiments.computation.shared.codes import (
    binary_code,
    census,
    code_numbers,
    in_order,
    neuron_alignment,
    rotated,
)
from experiments.core.training.specification import Weights

THREE_IN_TWO = np.array(
    [
        [1.0, 0.0, 0.0, -0.04, 0.0, 0.0],
        [0.0, 1.0, 0.0, -0.05, 0.0, 0.0],
        [0.0, 0.0, 1.0, -0.07, 0.0, 0.0],
        [0.03, 0.04, 0.05, 0.86, 0.84, -0.7],
        [0.03, 0.04, 0.05, 0.86, -0.8, 0.85],
    ]
)


def test_three_features_in_two_neurons_leave_three_neurons_alone():
    counted = census(binary_code(THREE_IN_TWO))
    assert (counted.monosemantic, counted.shared, counted.features) == (3, 2, 3)


def test_a_strong_inhibition_does_not_hide_what_a_neuron_writes():
    code = binary_code(np.array([[1.0, 0.5, -6.0], [0.01, 0.02, -3.0]]))
    np.testing.assert_array_equal(code, [[True, True, True], [False, False, False]])


def test_codes_that_differ_by_the_order_of_neurons_are_one():
    code = binary_code(np.stack([THREE_IN_TWO, THREE_IN_TWO[[4, 2, 0, 3, 1]], np.eye(5, 6)]))
    numbers = code_numbers(code)
    assert numbers[0] == numbers[1] != numbers[2]
    np.testing.assert_array_equal(in_order(THREE_IN_TWO[[4, 2, 0, 3, 1]])[:3], THREE_IN_TWO[:3])


def test_alignment_is_one_on_neurons_and_falls_to_chance_when_turned():
    W = np.tile(np.eye(5, 10), (400, 1, 1))
    generator = np.random.default_rng(0)
    turned = rotated(W, generator)
    np.testing.assert_allclose(neuron_alignment(W), 1)
    np.testing.assert_allclose(np.swapaxes(turned, 1, 2) @ turned, np.swapaxes(W, 1, 2) @ W, atol=1e-12)
    # The largest of five squared coordinates of a random unit vector, by plain simulation.
    vectors = generator.standard_normal((20_000, 5))
    chance = ((vectors**2).max(1) / (vectors**2).sum(1)).mean()
    assert neuron_alignment(turned).mean() == pytest.approx(chance, abs=0.02)


@pytest.mark.parametrize(
    ("p", "alone"), [(0.75, 5), (0.5, 5), (0.35, 3), (0.2, 3), (0.15, 2), (0.12, 1), (0.06, 0), (0.02, 0)]
)
def test_the_papers_regimes_have_as_many_neurons_as_the_hidden_layer(p, alone):
    single, shared, _ = paper_code(p)
    assert single == alone
    assert single + shared == Config().hidden


def test_pre_activations_above_zero_are_counted_with_the_bias():
    W = np.array([[[1.0, 1.0], [-1.0, -1.0]]], np.float32)
    zeros = np.zeros((1, 2), np.float32)
    generator = np.random.default_rng(0)
    assert positive_share(Weights(W, zeros), np.array([1.0]), generator)[0] == 0.5
    raised = Weights(W, zeros, b_hidden=np.full((1, 2), 3, np.float32))
    assert positive_share(raised, np.array([1.0]), generator)[0] == 1
