"""Where superposition ends and principal components begin: two pairs of partners, along the boundary and across it.

The boundary in density for every correlation, what jumps there, and the exact loss of each strategy on both sides.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.coupling import partner_given_present
from experiments.core.criteria import (
    AtMost,
    Criterion,
    Every,
    Evidence,
    MoreThan,
    NoneOf,
    Verdict,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from experiments.correlation.shared.strategies import (
    EXACT_ROOM,
    HALF,
    MORE_ROOM,
    PRINCIPAL,
    UNRELATED,
    boundary,
    ideal_loss,
    principal_loss,
)
from experiments.correlation.shared.strategy_search import Search, edge, least_of, linear_loss, optimum

Array = NDArray[np.float64]

DIMENSIONS = (1, 2, 3)
GRACE = {2: EXACT_ROOM, 3: MORE_ROOM}
"""Dimensions in which unrelated features can be opposed without ignoring any, and the rule's last term there."""

NEVER = "the optimum does not turn to principal components between the ends of the range"


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    starts: int = 6  # random starts beside arranged ones
    strengths: int = 12  # correlations of the boundary, up to 1
    halvings: int = 11  # of the range of densities, in the logarithm
    ends: tuple[float, float] = (0.02, 0.9)
    line_strengths: tuple[float, float] = (0.5, 1.0)
    line_densities: int = 25


@dataclass(frozen=True)
class Boundary:
    """The boundary in one number of dimensions: its distance from the rule, its ends, the jump of agreement across."""

    error: Quantity
    full: Quantity
    full_rule: Quantity
    none_rule: Quantity
    jump_least: Quantity
    jump_most: Quantity


@dataclass(frozen=True)
class Result:
    """The boundary between two strategies in 2 and 3 dimensions, and losses over density on either side of it.

    Losses are over that of linear principal components; `strategy` is unrelated features opposed, then principal
    components.
    """

    edge_strength: Array  # (edge strength,)
    line_density: Array  # (density,)
    line_strength: Array  # (strength,)
    line_optimum: Array  # (hidden, strength, density)
    line_family: Array  # (hidden, strength, strategy, density)
    boundary: dict[str, Boundary] = keyed(lambda config: [str(hidden) for hidden in GRACE])
    edge: Array = undefined(NEVER)  # (2, edge strength): density
    edge_below: Array = undefined(NEVER)  # (2, edge strength): agreement of partners just below
    edge_above: Array = undefined(NEVER)  # (2, edge strength): agreement just above


