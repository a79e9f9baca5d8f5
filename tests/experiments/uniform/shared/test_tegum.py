"""Constructions of polytopes and tegum products to 1e-6, and gains of bricks against closed forms and limits."""

import numpy as np
import pytest

from experiments.core.geometry.polyhedra import PENTAGON, TRIANGLE, TRIANGULAR_BIPYRAMID
from experiments.core.geometry.theory import absent_loss, pair_loss
from experiments.core.losses.exact import expected_loss
from experiments.core.metrics import cosines, dimensionality, gram, off_diagonal
from experiments.uniform.shared.tegum import BRICKS, gains, orthogonal_to, simplex, takes_over, tegum_product

KNOWN = {brick.name: brick for brick in BRICKS}


@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_what_is_orthogonal_to_all_ones_is_a_simplex(count):
    W = orthogonal_to(np.ones(count))
    np.testing.assert_allclose(gram(W), np.eye(count) - 1 / count, atol=1e-6)
    np.testing.assert_allclose(off_diagonal(cosines(W)), -1 / (count - 1), atol=1e-6)
    np.testing.assert_allclose(dimensionality(W), (count - 1) / count, atol=1e-6)


def test_what_is_orthogonal_to_two_interleaved_ones_is_a_square_of_two_digons():
    W = orthogonal_to([1, 0, 1, 0], [0, 1, 0, 1])
    expected = np.array([[1, 0, -1, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, -1, 0, 1]]) / 2
    np.testing.assert_allclose(gram(W), expected, atol=1e-6)
    np.testing.assert_allclose(dimensionality(W), 0.5, atol=1e-6)


def test_a_tegum_product_keeps_the_dimensionalities_of_its_factors():
    W = tegum_product(TRIANGLE.directions, np.array([[1.0, -1.0]]), 1.3 * PENTAGON.directions)
    np.testing.assert_allclose(dimensionality(W), [2 / 3] * 3 + [1 / 2] * 2 + [2 / 5] * 5, atol=1e-6)


def test_a_triangular_bipyramid_is_a_triangle_times_a_digon():
    product = tegum_product(simplex(3), np.array([[1.0, -1.0]]))
    np.testing.assert_allclose(
        np.sort(off_diagonal(cosines(product))),
        np.sort(off_diagonal(cosines(TRIANGULAR_BIPYRAMID.directions))),
        atol=1e-6,
    )


def test_losses_of_the_factors_of_a_tegum_product_add_up():
    factors = [0.9 * simplex(3), np.array([[1.0, -1.1]])]
    biases = [np.full(3, -0.1), np.array([0.05, 0.0])]
    parts = [len(b) * expected_loss(W[None], b[None], 0.3).value[0] for W, b in zip(factors, biases, strict=True)]
    whole = 5 * expected_loss(tegum_product(*factors)[None], np.concatenate(biases)[None], 0.3).value[0]
    assert whole == pytest.approx(sum(parts), rel=1e-12)


def test_the_share_of_a_brick_is_the_dimensionality_of_its_features():
    for brick in BRICKS:
        W, _ = brick.family.weights(brick.family.start)
        if brick.name != "square antiprism":  # equal only at the height at which its frame is tight
            np.testing.assert_allclose(dimensionality(W), brick.share, atol=1e-6)


def test_a_dedicated_dimension_gains_one():
    found = gains(KNOWN["dedicated"], [0.9, 0.5, 0.1])
    np.testing.assert_allclose(found.gain, 1.0, atol=1e-9)
    np.testing.assert_allclose(found.mass, 1.0, atol=1e-5)


def test_a_digon_gains_at_least_what_the_closed_form_of_unit_norms_does():
    p = np.array([0.5, 0.2, 0.05])
    floor = 2 - pair_loss(p) / absent_loss(p)
    found = gains(KNOWN["digon"], p).gain
    assert (found >= floor - 1e-12).all()
    assert found[-1] == pytest.approx(floor[-1], abs=2e-3)


def test_bricks_take_turns_as_features_become_rarer():
    p = np.array([0.97, 0.85, 0.68, 0.4, 0.22, 0.17])
    best = np.argmax([gains(brick, p).gain for brick in BRICKS], axis=0)
    names = [BRICKS[k].name for k in best]
    assert names == ["5-simplex", "tetrahedron", "triangle", "digon", "pentagon", "square antiprism"]


def test_at_the_takeover_both_bricks_gain_the_same():
    p = takes_over(KNOWN["triangle"], KNOWN["digon"], 0.8, 0.4)
    assert 0.55 < p < 0.7
    assert gains(KNOWN["triangle"], p).gain == pytest.approx(gains(KNOWN["digon"], p).gain, rel=1e-6)
    with pytest.raises(ValueError, match="sign"):
        takes_over(KNOWN["dedicated"], KNOWN["digon"], 0.3, 0.1)
