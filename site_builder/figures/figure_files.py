"""Draws a figure into files: SVG in both themes for the page, PNG and PDF for writeups, CSV and JSON of its data.

The same result gives the same bytes: identifiers inside an SVG come from a fixed salt, no file holds a time,
and fonts are those that ship with matplotlib. What is drawn in the two themes must be the same data.
"""

import hashlib
import io
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
from fontTools import subset
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from experiments.core.contract import FigureSpec
from experiments.core.errors import ReportError
from experiments.core.plotting import settle_titles
from experiments.core.plotting.style import LIGHT, PNG_DPI, theme
from site_builder.figures import plotted_data
from site_builder.figures.provenance import pdf_metadata, png_metadata, svg_metadata
from site_builder.figures.svg import compact
from site_builder.store.records import FileRecord

DENSE = 1500
"""Marks of one artist beyond which it becomes a picture inside the vector file, so that a page stays light."""

RASTER_DPI = 160
"""Resolution of such pictures in an SVG; finer ones cost more than the rest of the page."""

THUMBNAIL_PIXELS = 560
"""Width of a thumbnail: twice what a gallery shows."""

THUMBNAIL_COLOURS = 48
"""Colours of a thumbnail; more make it heavier and nobody sees them."""


def draw(spec: FigureSpec, result: Any, folder: Path, provenance: dict[str, str]) -> tuple[dict[str, FileRecord], str]:
    """Draw `spec` from `result` into `folder`; return its files by kind, and the digest of the plotted data.

    Kinds are "light.svg", "dark.svg" (transparent, for the page), "light.small.png", "dark.small.png" (thumbnails,
    which together weigh little on a page of many), "png" (300 dpi) and "pdf" (fonts embedded)
    in the light theme on white, "csv" and "json" (exactly the plotted data). Paths are names inside `folder`.
    Raises ReportError when the function returns no Figure, a figure without data, or one whose data differ
    between the themes; what the function itself raises passes through.
    """
    contents: dict[str, tuple[str, bytes]] = {}
    with _drawn(spec, result, "light") as figure:
        panels = _panels(spec, figure)
        digest = plotted_data.digest(spec.id, panels)
        contents["light.svg"] = f"{spec.id}-light.svg", _svg(spec, figure, provenance)
        contents["light.small.png"] = f"{spec.id}-light-small.png", _thumbnail(figure, provenance)
        contents["png"] = f"{spec.id}.png", _png(figure, provenance)
        contents["pdf"] = f"{spec.id}.pdf", _pdf(figure, provenance)
        places = [ax.get_position(original=True) for ax in figure.axes]
    with _drawn(spec, result, "dark", places) as figure:
        if plotted_data.digest(spec.id, _panels(spec, figure)) != digest:
            raise ReportError(
                f"figure {spec.id!r} plots other data in the dark theme; it must draw from its result alone"
            )
        contents["dark.svg"] = f"{spec.id}-dark.svg", _svg(spec, figure, provenance)
        contents["dark.small.png"] = f"{spec.id}-dark-small.png", _thumbnail(figure, provenance)
    contents["csv"] = f"{spec.id}.csv", plotted_data.to_csv(panels).encode()
    contents["json"] = f"{spec.id}-data.json", plotted_data.to_json(spec.id, panels).encode()
    return {kind: _written(folder / name, content) for kind, (name, content) in contents.items()}, digest


@contextmanager
def _drawn(spec: FigureSpec, result: Any, name: str, places: list[Bbox] | None = None) -> Iterator[Figure]:
    """Draw in one theme; a warning of matplotlib (a glyph without shape, panels squeezed to nothing) is an error.

    Panels go to their `places` when these are known from the other theme: finding a layout costs as much as two files.
    """
    with theme(name), mpl.rc_context({"svg.hashsalt": f"{spec.id}-{name}"}), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            figure = spec.draw(result)
            if not isinstance(figure, Figure):
                raise ReportError(f"figure {spec.id!r} returned a {type(figure).__name__}; return the Figure it drew")
            _rasterise_dense(figure)
            settle_titles(figure)
            if places is None:
                figure.draw_without_rendering()  # settles the layout once, so that every format has the same
            figure.set_layout_engine("none")
            for ax, place in zip(figure.axes, places or (), strict=places is not None):
                ax.set_position(place)
            yield figure
        except UserWarning as warning:
            raise ReportError(
                f"figure {spec.id!r} cannot be drawn cleanly: {' '.join(str(warning).split())}"
            ) from warning
        finally:
            _close_all()


