"""The expected loss of a tied model taken apart: by how many features are present, and for a linear output.

With independent features of one density `p`, the loss is a mixture over the number `k` of present features,

    L = sum_k C(n, k) p^k (1 - p)^(n - k) L_k,

where `L_k` is the loss given that exactly `k`, each set of them equally likely, are present. `L_0` and `L_1` have
closed forms for any number of features; the others are sampled, each by itself, which knows a sparse model's loss
far better than samples that are mostly empty. Losses are means over features of importance * (x_i - y_i)^2.

Source: Elhage et al. 2022, "Mathematical understanding"; the linear loss is that of Saxe et al. (2014) there.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import comb

from experiments.core.metrics import gram

Array = NDArray[np.float64]

NEGLIGIBLE = 1e-9
"""Numbers of present features that are less likely than this are left out: no L_k exceeds a few units."""


class Terms(NamedTuple):
    """Losses by the number of present features.

    `chance` (instance, n + 1) is the probability of each number, `given` (instance, n + 1) the loss L_k given it (0
    where it was left out), `error` (instance, n + 1) the standard error of L_k (0 for k < 2, which is exact).
    """

    chance: Array
    given: Array
    error: Array

    @property
    def loss(self) -> Array:
        """The expected loss (instance,)."""
        return np.asarray((self.chance * self.given).sum(-1))

    @property
    def standard_error(self) -> Array:
        """The standard error of the expected loss (instance,)."""
        return np.asarray(np.sqrt(((self.chance * self.error) ** 2).sum(-1)))


def loss_terms(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike,
    importance: ArrayLike = 1.0,
    *,
    samples: int,
    seed: int | Sequence[int],
) -> Terms:
    """Return the terms of tied ReLU models `W` (instance, hidden, n), `b` (instance, n).

    `density` is a scalar or (instance,); `importance` broadcasts to (instance, n). Each L_k with k > 1 is the mean over
    `samples` draws, or up to 32 times as many where k is likely; all instances share them.
    """
    W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
    count, n = b.shape
    weight = np.broadcast_to(np.asarray(importance, dtype=np.float64), (count, n))
    chance = count_probabilities(np.broadcast_to(np.asarray(density, dtype=np.float64), (count,)), n)
    given, error = np.zeros((2, count, n + 1))
    given[:, 0], given[:, 1] = none_active(b, weight), one_active(W, b, weight)
    for k in range(2, n + 1):
        rows = np.flatnonzero(chance[:, k] > NEGLIGIBLE)
        if not rows.size:
            continue
        draws = round(samples * (1 + 31 * chance[:, k].max()))
        x, sets = exactly_active(n, k, draws, np.random.default_rng([*np.atleast_1d(seed), k]))
        for row in rows:
            per_sample = _sample_losses(x, gram(W[row]), b[row], weight[row]).reshape(-1, sets)
            given[row, k] = per_sample.mean()
            error[row, k] = np.sqrt(per_sample.var(axis=0, ddof=1).mean() / per_sample.size)
    return Terms(chance, given, error)


def count_probabilities(density: ArrayLike, features: int) -> Array:
    """Return the binomial probability of 0 to `features` present features, (..., features + 1)."""
    p, k = np.asarray(density, dtype=np.float64)[..., None], np.arange(features + 1)
    return np.asarray(comb(features, k) * p**k * (1 - p) ** (features - k))


def exactly_active(features: int, active: int, samples: int, generator: np.random.Generator) -> tuple[Array, int]:
    """Return about `samples` inputs (sample, features) of which exactly `active` entries are present, values U[0, 1].

    Where there are at most half as many sets of features as samples, every set occurs equally often: sample s has set
    s modulo their number, which is returned too. Otherwise sets are drawn, and the number returned is 1.
    """
    sets = round(comb(features, active))
    if 2 * sets <= samples:
        repeats = -(-samples // sets)
        members = np.zeros((sets, features), dtype=bool)
        chosen = np.array(list(combinations(range(features), active)), dtype=np.int64).reshape(sets, active)
        members[np.arange(sets)[:, None], chosen] = True
        present = np.tile(members, (repeats, 1))
    else:
        sets = 1
        order = generator.random((samples, features))
        present = order <= np.partition(order, active - 1, axis=1)[:, active - 1 : active]
    return np.where(present, generator.random(present.shape), 0.0), sets


def plain_loss(
    W: ArrayLike, b: ArrayLike, density: float, importance: ArrayLike = 1.0, *, samples: int, seed: int
) -> tuple[float, float]:
    """Return the loss of one ReLU model on independent samples and its standard error; nothing is stratified.

    Present entries fall anywhere among `samples * n` places, as independent features do. Samples without any all cost
    the same and are counted, not computed, so that a sparse model can be given a great many.
    """
    W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
    n, G = len(b), gram(W)
    weight = np.broadcast_to(np.asarray(importance, dtype=np.float64), n)
    generator = np.random.default_rng(seed)
    sums, chunk = np.zeros(2), max(1, min(samples, round(2**18 / max(n * density, 2**-10))))
    for done in range(0, samples, chunk):
        size = min(chunk, samples - done)
        places = _places(size * n, density, generator)
        rows, row = np.unique(places // n, return_inverse=True)
        x = np.zeros((len(rows), n))
        x[row, places % n] = generator.random(len(places))
        filled = _sample_losses(x, G, b, weight)
        empty = float(none_active(b, weight))
        sums += filled.sum() + (size - len(rows)) * empty, (filled**2).sum() + (size - len(rows)) * empty**2
    mean = sums[0] / samples
    return float(mean), float(np.sqrt(max(sums[1] / samples - mean**2, 0.0) / samples))


def _places(count: int, density: float, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return which of `count` places are taken, each independently with probability `density`, by geometric gaps."""
    if density >= 1:
        return np.arange(count)
    expected = count * density
    gaps = generator.geometric(density, size=round(expected + 6 * np.sqrt(expected) + 10))
    places = np.cumsum(gaps) - 1
    return places[places < count]


