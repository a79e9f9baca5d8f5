"""Which files of a figure are meant for writeups, and how fine they are.

Nobody prints a figure of a quick run. A third of the time of drawing was for its PDF and its finer picture.
"""

QUICK = "quick"
"""The scale of a run that only shows that all works."""

PRINTED_DPI = 300
"""Dots per inch of the PNG of a published run, and of pictures inside its PDF."""

QUICK_DPI = 120
"""The same of a quick run."""


def picture_dpi(scale: str) -> int:
    """Return the dots per inch of the PNG of a run at `scale`."""
    return QUICK_DPI if scale == QUICK else PRINTED_DPI


def pdf_dpi(scale: str) -> int | None:
    """Return the dots per inch of pictures inside the PDF of a run at `scale`; None where no PDF is drawn."""
    return None if scale == QUICK else PRINTED_DPI
