"""Worlds without clusters: features that fire with stated probabilities, independent, correlated or in families.

Two features are correlated through a Gaussian copula: feature i fires when a standard normal g_i exceeds the quantile
of its probability, and the normals are correlated. The construction, and the densities and correlations of
`falling_densities` and `random_correlation`, follow Chanin and Garriga-Alonso 2025, "Sparse but Wrong" (2508.16560).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.autoencoders.cpu_sources import draw_features
from experiments.core.autoencoders.sources import Batch, Source
from experiments.core.synthetic_data.sample import Floats, Sample, unit

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CorrelatedWorld:
    """Features with rows of `directions` (feature, hidden) that fire with probability `density` (feature,).

    If they are correlated, a feature fires when a normal exceeds `threshold` (feature,); `root` (feature, feature) is a
    square root of the normals' correlation matrix, else None. Where `parent` (feature,) is not -1, a feature can be
    present only when that earlier feature is. Magnitudes are normal around 1 with `spread`.
    """

    directions: Floats
    density: Array
    threshold: Floats
    root: Floats | None
    parent: tuple[int, ...]
    spread: float

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return what autoencoders train on: see `sample`."""
        return Batch(*self.sample(generator, count)[:2])

    def activations(self, generator: np.random.Generator, count: int) -> Floats:
        """Return the activations that `draw` would return."""
        return self._drawn(generator, count, keep=False)[0]

    def sample(self, generator: np.random.Generator, count: int) -> Sample:
        """Return `count` fresh samples; all randomness comes from `generator`."""
        return Sample(*self._drawn(generator, count, keep=True), np.zeros((count, 0), dtype=np.int64))

    def _drawn(self, generator: np.random.Generator, count: int, keep: bool) -> tuple[Floats, Floats]:
        """Return activations and features; normals are drawn only where features are correlated."""
        on = None
        if self.root is not None:
            normals = generator.standard_normal((count, len(self.directions)), dtype=np.float32)
            on = normals @ self.root.T > self.threshold
        return draw_features(
            generator, count, self.directions, self.density, self.spread, self.parent, present=on, keep=keep
        )


def unrelated(
    density: ArrayLike, hidden: int, seed: int, correlation: ArrayLike | None = None, spread: float = 0.15
) -> CorrelatedWorld:
    """Return a world of features with the given `density` (feature,), orthonormal if they fit into `hidden` dimensions.

    `correlation` (feature, feature) is that of the normals behind the features, the identity by default. Features that
    do not fit get random unit directions.
    """
    p = np.asarray(density, dtype=np.float64)
    root = None if correlation is None else _square_root(np.asarray(correlation, dtype=np.float64))
    return _world(p, root, (-1,) * p.size, hidden, seed, spread)


def family(parent: float, children: ArrayLike, hidden: int, seed: int, spread: float = 0.15) -> CorrelatedWorld:
    """Return a world of one parent, present with probability `parent`, and children that need it.

    `children` (child,) are probabilities given the parent. Feature 0 is the parent. Set-up of Chanin, Dulka and
    Garriga-Alonso 2025, "Feature Hedging" (2505.11756).
    """
    p = np.append(parent, np.asarray(children, dtype=np.float64))
    return _world(p, None, (-1, *(0,) * (p.size - 1)), hidden, seed, spread)


@dataclass(frozen=True, eq=False)
class NormalWorld:
    """Normal activations with a `mean` (hidden,) and a square `root` (hidden, hidden) of their covariance.

    `directions` are those of the features of the world it imitates; their values are 0, since it has none.
    """

    directions: Floats
    mean: Floats
    root: Floats

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` fresh activations without features."""
        noise = generator.standard_normal((count, len(self.mean)), dtype=np.float32)
        return Batch(noise @ self.root.T + self.mean, np.zeros((count, len(self.directions)), np.float32))


def normal_twin(source: Source, samples: int, seed: int) -> NormalWorld:
    """Return normal activations with the mean and covariance of `samples` draws of `source`: a model without
    features."""
    x = source.draw(np.random.default_rng(seed), samples).activations.astype(np.float64)
    root = _square_root(np.cov(x.T))
    return NormalWorld(source.directions, x.mean(0).astype(np.float32), root.astype(np.float32))


def falling_densities(features: int, highest: float = 0.345, lowest: float = 0.05) -> Array:
    """Return firing probabilities that fall evenly, `highest (n - 1 - i) / n + lowest` (feature,) for i = 0, 1, ..."""
    at = np.arange(features)
    return np.asarray(highest * (features - 1 - at) / features + lowest)


def random_correlation(
    features: int, seed: int, low: float = 0.3, high: float = 0.9, uncorrelated: float = 0.3
) -> Array:
    """Return a random correlation matrix (feature, feature), half of its pairs positive.

    A share `uncorrelated` of pairs starts at 0, the others at plus or minus U[low, high]; negative eigenvalues are then
    cut to 1e-6 and the diagonal scaled back to 1, which weakens all correlations: no matrix has so many strong ones.
    """
    generator = np.random.default_rng(seed)
    rows, columns = np.triu_indices(features, k=1)
    kept = generator.permutation(rows.size)[int(uncorrelated * rows.size) :]
    values = generator.uniform(low, high, kept.size)
    values[kept.size // 2 :] *= -1
    matrix = np.zeros((features, features))
    matrix[rows[kept], columns[kept]] = values
    eigenvalues, vectors = np.linalg.eigh(matrix + matrix.T + np.eye(features))
    valid = (vectors * np.maximum(eigenvalues, 1e-6)) @ vectors.T
    scale = 1 / np.sqrt(np.diag(valid))
    return np.asarray(valid * scale[:, None] * scale)


def _world(
    p: Array, root: Array | None, parent: tuple[int, ...], hidden: int, seed: int, spread: float
) -> CorrelatedWorld:
    from scipy.special import ndtri  # half a second to import, which building pages need not pay

    drawn = np.random.default_rng(seed).standard_normal((hidden, p.size))
    rows = np.linalg.qr(drawn).Q.T if p.size <= hidden else unit(drawn.T)
    threshold = np.asarray(ndtri(1 - p), dtype=np.float32)
    weights = None if root is None else root.astype(np.float32)
    return CorrelatedWorld(np.ascontiguousarray(rows, dtype=np.float32), p, threshold, weights, parent, spread)


def _square_root(matrix: Array) -> Array:
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(eigenvalues, 0)))
