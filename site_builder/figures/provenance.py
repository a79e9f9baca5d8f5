"""What a figure's files say of themselves, written into SVG, PNG and PDF, and read back from them.

Provenance is a dictionary of short names to text ("figure", "title", "experiment", "run key", ...). Three names
have a place of their own in every format: "title", "author" and "licence". A file holds no time, so that drawing
it again gives the same bytes.
"""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from experiments.core.errors import ReportError

_SEPARATOR = ": "


def svg_metadata(provenance: dict[str, str]) -> dict[str, Any]:
    """Return matplotlib's `metadata` for an SVG: Dublin Core in RDF, every name and value among the keywords."""
    own_places = {
        "Title": provenance.get("title"),
        "Creator": provenance.get("author"),
        "Rights": provenance.get("licence"),
        "Identifier": provenance.get("figure"),
        "Source": provenance.get("url"),
    }
    known = {name: value for name, value in own_places.items() if value is not None}
    return known | {"Keywords": _pairs(provenance), "Date": None}


def png_metadata(provenance: dict[str, str]) -> dict[str, Any]:
    """Return matplotlib's `metadata` for a PNG: one text chunk per name."""
    standard = {"title": "Title", "author": "Author", "licence": "Copyright", "url": "Source"}
    return {standard.get(name, name): value for name, value in provenance.items()} | {"Software": None}


def pdf_metadata(provenance: dict[str, str]) -> dict[str, Any]:
    """Return matplotlib's `metadata` for a PDF: document information, every name and value among the keywords."""
    return {
        "Title": provenance.get("title"),
        "Author": provenance.get("author"),
        "Subject": f"Figure {provenance['figure']}" if "figure" in provenance else None,
        "Keywords": "\n".join(_pairs(provenance)),
        "CreationDate": None,
    }


def read_provenance(path: Path) -> dict[str, str]:
    """Return the provenance written inside an SVG, PNG or PDF; raises ReportError for any other file."""
    readers = {".svg": _from_svg, ".png": _from_png, ".pdf": _from_pdf}
    if path.suffix not in readers:
        raise ReportError(f"{path.name}: provenance is written into SVG, PNG and PDF only")
    return readers[path.suffix](path)


def _pairs(provenance: dict[str, str]) -> list[str]:
    return [f"{name}{_SEPARATOR}{value}" for name, value in provenance.items()]


def _split(pairs: list[str]) -> dict[str, str]:
    return dict(pair.split(_SEPARATOR, 1) for pair in pairs if _SEPARATOR in pair)


def _from_svg(path: Path) -> dict[str, str]:
    bag = ElementTree.parse(path).getroot().iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    return _split([entry.text or "" for entry in bag])


def _from_png(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        image.load()
        text: dict[str, str] = dict(image.text)  # type: ignore[attr-defined]
    names = {"Title": "title", "Author": "author", "Copyright": "licence", "Source": "url"}
    return {names.get(name, name): value for name, value in text.items()}


def _from_pdf(path: Path) -> dict[str, str]:
    found = re.search(rb"/Keywords \(((?:\\.|[^\\)])*)\)", path.read_bytes(), re.DOTALL)
    return _split(_pdf_text(found.group(1)).split("\n")) if found else {}


_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _pdf_text(literal: bytes) -> str:
    """Decode a PDF literal string: escapes undone; UTF-16 when it starts with a byte order mark."""

    def unescape(match: re.Match[bytes]) -> bytes:
        code = match.group(1)
        return bytes([int(code, 8)]) if code.isdigit() else _ESCAPES.get(code, code)

    plain = re.sub(rb"\\([0-7]{1,3}|.)", unescape, literal, flags=re.DOTALL)
    return plain.decode("utf-16") if plain.startswith(b"\xfe\xff") else plain.decode("latin-1")