experiment = Experiment(
    __name__,
    title="Where superposition ends",
    config=Config(),
    quick=Config(starts=1, strengths=3, halvings=5, line_densities=6),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    strength = np.linspace(0, 1, config.strengths + 1)[1:]
    search = Search(config.starts, config.seed)
    edges = np.array([edge(strength, hidden, config.ends, config.halvings, search) for hidden in GRACE])
    density = np.geomspace(*config.ends, config.line_densities)
    best, families = _lines(config, density)
    return Result(
        edge_strength=strength,
        edge=edges[:, 0],
        edge_below=edges[:, 1],
        edge_above=edges[:, 2],
        line_density=density,
        line_strength=np.array(config.line_strengths),
        line_optimum=best,
        line_family=families,
        boundary={
            str(hidden): _boundary(strength, found, grace)
            for found, (hidden, grace) in zip(edges, GRACE.items(), strict=True)
        },
    )


def _lines(config: Config, density: Array) -> tuple[Array, Array]:
    """Return losses over that of linear principal components: the optimum's, and the least of two families."""
    best = np.empty((len(DIMENSIONS), len(config.line_strengths), density.size))
    families = np.empty((len(DIMENSIONS), len(config.line_strengths), 2, density.size))
    for (k, hidden), (j, s) in product(enumerate(DIMENSIONS), enumerate(config.line_strengths)):
        strength = np.full(density.size, s)
        linear = linear_loss(density, strength, hidden)
        best[k, j] = optimum(density, strength, hidden, Search(config.starts, config.seed))[0] / linear
        for number, name in enumerate((UNRELATED, PRINCIPAL)):
            families[k, j, number] = least_of(name, density, strength, hidden) / linear
    return best, families


def _boundary(strength: Array, edges: Array, grace: float) -> Boundary:
    """Return how far the boundary is from the formula, and how large the jump across it is."""
    at, below, above = edges
    seen, method = np.isfinite(at), "exact optimum of every correlation"
    miss, jump = np.log10(at / boundary(strength, grace))[seen], (above - below)[seen]
    return Boundary(
        error=Quantity(float(np.sqrt((miss**2).mean())), n=miss.size, unit="decades", method=method),
        full=exact(at[seen][-1], "", "bisection, exact optimum at the strongest correlation"),
        full_rule=exact(float(boundary(1.0, grace)), "", "closed form"),
        none_rule=exact(float(boundary(0.0, grace)), "", "closed form"),
        jump_least=exact(jump.min(), "", method),
        jump_most=exact(jump.max(), "", method),
    )


@experiment.figure(
    "strategy-losses",
    title="What each strategy costs",
    caption=(
        "Superposition wins among rare features whenever half of the features fit (b, c, e, f), because it costs "
        "about p² and principal components about p. Exact losses over that of linear principal components: "
        "unrelated features opposed and principal components, each minimised within its family, their closed "
        "forms (dashed) and the exact optimum (dots). Columns are hidden sizes d, rows correlations of partners."
    ),
    alt="Six panels of two curves over density. In the middle and right columns a rising curve crosses a level one; in "
    "the left column it stays above. Dots follow the lower curve.",
)
def draw_losses(result: Result) -> Figure:
    rows = len(result.line_strength)
    figure, axes = plotting.new_figure(rows, 3, width="wide", height=4.9, sharex=True, sharey=True)
    p = result.line_density
    for (j, s), (k, hidden) in product(enumerate(result.line_strength), enumerate(DIMENSIONS)):
        ax = axes[j, k]
        for number, name in enumerate((UNRELATED, PRINCIPAL)):
            ax.plot(p, result.line_family[k, j, number], color=plotting.series(number), label=name)
            c = partner_given_present(p, s)
            ideal = ideal_loss(name, p, c, hidden) / principal_loss(p, c, 2, 2, hidden)
            plotting.theory_line(ax, p, ideal, label="closed forms" if number else "")
        ax.plot(p, result.line_optimum[k, j], "o", ms=2.6, color=plotting.colour("ink"), label="exact optimum")
        plotting.density_axis(ax, ticks=(0.02, 0.1, 0.5))
        ax.set(ylim=(0, 1.5), title=f"$d$ = {hidden}, correlation {s:g}")
        if j < rows - 1:
            ax.set_xlabel("")
        if k == 0:
            ax.set_ylabel("loss / linear PCA")
    plotting.panel_letters(axes)
    plotting.legend(axes[0, 0], figure=figure)
    return figure


@experiment.figure(
    "strategy-boundary",
    title="Where superposition ends",
    caption=(
        "With two dimensions partners jump from orthogonal to merged, or part of the way where they are weakly "
        "correlated; with three they turn towards each other continuously. (a) Density at which the agreement of "
        "partners in the exact optimum passes one half, against the rule's boundary (dashed). (b) The agreement "
        "just below and just above it."
    ),
    alt="Left, two falling curves over correlation with dashed lines beside them. Right, for two dimensions one curve "
    "at zero and one that rises from above one half to one; for three dimensions both at one half.",
)
def draw_boundary(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.6)
    s = np.linspace(0, 1, 101)
    for row, (hidden, grace) in enumerate(GRACE.items()):
        tone = plotting.series(row)
        left.plot(result.edge_strength, result.edge[row], "o-", color=tone, label=f"$d$ = {hidden}")
        plotting.theory_line(left, s, boundary(s, grace), label="rule of thumb" if row else "")
        for values, style in ((result.edge_below[row], "o:"), (result.edge_above[row], "o-")):
            right.plot(result.edge_strength, values, style, color=tone, label=f"$d$ = {hidden}, {_side(style)}")
    left.set(xlabel="correlation of partners", ylabel="feature probability $p$", xlim=(0, 1.02), ylim=(0, 0.7))
    right.set(xlabel="correlation of partners", ylabel="agreement of partners", xlim=(0, 1.02), ylim=(-0.05, 1.05))
    plotting.panel_letters((left, right))
    plotting.legend(left)
    plotting.legend(right, columns=2)
    return figure


def _side(style: str) -> str:
    return "just below" if style.endswith(":") else "just above"


@experiment.claim(
    "strategy-boundary",
    title="With a dimension for each pair the boundary is p = (4 - 3s) / (7 - 3s)",
    statements=("C12",),
    test="Density at which the exact optimum changes from unrelated features opposed to principal components, in two "
    "dimensions, for correlations s up to 1. Statistic: root mean square of its distance from the formula in decades.",
    criterion=Criterion(
        supported_if(AtMost(0.05, label="0.05 decades")), refuted_if(MoreThan(0.15)), otherwise=Verdict.MIXED
    ),
    figures=("strategy-boundary",),
    published=Verdict.SUPPORTED,
)
def distance_from_the_formula(result: Result) -> Quantity:
    return result.boundary["2"].error


@experiment.claim(
    "strategy-jump",
    title="The change from superposition to principal components is a jump",
    statements=("C6", "C12"),
    test="Agreement of partners in the exact optimum just below and just above the boundary, in two and three "
    "dimensions, at all correlations. Statistic: the least jump with two dimensions.",
    criterion=Criterion(
        supported_if(where(jumps=Every(each=MoreThan(HALF, label="one half"), of="correlation"))),
        refuted_if(where(jumps=NoneOf(each=MoreThan(HALF, label="one half"), of="correlation"))),
        otherwise=Verdict.MIXED,
        names={"jumps": "the jump"},
    ),
    figures=("strategy-boundary",),
    published=Verdict.MIXED,
)
def jumps_across_the_boundary(result: Result) -> Evidence:
    found = (result.edge_above - result.edge_below)[np.isfinite(result.edge)]
    jumps = tuple(exact(float(jump), method="exact optimum of every correlation") for jump in found)
    return Evidence(least=result.boundary["2"].jump_least, jumps=jumps)
