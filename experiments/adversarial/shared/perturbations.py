"""Six ways to disturb one feature's output through `z_i = G_i . x + b_i`, and what its column alone says of each.

A *case* is an input x of the data and one represented feature i of it. Disturbances `delta` have unit size in the norm
at hand, but for typical data, which come as they are; responses are root mean squares per unit of size. "Adversarial"
kinds may take either sign, whichever does more. Predictions need only the entries of the column: eps and `G_ii`.

Statement E3 of the notes: on ordinary inputs the small entries cancel as noise, but an adversary can pick signs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.adversarial.shared.attacks import Norm, unit_attacks

Array = NDArray[np.float64]

TYPICAL, RANDOM, PLAUSIBLE, WORST, ALIGNED = KINDS = ("typical data", "random", "plausible", "worst", "signs of eps")
ADVERSARIAL = (WORST, ALIGNED)

CASES, DISTURBANCE, SUMS = range(3)
"""Purposes of one seed's draws, each with a stream of its own, so that disturbances do not depend on the inputs."""


class Cases(NamedTuple):
    """Inputs `x` (case, feature), the feature looked at `i` (case,), and its row of `G`, (case, feature)."""

    x: Array
    i: NDArray[np.int64]
    row: Array

    @property
    def eps(self) -> Array:
        """Return the rows without their diagonal entry."""
        eps = self.row.copy()
        eps[np.arange(len(eps)), self.i] = 0
        return eps


def cases(G: ArrayLike, density: float, live: NDArray[np.bool_], count: int, *, present: bool, seed: int) -> Cases:
    """Return `count` cases of one model; the feature looked at is `present`, with a value U[0, 1], or absent."""
    rng = np.random.default_rng([seed, CASES])
    G = np.asarray(G, dtype=np.float64)
    x = np.where(rng.random((count, len(G))) < density, rng.random((count, len(G))), 0.0)
    i = rng.choice(np.flatnonzero(live), count)
    x[np.arange(count), i] = rng.random(count) if present else 0.0
    return Cases(x, i, G[i])


def disturb(kind: str, given: Cases, density: float, norm: Norm, seed: int) -> Array:
    """Return delta (case, feature) of one kind.

    *typical data*: the other features of an independent input that is not empty, at their own size. *random*: a random
    direction, or random signs. *plausible*: as many absent features as an input has are switched on, equally strongly,
    which is non-negative and sparse. *worst*: along the row. *signs of eps*: sign(eps_ij) for j != i, equally strong.
    """
    rng = np.random.default_rng([seed, DISTURBANCE, KINDS.index(kind)])
    count, n = given.x.shape
    if kind == TYPICAL:
        return np.asarray(_other_features(rng, given.i, n, density) * rng.random((count, n)))
    if kind == PLAUSIBLE:
        chosen = _other_features(rng, given.i, n, density).astype(np.float64)
        return unit_attacks(chosen, norm)
    if kind == RANDOM:
        return unit_attacks(rng.standard_normal((count, n)), norm)
    return unit_attacks(given.row if kind == WORST else np.sign(given.eps), norm)


def _other_features(rng: np.random.Generator, i: NDArray[np.int64], n: int, density: float) -> NDArray[np.bool_]:
    """Return which features other than `i` an input has that has at least one of them, (case, feature)."""
    chosen = np.zeros((len(i), n), dtype=bool)
    empty = np.arange(len(i))
    while empty.size:
        chosen[empty] = rng.random((empty.size, n)) < density
        chosen[empty, i[empty]] = False
        empty = empty[~chosen[empty].any(1)]
    return chosen


def size_of(delta: ArrayLike, norm: Norm) -> float:
    """Return the root mean square size of disturbances."""
    order = 2 if norm == "l2" else np.inf
    return float(np.sqrt((np.linalg.norm(np.asarray(delta), ord=order, axis=-1) ** 2).mean()))


