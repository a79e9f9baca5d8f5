"""One offset applied to many words: which word comes first for c - a + b, and at which rank the one expected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.linear_representation.shared.word_vectors import Vectors


@dataclass(frozen=True)
class OneOffset:
    """What the offset from one pair makes of each word c of other pairs (c, d).

    `words` are the c and `expected` the d; `first` is the word of highest cosine with c - a + b where a, b and c are
    barred, and `unbarred` where nothing is. `rank` is that of d among the words not barred, counted from 1.
    """

    words: tuple[str, ...]
    expected: tuple[str, ...]
    first: tuple[str, ...]
    unbarred: tuple[str, ...]
    rank: NDArray[np.int64]  # (word,)


def apply_offset(vectors: Vectors, pair: tuple[str, str], pairs: tuple[tuple[str, str], ...]) -> OneOffset:
    """Return what the offset from `pair` makes of the first words of `pairs`; pairs that share a word with it are left
    out."""
    a, b = (vectors.number[word] for word in pair)
    asked = [(c, d) for c, d in pairs if not {c, d} & set(pair)]
    c, d = (np.array([vectors.number[each[k]] for each in asked]) for k in (0, 1))
    scores = (vectors.matrix[c] - vectors.matrix[a] + vectors.matrix[b]) @ vectors.matrix.T  # (word, candidate)
    free = scores.copy()
    free[:, [a, b]] = -np.inf
    free[np.arange(len(c)), c] = -np.inf
    rank = 1 + (free > scores[np.arange(len(d)), d][:, None]).sum(1)
    return OneOffset(
        words=tuple(word for word, _ in asked),
        expected=tuple(word for _, word in asked),
        first=tuple(vectors.words[row] for row in free.argmax(1)),
        unbarred=tuple(vectors.words[row] for row in scores.argmax(1)),
        rank=rank,
    )
