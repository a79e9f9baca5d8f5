"""Rates of alarms agree with plain counting."""

import numpy as np
import pytest

from experiments.alarm.shared.rates import Tail, auroc, precision, threshold_at


def test_a_share_of_the_negatives_lies_above_the_threshold():
    scores = np.random.default_rng(0).normal(size=(3, 2000))
    level = threshold_at(scores, 0.01)
    assert ((scores > level[:, None]).sum(1) == 20).all()


def test_a_rate_that_the_negatives_cannot_resolve_is_refused():
    with pytest.raises(ValueError, match="cannot be told from 0 with 50 negatives"):
        threshold_at(np.zeros(50), 0.01)


def test_the_tail_of_a_stream_gives_the_threshold_of_the_whole():
    scores = np.random.default_rng(1).normal(size=(4, 5000)).astype(np.float32)
    tail = Tail(5000, 0.015)
    for piece in np.split(scores, 10, axis=1):
        tail.add(piece)
    for rate in (0.01, 0.001):
        np.testing.assert_array_equal(tail.threshold(rate), threshold_at(scores, rate))
    with pytest.raises(ValueError, match="outside what the tail has kept"):
        tail.threshold(0.1)


def test_auroc_is_the_chance_that_a_positive_scores_higher_with_ties_as_halves():
    generator = np.random.default_rng(2)
    yes, no = generator.integers(0, 6, (2, 30)), generator.integers(0, 5, (2, 40))
    pairs = [(y[:, None] > n).mean() + 0.5 * (y[:, None] == n).mean() for y, n in zip(yes, no, strict=True)]
    np.testing.assert_allclose(auroc(yes, no), pairs)


def test_precision_is_the_share_of_right_alarms():
    generator = np.random.default_rng(3)
    danger = generator.random(1_000_000) < 0.01
    alarm = generator.random(1_000_000) < np.where(danger, 0.8, 0.02)
    assert precision(0.01, 0.8, 0.02) == pytest.approx(danger[alarm].mean(), abs=0.01)
