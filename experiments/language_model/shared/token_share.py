"""How much of a latent is just the current token?"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]


def token_share(f: sparse.csr_matrix, ids: NDArray[np.int64], first: NDArray[np.bool_], entries: int) -> Array:
    """Return the share of each column's variance (column,) that the current token predicts, at most 1.

    A token's prediction is the column's mean over its occurrences in one half of the documents, 0 for a token that does
    not occur there; the share, 1 - squared error / variance, is measured on the other half, and averaged over both
    ways. Below 0 where means of one half mislead; NaN for a column that is silent in a half.
    """
    return np.asarray(np.mean([_share(f, ids, half, entries) for half in (first, ~first)], axis=0))


def residual_of_token(f: sparse.csr_matrix, ids: NDArray[np.int64], entries: int) -> Array:
    """Return the mean of each column per token (token id, column), to be taken away from activations."""
    of_token = _one_hot(ids, entries)
    count = np.asarray(of_token.sum(1)).ravel()
    total: Array = np.asarray((of_token @ f).todense(), dtype=np.float64)
    return np.asarray(total / np.maximum(count, 1)[:, None])


def _share(f: sparse.csr_matrix, ids: NDArray[np.int64], half: NDArray[np.bool_], entries: int) -> Array:
    predicted = residual_of_token(f[half], ids[half], entries)
    other, of_token = f[~half], _one_hot(ids[~half], entries)
    total = np.asarray((of_token @ other).todense())
    count = np.asarray(of_token.sum(1)).ravel()
    square = np.asarray(other.multiply(other).sum(0)).ravel()
    error = square - 2 * (total * predicted).sum(0) + (count[:, None] * predicted**2).sum(0)
    variance = square - np.asarray(other.sum(0)).ravel() ** 2 / other.shape[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(variance > 0, 1 - error / variance, np.nan))


def _one_hot(ids: NDArray[np.int64], entries: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(ids)), (ids, np.arange(len(ids)))), shape=(entries, len(ids)))
