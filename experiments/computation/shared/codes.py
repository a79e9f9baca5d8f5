"""How neurons share features: a weight matrix as a code, and how far it is aligned with the neurons.

`W` is (..., hidden, feature), a row per neuron. Elhage et al. 2022, "Superposition in a Privileged Basis".
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import REPRESENTED_NORM, norms

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

THRESHOLD = 0.2
"""A neuron takes part in a feature if the size of the weight exceeds this share of its largest positive weight."""

USED = 0.1
"""A neuron whose weights stay below this writes nothing: it has no features."""


def binary_code(W: ArrayLike, threshold: float = THRESHOLD) -> Flags:
    """Return which neuron takes part in which feature, (..., hidden, feature).

    Each neuron has its own scale, its largest positive weight: a neuron may hold a feature down with a negative weight
    several times larger than any it writes with, and a common scale would then hide what it writes.
    """
    weights = np.asarray(W, dtype=np.float64)
    top = weights.max(-1, keepdims=True)
    return np.asarray((np.abs(weights) > threshold * top) & (top > USED))


class Census(NamedTuple):
    """How a code uses its neurons; all (...,) counts."""

    monosemantic: NDArray[np.int64]  # neurons with exactly one feature
    shared: NDArray[np.int64]  # neurons with two features or more
    features: NDArray[np.int64]  # different features in these


def census(code: Flags) -> Census:
    """Count the neurons of each code (..., hidden, feature) by how many features they take part in."""
    per_neuron = code.sum(-1)
    several = per_neuron >= 2
    inside = (code & several[..., None]).any(-2).sum(-1)
    return Census((per_neuron == 1).sum(-1), several.sum(-1), inside)


def code_numbers(code: Flags) -> NDArray[np.int64]:
    """Return a number per code (instance, hidden, feature), equal for codes that differ by the order of neurons."""
    rows = np.sort(code @ (1 << np.arange(code.shape[-1])), axis=-1)
    return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def in_order(W: ArrayLike) -> Array:
    """Return one `W` (hidden, feature) with its neurons sorted: few features first, then by their first feature."""
    weights = np.asarray(W, dtype=np.float64)
    code = binary_code(weights)
    first = np.where(code.any(-1), code.argmax(-1), code.shape[-1])
    return weights[np.lexsort((first, code.sum(-1), ~code.any(-1)))]


def neuron_alignment(W: ArrayLike) -> Array:
    """Return how far features lie on single neurons, (...), in [1 / hidden, 1].

    The largest share that one neuron has of ||W_i||^2, mean over the represented features of a model.
    """
    square = np.asarray(W, dtype=np.float64) ** 2
    live = norms(W) > REPRESENTED_NORM
    total = square.sum(-2)
    largest = np.divide(square.max(-2), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray((largest * live).sum(-1) / np.maximum(live.sum(-1), 1))


def rotated(W: ArrayLike, generator: np.random.Generator) -> Array:
    """Return `W` (instance, hidden, feature) turned by one uniformly random rotation or reflection per instance."""
    weights = np.asarray(W, dtype=np.float64)
    q, r = np.linalg.qr(generator.standard_normal((len(weights), weights.shape[1], weights.shape[1])))
    signs = np.sign(np.diagonal(r, axis1=-2, axis2=-1))
    return np.asarray((q * signs[:, None, :]) @ weights)
