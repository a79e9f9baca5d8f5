"""Shared artists: each draws one kind of thing on an Axes, in one look, so that figures can be compared."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.container import ErrorbarContainer
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from matplotlib.quiver import Quiver
from numpy.typing import ArrayLike, NDArray

from experiments.core.plotting.roles import decoration, represents
from experiments.core.plotting.style import centred, colour, diverging, sequential, series
from experiments.core.quantities import Quantity, mean

AREA = 0.85
"""Opacity of large filled areas, which would shout in the full colour of a line."""


def directions(
    ax: Axes,
    W: ArrayLike,
    *,
    limit: float | None = None,
    colours: Sequence[str] | str | None = None,
    labelled: bool = False,
) -> Quiver:
    """Draw the columns of `W` (2, n) as arrows from the origin, with the unit circle, at equal aspect.

    `limit` is the half-width of the panel; give panels that are compared the same one. `labelled` adds
    ticks and axis labels; leave it out in a wall of small panels.
    """
    W = np.asarray(W, dtype=float)
    if W.ndim != 2 or W.shape[0] != 2:
        raise ValueError(f"directions are the columns of a (2, n) matrix, not of one of shape {W.shape}")
    _plane(ax, limit or 1.08 * max(1.0, float(np.linalg.norm(W, axis=0).max(initial=0.0))), labelled)
    arrows = ax.quiver(
        np.zeros(W.shape[1]),
        np.zeros(W.shape[1]),
        W[0],
        W[1],
        color=colours if colours is not None else colour("accent"),
        angles="xy",
        scale_units="xy",
        scale=1,
        units="width",
        width=0.014,
        headwidth=3.6,
        headlength=4.2,
        headaxislength=3.9,
        minlength=0.5,
        zorder=3,
    )
    return represents(
        arrows, {"feature": np.arange(W.shape[1]), "W_1": W[0], "W_2": W[1], "norm": np.linalg.norm(W, axis=0)}
    )


def _plane(ax: Axes, limit: float, labelled: bool) -> None:
    """Set up the plane of the two hidden dimensions: square limits, a unit circle, and ticks if wanted."""
    decoration(ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=colour("faint"), linewidth=0.8, zorder=1)))
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    if labelled:
        ax.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], xlabel="hidden dimension 1", ylabel="hidden dimension 2")
        return
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def gram(
    ax: Axes,
    matrix: ArrayLike,
    *,
    limit: float | None = None,
    label: str = "",
    axis: str = "feature",
    colourbar: bool = True,
) -> AxesImage:
    """Draw a signed matrix (`W^T W`, cosines) as a heat map centred on 0; `limit` is the end of both sides.

    `label` names the colour bar. Panels that are compared take one `limit` and one `colour_scale`.
    """
    matrix = np.asarray(matrix, dtype=float)
    image = ax.imshow(matrix, cmap=diverging(), norm=centred(matrix, limit=limit), interpolation="none")
    ax.set(xlabel=axis, ylabel=axis)
    ax.spines[:].set_visible(False)
    if max(matrix.shape) <= 12:
        ax.set(xticks=range(matrix.shape[1]), yticks=range(matrix.shape[0]))
    ax.tick_params(length=0 if max(matrix.shape) <= 12 else 3)
    if colourbar:
        colour_scale(image, ax, label=label)
    return image


def heat(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    *,
    signed: bool = False,
    norm: Normalize | None = None,
    label: str = "",
    colourbar: bool = True,
) -> QuadMesh:
    """Draw `values` (len(y), len(x)) over a grid of cell centres `x`, `y`, as a map of amounts or of signed amounts."""
    values = np.asarray(values, dtype=float)
    scale = norm or (centred(values) if signed else Normalize(float(np.nanmin(values)), float(np.nanmax(values))))
    log = (ax.get_xscale() == "log", ax.get_yscale() == "log")
    edges = cell_edges(x, log=log[0]), cell_edges(y, log=log[1])
    mesh = ax.pcolormesh(*edges, values, cmap=diverging() if signed else sequential(), norm=scale, shading="flat")
    mesh.set(edgecolor="face", linewidth=0.3)  # no seams between cells where a viewer smooths edges
    grid = np.meshgrid(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    represents(mesh, {"x": grid[0].ravel(), "y": grid[1].ravel(), "value": values.ravel()})
    if colourbar:
        colour_scale(mesh, ax, label=label)
    return mesh


def cell_edges(centres: ArrayLike, *, log: bool = False) -> NDArray[np.float64]:
    """Return the len + 1 edges of cells around increasing or decreasing `centres`, halfway on the axis's own scale."""
    at = np.log(np.asarray(centres, dtype=float)) if log else np.asarray(centres, dtype=float)
    if at.size == 1:
        edges = at + np.array([-0.5, 0.5])
    else:
        middle = (at[1:] + at[:-1]) / 2
        edges = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return _floats(np.exp(edges) if log else edges)


