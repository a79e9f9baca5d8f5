"""Which latents carry a concept, and how much the carrier tells about the context: part I of the report, on text.

The measures are those of the autoencoder part, which knows its features; here a concept's direction is estimated.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import split_information as measures
from experiments.core.split_information import CARRIED, CONTAINMENT, NOBODY, TAKEN_OVER
from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.dictionaries import Dictionary

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

SHARE = 0.05
"""Least share of a concept's carried events for a latent to count as one that carries it."""


class Heading(NamedTuple):
    """Where a concept lies in a network: its unit `direction` (mlp,) from the mean elsewhere to the mean at events, how
    far each event lies along it from the mean elsewhere, its `magnitude` (event,), and how far the two means are
    `apart`."""

    direction: NDArray[np.float32]
    magnitude: NDArray[np.float32]
    apart: float


def heading(h: NDArray[np.float32], events: Events) -> Heading:
    """Return the direction from the mean of activations `h` (token, mlp) elsewhere to the mean at a concept's events.

    It depends on the network and the concept alone, so that one serves all dictionaries.
    """
    on = np.zeros(len(h), bool)
    on[events.token] = True
    elsewhere = h[~on].mean(0)
    direction = h[on].mean(0) - elsewhere
    apart = float(np.linalg.norm(direction))
    direction /= apart
    return Heading(direction, (h[events.token] - elsewhere) @ direction, apart)


def carriers(dictionary: Dictionary, f: sparse.csr_matrix, concept: Heading, events: Events) -> Ids:
    """Return the latent that carries each event (event,), `NOBODY` where none contributes `CARRIED` of its magnitude.

    A latent's contribution is its activation times its row's component along the concept's direction. An event of
    magnitude 0 or less has no carrier.
    """
    magnitude = concept.magnitude * np.float32(dictionary.scale)
    contribution = f[events.token].multiply(dictionary.W_dec @ concept.direction).tocsr()
    best = np.asarray(contribution.argmax(1)).ravel()
    enough = np.asarray(contribution.max(1).todense()).ravel() >= CARRIED * magnitude
    return np.where(enough & (magnitude > 0), best, NOBODY).astype(np.int64)


def split_information(carrier: Ids, leaf: Ids, leaves: int) -> float:
    """Return I(carrier; leaf) / H(leaf) in [0, 1] over a concept's events; nobody counts as a carrier."""
    return measures.split_information(_tables(carrier, leaf, leaves))


def token_null(carrier: Ids, leaf: Ids, token_ids: Ids, leaves: int, draws: int, rng: np.random.Generator) -> Array:
    """Return split information (draw,) with leaves exchanged among events of the same token `token_ids` (event,).

    Such exchanges leave what the token itself tells about the leaf.
    """
    home = np.argsort(token_ids, kind="stable")
    token, kind = token_ids[home].astype(np.float64), leaf[home]
    (table,) = _tables(carrier, leaf, leaves)
    row = np.searchsorted(np.append(NOBODY, np.unique(carrier[carrier != NOBODY])), carrier)[home] * leaves
    counts = np.zeros((draws, *table.shape), np.int64)
    for draw in range(draws):
        order = np.argsort(token + rng.random(len(token)))  # tokens stay in place, their events change places
        counts[draw] = np.bincount(row + kind[order], minlength=table.size).reshape(table.shape)
    known = float(len(leaf)) * measures.information(counts)
    return np.asarray(known / max(len(leaf) * float(measures.entropy(table.sum(0))), 1e-300))


def _tables(carrier: Ids, leaf: Ids, leaves: int) -> list[measures.Table]:
    return measures.tables(carrier, np.zeros_like(leaf), leaf, 1, leaves)


def carrying(carrier: Ids) -> Ids:
    """Return the latents that carry at least `SHARE` of the carried events of a concept, most first."""
    names, count = np.unique(carrier[carrier != NOBODY], return_counts=True)
    order = np.argsort(-count, kind="stable")
    return np.asarray(names[order][count[order] >= max(SHARE * count.sum(), 1)], dtype=np.int64)


def effective_latents(carrier: Ids) -> float:
    """Return exp of the entropy of carriers, nobody left out: how many latents share a concept, 0 if none does."""
    return float(measures.effective_latents(_tables(carrier, np.zeros_like(carrier), 1))[0])


def descents(small: Ids, large: Ids) -> list[tuple[int, int]]:
    """Return pairs (latent of the small dictionary, latent of the large one that descends from it)."""
    both = (small != NOBODY) & (large != NOBODY)
    pairs, count = np.unique(np.stack([small[both], large[both]]), axis=1, return_counts=True)
    part = count / np.array([(small == i).sum() for i in pairs[0]])
    contained = count / np.array([(large == j).sum() for j in pairs[1]])
    return [(int(i), int(j)) for i, j in pairs[:, (part >= TAKEN_OVER) & (contained >= CONTAINMENT)].T]


def ladders(counted: Array) -> NDArray[np.bool_]:
    """Return whether the numbers of latents (width, ...) go from 1 to exactly 2 to 3 or more.

    They start at 1, are 2 at some later width, end at 3 or more and never fall: (...).
    """
    never_falls = (np.diff(counted, axis=0) >= 0).all(0)
    return np.asarray((counted[0] == 1) & (counted == 2).any(0) & (counted[-1] >= 3) & never_falls)


def best_climb(excess: Array, climbs: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the place, such as (ladder, concept), of the largest `excess` of those that climb; equal shapes."""
    return tuple(int(k) for k in np.unravel_index(int(np.where(climbs, excess, -np.inf).argmax()), climbs.shape))
