"""Worlds of clusters: in each sample every cluster is off, or on with exactly one of its members.

What all of them share, so that only the geometry of the members differs: `clusters` that fire independently, one
member per firing, magnitudes normal around 1, and one mean number of present features (the true L0). A flat control is
asked for twice over: its leaves should be unrelated, and their labels should say nothing. No world has both, for
unrelated leaves are found one by one, and then labels are known. So there are two, `flat` and `undivided`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_sources import draw_clusters, filled_rows, key_of
from experiments.core.autoencoders.sources import Batch
from experiments.core.synthetic_data.sample import Floats, Sample, unit
from experiments.core.training.cpu_vectors import padded

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClusterShape:
    """Sizes that the cluster worlds share.

    `clusters` times `leaves` members live in `hidden` dimensions; `true_l0` features are present on average.
    `closeness` is the squared cosine of a leaf with the centre of its cluster, so the mean cosine of two leaves of
    one cluster. A leaf is used in proportion to `rank^-zipf`. `child` is the probability that a parent of the
    hierarchical world has a child with it; `spread` the standard deviation of magnitudes.
    """

    clusters: int = 8
    leaves: int = 8
    hidden: int = 32
    true_l0: float = 2.0
    closeness: float = 0.65
    zipf: float = 0.5
    child: float = 0.6
    spread: float = 0.15

    @property
    def members(self) -> int:
        return self.clusters * self.leaves


class Events(NamedTuple):
    """Every cluster that is on in a sample, one after the other.

    `sample`, `cluster` and `label` (event,) say where and what; `direction` (event, hidden) is the unit direction of
    the true feature, `magnitude` (event,) its value.
    """

    sample: NDArray[np.int64]
    cluster: NDArray[np.int64]
    label: NDArray[np.int64]
    direction: Floats
    magnitude: Floats


@dataclass(frozen=True, eq=False)
class ClusterWorld:
    """One world with its directions drawn.

    `directions` (feature, hidden) holds the rows that activations are sums of. `use` (label,) is the probability of
    each label of a cluster that is on; labels are numbered alike in every cluster. `rows` (cluster, label) is the row
    of `directions` that a label is about: a leaf; for a parent without child, the parent; `None` in the ring, where a
    label is one of equal arcs. `firing` is the probability that a cluster is on.
    """

    name: str
    shape: ClusterShape
    directions: Floats
    use: Array
    rows: NDArray[np.int64] | None
    firing: float

    @property
    def true_l0(self) -> float:
        """The expected number of present features; a point of a ring counts as one."""
        present = 1 + self.shape.child if self.name == "hierarchical" else 1.0
        return self.shape.clusters * self.firing * present

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return what autoencoders train on: see `sample`."""
        return Batch(*self.sample(generator, count)[:2])

    def activations(self, generator: np.random.Generator, count: int) -> Floats:
        """Return the activations that `draw` would return."""
        return self._drawn(generator, count, keep=False).activations

    def sample(self, generator: np.random.Generator, count: int) -> Sample:
        """Return `count` fresh samples; all randomness comes from `generator`."""
        return self._drawn(generator, count, keep=True)

    def _drawn(self, generator: np.random.Generator, count: int, keep: bool) -> Sample:
        """Return samples, with `keep` features and labels too; else these are empty."""
        shape, kind = self.shape, {"hierarchical": 1, "ring": 2}.get(self.name, 0)
        x = np.zeros((count, padded(shape.hidden)), np.float32)
        features = np.zeros((count, len(self.directions)) if keep else (0, 0), np.float32)
        label = np.full((count, shape.clusters) if keep else (0, 0), -1, np.int64)
        draw_clusters(  # type: ignore[no-untyped-call]
            x.ravel(),
            features.ravel(),
            label.ravel(),
            filled_rows(self.directions),
            np.cumsum(self.use),
            (count, shape.clusters, shape.leaves, kind, float(shape.closeness)),
            float(self.firing),
            float(shape.spread),
            key_of(generator),
        )
        return Sample(x[:, : shape.hidden], features, label)

    def events(self, sample: Sample) -> Events:
        """Return the events of a sample of this world, in order of sample and cluster.

        A direction is that of the leaf, of the parent where no child is present, of the very point on the ring.
        """
        where, cluster = np.nonzero(sample.label >= 0)
        label = sample.label[where, cluster]
        if self.rows is not None:
            rows = self.rows[cluster, label]
            return Events(where, cluster, label, self.directions[rows], sample.features[where, rows])
        parts = sample.features.reshape(len(sample.features), -1, 3)[where, cluster]
        vector = np.einsum("ek,ekh->eh", parts, self.directions.reshape(-1, 3, self.shape.hidden)[cluster])
        length = np.linalg.norm(vector, axis=1)
        return Events(where, cluster, label, vector / np.maximum(length, 1e-9)[:, None], length)

    def centres(self) -> Floats:
        """Return the unit direction of each cluster (cluster, hidden): its parent, or the mean of its members."""
        if self.name == "hierarchical":
            return self.directions[self.shape.members :]
        if self.name == "ring":
            return self.directions[::3]
        mean = self.directions.reshape(self.shape.clusters, self.shape.leaves, -1).mean(1, dtype=np.float64)
        return unit(mean).astype(np.float32)


def clustered(shape: ClusterShape, seed: int) -> ClusterWorld:
    """Return W1: leaf = sqrt(closeness) centre + sqrt(1 - closeness) residual, residuals orthogonal to the centre."""
    return _leaves("clustered", shape, seed, shape.closeness)


def flat(shape: ClusterShape, seed: int) -> ClusterWorld:
    """Return W3: as clustered, but leaves of one cluster are unrelated; there is nothing that could split."""
    return _leaves("flat", shape, seed, 0.0)


def undivided(shape: ClusterShape, seed: int) -> ClusterWorld:
    """Return W3': all leaves of a cluster are its centre; labels are drawn but leave no trace in the activations."""
    return _leaves("undivided", shape, seed, 1.0)


def hierarchical(shape: ClusterShape, seed: int) -> ClusterWorld:
    """Return W2: the parent of a cluster that is on is present, with probability `child` one of its children too.

    Rows of the directions: the children of all clusters, then the parents. The last label is "no child". Parent and
    child have magnitudes of their own; clusters fire less often, so that the true L0 is that of the other worlds.
    """
    drawn = np.random.default_rng(seed).standard_normal((shape.members + shape.clusters, shape.hidden))
    children = np.arange(shape.members).reshape(shape.clusters, shape.leaves)
    rows = np.column_stack([children, shape.members + np.arange(shape.clusters)])
    use = np.append(shape.child * _zipf(shape), 1 - shape.child)
    firing = shape.true_l0 / shape.clusters / (1 + shape.child)
    return ClusterWorld("hierarchical", shape, unit(drawn).astype(np.float32), use, rows, firing)


def ring(shape: ClusterShape, seed: int) -> ClusterWorld:
    """Return W4: members of a cluster are points of a circle around its centre, each as close to it as a leaf of W1.

    All points are equally likely. Rows of the directions: centre and two axes of each cluster, orthonormal. Labels are
    `leaves` equal arcs; no arc differs from any other, so whatever splits here is not made of parts.
    """
    drawn = np.random.default_rng(seed).standard_normal((shape.clusters, shape.hidden, 3))
    frames = np.swapaxes(np.linalg.qr(drawn).Q, 1, 2).reshape(-1, shape.hidden)
    use = np.full(shape.leaves, 1 / shape.leaves)
    return ClusterWorld("ring", shape, frames.astype(np.float32), use, None, shape.true_l0 / shape.clusters)


CLUSTER_WORLDS: dict[str, Callable[[ClusterShape, int], ClusterWorld]] = {
    "clustered": clustered,
    "hierarchical": hierarchical,
    "flat": flat,
    "undivided": undivided,
    "ring": ring,
}
"""Every cluster world by its name."""


def _leaves(name: str, shape: ClusterShape, seed: int, closeness: float) -> ClusterWorld:
    generator = np.random.default_rng(seed)
    centre = unit(generator.standard_normal((shape.clusters, 1, shape.hidden)))
    residual = generator.standard_normal((shape.clusters, shape.leaves, shape.hidden))
    residual = unit(residual - (residual * centre).sum(-1, keepdims=True) * centre)
    members = (closeness**0.5 * centre + (1 - closeness) ** 0.5 * residual).reshape(-1, shape.hidden)
    rows = np.arange(shape.members).reshape(shape.clusters, shape.leaves)
    return ClusterWorld(name, shape, members.astype(np.float32), _zipf(shape), rows, shape.true_l0 / shape.clusters)


def _zipf(shape: ClusterShape) -> Array:
    weight = np.arange(1, shape.leaves + 1) ** -shape.zipf
    return np.asarray(weight / weight.sum())
