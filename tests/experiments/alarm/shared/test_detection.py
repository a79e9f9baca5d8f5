"""Streamed rates are those of plain counting on the same samples."""

import numpy as np
import pytest

from experiments.alarm.shared.detection import (
    CHUNK,
    Judging,
    Nothing,
    ProjectOut,
    false_alarm_causes,
    judged,
    stopped,
)
from experiments.alarm.shared.detectors import DIRECTION, bank, labelled
from experiments.alarm.shared.rates import threshold_at
from experiments.alarm.shared.world import WorldConfig, background, dangerous

WORLD = WorldConfig(features=12, hidden=5, density=0.1, rare=0.05, importance=(2, 4))


@pytest.fixture(scope="module")
def model():
    generator = np.random.default_rng(0)
    W = generator.normal(size=(5, 12)).astype(np.float32) / 2
    plain = bank(W, labelled(WORLD, W, 100, generator), (), (), 0, None, (), 0, 0).part((DIRECTION,))
    return W, plain


def test_rates_of_a_stream_are_those_of_counting_the_same_samples(model):
    W, plain = model
    how = Judging(CHUNK + 3000, 400, (1e-1, 1e-2, 1e-3))
    found = judged(WORLD, W, plain, how, np.random.default_rng(1))
    generator = np.random.default_rng(1)
    x = np.concatenate([background(WORLD, generator, count) for count in (CHUNK, 3000)])
    for target in range(2):
        scores = np.where(x[:, target] > 0, -np.inf, x @ W.T @ W[:, target])
        yes = dangerous(background(WORLD, generator, 400), target, generator) @ W.T @ W[:, target]
        for place, rate in enumerate(how.rates):
            level = threshold_at(scores, rate)
            assert found.threshold[0, target, place] == pytest.approx(level, rel=1e-4)
            assert found.true[0, target, place] == pytest.approx((yes > level).mean(), abs=1 / 400)
        area = (yes[:, None] > scores).mean()
        assert found.area[0, target] == pytest.approx(area, abs=1e-3)
        values = background(WORLD, generator, 400)
        values[:, target] = generator.random(400, dtype=np.float32)
        rings = values @ W.T @ W[:, target] > found.threshold[0, target, 2]
        some = (values[:, target] >= 0.5) & (values[:, target] < 0.6)
        assert found.by_value[0, target, 5] == pytest.approx(rings[some].mean(), abs=1e-6)


def test_causes_are_shares_of_alarms_among_samples_that_hold_a_feature(model):
    W, plain = model
    level = np.array([[0.1, 0.2]])
    found = false_alarm_causes(WORLD, W, plain, level, 6000, np.random.default_rng(2))
    x = background(WORLD, np.random.default_rng(2), 6000)
    for target in range(2):
        rings = (x @ W.T @ W[:, target] > level[0, target]) & (x[:, target] == 0)
        for feature in (3, 7, 11):
            assert found[0, target, feature] == pytest.approx(rings[x[:, feature] > 0].mean())


def test_without_a_change_nothing_is_harmed_and_without_the_direction_nothing_acts(model):
    W, _ = model
    b = np.zeros(12, np.float32)
    plain = stopped(WORLD, W, b, Nothing(), 500, np.random.default_rng(3))
    np.testing.assert_array_equal(plain.harm, 0)
    assert (plain.acts > 0.5).all()
    gone = stopped(WORLD, W, b, ProjectOut(np.ascontiguousarray(W[:, :2].T)), 500, np.random.default_rng(3))
    np.testing.assert_array_equal(gone.acts, 0)
    assert (gone.harm != 0).all()
