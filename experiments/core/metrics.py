"""Measures of superposition, each a function of `W` alone, and the null model they are compared with.

`W` is (..., hidden, feature): any number of leading instance axes, one column per feature. Column `i`
is written `W_i`, and `Ŵ_i` is that column scaled to unit length. Everything is computed in float64.

Sources: Elhage et al. 2022, "Demonstrating superposition" (norms, superposition of a feature) and "The
geometry of superposition" (dimensions per feature, feature dimensionality, graph of interference).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components
from scipy.stats import kurtosis

REPRESENTED_NORM = 0.5
"""A feature counts as represented when `||W_i||` exceeds this: halfway between the two clean outcomes, 0 and 1."""

CONNECTED_COSINE = 0.05
"""Two features share an edge of the interference graph when `|cos|` exceeds this."""

_ABSENT_NORM = 1e-6
"""Below this a column has no direction, and its cosines and its dimensionality are 0 by convention."""

Array = NDArray[np.float64]


def norms(W: ArrayLike) -> Array:
    """Return `||W_i||`, shape (..., feature), at least 0."""
    return np.asarray(np.linalg.norm(np.asarray(W, dtype=np.float64), axis=-2))


def represented(W: ArrayLike, threshold: float = REPRESENTED_NORM) -> NDArray[np.bool_]:
    """Return whether each feature is represented, `||W_i|| > threshold`, shape (..., feature)."""
    return norms(W) > threshold


def directions(W: ArrayLike) -> Array:
    """Return `Ŵ_i = W_i / ||W_i||` (..., hidden, feature); a column without length stays 0."""
    columns, length = np.asarray(W, dtype=np.float64), norms(W)[..., None, :]
    return np.divide(columns, length, out=np.zeros_like(columns), where=length > _ABSENT_NORM)


def gram(W: ArrayLike) -> Array:
    """Return `W^T W` (..., feature, feature): the linear map from input to pre-activation."""
    columns = np.asarray(W, dtype=np.float64)
    return np.asarray(np.swapaxes(columns, -1, -2) @ columns)


def cosines(W: ArrayLike) -> Array:
    """Return `Ŵ_i . Ŵ_j` (..., feature, feature) in [-1, 1]; rows and columns of absent features are 0."""
    return np.clip(gram(directions(W)), -1.0, 1.0)


def superposition(W: ArrayLike) -> Array:
    """Return `sum_{j != i} (Ŵ_i . W_j)^2` (..., feature): 0 when orthogonal to all others, from 1 on drowned.

    Elhage et al. 2022, "Demonstrating superposition". The paper's public notebook colours its bars by the
    square root of this.
    """
    columns = np.asarray(W, dtype=np.float64)
    overlap = np.swapaxes(directions(columns), -1, -2) @ columns
    return np.asarray((overlap**2).sum(-1) - np.diagonal(overlap, axis1=-2, axis2=-1) ** 2)


def dimensionality(W: ArrayLike) -> Array:
    """Return `D_i = ||W_i||^2 / sum_j (Ŵ_i . W_j)^2` (..., feature) in [0, 1], the sum over all j including i.

    The share of a dimension that feature `i` has to itself: 1 when orthogonal to all others, 1/2 in an
    antipodal pair, 2/k in a regular k-gon. `sum_i D_i <= hidden`. Absent features have 0. Elhage et al.
    2022, "The geometry of superposition"; the capacity of Scherlis et al. 2022.
    """
    square = norms(W) ** 2
    total = superposition(W) + square
    return np.divide(square, total, out=np.zeros_like(square), where=norms(W) > _ABSENT_NORM)


def represented_mass(W: ArrayLike) -> Array:
    """Return `||W||_F^2 = sum_i ||W_i||^2` (...): the paper's smooth count of represented features."""
    return np.asarray((norms(W) ** 2).sum(-1))


