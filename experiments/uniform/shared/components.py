"""Components of the interference graphs of many models: how small, of what kind, with what dimensionality."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import Islands, dimensionality, islands

Array = NDArray[np.float64]
Kind = tuple[int, int]
"""Number of features of a component, and the dimensions that they span."""


class Components(NamedTuple):
    """Components (component,) of several models: the `model` each is in, `size`, `rank`, mean `dimensionality`."""

    model: NDArray[np.int64]
    size: NDArray[np.int64]
    rank: NDArray[np.int64]
    dimensionality: Array


def all_components(W: ArrayLike, edge: float, threshold: float) -> Components:
    """Return the components of every model of `W` (model, hidden, feature), single features included."""
    columns = np.asarray(W, dtype=np.float64)
    found = [islands(one, edge, threshold) for one in columns]
    return Components(
        np.repeat(np.arange(len(found)), [len(one.size) for one in found]),
        np.concatenate([one.size for one in found]),
        np.concatenate([one.rank for one in found]),
        np.concatenate([_means(one, shares) for one, shares in zip(found, dimensionality(columns), strict=True)]),
    )


def _means(found: Islands, shares: Array) -> Array:
    """Return the mean of the features' `shares` in each component."""
    kept = found.label >= 0
    return np.asarray(np.bincount(found.label[kept], shares[kept], minlength=len(found.size)) / found.size)


def share_in_small(found: Components, models: int, largest: int) -> Array:
    """Return the share of represented features of each model (model,) in components of at most `largest`."""
    small = np.bincount(found.model, found.size * (found.size <= largest), minlength=models)
    return np.asarray(small / np.maximum(np.bincount(found.model, found.size, minlength=models), 1))


def tile_shares(
    found: Components, groups: Sequence[NDArray[np.bool_]], kinds: Mapping[str, Kind], largest: int
) -> Array:
    """Return the share of represented features in each kind of component, for each group of models, (group, kind + 2).

    Two kinds are added: other components of at most `largest` features, and larger ones.
    """
    named = [(found.size == size) & (found.rank == rank) for size, rank in kinds.values()]
    other = (found.size <= largest) & ~np.any(named, axis=0)
    columns = [*named, other, found.size > largest]
    rows = []
    for group in groups:
        weight = found.size * group[found.model]
        rows.append([(weight * column).sum() / max(weight.sum(), 1) for column in columns])
    return np.array(rows, dtype=np.float64)
