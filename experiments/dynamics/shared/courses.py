"""Courses over training: when something is learned, how much is learned at once, jumps, and whether events coincide.

A course is an array (..., time) of a measure at rising `steps` (time,). The sigmoid that a course is compared with is
the course of a linear model from a small start: with `w = ||W_i||^2`, gradient flow gives the logistic equation
`dw/dt = rate * w * (1 - w)` (Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning
in deep linear neural networks").
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def crossing(course: ArrayLike, steps: ArrayLike, level: ArrayLike) -> Array:
    """Return the step (...) from which each course (..., time) stays at or above `level` (...), interpolated linearly.

    The first step where it never was below; NaN where it ends below.
    """
    y, t = np.asarray(course, dtype=np.float64), np.asarray(steps, dtype=np.float64)
    height = np.broadcast_to(np.asarray(level, dtype=np.float64)[..., None], y.shape)
    below = y < height
    last = y.shape[-1] - 1 - np.argmax(below[..., ::-1], axis=-1)  # the last time below, if there is one
    after = np.minimum(last + 1, y.shape[-1] - 1)
    low, high, wanted = (
        np.take_along_axis(each, at[..., None], -1)[..., 0] for each, at in ((y, last), (y, after), (height, last))
    )
    share = np.divide(wanted - low, high - low, out=np.ones_like(low), where=high > low)
    found = np.where(below[..., -1], np.nan, t[last] + share * (t[after] - t[last]))
    return np.asarray(np.where(below.any(-1), found, t[0]))


def together(start: ArrayLike, end: ArrayLike) -> float:
    """Return how many spans from `start` to `end` (span,) overlap, averaged over the time when any lasts; from 1 on."""
    start, end = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    order = np.argsort(start)
    covered, reached = 0.0, -np.inf
    for low, high in zip(start[order], end[order], strict=True):
        covered += max(high - max(low, reached), 0.0)
        reached = max(reached, high)
    return float((end - start).sum() / covered)


def in_turn(start: ArrayLike, middle: ArrayLike, end: ArrayLike) -> float:
    """Return how far spans (span,) come one after the other: 1 if none overlap, 0 if all have the same `middle`.

    With `together` as it is and as it would be if every span were moved to one middle: (moved - is) / (moved - 1).
    Negative where spans overlap even more than that; NaN for fewer than two spans.
    """
    start, middle, end = (np.asarray(each, dtype=np.float64) for each in (start, middle, end))
    if start.size < 2:
        return float("nan")
    moved = together(start - middle, end - middle)
    return float((moved - together(start, end)) / (moved - 1.0))


def sigmoid_width(begin: ArrayLike, end: ArrayLike, middle: ArrayLike, low: float = 0.5, high: float = 0.9) -> Array:
    """Return how long a logistic course would take from `low` to `high` of its `end`, in the units of `middle` (...).

    It starts at `begin` at time 0 and passes half of `end` at `middle`: its rate is ln(end / begin - 1) / middle.
    NaN where `begin` is not below half of `end`.
    """
    begin, end = np.asarray(begin, dtype=np.float64), np.asarray(end, dtype=np.float64)
    growth = np.log(np.maximum(end / begin - 1.0, 1.0))
    odds = np.log(high / (1 - high)) - np.log(low / (1 - low))
    return np.asarray(np.divide(odds * middle, growth, out=np.full(growth.shape, np.nan), where=growth > 0))


def sharpness_of(courses: ArrayLike, steps: ArrayLike) -> float:
    """Return the median over courses (course, time) of measured over sigmoidal time, from half to nine tenths.

    NaN if every course starts beyond half of its end.
    """
    y = np.asarray(courses, dtype=np.float64)
    begin, end = y[:, 0], y[:, -1]
    half, most = crossing(y, steps, end / 2), crossing(y, steps, 0.9 * end)
    ratio = (most - half) / sigmoid_width(begin, end, half)
    known = ratio[np.isfinite(ratio)]
    return float(np.median(known)) if known.size else float("nan")


def change_within(course: ArrayLike, window: int) -> Array:
    """Return how much each course (..., time) rises from each time to `window` entries later, (..., time - window)."""
    y = np.asarray(course, dtype=np.float64)
    return np.asarray(y[..., window:] - y[..., :-window])


def peaks(strength: ArrayLike, level: float, apart: int) -> NDArray[np.int64]:
    """Return the places, in rising order, where `strength` (time,) exceeds `level` and nothing near is greater.

    The greatest comes first, and each taken one rules out what lies less than `apart` entries from it.
    """
    size = np.asarray(strength, dtype=np.float64)
    free, found = size > level, []
    while free.any():
        place = int(np.argmax(np.where(free, size, -np.inf)))
        found.append(place)
        free[max(place - apart + 1, 0) : place + apart] = False
    return np.array(sorted(found), dtype=np.int64)


def outlying(strength: ArrayLike, deviations: float) -> float:
    """Return the level that many robust standard deviations above the median of `strength`.

    The standard deviation is 1.4826 times the median absolute deviation, which a few large values do not change.
    """
    size = np.asarray(strength, dtype=np.float64)
    middle = float(np.median(size))
    return middle + deviations * 1.4826 * float(np.median(np.abs(size - middle)))


def share_near(events: ArrayLike, others: ArrayLike, within: float) -> float:
    """Return the share of `events` (event,) that have one of `others` (other,) at most `within` away; NaN if none."""
    one, other = np.asarray(events, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if one.size == 0:
        return float("nan")
    if other.size == 0:
        return 0.0
    return float((np.abs(one[:, None] - other).min(axis=1) <= within).mean())


def scattered(events: ArrayLike, low: float, high: float, generator: np.random.Generator) -> Array:
    """Return as many times as there are `events` (event,), drawn uniformly from [low, high)."""
    return generator.uniform(low, high, np.size(events))


def shifted(events: ArrayLike, low: float, high: float, most: float, generator: np.random.Generator) -> Array:
    """Return `events` (event,) all moved by one shift, uniform in [-most, most], and wrapped into [low, high)."""
    moved = np.asarray(events, dtype=np.float64) + generator.uniform(-most, most)
    return np.asarray(low + np.mod(moved - low, high - low))


def runs_of(labels: ArrayLike, shortest: int) -> tuple[int, ...]:
    """Return the labels (time,) in the order in which they appear, leaving out stays of fewer than `shortest` entries.

    A label that returns after such a short interruption is told once.
    """
    given = np.asarray(labels)
    edges = np.flatnonzero(np.diff(given)) + 1
    told: list[int] = []
    for stay in np.split(given, edges):
        if len(stay) >= shortest and (not told or told[-1] != stay[0]):
            told.append(int(stay[0]))
    return tuple(told)


def plateaus(course: ArrayLike, time: ArrayLike, flat: float, shortest: float) -> list[tuple[int, int]]:
    """Return first and last index of every stretch where `course` (time,) is level against `time` (time,).

    Level is a slope between neighbours of at most `flat` in magnitude, kept up for at least `shortest` in `time`.
    """
    y, t = np.asarray(course, dtype=np.float64), np.asarray(time, dtype=np.float64)
    level = np.concatenate([[False], np.abs(np.diff(y) / np.diff(t)) <= flat, [False]])
    starts, ends = np.flatnonzero(~level[:-1] & level[1:]), np.flatnonzero(level[:-1] & ~level[1:])
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True) if t[b] - t[a] >= shortest]
