"""Documents to learn from: presidential messages and Python modules, with what each byte of them is.

The archive `text/documents.tar.xz` belongs to the project (see `cut_text`), so that every machine trains on the same
bytes. Lines of base64, hexadecimal and DNA letters are planted in all documents: contexts for which nothing else in
the text stands, as Arabic, Hebrew and base64 in Towards Monosemanticity.
"""

import base64
import io
import lzma
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

ARCHIVE = Path(__file__).parents[1] / "text" / "documents.tar.xz"

KINDS = "pkn0sdcoiwBHD"
"""Letters of `Document.kinds`: prose, keyword, other name, number, string, docstring, comment, operator, indentation,
other space; planted base64, hexadecimal, DNA."""

PLANTED_EVERY = 2500
"""Bytes of a document per planted line, on average."""


@dataclass(frozen=True)
class Document:
    """One document: `kinds` has one letter of `KINDS` per byte of `text`; `year` is that of a speech, 0 for code."""

    name: str
    part: Literal["speech", "code"]
    year: int
    text: bytes
    kinds: bytes
    held_out: bool


def documents(share: float, held_out: float, seed: int) -> tuple[Document, ...]:
    """Return the first `share` of each part's documents in a random order, the share `held_out` of them not trained
    on."""
    chosen: list[Document] = []
    for part, names in (("speech", _named("speeches/")), ("code", _named("python/"))):
        rng = np.random.default_rng([seed, len(names)])
        order = rng.permutation(len(names))[: round(share * len(names))]
        kept_back = round(held_out * len(order))
        chosen += [_document(names[k], part, place < kept_back, seed) for place, k in enumerate(order)]  # type: ignore[arg-type]
    return tuple(sorted(chosen, key=lambda document: document.name))


@cache
def _files() -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(ARCHIVE.read_bytes()))) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def _named(folder: str) -> list[str]:
    return sorted(name for name in _files() if name.startswith(folder) and not name.endswith(".kinds"))


def _document(name: str, part: Literal["speech", "code"], held_out: bool, seed: int) -> Document:
    text = _files()[name]
    if part == "speech":
        kinds, year = b"p" * len(text), int(Path(name).name[:4])
    else:
        kinds, year = _files()[name.replace(".py", ".kinds")], 0
    text, kinds = planted(text, kinds, np.random.default_rng([seed, *name.encode()]))
    return Document(name.partition("/")[2], part, year, text, kinds, held_out)


def planted(text: bytes, kinds: bytes, rng: np.random.Generator) -> tuple[bytes, bytes]:
    """Return text and kinds with lines of 60 to 90 letters put between lines at random."""
    texts, found, place = [], [], 0
    for line in text.splitlines(keepends=True):
        texts.append(line)
        found.append(kinds[place : place + len(line)])
        place += len(line)
        if line.endswith(b"\n") and rng.random() < len(line) / PLANTED_EVERY:
            kind = "BHD"[rng.integers(3)]
            texts.append(_letters(kind, int(rng.integers(60, 91)), rng) + b"\n")
            found.append(kind.encode() * len(texts[-1]))
    return b"".join(texts), b"".join(found)


def _letters(kind: str, count: int, rng: np.random.Generator) -> bytes:
    if kind == "D":
        return bytes(rng.choice(list(b"ACGT"), count).tolist())
    drawn = rng.bytes(count)
    return (base64.b64encode(drawn) if kind == "B" else drawn.hex().encode())[:count]
