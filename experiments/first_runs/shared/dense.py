"""The dense case in closed form: every feature always present, `x ~ U(0, 1)^n` (density p = 1).

With `M = W^T W`, `z = M x + b` and importances `I_i`, the model's loss is `mean_i I_i E (ReLU(z_i) - x_i)^2`.

Without the ReLU the loss splits exactly into a variance and a bias term,

    L_linear = mean_i I_i [ sum_j (delta_ij - M_ij)^2 / 12 + (1/2 - sum_j M_ij / 2 - b_i)^2 ],

so the best bias of any `W` is `b_i = (1 - sum_j M_ij) / 2`, and what remains is least when `M` keeps the `d` most
important features ("dedicated": identity on them, zero elsewhere); at equal importance every projection of
rank `d` does as well.

With the ReLU, `L = L_linear - G`, where the clip gain `G = mean_i I_i E[z_i (z_i - 2 x_i); z_i < 0]` is never
negative because `x_i >= 0`. Setting the derivative by `b_i` to zero gives, for any `W`,

    b_i = (1 - sum_j M_ij) / 2 - delta_i,    delta_i = E[x_i - z_i; z_i < 0] >= 0.

A dedicated solution never clips (`z_i` is `x_i` or 1/2), so it has G = 0 and biases of exactly 0 and 1/2.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import qmc

from experiments.core.losses.optimum import Family
from experiments.core.metrics import gram

Array = NDArray[np.float64]


def cube_points(features: int, log2_count: int, seed: int) -> Array:
    """Return 2^log2_count scrambled Sobol points of `[0, 1]^features`, (point, feature): x at p = 1, evenly spread."""
    return np.asarray(qmc.Sobol(features, rng=np.random.default_rng(seed)).random_base2(log2_count))


def linear_bias(W: ArrayLike) -> Array:
    """Return the best bias of a linear output, `(1 - sum_j M_ij) / 2`, shape (..., feature)."""
    return np.asarray((1 - gram(W).sum(-1)) / 2)


def linear_loss(W: ArrayLike, b: ArrayLike, importance: ArrayLike = 1.0) -> Array:
    """Return the exact expected loss of a linear output (...), mean over features."""
    M = gram(W)
    variance = ((np.eye(M.shape[-1]) - M) ** 2).sum(-1) / 12
    offset = linear_bias(W) - np.asarray(b, dtype=np.float64)
    return np.asarray((np.asarray(importance) * (variance + offset**2)).mean(-1))


def dedicated_loss(features: int, hidden: int, importance: ArrayLike = 1.0) -> float:
    """Return the loss of giving the `hidden` most important features a dimension each: `sum of the rest / (12 n)`."""
    ranked = np.sort(np.broadcast_to(np.asarray(importance, dtype=np.float64), (features,)))
    return float(ranked[: features - hidden].sum() / 12 / features)


class Clipping(NamedTuple):
    """What the ReLU cuts off. `shortfall` (instance, feature) is `delta_i`; `gain` (instance,) is `G`;

    `share` (instance, feature) is the probability that an output is clipped: 1 marks a dead output.
    """

    shortfall: Array
    gain: Array
    share: Array


def clipping(W: ArrayLike, b: ArrayLike, x: Array, importance: ArrayLike = 1.0) -> Clipping:
    """Return what the ReLU cuts off, averaged over `x` (point, feature); `W` is (instance, hidden, feature)."""
    parts = [_clip_one(*model, x) for model in zip(np.asarray(W, np.float64), np.asarray(b, np.float64), strict=True)]
    shortfall, gain, share = (np.array(part) for part in zip(*parts, strict=True))
    return Clipping(shortfall, (np.asarray(importance) * gain).mean(-1), share)


def _clip_one(W: Array, b: Array, x: Array) -> tuple[Array, Array, Array]:
    z = (x @ W.T) @ W + b
    cut = np.minimum(z, 0)
    return ((z < 0) * (x - z)).mean(0), (cut * (cut - 2 * x)).mean(0), (z < 0).mean(0)


def relu_loss(W: ArrayLike, b: ArrayLike, x: Array, importance: ArrayLike = 1.0) -> Array:
    """Return the expected loss of a ReLU output (instance,): exact linear part minus the gain estimated on `x`.

    Only the small gain carries sampling error, so losses a thousandth apart are told apart.
    """
    return np.asarray(linear_loss(W, b, importance) - clipping(W, b, x, importance).gain)


def one_direction(angle: float) -> Family:
    """Return the family of two features in one dimension along `(cos angle, sin angle)`: free length and biases.

    The smallest dense case that rotates: at 0 the first feature is kept, at 45 degrees both are half kept.
    """
    basis = np.eye(4)[1:]
    basis[0, :2] = np.cos(angle), np.sin(angle)
    return Family("one direction", 1, 2, basis, np.array([1.0, *linear_bias(basis[:1, :2])]))
