"""Windows of held-out documents, on which everything about a network is measured."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.corpus import Corpus, Ids


class Windows(NamedTuple):
    """Pieces of documents, without overlap: `ids` (window, context + 1), the `document` each is from (window,) and the
    place of its first token there (window,)."""

    ids: Ids
    document: Ids
    place: Ids


def windows(corpus: Corpus, context: int, most: int) -> Windows:
    """Return at most `most` windows of every held-out document, evenly spread over it."""
    ids, document, place = [], [], []
    for d in corpus.held_out:
        tokens = corpus.tokens.ids[d]
        count = (len(tokens) - 1) // context
        for which in np.unique(np.linspace(0, count - 1, min(most, count)).astype(int)) if count else ():
            first = int(which) * context
            ids.append(tokens[first : first + context + 1])
            document.append(d)
            place.append(first)
    return Windows(np.array(ids), np.array(document), np.array(place))


def kinds_in(corpus: Corpus, windows: Windows) -> NDArray[np.int8]:
    """Return the kind of every token (window, context) that the network reads in `windows`; see `text.KINDS`."""
    context = windows.ids.shape[1] - 1
    return np.array([corpus.kinds[d][p : p + context] for d, p in zip(windows.document, windows.place, strict=True)])
