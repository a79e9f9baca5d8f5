"""What stands beside the one in a column of `W^T W`, and how large a sum an input can make of it.

`eps` (..., feature, feature) is `W^T W` without its diagonal; row (or column) `i` holds the entries through which all
other features reach output `i`. They are written eps_ij; norms of a row leave out the entry that is zero anyway.
Elhage et al. 2022, "The relationship between superposition and adversarial robustness".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import gram

Array = NDArray[np.float64]

FELT = 0.05
"""An entry counts as interference when it exceeds this: 5 % of what a well represented feature does to itself."""


def epsilon(W: ArrayLike) -> Array:
    """Return `W^T W` with zeros on its diagonal, (..., feature, feature)."""
    G = gram(W)
    return np.asarray(G * (1 - np.eye(G.shape[-1])))


def row_norm(matrix: ArrayLike, order: int) -> Array:
    """Return the l1 or l2 norm of each row (..., feature)."""
    return np.asarray(np.linalg.norm(np.asarray(matrix, dtype=np.float64), ord=order, axis=-1))


def felt(eps: ArrayLike) -> Array:
    """Return how many entries of each row exceed `FELT` in size (..., feature)."""
    return np.asarray((np.abs(np.asarray(eps)) > FELT).sum(-1), dtype=np.float64)


def negative_share(eps: ArrayLike) -> Array:
    """Return the share of each row's l1 norm that negative entries carry (..., feature); 1/2 for a row of zeros."""
    eps = np.asarray(eps, dtype=np.float64)
    total, below = np.abs(eps).sum(-1), np.maximum(-eps, 0).sum(-1)
    return np.asarray(np.divide(below, total, out=np.full(total.shape, 0.5), where=total > 1e-9))


def tight_frame_norm(features_per_dimension: ArrayLike) -> Array:
    """Return the least root mean square, over features, of a row's l2 norm: sqrt(k - 1) at k = n/m >= 1.

    Unit columns have `sum_ij (W_i . W_j)^2 >= n^2/m` (Welch 1974), with equality for tight frames; one of the n/m per
    feature is the feature itself.
    """
    return np.asarray(np.sqrt(np.maximum(np.asarray(features_per_dimension, dtype=np.float64) - 1, 0)))


def similarity(one: ArrayLike, two: ArrayLike) -> Array:
    """Return the cosine between two matrices of interference (...), as vectors of all their entries."""
    a, b = (np.asarray(each, dtype=np.float64) for each in (one, two))
    size = np.sqrt((a**2).sum((-2, -1)) * (b**2).sum((-2, -1)))
    return np.asarray(np.divide((a * b).sum((-2, -1)), size, out=np.zeros_like(size), where=size > 1e-12))


def random_sum(eps: ArrayLike, terms: ArrayLike) -> Array:
    """Return the root mean square of a sum of `terms` entries of each row with random signs (..., feature).

    sqrt(k) times the root mean square entry; `terms` k broadcasts, and the zero on the diagonal is not drawn.
    """
    eps = np.asarray(eps, dtype=np.float64)
    return np.asarray(np.sqrt(np.asarray(terms) * (eps**2).sum(-1) / (eps.shape[-1] - 1)))


def data_sum(eps: ArrayLike, terms: ArrayLike) -> Array:
    """Return the root mean square of sum_j eps_ij x_j when `terms` other features are present (..., feature).

    Values are U[0, 1], the k present ones a random subset of the N = n - 1 others: with s = sum_j eps_ij and
    q = sum_j eps_ij^2 the mean square is k q / (3 N) + k (k - 1) (s^2 - q) / (4 N (N - 1)). If entries cancel (s = 0)
    it grows like k, as noise does; if they do not, like k^2.
    """
    eps, k = np.asarray(eps, dtype=np.float64), np.asarray(terms, dtype=np.float64)
    others = eps.shape[-1] - 1
    s, q = eps.sum(-1), (eps**2).sum(-1)
    square = k * q / (3 * others) + k * (k - 1) * (s**2 - q) / (4 * others * (others - 1))
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def aligned_sum(eps: ArrayLike, terms: ArrayLike) -> Array:
    """Return the root mean square of a sum of |eps_ij| over `terms` random entries of each row (..., feature).

    With a = sum_j |eps_ij| and q as in `data_sum`: k q / N + k (k - 1) (a^2 - q) / (N (N - 1)), which is (k a / N)^2
    when entries are of one size, and k q / N, as for noise, when a single entry is all there is.
    """
    eps, k = np.asarray(eps, dtype=np.float64), np.asarray(terms, dtype=np.float64)
    others = eps.shape[-1] - 1
    a, q = np.abs(eps).sum(-1), (eps**2).sum(-1)
    return np.asarray(np.sqrt(k * q / others + k * (k - 1) * (a**2 - q) / (others * (others - 1))))
