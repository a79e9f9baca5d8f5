"""What the live toy model is told of the report: recipes, presets, and the plotted data of published figures.

`docs/live.toml` names figures, panels and columns; the numbers come from the figures' own data, so that a browser
shows what was published and nobody types it. What a number means is the business of the page's scripts.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError
from site_builder.store.records import REPLICATES, FigureRecord

FILE = "live.toml"
DIGITS = 6
"""Significant digits of the numbers that a page carries."""


def live_data(path: Path, figures: Mapping[str, FigureRecord], plotted: Callable[[FigureRecord], str]) -> str:
    """Return, as JSON, what `path` describes; "" where there is no such file.

    `plotted` gives the text of a figure's plotted data. A panel of a figure that this build lacks is left out. Raises
    `ReportError` for a file that cannot be read, and for a panel, column or series that a figure does not have.
    """
    if not path.is_file():
        return ""
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ReportError(f"docs/{path.name} cannot be read ({error})") from error
    panels = {
        name: _panel(name, wanted, figures[wanted["figure"]], plotted)
        for name, wanted in written.get("panel", {}).items()
        if wanted["figure"] in figures
    }
    told = {"recipes": written.get("recipe", {}), "presets": written.get("preset", []), "panels": panels}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _panel(
    name: str, wanted: dict[str, Any], figure: FigureRecord, plotted: Callable[[FigureRecord], str]
) -> dict[str, Any]:
    """Return where a panel stands, how many seeds it rests on, and its series as equally long x and y."""
    config = figure.run.config
    panels = json.loads(plotted(figure))["panels"]
    try:
        drawn = panels[wanted["panel"]]["series"]
        labels = wanted.get("series")
        chosen = [each for each in drawn if _is_wanted(each, labels, wanted)]
        series = [_points(each, wanted) for each in chosen]
    except (KeyError, IndexError) as error:
        raise ReportError(f"docs/{FILE}: panel {name!r} names {error}, which figure {figure.id!r} lacks") from error
    missing = sorted(set(labels or []) - {each["label"] for each in series})
    if missing or not series:
        raise ReportError(f"docs/{FILE}: panel {name!r} finds no series {missing} in figure {figure.id!r}")
    for each, label in zip(series, wanted.get("labels", []), strict=False):
        each["label"] = label
    return {
        "figure": figure.id,
        "number": figure.number,
        "page": figure.page,
        "seeds": next((config[key] for key in REPLICATES if key in config), None),
        "series": series,
    }


def _is_wanted(series: dict[str, Any], labels: list[str] | None, wanted: dict[str, Any]) -> bool:
    """Return whether a series is named, or, where none is, has the columns asked for."""
    columns = {wanted["x"]} | ({wanted["y"]} - {"count"})
    return columns <= series["columns"].keys() and (labels is None or series["label"] in labels)


def _points(series: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    x = [float(value) for value in series["columns"][wanted["x"]]]
    if wanted["y"] == "count":
        counted = sorted(Counter(x).items())
        x, y = [value for value, _ in counted], [count for _, count in counted]
    else:
        y = series["columns"][wanted["y"]]
    return {"label": series["label"], "x": _rounded(x), "y": _rounded(y)}


def _rounded(values: list[Any]) -> list[float | None]:
    return [None if value is None else float(f"{float(value):.{DIGITS}g}") for value in values]
