"""Features that come together or exclude each other: exact probabilities of every set of present features.

`Data` couples the members of a group with probability `strength` per sample, and otherwise draws them independently,
each always with its density p. The share of samples in which two partners are both present is then

    q = s p + (1 - s) p^2  (correlated)    and    q = (1 - s) p^2  (anticorrelated),

`s` the strength. For a correlated group `s` is the correlation coefficient of the two on/off variables. With these
probabilities `exact` and `optimum` give losses and minima under coupling without sampling (their argument `sets`).

Source: Elhage et al. 2022, "The geometry of superposition", correlated and anticorrelated features. There a group that
excludes itself is present with the stated density as a whole; here every *feature* keeps the stated density.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.losses.exact import set_probabilities

Array = NDArray[np.float64]

Kind = Literal["correlated", "anticorrelated"]


def coupled_sets(
    density: ArrayLike,
    features: int,
    groups: Sequence[Sequence[int]],
    kind: Kind = "correlated",
    strength: ArrayLike = 1.0,
) -> Array:
    """Return the probability of every set of present features, (..., 2^features), as `Data` draws them.

    `density` (...) in [0, 1] is shared by all features, `strength` (...) in [0, 1] by all groups; the two broadcast.
    Bit `i` of the last index says whether feature `i` is present. Raises `ValueError` if features that exclude each
    other would have densities that add up to more than 1.
    """
    p, s = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(strength, dtype=np.float64))
    if not ((s >= 0) & (s <= 1)).all():
        raise ValueError(f"strength must lie in [0, 1]; it is {strength!r}")
    _check(groups, features, kind, p)
    chance = np.ones((*p.shape, 2**features))
    loose = [i for i in range(features) if not any(i in group for group in groups)]
    members = np.arange(2**features)
    for group in [*groups, *([i] for i in loose)]:
        inside = sum(((members >> i) & 1) << place for place, i in enumerate(group))
        chance *= _group(p, s, len(group), kind)[..., inside]
    return chance


def _check(groups: Sequence[Sequence[int]], features: int, kind: Kind, p: Array) -> None:
    flat = [i for group in groups for i in group]
    if len(set(flat)) < len(flat) or not all(0 <= i < features for i in flat):
        raise ValueError(f"groups must be disjoint sets of 0 to {features - 1}; they are {groups!r}")
    largest = max((len(group) for group in groups), default=0)
    if kind == "anticorrelated" and float(np.max(p)) * largest > 1 + 1e-12:
        raise ValueError(f"{largest} features that exclude each other cannot each have density {np.max(p):g}")


def _group(p: Array, s: Array, size: int, kind: Kind) -> Array:
    """Return the probability of every subset of one group of `size`, (..., 2^size)."""
    alone = set_probabilities(p[..., None], size)
    coupled = np.zeros_like(alone)
    if kind == "correlated":
        coupled[..., 0], coupled[..., -1] = 1 - p, p
    else:
        coupled[..., 0] = 1 - size * p
        for i in range(size):
            coupled[..., 1 << i] = p
    return np.asarray(s[..., None] * coupled + (1 - s[..., None]) * alone)


def partner_given_present(density: ArrayLike, strength: ArrayLike) -> Array:
    """Return c = P(partner present | feature present) = q / p, (...), for a signed strength in [-1, 1].

    Positive strengths correlate and negative ones anticorrelate: c = s + (1 - s) p, or (1 + s) p. The density itself,
    c = p, is what independent features have.
    """
    p, s = np.asarray(density, dtype=np.float64), np.asarray(strength, dtype=np.float64)
    return np.asarray(np.where(s > 0, s + (1 - s) * p, (1 + s) * p))
