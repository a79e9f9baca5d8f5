"""What both censuses claim, and how: criteria and the evidence for them."""

import numpy as np

from experiments.core.criteria import (
    Above,
    AtLeast,
    AtMost,
    Below,
    Criterion,
    Evidence,
    Holds,
    LessThan,
    Verdict,
    Within,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from experiments.geometry.shared.census import CensusResult, slug

LEAST_JUMP = 0.25
"""A change of ||W||_F^2 beyond this, a quarter of a feature, counts as a jump."""

APPEARS = Criterion(
    refuted_if(where(most=Below(0.5, label="one half"))),
    supported_if(where(most=Above(0.5, label="one half"), densest=Below(0.1, label="one tenth"))),
    otherwise=Verdict.MIXED,
    names={"most": "the largest share", "densest": "the share at the largest density"},
)
"""A shape appears as features get rarer."""

FOLLOWS = Criterion(
    refuted_if(Holds(name="never")),
    supported_if(where(most=Above(0.5, label="one half"), later=Holds())),
    otherwise=Verdict.MIXED,
    names={
        "most": "the largest share",
        "never": "one of the two shapes is never the exact optimum",
        "later": "the second is the optimum only at lower densities than the first",
    },
)
"""A shape follows another as features get rarer, and training finds it."""

NOTHING_BETTER = Criterion(supported_if(AtMost(0.01, label="a hundredth of a feature")), otherwise=Verdict.REFUTED)
SUDDEN = Criterion(
    supported_if(where(at_least=AtLeast(1))),
    refuted_if(where(at_most=LessThan(0.5, label="one half"))),
    mixed_if(where(at_least=AtLeast(0.5, label="one half"), at_most=LessThan(1))),
    names={
        "at_least": "the share of transitions that are sudden beyond doubt",
        "at_most": "the share of those that may be",
    },
    note="A shape that may or may not hold, by its interval, leaves a transition in doubt.",
)
"""Transitions of the optimum are sudden."""

BEST_IS_OPTIMUM = Criterion(
    supported_if(Above(0.9)), refuted_if(Below(0.5, label="one half")), mixed_if(Within(0.5, high=0.9))
)


def appears(result: CensusResult, kind: str) -> Evidence:
    """Return the largest share of a shape, and that at the largest density."""
    found = result.shape[slug(kind)]
    return Evidence(most=found.most, densest=found.densest)


def follows(result: CensusResult, first: str, then: str) -> Evidence:
    """Return the largest share of the shape `then`, whether both are ever the optimum, and whether it is later."""
    order = order_of_ranges(result, first, then)
    return Evidence(
        most=result.shape[slug(then)].most, never=order is None, later=order is not None and order[0] > order[1]
    )


def order_of_ranges(result: CensusResult, first: str, then: str) -> tuple[float, float] | None:
    """Return the least density at which `first` is best and the largest at which `then` is; None if one never is."""
    best = result.optimum[-1]
    one, two = (result.curve_p[best == result.kinds.index(name)] for name in (first, then))
    return (float(one.min()), float(two.max())) if len(one) and len(two) else None


def sudden(result: CensusResult) -> Evidence:
    """Return the share of transitions at which `||W||_F^2` jumps and both shapes hold, and its least and largest value.

    A shape holds when most of the models that start from it at the transition keep it; beyond doubt when the interval
    of their share lies above one half.
    """
    jumps = np.abs(np.diff(result.steps_mass, axis=1)[:, 0]) > LEAST_JUMP
    method = "count over all transitions of the exact optimum"
    value, low, high = ((jumps & (result.held[:, :, end] > 0.5).all(1)).mean() for end in range(3))
    return Evidence(
        sudden=Quantity(float(value), n=len(jumps), method=method),
        at_least=exact(float(low), method=f"{method}, where both shapes hold beyond doubt"),
        at_most=exact(float(high), method=f"{method}, where both shapes may hold"),
    )
