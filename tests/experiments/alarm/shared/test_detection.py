"""Streamed rates are those of plain counting on the same samples."""

import tracemalloc

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
from experiments.alarm.shared.world import background, dangerous


@pytest.fixture(scope="module")
def model(small_world):
    world, W, generator = small_world
    plain = bank(W, labelled(world, W, 100, generator), (), (), 0, None, (), 0, 0).part((DIRECTION,))
    return world, W, plain


def test_rates_of_a_stream_are_those_of_counting_the_same_samples(model):
    world, W, plain = model
    how = Judging(CHUNK + 3000, 400, (1e-1, 1e-2, 1e-3))
    found = judged(world, W, plain, how, np.random.default_rng(1))
    generator = np.random.default_rng(1)
    x = np.concatenate([background(world, generator, count) for count in (CHUNK, 3000)])
    for target in range(2):
        scores = np.where(x[:, target] > 0, -np.inf, x @ W.T @ W[:, target])
        yes = dangerous(background(world, generator, 400), target, generator) @ W.T @ W[:, target]
        for place, rate in enumerate(how.rates):
            level = threshold_at(scores, rate)
            assert found.threshold[0, target, place] == pytest.approx(level, rel=1e-4)
            assert found.true[0, target, place] == pytest.approx((yes > level).mean(), abs=1 / 400)
        area = (yes[:, None] > scores).mean()
        assert found.area[0, target] == pytest.approx(area, abs=1e-3)
        values = background(world, generator, 400)
        values[:, target] = generator.random(400, dtype=np.float32)
        rings = values @ W.T @ W[:, target] > found.threshold[0, target, 2]
        some = (values[:, target] >= 0.5) & (values[:, target] < 0.6)
        assert found.by_value[0, target, 5] == pytest.approx(rings[some].mean(), abs=1e-6)


def test_causes_are_shares_of_alarms_among_samples_that_hold_a_feature(model):
    world, W, plain = model
    level = np.array([[0.1, 0.2]])
    found = false_alarm_causes(world, W, plain, level, 6000, np.random.default_rng(2))
    x = background(world, np.random.default_rng(2), 6000)
    for target in range(2):
        rings = (x @ W.T @ W[:, target] > level[0, target]) & (x[:, target] == 0)
        for feature in (3, 7, 11):
            assert found[0, target, feature] == pytest.approx(rings[x[:, feature] > 0].mean())


def test_without_a_change_nothing_is_harmed_and_without_the_direction_nothing_acts(model):
    world, W, _ = model
    b = np.zeros(world.features, np.float32)
    plain = stopped(world, W, b, Nothing(), 500, np.random.default_rng(3))
    np.testing.assert_array_equal(plain.harm, 0)
    assert (plain.acts > 0.5).all()
    gone = stopped(world, W, b, ProjectOut(np.ascontiguousarray(W[:, :2].T)), 500, np.random.default_rng(3))
    np.testing.assert_array_equal(gone.acts, 0)
    assert (gone.harm != 0).all()


def peak(action, *arguments) -> int:
    """Return the most bytes that arrays made inside `action` hold at once."""
    tracemalloc.start()
    try:
        action(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_follows_the_chunk_and_not_the_number_of_samples(model):
    world, W, plain = model
    chunk = CHUNK * world.features * 4
    few, many = (
        peak(judged, world, W, plain, Judging(n * CHUNK, 400, (1e-3,)), np.random.default_rng(0)) for n in (3, 9)
    )
    assert chunk < few < 6 * chunk
    assert many < few + 0.25 * chunk
    few, many = (peak(labelled, world, W, 2 * n * CHUNK, np.random.default_rng(0)) for n in (2, 6))
    results = 2 * 4 * CHUNK * world.hidden * world.targets * 4  # four chunks more, of negatives and of positives
    assert many < few + results + 0.25 * chunk
