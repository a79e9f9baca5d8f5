"""The plotted data of a figure as tables that can be read without seeing the picture: one table for each panel.

A table holds the first rows of each series; the file of the figure's data holds them all.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from site_builder.text.markup import one_line

ROWS = 200
"""Rows that all tables of a figure hold together, unless it has more series: a page must stay light."""

DIGITS = 4
"""Significant digits of a number in a table; the file has all."""

_ENDS = {"low": "from", "high": "to"}


@dataclass(frozen=True)
class DataTable:
    """What one panel shows: headings, and rows of cells; `most` is the number of rows that the panel has in all."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    most: int


def data_tables(plotted: str) -> list[DataTable]:
    """Return the tables of a figure, given its data file (see `plotted_data`), "" for none; no data, no table."""
    panels = json.loads(plotted)["panels"] if plotted else []
    lengths = [_length(series) for panel in panels for series in panel["series"]]
    first = _first(lengths)
    return [_table(panel, first) for panel in panels if any(map(_length, panel["series"]))]


def _first(lengths: list[int]) -> int:
    """Return how many rows of each series are shown, at least one."""
    first = max(lengths, default=1)
    while first > 1 and sum(min(first, length) for length in lengths) > ROWS:
        first = min(first - 1, max(1, first * 9 // 10))
    return first


def _table(panel: dict[str, Any], first: int) -> DataTable:
    shown = [series for series in panel["series"] if _length(series)]
    named = any(series["label"] for series in shown)
    columns = list(dict.fromkeys(name for series in shown for name in series["columns"]))
    columns = [name for name in columns if f"{name}_name" not in columns]
    rows = tuple(
        (*([series["label"] or series["kind"]] if named else []), *cells)
        for series in shown
        for cells in _cells(series, columns, first)
    )
    headings = (*(["series"] if named else []), *(_heading(name, panel) for name in columns))
    return DataTable(one_line(panel["title"]), headings, rows, sum(map(_length, shown)))


def _cells(series: dict[str, Any], columns: list[str], first: int) -> Iterator[tuple[str, ...]]:
    found = series["columns"]
    for row in range(min(first, _length(series))):
        yield tuple(_number(found[name][row]) if name in found else "" for name in columns)


def _length(series: dict[str, Any]) -> int:
    return min((len(column) for column in series["columns"].values()), default=0)


def _heading(column: str, panel: dict[str, Any]) -> str:
    """Return what a column holds, in the words of the panel's axes where they have any ("density $p$, from")."""
    letter, _, end = column.partition("_")
    words = one_line(panel.get(letter, "")) or letter
    return words if end in ("", "name") else f"{words}, {_ENDS.get(end, end)}"


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return one_line(str(value))
    if isinstance(value, float) and math.isfinite(value):
        value = f"{value:.{DIGITS}g}"
    return str(value).replace("-", "\N{MINUS SIGN}").replace("e\N{MINUS SIGN}0", "e\N{MINUS SIGN}")
