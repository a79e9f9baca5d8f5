"""Courses are read as their definitions say: against closed forms, constructed spans and plain loops."""

import numpy as np
import pytest

from experiments.dynamics.shared import courses


def logistic(t: np.ndarray, begin: float, end: float, rate: float) -> np.ndarray:
    return end / (1 + (end / begin - 1) * np.exp(-rate * t))


def test_crossing_is_where_a_line_passes_the_level():
    steps = np.array([0.0, 10.0, 20.0, 30.0])
    course = np.array([[0.0, 1.0, 2.0, 3.0], [5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 0.0, 1.0], [0.0, 4.0, 0.0, 4.0]])
    found = courses.crossing(course, steps, np.array([1.5, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(found, [15.0, 0.0, np.nan, 25.0])  # the last rise counts, not the first


def test_spans_one_after_the_other_overlap_once_and_equal_ones_fully():
    start, end = np.array([0.0, 2.0, 4.0]), np.array([2.0, 4.0, 6.0])
    assert courses.together(start, end) == 1.0
    assert courses.together(np.zeros(3), np.ones(3)) == 3.0
    assert courses.together([0.0, 1.0], [2.0, 3.0]) == pytest.approx(4 / 3)
    assert courses.together([0.0, 10.0], [1.0, 11.0]) == 1.0  # the pause between them does not count


def test_in_turn_is_one_in_turn_and_zero_at_once():
    start = np.array([0.0, 2.0, 4.0])
    assert courses.in_turn(start, start + 1, start + 2) == pytest.approx(1.0)
    assert courses.in_turn(np.zeros(3), np.ones(3), np.full(3, 2.0)) == pytest.approx(0.0)
    assert np.isnan(courses.in_turn([0.0], [1.0], [2.0]))


def test_together_agrees_with_counting_on_a_fine_grid():
    generator = np.random.default_rng(0)
    start = generator.uniform(0, 5, 6)
    end = start + generator.uniform(0.1, 3, 6)
    grid = np.arange(0, 8, 1e-4)
    count = ((start[:, None] <= grid) & (grid < end[:, None])).sum(0)
    assert courses.together(start, end) == pytest.approx(count[count > 0].mean(), rel=1e-3)


@pytest.mark.parametrize("begin", [0.01, 0.1, 0.2])
def test_a_sigmoid_is_as_wide_as_it_says(begin: float):
    t = np.linspace(0, 200, 20_001)
    course = logistic(t, begin, 0.5, 0.1)
    half, most = (float(courses.crossing(course, t, level)) for level in (0.25, 0.45))
    assert courses.sigmoid_width(begin, 0.5, half) == pytest.approx(most - half, rel=1e-3)


def test_a_course_that_starts_beyond_half_has_no_sigmoid():
    assert np.isnan(courses.sigmoid_width(0.3, 0.5, 10.0))


def test_peaks_are_the_greatest_of_their_neighbourhood():
    strength = np.array([0, 3, 5, 4, 0, 0, 2, 0, 0, 9.0])
    assert courses.peaks(strength, 1.0, 2).tolist() == [2, 6, 9]
    assert courses.peaks(strength, 1.0, 5).tolist() == [2, 9]
    assert courses.peaks(strength, 10.0, 2).tolist() == []


def test_outlying_values_do_not_move_their_own_threshold():
    noise = np.random.default_rng(1).standard_normal(20_000)
    assert courses.outlying(noise, 3.0) == pytest.approx(3.0, abs=0.1)
    spoilt = np.where(np.arange(20_000) < 100, 1e6, noise)
    assert courses.outlying(spoilt, 3.0) == pytest.approx(courses.outlying(noise, 3.0), abs=0.1)


def test_share_near_counts_events_with_a_neighbour():
    assert courses.share_near([1.0, 5.0, 9.0], [5.4, 20.0], 0.5) == pytest.approx(1 / 3)
    assert courses.share_near([1.0], [], 0.5) == 0.0
    assert np.isnan(courses.share_near([], [1.0], 0.5))


def test_shuffled_events_stay_in_the_span_and_chance_is_what_it_must_be():
    generator = np.random.default_rng(2)
    events = np.array([12.0, 80.0])
    found = [courses.share_near(events, courses.scattered([0.0], 0.0, 100.0, generator), 5.0) for _ in range(4000)]
    assert np.mean(found) == pytest.approx(0.1, abs=0.01)  # a window of 10 in 100
    moved = np.array([courses.shifted(events, 10.0, 90.0, 30.0, generator) for _ in range(500)])
    assert moved.min() >= 10.0
    assert moved.max() < 90.0
    gaps = np.mod(moved[:, 1] - moved[:, 0], 80.0)
    np.testing.assert_allclose(gaps, 68.0)  # moved as one


def test_stages_are_told_in_order_without_short_stays():
    assert courses.runs_of([0, 0, 0, 1, 0, 0, 2, 2, 1, 1], 2) == (0, 2, 1)
    assert courses.runs_of([3], 2) == ()


def test_plateaus_of_a_staircase_are_its_steps():
    time = np.arange(12.0)
    stairs = np.array([5, 5, 5, 5, 3, 1, 1, 1, 1, 0, 0, 0.0])
    assert courses.plateaus(stairs, time, 0.1, 2.0) == [(0, 3), (5, 8), (9, 11)]
    assert courses.plateaus(stairs, time, 0.1, 3.0) == [(0, 3), (5, 8)]


def test_change_within_looks_ahead():
    np.testing.assert_allclose(courses.change_within([[0.0, 1.0, 4.0, 9.0]], 2), [[4.0, 8.0]])
