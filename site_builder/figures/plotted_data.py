"""The data a figure shows, read off the figure itself, so that no experiment has to write them down twice.

`extract` walks every Axes and turns each artist into a `Series` of equally long columns. An artist that it
cannot read is an error that names it: nothing drawn is ever left out in silence. What is no data (text, spines, a
legend, anything marked with `plotting.decoration`) is passed over; an artist given `plotting.represents` is
taken at its word. Names of columns by kind of series:

=========  ====================================================================================
line       x, y (x or y alone for a line across the whole panel)
points     x, y, and value where colour shows a number, size where the area does
errors     x, y, and x_low, x_high, y_low, y_high as far as they are drawn
band       x, low, high (y, low, high for a horizontal one)
bars       x, base, height (y, base, width for horizontal ones)
span       x_low, x_high, y_low, y_high as far as they are in data coordinates
steps      from, to, value
image      x, y, value (centres of pixels)
mesh       x_low, x_high, y_low, y_high, value
arrows     x, y, u, v, and value where colour shows a number
segments   segment, x, y
polygons   polygon, x, y
contours   level, x, y
=========  ====================================================================================

Where ticks are names (bars over categories) a column `x_name` or `y_name` gives them.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryLocator
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray

from experiments.core.errors import ReportError
from experiments.core.plotting import is_decoration, represented
from site_builder.figures.artist_data import Columns, bars, errors, kind_of, label_of, public, read

SIGNIFICANT_DIGITS = 6
"""Digits of each number that enter a figure's digest: results are float32, which holds no more."""


@dataclass(frozen=True)
class Series:
    """One artist's data: its legend label ("" without one), what it looks like, equally long columns."""

    label: str
    kind: str
    columns: Columns


@dataclass(frozen=True)
class Panel:
    """One Axes: title, axis labels with their units, the colour bar's label, and the series on it."""

    title: str
    x: str
    y: str
    value: str
    series: tuple[Series, ...]


def extract(figure: Figure) -> tuple[Panel, ...]:
    """Return what each Axes of `figure` shows; raise `ReportError` for an artist that cannot be read."""
    stray = [
        a
        for a in (*figure.lines, *figure.patches, *figure.images, *figure.artists)
        if a.get_visible() and not is_decoration(a)
    ]
    if stray:
        raise ReportError(f"a {type(stray[0]).__name__} lies on the figure outside any axes; mark it as a decoration")
    panels = tuple(_panel(ax) for ax in _data_axes(figure))
    if not any(_has_finite(series) for panel in panels for series in panel.series):
        raise ReportError("the figure shows no data: every series is empty or NaN")
    return panels


def digest(identity: str, panels: tuple[Panel, ...]) -> str:
    """Return the SHA-256 of a figure's id and plotted data in canonical form.

    Numbers enter with six significant digits and looks do not enter, so neither a colour nor the last bit of a
    sum changes it; a panel's words (title, axis labels, legend) do, because they say what the numbers are.
    """
    canonical = json.dumps(
        [identity, _jsonable(panels, round_to=SIGNIFICANT_DIGITS)], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_json(identity: str, panels: tuple[Panel, ...]) -> str:
    """Return `{"figure": id, "panels": [{title, x, y, value, series: [{label, kind, columns}]}]}`; NaN is null."""
    return json.dumps({"figure": identity, "panels": _jsonable(panels)}, separators=(",", ":"), ensure_ascii=False)


def to_csv(panels: tuple[Panel, ...]) -> str:
    """Return one row per plotted element: panel (from 1), title, series, kind, then every column."""
    names = list(dict.fromkeys(name for panel in panels for series in panel.series for name in series.columns))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["panel", "title", "series", "kind", *names])
    for number, panel in enumerate(panels, start=1):
        for series in panel.series:
            columns = [_cells(series.columns[name]) if name in series.columns else None for name in names]
            for row in range(_length(series)):
                cells = ["" if column is None else column[row] for column in columns]
                writer.writerow([number, panel.title, series.label, series.kind, *cells])
    return text.getvalue()


def _cells(column: NDArray[Any]) -> list[str]:
    """Write each value so that reading it gives the same number back; NaN is an empty cell."""
    return ["" if isinstance(v, float) and np.isnan(v) else str(v) for v in column.tolist()]


def _jsonable(panels: tuple[Panel, ...], round_to: int | None = None) -> list[dict[str, Any]]:
    return [
        {
            "title": panel.title,
            "x": panel.x,
            "y": panel.y,
            "value": panel.value,
            "series": [
                {
                    "label": series.label,
                    "kind": series.kind,
                    "columns": {n: [_value(v, round_to) for v in c.tolist()] for n, c in series.columns.items()},
                }
                for series in panel.series
            ],
        }
        for panel in panels
    ]