def dimensions_per_feature(W: ArrayLike) -> Array:
    """Return `D* = hidden / ||W||_F^2` (...): 1 without superposition, 1/2 when all features are antipodal pairs."""
    return np.asarray(np.asarray(W).shape[-2] / represented_mass(W))


def off_diagonal(matrix: ArrayLike) -> Array:
    """Return the entries above the diagonal (..., pair) of symmetric matrices, pairs in row order."""
    values = np.asarray(matrix, dtype=np.float64)
    rows, columns = np.triu_indices(values.shape[-1], k=1)
    return np.asarray(values[..., rows, columns])


def excess_kurtosis(values: ArrayLike) -> Array:
    """Return the excess kurtosis of the last axis (...): 0 for a Gaussian, large when few values carry the variance."""
    return np.asarray(kurtosis(np.asarray(values, dtype=np.float64), axis=-1))


def hoyer(values: ArrayLike) -> Array:
    """Return Hoyer's sparseness `(sqrt(k) - L1/L2) / (sqrt(k) - 1)` of the last axis (...) in [0, 1].

    0 when all magnitudes are equal, 1 when a single value is not 0; all zeros give 0. Hoyer 2004,
    "Non-negative matrix factorization with sparseness constraints".
    """
    size = np.abs(np.asarray(values, dtype=np.float64))
    root, length = np.sqrt(size.shape[-1]), np.linalg.norm(size, axis=-1)
    ratio = np.divide(size.sum(-1), length, out=np.full(length.shape, root), where=length > 0)
    return np.asarray((root - ratio) / (root - 1))


class Islands(NamedTuple):
    """Connected components of one model's interference graph, restricted to represented features.

    `label` (feature,) numbers the components from 0; -1 marks features that are not represented.
    `size` (component,) counts features; `rank` (component,) the dimensions they span.
    """

    label: NDArray[np.int64]
    size: NDArray[np.int64]
    rank: NDArray[np.int64]


def islands(W: ArrayLike, edge: float = CONNECTED_COSINE, threshold: float = REPRESENTED_NORM) -> Islands:
    """Return the components of the graph that joins represented features with `|cos| > edge`, for one `W`.

    `W` is (hidden, feature). Singular values above a tenth of a component's largest count towards its rank.
    """
    columns, live = np.asarray(W, dtype=np.float64), represented(W, threshold)
    label = np.full(columns.shape[-1], -1)
    count, label[live] = connected_components(np.abs(cosines(columns[:, live])) > edge, directed=False)
    size = np.bincount(label[live], minlength=count)
    return Islands(label, size, np.array([_rank(columns[:, label == k]) for k in range(count)], dtype=np.int64))


def _rank(columns: Array) -> int:
    singular = np.linalg.svd(columns, compute_uv=False)
    return int((singular > 0.1 * singular[0]).sum())


def random_directions(W: ArrayLike, generator: np.random.Generator) -> Array:
    """Return the null model: columns with the norms of `W` and independent, uniformly random directions.

    Shape (..., hidden, feature). What a measure shows beyond this is arrangement, not crowding.
    """
    return directions(generator.standard_normal(np.shape(W))) * norms(W)[..., None, :]


def axis_alignment(W: ArrayLike) -> Array:
    """Return how far the row space of `W` is spanned by single features (...): 1 if exactly, 0 if evenly spread.

    With `P` the orthogonal projection onto the row space (rank d in n features) it is
    `(sum_i P_ii^2 / d - d/n) / (1 - d/n)`: every `P_ii` is 0 or 1 when the model keeps d features and
    ignores the rest, and d/n when it treats all alike. Needs d < n and `W` of full rank.
    """
    columns = np.asarray(W, dtype=np.float64)
    hidden, features = columns.shape[-2:]
    rows = np.linalg.qr(np.swapaxes(columns, -1, -2)).Q
    kept = (rows**2).sum(-1)
    even = hidden / features
    return np.asarray(((kept**2).sum(-1) / hidden - even) / (1 - even))
