"""Byte-pair tokens: the pair of neighbours that occurs most is written as one token, again and again.

Sennrich et al. 2016, arXiv 1508.07909, on bytes. Text is cut into pieces first (a word with the space before it, one
digit, a line end with the indentation after it), and no token crosses a piece. Of pairs that occur equally often the
one with the lower ids is taken, so that the tokens are a function of the text.
"""

import re
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

PIECE = re.compile(rb" ?[A-Za-z\x80-\xff]+|[0-9]|\n+[ ]*|[ ]+(?=[ ])|[ \t]+| ?[^\sA-Za-z0-9\x80-\xff]+|\s")

BYTES = 256
END = 0
"""The byte 0, which no document holds, stands for the end of a document."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of several texts: `ids[t]` (token,) and where each begins in its text, `starts[t]` (token,), in bytes;
    `vocabulary` has the bytes of each id."""

    ids: tuple[NDArray[np.int64], ...]
    starts: tuple[NDArray[np.int64], ...]
    vocabulary: tuple[bytes, ...]


def tokenized(texts: list[bytes], trained: list[bool], entries: int) -> Tokens:
    """Return all texts in tokens of a vocabulary of `entries`, learned from those that are `trained` on."""
    number: dict[bytes, int] = {}
    pieces = [np.array([number.setdefault(p, len(number)) for p in PIECE.findall(text)], np.int64) for text in texts]
    weight = np.zeros(len(number), np.int64)
    for of_text, counts in zip(pieces, trained, strict=True):
        if counts:
            weight += np.bincount(of_text, minlength=len(number))
    symbols, of_piece, pairs = _learned(list(number), weight, entries)
    vocabulary = [bytes([k]) for k in range(BYTES)]
    for a, b in pairs:
        vocabulary.append(vocabulary[a] + vocabulary[b])
    first = np.searchsorted(of_piece, np.arange(len(number) + 1))
    ids = tuple(_spelled(of_text, symbols, first) for of_text in pieces)
    length = np.array([len(entry) for entry in vocabulary])
    starts = tuple(np.cumsum(length[each]) - length[each] for each in ids)
    return Tokens(ids, starts, tuple(vocabulary))


def _learned(
    pieces: list[bytes], weight: NDArray[np.int64], entries: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the symbols of all pieces one after another, the piece each belongs to, and the merged pairs."""
    of_piece = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    symbols = np.frombuffer(b"".join(pieces), np.uint8).astype(np.int64)
    pairs = np.zeros((max(entries - BYTES, 0), 2), np.int64)
    kept = merge_pairs(symbols, of_piece, weight, pairs)
    return symbols[:kept], of_piece[:kept], pairs


@njit(cache=True)
def merge_pairs(symbols, of_piece, weight, pairs):  # type: ignore[no-untyped-def]
    """Merge the most frequent pair again and again, in place; fill `pairs` and return how many symbols are left.

    `symbols` and `of_piece` (symbol,), `weight` (piece,) how often each piece occurs; a piece of weight 0 is merged
    as the others are, but does not vote.
    """
    entries = 256 + len(pairs)
    counts = np.zeros((entries, entries), np.int64)
    size = len(symbols)
    for i in range(size - 1):
        if of_piece[i] == of_piece[i + 1]:
            counts[symbols[i], symbols[i + 1]] += weight[of_piece[i]]
    for merge in range(len(pairs)):
        new = 256 + merge
        a, b, most = 0, 0, np.int64(-1)
        for i in range(new):
            for j in range(new):
                if counts[i, j] > most:
                    a, b, most = i, j, counts[i, j]
        pairs[merge, 0], pairs[merge, 1] = a, b
        read = write = 0
        while read < size:
            piece = of_piece[read]
            if read + 1 < size and symbols[read] == a and symbols[read + 1] == b and of_piece[read + 1] == piece:
                w = weight[piece]
                counts[a, b] -= w
                if write > 0 and of_piece[write - 1] == piece:
                    counts[symbols[write - 1], a] -= w
                    counts[symbols[write - 1], new] += w
                if read + 2 < size and of_piece[read + 2] == piece:
                    counts[b, symbols[read + 2]] -= w
                    counts[new, symbols[read + 2]] += w
                symbols[write], of_piece[write] = new, piece
                read += 2
            else:
                symbols[write], of_piece[write] = symbols[read], piece
                read += 1
            write += 1
        size = write
    return size


def _spelled(pieces: NDArray[np.int64], symbols: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the symbols of a text from the numbers of its pieces."""
    length = (first[1:] - first[:-1])[pieces]
    ends = np.cumsum(length)
    place = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - length, length)
    return np.asarray(symbols[np.repeat(first[pieces], length) + place])
