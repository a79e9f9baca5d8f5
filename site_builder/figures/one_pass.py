"""Draws a figure once into several files: walking through its artists and setting its text costs more than the writing.

The artists are walked in points, 72 to the inch, as both vector formats want it. A raster picture takes the same calls
with every coordinate scaled to its resolution. What is to be a picture inside a vector file is drawn at the resolution
of each file.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.backends import backend_agg, backend_pdf
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, Bbox, TransformedPath
from numpy.typing import NDArray
from PIL import Image

from site_builder.figures.svg_text import TextRenderer

agg: Any = backend_agg  # matplotlib's backends have no types
pdfs: Any = backend_pdf

POINTS = 72
"""Points to an inch: the unit in which a figure is walked through."""


@dataclass
class Drawn:
    """A figure as it was drawn: an SVG, the bytes of a PDF, and a picture (row, column, RGBA) without background."""

    svg: str = ""
    pdf: bytes = b""
    picture: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 4), np.uint8))


def draw(
    figure: Figure, *, svg_dpi: int, picture_dpi: float, pdf_dpi: int | None, about_svg: Any, about_pdf: Any = None
) -> Drawn:
    """Draw a figure, whose layout is settled, at once into an SVG, a picture and, with `pdf_dpi`, a PDF on white.

    The resolutions of the vector files are those of pictures inside them. `about_svg` and `about_pdf` are the
    metadata of matplotlib.
    """
    width, height = (float(inches) * POINTS for inches in figure.get_size_inches())
    figure.set(dpi=POINTS, facecolor="none")
    text = io.StringIO()
    svg = _Target(TextRenderer(width, height, text, image_dpi=svg_dpi, metadata=about_svg), svg_dpi)
    picture = _scaled(width, height, picture_dpi)
    with _pdf_file(width, height, pdf_dpi, about_pdf) as (file, pdf):
        targets = [svg, *([pdf] if pdf else [])]
        renderer = _OnePass(width, height, targets, picture)
        figure.draw(renderer)
        svg.renderer.finalize()
        if pdf:
            pdf.renderer.finalize()
    return Drawn(text.getvalue(), file.getvalue(), np.asarray(picture.renderer.buffer_rgba()))


@contextmanager
def _pdf_file(width: float, height: float, dpi: int | None, about: Any) -> Iterator[tuple[io.BytesIO, Any]]:
    """Open a PDF of one white page, complete at the end of the block; without `dpi` there is none."""
    content = io.BytesIO()
    if dpi is None:
        yield content, None
        return
    file = pdfs.PdfFile(content, metadata=about)
    try:
        file.newPage(width / POINTS, height / POINTS)
        page = _Target(pdfs.RendererPdf(file, dpi, height / POINTS, width / POINTS), dpi, flipped=height)
        white = page.renderer.new_gc()
        white.set_linewidth(0)
        page.renderer.draw_path(white, Path.unit_rectangle(), Affine2D().scale(width, height), (1.0, 1.0, 1.0, 1.0))
        yield content, page
        file.finalize()
    finally:
        file.close()


@dataclass
class _Target:
    """A renderer that takes part, and how what it is given differs from what the walk gives.

    `dpi` is the resolution of pictures inside a vector file, or of the picture itself; `scale` takes points to its
    pixels; `flipped` is the height of a page whose text is placed from below.
    """

    renderer: Any
    dpi: float
    scale: float = 1.0
    flipped: float | None = None

    def at(self, transform: Any) -> Any:
        """Return a transform to points as one to the units of this target."""
        return transform if self.scale == 1.0 else transform + Affine2D().scale(self.scale)

    def placed(self, x: float, y: float) -> tuple[float, float]:
        """Return where text goes."""
        return x * self.scale, (y if self.flipped is None else self.flipped - y) * self.scale

    def looks(self, gc: Any) -> Any:
        """Return a graphics context with its clipping in the units of this target."""
        if self.scale == 1.0:
            return gc
        mine = GraphicsContextBase()
        GraphicsContextBase.copy_properties(mine, gc)
        box = gc.get_clip_rectangle()
        if box is not None:
            mine.set_clip_rectangle(Bbox(box.get_points() * self.scale))
        path, transform = gc.get_clip_path()
        if path is not None:
            mine.set_clip_path(TransformedPath(path, self.at(transform)))
        return mine


def _scaled(width: float, height: float, dpi: float) -> _Target:
    """Return a picture of the whole figure at a resolution."""
    scale = dpi / POINTS
    return _Target(agg.RendererAgg(width * scale, height * scale, dpi), dpi, scale)


class _OnePass(RendererBase):
    """Hands every call of the artists to the vector files and to the picture.

    Between `start_rasterizing` and `stop_rasterizing` each vector file has a picture of its own in its place.
    """

    def __init__(self, width: float, height: float, vector: list[_Target], picture: _Target) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.vector, self.picture = vector, picture
        self.inside: list[_Target] = []

    def _targets(self) -> list[_Target]:
        return [*(self.inside or self.vector), self.picture]

    # What artists ask for.

    def new_gc(self) -> Any:
        return self.vector[-1].renderer.new_gc()  # the PDF's own kind, which the others take too

    def flipy(self) -> bool:
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.width, self.height

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> tuple[float, float, float]:
        size: tuple[float, float, float] = self.vector[0].renderer.get_text_width_height_descent(s, prop, ismath)
        return size

    def get_image_magnification(self) -> float:
        return float(self.picture.scale)

    def option_image_nocomposite(self) -> bool:
        return not mpl.rcParams["image.composite_image"]

    # What artists draw.

    def open_group(self, s: str, gid: Any = None) -> None:
        if not self.inside:
            self.vector[0].renderer.open_group(s, gid)

    def close_group(self, s: str) -> None:
        if not self.inside:
            self.vector[0].renderer.close_group(s)

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:
        for to in self._targets():
            to.renderer.draw_path(to.looks(gc), path, to.at(transform), rgbFace)

    def draw_markers(
        self, gc: Any, marker_path: Any, marker_trans: Any, path: Any, trans: Any, rgbFace: Any = None
    ) -> None:
        for to in self._targets():
            to.renderer.draw_markers(to.looks(gc), marker_path, to.at(marker_trans), path, to.at(trans), rgbFace)

    def draw_path_collection(
        self,
        gc: Any,
        master_transform: Any,
        paths: Any,
        all_transforms: Any,
        offsets: Any,
        offset_trans: Any,
        *looks: Any,
        **more: Any,
    ) -> None:
        for to in self._targets():
            to.renderer.draw_path_collection(
                to.looks(gc),
                to.at(master_transform),
                paths,
                all_transforms,
                offsets,
                to.at(offset_trans),
                *looks,
                **more,
            )

    def draw_quad_mesh(
        self,
        gc: Any,
        master_transform: Any,
        meshWidth: int,
        meshHeight: int,
        coordinates: Any,
        offsets: Any,
        offsetTrans: Any,
        *looks: Any,
    ) -> None:
        mesh = meshWidth, meshHeight, coordinates, offsets
        for to in self._targets():
            to.renderer.draw_quad_mesh(to.looks(gc), to.at(master_transform), *mesh, to.at(offsetTrans), *looks)

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        assert transform is None  # asked for only where `option_scale_image` is true
        for to in [self.picture, *(self.inside or self.vector)]:  # the PDF's last: it changes the graphics context
            pixels = im if to.dpi == self.picture.dpi else _resampled(im, to.dpi / self.picture.dpi)
            to.renderer.draw_image(to.looks(gc), x * to.scale, y * to.scale, pixels)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        for to in self._targets():
            to.renderer.draw_text(to.looks(gc), *to.placed(x, y), s, prop, angle, ismath=ismath, mtext=mtext)

    # Pictures inside the vector files.

    def start_rasterizing(self) -> None:
        self.inside = [_scaled(self.width, self.height, to.dpi) for to in self.vector]

    def stop_rasterizing(self) -> None:
        pictures, self.inside = self.inside, []
        for to, picture in zip(self.vector, pictures, strict=True):
            pixels = np.asarray(picture.renderer.buffer_rgba())
            rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=axis)) for axis in (1, 0))
            if not rows.size:
                continue
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            below = (pixels.shape[0] - bottom) / picture.scale
            to.renderer.draw_image(
                to.renderer.new_gc(), left / picture.scale, below, pixels[top:bottom, left:right][::-1]
            )


def _resampled(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Return a picture of cells of one colour each at another resolution, without mixing colours."""
    height, width = pixels.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))
