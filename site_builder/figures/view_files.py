"""Stores what a reader can move by hand as one line of JSON: most views stand in the page and a script shows them, a
collection has pages of its own (`site.collection_pages`)."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from experiments.core.browsing import Collection
from experiments.core.contract import FigureSpec
from experiments.core.errors import ReportError
from experiments.core.views import Cloud, Curves, Frames, Solids
from site_builder.store.records import FileRecord

KIND = "view.json"
"""The kind of file that a view is among the files of its figure."""

COLLECTION = "collection.json"
"""The kind of file that a collection is."""

STEPS = 2000
"""Steps between zero and the greatest magnitude of an array: finer than a screen shows, and three digits each."""

MAX_BYTES = 250_000
"""A heavier view would take a quarter of what a page may load; fewer frames or marks show the same."""

MAX_COLLECTION = 25_000_000
"""A heavier collection would take half of what all pages of one may weigh, see `site.collection_pages`."""


def write(spec: FigureSpec, result: Any, folder: Path) -> dict[str, FileRecord]:
    """Write the view of a figure into `folder`; return its record, whose path is the file's name, by kind of file."""
    assert spec.view is not None
    view = spec.view(result)
    kind, most = (COLLECTION, MAX_COLLECTION) if isinstance(view, Collection) else (KIND, MAX_BYTES)
    content = to_json(spec.id, view).encode()
    if len(content) > most:
        raise ReportError(f"the view of figure {spec.id!r} has {len(content):,} bytes, {most:,} at most; show less")
    path = folder / f"{spec.id}-{kind}"
    path.write_bytes(content)
    return {kind: FileRecord(path.name, hashlib.sha256(content).hexdigest(), len(content))}


def to_json(figure: str, view: Any) -> str:
    """Return a view as one line of JSON; equal views, equal text.

    That of solids or frames starts with its kind; that of a collection has the fields of `core.browsing`.
    """
    if isinstance(view, Collection):
        return json.dumps(view, default=vars, separators=(",", ":"), allow_nan=False)
    if not isinstance(view, Solids | Frames):
        raise ReportError(
            f"the view of figure {figure!r} is a {type(view).__name__}; return Solids, Frames or a Collection"
        )
    return json.dumps(_solids(view) if isinstance(view, Solids) else _frames(view), separators=(",", ":"))


def _solids(view: Solids) -> dict[str, Any]:
    solids = [
        {
            "name": solid.name,
            "positions": rounded(solid.vertices),
            "edges": solid.edges,
            "faces": solid.faces,
            "labels": solid.labels,
            "colours": solid.colours,
        }
        for solid in view.solids
    ]
    return {"kind": "solids", "label": view.label, "solids": solids}


def _frames(view: Frames) -> dict[str, Any]:
    panels = [_cloud(panel) if isinstance(panel, Cloud) else _curves(panel) for panel in view.panels]
    return {"kind": "frames", "label": view.label, "captions": view.captions, "panels": panels}


def _cloud(panel: Cloud) -> dict[str, Any]:
    return {
        "kind": "cloud",
        "label": panel.label,
        "frames": rounded(panel.positions),
        "shown": panel.shown,
        "limit": panel.limit,
        "edges": panel.edges,
        "faces": panel.faces,
        "labels": panel.labels,
        "colours": panel.colours,
    }


def _curves(panel: Curves) -> dict[str, Any]:
    return {
        "kind": "curves",
        "label": panel.label,
        "x": rounded(panel.x),
        "y": rounded(panel.y.T),
        "axes": [
            {"label": panel.x_label, "ticks": panel.x_ticks},
            {"label": panel.y_label, "ticks": panel.y_ticks},
        ],
        "labels": panel.labels,
        "colours": panel.colours,
    }


def rounded(values: np.ndarray) -> Any:
    """Return an array as nested lists, each number to `STEPS` steps of the greatest magnitude, as short as that is."""
    values = np.asarray(values, dtype=np.float64)
    top = float(np.abs(values).max(initial=0.0))
    decimals = max(0, int(np.ceil(np.log10(STEPS / top)))) if top > 0 else 0
    short = np.round(values, decimals) + 0.0  # no negative zero
    return (short.astype(np.int64) if decimals == 0 else short).tolist()
