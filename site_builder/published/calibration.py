"""Do intervals cover what they say? The intervals of every run beside the same numbers of runs with other seeds.

A new value does not lie in an old interval as often as the truth does, since it errs too: of two normal means with a
95 % interval, each lies outside the other's in 16.6 % of cases. How often is expected here follows from what an
interval's method says of itself. Every run of an experiment is compared with every other, the published one among
them: comparing all with the published run alone would show how lucky that one was.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations
from math import sqrt

from experiments.core.quantities import CONFIDENCE, Quantity
from site_builder.store.records import Bounds, PartCalibration, bounds

GIVEN = ("families", "pairs", "families of pairs")
"""Units that intervals are over and no seed draws: pairs of words or of names in code, and their families. Such an
interval speaks of other words; other seeds do not try it."""

STUDENT = ("Student t", "tails widened for n", "interpolated order-statistic")
"""Words of a method whose interval is as wide as Student's t with n - 1 degrees of freedom makes it; that of a median
nearly so: it is left in 0 to 1.5 % more of all cases, by simulation with 6 to 256 values of three distributions."""


def calibrated(part: str, old: Mapping[str, Quantity], others: Sequence[Mapping[str, Bounds]]) -> PartCalibration:
    """Return what became of the intervals of one experiment, given its numbers and, with other seeds, `others`."""
    runs = [{name: bounds(quantity) for name, quantity in old.items()}, *others]
    pairs, outside, disjoint = ([[0] * len(runs) for _ in runs] for _ in range(3))
    expected, constant, given = 0.0, 0, 0
    for name, quantity in old.items():
        known = {
            run: numbers[name] for run, numbers in enumerate(runs) if name in numbers and numbers[name].is_interval
        }
        count = len(known) * (len(known) - 1)
        if units(quantity) in GIVEN:
            given += count
        elif len({each.value for each in known.values()}) == 1:
            constant += count
        else:
            expected += count * expected_outside(quantity) if count else 0.0
            for one, other in permutations(known, 2):
                pairs[one][other] += 1
                outside[one][other] += not known[one].holds(known[other].value)
                disjoint[one][other] += not known[one].overlaps(known[other])
    by_run = tuple((_of_run(pairs, run), _of_run(outside, run)) for run in range(len(runs)))
    intervals, no_point, left = (sum(map(sum, counts)) for counts in (pairs, disjoint, outside))
    return PartCalibration(part, intervals, no_point, left, expected, constant, given, (by_run,) if intervals else ())


def _of_run(counts: list[list[int]], run: int) -> int:
    """Return the sum over all pairs of runs (run, run) that one run takes part in."""
    return sum(counts[run]) + sum(row[run] for row in counts)


def interval(found: PartCalibration) -> tuple[float, float] | None:
    """Return the 95 % interval of the share outside: a jackknife over runs, those of each experiment apart.

    The numbers of one run move together, so the run is the unit, and not the pair. None where leaving out a run leaves
    no pair of its experiment, as where there are two.
    """
    from scipy import special

    variance, freedom = 0.0, 0
    for runs in found.by_run:
        pairs, outside = (sum(column) / 2 for column in zip(*runs, strict=True))  # each pair is told by both its runs
        if any(in_run == pairs for in_run, _ in runs):
            return None
        count, left = len(runs), [(outside - of_run) / (pairs - in_run) for in_run, of_run in runs]
        middle, weight = sum(left) / count, pairs / found.intervals
        variance += weight**2 * (count - 1) / count * sum((each - middle) ** 2 for each in left)
        freedom += count - 1
    if not freedom:
        return None
    half = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2)) * sqrt(variance)
    return max(found.share - half, 0.0), min(found.share + half, 1.0)


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
