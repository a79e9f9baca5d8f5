"""Sparse codes of activations by coordinate descent: what FISTA converges to, at a small part of its cost.

A code holds about as many words as a sample has features, so that descent over the words in use, with a look at all
others from time to time (Friedman, Hastie and Tibshirani 2010, "Regularization paths"), needs few operations.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import jit

Array = NDArray[np.float32]

TOLERANCE = 1e-4
"""A code is done when no coefficient would move by more."""

UPDATES = 100_000
"""At most so many coefficients are changed per sample; hardly any sample comes near."""

CHUNK = 10_000
"""Samples coded at a time, so that memory stays small."""


class Coded(NamedTuple):
    """Sparse codes: `values` (sample, word) of the words asked for, and `work`, the multiply-adds per sample."""

    values: Array
    work: float


def coded(dictionary: Array, h: Array, penalty: float, words: NDArray[np.int64]) -> Coded:
    """Return the coefficients of some `words` (word,) in the sparse codes of activations `h` (sample, hidden).

    The code f >= 0 minimises ||h - f D||^2 / 2 + penalty * sum f, for unit rows of the `dictionary` D (word, hidden).
    """
    D = np.ascontiguousarray(dictionary, dtype=np.float32)
    gram = D @ D.T
    found, work = np.empty((len(h), len(words)), np.float32), np.empty(len(h), np.int64)
    f, left, used = np.empty(len(D), np.float32), np.empty(len(D), np.float32), np.empty(len(D), np.int64)
    for start in range(0, len(h), CHUNK):
        some = slice(start, start + CHUNK)
        pull = np.asarray(h[some] @ D.T - np.float32(penalty), dtype=np.float32)
        _fill(gram, pull, np.float32(TOLERANCE), UPDATES, words, f, left, used, found[some], work[some])
    return Coded(found, float(D.size + work.mean()))


@jit
def _fill(gram, pull, tolerance, updates, words, f, left, used, found, work):
    """Solve one sample after another: descend over the words in use, then look which others the rest calls for."""
    for n in range(len(pull)):
        for j in range(f.size):
            f[j] = np.float32(0)
            left[j] = pull[n, j]
        done = 0
        work[n] = 0
        while done < updates:
            count = _choose(left, tolerance, used, f)
            if count == 0:
                break
            moved = _descend(gram, left, tolerance, updates, used, count, f)
            work[n] += moved * count + _refresh(gram, pull[n], left, used, count, f) * f.size
            done += 1 + moved
        for place in range(words.size):
            found[n, place] = f[words[place]]


@jit
def _choose(left, tolerance, used, f):
    """Put into `used` the words of the code and the one that is missed most; return how many, 0 if none is missed."""
    count = 0
    most, missed = tolerance, -1
    for j in range(f.size):
        if f[j] > 0:
            used[count] = j
            count += 1
        elif left[j] > most:
            most = left[j]
            missed = j
    if missed < 0:
        return 0
    used[count] = missed
    return count + 1


@jit
def _descend(gram, left, tolerance, updates, used, count, f):
    """Change the coefficients of the words in use, in turn, until none moves; return how many changes that took.

    `left` (word,), the correlation with what the code leaves over, is kept up for these words alone.
    """
    moved = 0
    again = True
    while again and moved < updates:
        again = False
        for place in range(count):
            j = used[place]
            change = max(f[j] + left[j], np.float32(0)) - f[j]
            if change > tolerance or change < -tolerance:
                f[j] += change
                for other in range(count):
                    left[used[other]] -= change * gram[j, used[other]]
                moved += 1
                again = True
    return moved


@jit
def _refresh(gram, pull, left, used, count, f):
    """Set `left` (word,) for all words; return how many words the code holds."""
    held = 0
    for k in range(f.size):
        left[k] = pull[k]
    for place in range(count):
        value = f[used[place]]
        if value > 0:
            held += 1
            row = gram[used[place]]
            for k in range(f.size):
                left[k] -= value * row[k]
    return held
