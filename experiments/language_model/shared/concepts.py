"""Concepts that occur in several contexts: one thing to see in a token, and where it stands.

A *concept* is told by the token itself (a digit, a comma, "the"), its *leaf* by the context (in a number, a name, a
string, a comment, prose, ...). It is the analogue of the second paper's base64 case, with contexts known exactly.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.observed import Seen
from experiments.language_model.shared.text import KINDS

Ids = NDArray[np.int64]

LEAVES = {
    "prose": "p", "keyword": "k", "name": "n", "number": "0", "string": "s", "docstring": "d", "comment": "c",
    "operator": "o", "layout": "iw", "base64": "B", "hexadecimal": "H", "DNA": "D",
}  # fmt: skip

_SHARED_WORDS = {b"in", b"is", b"if", b"for", b"and", b"or", b"not", b"with", b"as", b"from", b"while", b"return"}

CONCEPTS: dict[str, Callable[[bytes], bool]] = {
    "digit": lambda token: token.isdigit(),
    "keyword as a word": lambda token: token.strip() in _SHARED_WORDS,
    "the": lambda token: token.strip() in (b"the", b"The"),
    "capital": lambda token: token.strip()[:1].isupper(),
    "line end": lambda token: token.startswith(b"\n"),
    "full stop": lambda token: token.strip() == b".",
    "comma": lambda token: token.strip() == b",",
    "bracket": lambda token: token.strip() == b"(",
}

LEAST = 40
"""Events that a leaf needs to count."""


class Events(NamedTuple):
    """Tokens of one concept: their positions `token` (event,) in the text seen, and `leaf` (event,), an index into
    `leaves`, the names of those that occur often enough."""

    token: Ids
    leaf: Ids
    leaves: tuple[str, ...]


def events(text: Seen, vocabulary: tuple[bytes, ...], concept: str) -> Events:
    """Return the tokens of a concept whose leaf occurs at least `LEAST` times."""
    is_concept = np.array([CONCEPTS[concept](token) for token in vocabulary])
    leaf_of_kind = np.array([next(k for k, of in enumerate(LEAVES.values()) if kind in of) for kind in KINDS])
    token = np.flatnonzero(is_concept[text.ids])
    leaf = leaf_of_kind[text.kinds[token]]
    often = np.flatnonzero(np.bincount(leaf, minlength=len(LEAVES)) >= LEAST)
    kept = np.isin(leaf, often)
    return Events(token[kept], np.searchsorted(often, leaf[kept]), tuple(list(LEAVES)[k] for k in often))
