"""Remembers what pages were rendered from, so that a page is rendered again only when that changed.

A rendered text is made from the page as written and from its frame: the report with all numbers, the statements,
the terms, the sizes of pictures, the templates and all other code. Where both are the same, and the rendered file is as
it was written, that file is what rendering would give. A page with a problem is not remembered: it is told again.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from site_builder.store.entries import read_stamp, write_stamp


def frame_of(*parts: Any) -> str:
    """Return the digest of all that pages quote, of which nothing may be left out of its `repr`."""
    return digest_of(repr(parts))


@dataclass
class KeptTexts:
    """The rendered pages in the folder `out`, and the file `record` that says what they were rendered from.

    Without a record nothing is remembered. `known` has the digests of source and text by the name of the page.
    """

    record: Path | None
    out: Path
    frame: str
    known: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._before = self._read()

    def text(self, name: str, source: str) -> str | None:
        """Return the rendered text of a page that is written like this, or None where it has to be rendered."""
        kept = self._before.get(name)
        if kept is None or kept[0] != digest_of(source):
            return None
        try:
            text = (self.out / name).read_text("utf-8")
        except (OSError, ValueError):
            return None
        if kept[1] != digest_of(text):
            return None
        self.known[name] = kept
        return text

    def remember(self, name: str, source: str, text: str) -> None:
        """Take in what a page was rendered from."""
        self.known[name] = [digest_of(source), digest_of(text)]

    def save(self, wrong: set[str]) -> None:
        """Write the record, but for the pages named `wrong`."""
        if self.record:
            sound = {name: digests for name, digests in self.known.items() if name not in wrong}
            write_stamp(self.record, {"frame": self.frame, "pages": sound})

    def _read(self) -> dict[str, list[str]]:
        found = read_stamp(self.record) if self.record else None
        pages = found.get("pages") if isinstance(found, dict) and found.get("frame") == self.frame else None
        return pages if isinstance(pages, dict) else {}


def digest_of(text: str) -> str:
    """Return the digest of a text, whatever signs are in it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
