"""Random streams: every instance has its own seed, and every purpose its own stream of that seed."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.checks import SpecificationError

START, DATA, SHUFFLE, FIXED, EVALUATION = range(5)
"""Purposes of a stream: first weights, fresh batches, order of an epoch, fixed data set, common evaluation set."""

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def splitmix64(value: int) -> int:
    """Return a well-mixed bijection of the 64-bit `value` (Steele, Lea and Flood 2014)."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def instance_seeds(seed: int, given: tuple[int, ...] | None, instances: int) -> NDArray[np.uint64]:
    """Return one seed per instance: the given ones, or `seed` mixed with 0, 1, 2, ... (all distinct)."""
    if given is None:
        mixed = splitmix64(seed & _MASK)
        return np.array([splitmix64(mixed ^ index) for index in range(instances)], dtype=np.uint64)
    for value in given:
        if not 0 <= value <= _MASK:
            raise SpecificationError(f"instance_seeds holds {value}; a seed lies in 0 to 2^64 - 1")
    return np.broadcast_to(np.array(given, dtype=np.uint64), instances).copy()


def stream_key(seed: int | np.uint64, purpose: int) -> int:
    """Return the 64-bit key of one purpose's stream of one instance."""
    return splitmix64(splitmix64(int(seed)) ^ splitmix64(purpose))


def stream(seed: int | np.uint64, purpose: int) -> np.random.Generator:
    """Return the host generator of one purpose's stream: Philox keyed with both, so no two coincide."""
    return np.random.Generator(np.random.Philox(key=np.array([int(seed), purpose], dtype=np.uint64)))
