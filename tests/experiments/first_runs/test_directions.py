"""Errors of right angles and of opposite pairs, on models whose errors are known."""

import numpy as np
import pytest

from experiments.core.criteria import Evidence, Verdict
from experiments.core.geometry.configurations import at_degrees, polygon
from experiments.first_runs.directions import Config, _measure, _numbers, experiment, run


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
    trained, minimum = result.numbers.reader.right, result.numbers.minimum.right
    assert minimum.value < trained.value
    assert result.numbers.right_true_minimum.value == 1


def test_where_no_run_counts_nothing_is_decided():
    numbers = _numbers(np.full((3, 4, 6), np.nan))
    for claim, found in (
        ("right-angles-meant", numbers.right_true_minimum),
        ("antipodal-exact", numbers.reader.opposite_exact),
    ):
        assert experiment.claims[claim].criterion.verdict(Evidence(share=found)) is Verdict.INCONCLUSIVE
