"""The reference shapes are what their names say, and their families span exactly the models with their symmetry."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial import ConvexHull

from experiments.core.geometry.polyhedra import (
    CUBE,
    ICOSAHEDRON,
    OCTAHEDRON,
    PENTAGON,
    PENTAGONAL_BIPYRAMID,
    POLYGONS,
    SHAPES,
    SOLIDS,
    SPHENOCORONA,
    SQUARE_ANTIPRISM,
    SQUARE_PYRAMID,
    TETRAHEDRON,
    THREE_TRIANGLES_AND_ONE,
    TRIANGLE,
    TRIANGULAR_BIPYRAMID,
    TWO_DIGONS,
)
from experiments.core.geometry.recognition import match
from experiments.core.geometry.spreading import THOMSON, total_energy
from experiments.core.geometry.theory import least_in_family, pentagon
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import everything, minimise
from experiments.core.metrics import dimensionality, gram, norms
from experiments.geometry.shared.branches import branch

EVERY = (*POLYGONS, *SOLIDS)


@pytest.mark.parametrize("solid", EVERY, ids=lambda solid: solid.name)
def test_reference_directions_are_distinct_unit_vectors(solid):
    np.testing.assert_allclose(norms(solid.directions), 1, atol=1e-12)
    cosine = gram(solid.directions)[np.triu_indices(solid.count, 1)]
    assert cosine.max(initial=-1) < 0.85


def test_names_are_unique():
    for solids in SHAPES.values():
        assert len({solid.name for solid in solids}) == len(solids)


OWN = (SQUARE_PYRAMID, SPHENOCORONA, THREE_TRIANGLES_AND_ONE)
"""Shapes whose reference is the model's own optimum, being no minima of Coulomb's energy."""

FREE = [s for s in SOLIDS if any(len(o.at) > 1 for o in s.orbits) and s not in OWN]


@pytest.mark.parametrize("solid", FREE, ids=lambda solid: solid.name)
def test_free_heights_are_those_of_least_coulomb_energy(solid):
    free = [len(orbit.at) > 1 for orbit in solid.orbits]

    def columns(polar):
        at = iter(np.radians(polar))
        parts = []
        for orbit, is_free in zip(solid.orbits, free, strict=True):
            angle = next(at) if is_free else None
            coordinates = orbit.at if angle is None else [np.sin(angle), np.cos(angle)]
            parts.append(np.tensordot(coordinates, orbit.patterns, 1))
        return np.concatenate(parts, axis=1)

    stated = [np.degrees(np.arctan2(*orbit.at)) for orbit in solid.orbits if len(orbit.at) > 1]
    found = minimize(
        lambda polar: float(total_energy(columns(polar), THOMSON)), stated, method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-12},
    )  # fmt: skip
    np.testing.assert_allclose(found.x, stated, atol=0.01)


@pytest.mark.parametrize(
    ("solid", "faces"), [(TETRAHEDRON, 4), (OCTAHEDRON, 8), (CUBE, 12), (SQUARE_ANTIPRISM, 12), (ICOSAHEDRON, 20)]
)
def test_solids_have_the_triangles_that_euler_asks_for(solid, faces):
    assert len(ConvexHull(solid.directions.T).simplices) == faces == 2 * solid.count - 4


@pytest.mark.parametrize(
    ("solid", "expected"),
    [(TRIANGLE, 2 / 3), (TWO_DIGONS, 1 / 2), (PENTAGON, 2 / 5), (TETRAHEDRON, 3 / 4), (OCTAHEDRON, 1 / 2)],
)
def test_tight_shapes_share_dimensions_evenly(solid, expected):
    np.testing.assert_allclose(dimensionality(solid.directions), expected, atol=1e-12)


def test_bipyramids_share_dimensions_unevenly():
    triangular, pentagonal = (
        dimensionality(TRIANGULAR_BIPYRAMID.directions),
        dimensionality(PENTAGONAL_BIPYRAMID.directions),
    )
    np.testing.assert_allclose(triangular, [2 / 3] * 3 + [1 / 2] * 2, atol=1e-12)
    np.testing.assert_allclose(pentagonal, [2 / 5] * 5 + [1 / 2] * 2, atol=1e-12)


@pytest.mark.parametrize("solid", EVERY, ids=lambda solid: solid.name)
def test_a_family_starts_at_the_reference(solid):
    W, b = solid.family(solid.count + 2).weights(solid.family(solid.count + 2).start)
    np.testing.assert_allclose(W[:, : solid.count], solid.directions, atol=1e-12)
    assert not W[:, solid.count :].any()
    assert not b.any()


@pytest.mark.parametrize("solid", [TRIANGULAR_BIPYRAMID, OCTAHEDRON, PENTAGONAL_BIPYRAMID], ids=lambda s: s.name)
def test_the_least_loss_in_a_family_is_stationary_among_all_models(solid):
    """A minimum under a symmetry is a critical point without it (Palais), so breaking it gains nothing at first."""
    best = minimise(solid.family(), [[0.2]]).best()
    found = expected_loss(best.W, best.b, 0.2)
    assert max(np.abs(found.grad_W).max(), np.abs(found.grad_b).max()) < 1e-8


def test_a_family_agrees_with_that_of_fixed_directions():
    best = minimise(PENTAGON.family(), [[0.1]]).best()
    assert best.loss == pytest.approx(least_in_family(pentagon(5), 0.1)[0], rel=1e-9)


def test_absent_features_only_add_their_variance():
    """The loss of k live and n - k absent features is k times that of the live alone plus n - k variances."""
    p, solid = 0.3, TRIANGULAR_BIPYRAMID
    alone = minimise(solid.family(), [[p]]).best()
    padded = minimise(solid.family(7), [[p]]).best()
    assert 7 * padded.loss == pytest.approx(5 * alone.loss + 2 * (p / 3 - p**2 / 4), rel=1e-9)


def test_the_free_minimum_from_an_octahedron_stays_an_octahedron():
    best = minimise(OCTAHEDRON.family(), [[0.3]]).best()
    start = np.concatenate([best.W.ravel(), best.b])[None]
    free = minimise(everything(3, 6), [[0.3]], starts=start).best()
    assert free.loss == pytest.approx(best.loss, rel=1e-9)


@pytest.mark.parametrize(("number", "density"), [(0, 0.7), (1, 0.02), (2, 0.02)])
def test_other_references_are_the_models_own(number, density):
    solid = OWN[number]
    found = branch(solid, [density])
    assert match(found.W[0], solid.directions).miss < 1
