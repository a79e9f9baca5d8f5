"""Activations of a toy model for training autoencoders: the draws of `Superposed`, in less than half of the time.

Where densities differ, a draw decides on every feature of every sample whether it is present, and nearly always it is
not. So what a draw costs is what finding the next present feature costs: one comparison of whole numbers here.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from dataclasses import dataclass

import numpy as np
from numba import uint64, uintp
from numpy.typing import ArrayLike, NDArray

from experiments.core.autoencoders.cpu_sources import filled_rows, key_of, next_bits
from experiments.core.autoencoders.cpu_vectors import add, padded
from experiments.core.autoencoders.sources import Superposed
from experiments.core.training.cpu_draws import jit

Array = NDArray[np.float32]

BITS = 53
"""Random bits that decide on a feature: present if they are below density * 2^53."""

_UNUSED = 64 - BITS


@dataclass(frozen=True, eq=False)
class RareSuperposed(Superposed):
    """`Superposed` with densities (feature,) that differ: the same activations, byte for byte."""

    def activations(self, generator: np.random.Generator, count: int) -> Array:
        """Return the activations (sample, hidden) that `draw` would return."""
        directions = self.directions
        number, hidden = directions.shape
        x = np.zeros((count, padded(hidden)), np.float32)
        _add_present(x.ravel(), filled_rows(directions), presence_limits(self.density, number), key_of(generator))
        return x[:, :hidden]


def presence_limits(density: ArrayLike, number: int) -> NDArray[np.uint64]:
    """Return the number of 53-bit draws (feature,) that count as present."""
    p = np.broadcast_to(np.asarray(density, dtype=np.float64), (number,))
    return np.ceil(p * 2.0**BITS).astype(np.uint64)


@jit
def _add_present(x, directions, limits, state):
    """Add, sample by sample, the value times the direction of every feature that is present; x is flat."""
    number = uintp(limits.size)
    row = uintp(directions.size) // number
    for s in range(uintp(x.size) // row):
        for i in range(number):
            bits, state = next_bits(state)
            if bits >> uint64(_UNUSED) < limits[i]:
                bits, state = next_bits(state)
                value = np.float32(np.float64(bits >> uint64(_UNUSED)) * 2.0**-BITS)
                add(x, s * row, value, directions, i * row, row)
