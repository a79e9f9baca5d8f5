"""The house style: every colour, size, font and line width of the report's figures is decided here.

Colours are asked for by role ("accent", "ink", "theory") or by position (`series(0)`) and looked up at the
moment of drawing, in the theme of the enclosing `with theme("dark"):` block. A figure function is
therefore called once, or once per theme, and never names a colour itself. Outside any block the theme is "light".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError, did_you_mean
from experiments.core.plotting import typefaces

WIDTHS = {"text": 6.5, "wide": 8.0}
"""Figure widths in inches: the measure of the page's text, and the most that fits it without small print."""

BASE_FONT_SIZE = 10.0
"""Points; axis labels and titles. Ticks and legends are one point smaller."""


@dataclass(frozen=True)
class Theme:
    """One set of colours.

    `series` were searched for the greatest least difference (CIEDE2000) between any two, as seen with normal
    vision and with simulated deuteranopia, protanopia and tritanopia, at a contrast of 3:1 or more with the
    background. They differ in lightness too, so that they survive a black-and-white printer.
    """

    name: str
    background: str
    ink: str
    muted: str
    faint: str
    series: tuple[str, ...]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]
    verdicts: dict[Verdict, str]

    @property
    def roles(self) -> dict[str, str]:
        """Colours by what they are for: text, secondary text, rules, the one thing to look at and its opposite, ..."""
        return {
            "background": self.background,
            "ink": self.ink,
            "muted": self.muted,
            "faint": self.faint,
            "accent": self.series[0],
            "contrast": self.series[1],
            "theory": self.ink,
            "null": self.muted,
        }


LIGHT = Theme(
    name="light",
    background="#ffffff",
    ink="#24292f",
    muted="#6e7781",
    faint="#d8dee4",
    series=("#1f73ea", "#dc6a2b", "#0e604d", "#a4568f", "#6d5900", "#33107f"),
    sequential=("#f4f6f9", "#b9d3e3", "#6aa5c9", "#2a71a8", "#173f78", "#0b1c3f"),
    diverging=("#0b3c6f", "#2f7fb8", "#a3c8e0", "#f6f6f6", "#f3bd92", "#cf6514", "#7a2c00"),
    verdicts={
        Verdict.SUPPORTED: "#0e604d",
        Verdict.REFUTED: "#dc6a2b",
        Verdict.MIXED: "#6d5900",
        Verdict.INCONCLUSIVE: "#6e7781",
    },
)

DARK = Theme(
    name="dark",
    background="#1e2129",
    ink="#e3e6ea",
    muted="#9aa3ad",
    faint="#444b57",
    series=("#4a9ffb", "#f2601c", "#6deebf", "#b0709a", "#f0d024", "#ddd0fb"),
    sequential=("#252a34", "#22466b", "#2a74a8", "#5ba6cf", "#a9d2e6", "#f3f8fb"),
    diverging=("#b9e0f7", "#56b4e9", "#2a5f86", "#2a2e37", "#8a4a1c", "#f0883e", "#ffd9b0"),
    verdicts={
        Verdict.SUPPORTED: "#6deebf",
        Verdict.REFUTED: "#f2601c",
        Verdict.MIXED: "#f0d024",
        Verdict.INCONCLUSIVE: "#9aa3ad",
    },
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}

_current: ContextVar[Theme] = ContextVar("theme", default=LIGHT)


@contextmanager
def theme(name: str) -> Iterator[Theme]:
    """Draw everything inside the block in theme "light" or "dark".

    Changes matplotlib's global parameters for the duration, so two threads must not draw at once.
    """
    if name not in THEMES:
        raise ReportError(f"no theme named {name!r}{did_you_mean(name, THEMES)} (there are 'light' and 'dark')")
    token = _current.set(THEMES[name])
    try:
        with mpl.rc_context(parameters(THEMES[name])):
            yield THEMES[name]
    finally:
        _current.reset(token)


def current_theme() -> Theme:
    """Return the theme of the enclosing `with theme(...)` block ("light" outside any)."""
    return _current.get()


def colour(role: str) -> str:
    """Return the current theme's colour for a role: ink, muted, faint, background, accent, contrast, theory, null."""
    roles = current_theme().roles
    if role not in roles:
        raise ReportError(f"no colour has the role {role!r}{did_you_mean(role, roles)}")
    return roles[role]


def series(index: int) -> str:
    """Return the colour of the `index`-th of several compared things; a seventh needs a panel of its own."""
    palette = current_theme().series
    if not 0 <= index < len(palette):
        raise ReportError(f"a figure can tell {len(palette)} series apart by colour, not number {index}; use panels")
    return palette[index]


def verdict_colour(verdict: Verdict) -> str:
    """Return the current theme's colour of a verdict."""
    return current_theme().verdicts[verdict]


def sequential() -> Colormap:
    """Return the map for amounts: zero looks like the page, more stands out more; lightness is monotone."""
    active = current_theme()
    return _blend(f"{active.name}-sequential", active.sequential)


def diverging() -> Colormap:
    """Return the map for signed amounts: blue below zero, the page's own tone at zero, orange above."""
    active = current_theme()
    return _blend(f"{active.name}-diverging", active.diverging)


