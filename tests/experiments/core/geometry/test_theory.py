"""Closed forms against the exact loss, and the published table of k-gons."""

import numpy as np
import pytest

from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.geometry.theory import (
    absent_loss,
    blocks,
    digon_and_one,
    pair_loss,
    pair_or_one,
    pentagon,
    together_loss,
    triangle,
    two_digons,
    two_directions,
)
from experiments.core.losses.exact import expected_loss, one_active
from experiments.core.losses.optimum import minimise

DENSITIES = np.array([1.0, 0.5, 0.1, 0.01])


@pytest.mark.parametrize("p", DENSITIES)
def test_two_features_in_one_dimension_have_the_published_losses(p):
    dedicated = expected_loss([[1.0, 0.0]], [0.0, p / 2], p).value * 2
    assert dedicated == pytest.approx(absent_loss(p), rel=1e-12)
    assert expected_loss([[1.0, -1.0]], [0.0, 0.0], p).value * 2 == pytest.approx(pair_loss(p), rel=1e-12)


@pytest.mark.parametrize("r", [0.1, 0.5, 1.0])
def test_the_published_phase_boundary_is_where_the_exact_losses_cross(r):
    p, importance = float(pair_or_one(r)), np.array([1.0, r])
    dedicated = expected_loss([[1.0, 0.0]], [0.0, p / 2], p, importance).value
    pair = expected_loss([[1.0, -1.0]], [0.0, 0.0], p, importance).value
    assert dedicated == pytest.approx(float(pair), rel=1e-12)


@pytest.mark.parametrize(
    ("k", "norm", "bias", "h"),
    [
        (4, 1.0, 0.0, 0.0),
        (5, 1.17046, -0.28230, 0.23738),
        (6, 1.32053, -0.61814, 0.86746),
        (7, 1.44839, -0.96691, 1.74870),
        (8, 1.55045, -1.29119, 2.77311),
    ],
)
def test_k_gons_of_rare_features_have_the_published_norm_bias_and_loss(k, norm, bias, h):
    """Chen et al. 2023: with one active feature a k-gon of k features loses h / (3 k) in total."""
    family = blocks("k-gon", k, polygon(k))
    found = minimise(family, sets=one_active(k), starts=[[norm + 0.05, bias - 0.05]])
    np.testing.assert_allclose(found.parameters[0], [norm, bias], atol=2e-5)
    # One unit of the last printed digit: for k = 8 quadrature gives 2.773102, which the table rounds up.
    assert found.loss[0] * k * 3 * k == pytest.approx(h, abs=1e-5)


@pytest.mark.parametrize("degrees", [90, 120, 150, 180])
def test_two_features_lose_the_stated_amount_when_both_are_active(degrees):
    W, both = at_degrees(0, degrees), [0, 0, 0, 1]
    found = expected_loss(W, np.zeros(2), sets=both).value * 2
    assert found == pytest.approx(float(together_loss(np.cos(np.radians(degrees)))), rel=1e-12, abs=1e-15)


def test_rare_features_pay_more_in_a_triangle_than_in_a_digon_and_one():
    p = 1e-5
    found = {family.name: float(minimise(family, p).loss[0]) * 3 / p**2 for family in (triangle(3), digon_and_one(3))}
    assert found["triangle"] == pytest.approx(3 * together_loss(-0.5), rel=1e-3)
    assert found["digon + one"] == pytest.approx(float(together_loss(-1.0)), rel=1e-3)


def test_two_directions_lose_exactly_the_other_features():
    loss = minimise(two_directions(5), np.array([[p] for p in DENSITIES])).loss
    np.testing.assert_allclose(loss, 3 / 5 * absent_loss(DENSITIES), rtol=1e-9)


@pytest.mark.parametrize("family", [two_directions, digon_and_one, triangle, two_digons, pentagon])
def test_a_family_shares_norms_and_biases_and_keeps_its_directions(family):
    made = family(6)
    W, b = made.weights(np.arange(1.0, len(made.basis) + 1))
    start, _ = made.weights(made.start)
    live = np.linalg.norm(start, axis=0) > 0
    np.testing.assert_allclose(np.linalg.norm(start, axis=0)[live], 1)
    assert np.allclose(W[:, ~live], 0)
    assert len(set(b[~live])) == 1
    np.testing.assert_allclose((W * start).sum(0)[live], np.linalg.norm(W, axis=0)[live])
