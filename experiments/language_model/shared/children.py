"""The latents that carry a concept: what tells them apart, in contexts and in text."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.language_model.shared.concepts import Events
from experiments.language_model.shared.dictionaries import Dictionary
from experiments.language_model.shared.observed import Observed, Seen
from experiments.language_model.shared.snippets import snippet
from experiments.language_model.shared.splits import Heading, carriers, carrying, descents

Ids = NDArray[np.int64]

SHOWN = 8
"""Latents in the table of examples, at most."""


@dataclass(frozen=True)
class Children:
    """The latents that carry a concept in one dictionary: `bars` counts each one's events by leaf.

    They belong to the concept and ladder that climb best; where none climbs, `concept` is "" and all is empty.
    """

    concept: str
    leaves: tuple[str, ...]
    latents: Ids  # (latent,), those that carry the most first
    bars: Ids  # (latent, leaf)
    snippets: tuple[str, ...]  # (latent,), the strongest event of each, the token between « and »


NO_CHILDREN = Children("", (), np.zeros(0, np.int64), np.zeros((0, 0), np.int64), ())


def children(
    name: str,
    one: Dictionary,
    observed: Observed,
    concept: Heading,
    text: Seen,
    of: Events,
    vocabulary: tuple[bytes, ...],
) -> Children:
    """Return the latents of dictionary `one` that carry the concept `name`."""
    f = one.encoded_at(of.token, observed.h)
    return Children(name, of.leaves, *_children(f, carriers(one, f, concept, of), text, of, vocabulary))


class Pictured(NamedTuple):
    """A concept in a ladder of dictionaries; see the fields of the same names in `text_splitting.Result`."""

    carrier: Ids
    leaf: Ids
    leaves: tuple[str, ...]
    latents: Ids
    bars: Ids
    descent: Ids
    snippets: tuple[str, ...]


def pictured_in(
    ladder: list[Dictionary],
    observed: Observed,
    concept: Heading,
    text: Seen,
    of: Events,
    vocabulary: tuple[bytes, ...],
) -> Pictured:
    """Return a concept's carriers in every dictionary of a ladder, and what tells those of the widest apart."""
    encoded = [one.encoded_at(of.token, observed.h) for one in ladder]
    carrier = np.array([carriers(one, f, concept, of) for one, f in zip(ladder, encoded, strict=True)])
    latents, bars, shown = _children(encoded[-1], carrier[-1], text, of, vocabulary)
    steps = [descents(carrier[k], carrier[k + 1]) for k in range(len(ladder) - 1)]
    return Pictured(carrier, of.leaf, of.leaves, latents, bars, np.array([len(step) for step in steps]), shown)


def _children(
    f: sparse.csr_matrix, carrier: Ids, text: Seen, of: Events, vocabulary: tuple[bytes, ...]
) -> tuple[Ids, Ids, tuple[str, ...]]:
    """Return the latents that carry a concept, their events by leaf, and the strongest event of each in its text."""
    latents = carrying(carrier)[:SHOWN]
    bars = np.array([np.bincount(of.leaf[carrier == latent], minlength=len(of.leaves)) for latent in latents])
    shown = []
    for latent in latents:
        mine = of.token[carrier == latent]
        strongest = mine[np.asarray(f[mine, int(latent)].todense()).argmax()]
        shown.append(snippet(text, vocabulary, int(strongest)))
    return latents, bars, tuple(shown)
