"""Collections that a reader browses: one page per entry, and an index to search and sort. One kind of view.

A function registered with `@experiment.view("<figure id>")` returns a `Collection` where a figure sums up many things
that are worth looking at one by one, such as the latents of a dictionary. `site_builder` stores it as a file of the
figure and writes its pages into the site, linked from the figure. A collection is data alone: text, numbers and marked
text, which the pages escape. Nothing in it is Markdown or HTML.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Literal

NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
"""What an entry's id is made of: it names a file and an address."""


@dataclass(frozen=True)
class Column:
    """One column of the index and one line of an entry's facts.

    `explained` says in a sentence what the values are. `spec` formats numbers (".3f", ".1%"); a column of text has
    none.
    """

    name: str
    explained: str
    spec: str = ""


@dataclass(frozen=True)
class Passage:
    """A stretch of text with some of its tokens marked.

    `strengths` has one number per token, from 0 (not marked) to 1 (the strongest anywhere in the collection's entry).
    `peak` is the index of the token that the passage was chosen for, `source` where it comes from, `value` what the
    peak measures, in words.
    """

    tokens: tuple[str, ...]
    strengths: tuple[float, ...]
    peak: int
    source: str
    value: str


@dataclass(frozen=True)
class Passages:
    """Passages under one heading."""

    title: str
    about: str
    passages: tuple[Passage, ...]
    kind: Literal["passages"] = "passages"


@dataclass(frozen=True)
class Row:
    """A number with its name. `entry` is the id of the entry of the same collection that it speaks of, or ""."""

    name: str
    value: float
    entry: str = ""


@dataclass(frozen=True)
class Bars:
    """Named numbers, drawn as bars from zero. `spec` formats them; `is_text` says that names are tokens of text."""

    title: str
    about: str
    rows: tuple[Row, ...]
    spec: str = ".3f"
    is_text: bool = False
    kind: Literal["bars"] = "bars"


@dataclass(frozen=True)
class Histogram:
    """Counts between rising `edges`; `axis` names the quantity along them."""

    title: str
    about: str
    axis: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    kind: Literal["histogram"] = "histogram"


Section = Passages | Bars | Histogram


@dataclass(frozen=True)
class Entry:
    """One thing to look at.

    `id` is of lower case, digits and hyphens; `values` are one per column, None where undefined.
    """

    id: str
    title: str
    summary: str
    values: tuple[str | float | None, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Collection:
    """Entries in the order in which the index lists them at first.

    `noun` is what one entry is called ("latent"), `nouns` several of them; `about` says in plain sentences what is
    shown and on what it was measured.
    """

    title: str
    noun: str
    nouns: str
    about: str
    columns: tuple[Column, ...]
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        ids = {entry.id for entry in self.entries}
        _expect(len(self.entries) > 0, self.title, "there is no entry")
        _expect(len(ids) == len(self.entries), self.title, "two entries have one id")
        for entry in self.entries:
            _check_entry(self, entry, ids)


def _check_entry(collection: Collection, entry: Entry, ids: set[str]) -> None:
    where = f"{collection.title}: {entry.id}"
    _expect(bool(entry.id) and entry.id != "index" and set(entry.id) <= NAMES, where, "its id cannot name a file")
    _expect(len(entry.values) == len(collection.columns), where, f"{len(entry.values)} values for its columns")
    _check_finite(where, (value for value in entry.values if isinstance(value, float | int)))
    for section in entry.sections:
        if isinstance(section, Passages):
            for passage in section.passages:
                _check_passage(where, passage)
        elif isinstance(section, Bars):
            _check_finite(where, (row.value for row in section.rows))
            _expect({row.entry for row in section.rows} <= ids | {""}, where, "a row names an entry that is not there")
        else:
            _check_finite(where, section.edges)
            _expect(len(section.edges) == len(section.counts) + 1, where, "edges and counts differ")
            _expect(all(a < b for a, b in pairwise(section.edges)), where, "edges do not rise")


def _check_passage(where: str, passage: Passage) -> None:
    _expect(len(passage.tokens) == len(passage.strengths), where, "a passage has tokens without strengths")
    _expect(0 <= passage.peak < len(passage.tokens), where, "a passage has its peak outside")
    _expect(all(0 <= strength <= 1 for strength in passage.strengths), where, "a strength is not between 0 and 1")


def _check_finite(where: str, numbers: Iterable[float]) -> None:
    _expect(all(isfinite(number) for number in numbers), where, "a number is not finite; write None for undefined")


def _expect(holds: bool, where: str, problem: str) -> None:
    if not holds:
        raise ValueError(f"the collection {where!r} cannot be shown: {problem}")
