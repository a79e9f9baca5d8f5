"""Skip-gram with negative sampling (Mikolov et al. 2013), several seeds at once, one per thread.

The recipe is word2vec's: a window of random width, frequent words thinned out, noise words drawn from counts to
the power 3/4, a learning rate that falls linearly. Each seed has one random stream and one thread, so the same seed
gives the same bytes whatever runs beside it.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu import thread_count
from experiments.core.training.cpu_draws import inlined, jit
from experiments.linear_representation.shared.source_corpus import Corpus
from experiments.linear_representation.shared.word_vectors import SMOOTHING, Vectors, unit, vocabulary

NOISE_TABLE = 1 << 20
"""Entries of the table from which noise words are drawn; a word's share of them is its chance."""

LEAST_RATE = 1e-4
"""The learning rate falls to this share of the first, as in word2vec."""


@dataclass(frozen=True)
class SkipGram:
    """Recipe: `dimension` of the vectors, largest distance `window`, `negatives` noise words per pair, `epochs`
    over the corpus, first `learning_rate`, and `thinning`, the frequency above which a word is thinned out."""

    dimension: int = 64
    window: int = 5
    negatives: int = 5
    epochs: int = 5
    learning_rate: float = 0.025
    thinning: float = 1e-3


def train_skip_gram(corpus: Corpus, least: int, recipe: SkipGram, seeds: tuple[int, ...]) -> list[Vectors]:
    """Return one set of vectors per seed, of the words that occur at least `least` times."""
    words = vocabulary(corpus, least)
    counts = corpus.counts[: len(words)]
    noise = noise_table(counts)
    keep = keep_chances(counts, recipe.thinning)

    def one(seed: int) -> Vectors:
        W, C = start(len(words), recipe.dimension, seed)
        text = np.empty(np.diff(corpus.starts).max(), np.int32)
        state = np.random.default_rng([seed, 1]).integers(1, 2**63, 1, dtype=np.uint64)
        _train(
            corpus.tokens, corpus.starts, keep, noise, W, C, state, text, np.empty(recipe.dimension, np.float32),
            recipe.window, recipe.negatives, recipe.epochs, np.float32(recipe.learning_rate),
        )  # fmt: skip
        return Vectors(words, unit(W))

    with ThreadPoolExecutor(max(1, min(len(seeds), thread_count()))) as pool:
        return list(pool.map(one, seeds))


def start(size: int, dimension: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return word2vec's start: word vectors uniform in [-1/2, 1/2] / dimension, context vectors 0."""
    draws = np.random.default_rng([seed, 0]).random((size, dimension), dtype=np.float32)
    return (draws - np.float32(0.5)) / np.float32(dimension), np.zeros((size, dimension), np.float32)


def noise_table(counts: NDArray[np.int64], entries: int = NOISE_TABLE) -> NDArray[np.int32]:
    """Return a table (entries,) in which word `w` takes a share proportional to `counts[w]` to the power 3/4."""
    ends = np.cumsum(counts.astype(np.float64) ** SMOOTHING)
    middles = (np.arange(entries) + 0.5) / entries * ends[-1]
    return np.asarray(np.searchsorted(ends, middles, side="right"), dtype=np.int32)


def keep_chances(counts: NDArray[np.int64], thinning: float) -> NDArray[np.float32]:
    """Return the chance (word,) that an occurrence is kept: sqrt(t/f) + t/f for frequency f, at most 1."""
    ratio = thinning * counts.sum() / np.maximum(counts, 1)
    return np.asarray(np.minimum(1.0, np.sqrt(ratio) + ratio), dtype=np.float32)


@inlined
def _next(state: Any) -> Any:
    """Return 64 random bits (xorshift64*)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return x * np.uint64(2685821657736338717)


@inlined
def _thinned(tokens: Any, begin: Any, end: Any, keep: Any, state: Any, text: Any) -> Any:
    """Copy the kept tokens of one file to `text` and return how many there are."""
    count = 0
    for place in range(begin, end):
        token = tokens[place]
        if token < len(keep) and np.float32(_next(state) >> np.uint64(40)) * np.float32(2**-24) < keep[token]:
            text[count] = token
            count += 1
    return count


@jit
def _train(
    tokens: Any, starts: Any, keep: Any, noise: Any, W: Any, C: Any, state: Any, text: Any, change: Any,
    window: Any, negatives: Any, epochs: Any, rate: Any,
) -> None:  # fmt: skip
    """Train `W` (word, dimension) and `C` (context, dimension) in place; `text` and `change` are scratch space."""
    total = np.float64(epochs) * len(tokens)
    for epoch in range(epochs):
        for file in range(len(starts) - 1):
            done = (np.float64(epoch) * len(tokens) + starts[file]) / total
            step = rate * np.float32(max(1.0 - done, LEAST_RATE))
            count = _thinned(tokens, starts[file], starts[file + 1], keep, state, text)
            for place in range(count):
                reach = 1 + int((_next(state) >> np.uint64(33)) % np.uint64(window))
                for other in range(max(0, place - reach), min(count, place + reach + 1)):
                    if other != place:
                        _pair(W, C, text[place], text[other], noise, negatives, state, step, change)


@inlined
def _pair(
    W: Any, C: Any, word: Any, context: Any, noise: Any, negatives: Any, state: Any, step: Any, change: Any
) -> None:
    """Take one step on a pair: towards its context vector, away from those of noise words."""
    word, dimension = uintp(word), uintp(W.shape[1])  # unsigned, for a signed index is checked for wrapping around
    for d in range(dimension):
        change[d] = np.float32(0)
    for draw in range(negatives + 1):
        label, target = np.float32(1), context
        if draw > 0:
            label, target = np.float32(0), noise[(_next(state) >> np.uint64(20)) % np.uint64(len(noise))]
            if target == context:
                continue
        c, score = uintp(target), np.float32(0)
        for d in range(dimension):
            score += W[word, d] * C[c, d]
        error = step * (label - np.float32(1) / (np.float32(1) + np.float32(np.exp(-score))))
        for d in range(dimension):
            change[d] += error * C[c, d]
            C[c, d] += error * W[word, d]
    for d in range(dimension):
        W[word, d] += change[d]
