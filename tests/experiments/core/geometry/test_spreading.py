"""Spread points: published minima are found, closed forms hold, and the gradient is that of the energy."""

import numpy as np
import pytest

from experiments.core.geometry.configurations import polygon, sorted_angles
from experiments.core.geometry.spreading import PACKING, POSITIVE_INTERFERENCE, THOMSON, _evaluate, spread, total_energy

PUBLISHED = {
    2: 0.5,
    3: 1.732050808,
    4: 3.674234614,
    5: 6.474691495,
    6: 9.985281374,
    7: 14.452977414,
    8: 19.675287861,
    9: 25.759986531,
    10: 32.716949460,
    11: 40.596450510,
    12: 49.165253058,
}
"""Least energies of Thomson's problem on the sphere, as tabulated to nine decimals."""


@pytest.mark.parametrize(("points", "least"), PUBLISHED.items())
def test_the_published_minima_of_thomsons_problem_are_found(points, least):
    assert spread(points, 3, THOMSON, starts=8).energy[0] == pytest.approx(least, abs=3e-9)


@pytest.mark.parametrize("points", [2, 3, 5, 8])
def test_equal_charges_on_a_circle_form_a_regular_polygon(points):
    chords = 2 * np.sin(np.pi * np.arange(1, points) / points)
    found = spread(points, 2, THOMSON, starts=4)
    assert found.energy[0] == pytest.approx(points / 2 * (1 / chords).sum(), rel=1e-12)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_up_to_two_points_per_dimension_do_not_interfere(dimensions):
    for points in range(2, 2 * dimensions + 1):
        assert spread(points, dimensions, POSITIVE_INTERFERENCE, starts=4).energy[0] < 1e-15


def test_four_points_without_interference_on_a_circle_are_two_antipodal_pairs():
    positions = spread(4, 2, POSITIVE_INTERFERENCE, starts=4).positions[0]
    cosine = np.sort((positions.T @ positions)[np.triu_indices(4, k=1)])
    np.testing.assert_allclose(cosine, [-1, -1, 0, 0, 0, 0], atol=1e-6)


def test_five_points_on_a_circle_form_a_regular_pentagon():
    found = spread(5, 2, POSITIVE_INTERFERENCE, starts=16)
    assert found.energy[0] == pytest.approx(10 * np.cos(np.radians(72)) ** 2, rel=1e-12)
    angles = np.sort(np.degrees(np.arctan2(*found.positions[0])))
    np.testing.assert_allclose(np.diff(angles), 72, atol=1e-5)


def test_two_pentagons_on_top_of_each_other_interfere_less_than_a_decagon():
    doubled = 4 * 10 * np.cos(np.radians(72)) ** 2 + 10
    assert spread(10, 2, POSITIVE_INTERFERENCE, starts=32).energy[0] == pytest.approx(doubled, rel=1e-10)
    assert doubled < total_energy(polygon(10), POSITIVE_INTERFERENCE)


@pytest.mark.parametrize("energy", [THOMSON, POSITIVE_INTERFERENCE])
def test_the_energy_is_a_plain_double_loop(energy):
    units = np.random.default_rng(0).standard_normal((3, 6))
    units /= np.linalg.norm(units, axis=0)
    loop = 0.0
    for i in range(6):
        for j in range(i):
            cosine = float(units[:, i] @ units[:, j])
            distance = float(np.linalg.norm(units[:, i] - units[:, j]))
            loop += 1 / distance if energy is THOMSON else 2 * max(cosine, 0.0) ** 2
    assert total_energy(units, energy) == pytest.approx(loop, rel=1e-12)


@pytest.mark.parametrize("energy", [THOMSON, POSITIVE_INTERFERENCE, PACKING])
def test_the_gradient_is_the_difference_quotient(energy):
    columns = np.array([[1, -1, 0.1, 0, 0.2], [0, 0.2, 1.5, -1, 0.1], [0.3, 0, 0, 0.2, -0.7]])
    _, gradient = _evaluate(columns, energy)
    for place in np.ndindex(3, 5):
        ahead, behind = columns.copy(), columns.copy()
        ahead[place] += 1e-6
        behind[place] -= 1e-6
        quotient = (_evaluate(ahead, energy)[0] - _evaluate(behind, energy)[0]) / 2e-6
        assert gradient[place] == pytest.approx(float(quotient), rel=1e-5, abs=1e-7)


def test_minima_come_lowest_first_on_unit_vectors_and_are_flat():
    found = spread(7, 2, POSITIVE_INTERFERENCE, starts=32, seed=3)
    assert (np.diff(found.energy) >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(found.positions, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(total_energy(found.positions, POSITIVE_INTERFERENCE), found.energy, rtol=1e-12)
    # An energy is quadratic at its minimum: it is right to rounding where the slope is the root of rounding.
    assert np.abs(_evaluate(found.positions, POSITIVE_INTERFERENCE)[1]).max() < 1e-6


def test_same_seed_same_bytes_and_another_seed_other_starts():
    one, again, other = (spread(6, 3, THOMSON, starts=3, seed=seed).positions for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


def test_nothing_to_spread_is_refused():
    with pytest.raises(ValueError, match="needs 2 points"):
        spread(1, 3, THOMSON)


@pytest.mark.parametrize("columns", [polygon(6), polygon(10), np.hstack([np.eye(3), -np.eye(3)]), "icosahedron"])
def test_even_arrangements_with_antipodes_interfere_by_a_closed_form(columns):
    if isinstance(columns, str):
        columns = spread(12, 3, THOMSON, starts=2).positions[0]
    dimensions, points = columns.shape
    expected = points**2 / (2 * dimensions) - points
    assert total_energy(columns, POSITIVE_INTERFERENCE) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("points", "angle"), [(7, 77.8695), (8, 74.8585), (9, 70.5288), (12, 63.4349)])
def test_packings_come_within_a_degree_of_the_best_ones_known(points, angle):
    found = sorted_angles(spread(points, 3, PACKING, starts=4).positions[0])[0]
    assert angle - 1 < found < angle + 1e-3
