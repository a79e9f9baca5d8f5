"""Criteria: what makes a claim supported or refuted, said once, as a sentence and as code.

A claim function returns what was measured, and the criterion turns it into a verdict::

    @experiment.claim("pairs-are-exact", title=..., test=..., criterion=above(0.9))
    def exact_pairs(result: Result) -> Quantity:
        return result.numbers.exact

    @experiment.claim(
        "hedging", title=..., test=...,
        criterion=Criterion(
            supported_if(where(upright=Below(0.1), independent=Below(0.1))),
            refuted_if(where(upright=Above(0.3))),
            otherwise=Verdict.MIXED,
            names={"upright": "an upright latent's error"},
        ),
    )
    def hedging(result: Result) -> Evidence:
        return Evidence(upright=result.numbers.error_upright, independent=result.numbers.independent)

The clauses of a criterion are asked in order, and the first that holds decides. A *condition* speaks of one quantity
(`Above`, `Below`, `Within`, `Outside`: its whole interval; `AtLeast`, `AtMost`, `MoreThan`, `LessThan`: its value,
for numbers without sampling error), of a truth value (`Holds`), of a tuple of quantities (`Every`, `NoneOf`, `Some`,
`AtLeastSo`, `FewerThan`), or of two quantities (`AboveThat`, `BelowThat`). Conditions combine with `&`, `|` and `~`;
`where(name=condition)` addresses the measured values by name. `Judged` is for what no combination of these can say.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from experiments.core.conditions import (
    Above,
    AboveThat,
    AtLeast,
    AtLeastSo,
    AtMost,
    Below,
    BelowThat,
    Condition,
    Every,
    FewerThan,
    Holds,
    LessThan,
    Measured,
    MoreThan,
    NoneOf,
    Outside,
    Some,
    Within,
    where,
)
from experiments.core.quantities import Quantity

__all__ = [
    "Above",
    "AboveThat",
    "AtLeast",
    "AtLeastSo",
    "AtMost",
    "Below",
    "BelowThat",
    "Clause",
    "Condition",
    "Criterion",
    "Every",
    "Evidence",
    "FewerThan",
    "Holds",
    "Judged",
    "LessThan",
    "MoreThan",
    "NoneOf",
    "Outside",
    "Some",
    "Verdict",
    "Within",
    "above",
    "at_least",
    "below",
    "inconclusive_if",
    "less_than",
    "mixed_if",
    "refuted_if",
    "supported_if",
    "where",
]

STANDARD_ERRORS_PER_HALF_INTERVAL = 1.959963984540054
"""Half the width of a 95 % interval of a normal estimate, in standard errors."""


class Verdict(StrEnum):
    """What the data say about a claim."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    MIXED = "mixed"
    INCONCLUSIVE = "inconclusive"


class Evidence:
    """What a claim function measured, by name; the first value is the statistic that pages show with the verdict.

    Values are quantities, truth values, or tuples of quantities (one per density, say). The first is a quantity.
    """

    def __init__(self, **measured: Measured) -> None:
        self.measured: dict[str, Measured] = measured
        if not isinstance(self.statistic, Quantity):
            raise ValueError(f"the first value of the evidence is the statistic, a Quantity; {self.statistic!r} is not")

    @property
    def statistic(self) -> Any:
        """The quantity that pages show."""
        return next(iter(self.measured.values()), None)


@dataclass(frozen=True)
class Clause:
    """If the condition holds, this is the verdict."""

    verdict: Verdict
    condition: Condition


def supported_if(condition: Condition) -> Clause:
    """Return the clause "supported if ..."."""
    return Clause(Verdict.SUPPORTED, condition)


def refuted_if(condition: Condition) -> Clause:
    """Return the clause "refuted if ..."."""
    return Clause(Verdict.REFUTED, condition)


def mixed_if(condition: Condition) -> Clause:
    """Return the clause "mixed if ..."."""
    return Clause(Verdict.MIXED, condition)


def inconclusive_if(condition: Condition) -> Clause:
    """Return the clause "inconclusive if ..."."""
    return Clause(Verdict.INCONCLUSIVE, condition)


class Criterion:
    """How a verdict follows from what was measured: clauses in order, the first that holds decides.

    `names` says how the sentence calls a measured value (default: its name with spaces). `note` is a sentence after.
    """

    def __init__(
        self,
        *clauses: Clause,
        otherwise: Verdict = Verdict.INCONCLUSIVE,
        names: Mapping[str, str] | None = None,
        note: str = "",
    ) -> None:
        self.clauses = clauses
        self.otherwise = otherwise
        self.names = dict(names or {})
        self.note = note

    def verdict(self, evidence: Evidence) -> Verdict:
        """Return the verdict; raises ValueError when a value is missing or lacks the interval that is asked for."""
        return self._verdict(evidence.measured)

    def _verdict(self, measured: Mapping[str, Measured]) -> Verdict:
        for clause in self.clauses:
            if clause.condition.holds(measured):
                return clause.verdict
        return self.otherwise

    @property
    def sentence(self) -> str:
        """The criterion in words."""
        parts = [f"{clause.verdict} if {clause.condition.said(self.names)}" for clause in self.clauses]
        text = "; ".join([*parts, f"{self.otherwise} otherwise"]) + "."
        return text[0].upper() + text[1:] + (f" {self.note}" if self.note else "")

    def margin(self, evidence: Evidence) -> float | None:
        """Return how firm the verdict is, in standard errors.

        It is the smallest number of standard errors that one measured value, or all values of one kind together (the
        ratios of all mixtures), all others held, would have to move for the criterion, applied to values without their
        intervals, to give another verdict. A verdict of *inconclusive* has no margin, nor one that rests only on
        numbers without sampling error.
        """
        if self.verdict(evidence) is Verdict.INCONCLUSIVE:
            return None
        points = {name: _pointlike(found) for name, found in evidence.measured.items()}
        base = self._verdict(points)
        moves = [move for name in points for move in self._moves(evidence.measured, points, name, base)]
        return min(moves) if moves else None

    def _moves(
        self, measured: Mapping[str, Measured], points: dict[str, Measured], name: str, base: Verdict
    ) -> Iterator[float]:
        """Yield by how many standard errors each quantity under `name` must move to change `base`."""
        found = measured[name]
        if isinstance(found, bool):
            return
        many = found if isinstance(found, tuple) else (found,)
        uncertain = [k for k, one in enumerate(many) if _is_uncertain(one)]

        def shifted(places: list[int], errors: float) -> Verdict:
            moved = tuple(_moved(one, errors if k in places else 0.0) for k, one in enumerate(many))
            return self._verdict({**points, name: moved if isinstance(found, tuple) else moved[0]})

        together = [uncertain] if len(uncertain) > 1 else []
        for places in [*([place] for place in uncertain), *together]:
            for sign in (+1, -1):
                move = _first_change(partial(shifted, places), base, sign)
                if move:
                    yield abs(move)


