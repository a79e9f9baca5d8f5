"""The code of two features in one dimension against its closed forms."""

import numpy as np
import pytest

from experiments.linear_representation.shared.nonlinear_code import LINEAR_ERROR, code_error, read, stairs, write


def test_without_ramps_the_stairs_are_the_floor():
    u = np.linspace(0, 4.999, 500)
    assert np.array_equal(stairs(u, 0.0, 5), np.floor(u))


def test_ramps_are_centred_on_the_jumps():
    assert stairs([0.5, 0.95, 1.0, 1.05, 1.5], 0.1, 3).tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def test_narrow_ramps_tend_to_the_floor():
    u = np.linspace(0, 2.99, 1000)
    assert np.mean(stairs(u, 1e-6, 3) != stairs(u, 0.0, 3)) < 0.01


def test_away_from_the_ramps_both_features_come_back():
    x, y = np.array([0.1, 0.5, 0.9]), np.array([0.3, 0.5, 0.7])
    read_x, read_y = read(write(x, y, 3, 0.1), 3, 0.1)
    assert np.allclose(read_x, [1 / 6, 1 / 2, 5 / 6])
    assert np.allclose(read_y, y)


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_without_ramps_only_the_place_on_the_step_is_lost(steps):
    error = code_error(steps, 0.0, 600)
    assert error.read == pytest.approx(1 / (24 * steps**2), rel=1e-4)
    assert error.read_y == pytest.approx(0, abs=1e-12)


def test_no_linear_read_out_of_the_code_beats_the_best_linear_code():
    errors = [code_error(steps, ramp, 200).linear for steps in (2, 5, 10) for ramp in (0, 0.1, 0.5)]
    assert min(errors) > LINEAR_ERROR


def test_a_single_step_keeps_y_and_forgets_x():
    error = code_error(1, 0.1, 200)
    assert (error.read_y, error.linear_y) == (pytest.approx(0), pytest.approx(0, abs=1e-5))
    assert (error.read_x, error.linear_x) == (pytest.approx(1 / 12, rel=1e-4), pytest.approx(1 / 12, rel=1e-4))


def test_errors_agree_with_sampling():
    x, y = np.random.default_rng(0).random((2, 400_000))
    read_x, read_y = read(write(x, y, 3, 0.1), 3, 0.1)
    sampled = (np.mean((x - read_x) ** 2) + np.mean((y - read_y) ** 2)) / 2
    assert code_error(3, 0.1, 600).read == pytest.approx(sampled, rel=0.01)
