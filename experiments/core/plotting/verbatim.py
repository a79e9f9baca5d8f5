"""Words from files and results, drawn as they are."""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont

from experiments.core.plotting.typefaces import OTHERS, letters


def verbatim(text: str) -> str:
    """Return `text` so that matplotlib draws it sign by sign: nothing in it is a formula.

    A sign that no typeface of figures has is its code point ("U+4E2D").
    """
    known = _letters()
    return "".join(sign if ord(sign) in known else f"U+{ord(sign):04X}" for sign in text).replace("$", r"\$")


@cache
def _letters() -> frozenset[int]:
    return letters(findfont(FontProperties()), findfont(OTHERS[0]))