def centred(*arrays: ArrayLike, limit: float | None = None) -> Normalize:
    """Return the scale symmetric about zero that all `arrays` share, or [-limit, limit] when it is given."""
    if limit is None:
        limit = max((float(np.nanmax(np.abs(np.asarray(a, dtype=float)))) for a in arrays), default=0.0) or 1.0
    return Normalize(-limit, limit)


def ramp(count: int) -> list[str]:
    """Return `count` colours for an ordered family of lines (one per p, say), faintest first."""
    return [mpl.colors.to_hex(sequential()(share)) for share in np.linspace(0.5, 1.0, count)]


def new_figure(
    rows: int = 1,
    columns: int = 1,
    *,
    width: Literal["text", "wide"] = "text",
    height: float | None = None,
    panel: Literal["landscape", "square"] = "landscape",
    sharex: bool | Literal["all", "row", "col", "none"] = False,
    sharey: bool | Literal["all", "row", "col", "none"] = False,
    **grid: Any,
) -> tuple[Figure, Any]:
    """Return a Figure, outside pyplot's state, and its axes: one Axes, a row or column of them, or a 2-D array.

    `height` is in inches; left out, it follows from the number of panels and their shape ("square" for
    starfish plots and matrices). `grid` goes to `Figure.subplots` (`width_ratios`, `subplot_kw`, ...).
    """
    inches = WIDTHS[width]
    if height is None:
        aspect = 1.0 if panel == "square" else min(0.45 + 0.18 * columns, 1.1)
        height = min(inches / columns * aspect * rows + 0.3, 9.5)
    figure = Figure(figsize=(inches, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, sharex=sharex, sharey=sharey, **grid)


def parameters(active: Theme) -> dict[Any, Any]:
    """Return the matplotlib parameters of a theme; the only place where one is set."""
    return {
        "font.family": typefaces.TEXT,
        "mathtext.fontset": "custom",
        "mathtext.it": typefaces.ITALIC,
        **{f"mathtext.{kind}": typefaces.SANS for kind in ("rm", "sf", "cal")},
        **{f"mathtext.{kind}": typefaces.BOLD for kind in ("bf", "bfit")},
        "mathtext.tt": typefaces.MONO,
        "mathtext.fallback": "stixsans",
        "font.size": BASE_FONT_SIZE,
        "axes.titlesize": BASE_FONT_SIZE,
        "axes.labelsize": BASE_FONT_SIZE,
        "xtick.labelsize": BASE_FONT_SIZE - 1,
        "ytick.labelsize": BASE_FONT_SIZE - 1,
        "legend.fontsize": BASE_FONT_SIZE - 1,
        "axes.titlelocation": "left",
        "axes.titlepad": 6.0,
        "text.color": active.ink,
        "axes.labelcolor": active.ink,
        "axes.titlecolor": active.ink,
        "axes.edgecolor": active.muted,
        "xtick.color": active.muted,
        "ytick.color": active.muted,
        "xtick.labelcolor": active.ink,
        "ytick.labelcolor": active.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "xtick.minor.width": 0.5,
        "ytick.minor.width": 0.5,
        "axes.grid": False,
        "axes.axisbelow": True,
        "grid.color": active.faint,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.6,
        "lines.markersize": 4.0,
        "patch.linewidth": 0.0,
        "errorbar.capsize": 0.0,
        "legend.frameon": False,
        "legend.handlelength": 1.4,
        "legend.columnspacing": 1.2,
        "legend.borderpad": 0.2,
        "legend.borderaxespad": 0.2,
        "axes.prop_cycle": cycler(color=active.series),
        "image.interpolation": "none",
        "axes.unicode_minus": True,
        # Transparent, so that a figure sits on whatever the page's background is.
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "auto",
        "figure.constrained_layout.h_pad": 0.06,
        "figure.constrained_layout.w_pad": 0.06,
        "path.simplify": True,
        # Text as outlines, but for what `svg_text` sets, and a fixed salt: the bytes depend neither on installed
        # fonts nor on the process.
        "svg.fonttype": "path",
        "svg.hashsalt": "report",
        "pdf.fonttype": 42,
        "pdf.use14corefonts": False,
    }


def _blend(name: str, anchors: tuple[str, ...], steps: int = 256) -> Colormap:
    """Interpolate between anchor colours in Oklab, where equal steps look equal."""
    lab = np.array([_to_oklab(np.array(to_rgb(anchor))) for anchor in anchors])
    at = np.linspace(0, 1, len(anchors))
    where = np.linspace(0, 1, steps)
    mixed = np.stack([np.interp(where, at, lab[:, channel]) for channel in range(3)], axis=1)
    # Rounded, and up: wider vectors give other last digits, and a colour cut off to a whole step could fall below it.
    return ListedColormap(np.clip(_from_oklab(mixed).round(9) + 1e-9, 0, 1), name=name)


# Oklab (Ottosson 2020, https://bottosson.github.io/posts/oklab/): linear sRGB -> cone response -> Lab.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _to_oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float64] = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return lab


def _from_oklab(lab: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.clip(np.linalg.solve(_TO_CONES, (np.linalg.solve(_TO_LAB, lab.T)) ** 3).T, 0, None)
    rgb: NDArray[np.float64] = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb
