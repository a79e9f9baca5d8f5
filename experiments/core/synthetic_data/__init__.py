"""Synthetic activations whose features are known: what a sparse autoencoder should find, and what it should not.

A world is a deterministic sampler. `world.sample(generator, count)` returns activations `features @ directions`
together with the true value of every feature; nothing else is in them.

`clusters`
    Features come in groups, at most one member of a group at a time: *clustered* (members resemble each other),
    *hierarchical* (a parent, and often one of its children), *flat* (the members are unrelated), *undivided* (the
    members are one and the same feature) and *ring* (the members are points of a circle).
`correlated`
    Independent or correlated features, or families, without groups.
"""

from experiments.core.synthetic_data.clusters import (
    CLUSTER_WORLDS,
    ClusterShape,
    ClusterWorld,
    Events,
    clustered,
    flat,
    hierarchical,
    ring,
    undivided,
)
from experiments.core.synthetic_data.correlated import (
    CorrelatedWorld,
    NormalWorld,
    falling_densities,
    family,
    normal_twin,
    random_correlation,
    unrelated,
)
from experiments.core.synthetic_data.sample import Sample

__all__ = [
    "CLUSTER_WORLDS",
    "ClusterShape",
    "ClusterWorld",
    "CorrelatedWorld",
    "Events",
    "NormalWorld",
    "Sample",
    "clustered",
    "falling_densities",
    "family",
    "flat",
    "hierarchical",
    "normal_twin",
    "random_correlation",
    "ring",
    "undivided",
    "unrelated",
]
