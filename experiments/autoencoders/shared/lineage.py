"""Who descends from whom: latents of a small autoencoder against those of a larger one, on the same events.

With F_ij the number of events carried by latent i of the small and latent j of the large autoencoder,

    share        s_ij = F_ij / F_i.     which part of i's events j took over
    containment  c_ij = F_ij / F_.j     which part of j's events were i's

**Convention.** A latent *counts* if it carries at least one event in a thousand. j *descends* from i if `c_ij >=
0.8`, `s_ij >= 0.05`, and silencing j raises the error (the reconstruction condition); so j has one parent at most.
Then every latent of the small autoencoder that counts has one fate and every one of the large one has one origin:

    split    i has two descendants or more           child    descends from a latent that split
    kept     i has one                               kept     the only descendant
    merged   i has none, but is a part of a merger   merged   no parent, but two latents or more with c_ij >= 0.2
    died     none of these                           born     none of these

Sources: share and containment as in Tree SAE (2605.07922), whose point is that coverage alone gives false pairs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.split_information import CONTAINMENT, NOBODY, TAKEN_OVER

PART, LEAST_CARRIED = 0.2, 0.001
"""Further thresholds of the convention above."""

FATES = ("split", "kept", "merged", "died")
ORIGINS = ("child", "kept", "merged", "born")


class Lineage(NamedTuple):
    """What became of the latents of a small autoencoder in a large one.

    `flow` (small + 1, large + 1) counts events by carrier, `NOBODY` last. `edges` (small, large) are descents. `fate`
    (small,) and `origin` (large,) index `FATES` and `ORIGINS`, -1 where a latent does not count.
    """

    flow: NDArray[np.int64]
    edges: NDArray[np.bool_]
    fate: NDArray[np.int64]
    origin: NDArray[np.int64]

    @property
    def split_edges(self) -> NDArray[np.bool_]:
        """Descents from a latent that split (small, large)."""
        return np.asarray(self.edges & (self.fate == FATES.index("split"))[:, None])

    def fates(self) -> dict[str, int]:
        """Return the number of small latents that count with each fate."""
        return {name: int((self.fate == k).sum()) for k, name in enumerate(FATES)}

    def origins(self) -> dict[str, int]:
        """Return the number of large latents that count of each origin."""
        return {name: int((self.origin == k).sum()) for k, name in enumerate(ORIGINS)}


def lineage(
    small: ArrayLike, large: ArrayLike, helps: ArrayLike, latents: int, contained: float = CONTAINMENT
) -> Lineage:
    """Return the lineage of carriers `small` and `large` (event,) by the convention above.

    `helps` (large latent,) says whether a latent lowers the error; `latents` is the number of latents of the small one;
    `contained` replaces the least containment of a descent.
    """
    useful = np.asarray(helps, dtype=bool)
    flow = count_flow(small, large, latents, useful.size)
    counts = (flow.sum(1) >= LEAST_CARRIED * flow.sum())[:-1], (flow.sum(0) >= LEAST_CARRIED * flow.sum())[:-1]
    share = flow[:-1, :-1] / np.maximum(flow.sum(1)[:-1, None], 1)
    containment = flow[:-1, :-1] / np.maximum(flow.sum(0)[None, :-1], 1)
    edges = (share >= TAKEN_OVER) & (containment >= contained) & counts[0][:, None] & (counts[1] & useful)
    children, orphan = edges.sum(1), ~edges.any(0)
    parts = (containment >= PART) & counts[0][:, None]
    merger = orphan & (parts.sum(0) >= 2) & counts[1]
    in_merger = (parts & merger).any(1)
    fate = np.select([~counts[0], children >= 2, children == 1, in_merger], [-1, 0, 1, 2], 3)
    of_split = (edges & (children >= 2)[:, None]).any(0)
    origin = np.select([~counts[1], of_split, ~orphan, merger], [-1, 0, 1, 2], 3)
    return Lineage(flow, edges, fate, origin)


def count_flow(small: ArrayLike, large: ArrayLike, latents: int, larger: int) -> NDArray[np.int64]:
    """Return the number of events (latents + 1, larger + 1) by carrier in both autoencoders, `NOBODY` last."""
    i, j = np.asarray(small), np.asarray(large)
    i, j = np.where(i == NOBODY, latents, i), np.where(j == NOBODY, larger, j)
    return np.bincount(i * (larger + 1) + j, minlength=(latents + 1) * (larger + 1)).reshape(latents + 1, larger + 1)


class Matched(NamedTuple):
    """How a lineage agrees with the truth: `true` pairs, of which `found`, and `edges` drawn, of which `false`."""

    true: int
    found: int
    edges: int
    false: int


def match_splits(line: Lineage, small: ArrayLike, large: ArrayLike, leaf_of: ArrayLike) -> Matched:
    """Compare split edges with what the decoders alone say about which latent splits into which.

    `small` (latent, hidden) and `large` (latent, hidden) are unit decoder rows, `leaf_of` (leaf, hidden) unit leaf
    directions. A large latent that counts *is* the leaf of which it has the highest cosine, above 0.8; its parent is
    the small latent with the highest cosine with that leaf, above one half; a true split is a pair (parent, child) of
    a parent with two such children of different leaves. A split edge that is no true split is false. Activations are
    not used, so the comparison is not circular.
    """
    leaves = np.asarray(leaf_of)
    up, down = np.asarray(small) @ leaves.T, np.asarray(large) @ leaves.T
    best = down.argmax(1)
    recovered = (down.max(1) > 0.8) & (line.origin >= 0)
    parent = up.argmax(0)[best]
    recovered &= up.max(0)[best] > 0.5
    pairs = {(int(parent[j]), j, int(best[j])) for j in np.flatnonzero(recovered)}
    kinds = {i: {leaf for who, _, leaf in pairs if who == i} for i, _, _ in pairs}
    true = {(i, j) for i, j, _ in pairs if len(kinds[i]) >= 2}
    drawn = {(int(i), int(j)) for i, j in np.argwhere(line.split_edges)}
    return Matched(len(true), len(true & drawn), len(drawn), len(drawn - true))
