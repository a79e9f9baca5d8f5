"""What a shape keeps, found with its symmetry, is what the unrestricted exact loss says."""

import numpy as np
import pytest

from experiments.core.geometry.polyhedra import (
    CAPPED_OCTAHEDRON,
    OCTAHEDRON,
    PENTAGON,
    PENTAGONAL_BIPYRAMID,
    SQUARE_ANTIPRISM,
    SQUARE_PYRAMID,
    TRIANGLE,
    TRIANGULAR_BIPYRAMID,
    TWO_DIGONS,
    TWO_DIRECTIONS,
)
from experiments.core.geometry.theory import absent_loss, least_in_family, pentagon, two_digons
from experiments.core.geometry.theory import crossing as crossing_of_families
from experiments.core.losses.exact import expected_loss, set_probabilities
from experiments.core.losses.exact_kernels import empty_table, loss_and_gradient, loss_of_outputs
from experiments.core.losses.optimum import minimise
from experiments.geometry.shared.branches import branch, branches, crossing


def test_some_outputs_alone_lose_what_they_lose_among_all():
    generator = np.random.default_rng(0)
    W, b, weight = generator.standard_normal((2, 5)), generator.standard_normal(5), np.array([0.5, 0.0, 2.0, 0.0, 1.0])
    chance, results = set_probabilities(0.3, 5), []
    for part in (False, True):
        grad_W, grad_b = np.empty((2, 5)), np.empty(5)
        if part:
            loss = loss_of_outputs(W, b, chance, weight, empty_table(5), grad_W, grad_b)
        else:
            loss = loss_and_gradient(W, b, chance, weight, 5, True, empty_table(5), grad_W, grad_b)[0]
        results.append(np.concatenate([[loss], grad_W.ravel(), grad_b]))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("solid", [TRIANGULAR_BIPYRAMID, SQUARE_PYRAMID, CAPPED_OCTAHEDRON], ids=lambda s: s.name)
def test_the_kept_variance_is_that_of_the_exact_loss(solid):
    p = 0.7 if solid is SQUARE_PYRAMID else 0.1
    found, variance = branch(solid, [p]), absent_loss(p)
    loss = expected_loss(found.W[0], found.b[0], p).value
    assert found.kept[0] == pytest.approx(solid.count * (1 - loss / variance), rel=1e-9)


@pytest.mark.parametrize("solid", [PENTAGONAL_BIPYRAMID, SQUARE_ANTIPRISM], ids=lambda s: s.name)
def test_no_model_of_the_same_symmetry_is_better(solid):
    p = 0.2
    best = minimise(solid.family(), [[p]]).best()
    assert branch(solid, [p]).kept[0] == pytest.approx(solid.count * (1 - best.loss / absent_loss(p)), rel=1e-7)


def test_following_a_shape_changes_nothing_but_the_time():
    p = np.array([0.3, 0.1, 0.2])
    followed = branch(OCTAHEDRON, p)
    np.testing.assert_allclose(followed.kept, [branch(OCTAHEDRON, [each]).kept[0] for each in p], rtol=1e-7)


def test_a_shape_ends_where_it_loses_a_vertex():
    """A capped octahedron among common features drops its cap and is an octahedron."""
    found = branch(CAPPED_OCTAHEDRON, [0.1, 0.5])
    assert np.isfinite(found.kept[0])
    assert np.isnan(found.kept[1])
    assert np.isnan(found.W[1]).all()


def test_orthogonal_features_keep_exactly_themselves():
    np.testing.assert_allclose(branch(TWO_DIRECTIONS, [0.9, 0.1]).kept, 2, rtol=1e-9)


def test_a_bipyramid_keeps_what_its_parts_keep():
    """The poles and the equator are at right angles, so neither disturbs the other."""
    p = [0.3]
    whole, triangle, two_pairs = (branch(solid, p).kept[0] for solid in (TRIANGULAR_BIPYRAMID, TRIANGLE, TWO_DIGONS))
    assert whole == pytest.approx(triangle + two_pairs / 2, rel=1e-8)


def test_crossings_agree_with_those_of_families():
    found = crossing(TWO_DIGONS, PENTAGON, 0.1, 0.4)
    assert found == pytest.approx(crossing_of_families(two_digons(5), pentagon(5), 0.1, 0.4), abs=1e-4)


def test_the_pentagon_keeps_what_its_family_loses_least():
    loss, variance = least_in_family(pentagon(5), 0.1)[0], absent_loss(0.1)
    assert branch(PENTAGON, [0.1]).kept[0] == pytest.approx(5 * (1 - loss / variance), rel=1e-8)


def test_many_shapes_at_once_come_in_the_order_asked_for():
    found = branches((PENTAGON, OCTAHEDRON), [0.2])
    np.testing.assert_allclose([b.kept[0] for b in found], [branch(s, [0.2]).kept[0] for s in (PENTAGON, OCTAHEDRON)])
