"""Writes the pages of collections that a reader browses (`core.browsing`) into the built site, past the site engine.

The engine takes a second for thirty pages, and a collection has hundreds that are all alike: one template makes them,
with the site's styles. They lie in `browse/<figure>/`, `index.html` and one page per entry, linked from the figure.
All text of a collection is escaped, and signs that nobody sees, or that turn the direction of reading, are written out.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2

from site_builder.citing.publication import file_path
from site_builder.figures.view_files import COLLECTION
from site_builder.site.kept_pages import Earlier
from site_builder.store.records import FigureRecord, Problem, Report

MAX_BYTES = 50_000_000
"""What all pages of one collection may weigh."""

LEVELS = 5
"""Shades of a marked token; the number beside it says more."""

VISIBLE = {"\n": "↵\n", "\t": "⇥\t", "\r": "␍"}
"""Signs of a passage that have a place in the text and none on the screen."""

ROOT = "../../"
"""What leads from such a page to the site's root."""


def write_collections(report: Report, site: Path, title: str, before: Earlier | None = None) -> list[Problem]:
    """Write the pages of every collection of the report, whose file lies in `site` already; return what is wrong.

    `title` is that of the report. Pages that the site `before` has as they would be written are taken over from it.
    """
    env = environment()
    problems = []
    for figure in _browsed(report):
        folder = site / "browse" / figure.id
        if not (before and before.take_over_made(key_of(figure, title, before.frame), site)):
            text = (site / file_path(figure, COLLECTION)).read_text("utf-8")
            write_pages(json.loads(text, object_hook=_as_names), figure, folder, title, env)
        bytes_written = sum(path.stat().st_size for path in folder.iterdir())
        if bytes_written > MAX_BYTES:
            sentence = f"its pages have {bytes_written / 1e6:.0f} MB; {MAX_BYTES / 1e6:.0f} MB is the limit"
            problems.append(Problem(f"browse/{figure.id}", sentence))
    return problems


def made(report: Report, site: Path, title: str, frame: str) -> dict[str, list[str]]:
    """Return the files of each collection in a finished site, by the key of the collection."""
    return {
        key_of(figure, title, frame): [
            f"browse/{figure.id}/{path.name}" for path in (site / "browse" / figure.id).iterdir()
        ]
        for figure in _browsed(report)
    }


def key_of(figure: FigureRecord, title: str, frame: str) -> str:
    """Return the digest of all that the pages of a collection are made from; `frame` is that of `kept_pages`."""
    parts = [frame, title, figure.id, figure.page, figure.number, figure.files[COLLECTION].sha256]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _browsed(report: Report) -> list[FigureRecord]:
    return [figure for figure in report.figures.values() if COLLECTION in figure.files]


def write_pages(collection: Any, figure: FigureRecord, folder: Path, title: str, env: jinja2.Environment) -> None:
    """Write the index and the entries of one collection into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shown_in = SimpleNamespace(id=figure.id, page=figure.page, number=figure.number)  # all that `key_of` knows
    shared = {"collection": collection, "figure": shown_in, "root": ROOT, "site_name": title}
    (folder / "index.html").write_text(env.get_template("browse_index.html.jinja").render(shared), "utf-8")
    template = env.get_template("browse_entry.html.jinja")
    entries = collection.entries
    for before, entry, after in zip([None, *entries], entries, [*entries[1:], None], strict=False):
        (folder / f"{entry.id}.html").write_text(
            template.render(shared, entry=entry, before=before, after=after), "utf-8"
        )


def environment() -> jinja2.Environment:
    """Return the Jinja environment of these pages, which escapes whatever it is given."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["zip"] = zip
    env.filters |= {
        "shown": shown,
        "token": token,
        "cell": cell,
        "runs": lambda passage: list(runs(passage)),
        "lengths": lengths,
        "heights": heights,
        "in_words": in_words,
    }
    return env


def _as_names(fields: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(**fields)


def shown(text: str) -> str:
    """Return `text` with signs that cannot be seen written as their number (`\\u202e`)."""
    return "".join(sign if sign.isprintable() else VISIBLE.get(sign, _number(sign)) for sign in text)


def token(text: str) -> str:
    """Return a token that stands by itself: its spaces and line ends are signs that can be seen."""
    return shown(text).replace(" ", "␣").replace("\n", "").replace("\t", "") or "(empty)"


def _number(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def cell(value: str | float | None, spec: str) -> str:
    """Return a value of a column with this format; text and what is undefined have none."""
    if value is None:
        return "–"
    return shown(value) if isinstance(value, str) else format(value, spec).replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Run:
    """Text to mark alike: `level` from 1 to `LEVELS` (0 is not marked), and `percent` of the largest."""

    text: str
    level: int
    percent: int
    peak: bool


def runs(passage: Any) -> Iterator[Run]:
    """Yield the text of a passage in runs: a marked token is one, tokens between them are one together."""
    plain = ""
    for index, (text, strength) in enumerate(zip(passage.tokens, passage.strengths, strict=True)):
        if strength <= 0 and index != passage.peak:
            plain += shown(text)
            continue
        if plain:
            yield Run(plain, 0, 0, False)
            plain = ""
        yield Run(shown(text), ceil(LEVELS * strength), round(100 * strength), index == passage.peak)
    if plain:
        yield Run(plain, 0, 0, False)


def lengths(section: Any) -> list[tuple[Any, float]]:
    """Return each row of bars with its bar's length, in percent of the longest."""
    top = max((abs(row.value) for row in section.rows), default=0.0) or 1.0
    return [(row, round(100 * abs(row.value) / top, 1)) for row in section.rows]


def heights(section: Any) -> list[tuple[int, float]]:
    """Return place and height of each bar of a histogram that has one; the highest has 60."""
    top = max(section.counts, default=0) or 1
    return [(10 * place, round(60 * count / top, 1)) for place, count in enumerate(section.counts) if count]


def in_words(section: Any) -> str:
    """Return what a histogram shows, for a reader who does not see it."""
    most = max(range(len(section.counts)), key=section.counts.__getitem__)
    low, high = (cell(edge, ".3g") for edge in section.edges[most : most + 2])
    return f"Histogram of {sum(section.counts):,} values; most lie between {low} and {high} ({section.axis})"
