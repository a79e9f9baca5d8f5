"""Where activations come from: samplers whose true features are known, one stream of batches per source.

The batch of a step is a function of (seed, source, step) alone, so that training can stop and go on anywhere, and
does not depend on which autoencoders look at it.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.autoencoders.cpu_sources import draw_features
from experiments.core.training.seeds import splitmix64

Array = NDArray[np.float32]

DATA, EVALUATION, RESAMPLING, START = range(4)
"""Purposes of a random stream."""


class Batch(NamedTuple):
    """`activations` (batch, hidden) and the values of the true `features` (batch, feature) behind them; float32."""

    activations: Array
    features: Array


class Source(Protocol):
    """A world: what autoencoders are trained and judged on.

    `directions` (feature, hidden) are the true features' directions, of any length. A source may also have a method
    `activations(generator, count)`, which returns those of `draw` without the cost of features.
    """

    @property
    def directions(self) -> Array: ...

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` fresh samples; all randomness comes from `generator`."""
        ...


@dataclass(frozen=True, eq=False)
class Superposed:
    """Activations h = W x of a toy model: feature i is present with probability `density[i]`, then U[0, 1].

    `W` (hidden, feature); `density` a scalar or (feature,).
    """

    W: Array
    density: ArrayLike

    @property
    def directions(self) -> Array:
        return np.ascontiguousarray(np.asarray(self.W, dtype=np.float32).T)

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return activations and features; only the present ones are drawn and added up."""
        return Batch(*draw_features(generator, count, self.directions, self.density))

    def activations(self, generator: np.random.Generator, count: int) -> Array:
        """Return the activations that `draw` would return."""
        return draw_features(generator, count, self.directions, self.density, keep=False)[0]


def activations(source: Source, generator: np.random.Generator, count: int) -> Array:
    """Return the activations of `source.draw`; a source that has a method `activations` need not make features."""
    direct = getattr(source, "activations", None)
    if direct is None:
        return source.draw(generator, count).activations
    return np.asarray(direct(generator, count), dtype=np.float32)


def sparse_uniform(generator: np.random.Generator, count: int, features: int, density: ArrayLike) -> Array:
    """Return (count, feature) values, each U[0, 1] with probability `density`, else 0."""
    p = np.broadcast_to(np.asarray(density, dtype=np.float64), (features,))
    if p.max() > 0.2 or p.min() <= 0 or np.ptp(p) > 0:
        present = generator.random((count, features), dtype=np.float32) < p.astype(np.float32)
        values: Array = generator.random((count, features), dtype=np.float32) * present
        return values
    x = np.zeros(count * features, np.float32)
    # Gaps between successes of a Bernoulli sequence are geometric: p of the draws that a full matrix would take.
    expected = p[0] * x.size
    gaps = generator.geometric(p[0], size=int(expected + 6 * np.sqrt(expected) + 10))
    place = np.cumsum(gaps) - 1
    place = place[place < x.size]
    x[place] = generator.random(place.size, dtype=np.float32)
    return x.reshape(count, features)


def stream(seed: int, purpose: int, number: int, step: int = 0) -> np.random.Generator:
    """Return the generator of one step of one stream; no two coincide."""
    key = np.array([splitmix64(seed), splitmix64(8 * number + purpose)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, 0, step], dtype=np.uint64)))
