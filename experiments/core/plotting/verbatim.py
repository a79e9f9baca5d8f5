"""Words from files and results, drawn as they are."""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font


def verbatim(text: str) -> str:
    """Return `text` so that matplotlib draws it sign by sign: nothing in it is a formula.

    A sign that the font lacks is its code point ("U+4E2D").
    """
    known = _letters()
    return "".join(sign if ord(sign) in known else f"U+{ord(sign):04X}" for sign in text).replace("$", r"\$")


@cache
def _letters() -> frozenset[int]:
    return frozenset(code for code in get_font(findfont(FontProperties())).get_charmap() if code >= 32)
