"""Solids are drawn with the faces and edges that they have."""

import numpy as np
import pytest

from experiments.core.geometry.polyhedra import (
    CUBE,
    ICOSAHEDRON,
    OCTAHEDRON,
    SOLIDS,
    SQUARE_ANTIPRISM,
    TETRAHEDRON,
    TRIANGULAR_BIPYRAMID,
    TRICAPPED_PRISM,
)
from experiments.geometry.shared.hulls import edges, faces


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (TETRAHEDRON, {3: 4}),
        (TRIANGULAR_BIPYRAMID, {3: 6}),
        (OCTAHEDRON, {3: 8}),
        (CUBE, {4: 6}),
        (SQUARE_ANTIPRISM, {3: 8, 4: 2}),
        (TRICAPPED_PRISM, {3: 14}),
        (ICOSAHEDRON, {3: 20}),
    ],
    ids=lambda x: getattr(x, "name", ""),
)
def test_a_solid_has_its_faces(solid, expected):
    sizes = [len(ring) for ring in faces(solid.directions)]
    assert {size: sizes.count(size) for size in set(sizes)} == expected


@pytest.mark.parametrize("solid", [s for s in SOLIDS if s.count > 4], ids=lambda s: s.name)
def test_vertices_edges_and_faces_obey_euler(solid):
    rings = faces(solid.directions)
    assert solid.count - len(edges(rings)) + len(rings) == 2


def test_rings_run_counter_clockwise_seen_from_outside():
    for ring in faces(SQUARE_ANTIPRISM.directions):
        a, b, c = SQUARE_ANTIPRISM.directions.T[list(ring[:3])]
        assert np.cross(b - a, c - b) @ (a + b + c) > 0


def test_lengths_do_not_matter():
    stretched = OCTAHEDRON.directions * np.array([1, 2, 1, 0.7, 1, 1.3])
    assert faces(stretched) == faces(OCTAHEDRON.directions)
