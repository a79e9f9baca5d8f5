"""Word vectors: made by counting (PPMI and a truncated SVD) or by prediction (skip-gram, see `skip_gram`).

Sources: Levy, Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons Learned from Word
Embeddings" (smoothed contexts, the root of the singular values); Mikolov et al. 2013 for skip-gram.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import svds

from experiments.linear_representation.shared.source_corpus import Corpus

Array = NDArray[np.float64]

SMOOTHING = 0.75
"""Exponent of the context counts: rare contexts would otherwise dominate (Levy et al. 2015, section 3.2)."""


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of words: `words`, most frequent first, and `matrix` (word, dimension) with rows of length 1."""

    words: tuple[str, ...]
    matrix: NDArray[np.float32]

    @cached_property
    def number(self) -> dict[str, int]:
        """Return the row of each word."""
        return {word: row for row, word in enumerate(self.words)}


def unit(matrix: ArrayLike) -> NDArray[np.float32]:
    """Return the rows of `matrix` (..., dimension) scaled to length 1; rows of length 0 stay 0."""
    rows = np.asarray(matrix, dtype=np.float32)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), dtype=np.float32)


def vocabulary(corpus: Corpus, least: int) -> tuple[str, ...]:
    """Return the words that occur at least `least` times, most frequent first."""
    return corpus.words[: int((corpus.counts >= least).sum())]


def cooccurrence(corpus: Corpus, size: int, window: int) -> csr_array:
    """Return how often the `size` most frequent words occur near each other, (word, context), symmetric.

    A pair at distance `k` up to `window` counts `(window + 1 - k) / window`, as word2vec does on average. Rarer
    words are taken out before distances are measured, and no pair crosses from one file to the next.
    """
    kept = corpus.tokens < size
    tokens = corpus.tokens[kept]
    files = np.repeat(np.arange(corpus.files), np.diff(corpus.starts))[kept]
    counts = csr_array((size, size), dtype=np.float64)
    for k in range(1, window + 1):
        left, right = tokens[:-k], tokens[k:]
        same = files[:-k] == files[k:]
        weight = np.full(int(same.sum()), (window + 1 - k) / window)
        counts = counts + csr_array(coo_array((weight, (left[same], right[same])), shape=(size, size)))
    return csr_array(counts + counts.T)


def ppmi(counts: csr_array) -> csr_array:
    """Return positive pointwise mutual information, max(0, log P(w, c) / (P(w) P(c))), with smoothed P(c)."""
    pairs = coo_array(counts)
    words = counts.sum(axis=1)
    contexts = counts.sum(axis=0) ** SMOOTHING
    row, column = pairs.coords
    information = np.log(pairs.data / words[row] / contexts[column] * contexts.sum())
    positive = information > 0
    return csr_array(coo_array((information[positive], (row[positive], column[positive])), shape=counts.shape))


def count_vectors(corpus: Corpus, least: int, window: int, dimension: int) -> Vectors:
    """Return PPMI vectors cut to `dimension` by a truncated SVD, with the root of the singular values."""
    words = vocabulary(corpus, least)
    matrix = ppmi(cooccurrence(corpus, len(words), window))
    start = np.ones(len(words)) / np.sqrt(len(words))  # ARPACK's own start is random
    U, singular, _ = svds(matrix, k=dimension, v0=start)
    return Vectors(words, unit(U * np.sqrt(singular)))