def _close_all() -> None:
    """Forget figures that a function made through pyplot, which would keep them for ever."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def _panels(spec: FigureSpec, figure: Figure) -> tuple[plotted_data.Panel, ...]:
    try:
        return plotted_data.extract(figure)
    except ReportError as error:
        raise ReportError(f"figure {spec.id!r}: {error}") from error


def _rasterise_dense(figure: Figure) -> None:
    for artist in figure.findobj(lambda each: isinstance(each, PathCollection | LineCollection | QuadMesh | Line2D)):
        if _marks(artist) > DENSE:
            artist.set_rasterized(True)


def _marks(artist: Any) -> int:
    """Return how many separate elements an artist becomes in a vector file."""
    if isinstance(artist, Line2D):
        return np.size(artist.get_xdata()) if artist.get_marker() not in ("", " ", "None", None) else 0
    if isinstance(artist, QuadMesh):
        return int(np.asarray(artist.get_array()).size)
    return len(np.asarray(artist.get_offsets())) if isinstance(artist, PathCollection) else len(artist.get_paths())


# The print methods of the canvases draw once where `Figure.savefig` draws twice to find out the layout,
# which is settled already.


def _svg(spec: FigureSpec, figure: Figure, provenance: dict[str, str]) -> bytes:
    figure.set(dpi=RASTER_DPI, facecolor="none")
    text = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata=svg_metadata(provenance))
    return compact(text.getvalue(), spec.title).encode()


def _png(figure: Figure, provenance: dict[str, str]) -> bytes:
    figure.set(dpi=PNG_DPI, facecolor=LIGHT.background)
    file = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(file, metadata=png_metadata(provenance))
    return file.getvalue()


def _thumbnail(figure: Figure, provenance: dict[str, str]) -> bytes:
    """Return a small transparent picture of few colours, sharp at half its size."""
    figure.set(dpi=THUMBNAIL_PIXELS / figure.get_figwidth(), facecolor="none")
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    about = PngInfo()
    for name, value in png_metadata(provenance).items():
        if value is not None:
            about.add_itxt(name, value)
    file = io.BytesIO()
    picture.quantize(THUMBNAIL_COLOURS, method=Image.Quantize.FASTOCTREE).save(
        file, "png", optimize=True, pnginfo=about
    )
    return file.getvalue()


def _pdf(figure: Figure, provenance: dict[str, str]) -> bytes:
    figure.set(dpi=PNG_DPI, facecolor=LIGHT.background)
    file = io.BytesIO()
    canvas: Any = FigureCanvasPdf(figure)
    with patch.object(subset, "Options", _OutlinesOnly):
        canvas.print_pdf(file, metadata=pdf_metadata(provenance))
    return _with_stable_font_tags(file.getvalue())


class _OutlinesOnly(subset.Options):  # type: ignore[misc]
    """How matplotlib cuts fonts down to the letters used, without tables of kerning and ligatures.

    Text is placed letter by letter, so no reader of the PDF asks for them, and cutting them down takes a tenth of the
    time of a drawing.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.drop_tables += ["GDEF", "GPOS", "GSUB"]


def _with_stable_font_tags(pdf: bytes) -> bytes:
    """Name the embedded subsets of fonts AAAAAA+, AAAAAB+, ... in place of a hash that Python salts per process."""
    tags = dict.fromkeys(re.findall(rb"/(?:BaseFont|FontName) /([A-Z]{6})\+", pdf))
    for number, tag in enumerate(tags):
        name = b"AAAAA" + bytes([ord("A") + number])
        pdf = re.sub(rb"(/(?:BaseFont|FontName) /)" + tag + rb"\+", rb"\g<1>" + name + b"+", pdf)
    return pdf


def _written(path: Path, content: bytes) -> FileRecord:
    path.write_bytes(content)
    return FileRecord(path.name, hashlib.sha256(content).hexdigest(), len(content))
