"""Late events of training, jumps of features and falls of the loss, and whether the two coincide more than by chance.

Times are indices of snapshots, evenly spaced over training. Jumps and change-points are found in each seed on its own;
chance moves the jumps of each seed and leaves its change-points: scattered over the whole span, or shifted together by
a little, which keeps that more happens early. Seeds are the unit throughout.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.quantities import Quantity, bootstrap
from experiments.dynamics.shared.courses import change_within, outlying, peaks, scattered, share_near, shifted

Array = NDArray[Any]

JUMP = 0.2
"""A feature jumps when its dimensionality changes by more than this within `WINDOW`."""

WINDOW = 0.02
"""Share of training within which a jump happens, and within which two events coincide."""

SETTLING, DECAY = 0.1, 0.8
"""Events count between these shares of training: everything moves at once before, and the learning rate drops after."""

OUTLYING = 6.0
"""Robust standard deviations by which a fall of the loss exceeds the usual one at a change-point."""

SHIFT = 0.1
"""Greatest shift, as a share of training, of the null that keeps the trend."""


@dataclass(frozen=True)
class Events:
    """Steps of the late events of one seed, as indices of snapshots."""

    jumps: Array
    changes: Array


def find_events(levels: Array, log_loss: Array, window: int) -> Events:
    """Return the late jumps of `levels` (time, feature) and change-points of `log_loss` (time,), at their middles."""
    first, last = span_of(len(log_loss))
    moves = np.abs(change_within(levels.T, window)).max(axis=0)[first : last - window]
    falls = -change_within(log_loss, window)[first : last - window]
    middle = first + window / 2
    return Events(peaks(moves, JUMP, 2 * window) + middle, peaks(falls, outlying(falls, OUTLYING), 2 * window) + middle)


def span_of(count: int) -> tuple[int, int]:
    """Return the first and last of `count` snapshots between which events count."""
    return round(SETTLING * (count - 1)), round(DECAY * (count - 1))


def null_shares(events: list[Events], count: int, window: int, shuffles: int, generator: np.random.Generator) -> Array:
    """Return the share of change-points near a jump when jumps are scattered, and when shifted, (2, shuffle)."""
    (low, high), most = span_of(count), SHIFT * (count - 1)
    found = np.empty((2, shuffles))
    for shuffle in range(shuffles):
        scatter = [scattered(each.jumps, low, high, generator) for each in events]
        shift = [shifted(each.jumps, low, high, most, generator) for each in events]
        for row, moved in enumerate((scatter, shift)):
            found[row, shuffle] = pooled_share(events, moved, window)
    return found


def pooled_share(events: list[Events], jumps: list[Array], window: int) -> float:
    """Return the share of the change-points of all seeds that have a jump of their own seed within one window."""
    shares = [
        (len(each.changes), share_near(each.changes, jump, window))
        for each, jump in zip(events, jumps, strict=True)
        if len(each.changes)
    ]
    total = sum(count for count, _ in shares)
    return sum(count * value for count, value in shares) / total if total else 0.0


def fall_around(
    events: list[Events], loss: Array, window: int, generator: np.random.Generator, shuffles: int
) -> tuple[Array, Array, Array]:
    """Return offsets, the mean fall of ln(loss) per window there around late jumps, and the 95 % band under shifts.

    Each seed with late jumps counts once, with the mean over its jumps.
    """
    reach = 4 * window
    offsets = np.arange(-reach, reach + 1)
    falls = -change_within(np.log(loss), window)
    chosen = [seed for seed, each in enumerate(events) if len(each.jumps)]
    count = loss.shape[1]
    low, high = span_of(count)

    def averaged(times: list[Array]) -> Array:
        rows = []
        for seed, jumps in zip(chosen, times, strict=True):
            places = np.round(jumps[:, None] - window / 2 + offsets).astype(int)
            rows.append(falls[seed, np.clip(places, low, high - window - 1)].mean(axis=0))
        return np.mean(rows, axis=0) if rows else np.zeros(offsets.size)

    most = SHIFT * (count - 1)
    null = [
        averaged([shifted(events[seed].jumps, low, high, most, generator) for seed in chosen])
        for _ in range(min(shuffles, 500))
    ]
    found = averaged([events[seed].jumps for seed in chosen])
    return offsets / (count - 1), found, np.quantile(null, [0.025, 0.975], axis=0)


def coincidence(events: list[Events], window: int) -> Quantity:
    """Return the pooled share as it is, with a bootstrap over seeds."""
    counts = np.array([len(each.changes) for each in events])
    hits = counts * np.array([np.nan_to_num(share_near(each.changes, each.jumps, window)) for each in events])
    return bootstrap(lambda k: float(hits[k].sum() / max(counts[k].sum(), 1)), len(events))