def colour_scale(image: AxesImage | QuadMesh, axes: Any, *, label: str = "") -> Colorbar:
    """Add one thin colour bar for `image` beside `axes` (one Axes or all that share the scale)."""
    if isinstance(axes, Axes):
        # Inside the panel's own coordinates the bar is exactly as tall as the picture, whatever its aspect.
        strip = axes.inset_axes((1.03, 0.0, 0.045, 1.0))
        bar = axes.figure.colorbar(image, cax=strip, label=label)
    else:
        bar = np.ravel(axes)[0].figure.colorbar(image, ax=axes, label=label, pad=0.02, fraction=0.05, aspect=24)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=3)
    return bar


def band(
    ax: Axes,
    x: ArrayLike,
    low: ArrayLike,
    mid: ArrayLike,
    high: ArrayLike,
    *,
    label: str = "",
    index: int = 0,
    marker: str = "",
) -> Line2D:
    """Draw a line with its interval or quantile band in the colour of series `index`."""
    tone = series(index)
    decoration(ax.fill_between(_floats(x), _floats(low), _floats(high), color=tone, alpha=0.22, linewidth=0, zorder=2))
    (line,) = ax.plot(x, mid, color=tone, label=label or None, marker=marker, zorder=3)
    return represents(line, {"x": x, "y": mid, "low": low, "high": high})


def seed_band(
    ax: Axes,
    x: ArrayLike,
    values: ArrayLike,
    *,
    label: str = "",
    index: int = 0,
    marker: str = "",
    within: tuple[float, float] | None = None,
) -> Line2D:
    """Draw the mean over the last axis of `values` (point, seed) with its 95 % Student t interval, kept `within`."""
    found = [mean(row, within=within) for row in _floats(values)]
    low, mid, high = ([getattr(each, bound) for each in found] for bound in ("low", "value", "high"))
    if low[0] is None:
        low = high = mid
    return band(ax, x, low, mid, high, label=label, index=index, marker=marker)


def points(
    ax: Axes,
    x: ArrayLike,
    quantities: Sequence[Quantity],
    *,
    label: str = "",
    index: int = 0,
    line: bool = False,
    horizontal: bool = False,
) -> ErrorbarContainer:
    """Draw quantities at `x` with their 95 % intervals; `horizontal` puts the values on the x axis."""
    values = np.array([q.value for q in quantities])
    bars = np.array([_arms(q) for q in quantities]).T
    style: dict[str, Any] = {"color": series(index), "fmt": "o-" if line else "o", "markersize": 4.5, "linewidth": 1.3}
    if horizontal:
        return ax.errorbar(values, x, xerr=bars, label=label or None, zorder=3, **style)
    return ax.errorbar(x, values, yerr=bars, label=label or None, zorder=3, **style)


def field_points(
    ax: Axes, x: ArrayLike, rows: Sequence[Any], fields: Mapping[str, str], *, indices: Sequence[int] = ()
) -> list[ErrorbarContainer]:
    """Draw, over `x`, one line of `points` per field of `rows`: `fields` maps its label to the name of a quantity.

    `indices` are the series (0, 1, 2, ... if not given); what is drawn comes back in their order.
    """
    drawn = []
    for index, (label, field) in zip(indices or range(len(fields)), fields.items(), strict=True):
        found = [getattr(row, field) for row in rows]
        drawn.append(points(ax, x, found, label=label, index=index, line=True))
    return drawn


def _arms(quantity: Quantity) -> tuple[float, float]:
    if quantity.low is None or quantity.high is None:
        return 0.0, 0.0
    # An order-statistic or Wilson interval may exclude the estimate by rounding alone; an arm is never negative.
    return max(quantity.value - quantity.low, 0.0), max(quantity.high - quantity.value, 0.0)


