"""Sparse samples as lists, drawn once and read by every model that is compared.

Features come in clusters of equal size. A sample belongs to one cluster, drawn uniformly; features of that cluster are
present with probability `inside`, all others with `outside`. With both equal, features are independent.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import inlined, jit
from experiments.core.training.seeds import stream_key

LISTED_DENSITY = 0.2
"""Below this density features are drawn by the gaps between them, above it one by one (measured)."""

_TWO_TO_MINUS_53 = 1.0 / (1 << 53)


@dataclass(frozen=True)
class Source:
    """Where samples come from: `features` in `clusters`, each present with probability `density` on the whole.

    `purity` in [0, 1] says how much a sample keeps to its cluster: 0 makes features independent, at 1 no other feature
    is present. Values are U[0, 1].
    """

    features: int
    density: float
    clusters: int = 1
    purity: float = 0.0

    def __post_init__(self) -> None:
        if self.features % self.clusters:
            raise ValueError(f"{self.features} features do not divide into {self.clusters} equal clusters")
        if not 0 < self.inside <= 1 or not 0 <= self.outside <= 1:
            raise ValueError(f"density {self.density} at purity {self.purity} needs probabilities above 1")

    @property
    def outside(self) -> float:
        """Probability that a feature of another cluster is present."""
        return self.density * (1 - self.purity)

    @property
    def inside(self) -> float:
        """Probability that a feature of the sample's own cluster is present."""
        return self.density * (1 + self.purity * (self.clusters - 1))


class Samples(NamedTuple):
    """Listed samples: entries `starts[s]` to `starts[s + 1]` of `feature` and `value` belong to sample s.

    `label` (sample,) is the cluster of the sample.
    """

    starts: NDArray[np.int64]
    feature: NDArray[np.int64]
    value: NDArray[np.float32]
    label: NDArray[np.int64]


def new_samples(source: Source, count: int) -> Samples:
    """Return space for `count` samples, with all features present if it comes to that."""
    entries = count * source.features
    return Samples(
        np.zeros(count + 1, np.int64), np.zeros(entries, np.int64), np.zeros(entries, np.float32), np.zeros(count, int)
    )


def first_state(seed: int, purpose: int) -> NDArray[np.uint64]:
    """Return the generator's state (1,) for one purpose's stream of a seed."""
    return np.array([stream_key(seed, purpose)], np.uint64)


def draw(source: Source, state: NDArray[np.uint64], samples: Samples) -> None:
    """Fill `samples` with fresh ones and advance `state`."""
    draw_samples(state, source.features, source.clusters, source.inside, source.outside, len(samples.label), *samples)


def as_array(samples: Samples, features: int) -> NDArray[np.float32]:
    """Return listed samples as an array (sample, feature)."""
    x = np.zeros((len(samples.label), features), np.float32)
    for s in range(len(x)):
        places = slice(samples.starts[s], samples.starts[s + 1])
        x[s, samples.feature[places]] = samples.value[places]
    return x


def as_samples(x: NDArray[np.float32], label: NDArray[np.int64] | None = None) -> Samples:
    """Return an array (sample, feature) as listed samples; the inverse of `as_array`."""
    sample, feature = np.nonzero(x)
    starts = np.concatenate([[0], np.cumsum(np.bincount(sample, minlength=len(x)))]).astype(np.int64)
    labels = np.zeros(len(x), np.int64) if label is None else label
    return Samples(starts, feature.astype(np.int64), x[sample, feature].astype(np.float32), labels)


@inlined
def uniform(state):
    """Return a uniform number in (0, 1] and advance the splitmix64 state (Steele, Lea and Flood 2014)."""
    value = uint64(state[0] + uint64(0x9E3779B97F4A7C15))
    state[0] = value
    value = uint64((value ^ (value >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    value = uint64((value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB))
    value = uint64(value ^ (value >> uint64(31)))
    return (np.float64(value >> uint64(11)) + 1.0) * _TWO_TO_MINUS_53


@inlined
def draw_range(state, density, first, last, at, feature, value):
    """List the present ones of the features from `first` to before `last`; return where the list ends."""
    if first >= last:
        return at
    if density > LISTED_DENSITY:
        for i in range(first, last):
            drawn = uniform(state)
            feature[at] = i
            value[at] = np.float32(drawn / density)
            at += drawn <= density
    elif density > 0:
        rest = np.log1p(-density)
        place = np.float64(first) - 1.0
        while True:
            place += 1.0 + np.floor(np.log(uniform(state)) / rest)
            if place >= last:
                break
            feature[at] = np.int64(place)
            value[at] = np.float32(uniform(state))
            at += 1
    return at


@jit
def draw_samples(state, features, clusters, inside, outside, count, starts, feature, value, label):
    """Draw `count` samples into the lists."""
    size = features // clusters
    at = 0
    for s in range(count):
        starts[s] = at
        own = min(np.int64(uniform(state) * clusters), clusters - 1) if clusters > 1 else 0
        label[s] = own
        at = draw_range(state, outside, 0, own * size, at, feature, value)
        at = draw_range(state, inside, own * size, (own + 1) * size, at, feature, value)
        at = draw_range(state, outside, (own + 1) * size, features, at, feature, value)
    starts[count] = at
