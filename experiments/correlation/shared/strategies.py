"""How to store correlated features in too few dimensions: closed forms, families, an order parameter, a rule of thumb.

Features come in groups of partners; unrelated features belong to different groups and are independent. Every feature
has density `p`, and `c = P(partner present | feature present)`. Two features can share a dimension in two ways (losses
are sums over the features involved; unit columns, no bias):

    opposed   W_a = -W_b            each loses min(x_a, x_b) when both are present      p meet / 3
    merged    W_a =  W_b, 1/sqrt 2  both outputs are (x_a + x_b) / 2                    p / 3 - p c / 4

`meet` is the chance that the opponent is present when the feature is. Merging is what principal components do to a
group. Ignoring a feature costs its variance, `theory.absent_loss`.

Sources: Elhage et al. 2022, "The geometry of superposition", collapse of correlated features; the rest is derived on
the page "Superposition or principal components?".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.optimum import Family
from experiments.core.metrics import gram

Array = NDArray[np.float64]

UNRELATED, PRINCIPAL, PARTNERS = "unrelated features opposed", "principal components", "partners opposed"
STRATEGIES = (UNRELATED, PRINCIPAL, PARTNERS)

HALF = 0.5
"""Agreement beyond which a model is said to follow (or, negative, to oppose) what partners have in common."""

EXACT_ROOM, MORE_ROOM = 1 / 4, 1 / 12
"""What principal components lose while partners are present together, in units of a third: see `boundary`."""

FOUR_FEATURES = ((0, 1), (2, 3))


def opposed_loss(density: ArrayLike, meet: ArrayLike) -> Array:
    """Return the loss `p meet / 3` of two opposed features: 2 E[min(x_a, x_b)^2] = 1/3 when both are present."""
    return np.asarray(np.asarray(density, dtype=np.float64) * np.asarray(meet, dtype=np.float64) / 3)


def merged_loss(density: ArrayLike, meet: ArrayLike) -> Array:
    """Return the loss `p/3 - p c/4` of two merged partners, E[(x_a - x_b)^2] / 2.

    No bias and no scale does better: by symmetry E[x_a | x_a + x_b] = (x_a + x_b) / 2.
    """
    p = np.asarray(density, dtype=np.float64)
    return np.asarray(p / 3 - p * np.asarray(meet, dtype=np.float64) / 4)


def merged_and_opposed_loss(density: ArrayLike, meet: ArrayLike) -> Array:
    """Return the loss of two merged pairs opposed to each other in one dimension, W = (1, 1, -1, -1)/sqrt 2.

    With sums S and T of the pairs it is E[sum x^2] - E|S^2 - T^2| / 2: with j and k of two partners present
    0, 1/6, 1/12 (k = 0; j = 0, 1, 2), and 1/2, 8/15, 13/15 for (j, k) = (1, 1), (1, 2), (2, 2).
    """
    p = np.asarray(density, dtype=np.float64)
    both = p * np.asarray(meet, dtype=np.float64)
    chance = np.stack([1 - 2 * p + both, 2 * (p - both), both])
    given = np.array([[0, 1 / 6, 1 / 12], [1 / 6, 1 / 2, 8 / 15], [1 / 12, 8 / 15, 13 / 15]])
    return np.asarray(np.einsum("j...,k...,jk->...", chance, chance, given))


def principal_loss(density: ArrayLike, meet: ArrayLike, groups: int, size: int, hidden: int) -> Array:
    """Return the loss of linear principal components, biases at the mean: the variance they leave out.

    Each of `groups` equal groups of `size` has the eigenvalue v + (size - 1) r once and v - r otherwise, where
    v = p/3 - p^2/4 is the variance of a feature and r = p (c - p) / 4 the covariance of partners; the least
    `groups * size - hidden` of them are left out.
    """
    p, c = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(meet, dtype=np.float64))
    v, r = absent_loss(p), p * (c - p) / 4
    spectrum = np.stack([v + (size - 1) * r] * groups + [v - r] * (groups * (size - 1)))
    return np.asarray(np.sort(spectrum, axis=0)[: groups * size - hidden].sum(0))


def ideal_loss(name: str, density: ArrayLike, meet: ArrayLike, hidden: int) -> Array:
    """Return the closed-form loss of two pairs, four features, with unrelated features opposed or principal components.

    Opposing unrelated features ignores two features in one dimension; there, principal components are two merged pairs
    opposed.
    """
    p, c = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(meet, dtype=np.float64))
    if name == UNRELATED:
        opposed = opposed_loss(p, p)
        return opposed + 2 * absent_loss(p) if hidden == 1 else (4 - hidden) * opposed
    if name == PRINCIPAL:
        return merged_and_opposed_loss(p, c) if hidden == 1 else (4 - hidden) * merged_loss(p, c)
    raise ValueError(f"closed forms are for {UNRELATED!r} and {PRINCIPAL!r}, not for {name!r}")


def boundary(strength: ArrayLike, room: float = EXACT_ROOM) -> Array:
    """Return the density below which opposing unrelated features beats principal components, for strengths in [0, 1].

    A pair of unrelated features meets with probability p and loses p^2/3. Partners part with probability 1 - c and then
    lose 1/3 p; together they lose `room` of that. Equal at p = 1 - c + room c; with c = s + (1 - s) p this is p = (1 -
    k s) / (1 + k (1 - s)), k = 1 - room.
    """
    s, k = np.asarray(strength, dtype=np.float64), 1 - room
    return np.asarray((1 - k * s) / (1 + k * (1 - s)))


def room(features: int, hidden: int, groups: int) -> float | None:
    """Return the last term's weight in the rule of thumb; None when half of the features do not fit."""
    if 2 * hidden < features:
        return None
    return EXACT_ROOM if hidden == groups else MORE_ROOM


