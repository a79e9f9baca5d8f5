"""Sparse codes of activations by an active set: what FISTA converges to, at a small part of its cost.

A code holds about as many words as a sample has features. Words enter one at a time, the one first that the rest calls
for most; for the words in use the code is solved exactly, and words that would turn negative leave again (Lawson and
Hanson 1974, "Solving least squares problems", chapter 23, with a penalty). That takes about as many passes over the
dictionary as a code has words.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import inlined, jit
from experiments.core.training.cpu_vectors import WIDTH, above, add_rows, load, lowest, padded, splat

Array = NDArray[np.float32]

TOLERANCE = 1e-4
"""A code is done when no coefficient of a word outside it would move by more."""

STEPS = 1000
"""At most so many words enter a sample's code, those that leave again counted; hardly any sample comes near."""

LEAST = 1e-6
"""The part of a unit word's square that others in use do not span, at least: words that depend on others may enter."""

PIECE = 1_000
"""Samples coded at a time, so that their correlations with all words stay in the processor's cache."""


class Coded(NamedTuple):
    """Sparse codes: `values` (sample, word) of the words asked for, and `work`, the multiply-adds per sample."""

    values: Array
    work: float


_NONE, _ONE, _EIGHT = uintp(0), uintp(1), uintp(WIDTH)


class _Space(NamedTuple):
    """Space for one code: `left` (word,), the correlation of each word with what the code leaves over, less the
    penalty; the words in `used` with their coefficients `f` (and `taken`, less than nothing by as much), the
    coefficients to `aim` at, the Cholesky `factor` L of their products, and L^-1 times their correlations with the
    sample, which is `half` way to the aim."""

    left: Array
    used: NDArray[np.int64]
    f: NDArray[np.float64]
    taken: Array
    aim: NDArray[np.float64]
    half: NDArray[np.float64]
    factor: NDArray[np.float64]


def coded(dictionary: Array, h: Array, penalty: float, words: NDArray[np.int64]) -> Coded:
    """Return the coefficients of some `words` (word,) in the sparse codes of activations `h` (sample, hidden).

    The code f >= 0 minimises ||h - f D||^2 / 2 + penalty * sum f, for unit rows of the `dictionary` D (word, hidden).
    """
    D = np.ascontiguousarray(dictionary, dtype=np.float32)
    most = min(len(D), 2 * D.shape[1])  # more words than dimensions are in use in passing at most
    row = padded(len(D))  # vectors of words are filled up with words that nothing calls for
    gram = np.zeros((len(D), row), np.float32)
    gram[:, : len(D)] = D @ D.T
    space = _Space(
        left=np.empty(row, np.float32),
        used=np.empty(most, np.int64),
        taken=np.empty(most, np.float32),
        **{name: np.empty(most) for name in ("f", "aim", "half")},
        factor=np.empty((most, most)),
    )
    found, work = np.empty((len(h), len(words)), np.float32), np.empty(len(h), np.int64)
    for start in range(0, len(h), PIECE):
        some = slice(start, start + PIECE)
        pull = np.zeros((len(h[some]), row), np.float32)
        np.subtract(h[some] @ D.T, np.float32(penalty), out=pull[:, : len(D)])
        _fill(gram, pull, np.float32(TOLERANCE), words, space, found[some], work[some])
    return Coded(found, float(D.size + work.mean()))


@jit
def _fill(gram, pull, tolerance, words, space, found, work):
    """Solve one sample after another: let the word in that is missed most, solve, see what the rest calls for."""
    for n in range(len(pull)):
        for k in range(space.left.size):
            space.left[k] = pull[n, k]
        count, steps = 0, 0
        work[n] = 0
        while steps < STEPS and count < space.used.size:
            missed = _most_missed(space.left, tolerance)
            if missed < 0:
                break
            space.used[count] = missed
            space.f[count] = 0.0
            held = _settled(gram, pull[n], space, count)
            _refresh(gram, pull[n], space, held)
            work[n] += held * len(gram) + count * count
            count = held
            steps += 1
        for place in range(words.size):
            found[n, place] = np.float32(0)
            for k in range(count):
                if space.used[k] == words[place]:
                    found[n, place] = space.f[k]


@inlined
def _most_missed(left, tolerance):
    """Return the word that the rest calls for most, -1 if for none by more than the tolerance; those in use have 0."""
    most, missed = tolerance, np.int64(-1)
    for first in range(_NONE, uintp(left.size), _EIGHT):
        larger = above(load(left, first), splat(most))  # of eight words; few blocks have one
        while larger != _NONE:
            j = first + lowest(larger)
            if left[j] > most:
                most = left[j]
                missed = np.int64(j)
            larger &= larger - _ONE
    return missed


@inlined
def _settled(gram, pull, space, count):
    """Solve for the first `count` words in use and one more; return how many are left when none is negative."""
    used, f, aim = space.used, space.f, space.aim
    _factorise(gram, pull, space, count, count + 1)
    count += 1
    while True:
        _aim(space, count)
        share, first = 1.0, -1  # of the way to the aim, until the first coefficient is 0
        for k in range(count):
            if aim[k] <= 0 and f[k] < share * (f[k] - aim[k]):
                share = f[k] / (f[k] - aim[k])
                first = k
        for k in range(count):
            f[k] += share * (aim[k] - f[k])
        if first < 0:
            return count
        count -= 1
        for k in range(first, count):
            used[k] = used[k + 1]
            f[k] = f[k + 1]
        _factorise(gram, pull, space, first, count)


@inlined
def _factorise(gram, pull, space, first, count):
    """Set rows `first` to `count` of the Cholesky factor of the products of the words in use, and of `half`."""
    L, half, used = space.factor, space.half, space.used
    for i in range(first, count):
        for j in range(i):
            rest = np.float64(gram[used[i], used[j]])
            for k in range(j):
                rest -= L[i, k] * L[j, k]
            L[i, j] = rest / L[j, j]
        own, rest = np.float64(gram[used[i], used[i]]), np.float64(pull[used[i]])
        for k in range(i):
            own -= L[i, k] * L[i, k]
            rest -= L[i, k] * half[k]
        L[i, i] = np.sqrt(max(own, LEAST))
        half[i] = rest / L[i, i]


@inlined
def _aim(space, count):
    """Set `aim` to the coefficients of the words in use that minimise the objective, of whatever sign."""
    L, aim = space.factor, space.aim
    for k in range(count):
        aim[k] = space.half[k]
    for i in range(count - 1, -1, -1):
        aim[i] /= L[i, i]
        for k in range(i):
            aim[k] -= L[i, k] * aim[i]


@inlined
def _refresh(gram, pull, space, count):
    """Set `left` (word,) for all words."""
    left, taken = space.left, space.taken
    for k in range(left.size):
        left[k] = pull[k]
    for place in range(count):
        taken[place] = -np.float32(space.f[place])
    add_rows(left, gram, uintp(left.size), space.used, taken, _NONE, uintp(count))
