"""Which latents carry a concept, and how much the carrier tells about the context: part I of the report, on text.

The definitions are those of the autoencoder part (`experiments/autoencoders/shared`: carriers, split_information,
lineage), which knows its features; here a concept's direction is estimated. They are written again because a part
imports no other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.dictionaries import Dictionary

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

NOBODY = -1
CARRIED = 0.25
"""Least share of the concept's magnitude that its carrier contributes."""
SHARE = 0.05
"""Least share of a concept's carried events for a latent to count as one that carries it."""
PART, CONTAINED = 0.05, 0.8
"""A latent of a larger dictionary descends from one of a smaller that carried at least `CONTAINED` of its events, if it
took over at least `PART` of that one's."""


def carriers(dictionary: Dictionary, f: sparse.csr_matrix, h: NDArray[np.float32], events: Events) -> Ids:
    """Return the latent that carries each event (event,), `NOBODY` where none contributes `CARRIED` of its magnitude.

    The concept's direction is the mean of activations `h` (token, mlp) at its events less the mean elsewhere; an
    event's magnitude is how far it lies along it from the mean elsewhere, and a latent's contribution is its activation
    times its row's component along it. An event of magnitude 0 or less has no carrier.
    """
    on = np.zeros(len(h), bool)
    on[events.token] = True
    elsewhere = h[~on].mean(0)
    direction = h[on].mean(0) - elsewhere
    direction /= np.linalg.norm(direction)
    magnitude = (h[events.token] - elsewhere) @ direction * np.float32(dictionary.scale)
    contribution = f[events.token].multiply(dictionary.W_dec @ direction).tocsr()
    best = np.asarray(contribution.argmax(1)).ravel()
    enough = np.asarray(contribution.max(1).todense()).ravel() >= CARRIED * magnitude
    return np.where(enough & (magnitude > 0), best, NOBODY).astype(np.int64)


def entropy(counts: Array, axis: int | None = None) -> Array:
    """Return the entropy of counts along `axis`, all of them by default, in nats."""
    p = counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=axis))


def split_information(carrier: Ids, leaf: Ids, leaves: int) -> float:
    """Return I(carrier; leaf) / H(leaf) in [0, 1] over a concept's events; nobody counts as a carrier."""
    names, row = np.unique(carrier, return_inverse=True)
    table = np.bincount(row * leaves + leaf, minlength=len(names) * leaves).reshape(-1, leaves).astype(np.float64)
    known = entropy(table.sum(0)) + entropy(table.sum(1)) - entropy(table)
    return float(known / max(float(entropy(table.sum(0))), 1e-300))


class Nulls(NamedTuple):
    """Split information with leaves exchanged (draw,): among all `events` of the concept, and among events of the same
    `token`, which leaves what the token tells."""

    events: Array
    token: Array


def nulls(carrier: Ids, leaf: Ids, token_ids: Ids, leaves: int, draws: int, rng: np.random.Generator) -> Nulls:
    """Return split information for `draws` exchanges of leaves of both kinds; `token_ids` (event,) is each token."""
    everywhere, same = np.zeros(draws), np.zeros(draws)
    home = np.argsort(token_ids, kind="stable")
    for draw in range(draws):
        everywhere[draw] = split_information(carrier, rng.permutation(leaf), leaves)
        exchanged = np.empty_like(leaf)
        exchanged[home] = leaf[np.lexsort((rng.random(len(leaf)), token_ids))]
        same[draw] = split_information(carrier, exchanged, leaves)
    return Nulls(everywhere, same)


def carrying(carrier: Ids) -> Ids:
    """Return the latents that carry at least `SHARE` of the carried events of a concept, most first."""
    names, count = np.unique(carrier[carrier != NOBODY], return_counts=True)
    order = np.argsort(-count, kind="stable")
    return np.asarray(names[order][count[order] >= max(SHARE * count.sum(), 1)], dtype=np.int64)


def effective_latents(carrier: Ids) -> float:
    """Return exp of the entropy of carriers, nobody left out: how many latents share a concept, 0 if none does."""
    count = np.unique(carrier[carrier != NOBODY], return_counts=True)[1].astype(np.float64)
    return float(np.exp(entropy(count))) if count.size else 0.0


def descents(small: Ids, large: Ids) -> list[tuple[int, int]]:
    """Return pairs (latent of the small dictionary, latent of the large one that descends from it)."""
    both = (small != NOBODY) & (large != NOBODY)
    pairs, count = np.unique(np.stack([small[both], large[both]]), axis=1, return_counts=True)
    part = count / np.array([(small == i).sum() for i in pairs[0]])
    contained = count / np.array([(large == j).sum() for j in pairs[1]])
    return [(int(i), int(j)) for i, j in pairs[:, (part >= PART) & (contained >= CONTAINED)].T]
