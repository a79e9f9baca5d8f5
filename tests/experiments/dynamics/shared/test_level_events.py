"""Events are found where they were put, and chance is small for events that coincide and not for others."""

import numpy as np

from experiments.dynamics.shared.level_events import (
    Events,
    coincidence,
    fall_around,
    find_events,
    null_shares,
    pooled_share,
    span_of,
)

COUNT, WINDOW = 201, 4


def course_with_events(jump: int, fall: int) -> tuple[np.ndarray, np.ndarray]:
    """Return levels (time, feature) with one jump and ln(loss) (time,) with one fall, noise on both."""
    generator, time = np.random.default_rng(jump), np.arange(COUNT)
    levels = 0.5 / (1 + np.exp(-(time - jump) / 0.5))[:, None] * np.array([1.0, 0.0])
    loss = -0.05 / (1 + np.exp(-(time - fall) / 0.5)) + 1e-4 * generator.standard_normal(COUNT)
    return levels + 0.01 * generator.standard_normal(levels.shape), loss


def test_a_jump_and_a_fall_are_found_where_they_are() -> None:
    found = find_events(*course_with_events(100, 60), WINDOW)
    assert len(found.jumps) == 1
    assert abs(found.jumps[0] - 100) <= 2
    assert len(found.changes) == 1
    assert abs(found.changes[0] - 60) <= 2


def test_what_happens_before_the_span_or_after_it_does_not_count() -> None:
    first, last = span_of(COUNT)
    found = find_events(*course_with_events(first - 8, last + 8), WINDOW)
    assert found.jumps.size == 0
    assert found.changes.size == 0


def test_coinciding_events_are_beyond_chance_and_unrelated_ones_are_not() -> None:
    generator = np.random.default_rng(0)
    times = generator.uniform(30, 150, 12)
    together = [Events(np.array([t]), np.array([t + 1])) for t in times]
    apart = [Events(np.array([t]), np.array([190 - t])) for t in times]
    for events, beyond in ((together, True), (apart, False)):
        found = pooled_share(events, [each.jumps for each in events], WINDOW)
        chance = (null_shares(events, COUNT, WINDOW, 300, generator) >= found).mean(axis=1)
        assert (chance < 0.01).all() == beyond
        interval = coincidence(events, WINDOW)
        assert interval.low <= interval.value == found <= interval.high
        assert interval.n == len(events)


def test_shares_weigh_every_change_point_once() -> None:
    events = [Events(np.array([50.0]), np.array([50.0, 90.0, 120.0])), Events(np.array([70.0]), np.array([71.0]))]
    assert pooled_share(events, [each.jumps for each in events], WINDOW) == 0.5
    assert pooled_share([Events(np.array([50.0]), np.zeros(0))], [np.array([50.0])], WINDOW) == 0.0


def test_the_loss_falls_at_the_jump_and_not_elsewhere() -> None:
    courses = [course_with_events(jump, jump) for jump in (60, 90, 120)]
    events = [find_events(levels, loss, WINDOW) for levels, loss in courses]
    loss = np.exp(np.stack([loss for _, loss in courses]))
    offsets, around, band = fall_around(events, loss, WINDOW, np.random.default_rng(1), 100)
    middle = len(offsets) // 2
    assert abs(int(np.argmax(around)) - middle) <= 2
    assert around[middle] > 0.03
    assert around[middle] > band[1, middle]
    assert abs(around[0]) < 2e-3
