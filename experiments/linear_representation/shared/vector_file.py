"""Reads ready word vectors from a file in the GloVe or word2vec text format, plain or gzipped.

One word per line, then its numbers, separated by spaces or tabs; word2vec puts a line with the number of words and of
dimensions first. A byte order mark ahead of all is no part of the first word. The file is read line by line, and only
the first (most frequent) words and those asked for are kept, so its size does not matter. Lines that cannot be read are
left out and counted.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError
from experiments.linear_representation.shared.word_vectors import Vectors, unit

LONGEST_LINE = 1 << 17
"""Bytes; thousands of dimensions fit. A longer line is no line of text."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class VectorFile:
    """`vectors` of the words that were kept; `lines` read and `bad` lines among them that were left out."""

    vectors: Vectors
    lines: int
    bad: int


def read_vectors(path: Path, most: int, wanted: frozenset[str] = frozenset()) -> VectorFile:
    """Return the vectors of the first `most` words of the file and of the `wanted` words wherever they stand.

    A line is bad when its word is no UTF-8 or occurred before, or its numbers are not as many as on the first good
    line, not finite or all zero. Reading stops when nothing more is wanted. Raises `ReportError` for a file that
    cannot be read or holds fewer than two vectors.
    """
    try:
        with _opened(path) as stream:
            return _read(stream, most, wanted, path.name)
    except (OSError, EOFError, zlib.error) as error:
        raise ReportError(f"{path.name}: the word vectors cannot be read ({error}); give another file") from error


def _opened(path: Path) -> BinaryIO | gzip.GzipFile:
    with path.open("rb") as stream:
        gzipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if gzipped else path.open("rb")


def _read(stream: BinaryIO | gzip.GzipFile, most: int, wanted: frozenset[str], name: str) -> VectorFile:
    rows: dict[str, NDArray[np.float32]] = {}
    lines = bad = dimension = 0
    missing = {word.encode() for word in wanted}
    for line in _lines(stream):
        line = _spaced(line.removeprefix(BYTE_ORDER_MARK) if lines == 0 else line)
        if len(rows) >= most and not missing:
            break
        if lines == 0 and _is_header(line):
            continue
        lines += 1
        if len(rows) >= most and line.partition(b" ")[0] not in missing:
            continue
        word, row = _parsed(line, dimension)
        if word is None or row is None or word in rows:
            bad += 1
            continue
        dimension = dimension or len(row)
        rows[word] = row
        missing.discard(word.encode())
    if len(rows) < 2:
        raise ReportError(
            f"{name}: {bad} of {lines} lines are no word vector; give a file in the GloVe or word2vec text format"
        )
    return VectorFile(Vectors(tuple(rows), unit(np.array(list(rows.values())))), lines, bad)


def _lines(stream: BinaryIO | gzip.GzipFile) -> Iterator[bytes]:
    """Yield lines without their ends; one that is too long, as an empty one."""
    while line := stream.readline(LONGEST_LINE):
        too_long = len(line) == LONGEST_LINE
        yield b"" if too_long else line.rstrip(b"\r\n \t")
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)


def _spaced(line: bytes) -> bytes:
    """Return a line with one space between its parts, where tabs or several spaces separate them."""
    return b" ".join(line.split()) if b"\t" in line or b"  " in line else line


def _is_header(line: bytes) -> bool:
    parts = line.split()
    return len(parts) == 2 and all(part.isdigit() for part in parts)


def _parsed(line: bytes, dimension: int) -> tuple[str | None, NDArray[np.float32] | None]:
    """Return word and numbers; `dimension` is 0 while unknown. Words may hold spaces, as a few of GloVe's do."""
    parts = line.rsplit(b" ", dimension) if dimension else line.split(b" ")
    if len(parts) < 3 or (dimension and len(parts) != dimension + 1) or _ends_in_number(parts[0]):
        return None, None
    try:
        with np.errstate(over="ignore"):
            row = np.array(parts[1:], dtype=np.float64).astype(np.float32)
        word = parts[0].decode()
    except ValueError:  # a word that is no UTF-8 raises one, too
        return None, None
    return (word, row) if word and np.isfinite(row).all() and row.any() else (None, None)


def _ends_in_number(word: bytes) -> bool:
    """Return whether a word of several parts ends in a number: then the line has a number too many."""
    last = word.rpartition(b" ")[2] if b" " in word else b""
    return last.replace(b".", b"", 1).lstrip(b"+-").isdigit()
