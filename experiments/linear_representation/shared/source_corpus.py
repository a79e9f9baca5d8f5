"""A corpus of source code: the words of Python's standard library.

Identifiers and keywords, split at underscores and at changes of case, and the words of docstrings, in the order of
the files; comments and other strings are left out, and so are tests and packages that some systems leave out.

The project keeps these words (`words/library.txt.xz`, a line per file, from CPython 3.11.7), because the library
differs between patch versions of Python: read anew, it would give other numbers on other machines. Run as a script,
this module writes them from the library of the Python that runs it.
"""

import hashlib
import lzma
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CUT = Path(__file__).parent / "words" / "library.txt.xz"

LEFT_OUT = frozenset(
    (
        "site-packages",
        "dist-packages",
        "test",
        "tests",
        "idlelib",
        "lib2to3",
        "tkinter",
        "turtledemo",
        "ensurepip",
        "distutils",
        "__pycache__",
    )
)
"""Folders that are tests, are installed later, or are missing from some systems."""

_TOKEN = re.compile(
    r'[rRbBuUfF]{0,2}(?:"""(?P<double>(?:[^\\]|\\.)*?)"""'
    r"|'''(?P<single>(?:[^\\]|\\.)*?)'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*')"
    r"|\#[^\n]*"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)",
    re.DOTALL,
)
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PROSE = re.compile(r"[A-Za-z_]+")


@dataclass(frozen=True)
class Corpus:
    """Words as numbers.

    `words` are distinct, most frequent first; `counts` (word,) how often each occurs; `tokens` (token,) the text as
    indices into `words`, with files joined end to end; `starts` (file + 1,) where each file begins, and the end.
    `digest` is the SHA-256 over the words of the files, `files` how many there are.
    """

    words: tuple[str, ...]
    counts: NDArray[np.int64]
    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]
    digest: str
    files: int


def standard_library(part: int = 1) -> Corpus:
    """Return the corpus of the standard library, or of every `part`-th of its files."""
    return corpus_of(lzma.decompress(CUT.read_bytes()).decode().splitlines()[::part])


def write_cut(root: Path, cut: Path) -> None:
    """Write the words of the Python files below `root`, a line per file in the order of their paths."""
    contents = (path.read_bytes().decode("utf-8", errors="replace") for path in sorted(source_files(root)))
    lines = [" ".join(words_of(content)) + "\n" for content in contents]
    cut.write_bytes(lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME))


def source_files(root: Path) -> Iterator[Path]:
    """Yield the Python files below `root`, except in folders that are `LEFT_OUT`."""
    for path in root.iterdir():
        if path.is_dir() and path.name not in LEFT_OUT and not path.name.startswith((".", "config-", "lib-")):
            yield from source_files(path)
        elif path.suffix == ".py" and not path.name.startswith("_sysconfigdata"):  # that one names the machine
            yield path


def corpus_of(files: Sequence[str]) -> Corpus:
    """Return the corpus of the words of `files`, with spaces between them."""
    documents = [words.split() for words in files]
    counted = Counter(chain.from_iterable(documents))
    words = sorted(counted, key=lambda word: (-counted[word], word))
    number = {word: place for place, word in enumerate(words)}
    return Corpus(
        words=tuple(words),
        counts=np.array([counted[word] for word in words], np.int64),
        tokens=np.fromiter((number[word] for word in chain.from_iterable(documents)), np.int32),
        starts=np.cumsum([0, *map(len, documents)]),
        digest=hashlib.sha256("\n".join(files).encode()).hexdigest(),
        files=len(documents),
    )


def words_of(source: str) -> list[str]:
    """Return the words of Python source in lower case: identifiers and keywords in pieces, and docstring words.

    A string in triple quotes counts as a docstring. A regular expression reads it, which takes a tenth of the
    time of Python's tokenizer, and takes files of any syntax.
    """
    words: list[str] = []
    known: dict[str, list[str]] = {}
    for token in _TOKEN.finditer(source):
        prose = token["double"] or token["single"]
        for name in _PROSE.findall(prose) if prose else [token["name"]] if token["name"] else []:
            if name not in known:
                known[name] = pieces(name)
            words += known[name]
    return words


def pieces(name: str) -> list[str]:
    """Return the words of an identifier: "readHTTPHeader_fast" is read, http, header, fast; single letters go."""
    return [piece.lower() for piece in _PIECE.findall(name) if len(piece) > 1]


if __name__ == "__main__":
    write_cut(Path(sysconfig.get_path("stdlib")), CUT)