def _is_uncertain(one: Quantity) -> bool:
    return one.low is not None and one.high is not None and one.high > one.low


def _moved(one: Quantity, errors: float) -> Quantity:
    """Return the value moved by so many standard errors, as a point."""
    value = one.value
    if errors and one.low is not None and one.high is not None:
        value += errors * ((one.high - value) if errors > 0 else (value - one.low)) / STANDARD_ERRORS_PER_HALF_INTERVAL
    return Quantity(value, value, value, one.n)


MOST_ERRORS = 1000.0
"""Beyond this many standard errors a verdict counts as out of reach."""


def _first_change(shifted: Callable[[float], Verdict], base: Verdict, sign: int) -> float | None:
    """Return the smallest move with this sign at which the verdict changes, to three digits; None beyond reach."""
    previous, step = 0.0, 0.05
    while step <= MOST_ERRORS:
        if shifted(sign * step) is not base:
            low, high = previous, step
            for _ in range(12):
                middle = (low + high) / 2
                low, high = (low, middle) if shifted(sign * middle) is not base else (middle, high)
            return sign * high
        previous, step = step, step * 1.15
    return None


def _pointlike(found: Measured) -> Measured:
    if isinstance(found, bool):
        return found
    return tuple(_moved(one, 0.0) for one in found) if isinstance(found, tuple) else _moved(found, 0.0)


class Judged(Criterion):
    """A criterion that no combination of conditions can say: a sentence and a function.

    `examples` are pairs of evidence and the verdict that the sentence gives for it, at least one per verdict the
    sentence names; the tests compare them with the function, so that the two cannot drift apart.
    """

    def __init__(
        self,
        sentence: str,
        judge: Callable[[Mapping[str, Any]], Verdict],
        examples: tuple[tuple[Evidence, Verdict], ...],
    ) -> None:
        super().__init__()
        self._sentence = sentence
        self.judge = judge
        self.examples = examples

    def _verdict(self, measured: Mapping[str, Measured]) -> Verdict:
        return self.judge(measured)

    @property
    def sentence(self) -> str:
        """The criterion in words."""
        return self._sentence


def above(
    level: float, refuted_below: float | None = None, otherwise: Verdict | None = None, **words: str
) -> Criterion:
    """Return "supported if the interval lies above `level`, refuted if below"; in between inconclusive.

    With `refuted_below` the claim is refuted only below that lower level, and what lies between is mixed.
    """
    gap = Verdict.INCONCLUSIVE if refuted_below is None else Verdict.MIXED
    return Criterion(
        supported_if(Above(level, **words)),
        refuted_if(Below(level, **words) if refuted_below is None else Below(refuted_below)),
        otherwise=otherwise or gap,
    )


def below(
    level: float, refuted_above: float | None = None, otherwise: Verdict | None = None, **words: str
) -> Criterion:
    """Return "supported if the interval lies below `level`, refuted if above"; in between inconclusive.

    With `refuted_above` the claim is refuted only above that higher level, and what lies between is mixed.
    """
    gap = Verdict.INCONCLUSIVE if refuted_above is None else Verdict.MIXED
    return Criterion(
        supported_if(Below(level, **words)),
        refuted_if(Above(level, **words) if refuted_above is None else Above(refuted_above)),
        otherwise=otherwise or gap,
    )


def at_least(enough: float, few: float | None = None, note: str = "") -> Criterion:
    """Return "supported if it is at least `enough`, refuted if below `few`, mixed in between".

    For values without sampling error. Without `few` the claim is refuted when it is not supported.
    """
    if few is None:
        return Criterion(supported_if(AtLeast(enough)), otherwise=Verdict.REFUTED, note=note)
    return Criterion(supported_if(AtLeast(enough)), refuted_if(LessThan(few)), otherwise=Verdict.MIXED, note=note)


def less_than(level: float, refuted_above: float | None = None, note: str = "", **words: str) -> Criterion:
    """Return "supported if it is below `level`, refuted if above `refuted_above`, mixed in between".

    For values without sampling error. Without `refuted_above` the claim is refuted when it is not supported.
    """
    supported = supported_if(LessThan(level, **words))
    if refuted_above is None:
        return Criterion(supported, otherwise=Verdict.REFUTED, note=note)
    return Criterion(supported, refuted_if(MoreThan(refuted_above)), otherwise=Verdict.MIXED, note=note)
