"""What worlds hand out, and the random streams they draw from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Sample(NamedTuple):
    """A batch of one world.

    `activations` (sample, hidden) is `features @ directions`; `features` (sample, feature) are the true values.
    `label` (sample, cluster) says which member of each cluster is present, -1 where the cluster is off; a world
    without clusters has no columns there.
    """

    activations: Floats
    features: Floats
    label: NDArray[np.int64]


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `rows` (..., hidden) scaled to length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True))
