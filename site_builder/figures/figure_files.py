"""Draws a figure into files: SVG in both themes for the page, PNG and PDF for writeups, CSV and JSON of its data.

The same result gives the same bytes: identifiers inside an SVG come from a fixed salt, no file holds a time,
and fonts are files of this repository, or ship with matplotlib.
"""

import hashlib
import io
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from PIL.PngImagePlugin import PngInfo

from experiments.core.contract import FigureSpec
from experiments.core.errors import ReportError
from experiments.core.plotting import settle_titles
from experiments.core.plotting.style import LIGHT, theme
from site_builder.figures import one_pass, plotted_data
from site_builder.figures.for_print import pdf_dpi, picture_dpi
from site_builder.figures.one_pass import Drawn
from site_builder.figures.pdf_fonts import shared_fonts, with_stable_font_tags
from site_builder.figures.provenance import pdf_metadata, png_metadata, svg_metadata
from site_builder.figures.remembered import remembering, settled
from site_builder.figures.schemes import Exchanged, colours_of, dark_palette, in_dark
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

PNG_EFFORT = 3
"""Effort of compressing the PNG, of 9. Its rows are not filtered, as Pillow would: a drawing has large areas of one
colour, and is smaller by a twelfth and written in a third of the time so."""

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

METRES = 0.0254
"""Metres to an inch, since a PNG counts pixels by the metre."""

THUMBNAIL_EFFORT = 6
"""The same of a thumbnail: half a kilobyte more than with the greatest effort in a sixth of the time."""


def draw(spec: FigureSpec, result: Any, folder: Path, provenance: dict[str, str]) -> tuple[dict[str, FileRecord], str]:
    """Draw `spec` from `result` into `folder`; return its files by kind, and the digest of the plotted data.

    Kinds are "light.svg", "dark.svg" (transparent, for the page), "light.small.png", "dark.small.png" (thumbnails,
    which together weigh little on a page of many), "png" and, but for a quick run, "pdf" (fonts embedded)
    in the light theme on white (see `for_print`), "csv" and "json" (exactly the plotted data). Paths are names inside
    `folder`.
    The figure is drawn once, in the light theme; the dark files are the light ones with other colours, unless
    colours mix in a picture inside them (see `schemes`).
    Raises ReportError when the function returns no Figure, a figure without data, or one whose data differ
    between two drawings; what the function itself raises passes through.
    """
    contents: dict[str, tuple[str, bytes]] = {}
    with remembering(), _drawn(spec, result, "light") as figure:
        panels = _panels(spec, figure)
        digest = plotted_data.digest(spec.id, panels)
        light = _once(figure, provenance)
        places = [ax.get_position(original=True) for ax in figure.axes]
    svg = compact(light.svg, spec.title)
    small = _reduced(light.picture)
    dark = in_dark(svg)
    if dark is None:
        dark, dark_small = _drawn_again(spec, result, places, digest, provenance)
    else:
        dark_small = _exchanged(small, colours_of(svg))
    contents["light.svg"] = f"{spec.id}-light.svg", svg.encode()
    contents["light.small.png"] = f"{spec.id}-light-small.png", _thumbnail(small, provenance)
    contents["png"] = f"{spec.id}.png", _png(light.picture, provenance)
    if light.pdf:
        contents["pdf"] = f"{spec.id}.pdf", with_stable_font_tags(light.pdf)
    contents["dark.svg"] = f"{spec.id}-dark.svg", dark.encode()
    contents["dark.small.png"] = f"{spec.id}-dark-small.png", _thumbnail(dark_small, provenance)
    contents["csv"] = f"{spec.id}.csv", plotted_data.to_csv(panels).encode()
    contents["json"] = f"{spec.id}-data.json", plotted_data.to_json(spec.id, panels).encode()
    return {kind: _written(folder / name, content) for kind, (name, content) in contents.items()}, digest


def _once(figure: Figure, provenance: dict[str, str]) -> Drawn:
    scale = _scale(provenance)
    with shared_fonts():
        return one_pass.draw(
            figure,
            svg_dpi=RASTER_DPI,
            picture_dpi=picture_dpi(scale),
            pdf_dpi=pdf_dpi(scale),
            about_svg=svg_metadata(provenance),
            about_pdf=pdf_metadata(provenance),
        )