def rule_of_thumb(density: ArrayLike, meet: ArrayLike, features: int, hidden: int, groups: int) -> NDArray[np.int64]:
    """Return the number of the strategy (into `STRATEGIES`) that the rule of thumb names (...).

    Partners that exclude each other are opposed. Otherwise, with room for half of the features, unrelated features are
    opposed while they meet less often than partners part, p < 1 - c, plus a grace of c/4 when there is a dimension for
    each group and no more, c/12 when there is more. With less room: principal components.
    """
    p, c = np.broadcast_arrays(np.asarray(density, dtype=np.float64), np.asarray(meet, dtype=np.float64))
    grace = room(features, hidden, groups)
    rarely = np.zeros(p.shape, dtype=bool) if grace is None else p < 1 - c + grace * c
    number = {name: k for k, name in enumerate(STRATEGIES)}
    labels: NDArray[np.int64] = np.where(
        c < p, number[PARTNERS], np.where(rarely, number[UNRELATED], number[PRINCIPAL])
    )
    return labels


def agreement(W: ArrayLike, groups: Sequence[Sequence[int]]) -> Array:
    """Return the agreement of partners (...): how far the row space of `W` holds what partners have in common.

    With the projection P onto the row space of `W` (..., hidden, feature) and M_ij = 1 for partners i != j, else 0, it
    is tr(P M) over the most it can be. 1: W spans principal components of positively correlated partners; 0: partners
    are orthogonal on average; for pairs -1: W holds their differences. Scales of the rows do not matter.
    """
    columns = np.asarray(W, dtype=np.float64)
    hidden, features = columns.shape[-2:]
    partners = np.zeros((features, features))
    for group in groups:
        partners[np.ix_(group, group)] = 1.0
    partners -= np.diag(np.diag(partners))
    rows = np.linalg.qr(np.swapaxes(columns, -1, -2)).Q
    top = np.sort(np.linalg.eigvalsh(partners))[-hidden:].sum()
    return np.asarray(np.einsum("...ik,ij,...jk->...", rows, partners, rows) / top)


def named(agree: ArrayLike) -> NDArray[np.int64]:
    """Return strategy numbers (into `STRATEGIES`) for agreements of partners (...), by whether they pass +-1/2."""
    found = np.asarray(agree, dtype=np.float64)
    number = {name: k for k, name in enumerate(STRATEGIES)}
    labels: NDArray[np.int64] = np.where(
        found > HALF, number[PRINCIPAL], np.where(found < -HALF, number[PARTNERS], number[UNRELATED])
    )
    return labels


def strategy(W: ArrayLike, groups: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the number of each model's strategy (...), from `W` (..., hidden, feature) alone."""
    return named(agreement(W, groups))


def partner_cosines(W: ArrayLike, pairs: Sequence[Sequence[int]]) -> Array:
    """Return the cosine between the two partners of every pair (..., pair); 0 where a column is absent."""
    products = gram(W)
    square = np.maximum(np.diagonal(products, axis1=-2, axis2=-1), 1e-12)
    return np.stack([products[..., i, j] / np.sqrt(square[..., i] * square[..., j]) for i, j in pairs], axis=-1)


_ROWS: dict[tuple[str, int], tuple[list[list[int]], list[list[int]]]] = {
    (UNRELATED, 1): ([[1, 0, -1, 0]], [[0, 2], [1, 3]]),
    (UNRELATED, 2): ([[1, 0, -1, 0], [0, 1, 0, -1]], [[0, 1, 2, 3]]),
    (UNRELATED, 3): ([[1, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], [[0, 2], [1, 3]]),
    (PRINCIPAL, 1): ([[1, 1, -1, -1]], [[0, 1, 2, 3]]),
    (PRINCIPAL, 2): ([[1, 1, 1, 1], [1, 1, -1, -1]], [[0, 1, 2, 3]]),
    (PRINCIPAL, 3): ([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, -1, 1]], [[0, 1, 2, 3]]),
    (PARTNERS, 1): ([[1, -1, 0, 0]], [[0, 1], [2, 3]]),
    (PARTNERS, 2): ([[1, -1, 0, 0], [0, 0, 1, -1]], [[0, 1, 2, 3]]),
    (PARTNERS, 3): ([[1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [[0, 1], [2, 3]]),
}
"""Rows of W up to a factor of their own, and which features share a bias, for two pairs in 1, 2 or 3 dimensions."""


def family(name: str, hidden: int) -> Family:
    """Return the family of a strategy for two pairs: row directions fixed; their scales and the biases free.

    Unrelated features opposed in 3 dimensions have two features left that keep a dimension each; in 1 dimension two
    features are ignored. Principal components keep both sums, and in 3 dimensions one difference of both pairs'
    differences.
    """
    patterns, shared = _ROWS[name, hidden]
    scale = 1.0 if name != PRINCIPAL else (0.5 if hidden > 1 else np.sqrt(0.5))
    rows = np.zeros((hidden, hidden + 1, 4))
    biases = np.zeros((len(shared), hidden + 1, 4))
    for k, pattern in enumerate(patterns):
        rows[k, k] = scale * np.array(pattern)
    for k, members in enumerate(shared):
        biases[k, hidden, members] = 1.0
    basis = np.concatenate([rows, biases]).reshape(-1, (hidden + 1) * 4)
    return Family(name, hidden, 4, basis, np.concatenate([np.ones(hidden), np.zeros(len(shared))]))