def response(
    given: Cases, b: ArrayLike, delta: Array, size: float, *, either_sign: bool, linear: bool = False
) -> float:
    """Return the root mean square change of output i under `size * delta`, per unit of `size`.

    `linear` leaves out the ReLU; otherwise `b` (feature,) decides what it cuts.
    """
    z = (given.row * given.x).sum(-1) + np.asarray(b, dtype=np.float64)[given.i]
    move = size * (given.row * delta).sum(-1)
    if linear:
        return float(np.sqrt((move**2).mean()) / size)
    clean = np.maximum(z, 0)
    change = np.abs(np.maximum(z + move, 0) - clean)
    if either_sign:
        change = np.maximum(change, np.abs(np.maximum(z - move, 0) - clean))
    return float(np.sqrt((change**2).mean()) / size)


def predicted(kind: str, row: ArrayLike, own: ArrayLike, density: float, norm: Norm) -> float:
    """Return the root mean square response that columns alone predict, for rows of G (case, feature), `own` G_ii.

    With eps the rest of the row, N = n - 1 entries of sum s, and k the number of features switched on:
    random ||G_i||_2 / sqrt(n) or, for signs, ||G_i||_2; worst ||G_i||_2 or ||G_i||_1; signs of eps ||eps||_1 / sqrt(N)
    or ||eps||_1; plausible, per k, [k q / N + k (k - 1) (s^2 - q) / (N (N - 1))] / k (or not divided), q = ||eps||_2^2.
    """
    row, own = np.asarray(row, dtype=np.float64), np.asarray(own, dtype=np.float64)
    n = row.shape[-1]
    q, s, one = (row**2).sum(-1) - own**2, row.sum(-1) - own, np.abs(row).sum(-1)
    if kind == RANDOM:
        square = (q + own**2) / (n if norm == "l2" else 1)
    elif kind == WORST:
        square = q + own**2 if norm == "l2" else one**2
    elif kind == ALIGNED:
        square = (one - np.abs(own)) ** 2 / (n - 1 if norm == "l2" else 1)
    elif kind == PLAUSIBLE:
        square = np.zeros_like(q)
        for k, chance in zip(*_counts(n - 1, density), strict=True):
            total = k * q / (n - 1) + k * (k - 1) * (s**2 - q) / ((n - 1) * (n - 2))
            square += chance * total / (k if norm == "l2" else 1)
    else:
        raise ValueError(f"no prediction from the column alone for {kind!r}")
    return float(np.sqrt(square.mean()))


def _counts(others: int, density: float) -> tuple[Array, Array]:
    """Return how many of the other features an input has that has at least one, and how probable that is."""
    from scipy import stats

    k = np.arange(1, others + 1)
    chance = stats.binom.pmf(k, others, density)
    return k.astype(np.float64), np.asarray(chance / chance.sum())


def partial_responses(given: Cases, terms: NDArray[np.int64], seed: int) -> dict[str, Array]:
    """Return root mean squares of sums of `terms` entries of eps (kind: (count of terms,)), each entry moved by 1.

    *data*: a random subset with values U[0, 1]; *random*: with random signs; *aligned*: each with its own sign.
    """
    rng = np.random.default_rng([seed, SUMS])
    eps = given.eps
    order = rng.random(eps.shape)
    order[np.arange(len(eps)), given.i] = 2  # the feature itself comes last and is never taken
    shuffled = np.take_along_axis(eps, order.argsort(-1), -1)[:, :-1]
    kinds = {
        "data": shuffled * rng.random(shuffled.shape),
        "random": shuffled * rng.choice([-1.0, 1.0], shuffled.shape),
        "aligned": np.abs(shuffled),
    }
    return {kind: np.sqrt((np.cumsum(each, -1)[:, terms - 1] ** 2).mean(0)) for kind, each in kinds.items()}


def cancelled(given: Cases, density: float, seed: int) -> tuple[float, float]:
    """Return what cancellation does to interference by typical data: two ratios of root mean squares.

    The sum over present features of eps_ij x_j, over the same sum of |eps_ij| x_j (1: nothing cancels), and over what
    independent signs would leave, sqrt(sum_j (eps_ij x_j)^2) (1: it adds up as noise).
    """
    parts = given.eps * disturb(TYPICAL, given, density, "l2", seed)
    square = (parts.sum(-1) ** 2).mean()
    return float(np.sqrt(square / (np.abs(parts).sum(-1) ** 2).mean())), float(
        np.sqrt(square / (parts**2).sum(-1).mean())
    )
