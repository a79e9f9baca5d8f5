"""How a quantity is written in prose.

No result depends on it, so it belongs to no run key: while an experiment runs, nothing is written.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

from experiments.core.errors import ReportError

if TYPE_CHECKING:
    from experiments.core.quantities import Quantity

_running_in: set[int] = set()


@contextmanager
def unwritten() -> Iterator[None]:
    """Refuse to write any quantity in this process meanwhile."""
    process = os.getpid()
    outermost = process not in _running_in
    _running_in.add(process)
    try:
        yield
    finally:
        if outermost:
            _running_in.discard(process)


SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(exponent: int) -> str:
    """Return a power of ten as in print: "10⁻⁹" for -9."""
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def written(quantity: "Quantity", spec: str) -> str:
    """Return `quantity` in words, as `Quantity.__format__` says; raises ReportError during a run."""
    if os.getpid() in _running_in:
        raise ReportError("a run writes a quantity as text, which no run key covers; return the Quantity itself")
    if spec == "count":
        return _count(quantity)
    if spec in ("", "%"):
        return _with_interval(quantity, percent=spec == "%")
    if spec in ("value", "% value"):
        percent = spec != "value"
        return _number(quantity.value, percent, _places(quantity, percent))
    return format(quantity.value, spec)


def _count(quantity: "Quantity") -> str:
    if quantity.n is None:
        raise ValueError(f"a count needs n, and {quantity!r} has none")
    hits = round(quantity.value * quantity.n)
    if hits == quantity.n:
        return f"all {quantity.n}"
    return f"none of {quantity.n}" if hits == 0 else f"{hits} of {quantity.n}"


def _with_interval(quantity: "Quantity", percent: bool) -> str:
    places = _places(quantity, percent)
    text = _number(quantity.value, percent, places)
    if quantity.low is not None and quantity.high is not None:
        low, high = (_number(bound, percent, places) for bound in (quantity.low, quantity.high))
        text += f" [{low}, {high}]"
    return text + (f" {quantity.unit}" if quantity.unit and not percent else "")


def _places(quantity: "Quantity", percent: bool) -> int:
    """Decimal places that show two digits of the interval's width, or three digits of the value."""
    scale = 100.0 if percent else 1.0
    if quantity.low is not None and quantity.high is not None and quantity.high > quantity.low:
        return _decimals((quantity.high - quantity.low) * scale, digits=2)
    if quantity.value == 0 or float(quantity.value * scale).is_integer():
        return 0
    return _decimals(quantity.value * scale, digits=3)


def _decimals(size: float, digits: int) -> int:
    return max(0, digits - 1 - floor(log10(abs(size)))) if size and isfinite(size) else 0


def _number(value: float, percent: bool, places: int) -> str:
    text = f"{value * (100 if percent else 1):.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    text = text.replace("-", "\N{MINUS SIGN}")
    return f"{text} %" if percent else text
