"""Equator and poles are told apart, and rare bipyramids cost more than their rivals, as sums over pairs say."""

import numpy as np
import pytest

from experiments.core.geometry.polyhedra import TETRAHEDRON, TRIANGULAR_BIPYRAMID, TWO_DIGONS_AND_ONE
from experiments.core.geometry.theory import absent_loss, together_loss
from experiments.geometry.bipyramid import _means, _parts
from experiments.geometry.shared.branches import branch


def test_equator_and_poles_are_found_in_any_order():
    generator = np.random.default_rng(3)
    columns = TRIANGULAR_BIPYRAMID.directions * np.array([0.9, 0.9, 0.9, 1.1, 1.1])
    turn = np.linalg.qr(generator.standard_normal((3, 3))).Q
    parts = _parts((turn @ columns)[:, generator.permutation(5)][None])
    np.testing.assert_allclose(parts.norm, [[0.9, 1.1]])
    np.testing.assert_allclose(parts.own, [[2 / 3, 1 / 2]])


def pairs(solid):
    """Sum over pairs of what two active features lose, with unit norms and no bias."""
    cosine = (solid.directions.T @ solid.directions)[np.triu_indices(solid.count, 1)]
    return float(together_loss(cosine).sum())


def test_rare_features_pay_by_the_pair():
    """At first order in p, beyond what single features cost, the loss of unit norms is p^2 times the sum over pairs."""
    assert pairs(TRIANGULAR_BIPYRAMID) == pytest.approx(3 / 8 + 1 / 3)
    assert pairs(TWO_DIGONS_AND_ONE) == pytest.approx(2 / 3)
    assert pairs(TETRAHEDRON) == pytest.approx(10 / 27)


@pytest.mark.parametrize("solid", [TRIANGULAR_BIPYRAMID, TWO_DIGONS_AND_ONE], ids=lambda s: s.name)
def test_what_rare_shapes_lose_tends_to_the_sum_over_pairs(solid):
    p = 1e-3
    lost = (solid.count - branch(solid, [p]).kept[0]) * absent_loss(p)
    assert lost == pytest.approx(p**2 * pairs(solid), rel=0.02)


def test_few_runs_have_no_mean():
    found = _means([np.ones((2, 2)), np.ones((9, 2))], 8)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], 1)
