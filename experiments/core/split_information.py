"""Which latent carries an event, how much that tells about the leaf that is present, and how many latents share it.

An *event* is one occurrence of something that can be divided: a cluster of features in synthetic data, a concept in
text. Its *leaf* is the kind it belongs to, its *carrier* the latent that contributes most to its reconstruction. All
measures start from `tables`: for each cluster, how often each latent carried each leaf. Entropies are in nats.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Table = NDArray[np.int64]

NOBODY = -1
"""The carrier of an event that no latent carries."""

CARRIED = 0.25
"""Least share of an event's magnitude that its carrier contributes: half of what a latent halfway between two clusters
does."""

TAKEN_OVER, CONTAINMENT = 0.05, 0.8
"""A latent of a larger dictionary descends from one of a smaller that carried at least `CONTAINMENT` of its events, if
it took over at least `TAKEN_OVER` of that one's. As in Tree SAE (2605.07922)."""


def tables(carrier: ArrayLike, cluster: ArrayLike, label: ArrayLike, clusters: int, labels: int) -> list[Table]:
    """Return one table (latent, label) of counts per cluster; its rows are the carriers that occur, `NOBODY` first."""
    z, g, leaf = (np.asarray(part) for part in (carrier, cluster, label))
    found = []
    for which in range(clusters):
        inside = g == which
        names, row = np.unique(z[inside], return_inverse=True)
        if not names.size or names[0] != NOBODY:  # the first row is always that of nobody
            names, row = np.append(NOBODY, names), row + 1
        found.append(np.bincount(row * labels + leaf[inside], minlength=names.size * labels).reshape(-1, labels))
    return found


def entropy(counts: ArrayLike, axis: int | None = None) -> Array:
    """Return the entropy of counts along `axis`, all of them by default, in nats."""
    n = np.asarray(counts, dtype=np.float64)
    p = n / np.maximum(n.sum(axis=axis, keepdims=True), 1)
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=axis))


def information(table: ArrayLike) -> Array:
    """Return the mutual information of rows and columns of tables (..., row, column), in nats."""
    n = np.asarray(table, dtype=np.float64)
    flat = n.reshape(*n.shape[:-2], -1)
    return np.asarray(entropy(n.sum(-1), -1) + entropy(n.sum(-2), -1) - entropy(flat, -1))


def split_information(of: list[Table]) -> float:
    """Return I(Z; leaf | cluster) / H(leaf | cluster) in [0, 1], clusters weighted by their events.

    0 when the carrier says nothing about the leaf, 1 when it gives it away. Blind spots: the plug-in estimate is
    above 0 by chance (about (rows - 1)(columns - 1) / 2n nats), which `null_split_information` measures; and it does
    not ask *why* a latent tells leaves apart, so it rises where unrelated features are found one by one.
    """
    weight = np.array([table.sum() for table in of], dtype=np.float64)
    known = np.array([information(table) for table in of])
    total = np.array([entropy(table.sum(0)) for table in of])
    return float((weight * known).sum() / max((weight * total).sum(), 1e-300))


def null_split_information(of: list[Table], draws: int, generator: np.random.Generator) -> Array:
    """Return split information (draw,) with leaf labels permuted among the events of each cluster.

    Permuting labels leaves a table's margins and makes it multivariate hypergeometric; such tables are drawn at once
    (Patefield's algorithm), which is the same distribution as shuffling, at a fraction of the cost.
    """
    from scipy.stats import random_table

    weight = np.array([table.sum() for table in of], dtype=np.float64)
    total = np.array([entropy(table.sum(0)) for table in of])
    known = np.zeros(draws)
    for table, events in zip(of, weight, strict=True):
        if events:
            law = random_table(table.sum(1), table.sum(0), seed=generator)
            known += events * information(law.rvs(draws, method="patefield"))
    return known / max(float((weight * total).sum()), 1e-300)


def effective_latents(of: list[Table]) -> Array:
    """Return exp H(Z | cluster) (cluster,): how many latents share a cluster's carried events, at least 1.

    The perplexity of carriers, `NOBODY` left out; 0 for a cluster that nobody carries. Blind spot: two latents that
    take turns at random count as two.
    """
    return np.array([float(np.exp(entropy(table[1:].sum(1)))) if table[1:].sum() else 0.0 for table in of])


def effective_leaves(of: list[Table]) -> Array:
    """Return exp H(leaf | cluster) (cluster,): the number of latents that one latent per leaf would give, in effect."""
    return np.array([float(np.exp(entropy(table.sum(0)))) for table in of])


def carried_share(of: list[Table]) -> float:
    """Return the share of events that some latent carries, in [0, 1]."""
    return float(sum(table[1:].sum() for table in of) / sum(table.sum() for table in of))
