"""How well features can be read from hidden activations `h = W x`, and how well activations are sums over features.

Everything is a share of variance explained, R^2 = 1 - sum_i E[(x_i - y_i)^2] / sum_i Var x_i, over all features of a
model; features are independent, 0 or U[0, 1], with common density `p`, so Var x_i = p/3 - p^2/4.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.specification import Weights

Array = NDArray[np.float64]


def variance(density: ArrayLike) -> Array:
    """Return Var x_i = p/3 - p^2/4."""
    p = np.asarray(density, dtype=np.float64)
    return np.asarray(p / 3 - p**2 / 4)


def explained(feature_loss: ArrayLike, density: ArrayLike) -> Array:
    """Return R^2 (instance,) from mean squared errors (instance, feature) at densities (instance,)."""
    return np.asarray(1 - np.asarray(feature_loss).mean(-1) / variance(density))


def least_squares(W: ArrayLike, density: ArrayLike) -> Weights:
    """Return the best affine read-out of `x` from `h = W x`, as an untied model with a linear output.

    For equal variances it is `R = W^T (W W^T)^+`, whatever the density, with bias (1 - R W) p/2. `W` is (instance,
    hidden, feature), `density` (instance,).
    """
    W = np.asarray(W, dtype=np.float64)
    R = np.linalg.pinv(W, rcond=1e-6)
    mean = np.asarray(density, dtype=np.float64)[:, None] / 2
    b = mean * (1 - (R @ W).sum(-1))
    return Weights(W.astype(np.float32), b.astype(np.float32), R.astype(np.float32))


def leverage(W: ArrayLike) -> Array:
    """Return R^2 of `least_squares` per feature (instance, feature): the diagonal of `W^+ W`.

    It is a projection, so these add up to the rank of `W`: at most `hidden` features' worth of variance can be read
    linearly, however sparse features are.
    """
    W = np.asarray(W, dtype=np.float64)
    return np.asarray(np.einsum("...fh,...hf->...f", np.linalg.pinv(W, rcond=1e-6), W))


def undisturbed(weights: Weights, density: ArrayLike, points: int = 200) -> Array:
    """Return R^2 (instance,) of a tied ReLU model's own read-out if no other feature were ever present.

    Integrated by Gauss-Legendre over the value of the one feature; what is still lost is due to scale and bias.
    """
    nodes, weight = np.polynomial.legendre.leggauss(points)
    x, weight = (nodes + 1) / 2, weight / 2
    scale = (np.asarray(weights.W, dtype=np.float64) ** 2).sum(-2)
    b = np.asarray(weights.b, dtype=np.float64)
    p = np.asarray(density, dtype=np.float64)[:, None]
    present = ((x - np.maximum(scale[..., None] * x + b[..., None], 0)) ** 2) @ weight
    return explained(p * present + (1 - p) * np.maximum(b, 0) ** 2, p[:, 0])


def sparse_samples(density: float, features: int, samples: int, seed: int) -> NDArray[np.float32]:
    """Return independent features (sample, feature), present with probability `density` and then U[0, 1]."""
    rng = np.random.default_rng(seed)
    shape = (samples, features)
    present = rng.random(shape, dtype=np.float32) < density
    return np.asarray(np.where(present, rng.random(shape, dtype=np.float32), 0), dtype=np.float32)


def decomposed(activations: ArrayLike, features: ArrayLike) -> float:
    """Return the share of the variance of `activations` h (sample, hidden) that a sum of directions explains.

    That is R^2 of the best fit `h = sum_i x_i d_i + constant` to `features` x (sample, feature); 1 when `h` is linear
    in `x`, and 1 for a layer without variance, which any sum describes.
    """
    h, x = np.asarray(activations, dtype=np.float64), np.asarray(features, dtype=np.float64)
    h, x = h - h.mean(0), x - x.mean(0)
    total = (h**2).sum()
    if total == 0:
        return 1.0
    gram = x.T @ x
    d = np.linalg.lstsq(gram, x.T @ h, rcond=None)[0]
    return float((d * (x.T @ h)).sum() / total)
