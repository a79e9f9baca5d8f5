"""Sums over columns of `W^T W` against Monte Carlo, closed forms and known shapes."""

import numpy as np
import pytest

from experiments.adversarial.shared.interference import (
    aligned_sum,
    data_sum,
    epsilon,
    felt,
    negative_share,
    random_sum,
    row_norm,
    similarity,
    tight_frame_norm,
)
from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.metrics import dimensionality


def skewed() -> np.ndarray:
    """Return one interference matrix whose rows do not sum to zero."""
    W = np.random.default_rng(0).standard_normal((4, 12))
    return epsilon(np.abs(W) / 2 - 0.1)


def test_an_antipodal_pair_has_one_entry_of_minus_one_and_a_pentagon_four():
    pair = epsilon(at_degrees(0, 180))
    assert np.allclose(pair, [[0, -1], [-1, 0]])
    assert negative_share(pair).tolist() == [1, 1]
    pentagon = epsilon(polygon(5))[0]
    assert np.allclose(sorted(pentagon), [np.cos(0.8 * np.pi)] * 2 + [0] + [np.cos(0.4 * np.pi)] * 2)
    assert felt(pentagon) == 4


def test_orthogonal_features_have_no_interference():
    eps = epsilon(np.eye(5))
    assert not eps.any()
    assert felt(eps).tolist() == [0] * 5
    assert negative_share(eps).tolist() == [0.5] * 5
    assert similarity(eps, eps) == 0


@pytest.mark.parametrize("k", [3, 5, 8])
def test_polygons_are_tight_frames(k):
    assert np.allclose(row_norm(epsilon(polygon(k)), 2), tight_frame_norm(k / 2))


def test_no_unit_columns_have_less_interference_than_a_tight_frame():
    W = np.random.default_rng(1).standard_normal((50, 6, 24))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    assert (np.sqrt((row_norm(epsilon(W), 2) ** 2).mean(-1)) >= tight_frame_norm(4.0)).all()


def test_similarity_does_not_see_rotations_of_the_hidden_space_but_sees_an_exchange_of_features():
    rng = np.random.default_rng(2)
    W = rng.standard_normal((3, 10))
    turned = np.linalg.qr(rng.standard_normal((3, 3))).Q @ W
    assert similarity(epsilon(W), epsilon(turned)) == pytest.approx(1)
    assert similarity(epsilon(W), epsilon(W[:, ::-1])) < 0.5


@pytest.mark.parametrize("terms", [1, 4, 11])
def test_sums_are_those_of_random_draws(terms):
    eps, rng = skewed(), np.random.default_rng(3)
    others = np.delete(eps[0], 0)
    chosen = rng.permuted(np.broadcast_to(others, (100_000, 11)), axis=1)[:, :terms]
    data = (chosen * rng.random(chosen.shape)).sum(-1)
    noise = (chosen * rng.choice([-1, 1], chosen.shape)).sum(-1)
    assert data_sum(eps, terms)[0] == pytest.approx(np.sqrt((data**2).mean()), rel=0.01)
    assert random_sum(eps, terms)[0] == pytest.approx(np.sqrt((noise**2).mean()), rel=0.01)
    aligned = np.sqrt((np.abs(chosen).sum(-1) ** 2).mean())
    assert aligned_sum(eps, terms)[0] == pytest.approx(aligned, rel=0.01)


def test_data_sums_grow_as_noise_when_entries_cancel_and_linearly_when_they_are_alike():
    alike = 1 - np.eye(41)
    balanced = np.zeros((41, 41))
    balanced[0, 1:] = np.tile([1.0, -1.0], 20)
    growth = data_sum(alike, 40)[0] / data_sum(alike, 10)[0]
    assert growth == pytest.approx(4, rel=0.06)
    assert data_sum(balanced, 20)[0] / data_sum(balanced, 5)[0] == pytest.approx(2, rel=0.2)
    assert data_sum(balanced, 20)[0] < random_sum(balanced, 20)[0]


def test_the_rest_of_a_scaled_column_is_bounded_whatever_the_lengths_and_is_told_by_the_dimensionality():
    W = np.random.default_rng(5).standard_normal((20, 4, 15)) * np.random.default_rng(6).uniform(0.5, 2, (20, 1, 15))
    scaled = epsilon(W) / (W**2).sum(1)[:, :, None]
    square = row_norm(scaled, 2) ** 2
    assert np.allclose(square, 1 / dimensionality(W) - 1)
    assert (np.sqrt(square.mean(-1)) >= tight_frame_norm(15 / 4)).all()
