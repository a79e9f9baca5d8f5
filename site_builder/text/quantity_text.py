"""How a quantity is written where people read it: in prose, captions, tables and LaTeX."""

from math import floor, log10

from experiments.core.quantities import Quantity

FORMATS = ("%", "% value")
"""The formats of a share whose number of decimals is chosen here; every other format is the quantity's own."""


def written(quantity: Quantity, spec: str = "") -> str:
    """Return the text of a quantity in a format of `Quantity.__format__`, raising what that raises.

    A share in per cent ends where its interval begins to vary. Beyond one decimal, the last one is worth a tenth of the
    interval's width or more: 99.92 % [99.91 %, 99.93 %]. A share without interval has two significant decimals at most.
    Python's own formats get the same sign of minus and the same space before the per cent sign: 73 %, not 73%.
    """
    text = format(quantity, spec)
    if spec not in FORMATS:
        return _typeset(text)
    value, _, interval = text.partition(" [")
    places = _decimals_of(value)
    if places <= 1:
        return text
    places = min(places, _supported(quantity))
    shares = [quantity.value, *((quantity.low, quantity.high) if interval else ())]
    value, *ends = (_percent(share, places) for share in shares if share is not None)
    return f"{value} [{', '.join(ends)}]" if ends else value


def _typeset(text: str) -> str:
    if text[-1:] == "%" and text[-2:-1].isdigit():
        text = f"{text[:-1]} %"
    return f"\N{MINUS SIGN}{text[1:]}" if text[:1] == "-" and text[1:2].isdigit() else text


def _decimals_of(text: str) -> int:
    return len(text.removesuffix(" %").partition(".")[2])


def _supported(quantity: Quantity) -> int:
    """Return how many decimals a share in per cent deserves, one or more."""
    if quantity.low is not None and quantity.high is not None and quantity.high > quantity.low:
        return max(1, -floor(log10(100 * (quantity.high - quantity.low))))
    return max(2, 1 - floor(log10(abs(100 * quantity.value))))


def _percent(share: float, places: int) -> str:
    """Return a share in per cent, with a true minus sign, and none before zero."""
    text = f"{100 * share:.{places}f}"
    return f"{text if float(text) else text.removeprefix('-')} %".replace("-", "\N{MINUS SIGN}")
