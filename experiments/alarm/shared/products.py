"""Activations h = W x of samples in which few features are present: what is absent costs hardly anything."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_sources import filled_rows
from experiments.core.training.cpu_draws import ZERO, jit
from experiments.core.training.cpu_vectors import WIDTH, above, add, load, lowest, padded, splat

Array = NDArray[np.float32]

_NONE, _ONE, _EIGHT = uintp(0), uintp(1), uintp(WIDTH)


def activations(W: Array, x: Array) -> Array:
    """Return h (sample, hidden) for W (hidden, feature) and samples x (sample, feature) of at least 0.

    Features are added up one after the other; at a density of 0.02 that takes a small part of a full product's time.
    """
    features = padded(x.shape[1])
    values = np.ascontiguousarray(x, dtype=np.float32)
    if features > x.shape[1]:  # only whole vectors are looked at
        values = np.pad(values, ((0, 0), (0, features - x.shape[1])))
    h = np.zeros((len(x), padded(len(W))), np.float32)
    directions = filled_rows(np.asarray(W, dtype=np.float32).T)
    _add_present(h.ravel(), values.ravel(), directions, uintp(features), uintp(h.shape[1]))
    return np.ascontiguousarray(h[:, : len(W)])


@jit
def _add_present(h, values, directions, features, row):
    """Add the value times the direction of every feature that is present; all arrays are flat."""
    at = _NONE
    for first in range(_NONE, uintp(values.size), features):
        for block in range(_NONE, features, _EIGHT):
            present = above(load(values, first + block), splat(ZERO))
            while present != _NONE:
                feature = block + lowest(present)
                add(h, at, values[first + feature], directions, feature * row, row)
                present &= present - _ONE
        at += row