def distribution_strip(
    ax: Axes,
    groups: Mapping[str, ArrayLike],
    *,
    index: int | None = 0,
    colours: Sequence[str] | None = None,
    names: bool = True,
    width: float = 0.32,
) -> None:
    """Draw every value of each group as a point, spread sideways by local density, with the group's median as a bar.

    Groups stand at x = 0, 1, 2, ...; `index` is one colour for all, None gives each group its own, as do `colours`.
    """
    for position, (name, values) in enumerate(groups.items()):
        sample = np.sort(np.asarray(values, dtype=float).ravel())
        tone = colours[position] if colours is not None else series(position if index is None else index)
        marks = ax.scatter(
            position + width * _spread(sample), sample, s=7, color=tone, alpha=0.55, linewidths=0, label=name, zorder=2
        )
        represents(marks, {"group": np.full(sample.size, name), "value": sample})
        centre = float(np.median(sample))
        bar = ax.plot([position - width, position + width], [centre] * 2, color=colour("ink"), linewidth=1.6, zorder=4)
        decoration(bar[0])
    ax.set_xlim(-0.6, len(groups) - 0.4)
    ax.set_xticks(range(len(groups)), list(groups) if names else [""] * len(groups))


def _spread(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sideways offsets in [-1, 1] of sorted values: the golden-ratio sequence times local density."""
    phase = (np.arange(sample.size) * 0.6180339887498949) % 1.0
    span = float(sample[-1] - sample[0]) if sample.size else 0.0
    if span == 0.0:
        return _floats(2 * phase - 1)
    counts, edges = np.histogram(sample, bins=24)
    density = np.interp(sample, (edges[1:] + edges[:-1]) / 2, counts / counts.max())
    return _floats((2 * phase - 1) * np.sqrt(density))


def theory_line(ax: Axes, x: ArrayLike, y: ArrayLike, *, label: str = "theory") -> Line2D:
    """Draw what a formula predicts: dashed, in ink, above the data, the same in every figure."""
    (line,) = ax.plot(x, y, label=label or None, zorder=5, **_theory())
    return line


def theory_level(ax: Axes, value: float, *, label: str = "theory", vertical: bool = False) -> Line2D:
    """Draw a predicted constant across the whole panel (at x = `value` if `vertical`)."""
    draw = ax.axvline if vertical else ax.axhline
    line = draw(value, label=label or None, zorder=5, **_theory())
    return represents(line, {"x" if vertical else "y": [value]})


def _theory() -> dict[str, Any]:
    return {"color": colour("theory"), "linewidth": 1.2, "linestyle": (0, (4, 2))}


def guide(ax: Axes, value: float, *, vertical: bool = False) -> Line2D:
    """Draw a faint line at a round value (zero, one); it helps the eye and is no data."""
    line = (ax.axvline if vertical else ax.axhline)(value, color=colour("faint"), linewidth=0.8, zorder=0)
    return decoration(line)


def null_band(
    ax: Axes, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, mid: ArrayLike | None = None, label: str = "null model"
) -> None:
    """Draw what a null model (random directions, shuffled data) gives: a grey band, its middle dotted."""
    tone = colour("null")
    shade = ax.fill_between(
        _floats(x), _floats(low), _floats(high), color=tone, alpha=0.22, linewidth=0, zorder=1, label=label or None
    )
    columns = {"x": x, "low": low, "high": high} | ({} if mid is None else {"mid": mid})
    represents(shade, columns)
    if mid is not None:
        decoration(ax.plot(x, mid, color=tone, linewidth=1.2, linestyle=":", zorder=2)[0])


def stacked_shares(
    ax: Axes, x: ArrayLike | Sequence[str], shares: Mapping[str, ArrayLike], *, colours: Sequence[str] | None = None
) -> None:
    """Draw shares in [0, 1] that add up: areas over a numeric `x`, bars over names. Order is bottom to top."""
    tones = list(colours) if colours is not None else [series(index) for index in range(len(shares))]
    positions = np.asarray(x)
    named = positions.dtype.kind in "UO"
    at = np.arange(positions.size, dtype=float) if named else positions.astype(float)
    floor = np.zeros(at.size)
    for (name, values), tone in zip(shares.items(), tones, strict=True):
        part = _floats(values)
        if named:
            bars = ax.bar(at, part, bottom=floor, color=tone, alpha=AREA, width=0.72, label=name)
            for bar, place, value in zip(bars, positions, part, strict=True):
                represents(bar, {"x": [str(place)], "share": [value]})
        else:
            area = ax.fill_between(
                at, floor, floor + part, color=tone, alpha=AREA, linewidth=0.6, edgecolor=_edge(), label=name, zorder=1
            )
            represents(area, {"x": at, "share": part})
        floor = floor + part
    ax.set_ylim(0, 1)
    if named:
        ax.set_xticks(at, [str(name) for name in positions])
    else:
        ax.set_xlim(float(at.min()), float(at.max()))


def _edge() -> str:
    """The thin line between stacked areas is the page showing through."""
    return colour("background")


def _floats(values: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
