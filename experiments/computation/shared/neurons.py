"""What single neurons of a two-layer model do: rescaling, and how many features a neuron serves.

A hidden ReLU unit can be scaled freely: W_a -> s W_a, R_a -> R_a / s changes nothing. As in the paper (footnote 15),
every unit is rescaled so that its largest |W| is 1, before anything is measured or drawn.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.specification import Weights

Array = NDArray[np.float64]

MONOSEMANTIC = 1.3
"""A neuron with fewer effective features than this counts as monosemantic."""

USED = 0.1
"""A neuron is used if the product of its largest |W| and its largest |R| exceeds this; a full share of |x| has 1."""


class Rescaled(NamedTuple):
    """W (instance, hidden, feature) and R (instance, feature, hidden) with the largest |W| of every unit at 1.

    `used` (instance, hidden) says which units do something (see `USED`).
    """

    W: Array
    R: Array
    used: NDArray[np.bool_]


def rescaled(weights: Weights) -> Rescaled:
    """Return the weights of untied models with every hidden unit rescaled; a unit of zeros stays as it is."""
    assert weights.W_out is not None, "a tied model has no units to rescale"
    W, R = weights.W.astype(np.float64), weights.W_out.astype(np.float64)
    size = np.abs(W).max(-1)
    safe = np.where(size > 0, size, 1.0)
    used = size * np.abs(R).max(-2) > USED
    return Rescaled(W / safe[..., None], R * safe[..., None, :], used)


def effective_features(W: ArrayLike) -> Array:
    """Return (sum_i W_ai^2)^2 / sum_i W_ai^4 (..., hidden): the participation ratio of a neuron's weights.

    1 if it takes a single feature, k if k alike. Raises no error for a row of zeros, which gives 0.
    """
    square = np.asarray(W, dtype=np.float64) ** 2
    fourth = (square**2).sum(-1)
    return np.asarray(np.divide(square.sum(-1) ** 2, fourth, out=np.zeros_like(fourth), where=fourth > 0))


def primary_feature(W: ArrayLike) -> NDArray[np.int64]:
    """Return the feature with the largest |W| of each neuron (..., hidden)."""
    return np.asarray(np.abs(np.asarray(W)).argmax(-1))


def share_served(W: ArrayLike, R: ArrayLike) -> Array:
    """Return W_ai R_ia in size (..., hidden, feature): how much of |x_i| neuron a delivers on its side of x_i.

    A dedicated pair of neurons has 1 each; negative where the read-out inhibits. It does not depend on the scale of
    the unit.
    """
    return np.asarray(np.abs(np.asarray(W)) * np.swapaxes(np.asarray(R), -1, -2))
