"""Conditions on what was measured, each as code and as words: the parts that criteria are made of.

See `core.criteria` for how a claim uses them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite

from experiments.core.quantities import Quantity

Measured = Quantity | bool | tuple[Quantity, ...]
"""What a condition can speak of."""


class Condition:
    """Something that the measured values fulfil or not. `said` in words, after "supported if"."""

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        """Return whether the condition is fulfilled; the sole value is used where no name is given."""
        raise NotImplementedError

    def said(self, names: Mapping[str, str]) -> str:
        """Return the condition in words, with the names of values put as `names` says."""
        raise NotImplementedError

    def __and__(self, other: "Condition") -> "Condition":
        return _Both(self, other)

    def __or__(self, other: "Condition") -> "Condition":
        return _Either(self, other)

    def __invert__(self) -> "Condition":
        return _Not(self)


@dataclass(frozen=True)
class _Both(Condition):
    one: Condition
    other: Condition

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        return self.one.holds(measured) and self.other.holds(measured)

    def said(self, names: Mapping[str, str]) -> str:
        return f"{_grouped(self.one, names)} and {_grouped(self.other, names)}"


@dataclass(frozen=True)
class _Either(Condition):
    one: Condition
    other: Condition

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        return self.one.holds(measured) or self.other.holds(measured)

    def said(self, names: Mapping[str, str]) -> str:
        return f"{self.one.said(names)} or {self.other.said(names)}"


def _grouped(part: Condition, names: Mapping[str, str]) -> str:
    return f"({part.said(names)})" if isinstance(part, _Either) else part.said(names)


@dataclass(frozen=True)
class _Not(Condition):
    inner: Condition

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        return not self.inner.holds(measured)

    def said(self, names: Mapping[str, str]) -> str:
        return f"it is not so that {self.inner.said(names)}"


@dataclass(frozen=True)
class About(Condition):
    """A condition on one named value; the sole or first one when `name` is empty. Subclasses say what is asked.

    `label` replaces the number in the sentence ("5 %" for 0.05).
    """

    level: float = 0.0
    label: str = field(default="", kw_only=True)
    name: str = field(default="", kw_only=True)

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        name = self.name or next(iter(measured))
        if name not in measured:
            raise ValueError(f"the criterion asks for {name!r}, and the claim function gives {', '.join(measured)}")
        return self.fits(measured[name])

    def fits(self, found: Measured) -> bool:
        """Return whether the value fulfils the condition."""
        raise NotImplementedError

    def said(self, names: Mapping[str, str]) -> str:
        return f"{self.subject(names)} {self.verb()}"

    def subject(self, names: Mapping[str, str]) -> str:
        """Return what the sentence is about."""
        return names.get(self.name, self.name.replace("_", " ")) if self.name else "it"

    def verb(self) -> str:
        """Return the sentence's second half, in the singular."""
        raise NotImplementedError

    @property
    def number(self) -> str:
        """The level as the sentence writes it."""
        return self.label or f"{self.level:g}"


class _OfInterval(About):
    def subject(self, names: Mapping[str, str]) -> str:
        return f"the interval of {super().subject(names)}" if self.name else "the interval"


class Above(_OfInterval):
    """The whole interval lies above the level."""

    def fits(self, found: Measured) -> bool:
        return bounds(found)[0] > self.level

    def verb(self) -> str:
        return f"lies above {self.number}"


class Below(_OfInterval):
    """The whole interval lies below the level."""

    def fits(self, found: Measured) -> bool:
        return bounds(found)[1] < self.level

    def verb(self) -> str:
        return f"lies below {self.number}"


@dataclass(frozen=True)
class _Between(_OfInterval):
    high: float = 0.0

    @property
    def range(self) -> str:
        """The two levels as the sentence writes them."""
        return self.label or f"{self.level:g} to {self.high:g}"


class Within(_Between):
    """The whole interval lies in [level, high]."""

    def fits(self, found: Measured) -> bool:
        low, high = bounds(found)
        return self.level <= low and high <= self.high

    def verb(self) -> str:
        return f"lies within {self.range}"


class Outside(_Between):
    """The whole interval lies below the level or above `high`."""

    def fits(self, found: Measured) -> bool:
        low, high = bounds(found)
        return high < self.level or low > self.high

    def verb(self) -> str:
        return f"lies outside {self.range}"


class AtLeast(About):
    """The value is at least the level."""

    def fits(self, found: Measured) -> bool:
        return value_of(found) >= self.level

    def verb(self) -> str:
        return f"is at least {self.number}"


class AtMost(About):
    """The value is at most the level."""

    def fits(self, found: Measured) -> bool:
        return value_of(found) <= self.level

    def verb(self) -> str:
        return f"is at most {self.number}"


class MoreThan(About):
    """The value is above the level."""

    def fits(self, found: Measured) -> bool:
        return value_of(found) > self.level

    def verb(self) -> str:
        return f"is above {self.number}"


