"""Fonts inside PDF files: cut down once per process to the letters of all figures, not once per figure.

Cutting a font down to the letters of one figure takes longer than writing the rest of its PDF. So every PDF has the
same common letters, and others beside them where a figure has some. The bytes depend on the figure alone.
"""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple
from unittest.mock import patch

from fontTools import subset
from matplotlib.backends import _backend_pdf_ps
from matplotlib.font_manager import get_font

COMMON = frozenset("".join(map(chr, range(0x20, 0x7F))) + "αβγδεθλμπρστφχψωΔΣΦ·×−±≈≤≥→∞√ᵀ²³–’")
"""Letters that every PDF carries of each font it uses."""


class _Cut(NamedTuple):
    """What matplotlib takes for a font cut down: here the bytes of its file, and where each glyph went."""

    font: bytes
    glyph_index_map: dict[int, int]


@contextmanager
def shared_fonts() -> Iterator[None]:
    """Let PDF files written inside the block take fonts that were cut down before."""
    with (
        patch.object(_backend_pdf_ps, "get_glyphs_subset", _glyphs_subset),
        patch.object(_backend_pdf_ps, "font_as_file", io.BytesIO),
    ):
        yield


@contextmanager
def _glyphs_subset(fontfile: Any, glyphs: Iterable[int]) -> Iterator[_Cut]:
    font = get_font(fontfile)
    common = {font.get_char_index(ord(letter)) for letter in COMMON}
    yield _cut(fontfile, frozenset(glyphs) | common)


@lru_cache(maxsize=256)
def _cut(fontfile: Any, glyphs: frozenset[int]) -> _Cut:
    with patch.object(subset, "Options", _OutlinesOnly), _matplotlibs_subset(fontfile, set(glyphs)) as cut:
        file = io.BytesIO()
        cut.font.save(file, reorderTables=False)
    return _Cut(file.getvalue(), dict(cut.glyph_index_map))


_matplotlibs_subset = _backend_pdf_ps.get_glyphs_subset


class _OutlinesOnly(subset.Options):  # type: ignore[misc]
    """Outlines without hints for coarse screens, and without kerning and ligatures: text is placed letter by letter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.drop_tables += ["GDEF", "GPOS", "GSUB"]
        self.hinting = False


def with_stable_font_tags(pdf: bytes) -> bytes:
    """Name the embedded subsets of fonts AAAAAA+, AAAAAB+, ... in place of a hash that Python salts per process."""
    tags = dict.fromkeys(re.findall(rb"/(?:BaseFont|FontName) /([A-Z]{6})\+", pdf))
    for number, tag in enumerate(tags):
        name = b"AAAAA" + bytes([ord("A") + number])
        pdf = re.sub(rb"(/(?:BaseFont|FontName) /)" + tag + rb"\+", rb"\g<1>" + name + b"+", pdf)
    return pdf