def _sample_losses(x: Array, G: Array, b: Array, weight: Array) -> Array:
    return np.asarray(((x - np.maximum(x @ G + b, 0.0)) ** 2 @ weight) / len(b))


def none_active(b: ArrayLike, importance: ArrayLike = 1.0) -> Array:
    """Return `L_0 = mean_i I_i ReLU(b_i)^2` (...): without input a positive bias is all error."""
    return _weighted_mean(np.maximum(np.asarray(b, dtype=np.float64), 0.0) ** 2, importance)


def one_active(W: ArrayLike, b: ArrayLike, importance: ArrayLike = 1.0) -> Array:
    """Return `L_1` (...): one feature j, drawn evenly, is present with a value u ~ U[0, 1].

    With G = W^T W, n^2 L_1 = sum_i I_i { E[(u - ReLU(G_ii u + b_i))^2] + sum_{j != i} E[ReLU(G_ij u + b_i)^2] }.
    """
    G, b = gram(W), np.asarray(b, dtype=np.float64)
    own = np.diagonal(G, axis1=-2, axis2=-1)
    spilt = ramp_square(G, b[..., :, None])
    others = spilt.sum(-1) - ramp_square(own, b)
    return np.asarray(_weighted_mean(own_error(own, b) + others, importance) / b.shape[-1])


def ramp_square(slope: ArrayLike, intercept: ArrayLike) -> Array:
    """Return `E[ReLU(g u + b)^2]` for u ~ U[0, 1], elementwise, without cancellation for small slopes."""
    g, b = np.broadcast_arrays(np.asarray(slope, dtype=np.float64), np.asarray(intercept, dtype=np.float64))
    high, low = np.maximum(b, g + b), np.minimum(b, g + b)
    whole = (high**2 + high * low + low**2) / 3  # positive all along
    part = np.divide(high**3, 3 * (high - low), out=np.zeros(g.shape), where=high > low)  # from where it crosses 0
    return np.asarray(np.where(low >= 0, whole, np.where(high > 0, part, 0.0)))


def own_error(square_norm: ArrayLike, intercept: ArrayLike) -> Array:
    """Return `E[(u - ReLU(a u + b))^2]` for u ~ U[0, 1] and a >= 0, elementwise.

    The output is 0 up to l = -b/a (clipped to [0, 1]), which costs l^3/3; beyond it the error is (1 - a) u - b.
    """
    a, b = np.broadcast_arrays(np.asarray(square_norm, dtype=np.float64), np.asarray(intercept, dtype=np.float64))
    start = np.where(b >= 0, 0.0, 1.0)
    start = np.clip(np.divide(-b, a, out=start, where=(b < 0) & (a > 0)), 0.0, 1.0)
    left = start**3 / 3
    right = (1 - a) ** 2 * (1 - start**3) / 3 - (1 - a) * b * (1 - start**2) + b**2 * (1 - start)
    return np.asarray(left + right)


def linear_loss(W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0) -> Array:
    """Return the expected loss (...) of tied models with a linear output, y = W^T W x + b, exactly.

    `density` is a scalar or (...). With mean mu = p/2 and variance v = p/3 - p^2/4 of every feature it is

        mean_i I_i { v [ (1 - G_ii)^2 + sum_{j != i} G_ij^2 ] + ( mu (1 - sum_j G_ij) - b_i )^2 },

    and the best bias makes the last bracket 0: what is left is the formula for data of mean 0, times v.
    """
    p = np.asarray(density, dtype=np.float64)[..., None]
    G, b = gram(W), np.asarray(b, dtype=np.float64)
    offset = p / 2 * (1 - G.sum(-1)) - b
    return _weighted_mean((p / 3 - p**2 / 4) * _misses(G) + offset**2, importance)


def saxe_loss(W: ArrayLike, importance: ArrayLike = 1.0) -> Array:
    """Return `sum_i I_i (1 - ||W_i||^2)^2 + sum_{i != j} I_j (W_j . W_i)^2` (...), the paper's linear loss."""
    misses = _misses(gram(W))
    return np.asarray(_weighted_mean(misses, importance) * misses.shape[-1])


def _misses(G: Array) -> Array:
    """Return the squared distance of each row of G from that of the identity, (..., n)."""
    return np.asarray(((G - np.eye(G.shape[-1])) ** 2).sum(-1))


def _weighted_mean(errors: Array, importance: ArrayLike) -> Array:
    """Return the mean over features of importance * error, (...) for errors (..., n)."""
    return np.asarray((np.asarray(importance, dtype=np.float64) * errors).mean(-1))
