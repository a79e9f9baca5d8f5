"""The typefaces of figures: those of the pages, as files that every machine has, so that all set the same letters."""

from functools import cache
from pathlib import Path

from matplotlib.font_manager import fontManager, get_font

FOLDER = Path(__file__).parent / "fonts"

SANS, BOLD, ITALIC, MONO = "Report Sans", "Report Sans:bold", "Report Serif:italic", "Report Mono"
"""Text, letters of panels, letters in formulas, and text as a file has it (see fonts/README)."""

OTHERS = ("DejaVu Sans", "DejaVu Sans Mono")
"""Where signs come from that these lack; both ship with matplotlib."""

TEXT, VERBATIM = (SANS, OTHERS[0]), (MONO, OTHERS[1])
"""The families of text, and of text as a file has it, with where missing signs come from."""

DIGESTS = {
    "ReportMono-Regular.ttf": "66ccc53cd2440da1467f09529d5efcad780f296d5fbefbd680e744354ef37550",
    "ReportSans-Bold.ttf": "598df37e33ab130138c18bd03edce85f50249f5d2460d0df20f2861c761ab60a",
    "ReportSans-Regular.ttf": "2ef7fdcd2ab7438bbe1ed6d2c3aceb852cfb2aac9742638a3f30455810c00fe6",
    "ReportSerif-Italic.ttf": "3a9ab370b0b5c518d0e9655148db90f543c8b6cedca465cf73208d06500c29bb",
}
"""SHA-256 of each file. They stand in code so that a new typeface draws every figure anew."""

SANS_FILE = FOLDER / "ReportSans-Regular.ttf"

for _name in DIGESTS:
    fontManager.addfont(FOLDER / _name)


@cache
def letters(*files: str) -> frozenset[int]:
    """Return the code points that any of these font files has."""
    return frozenset(code for file in files for code in get_font(file).get_charmap() if code >= 32)
