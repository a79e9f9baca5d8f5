"""Spearman's rank correlation, the one that every experiment uses."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


def rank_correlation(one: ArrayLike, other: ArrayLike) -> Array:
    """Return Spearman's correlation over the last axis (...), in [-1, 1]; ties share their mean rank.

    It is 0 where one of the two is constant, since nothing can then be said about order.
    """
    ranks = [rankdata(np.asarray(values, dtype=np.float64), axis=-1) for values in (one, other)]
    first, second = (each - each.mean(-1, keepdims=True) for each in ranks)
    size = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    product = (first * second).sum(-1)
    return np.asarray(np.divide(product, size, out=np.zeros_like(product), where=size > 0))
