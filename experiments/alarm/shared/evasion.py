"""The smallest disturbance of the input that silences an alarm while the behaviour goes on.

For a linear alarm v . h + c > θ on h = W x and a behaviour that acts while w . h > level, the disturbance δ of the
input must satisfy a . δ <= -A with a = W^T v and A = v . h + c - θ, and b . δ >= -B with b = W^T w and B = w . h -
level. The shortest such δ is known in closed form: along a alone if that leaves the behaviour alive, else where both
conditions are just met. For a network the direction is followed by gradients, with restarts.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def least_evasion(a: Array, b: Array, A: Array, B: Array) -> Array:
    """Return the length (sample,) of the shortest disturbance, given a, b (feature,) and A, B (sample,) as above.

    0 where there is no alarm to silence (A <= 0), infinite where none exists or the behaviour does not act (B < 0).
    """
    aa, bb, ab = a @ a, b @ b, a @ b
    alone = A / np.sqrt(aa)
    keeps = ab * A / aa <= B  # along a alone the read-out falls by a.b A / |a|^2
    gap = aa * bb - ab**2
    if gap > 1e-9 * aa * bb:
        # δ = s a + r b with a.δ = -A and b.δ = -B.
        s, r = (-A * bb + B * ab) / gap, (A * ab - B * aa) / gap
        both = np.sqrt(np.maximum(s**2 * aa + 2 * s * r * ab + r**2 * bb, 0))
    else:
        both = np.full_like(A, np.inf)
    length = np.where(keeps, alone, both)
    return np.where(B < 0, np.inf, np.where(A <= 0, 0.0, length))


Singles = NDArray[np.float32]

Slope = Callable[[Singles], tuple[Singles, Singles]]
"""Scores (sample,) and their gradients (sample, hidden) at activations (sample, hidden)."""


class Attack(NamedTuple):
    """How hard the attack by gradient tries."""

    restarts: int
    steps: int


def evaded(
    slope: Slope,
    W: Singles,
    x: Singles,
    keep: Array,
    level: float,
    budget: float,
    attack: Attack,
    generator: np.random.Generator,
    silent: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return whether a score falls to `level` within `budget` times ||x||, the read-out along `keep` being kept.

    Projected gradient descent from random starts: δ (sample, feature) has no part along `keep` (feature,), so that the
    behaviour is untouched, and at most the allowed length. Nothing is tried where the alarm is `silent` (sample,) as it
    is, nor again where it was silenced from an earlier start.
    """
    unit = (keep / np.linalg.norm(keep)).astype(np.float32)
    done = silent.copy()
    for _ in range(attack.restarts):
        start = generator.standard_normal(x.shape, dtype=np.float32)  # for all, so that a sample's own is its own
        rings = np.flatnonzero(~done)
        inputs = x[rings]
        radius = np.float32(budget) * _lengths(inputs)
        delta = _inside(start[rings], unit, radius)
        for _ in range(attack.steps):
            _, gradient = slope(np.asarray((inputs + delta) @ W.T, dtype=np.float32))
            move = gradient @ W
            move -= (move @ unit)[:, None] * unit
            move *= np.float32(0.25) * radius / np.maximum(_lengths(move), np.float32(1e-12))
            delta = _inside(delta - move, unit, radius)
        score, _ = slope(np.asarray((inputs + delta) @ W.T, dtype=np.float32))
        done[rings] = score <= level
    return done


def _lengths(rows: Singles) -> Singles:
    """Return the length of each row (sample, 1)."""
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None])


def _inside(delta: Singles, unit: Singles, radius: Singles) -> Singles:
    """Return the disturbance without its part along `unit` and scaled into the allowed ball."""
    delta = delta - (delta @ unit)[:, None] * unit
    delta *= np.minimum(radius / np.maximum(_lengths(delta), np.float32(1e-12)), np.float32(1))
    return delta
