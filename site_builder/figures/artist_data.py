"""How the numbers are read off each kind of matplotlib artist; `plotted_data` says what the columns mean."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import (
    FillBetweenPolyCollection,
    LineCollection,
    PathCollection,
    PolyCollection,
    QuadMesh,
)
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.contour import QuadContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import AxLine, Line2D
from matplotlib.patches import Patch, Polygon, Rectangle, StepPatch
from matplotlib.quiver import Quiver
from matplotlib.transforms import Transform
from numpy.typing import ArrayLike, NDArray

from experiments.core.errors import ReportError

Columns = dict[str, NDArray[Any]]
Reader = Callable[[Axes, Any], Columns]


def read(ax: Axes, artist: Artist) -> tuple[str, Columns]:
    """Return the kind of an artist and its columns; raise `ReportError` for one that cannot be read."""
    for kind, types, reader in READERS:
        if isinstance(artist, types):
            return kind, reader(ax, artist)
    raise _unreadable(ax, artist, "whose data cannot be read")


def _unreadable(ax: Axes, artist: Artist, why: str) -> ReportError:
    return ReportError(
        f"panel {ax.get_title(loc='left') or ax.get_title() or ax.get_xlabel()!r} shows a {type(artist).__name__} "
        f"({label_of(artist) or 'no label'}) {why}; mark it with plotting.decoration, or give its numbers with "
        "plotting.represents"
    )


def _across(ax: Axes, artist: Artist) -> str:
    """Return "x" or "y" for an artist that spans the panel and stands at a place on that axis only, else ""."""
    placed = _placement(artist)
    if placed is ax.get_yaxis_transform(which="grid"):
        return "y"
    if placed is ax.get_xaxis_transform(which="grid"):
        return "x"
    if placed is not ax.transData and not placed.contains_branch(ax.transData):
        raise _unreadable(ax, artist, "that is not in data coordinates")
    return ""


def _in_data(ax: Axes, artist: Artist) -> None:
    if _across(ax, artist):
        raise _unreadable(ax, artist, "that is half in data coordinates")


def _placement(artist: Artist) -> Transform:
    """Return the transform that takes what an artist is given as coordinates to the picture."""
    if isinstance(artist, PathCollection | Quiver):
        return artist.get_offset_transform()
    return artist.get_data_transform() if isinstance(artist, Patch) else artist.get_transform()


def kind_of(artist: Artist) -> str:
    return next((kind for kind, types, _ in READERS if isinstance(artist, types)), "other")


def bars(container: BarContainer) -> Columns:
    boxes = np.array([(*bar.get_xy(), bar.get_width(), bar.get_height()) for bar in container.patches], dtype=float)
    left, bottom, width, height = boxes.reshape(-1, 4).T
    if container.orientation == "horizontal":
        return {"y": bottom + height / 2, "base": left, "width": width}
    return {"x": left + width / 2, "base": bottom, "height": height}


def errors(container: ErrorbarContainer) -> Columns:
    line: Any = container.lines[0]
    arms: Any = container.lines[2]
    spans = [np.array(arm.get_segments(), dtype=float) for arm in arms]
    along = ([0] if container.has_xerr else []) + ([1] if container.has_yerr else [])
    if line is not None:
        columns = {"x": _numbers(line.get_xdata(orig=False)), "y": _numbers(line.get_ydata(orig=False))}
    else:  # fmt="none": an arm's other coordinate is the point's; its own value is not drawn
        columns = {"xy"[1 - along[0]]: spans[0][:, 0, 1 - along[0]]}
    for axis, segments in zip(along, spans, strict=True):
        columns[f"{'xy'[axis]}_low"] = segments[:, 0, axis]
        columns[f"{'xy'[axis]}_high"] = segments[:, 1, axis]
    return columns


def _line(ax: Axes, line: Line2D) -> Columns:
    x, y = _axis_values(line.get_xdata()), _axis_values(line.get_ydata())
    across = _across(ax, line)
    if across:
        return {across: (x if across == "x" else y)[:1]}
    return {"x": x, "y": y}


def _straight(_: Axes, line: Any) -> Columns:
    x, y = line.get_xy1()
    if line.get_xy2() is None:
        return {"x": np.array([x]), "y": np.array([y]), "slope": np.array([line.get_slope()])}
    x2, y2 = line.get_xy2()
    return {"x": np.array([x, x2]), "y": np.array([y, y2])}


def _points(ax: Axes, marks: Any) -> Columns:
    _in_data(ax, marks)
    offsets = _numbers(marks.get_offsets())
    columns = {"x": offsets[:, 0], "y": offsets[:, 1]}
    if marks.get_array() is not None:
        columns["value"] = _numbers(marks.get_array())
    sizes = np.asarray(marks.get_sizes(), dtype=float)
    if sizes.size == len(offsets) and np.unique(sizes).size > 1:
        columns["size"] = sizes
    return columns


def _image(_: Axes, image: Any) -> Columns:
    values = _numbers(image.get_array())
    if values.ndim != 2:
        raise ReportError(f"an image of shape {values.shape} shows colours, not numbers; give them with represents")
    left, right, bottom, top = image.get_extent()
    if image.origin == "upper":
        bottom, top = top, bottom
    x = left + (np.arange(values.shape[1]) + 0.5) * (right - left) / values.shape[1]
    y = bottom + (np.arange(values.shape[0]) + 0.5) * (top - bottom) / values.shape[0]
    grid = np.meshgrid(x, y)
    return {"x": grid[0].ravel(), "y": grid[1].ravel(), "value": values.ravel()}


def _mesh(_: Axes, mesh: QuadMesh) -> Columns:
    corners = np.asarray(mesh.get_coordinates(), dtype=float)
    cells = np.stack([corners[:-1, :-1], corners[:-1, 1:], corners[1:, :-1], corners[1:, 1:]]).reshape(4, -1, 2)
    low, high = cells.min(axis=0), cells.max(axis=0)
    return {
        "x_low": low[:, 0],
        "x_high": high[:, 0],
        "y_low": low[:, 1],
        "y_high": high[:, 1],
        "value": _numbers(mesh.get_array()).ravel(),
    }


def _band(ax: Axes, band: Any) -> Columns:
    """Undo `fill_between`: each outline is a corner, N lower points, a corner, N upper points backwards, the end."""
    _in_data(ax, band)
    parts = [np.asarray(path.vertices, dtype=float) for path in band.get_paths()]
    if not parts:
        return {name: np.empty(0) for name in (band.t_direction, "low", "high")}
    along, across = (0, 1) if band.t_direction == "x" else (1, 0)
    lows = [part[1 : (len(part) - 1) // 2] for part in parts]
    highs = [part[(len(part) + 1) // 2 : -1][::-1] for part in parts]
    low, high = np.concatenate(lows), np.concatenate(highs)
    return {band.t_direction: low[:, along], "low": low[:, across], "high": high[:, across]}


def _segments(ax: Axes, lines: LineCollection) -> Columns:
    _in_data(ax, lines)
    return _numbered("segment", [np.asarray(part, dtype=float) for part in lines.get_segments()])


def _polygons(_: Axes, polygons: PolyCollection) -> Columns:
    offsets = np.asarray(polygons.get_offsets(), dtype=float)
    values = polygons.get_array()
    if values is not None and len(offsets) == len(values):  # hexagonal bins
        return {"x": offsets[:, 0], "y": offsets[:, 1], "value": _numbers(values)}
    return _numbered("polygon", [np.asarray(path.vertices, dtype=float) for path in polygons.get_paths()])


def _polygon(ax: Axes, polygon: Polygon) -> Columns:
    _in_data(ax, polygon)
    corners = np.asarray(polygon.get_xy(), dtype=float)
    return {"x": corners[:, 0], "y": corners[:, 1]}


def _contours(_: Axes, contours: QuadContourSet) -> Columns:
    edges = np.asarray(contours.levels, dtype=float)
    levels = (edges[1:] + edges[:-1]) / 2 if contours.filled else edges
    parts = [np.asarray(path.vertices, dtype=float) for path in contours.get_paths()]
    numbered = _numbered("level", parts)
    return numbered | {"level": np.repeat(levels, [len(part) for part in parts])}


def _arrows(ax: Axes, arrows: Quiver) -> Columns:
    _in_data(ax, arrows)
    columns = {"x": _numbers(arrows.X), "y": _numbers(arrows.Y), "u": _numbers(arrows.U), "v": _numbers(arrows.V)}
    return columns if arrows.get_array() is None else columns | {"value": _numbers(arrows.get_array())}


def _steps(ax: Axes, steps: Any) -> Columns:
    _in_data(ax, steps)
    values, edges, _baseline = steps.get_data()
    return {"from": _numbers(edges[:-1]), "to": _numbers(edges[1:]), "value": _numbers(values)}


def _span(ax: Axes, box: Rectangle) -> Columns:
    x, y = box.get_xy()
    horizontal = {"x_low": np.array([x]), "x_high": np.array([x + box.get_width()])}
    vertical = {"y_low": np.array([y]), "y_high": np.array([y + box.get_height()])}
    across = _across(ax, box)
    if across:
        return vertical if across == "y" else horizontal
    return horizontal | vertical


def _numbered(name: str, parts: list[NDArray[np.float64]]) -> Columns:
    if not parts:
        return {key: np.empty(0) for key in (name, "x", "y")}
    joined = np.concatenate(parts).reshape(-1, 2)
    return {name: np.repeat(np.arange(len(parts)), [len(p) for p in parts]), "x": joined[:, 0], "y": joined[:, 1]}


# The first type that fits decides, so a subclass stands before its base.
READERS: tuple[tuple[str, type | tuple[type, ...], Reader], ...] = (
    ("line", AxLine, _straight),
    ("line", Line2D, _line),
    ("arrows", Quiver, _arrows),
    ("band", FillBetweenPolyCollection, _band),
    ("contours", QuadContourSet, _contours),
    ("points", PathCollection, _points),
    ("mesh", QuadMesh, _mesh),
    ("segments", LineCollection, _segments),
    ("polygons", PolyCollection, _polygons),
    ("image", AxesImage, _image),
    ("steps", StepPatch, _steps),
    ("span", Rectangle, _span),
    ("polygons", Polygon, _polygon),
)


def _axis_values(values: ArrayLike) -> NDArray[Any]:
    """Return names as they are and everything else as floats."""
    array = np.asarray(values)
    return array if array.dtype.kind in "UO" else _numbers(array)


def _numbers(values: Any) -> NDArray[np.float64]:
    """Return floats with masked entries as NaN."""
    masked: Any = np.ma.asarray(values, dtype=np.float64)
    return np.atleast_1d(np.asarray(masked.filled(np.nan), dtype=np.float64))


def label_of(artist: Artist) -> str:
    return public(str(artist.get_label() or ""))


def public(label: str) -> str:
    """Return the label, or "" for one that matplotlib made up."""
    return "" if label.startswith("_") else label
