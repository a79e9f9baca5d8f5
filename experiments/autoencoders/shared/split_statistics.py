"""Statistics of width series: split information and effective latents per width, fates and origins per step, with
the truth beside."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.autoencoders.shared.lineage import FATES, ORIGINS, Lineage, lineage, match_splits
from experiments.autoencoders.shared.width_series import JudgedDictionary
from experiments.core.split_information import (
    CONTAINMENT,
    NOBODY,
    carried_share,
    effective_latents,
    effective_leaves,
    null_split_information,
    split_information,
    tables,
)
from experiments.core.synthetic_data import ClusterWorld, Events

Array = NDArray[np.float64]


class Dictionaries(NamedTuple):
    """Per width and seed (width, seed) unless said: split `information` and its `null` (width, seed, draw); effective
    latents per cluster, `latents` (width, seed, cluster), and the `ceiling` (seed, cluster) that one latent per leaf
    would give; the share of events `carried`; `dead` share; variance `explained`; `l0`."""

    information: Array
    null: Array
    latents: Array
    ceiling: Array
    carried: Array
    dead: Array
    explained: Array
    l0: Array


def measure_dictionaries(
    worlds: list[ClusterWorld],
    judged: list[tuple[Events, list[JudgedDictionary]]],
    draws: int,
    generator: np.random.Generator,
) -> Dictionaries:
    """Return the statistics of every width and seed; `draws` permutations of labels for each null."""
    rows = [
        [_measure(world, events, one, draws, generator) for one in dictionaries]
        for world, (events, dictionaries) in zip(worlds, judged, strict=True)
    ]
    information, null, latents, ceiling, carried = (
        np.moveaxis(np.array([[row[k] for row in dictionaries] for dictionaries in rows]), 0, 1) for k in range(5)
    )
    of_each = [np.array([[getattr(r, name) for r in dictionaries] for _, dictionaries in judged]).T for name in _JUDGED]
    return Dictionaries(information, null, latents, ceiling[0], carried, *of_each)


_JUDGED = ("dead", "explained", "l0")


def _measure(
    world: ClusterWorld, events: Events, one: JudgedDictionary, draws: int, generator: np.random.Generator
) -> tuple[float, Array, Array, Array, float]:
    of = tables(one.carrier, events.cluster, events.label, world.shape.clusters, world.use.size)
    null = null_split_information(of, draws, generator)
    return split_information(of), null, effective_latents(of), effective_leaves(of), carried_share(of)


class Steps(NamedTuple):
    """Per step from one width to the next and seed: latents that carry something by fate and origin,
    `fates` and `origins` (step, seed, kind); how many of each origin are `novel` (step, seed, kind); and pairs of
    `siblings` (step, seed, 2),
    children of one split: those of one cluster, and all."""

    fates: NDArray[np.int64]
    origins: NDArray[np.int64]
    novel: NDArray[np.int64]
    siblings: NDArray[np.int64]


def measure_steps(judged: list[tuple[Events, list[JudgedDictionary]]], clusters: int) -> Steps:
    """Return what became of latents from each width to the next."""
    found = [
        [_step(events, small, large, clusters) for small, large in pairwise(dictionaries)]
        for events, dictionaries in judged
    ]
    return Steps(*(np.moveaxis(np.array([[step[k] for step in seed] for seed in found]), 0, 1) for k in range(4)))


def lineage_of(small: JudgedDictionary, large: JudgedDictionary, contained: float = CONTAINMENT) -> Lineage:
    """Return the lineage from one dictionary to a wider one."""
    return lineage(small.carrier, large.carrier, large.helps, len(small.W_dec), contained)


def _step(
    events: Events, small: JudgedDictionary, large: JudgedDictionary, clusters: int
) -> tuple[list[int], list[int], list[int], tuple[int, int]]:
    line = lineage_of(small, large)
    novel = [int((large.novel & (line.origin == k)).sum()) for k in range(len(ORIGINS))]
    return list(line.fates().values()), list(line.origins().values()), novel, _siblings(line, events, large, clusters)


def _siblings(line: Lineage, events: Events, large: JudgedDictionary, clusters: int) -> tuple[int, int]:
    """Return how many pairs of children of one split carry mostly events of one cluster, and how many pairs there
    are."""
    home = home_clusters(large.carrier, events.cluster, len(large.W_dec), clusters)
    same = pairs = 0
    for parent in np.flatnonzero(line.fate == FATES.index("split")):
        members = np.bincount(home[line.edges[parent]], minlength=clusters)
        same += int((members * (members - 1) // 2).sum())
        pairs += int(members.sum() * (members.sum() - 1) // 2)
    return same, pairs


def home_clusters(
    carrier: NDArray[np.int64], cluster: NDArray[np.int64], latents: int, clusters: int
) -> NDArray[np.int64]:
    """Return the cluster of most of the events that each latent carries (latent,); 0 for one that carries none."""
    counts = np.zeros((latents, clusters), dtype=np.int64)
    carried = carrier != NOBODY
    np.add.at(counts, (carrier[carried], cluster[carried]), 1)
    return np.asarray(counts.argmax(1))


def measure_matches(
    worlds: list[ClusterWorld], judged: list[tuple[Events, list[JudgedDictionary]]], contained: tuple[float, ...]
) -> NDArray[np.int64]:
    """Return `Matched` counts (containment, step, seed, 4) of split edges against decoders, for each least
    containment."""
    return np.array(
        [
            [
                [
                    match_splits(
                        lineage_of(dictionaries[k], dictionaries[k + 1], least),
                        dictionaries[k].W_dec,
                        dictionaries[k + 1].W_dec,
                        leaves,
                    )
                    for (_, dictionaries), leaves in zip(judged, _leaves(worlds), strict=True)
                ]
                for k in range(len(judged[0][1]) - 1)
            ]
            for least in contained
        ]
    )


def _leaves(worlds: list[ClusterWorld]) -> list[NDArray[np.float32]]:
    return [world.directions[: world.shape.members] for world in worlds]
