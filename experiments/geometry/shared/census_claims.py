"""What both censuses claim, and how: criteria and the evidence for them."""

import numpy as np

from experiments.core.criteria import (
    Above,
    AtMost,
    Below,
    Criterion,
    Evidence,
    Holds,
    Verdict,
    at_least,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity
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
    refuted_if(~Holds(name="both")),
    supported_if(where(most=Above(0.5, label="one half"), later=Holds())),
    otherwise=Verdict.MIXED,
    names={
        "most": "the largest share",
        "both": "both shapes are the exact optimum at some density",
        "later": "the second is the optimum only at lower densities than the first",
    },
)
"""A shape follows another as features get rarer, and training finds it."""

NOTHING_BETTER = Criterion(supported_if(AtMost(0.01, label="a hundredth of a feature")), otherwise=Verdict.REFUTED)
SUDDEN = at_least(1, few=0.5)
BEST_IS_OPTIMUM = at_least(0.9, few=0.5)


def appears(result: CensusResult, kind: str) -> Evidence:
    """Return the largest share of a shape, and that at the largest density."""
    found = result.shape[slug(kind)]
    return Evidence(most=found.most, densest=found.densest)


def follows(result: CensusResult, first: str, then: str) -> Evidence:
    """Return the largest share of the shape `then`, whether both are ever the optimum, and whether it is later."""
    order = order_of_ranges(result, first, then)
    return Evidence(
        most=result.shape[slug(then)].most, both=order is not None, later=order is not None and order[0] > order[1]
    )


def order_of_ranges(result: CensusResult, first: str, then: str) -> tuple[float, float] | None:
    """Return the least density at which `first` is best and the largest at which `then` is; None if one never is."""
    best = result.optimum[-1]
    one, two = (result.curve_p[best == result.kinds.index(name)] for name in (first, then))
    return (float(one.min()), float(two.max())) if len(one) and len(two) else None


def sudden(result: CensusResult) -> Quantity:
    """Return the share of transitions at which `||W||_F^2` jumps and both shapes hold.

    A shape holds when most of the models that start from it at the transition keep it.
    """
    jumps = np.abs(np.diff(result.steps_mass, axis=1)[:, 0]) > LEAST_JUMP
    holds = (result.held[:, :, 0] > 0.5).all(1)
    return Quantity(
        float((jumps & holds).mean()), n=len(jumps), method="count over all transitions of the exact optimum"
    )
