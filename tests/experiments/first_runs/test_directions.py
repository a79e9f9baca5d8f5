"""Errors of right angles and of opposite pairs, on models whose errors are known."""

import numpy as np
import pytest

from experiments.core.contract import Verdict
from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.core.quantities import share
from experiments.first_runs.directions import Config, _measure, decide_meant, run


def model(*degrees, lengths=1.0):
    W = np.zeros((2, 5))
    W[:, : len(degrees)] = at_degrees(*degrees) * lengths
    return W


def test_the_errors_of_two_bent_digons_are_found():
    # Right angles of 87, 93 + 2, 88 and 90; opposite pairs of 178 and 175.
    right, opposite, mismatch = _measure(model(0, 87, 178, 262, lengths=np.array([1, 1, 1.1, 1]))[None])[:, 0]
    assert right == pytest.approx(8)  # between 262 and 360
    assert opposite == pytest.approx(5)
    assert mismatch == pytest.approx(1 - 1 / 1.1)


def test_a_digon_and_one_has_one_opposite_pair():
    right, opposite, _ = _measure(model(0, 90, 181)[None])[:, 0]
    assert right == pytest.approx(1)
    assert opposite == pytest.approx(1)


def test_two_directions_have_no_opposite_pair():
    right, opposite, mismatch = _measure(model(0, 84)[None])[:, 0]
    assert right == pytest.approx(6)
    assert np.isnan(opposite)
    assert np.isnan(mismatch)


@pytest.mark.parametrize("W", [polygon(5), model(0, 120, 240), model(0, 50)])
def test_other_arrangements_do_not_count(W):
    assert np.isnan(_measure(W[None])).all()


def test_minima_have_smaller_errors_than_the_runs_above_them():
    result = run(Config(seeds=12, p=(0.5,), readers_p=0.5), "cpu")
    trained, minimum = result.numbers["right_reader"], result.numbers["right_minimum"]
    assert minimum.value < trained.value
    assert result.numbers["right_true_minimum"].value == 1


class Numbers:
    def __init__(self, **numbers):
        self.numbers = numbers


def test_orthogonality_is_meant_if_most_minima_have_it():
    assert decide_meant(Numbers(right_true_minimum=share([True] * 30))).verdict is Verdict.SUPPORTED
    assert decide_meant(Numbers(right_true_minimum=share([False] * 30))).verdict is Verdict.REFUTED
