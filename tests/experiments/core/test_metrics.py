"""Measures of superposition against shapes whose values are known in closed form."""

import numpy as np
import pytest

from experiments.core import metrics


def polygon(k: int, radius: float = 1.0) -> np.ndarray:
    angle = 2 * np.pi * np.arange(k) / k
    return radius * np.stack([np.cos(angle), np.sin(angle)])


SHAPES = {
    "basis": (np.eye(4), 1.0),
    "digon": (np.array([[1.0, -1.0]]), 1 / 2),
    "triangle": (polygon(3), 2 / 3),
    "pentagon of any size": (polygon(5, 1.17), 2 / 5),
    "tetrahedron": (np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / np.sqrt(3), 3 / 4),
    "octahedron": (np.hstack([np.eye(3), -np.eye(3)]), 1 / 2),
}


@pytest.mark.parametrize("name", SHAPES)
def test_dimensionality_of_a_tight_frame_is_hidden_over_features(name: str) -> None:
    W, expected = SHAPES[name]
    np.testing.assert_allclose(metrics.dimensionality(W), expected, rtol=1e-12)


def test_dimensionalities_of_a_triangular_bipyramid_split() -> None:
    W = np.zeros((3, 5))
    W[:2, :3], W[2, 3:] = polygon(3), [1, -1]
    np.testing.assert_allclose(metrics.dimensionality(W), [2 / 3] * 3 + [1 / 2] * 2)


def test_superposition_and_dimensionality_equal_their_definitions_written_as_loops() -> None:
    W = np.random.default_rng(0).standard_normal((2, 3, 6))
    for instance in range(2):
        for i in range(6):
            unit = W[instance, :, i] / np.linalg.norm(W[instance, :, i])
            overlap = np.array([unit @ W[instance, :, j] for j in range(6)]) ** 2
            assert metrics.superposition(W)[instance, i] == pytest.approx(overlap.sum() - overlap[i])
            assert metrics.dimensionality(W)[instance, i] == pytest.approx(overlap[i] / overlap.sum())


def test_dimensionalities_never_sum_to_more_than_the_hidden_dimensions() -> None:
    W = np.random.default_rng(1).standard_normal((200, 4, 11)) * np.random.default_rng(2).random((200, 1, 11))
    assert metrics.dimensionality(W).sum(-1).max() <= 4 + 1e-9


def test_an_absent_feature_has_no_direction_and_disturbs_nobody() -> None:
    W = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    np.testing.assert_array_equal(metrics.dimensionality(W), [1, 1, 0])
    np.testing.assert_array_equal(metrics.superposition(W), [0, 0, 0])
    np.testing.assert_array_equal(metrics.cosines(W), np.diag([1.0, 1.0, 0.0]))
    np.testing.assert_array_equal(metrics.represented(W), [True, True, False])


def test_dimensions_per_feature_is_a_half_when_every_feature_has_its_opposite() -> None:
    W = np.hstack([np.eye(3), -np.eye(3)])
    assert metrics.dimensions_per_feature(W) == pytest.approx(0.5)
    assert metrics.represented_mass(W) == pytest.approx(6)


def test_cosines_ignore_norms() -> None:
    W = np.array([[3.0, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(metrics.cosines(W), [[1, np.sqrt(0.5)], [np.sqrt(0.5), 1]])


def test_hoyer_runs_from_equal_magnitudes_to_a_single_value() -> None:
    np.testing.assert_allclose(metrics.hoyer([[1, -1, 1, 1], [0, 0, 5, 0], [0, 0, 0, 0]]), [0, 1, 0], atol=1e-12)


def test_kurtosis_of_a_rare_value_is_that_of_a_bernoulli_variable() -> None:
    p, values = 0.1, np.repeat([1.0, 0.0], [10, 90])
    assert metrics.excess_kurtosis(values) == pytest.approx((1 - 6 * p * (1 - p)) / (p * (1 - p)))


def test_off_diagonal_lists_every_pair_once() -> None:
    np.testing.assert_array_equal(metrics.off_diagonal([[0, 1, 2], [1, 0, 3], [2, 3, 0]]), [1, 2, 3])


def test_islands_are_found_with_their_sizes_and_ranks() -> None:
    W = np.zeros((5, 9))
    W[:2, :3], W[2:4, 3:8], W[4, 8] = polygon(3), polygon(5), 0.1
    found = metrics.islands(W)
    np.testing.assert_array_equal(found.label, [0, 0, 0, 1, 1, 1, 1, 1, -1])
    np.testing.assert_array_equal(found.size, [3, 5])
    np.testing.assert_array_equal(found.rank, [2, 2])


def test_a_weak_overlap_below_the_edge_threshold_does_not_join_islands() -> None:
    W = np.array([[1.0, 0.04], [0.0, 1.0]])
    assert metrics.islands(W).size.tolist() == [1, 1]
    assert metrics.islands(W, edge=0.03).size.tolist() == [2]


def test_a_model_without_represented_features_has_no_islands() -> None:
    assert metrics.islands(np.full((2, 3), 0.01)).size.size == 0


def test_the_null_model_keeps_norms_and_has_the_cosines_of_random_directions() -> None:
    W = np.random.default_rng(3).standard_normal((50, 8, 30)) * np.linspace(0.1, 2, 30)
    null = metrics.random_directions(W, np.random.default_rng(4))
    np.testing.assert_allclose(metrics.norms(null), metrics.norms(W))
    cosine = metrics.off_diagonal(metrics.cosines(null))
    # Uniform in d dimensions: E cos = 0, E cos^2 = 1/d, Var cos^2 = 2 (d - 1) / (d^2 (d + 2)); 5 errors.
    assert abs(cosine.mean()) < 5 * np.sqrt(1 / 8 / cosine.size)
    assert np.mean(cosine**2) == pytest.approx(1 / 8, abs=5 * np.sqrt(2 * 7 / (64 * 10) / cosine.size))


def test_axis_alignment_is_one_for_dedicated_dimensions_and_zero_for_an_even_spread() -> None:
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((2, 2))).Q
    dedicated = rotation @ np.eye(2, 6) * 0.7
    even = np.stack([np.cos(np.pi * np.arange(6) / 6), np.sin(np.pi * np.arange(6) / 6)])
    np.testing.assert_allclose(metrics.axis_alignment(np.stack([dedicated, even])), [1, 0], atol=1e-12)
