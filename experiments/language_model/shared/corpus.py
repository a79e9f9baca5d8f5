"""The text as the network sees it: tokens of every document, and what each token is."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from experiments.language_model.shared.byte_pairs import END, Tokens, tokenized
from experiments.language_model.shared.text import KINDS, Document, documents

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class TextConfig:
    """Which text: the `share` of all documents, the share of them `held_out` from training, and the vocabulary."""

    share: float = 1.0
    held_out: float = 0.2
    entries: int = 1024
    seed: int = 17


@dataclass(frozen=True, eq=False)
class Corpus:
    """All documents in tokens; `kinds[d]` (token,) indexes `text.KINDS`: what the token's last byte is."""

    documents: tuple[Document, ...]
    tokens: Tokens
    kinds: tuple[NDArray[np.int8], ...]

    @property
    def held_out(self) -> list[int]:
        """Return the positions of the documents that nothing is trained on."""
        return [place for place, document in enumerate(self.documents) if document.held_out]

    @property
    def stream(self) -> Ids:
        """Return the tokens of all other documents, one document after another, each with `END` behind it."""
        kept = [ids for document, ids in zip(self.documents, self.tokens.ids, strict=True) if not document.held_out]
        return np.concatenate([np.append(ids, END) for ids in kept])


@cache
def corpus(config: TextConfig) -> Corpus:
    """Return the documents in tokens."""
    chosen = documents(config.share, config.held_out, config.seed)
    tokens = tokenized(
        [document.text for document in chosen], [not document.held_out for document in chosen], config.entries
    )
    return Corpus(chosen, tokens, tuple(map(_kinds, chosen, tokens.starts)))


def _kinds(document: Document, starts: Ids) -> NDArray[np.int8]:
    code = np.full(256, -1, np.int8)
    code[list(KINDS.encode())] = np.arange(len(KINDS))
    ends = np.append(starts[1:], len(document.text))
    return np.asarray(code[np.frombuffer(document.kinds, np.uint8)[ends - 1]])
