"""Remembers which macros a page calls: to find them, all pages are parsed, and mostly one was edited."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from site_builder.pages.kept_texts import digest_of
from site_builder.pages.page_files import Call, Page, calls
from site_builder.store.entries import read_stamp, write_stamp

_PLAIN = (str, int, float, bool, type(None))


@dataclass
class KeptCalls:
    """The calls of pages by the digest of their text, in the file `record`; without one nothing is remembered.

    `code` is the digest of all that reads pages, without which nothing remembered holds.
    """

    record: Path | None
    code: str | None
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = read_stamp(self.record) if self.record and self.code else None
        pages = found.get("pages") if isinstance(found, dict) and found.get("code") == self.code else None
        self._before: dict[str, Any] = pages if isinstance(pages, dict) else {}

    def calls(self, page: Page, env: jinja2.Environment) -> list[Call]:
        """Return what `page_files.calls` would."""
        digest = digest_of(page.text)
        kept = self._before.get(digest)
        found = calls(page, env) if kept is None else [_call(each) for each in kept]
        if all(isinstance(value, _PLAIN) for call in found for value in _values(call)):
            self.known[digest] = kept or [asdict(call) for call in found]
        return found

    def save(self) -> None:
        """Write the record, if anything in it changed."""
        if self.record and self.code and self.known.keys() != self._before.keys():
            write_stamp(self.record, {"code": self.code, "pages": self.known})


def _values(call: Call) -> list[Any]:
    return [*call.arguments, *(value for _, value in call.named)]


def _call(kept: dict[str, Any]) -> Call:
    named = tuple((name, value) for name, value in kept["named"])
    return Call(kept["macro"], tuple(kept["arguments"]), kept["line"], named)
