"""Shapes are recognised whatever their rotation, reflection and numbering, and near misses are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.core.geometry.configurations import (
    DIGON_AND_ONE,
    OTHER,
    PENTAGON,
    PLANE,
    TOLERANCE,
    TRIANGLE,
    TWO_DIGONS,
    TWO_DIRECTIONS,
    at_degrees,
    canonical,
    classify,
    polygon,
    shape,
    sorted_angles,
)
from experiments.core.metrics import gram

EXAMPLES = {
    TWO_DIRECTIONS.name: at_degrees(0, 90),
    DIGON_AND_ONE.name: at_degrees(0, 90, 180),
    TRIANGLE.name: polygon(3),
    TWO_DIGONS.name: polygon(4),
    PENTAGON.name: polygon(5),
}


def embed(columns, features, generator):
    """Add near-dead columns, shuffle, and rotate or reflect at random."""
    hidden, count = columns.shape
    W = np.concatenate([columns, 0.3 * generator.uniform(-1, 1, (hidden, features - count))], axis=1)
    turn = np.linalg.qr(generator.standard_normal((hidden, hidden))).Q
    return turn @ W[:, generator.permutation(features)]


@given(name=st.sampled_from(sorted(EXAMPLES)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_a_noisy_shape_is_recognised_in_any_orientation(name, seed):
    generator = np.random.default_rng(seed)
    columns = EXAMPLES[name]
    turns = np.radians(generator.uniform(-TOLERANCE / 2, TOLERANCE / 2, columns.shape[1]))
    noisy = np.stack(
        [
            np.cos(turns) * columns[0] - np.sin(turns) * columns[1],
            np.sin(turns) * columns[0] + np.cos(turns) * columns[1],
        ]
    )
    lengths = generator.uniform(0.6, 1.3, columns.shape[1])
    found = classify(embed(noisy * lengths, 6, generator)[None])
    assert found.name[0] == name
    assert found.live.sum() == columns.shape[1]


@pytest.mark.parametrize(
    "degrees", [(0, 90, 180, 270 + TOLERANCE + 1), (0, 72, 144, 216, 288 + TOLERANCE + 1), (0, 60)]
)
def test_a_near_miss_is_refused(degrees):
    found = classify(at_degrees(*degrees)[None])
    assert found.name[0] == OTHER
    assert found.miss[0] > TOLERANCE


def test_a_number_of_directions_without_a_shape_is_other():
    found = classify(np.stack([polygon(6), np.zeros((2, 6))]))
    assert (found.name == OTHER).all()
    assert np.isinf(found.miss).all()


def test_no_two_named_shapes_can_be_confused():
    for one in PLANE:
        for two in PLANE:
            if one.name < two.name and one.count == two.count:
                assert np.abs(np.subtract(one.angles, two.angles)).max() > 2 * TOLERANCE


def test_shapes_of_space_are_recognised_too():
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).T
    tetrahedron = shape("tetrahedron", corners)
    np.testing.assert_allclose(tetrahedron.angles, np.degrees(np.arccos(-1 / 3)))
    W = embed(corners / np.sqrt(3), 6, np.random.default_rng(0))
    assert classify(W[None], (tetrahedron,)).name[0] == "tetrahedron"


@pytest.mark.parametrize("hidden", [2, 3])
def test_the_canonical_form_keeps_the_angles_and_starts_on_the_first_axis(hidden):
    W = np.random.default_rng(1).standard_normal((hidden, 5))
    turned = canonical(W, threshold=0.0)
    np.testing.assert_allclose(turned[1:, 0], 0, atol=1e-12)
    assert turned[0, 0] > 0
    assert turned[1, 1] >= 0
    np.testing.assert_allclose(sorted_angles(turned), sorted_angles(W))


def test_equal_models_have_equal_canonical_forms():
    generator = np.random.default_rng(2)
    W = at_degrees(0, 50, 120, 200) * [1.0, 0.9, 1.1, 0.8]
    angle = generator.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(gram(canonical(turn @ W[:, [2, 0, 3, 1]])), gram(canonical(W)), atol=1e-12)
