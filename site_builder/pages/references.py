"""What pages cite: `docs/references.toml` lists it once, and pages link to its entries by their keys."""

import tomllib
import unicodedata
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError

PAGE = "related_work.html"
"""The page that lists all references."""


@dataclass(frozen=True)
class Reference:
    """One work: who is named in prose, all authors, year, title, address, and in one sentence what it found."""

    key: str
    short: str
    authors: str
    year: int
    title: str
    url: str
    about: str

    @property
    def anchor(self) -> str:
        """Return where the list of references has it."""
        return f"ref-{self.key}"


def load(path: Path) -> tuple[Reference, ...]:
    """Read the references, by authors and year; a missing file is empty. Raises ReportError for a wrong entry."""
    if not path.is_file():
        return ()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("reference", [])
    except tomllib.TOMLDecodeError as error:
        raise ReportError(f"docs/{path.name} cannot be read ({error})") from error
    found = [_reference(entry, path.name) for entry in entries]
    keys = [each.key for each in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise ReportError(f"docs/{path.name} lists {twice!r} twice; keep one entry")
    return tuple(sorted(found, key=lambda each: (_surname(each.authors), each.year, each.key)))


def _reference(entry: dict[str, Any], file: str) -> Reference:
    kinds = {each.name: int if each.name == "year" else str for each in fields(Reference)}
    wrong = [name for name, kind in kinds.items() if not isinstance(entry.get(name), kind)]
    if wrong or set(entry) - set(kinds):
        raise ReportError(f"docs/{file}: the entry {entry.get('key')!r} needs {', '.join(kinds)}, and nothing else")
    if not entry["url"].startswith("https://"):
        raise ReportError(f"docs/{file}: the address of {entry['key']!r} does not start with https://")
    return Reference(**entry)


def _surname(authors: str) -> str:
    """Return the first author's last name, as lists are ordered by ("Nelson Elhage and others": "elhage")."""
    first = authors.removesuffix(" and others").split(",")[0]
    return unicodedata.normalize("NFD", first.split()[-1]).casefold()
