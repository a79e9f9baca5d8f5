"""What decides the claims about the offset test, shared by vectors trained here, of this project, and given in a file.

Each claim has its test in words, its criterion, and the function that returns what the criterion judges.
"""

from experiments.core.criteria import (
    Above,
    AtLeast,
    AtMost,
    Below,
    Clause,
    Criterion,
    Every,
    Evidence,
    Holds,
    Some,
    Verdict,
    above,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity
from experiments.linear_representation.shared.analogy_results import OffsetResult

BEATS_TEST = (
    "Share of questions right by b − a + c less that of the best of three baselines (nearest to c, random offset, "
    "shuffled partners), own words barred for all"
)
NEAREST_TEST = "Share of questions whose nearest word to b − a + c is d, with no word barred"
PARALLEL_TEST = "Mean cosine between offsets of one family, less the same with partners exchanged within the family."

BEATS = Criterion(
    supported_if(Every(each=Above(0), name="gains", of="kind of vectors")),
    refuted_if(Every(each=Below(0.02, label="2 points"), name="gains", of="kind of vectors")),
    otherwise=Verdict.MIXED,
    names={"gains": "the gain over families"},
)
"""What decides whether the offset beats its baselines, for `gains`."""


def gains(result: OffsetResult) -> Evidence:
    """Return the least gain of the offset over its best baseline, and that of every kind of vectors."""
    found = tuple(each.gain for each in result.overall)
    return Evidence(least=least(found), gains=found)


NEAREST = above(0.5, refuted_below=0.25)
"""What decides whether the fourth word is nearest, for `analogy_results.nearest`."""

PARALLEL = Criterion(
    refuted_if(~Every(each=Above(0), name="gains", of="kind of vectors")),
    supported_if(Every(each=AtLeast(0.5), name="cosines", of="kind of vectors")),
    otherwise=Verdict.MIXED,
    names={"gains": "the difference", "cosines": "the mean cosine"},
)
"""What decides whether offsets are parallel, for `parallels`."""


def parallels(result: OffsetResult) -> Evidence:
    """Return by how much true partners are more parallel than exchanged ones, and the mean cosines."""
    found = tuple(each.parallel_gain for each in result.overall)
    return Evidence(least=least(found), gains=found, cosines=tuple(each.parallel for each in result.overall))


def least(quantities: tuple[Quantity, ...]) -> Quantity:
    """Return the quantity with the lowest value."""
    return min(quantities, key=lambda each: each.value)


EVERY_FAMILY = Criterion(
    supported_if(Every(each=Above(0), name="gains", of="family")),
    refuted_if(Some(each=Below(0), name="gains", of="family")),
    otherwise=Verdict.MIXED,
    names={"gains": "the gain"},
)
"""What decides whether the offset beats its baselines in every family, for `family_gains`."""


def family_gains(result: OffsetResult) -> Evidence:
    """Return the least gain of the first kind of vectors within a family, and that of every family."""
    found = tuple(each.gain for each in result.by_family[0])
    return Evidence(least=least(found), gains=found)


def queen_comes_first(*before: Clause, rank: str = "queen's rank with the three words barred") -> Criterion:
    """Return what decides whether king - man + woman is nearest to queen, for `queen`.

    `before` are clauses that come first, and `rank` says what rank is meant.
    """
    return Criterion(
        *before,
        supported_if(where(first=Holds())),
        mixed_if(where(rank=AtMost(1))),
        otherwise=Verdict.REFUTED,
        names={"rank": rank, "first": "queen comes first with nothing barred"},
    )


def queen(rank: Quantity, nearest: tuple[str, ...]) -> Evidence:
    """Return queen's rank, and whether queen is the nearest of all words."""
    return Evidence(rank=rank, first=[word.lower() for word in nearest[:1]] == ["queen"])