def _drawn_again(
    spec: FigureSpec, result: Any, places: list[Bbox], digest: str, provenance: dict[str, str]
) -> tuple[str, Image.Image]:
    """Draw in the dark theme, panels where the light drawing has them; return the SVG and the thumbnail."""
    with remembering(), _drawn(spec, result, "dark", places) as figure:
        if plotted_data.digest(spec.id, _panels(spec, figure)) != digest:
            raise ReportError(
                f"figure {spec.id!r} plots other data in the dark theme; it must draw from its result alone"
            )
        about = svg_metadata(provenance)
        dpi = picture_dpi(_scale(provenance))
        dark = one_pass.draw(figure, svg_dpi=RASTER_DPI, picture_dpi=dpi, pdf_dpi=None, about_svg=about)
    return compact(dark.svg, spec.title), _reduced(dark.picture)


def _scale(provenance: dict[str, str]) -> str:
    return provenance.get("scale", "")


@contextmanager
def _drawn(spec: FigureSpec, result: Any, name: str, places: list[Bbox] | None = None) -> Iterator[Figure]:
    """Draw in one theme; a warning of matplotlib (a glyph without shape, panels squeezed to nothing) is an error.

    Panels go to their `places` when these are known from the other theme: finding a layout takes as long as drawing.
    """
    with theme(name), mpl.rc_context({"svg.hashsalt": f"{spec.id}-{name}"}), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            figure = spec.draw(result)
            if not isinstance(figure, Figure):
                raise ReportError(f"figure {spec.id!r} returned a {type(figure).__name__}; return the Figure it drew")
            _rasterise_dense(figure)
            settle_titles(figure)
            layout = figure.get_layout_engine()
            with settled():
                if places is None and layout is not None:
                    layout.execute(figure)
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
    for ax in figure.axes:
        for panel in (ax, *ax.child_axes):
            for artist in (*panel.collections, *panel.lines):
                if _marks(artist) > DENSE:
                    artist.set_rasterized(True)


def _marks(artist: Any) -> int:
    """Return how many separate elements an artist becomes in a vector file."""
    if isinstance(artist, Line2D):
        return np.size(artist.get_xdata()) if artist.get_marker() not in ("", " ", "None", None) else 0
    if isinstance(artist, QuadMesh):
        return int(np.asarray(artist.get_array()).size)
    if isinstance(artist, PathCollection):
        return len(np.asarray(artist.get_offsets()))
    return len(artist.get_paths()) if isinstance(artist, LineCollection) else 0


def _png(picture: NDArray[np.uint8], provenance: dict[str, str]) -> bytes:
    drawn = Image.fromarray(picture)
    on_white = Image.new("RGB", drawn.size, LIGHT.background)
    on_white.paste(drawn, mask=drawn.getchannel("A"))
    pixels = np.asarray(on_white)
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with its filter, which is none
    rows[:, 1:] = pixels.reshape(height, -1)
    file = io.BytesIO(PNG_SIGNATURE)
    file.seek(len(PNG_SIGNATURE))
    PngImagePlugin.putchunk(file, b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    per_metre = round(picture_dpi(_scale(provenance)) / METRES)
    PngImagePlugin.putchunk(file, b"pHYs", struct.pack(">2IB", per_metre, per_metre, 1))
    for kind, content, *_ in _about(provenance).chunks:
        PngImagePlugin.putchunk(file, kind, content)
    PngImagePlugin.putchunk(file, b"IDAT", zlib.compress(rows.tobytes(), PNG_EFFORT))
    PngImagePlugin.putchunk(file, b"IEND")
    return file.getvalue()


def _reduced(picture: NDArray[np.uint8]) -> Image.Image:
    """Return a small transparent picture of few colours, sharp at half its size."""
    drawn = Image.fromarray(picture)
    height = round(THUMBNAIL_PIXELS * drawn.height / drawn.width)
    small = drawn.resize((THUMBNAIL_PIXELS, height), Image.Resampling.BOX)
    return small.quantize(THUMBNAIL_COLOURS, method=Image.Quantize.FASTOCTREE)


def _exchanged(small: Image.Image, colours: list[Exchanged]) -> Image.Image:
    """Return a thumbnail in the dark theme, given the light one."""
    palette = np.array(small.getpalette("RGBA"), np.uint8).reshape(-1, 4)
    palette[:, :3] = dark_palette(palette[:, :3], colours)
    dark = small.copy()
    dark.putpalette(palette.tobytes(), "RGBA")
    return dark


def _thumbnail(small: Image.Image, provenance: dict[str, str]) -> bytes:
    file = io.BytesIO()
    small.save(file, "png", compress_level=THUMBNAIL_EFFORT, pnginfo=_about(provenance))
    return file.getvalue()


def _about(provenance: dict[str, str]) -> PngInfo:
    about = PngInfo()
    for name, value in png_metadata(provenance).items():
        if value is not None:
            about.add_itxt(name, value)
    return about


def _written(path: Path, content: bytes) -> FileRecord:
    path.write_bytes(content)
    return FileRecord(path.name, hashlib.sha256(content).hexdigest(), len(content))