def _value(value: Any, round_to: int | None) -> Any:
    if not isinstance(value, float):
        return value
    if not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    if round_to is None:
        return value
    return float(f"{value:.{round_to - 1}e}") + 0.0  # adding zero turns -0.0 into 0.0


def _length(series: Series) -> int:
    return min((column.size for column in series.columns.values()), default=0)


def _has_finite(series: Series) -> bool:
    """Return whether some row of the series could be seen: all its numbers are finite."""
    numbers = [column for column in series.columns.values() if column.dtype.kind in "fiu"]
    return _length(series) > 0 and bool(np.all([np.isfinite(c) for c in numbers], axis=0).any())


def _data_axes(figure: Figure) -> Iterator[Axes]:
    """Yield the visible axes, insets included, that are no colour bars."""

    def below(ax: Any) -> Iterator[Axes]:
        if ax.get_visible() and not hasattr(ax, "_colorbar"):
            yield ax
            for child in ax.child_axes:
                yield from below(child)

    for ax in figure.axes:
        if ax not in [child for other in figure.axes for child in other.child_axes]:
            yield from below(ax)


def _panel(ax: Axes) -> Panel:
    title = next((text for side in ("left", "center", "right") if (text := ax.get_title(loc=side))), "")
    series = tuple(_all_series(ax))
    title = re.sub(r"^\$\\mathbf\{\w\}\$\s*", "", title)  # the letter of `panel_letters` is no part of it
    return Panel(title, ax.get_xlabel(), ax.get_ylabel(), _value_label(ax), series)


def _value_label(ax: Axes) -> str:
    """Return the label of the colour bar that explains something on this panel."""
    for artist in (*ax.images, *ax.collections):
        bar = artist.colorbar
        if bar is not None:
            return str(bar.ax.get_ylabel() or bar.ax.get_xlabel())
    return ""


def _all_series(ax: Axes) -> Iterator[Series]:
    done: set[Artist] = set()
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer | BarContainer):
            members = set(_members(container))
            if not members <= done:
                done |= members
                yield from _container_series(ax, container)
    for artist in ax.get_children():
        if artist in done or _is_furniture(ax, artist):
            continue
        columns = represented(artist)
        kind, columns = (kind_of(artist), columns) if columns is not None else read(ax, artist)
        yield Series(label_of(artist), kind, _with_names(ax, columns))


def _is_furniture(ax: Axes, artist: Artist) -> bool:
    furniture = isinstance(artist, Axis | Spine | Text | Legend | Axes) or artist is ax.patch
    return furniture or not artist.get_visible() or is_decoration(artist)


def _members(container: ErrorbarContainer | BarContainer) -> list[Artist]:
    if isinstance(container, BarContainer):
        return list(container.patches)
    line, caps, arms = container.lines
    return [*([line] if line else []), *(caps or ()), *(arms or ())]


def _container_series(ax: Axes, container: ErrorbarContainer | BarContainer) -> Iterator[Series]:
    shown = [artist for artist in _members(container) if artist.get_visible() and not is_decoration(artist)]
    if not shown:
        return
    given = [columns for artist in shown if (columns := represented(artist)) is not None]
    if given:
        columns = {name: np.concatenate([part[name] for part in given]) for name in given[0]}
    elif isinstance(container, BarContainer):
        columns = bars(container)
    else:
        columns = errors(container)
    kind = "bars" if isinstance(container, BarContainer) else "errors"
    yield Series(public(str(container.get_label() or "")), kind, _with_names(ax, columns))


def _with_names(ax: Axes, columns: Columns) -> Columns:
    """Add `x_name` or `y_name` where every position of a column stands on a tick that has a name."""
    named = dict(columns)
    for letter, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        names = _tick_names(axis)
        if letter in columns and names and all(value in names for value in columns[letter].tolist()):
            named[f"{letter}_name"] = np.array([names[value] for value in columns[letter].tolist()])
    return named


def _tick_names(axis: Axis) -> dict[float, str]:
    """Return the names written at fixed ticks, by position; empty if ticks are plain numbers."""
    if not isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
        return {}
    places = [float(place) for place in axis.get_majorticklocs()]
    names = axis.get_major_formatter().format_ticks(places)
    return {} if all(_is_number(name) for name in names) else dict(zip(places, names, strict=True))


def _is_number(name: str) -> bool:
    """Return whether a tick says no more than its position: a plain number, a percentage, a power, or nothing."""
    plain = re.sub(r"[\s%$\\{}^]|mathdefault|times|mathrm", "", name).replace("\N{MINUS SIGN}", "-")
    try:
        return not plain or bool(np.isfinite(float(plain)))
    except ValueError:
        return False
