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
    "ReportMono-Regular.ttf": "33cd7cd97e8e5ac2c495cb1c45cb09e917dfdcab3078841a99e11ed86bbc58b7",
    "ReportSans-Bold.ttf": "313af87079297c732033a2fc64de12516596a405ded2cecb708a43b040b1d8ed",
    "ReportSans-Regular.ttf": "9526b3d040828c49b778bf791cfad426d213a08223082b6055b4685eede181ec",
    "ReportSerif-Italic.ttf": "7013583350fefab13fce28ed52638386f84e0fb3d597ba97f7465de66f96a89d",
}
"""SHA-256 of each file. They stand in code so that a new typeface draws every figure anew."""

SANS_FILE = FOLDER / "ReportSans-Regular.ttf"

for _name in DIGESTS:
    fontManager.addfont(FOLDER / _name)


@cache
def letters(*files: str) -> frozenset[int]:
    """Return the code points that any of these font files has."""
    return frozenset(code for file in files for code in get_font(file).get_charmap() if code >= 32)
