"""Stages are recognised in constructed models, and the loss of each has the closed form of the page."""

import numpy as np
import pytest

from experiments.core.coupling import coupled_sets
from experiments.core.losses.exact import expected_loss
from experiments.dynamics.shared import set_stages

ONE, NONE = np.ones(3), np.zeros(3)
OCTAHEDRON = np.concatenate([np.eye(3), -np.eye(3)], axis=1)


def rotation(generator: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(generator.standard_normal((3, 3))).Q


def twisted(angle: float) -> np.ndarray:
    """Return an octahedron whose second triangle is turned about the axis of the two."""
    axis = np.ones(3) / np.sqrt(3)
    across = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across
    return np.concatenate([np.eye(3), -turn], axis=1)


@pytest.mark.parametrize(
    ("W", "stage"),
    [
        (0.1 * OCTAHEDRON, "nothing learned"),
        (0.4 * np.stack([np.r_[ONE, ONE], np.r_[NONE, NONE], np.r_[NONE, NONE]]), "one line, same side"),
        (0.4 * np.stack([np.r_[ONE, -ONE], np.r_[NONE, NONE], np.r_[NONE, NONE]]), "one line, opposite sides"),
        (0.5 * np.stack([np.r_[ONE, NONE], np.r_[NONE, 0.1 * ONE], np.r_[NONE, NONE]]), "one set alone"),
        (0.5 * np.stack([np.r_[ONE, NONE], np.r_[NONE, ONE], np.r_[NONE, NONE]]), "a line for each set"),
        (twisted(1.0), "twisted triangles"),
        (np.concatenate([np.eye(3), -np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])], axis=1), "one axis"),
        (OCTAHEDRON, "octahedron"),
        (OCTAHEDRON[:, [0, 1, 2, 5, 3, 4]], "octahedron"),
    ],
)
def test_a_stage_is_recognised_however_the_model_is_turned(W: np.ndarray, stage: str) -> None:
    turned = rotation(np.random.default_rng(0)) @ W
    found = set_stages.stages_of(turned, np.linalg.svd(turned, compute_uv=False))
    assert set_stages.STAGES[int(found)] == stage


def test_a_dead_feature_is_no_octahedron() -> None:
    W = OCTAHEDRON.copy()
    W[:, 5] = 0
    assert set_stages.antipodal_pairs(W) == 2


@pytest.mark.parametrize("p", [0.02, 0.05, 0.1])
def test_losses_of_the_stages_have_closed_forms(p: float) -> None:
    sets = coupled_sets(p, 6, set_stages.SETS)
    found = set_stages.constrained_minima(sets)
    lines = np.stack([np.r_[ONE, NONE], np.r_[NONE, ONE], np.r_[NONE, NONE]]) / np.sqrt(3)
    assert found["nothing"] == pytest.approx(p / 3 - p**2 / 4, rel=1e-9)
    assert expected_loss(lines, np.zeros(6), sets=sets).value == pytest.approx(p / 18, rel=1e-9)
    assert found["a line for each set"] == pytest.approx(p / 18, rel=1e-6)
    two = np.array([1, 1, 0]) / np.sqrt(2)
    split = np.stack([np.r_[two, NONE], np.r_[NONE, two], np.r_[0, 0, 1, 0, 0, -1]])
    assert expected_loss(split, np.zeros(6), sets=sets).value == pytest.approx(p / 36 + p**2 / 18, rel=1e-9)
    assert found["one split off"] == pytest.approx(p / 36 + p**2 / 18, rel=0.02)
    assert expected_loss(OCTAHEDRON, np.zeros(6), sets=sets).value == pytest.approx(p**2 / 6, rel=1e-9)
    assert 0.95 * p**2 / 6 < found["octahedron"] <= p**2 / 6
    assert found["a line for each set"] < found["one line"] < found["one line, same side"] < found["nothing"]


def test_a_twist_costs_its_cube_while_one_set_is_present() -> None:
    """p * angle^3 / (180 sqrt(3)): an output lets the other set in only where its own antipode is nearly zero."""
    alone, p = np.zeros(64), 0.05
    alone[[0, 0b000111, 0b111000]] = 1 - 2 * p, p, p
    straight, turned = (float(expected_loss(twisted(angle), np.zeros(6), sets=alone).value) for angle in (0.0, 0.01))
    assert straight == pytest.approx(0.0, abs=1e-15)
    assert turned == pytest.approx(p * 0.01**3 / (180 * np.sqrt(3)), rel=0.03)


def test_principal_overlap_is_one_in_the_plane_and_zero_across_it() -> None:
    steps = np.array([1, 10, 100, 1000])
    plane = 0.5 * np.stack([np.r_[ONE, NONE], np.r_[NONE, ONE], np.r_[NONE, NONE]])
    across = 0.5 * np.stack([np.r_[1, -1, 0, NONE], np.r_[NONE, 1, -1, 0], np.r_[NONE, NONE]])
    courses = np.stack([[0 * W, W, W, OCTAHEDRON] for W in (plane, across)])
    singular = np.linalg.svd(courses, compute_uv=False)
    np.testing.assert_allclose(set_stages.principal_overlap(courses, singular, steps), [1.0, 0.0], atol=1e-12)


def test_a_model_is_stood_on_the_axes_without_changing_its_shape() -> None:
    generator = np.random.default_rng(3)
    course = rotation(generator) @ np.stack([0.3 * OCTAHEDRON, OCTAHEDRON[:, [0, 1, 2, 4, 5, 3]]])
    stood = set_stages.standing(course)
    np.testing.assert_allclose(stood[-1, :, :3], np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.swapaxes(stood, 1, 2) @ stood, np.swapaxes(course, 1, 2) @ course, atol=1e-9)


def test_plateaus_interrupted_by_noise_are_one_level() -> None:
    time = np.linspace(0, 4, 41)
    stairs = np.interp(time, [1.0, 1.5, 2.5, 3.0], [0.0, -1.0, -1.0, -2.0])
    stairs[5] += 0.04  # slopes of 0.4 on either side
    assert set_stages.levels_of(stairs, time) == 3
