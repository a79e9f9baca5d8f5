"""What is seen of a network on held-out text: activations at every position, and what each token is."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.corpus import Corpus, corpus
from experiments.language_model.shared.network import Network, observe
from experiments.language_model.shared.text import KINDS
from experiments.language_model.shared.windows import Windows, kinds_in, windows

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]

LABELS = {
    "prose": "p", "code": "kn0sdcoiw", "keyword": "k", "name": "n", "number": "0", "string": "s", "docstring": "d",
    "comment": "c", "operator": "o", "indentation": "i", "base64": "B", "hexadecimal": "H", "DNA": "D",
}  # fmt: skip
"""Labels by kind of token, from Python's own `tokenize` and from what was planted."""

ERAS = {"speech before 1865": (1, 1864), "speech 1865 to 1932": (1865, 1932), "speech after 1932": (1933, 9999)}

ALL_LABELS = (*LABELS, *ERAS)


class Seen(NamedTuple):
    """The held-out text: per token (token,) its `ids`, `kinds` (see `text.KINDS`), `document` (number among those
    held out) and whether the document is in the `first` half; `labels` (token, label) in the order of `ALL_LABELS`."""

    windows: Windows
    ids: Ids
    kinds: NDArray[np.int8]
    document: Ids
    first: Flags
    labels: Flags


@dataclass(frozen=True, eq=False)
class Observed:
    """A network on that text: `x1` (token, model), what enters the MLP, and the MLP's activations `h` (token, mlp)."""

    network: Network
    x1: NDArray[np.float32]
    h: NDArray[np.float32]


def seen(text: Corpus, context: int, most: int) -> Seen:
    """Return at most `most` windows of every held-out document; halves take turns within speeches and within code."""
    chosen = windows(text, context, most)
    document = np.repeat(chosen.document, context)
    kinds = kinds_in(text, chosen).ravel()
    order = {d: k for part in ("speech", "code") for k, d in enumerate(_of_part(text, part))}
    first = np.array([order[d] % 2 == 0 for d in chosen.document.tolist()])
    number = np.searchsorted(text.held_out, document)
    return Seen(
        chosen, chosen.ids[:, :-1].ravel(), kinds, number, np.repeat(first, context), _labels(text, kinds, document)
    )


def _of_part(text: Corpus, part: str) -> list[int]:
    return [d for d in text.held_out if text.documents[d].part == part]


def _labels(text: Corpus, kinds: NDArray[np.int8], document: Ids) -> Flags:
    year = np.array([each.year for each in text.documents])[document]
    prose = kinds == KINDS.index("p")
    rows = [np.isin(kinds, [KINDS.index(letter) for letter in letters]) for letters in LABELS.values()]
    rows += [prose & (year >= low) & (year <= high) for low, high in ERAS.values()]
    return np.array(rows).T


def seen_by(network: Network, most: int) -> Seen:
    """Return the held-out text as all networks of one configuration read it."""
    return seen(corpus(network.config.text), network.config.context, most)


def observed_in(network: Network, text: Seen) -> Observed:
    """Return what a network makes of the text; one network at a time, since all together take much memory."""
    return Observed(network, *observe(network, text.windows))
