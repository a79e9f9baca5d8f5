"""Axes and what stands around them: scales, ticks, panel letters, titles, legends and labels of lines."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from numpy.typing import ArrayLike


def density_axis(ax: Axes, *, ticks: Sequence[float] = (), label: str = "feature probability $p$") -> None:
    """Make x the probability that a feature is present: logarithmic, written as plain decimals."""
    ax.set_xscale("log")
    ax.set_xlabel(label)
    if len(ticks):
        ax.set_xticks(list(ticks))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def doubling_axis(ax: Axes, ticks: ArrayLike, label: str) -> None:
    """Make x logarithmic to base 2 with a tick at every value that was measured, written as plain numbers."""
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator([float(tick) for tick in np.asarray(ticks, dtype=np.float64)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xlabel(label)


def percent_axis(ax: Axes, *, x: bool = False) -> None:
    """Write the ticks of the y (or x) axis, a share in [0, 1], in percent."""
    (ax.xaxis if x else ax.yaxis).set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def label_line(line: Line2D, text: str, *, at: float = 1.0, dx: float = 4.0, dy: float = 0.0) -> Text:
    """Write `text` beside a line, in its colour, at fraction `at` of its points: better than a legend for few lines."""
    xs, ys = np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)
    where = round(at * (xs.size - 1))
    ax = line.axes
    assert isinstance(ax, Axes), "a line must be on an Axes before it can be labelled"
    return ax.annotate(
        text,
        (xs[where], ys[where]),
        xytext=(dx, dy),
        textcoords="offset points",
        color=line.get_color(),
        va="center",
        annotation_clip=False,
    )


def panel_letters(axes: Any) -> None:
    """Put a, b, c, ... before the titles of the panels, so that prose can name them."""
    for letter, ax in zip("abcdefghijklmnopqrstuvwxyz", np.ravel(axes), strict=False):
        _set_title(ax, rf"$\mathbf{{{letter}}}$  {ax.get_title(loc='left')}".rstrip())


def legend(ax: Axes, *, figure: Figure | None = None, columns: int | None = None, title: str = "") -> None:
    """Write one legend in rows above the panel (its title moves up), or above all panels of `figure`."""
    handles, labels = ax.get_legend_handles_labels()
    across = columns or _columns_that_fit(labels, _inches(ax) if figure is None else figure.get_figwidth())
    options: dict[str, Any] = {"ncols": across, "title": title or None, "alignment": "left"}
    if figure is not None:
        figure.legend(handles, labels, loc="outside upper left", **options)
        return
    ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, **options)
    _legend_rows[ax] = -(-len(labels) // across) + bool(title)
    _set_title(ax, ax.get_title(loc="left"))


_legend_rows: WeakKeyDictionary[Axes, int] = WeakKeyDictionary()


def settle_titles(figure: Figure) -> None:
    """Lift every title above its panel's legend, whichever of the two was made first; whoever saves calls this."""
    for ax in figure.axes:
        if ax in _legend_rows:
            _set_title(ax, ax.get_title(loc="left"))


def _set_title(ax: Axes, title: str) -> None:
    """Set the panel's title above its legend, if it has one there."""
    ax.set_title(title, loc="left", pad=6.0 + 13.5 * _legend_rows.get(ax, 0))


def _inches(ax: Axes) -> float:
    """Return the panel's share of the figure's width, before its layout is known."""
    place = ax.get_subplotspec()
    width = float(ax.get_figure(root=True).get_size_inches()[0])  # type: ignore[union-attr]
    return width if place is None else width * len(place.colspan) / place.get_gridspec().ncols - 0.35


def _columns_that_fit(labels: Sequence[str], inches: float) -> int:
    """Return how many legend entries stand side by side within `inches`, filled column by column."""
    entries = [0.075 * len(label) + 0.43 for label in labels]
    for across in range(len(entries), 1, -1):
        rows = -(-len(entries) // across)
        if sum(max(entries[start : start + rows]) for start in range(0, len(entries), rows)) <= inches:
            return across
    return 1
