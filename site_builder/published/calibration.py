"""Do intervals cover what they say? Published intervals beside those of the same numbers with other seeds.

A new value does not lie in an old interval as often as the truth does, since it errs too: of two normal means with a
95 % interval, each lies outside the other's in 16.6 % of cases. How often is expected here follows from what an
interval's method says of itself.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from math import sqrt

from experiments.core.quantities import CONFIDENCE, Quantity
from site_builder.store.records import Bounds, PartCalibration, bounds

GIVEN = ("families", "pairs", "families of pairs")
"""Units that intervals are over and no seed draws: pairs of words or of names in code, and their families. Such an
interval speaks of other words; other seeds do not try it."""

STUDENT = ("Student t", "tails widened for n")
"""Words of a method whose interval is as wide as Student's t with n - 1 degrees of freedom makes it."""


def calibrated(part: str, old: Mapping[str, Quantity], others: Sequence[Mapping[str, Bounds]]) -> PartCalibration:
    """Return what became of the intervals among the numbers `old` of one experiment in each of its `others`."""
    found = PartCalibration(part)
    for name, quantity in old.items():
        interval = bounds(quantity)
        new = [numbers[name] for numbers in others if name in numbers and numbers[name].is_interval]
        if not interval.is_interval or not new:
            continue
        if units(quantity) in GIVEN:
            found += PartCalibration(part, given=len(new))
        elif all(each.value == interval.value for each in new):
            found += PartCalibration(part, constant=len(new))
        else:
            found += PartCalibration(
                part,
                intervals=len(new),
                disjoint=sum(not interval.overlaps(each) for each in new),
                outside=sum(not interval.holds(each.value) for each in new),
                expected=len(new) * expected_outside(quantity),
            )
    return found


def units(quantity: Quantity) -> str:
    """Return what a bootstrap interval's method says that it is over, "seeds" for instance; else nothing."""
    found = re.search(r"bootstrap over ([^,]+)", quantity.method)
    return found[1] if found else ""


def expected_outside(quantity: Quantity) -> float:
    """Return how often a new value, drawn as the old one was, lies outside the old interval if that covers as it says.

    For a normal statistic whose standard error s is known or estimated from n units: the old interval reaches t s to
    either side, and the difference of two values has the standard error sqrt(2) s.
    """
    coverages = re.findall(r"(\d+(?:\.\d+)?) %", quantity.method)
    coverage = float(coverages[-1]) / 100 if coverages else CONFIDENCE
    is_student = quantity.n is not None and any(words in quantity.method for words in STUDENT)
    return _expected_outside(coverage, quantity.n - 1 if is_student and quantity.n else None)


@cache
def _expected_outside(coverage: float, freedom: int | None) -> float:
    from scipy import special

    tail = (1 + coverage) / 2
    if not freedom:
        return float(2 * special.ndtr(-special.ndtri(tail) / sqrt(2)))
    return float(2 * special.stdtr(freedom, -special.stdtrit(freedom, tail) / sqrt(2)))
