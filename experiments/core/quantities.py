"""Numbers that know where they come from: a value, its interval, how many, in what, and by which method."""

# scipy.stats is imported where it is used: it takes a second, which building pages from stored results need not pay.

from dataclasses import dataclass
from math import floor, isfinite, log10

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
"""Coverage of every interval in the report."""


@dataclass(frozen=True)
class Quantity:
    """One number of a result.

    `low` and `high` bound a 95 % interval when there is one; `n` is the number of independent units
    behind it (seeds, pairs, cells); `method` says how the interval was made. A number without sampling
    error (a closed form, a count over a whole grid) has no interval and says so in `method`.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    unit: str = ""
    method: str = ""

    def __format__(self, spec: str) -> str:
        """Format for prose.

        `""` value with its interval; `"value"` the value alone; `"%"` and `"% value"` the same in
        percent; `"count"` a share as "all 64", "none of 64" or "23 of 64"; anything else is a
        number format for the value (`".3f"`).
        """
        if spec == "count":
            return self._count()
        if spec in ("", "%"):
            return self._with_interval(percent=spec == "%")
        if spec in ("value", "% value"):
            percent = spec != "value"
            return _number(self.value, percent, self._places(percent))
        return format(self.value, spec)

    def _count(self) -> str:
        if self.n is None:
            raise ValueError(f"a count needs n, and {self!r} has none")
        hits = round(self.value * self.n)
        if hits == self.n:
            return f"all {self.n}"
        return f"none of {self.n}" if hits == 0 else f"{hits} of {self.n}"

    def _with_interval(self, percent: bool) -> str:
        places = self._places(percent)
        text = _number(self.value, percent, places)
        if self.low is not None and self.high is not None:
            low, high = (_number(bound, percent, places) for bound in (self.low, self.high))
            text += f" [{low}, {high}]"
        return text + (f" {self.unit}" if self.unit and not percent else "")

    def _places(self, percent: bool) -> int:
        """Decimal places that show two digits of the interval's width, or three digits of the value."""
        scale = 100.0 if percent else 1.0
        if self.low is not None and self.high is not None and self.high > self.low:
            return _decimals((self.high - self.low) * scale, digits=2)
        if self.value == 0 or float(self.value * scale).is_integer():
            return 0
        return _decimals(self.value * scale, digits=3)


def _decimals(size: float, digits: int) -> int:
    return max(0, digits - 1 - floor(log10(abs(size)))) if size and isfinite(size) else 0


def _number(value: float, percent: bool, places: int) -> str:
    text = f"{value * (100 if percent else 1):.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    text = text.replace("-", "\N{MINUS SIGN}")
    return f"{text} %" if percent else text


def share(hits: ArrayLike, unit: str = "") -> Quantity:
    """Return the share of true values in `hits` with its Wilson score interval."""
    from scipy import stats

    flags = np.asarray(hits, dtype=bool).ravel()
    if flags.size == 0:
        raise ValueError("a share needs at least one observation")
    result = stats.binomtest(int(flags.sum()), flags.size)
    bounds = result.proportion_ci(CONFIDENCE, method="wilson")
    return Quantity(
        float(flags.mean()), float(bounds.low), float(bounds.high), flags.size, unit, "Wilson score interval, 95 %"
    )


def mean(values: ArrayLike, unit: str = "") -> Quantity:
    """Return the mean of `values` (one per independent unit) with its Student t interval."""
    from scipy import stats

    sample = np.asarray(values, dtype=np.float64).ravel()
    centre = float(sample.mean())
    if sample.size < 2:
        return Quantity(centre, n=sample.size, unit=unit, method="a single value, no interval")
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, sample.size - 1) * stats.sem(sample))
    return Quantity(centre, centre - half, centre + half, sample.size, unit, "Student t interval of the mean, 95 %")


def median(values: ArrayLike, unit: str = "") -> Quantity:
    """Return the median of `values` with its order-statistic interval (binomial, needs no distribution)."""
    from scipy import stats

    sample = np.sort(np.asarray(values, dtype=np.float64).ravel())
    low, high = stats.binom.interval(CONFIDENCE, sample.size, 0.5)
    bounds = sample[max(int(low) - 1, 0)], sample[min(int(high), sample.size - 1)]
    return Quantity(
        float(np.median(sample)),
        float(bounds[0]),
        float(bounds[1]),
        sample.size,
        unit,
        "order-statistic interval of the median, 95 %",
    )


def exact(value: float, unit: str = "", method: str = "computed without sampling error") -> Quantity:
    """Return a number that has no sampling error."""
    return Quantity(float(value), unit=unit, method=method)
