"""Two features, one dimension: when are they opposed, merged, or one of them ignored?

The smallest model that can choose between superposition and principal components. All that matters is the density p
and how often the two meet, c = P(other present | one present); every c that any coupling can produce is on the map.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import Verdict, at_least
from experiments.core.geometry.theory import absent_loss
from experiments.core.losses.optimum import everything, minimise
from experiments.core.quantities import Quantity, exact
from experiments.correlation.shared.strategies import HALF, agreement, merged_loss, opposed_loss

Array = NDArray[np.float64]

PAIR = ((0, 1),)
OPPOSED, IGNORED, MERGED = -1, 0, 1


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    densities: int = 40  # from 0 to 1, both ends left out
    meetings: int = 40  # values of c, likewise
    starts: int = 4  # random starts beside the three ideal solutions
    line_density: float = 0.3
    line_points: int = 41


@dataclass(frozen=True)
class Numbers:
    """Shares of the cells of the map, and what else pages quote."""

    agrees: Quantity
    cells: Quantity
    merged_cells: Quantity
    opposed_cells: Quantity
    ignored_cells: Quantity
    opposed_saving: Quantity
    line_density: Quantity


@dataclass(frozen=True)
class Result:
    """A map over density and c = P(other present | one present), and a line at one density.

    Losses on the line are over p.
    """

    density: Array  # (p,)
    meet: Array  # (c,)
    line_meet: Array  # (point,)
    line_loss: Array  # (point,), of the exact optimum
    line_opposed: Array  # (point,), closed form
    line_merged: Array  # (point,), closed form
    line_ignored: Array  # (point,), closed form
    numbers: Numbers
    agreement: Array = undefined("no two features of this density meet so rarely")  # (c, p): 1 merged, -1 opposed
    gain: Array = undefined("no two features of this density meet so rarely")  # (c, p): loss over the best closed form


experiment = Experiment(
    __name__,
    title="One pair of features in one dimension",
    config=Config(),
    quick=Config(densities=12, meetings=12, starts=2, line_points=11),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density, meet = _middles(config.densities), _middles(config.meetings)
    p, c = (axis.ravel() for axis in np.meshgrid(density, meet))
    possible = c >= (2 * p - 1) / p
    loss, agree = np.full(p.size, np.nan), np.full(p.size, np.nan)
    loss[possible], agree[possible] = _optimum(config, p[possible], c[possible])
    ideal = np.stack([opposed_loss(p, c), absent_loss(p), merged_loss(p, c)])
    found = np.where(np.abs(agree) <= HALF, IGNORED, np.sign(agree))
    named = ideal.argmin(0) - 1
    at = np.full(config.line_points, config.line_density)
    line = np.linspace(0, 1, config.line_points)
    return Result(
        density=density,
        meet=meet,
        agreement=agree.reshape(meet.size, density.size),
        gain=(loss / ideal.min(0)).reshape(meet.size, density.size),
        line_meet=line,
        line_loss=_optimum(config, at, line)[0] / config.line_density,
        line_opposed=opposed_loss(at, line) / config.line_density,
        line_merged=merged_loss(at, line) / config.line_density,
        line_ignored=absent_loss(at) / config.line_density,
        numbers=_numbers(config, found[possible], named[possible], (loss / ideal.min(0))[possible]),
    )


def _middles(count: int) -> Array:
    return (np.arange(count) + 0.5) / count


def _optimum(config: Config, p: Array, c: Array) -> tuple[Array, Array]:
    """Return the loss (sum over both features) and the agreement of the exact optimum at every (p, c), (cell,)."""
    both = p * c
    sets = np.stack([1 - 2 * p + both, p - both, p - both, both], axis=1)
    generator = np.random.default_rng(config.seed)
    ideal = np.array([[1, -1, 0, 0], [1, 0.05, 0, 0.2], [0.7, 0.7, 0, 0]])
    random = np.concatenate(
        [generator.normal(0, 0.7, (config.starts, 2)), generator.uniform(-0.2, 0.3, (config.starts, 2))], axis=1
    )
    starts = np.concatenate([ideal, random])
    found = minimise(
        everything(1, 2), sets=np.repeat(sets, len(starts), axis=0), starts=np.tile(starts, (len(sets), 1))
    )
    loss = found.loss.reshape(len(sets), -1)
    W = found.W.reshape(*loss.shape, 1, 2)[np.arange(len(sets)), loss.argmin(1)]
    return 2 * loss.min(1), agreement(W, PAIR)


def _numbers(config: Config, found: Array, named: Array, gain: Array) -> Numbers:
    method = "exact optimum of every cell"
    agrees = Quantity(float((found == named).mean()), n=found.size, unit="of cells", method=method)
    return Numbers(
        agrees=agrees,
        cells=exact(found.size, method="cells that some coupling can produce"),
        merged_cells=exact((found == MERGED).mean(), "of cells", method),
        opposed_cells=exact((found == OPPOSED).mean(), "of cells", method),
        ignored_cells=exact((found == IGNORED).mean(), "of cells", method),
        opposed_saving=exact(
            1 - gain[(found == OPPOSED) & (named == OPPOSED)].min(), "", "largest over cells, against the closed form"
        ),
        line_density=exact(config.line_density, method="configuration"),
    )


@experiment.figure(
    "one-pair-map",
    title="Two features in one dimension",
    caption=(
        "Two features are opposed if they rarely occur together and merged if they mostly do; closed forms name the "
        "optimum in {numbers.agrees:% value} of cells. (a) Agreement of the two columns in the exact optimum, from "
        "opposed to merged; in between, one outweighs the other. Dashed, boundaries of the closed forms; no two "
        "features can lie in the empty corner. (b) Loss over p along p = {numbers.line_density:.1f}: the optimum "
        "follows the lowest of three closed forms."
    ),
    alt=(
        "Left, a map over density and the chance of meeting: opposed below four sevenths, merged above, a fringe "
        "in between at high density, the lower right corner empty. Right, a rising line, a falling line and a "
        "level line with dots along the lowest."
    ),
)
def draw_map(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.9)
    scale = plotting.centred(limit=1.0)
    mesh = plotting.heat(left, result.density, result.meet, result.agreement, signed=True, norm=scale, colourbar=False)
    mesh.set_rasterized(True)
    _boundaries(left)
    left.set(xlabel="feature probability $p$", ylabel="$c$ = P(other present | one present)", xlim=(0, 1), ylim=(0, 1))
    left.set_title("strategy of the exact optimum")
    left.text(0.97, 0.06, "not possible", color=plotting.colour("muted"), ha="right", fontsize="small")
    bar = plotting.colour_scale(mesh, left)
    bar.set_ticks([-1, 0, 1], labels=["opposed", "one only", "merged"])
    lines = {"opposed": result.line_opposed, "merged": result.line_merged, "one ignored": result.line_ignored}
    for index, (name, values) in enumerate(lines.items()):
        right.plot(result.line_meet, values, color=plotting.series(index), label=name)
    right.plot(result.line_meet, result.line_loss, "o", ms=3, color=plotting.colour("ink"), label="exact optimum")
    right.set(xlabel="$c$ = P(other present | one present)", ylabel="loss / $p$", xlim=(0, 1), ylim=(0, None))
    right.set_title(f"at $p$ = {result.numbers.line_density.value:g}")
    plotting.legend(right, columns=2)
    plotting.panel_letters((left, right))
    return figure


def _boundaries(ax: Axes) -> None:
    """Draw where two closed forms are equal, up to the triple point c = p = 4/7, and the edge of what is possible."""
    triple = 4 / 7
    rare, dense = np.array([0, triple]), np.array([triple, 1])
    plotting.theory_line(ax, rare, np.full(2, triple), label="")
    plotting.theory_line(ax, dense, 1 - 3 * dense / 4, label="")
    plotting.theory_line(ax, dense, dense, label="")
    edge = np.linspace(0.5, 1, 51)
    plotting.decoration(ax.plot(edge, 2 - 1 / edge, color=plotting.colour("muted"), lw=0.8)[0])


@experiment.claim(
    "one-pair-closed-form",
    title="Two features are opposed if they meet in fewer than four of seven cases, and merged otherwise",
    statements=("C10", "C11", "C12"),
    test="Exact optimum of two features in one dimension for every density and every chance of meeting; opposed, "
    "merged or one ignored by the agreement of its columns, against the lowest of three closed forms. Statistic: share "
    "of cells on which the two agree.",
    criterion=at_least(0.9, few=0.75),
    figures=("one-pair-map",),
    published=Verdict.SUPPORTED,
)
def closed_forms_agree(result: Result) -> Quantity:
    return result.numbers.agrees