class LessThan(About):
    """The value is below the level."""

    def fits(self, found: Measured) -> bool:
        return value_of(found) < self.level

    def verb(self) -> str:
        return f"is below {self.number}"


class Holds(About):
    """A truth value is true. The sentence is the value's name, so give it one that is a clause."""

    def fits(self, found: Measured) -> bool:
        if not isinstance(found, bool):
            raise ValueError(f"{found!r} is not a truth value")
        return found

    def said(self, names: Mapping[str, str]) -> str:
        return super().subject(names)


@dataclass(frozen=True)
class _OfMany(About):
    """A condition on a tuple of quantities, by how many of them fulfil an inner condition."""

    each: About = field(default_factory=Above)
    of: str = field(default="one", kw_only=True)

    def hits(self, found: Measured) -> tuple[int, int]:
        """Return how many fulfil the inner condition, and how many there are."""
        if not isinstance(found, tuple) or not found:
            raise ValueError(f"{found!r} is not a tuple of quantities")
        return sum(self.each.fits(one) for one in found), len(found)

    def said(self, names: Mapping[str, str]) -> str:
        inner = replace(self.each, name=self.name).said(names)
        return f"{inner} {self.verb()}"


class Every(_OfMany):
    """All of the quantities fulfil `each`: `Every(each=Above(0.5), of="density")`."""

    def fits(self, found: Measured) -> bool:
        hits, count = self.hits(found)
        return hits == count

    def verb(self) -> str:
        return f"for every {self.of}"


class NoneOf(_OfMany):
    """None of the quantities fulfils `each`."""

    def fits(self, found: Measured) -> bool:
        return self.hits(found)[0] == 0

    def verb(self) -> str:
        return f"for no {self.of}"


class Some(_OfMany):
    """At least one of the quantities fulfils `each`."""

    def fits(self, found: Measured) -> bool:
        return self.hits(found)[0] > 0

    def verb(self) -> str:
        return f"for some {self.of}"


class AtLeastSo(_OfMany):
    """At least `level` (a count if 1 or more, else a share) of the quantities fulfil `each`."""

    def fits(self, found: Measured) -> bool:
        hits, count = self.hits(found)
        return hits >= (self.level if self.level >= 1 else self.level * count)

    def verb(self) -> str:
        return f"for at least {_many(self.level, self.label)} {self.of}"


class FewerThan(_OfMany):
    """Fewer than `level` (a count if 1 or more, else a share) of the quantities fulfil `each`."""

    def fits(self, found: Measured) -> bool:
        hits, count = self.hits(found)
        return hits < (self.level if self.level >= 1 else self.level * count)

    def verb(self) -> str:
        return f"for fewer than {_many(self.level, self.label)} {self.of}"


def _many(level: float, label: str) -> str:
    return label or (f"{level:g}" if level >= 1 else f"{100 * level:g} % of each")


@dataclass(frozen=True)
class _OfTwo(Condition):
    """A condition on two named quantities; `factor` multiplies the second."""

    name: str
    other: str
    factor: float = 1.0

    def said(self, names: Mapping[str, str]) -> str:
        one, other = (names.get(name, name.replace("_", " ")) for name in (self.name, self.other))
        times = "" if self.factor == 1 else f"{self.factor:g} times "
        return f"the interval of {one} lies {self._side} {times}that of {other}"

    _side = ""

    def pair(self, measured: Mapping[str, Measured]) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the bounds of both, the second multiplied."""
        low, high = bounds(measured[self.other])
        return bounds(measured[self.name]), (self.factor * low, self.factor * high)


class AboveThat(_OfTwo):
    """The interval of one lies above `factor` times the interval of the other."""

    _side = "above"

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        one, other = self.pair(measured)
        return one[0] > other[1]


class BelowThat(_OfTwo):
    """The interval of one lies below `factor` times the interval of the other."""

    _side = "below"

    def holds(self, measured: Mapping[str, Measured]) -> bool:
        one, other = self.pair(measured)
        return one[1] < other[0]


def where(**conditions: About) -> Condition:
    """Return the condition that every named value fulfils its own."""
    named: list[Condition] = [replace(condition, name=name) for name, condition in conditions.items()]
    if not named:
        raise ValueError("where() needs at least one named condition")
    whole = named[0]
    for each in named[1:]:
        whole = whole & each
    return whole


def bounds(found: Measured) -> tuple[float, float]:
    """Return the ends of the interval; raises ValueError for a value that has none."""
    if not isinstance(found, Quantity) or found.low is None or found.high is None:
        raise ValueError(f"{found!r} has no interval; compare its value with AtLeast, AtMost, MoreThan or LessThan")
    return found.low, found.high


def value_of(found: Measured) -> float:
    """Return the value of a quantity; raises ValueError for anything else and for a value that is not finite."""
    if not isinstance(found, Quantity) or not isfinite(found.value):
        raise ValueError(f"{found!r} is not a finite quantity")
    return found.value
