"""Numbers that know where they come from: a value, its interval, how many, in what, and by which method."""

# scipy.stats is imported where it is used: it takes a second, which building pages from stored results need not pay.

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.quantity_words import written

CONFIDENCE = 0.95
"""Coverage of every interval in the report, unless its method states another."""

RESAMPLES = 2000
"""How often a bootstrap resamples its units."""


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
        return written(self, spec)


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


def mean(values: ArrayLike, unit: str = "", within: tuple[float, float] | None = None) -> Quantity:
    """Return the mean of `values` (one per independent unit) with its Student t interval.

    `within` is the range that the values cannot leave (shares: (0, 1)); the interval is cut off there, which costs
    no coverage because the true mean lies inside.
    """
    from scipy import stats

    sample = np.asarray(values, dtype=np.float64).ravel()
    centre = float(sample.mean())
    if sample.size < 2:
        return Quantity(centre, n=sample.size, unit=unit, method="a single value, no interval")
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, sample.size - 1) * stats.sem(sample))
    low, high = centre - half, centre + half
    method = "Student t interval of the mean, 95 %"
    if within is not None and (low < within[0] or high > within[1]):
        low, high = max(low, within[0]), min(high, within[1])
        method += f", cut off at the ends of {within[0]:g} to {within[1]:g}"
    return Quantity(centre, low, high, sample.size, unit, method)


def median(values: ArrayLike, unit: str = "") -> Quantity:
    """Return the median of `values` with an interval between order statistics, which needs no distribution.

    From the `rank`-th value on either side the interval covers at least 95 %, from the next one less; its ends lie
    between the two (Hettmansperger and Sheather, "Confidence intervals based on interpolated order statistics",
    1986). Of five values or fewer even the outermost cover less; `method` states how much.
    """
    from scipy import stats

    def coverage(rank: int) -> float:
        return float(1 - 2 * stats.binom.cdf(rank - 1, size, 0.5))

    sample = np.sort(np.asarray(values, dtype=np.float64).ravel())
    size = sample.size
    rank = max(int(stats.binom.ppf((1 - CONFIDENCE) / 2, size, 0.5)), 1)
    low, high = float(sample[rank - 1]), float(sample[size - rank])
    covered = coverage(rank)
    if covered > CONFIDENCE:
        step = (covered - CONFIDENCE) / (covered - coverage(rank + 1))
        inwards = (size - rank) * step / (rank + (size - 2 * rank) * step)
        low += inwards * float(sample[rank] - sample[rank - 1])
        high -= inwards * float(sample[size - rank] - sample[size - rank - 1])
        covered = CONFIDENCE
    method = f"interpolated order-statistic interval of the median, {100 * covered:.3g} %"
    return Quantity(float(np.median(sample)), low, high, size, unit, method)


Statistic = Callable[[NDArray[np.int64]], float]
"""A number computed from chosen units, given their positions (unit,), some of them several times."""


def bootstrap(
    statistic: Statistic, units: int, *, seed: int = 0, resamples: int = RESAMPLES, unit: str = "", of: str = "seeds"
) -> Quantity:
    """Return `statistic` of all units with a bootstrap interval that resamples whole units (`of` names them).

    Whatever belongs to one unit moves together, so pass the positions on to every array: `lambda chosen:
    ratio(a[chosen], b[chosen])`. See `from_resamples` for the interval.
    """
    return bootstrap_each(lambda chosen: [statistic(chosen)], units, seed=seed, resamples=resamples, unit=unit, of=of)[
        0
    ]


def bootstrap_each(
    statistics: Callable[[NDArray[np.int64]], Sequence[float] | NDArray[np.float64]],
    units: int,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    unit: str = "",
    of: str = "seeds",
) -> list[Quantity]:
    """Return several statistics of all units, each with its interval, from the same resamples; see `bootstrap`."""
    centre = np.asarray(statistics(np.arange(units)), dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, units, (resamples, units))
    drawn = np.array([statistics(row) for row in chosen], dtype=np.float64)
    return [
        from_resamples(float(value), drawn[:, place], units, unit=unit, of=of) for place, value in enumerate(centre)
    ]


def from_resamples(value: float, resampled: ArrayLike, n: int, *, unit: str = "", of: str = "seeds") -> Quantity:
    """Return a value with the percentile interval of its bootstrap resamples over `n` units.

    A plain percentile interval is too narrow for few units. Its tails are chosen as Hesterberg does ("What teachers
    should know about the bootstrap", 2015): those at which a normal sample would give the Student t interval.
    Resamples that are not finite (a statistic that is undefined for that choice) are left out.
    """
    from scipy import stats

    drawn = np.asarray(resampled, dtype=np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if n < 2 or drawn.size == 0:
        return Quantity(value, n=n, unit=unit, method=f"a single one of {of}, no interval")
    tail = float(stats.norm.cdf(-sqrt(n / (n - 1)) * stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    method = f"percentile bootstrap over {of}, {drawn.size} resamples, tails widened for n, 95 %"
    return Quantity(float(value), float(low), float(high), n, unit, method)


def exact(value: float, unit: str = "", method: str = "computed without sampling error") -> Quantity:
    """Return a number that has no sampling error."""
    return Quantity(float(value), unit=unit, method=method)
