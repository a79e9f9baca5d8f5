"""Trained arrangements are measured against solutions by energy and by angle, whatever their turn and lengths."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.core.geometry.polyhedra import OCTAHEDRON, SQUARE_ANTIPRISM, TETRAHEDRON
from experiments.geometry.spread_shapes import _agreements, _excess, _train, _upright, experiment


@pytest.fixture
def turn():
    return np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3))).Q


def test_a_solution_has_no_excess_energy(turn):
    stretched = turn @ SQUARE_ANTIPRISM.directions * np.linspace(0.8, 1.3, 8)
    assert _excess(stretched, SQUARE_ANTIPRISM.directions) == pytest.approx(0, abs=1e-12)


def test_the_octahedron_has_no_positive_interference_and_the_tetrahedron_neither():
    for solid in (OCTAHEDRON, TETRAHEDRON):
        assert _excess(solid.directions, solid.directions) == 0


def test_a_named_solution_stands_upright(turn):
    np.testing.assert_allclose(_upright(turn @ OCTAHEDRON.directions), OCTAHEDRON.directions, atol=1e-9)


def test_features_that_are_never_present_leave_the_others_alone():
    config = replace(experiment.quick, seeds=4, most=6, steps=800)
    best = _train(config, np.array([4, 6]), 2, "cpu").best()
    assert [W.shape for W in best] == [(2, 4), (2, 6)]
    cosine = best[0].T @ best[0]
    np.testing.assert_allclose(np.sort(cosine[np.triu_indices(4, 1)]), [-1, -1, 0, 0, 0, 0], atol=0.1)


def test_runs_agree_by_their_angles_their_energy_and_their_number_of_features(turn):
    octahedron = turn @ OCTAHEDRON.directions
    short = octahedron * np.array([1, 1, 1, 1, 1, 0.1])
    found = _agreements(np.stack([octahedron, short]), 6, OCTAHEDRON.directions, OCTAHEDRON.directions)
    assert found.tolist() == [[True, False]] * 3
