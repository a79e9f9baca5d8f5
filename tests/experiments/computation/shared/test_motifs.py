"""A planted motif is found and nothing else, and the null models keep what they should."""

import numpy as np
import pytest

from experiments.computation.shared.motifs import (
    asymmetric_pairs,
    inhibited_by_chance,
    motifs,
    motifs_by_chance,
    polysemantic_features,
)


def planted() -> tuple[np.ndarray, np.ndarray]:
    """Return four neurons, three features: neuron 0 serves features 0 and 1, neuron 1 inhibits, two are dedicated."""
    W = np.array([[1.0, -0.25, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    R = np.array([[1.0, 0.0, 0.0, 0.0], [4.0, -4.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    return W, R


def test_the_planted_motif_is_found_with_its_inhibitor():
    W, R = planted()
    assert asymmetric_pairs(W, R).tolist() == [[0, 0, 1]]
    assert motifs(W, R) == [(0, 0, 1, 1)]


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_motifs_do_not_depend_on_the_scale_of_a_unit(scale):
    W, R = planted()
    W[0] *= scale
    R[:, 0] /= scale
    assert motifs(W, R) == [(0, 0, 1, 1)]


def test_an_inhibitor_on_the_other_side_does_not_count():
    W, R = planted()
    W[1] *= -1
    assert motifs(W, R) == []


def test_equal_inputs_or_a_read_out_in_another_ratio_are_no_motif():
    W, R = planted()
    W[0, 1], R[1, 0] = -0.9, 1.1
    assert len(asymmetric_pairs(W, R)) == 0
    W, R = planted()
    R[1, 0] = 2.0
    assert len(asymmetric_pairs(W, R)) == 0


def test_features_share_a_neuron_only_in_the_motif():
    assert polysemantic_features(*planted()).tolist() == [True, True, False]


def test_by_chance_the_planted_inhibitor_is_one_of_three_places():
    W, R = planted()
    # The inhibiting column does its work only where a neuron fires on x_0: at neuron 1, one of the three others.
    found = inhibited_by_chance(W, R, np.random.default_rng(0), 3000)
    assert found == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / 3000))
    assert motifs_by_chance(W, R, np.random.default_rng(0), 2000) == pytest.approx(1 / 12, abs=0.03)


def test_a_model_without_pairs_has_no_share_by_chance():
    assert inhibited_by_chance(np.eye(3), np.eye(3), np.random.default_rng(0), 5) == 0
