"""An SVG holds plain text as text and brings the letters along; the rest is outlines."""

import base64
import io
import re
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties

from experiments.core import plotting
from experiments.core.plotting.typefaces import SANS, SANS_FILE
from site_builder.figures import one_pass
from site_builder.figures.svg import SVG, compact
from site_builder.figures.svg_text import TextRenderer, embedded


def drawn(*words, **options):
    """Return the compacted SVG of a figure with these texts below each other."""
    with plotting.theme("light"):
        figure, ax = plotting.new_figure(height=2.0)
        ax.set_axis_off()
        for place, text in enumerate(words):
            ax.text(0.1, 0.1 + 0.2 * place, text, **options)
        return compact(one_pass.draw(figure, svg_dpi=100, picture_dpi=100, pdf_dpi=None, about_svg={}).svg, "words")


def texts(svg):
    return list(ElementTree.fromstring(svg).iter(f"{{{SVG}}}text"))


def font_in(svg):
    return TTFont(io.BytesIO(base64.b64decode(re.search(r"font/woff;base64,([^)]+)", svg)[1])))


def test_plain_text_is_text_with_its_letters_and_no_others():
    svg = drawn("loss & gain", "50 %")
    assert [text.text for text in texts(svg)] == ["loss & gain", "50 %"]
    assert set(font_in(svg).getBestCmap()) == set(map(ord, "loss & gain50 %"))
    assert "<use" not in svg


@pytest.mark.parametrize("words", ["norm $p$ of it", "two  spaces", "a ␣ b"])
def test_formulas_and_signs_that_the_typeface_lacks_are_outlines(words):
    svg = drawn(words)
    assert texts(svg) == []
    assert "@font-face" not in svg
    assert "<use" in svg


def test_letters_stand_where_the_layout_has_them():
    """The font in the file is as wide as the layout was: a text on the right ends where matplotlib ends it."""
    words, size = "Wide and narrow: million", 9.0
    with TTFont(SANS_FILE) as font, font_in(drawn(words)) as inside:
        wide = [sum(each["hmtx"][each.getBestCmap()[ord(sign)]][0] for sign in words) for each in (font, inside)]
        assert wide[0] == wide[1]
        assert font["head"].unitsPerEm == inside["head"].unitsPerEm
        expected = wide[0] / font["head"].unitsPerEm * size
    with plotting.theme("light"):
        renderer = TextRenderer(100, 100, io.StringIO())
        laid_out, _, _ = renderer.get_text_width_height_descent(words, FontProperties(size=size), False)
    assert laid_out == pytest.approx(expected, abs=0.1)


def test_the_font_names_itself_as_the_text_asks_for_it():
    svg = drawn("a")
    assert f"font-family:'{SANS}'" in svg
    assert ElementTree.fromstring(svg).get("font-family").startswith(f"'{SANS}',")


def test_the_same_letters_give_the_same_bytes():
    assert embedded("abc") == embedded("cab")
