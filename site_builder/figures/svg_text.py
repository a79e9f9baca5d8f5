"""Text in an SVG is text, set in the typeface of the pages, whose letters the file brings along.

An SVG that a page shows as a picture cannot use the fonts of the page, and on its own it has none. So each file has the
letters that it uses as a font of a few kilobytes; where a program ignores that font, it sets the text in another one at
the same places. Formulas, and text with a sign that the typeface lacks, are outlines.
"""

import base64
import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.backends import backend_svg

from experiments.core.plotting.typefaces import SANS, SANS_FILE, letters

FAMILIES = f"'{SANS}','Source Sans 3',sans-serif"
"""The family of an SVG's text; the second is for readers who have it, at nine tenths of the size."""

svgs: Any = backend_svg  # matplotlib's backends have no types


class TextRenderer(svgs.RendererSVG):  # type: ignore[misc]
    """Writes SVG with plain text as text and everything else as outlines."""

    def _draw_text_as_path(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any, mtext: Any = None
    ) -> None:
        draw = super()._draw_text_as_text if is_plain(s, prop, ismath) else super()._draw_text_as_path
        draw(gc, x, y, s, prop, angle, ismath, mtext)


def is_plain(text: str, font: Any, is_formula: Any) -> bool:
    """True where the typeface of the pages can set the whole text, and white space is as an SVG keeps it."""
    return (
        not is_formula
        and font.get_family()[0] == SANS
        and (font.get_style(), font.get_variant(), font.get_stretch()) == ("normal", "normal", "normal")
        and font.get_weight() in ("normal", "regular", 400)
        and text == " ".join(text.split())
        and {ord(sign) for sign in text} <= letters(str(SANS_FILE))
    )


def with_typeface(root: Element, namespace: str) -> None:
    """Give an SVG the letters of its texts as a font, and each text no more style than it needs."""
    texts = list(root.iter(f"{{{namespace}}}text"))
    if not texts:
        return
    for text in texts:
        parts = [part.strip() for part in text.get("style", "").split(";")]
        text.set("style", "; ".join(part for part in parts if part and not part.startswith("font-family")))
        if text.get("transform", "").startswith("rotate(-0 "):
            del text.attrib["transform"]
    style = Element(f"{{{namespace}}}style")
    font = embedded("".join(text.text or "" for text in texts))
    style.text = f"@font-face{{font-family:'{SANS}';src:url(data:font/woff;base64,{font})}}"
    root.insert(0, style)
    root.set("font-family", FAMILIES)


def embedded(text: Iterable[str]) -> str:
    """Return a font with the letters of `text`, in base 64."""
    return _embedded(frozenset(map(ord, text)))


@lru_cache(maxsize=64)
def _embedded(codes: frozenset[int]) -> str:
    options = subset.Options(
        hinting=False, glyph_names=False, recalc_timestamp=False, name_IDs=[], notdef_outline=False
    )
    with TTFont(SANS_FILE, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        font.flavor = "woff"
        file = io.BytesIO()
        font.save(file)
    return base64.b64encode(file.getvalue()).decode("ascii")
