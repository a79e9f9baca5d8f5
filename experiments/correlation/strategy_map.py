"""Superposition or principal components? A map over correlation, density and dimensions, by exact losses.

Two pairs of partners, four features, in one, two or three dimensions. Positive strengths correlate partners, negative
ones make them exclude each other; every feature keeps its density. The exact optimum is found at every cell, named by
one order parameter, compared with a rule of thumb, and with models that were trained there.
"""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.best_of import best_of_some
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.coupling import partner_given_present
from experiments.core.criteria import Verdict, above, at_least
from experiments.core.metrics import norms
from experiments.core.phases import ABSENT_NORM
from experiments.core.quantities import Quantity, exact, mean
from experiments.correlation.shared.coupled_training import Plan, best_of, exact_losses, train_coupled
from experiments.correlation.shared.strategies import (
    EXACT_ROOM,
    FOUR_FEATURES,
    HALF,
    MORE_ROOM,
    agreement,
    boundary,
    named,
    rule_of_thumb,
)
from experiments.correlation.shared.strategy_search import Search, linear_loss, optimum

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

DIMENSIONS = (1, 2, 3)

SAME_LOSS = 0.99
"""From this share of the loss of linear principal components on, the optimum counts as no better than they are."""

STRONG = 0.75
"""Partners count as strongly correlated from this strength on."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    strengths: int = 20  # from -1 to 1; an even number leaves 0, no correlation, out
    densities: int = 18
    lowest: float = 0.02
    highest: float = 0.9
    starts: int = 8  # random starts beside arranged ones
    every: int = 3  # models are trained at every third strength and density
    seeds: int = 16
    best_of: int = 4  # models, of which the best by exact loss is compared with the optimum
    steps: int = 2000
    batch: int = 256
    learning_rate: float = 1e-2

    @property
    def strength_axis(self) -> Array:
        return np.linspace(-1, 1, self.strengths)

    @property
    def density_axis(self) -> Array:
        return np.geomspace(self.lowest, self.highest, self.densities)


NO_DATA = "features that exclude each other cannot be this dense"


@dataclass(frozen=True)
class OneMap:
    """Shares of the cells of one map: in one number of dimensions, by exact optima, and `follows` by trained models.

    `principal` counts cells with positive strength, `strong_principal` those with strong correlation.
    """

    rule: Quantity
    strong_principal: Quantity
    principal: Quantity
    ignored: Quantity
    same_as_linear: Quantity
    least_gain: Quantity
    follows: Quantity


@dataclass(frozen=True)
class Numbers:
    """Shares of the cells of all three maps, and of trained cells where models follow the optimum."""

    rule: Quantity
    rule_correlated: Quantity
    strong_principal: Quantity
    same_as_linear: Quantity
    follows: Quantity
    follows_single: Quantity
    cells: Quantity
    models: Quantity
    per_cell: Quantity
    best_of: Quantity


@dataclass(frozen=True)
class Result:
    """Maps of the exact optimum in 1, 2 and 3 dimensions, and models trained at some of their cells."""

    strength: Array  # (strength,)
    density: Array  # (density,)
    rule: Labels  # (hidden, density, strength): number of the strategy that the rule names, -1 without data
    cell_density: Array  # (cell,)
    cell_strength: Array  # (cell,)
    best_agreement: Array  # (hidden, cell), of the best trained model
    numbers: Numbers
    dimension: dict[str, OneMap] = keyed(lambda config: [str(hidden) for hidden in DIMENSIONS])
    agreement: Array = undefined(NO_DATA)  # (hidden, density, strength)
    gain: Array = undefined(NO_DATA)  # (hidden, density, strength): loss over that of linear principal components
    ignored: Array = undefined(NO_DATA)  # (hidden, density, strength): how many features are ignored


experiment = Experiment(
    __name__,
    title="Superposition or principal components",
    config=Config(),
    quick=Config(strengths=5, densities=5, starts=1, every=2, seeds=4, best_of=2, steps=300, batch=64),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    strength, density = config.strength_axis, config.density_axis
    s, p = (axis.ravel() for axis in np.meshgrid(strength, density))
    possible = _possible(p, s)
    maps = np.full((3, len(DIMENSIONS), p.size), np.nan)
    rule = np.full((len(DIMENSIONS), p.size), -1)
    for k, hidden in enumerate(DIMENSIONS):
        maps[:, k, possible] = _measures(config, p[possible], s[possible], hidden)
        rule[k, possible] = rule_of_thumb(p, partner_given_present(p, s), 4, hidden, 2)[possible]
    cells = _trained_cells(config)
    models = _trained(config, cells, device)
    shape = (len(DIMENSIONS), density.size, strength.size)
    return Result(
        strength=strength,
        density=density,
        agreement=maps[0].reshape(shape),
        gain=maps[1].reshape(shape),
        ignored=maps[2].reshape(shape),
        rule=rule.reshape(shape),
        cell_density=cells[0],
        cell_strength=cells[1],
        best_agreement=models.best,
        numbers=_numbers(config, s[possible], maps[:, :, possible], rule[:, possible], models),
        dimension={
            str(hidden): _one_map(
                s[possible], maps[:, k, possible], rule[k, possible], models.share(config.best_of, slice(k, k + 1))
            )
            for k, hidden in enumerate(DIMENSIONS)
        },
    )


def _measures(config: Config, p: Array, s: Array, hidden: int) -> Array:
    """Return agreement, gain over linear principal components, and ignored features of the optimum, (3, cell)."""
    loss, W = optimum(p, s, hidden, Search(config.starts, config.seed))
    ignored = (norms(W) < ABSENT_NORM).sum(-1)
    return np.stack([agreement(W, FOUR_FEATURES), loss / linear_loss(p, s, hidden), ignored])


def _possible(p: Array, s: Array) -> NDArray[np.bool_]:
    return (s > 0) | (p <= 0.5)


def _trained_cells(config: Config) -> tuple[Array, Array]:
    """Return density and strength of the cells at which models are trained, (cell,) each."""
    grid = product(config.density_axis[:: config.every], config.strength_axis[:: config.every])
    p, s = np.array([*grid]).T
    keep = _possible(p, s)
    return p[keep], s[keep]


class _Models(NamedTuple):
    """Models trained at some cells: agreement of the best, and whether it and each follow the exact optimum."""

    best: Array  # (hidden, cell)
    loss: Array  # (hidden, cell, seed), exact
    follows: NDArray[np.bool_]  # (hidden, cell, seed)

    def share(self, best_of: int, hidden: slice = slice(None)) -> Quantity:
        """Return the share of cells in which the best of a few models follows, over all maps or some."""
        seeds = self.loss.shape[-1]
        loss, follows = self.loss[hidden].reshape(-1, seeds), self.follows[hidden].reshape(-1, seeds)
        return best_of_some(loss, follows, best_of, unit="of cells")


def _trained(config: Config, cells: tuple[Array, Array], device: str) -> _Models:
    p, s = cells
    best, single, losses = [], [], []
    for hidden in DIMENSIONS:
        plan = Plan(config.steps, config.batch, config.learning_rate)
        models = train_coupled(p, s, hidden, FOUR_FEATURES, config.seeds, plan, config.seed, device)
        loss = exact_losses(models, p, s, FOUR_FEATURES)
        best.append(agreement(best_of(models, loss).W, FOUR_FEATURES))
        single.append(agreement(models.W, FOUR_FEATURES))
        losses.append(loss)
    ideal = named([_measures(config, p, s, hidden)[0] for hidden in DIMENSIONS])
    return _Models(np.array(best), np.array(losses), named(single) == ideal[..., None])


def _numbers(config: Config, s: Array, maps: Array, rule: Labels, models: _Models) -> Numbers:
    """Return what the text quotes of all maps: (map, hidden, cell) and the rule (hidden, cell)."""
    agree, gain, _ = maps
    right, method = named(agree) == rule, "exact optimum of every cell"
    principal = agree > HALF
    strong = principal[:, s >= STRONG]
    same = gain[principal] >= SAME_LOSS
    return Numbers(
        rule=Quantity(float(right.mean()), n=right.size, unit="of cells", method=method),
        rule_correlated=exact(right[:, s > 0].mean(), "of cells", method),
        strong_principal=Quantity(float(strong.mean()), n=strong.size, method=method),
        same_as_linear=Quantity(float(same.mean()), n=same.size, unit="of cells", method=method),
        follows=models.share(config.best_of),
        follows_single=mean(models.follows.mean((0, 1)), "of models", within=(0, 1)),
        cells=exact(right.size, method="cells of the three maps"),
        models=exact(models.follows.size, method="models trained"),
        per_cell=exact(config.seeds, method="models per cell"),
        best_of=exact(config.best_of, method="set-up"),
    )


def _one_map(s: Array, maps: Array, rule: Labels, follows: Quantity) -> OneMap:
    """Return what the text quotes of one map, (map, cell) with the rule (cell,)."""
    agree, gain, ignored = maps
    principal, method = agree > HALF, "exact optimum of every cell"
    return OneMap(
        rule=exact((named(agree) == rule).mean(), "of cells", method),
        strong_principal=exact(principal[s >= STRONG].mean(), "of cells", method),
        principal=exact(principal[s > 0].mean(), "of cells with positive strength", method),
        ignored=exact((ignored > 0).mean(), "of cells", method),
        same_as_linear=exact((gain >= SAME_LOSS)[principal].mean(), "of cells", method),
        least_gain=exact(gain[principal].min(), "", "least over cells of principal components"),
        follows=follows,
    )


@experiment.figure(
    "strategy-map",
    title="Superposition or principal components",
    caption=(
        "The rule of thumb (dashed) is right in {numbers.rule:% value} of cells; with two dimensions the change "
        "is a jump, with three it is gradual. What the exact optimum does with two pairs of partners, over their "
        "correlation (negative: partners exclude each other) and density, at hidden sizes d of one to three. The "
        "colour is the agreement of partners: opposed, orthogonal (unrelated features are opposed), or merged "
        "(principal components). Circles, coloured alike: the best of {numbers.per_cell:.0f} trained models."
    ),
    alt=(
        "Three maps. Left of zero correlation nearly all partners are opposed, up to half density. Right of it "
        "the first map is merged nearly everywhere; the second is orthogonal below a line that falls from four "
        "sevenths to one quarter and merged above; the third changes gradually from orthogonal to merged along a "
        "steeper line that reaches small densities at full correlation."
    ),
)
def draw_map(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.7, sharey=True)
    scale = plotting.centred(limit=1.0)
    for k, (ax, hidden) in enumerate(zip(axes, DIMENSIONS, strict=True)):
        _map_axes(ax, left=k == 0)
        values = result.agreement[k]
        mesh = plotting.heat(ax, result.strength, result.density, values, signed=True, norm=scale, colourbar=False)
        mesh.set_rasterized(True)
        _rule_lines(ax, hidden)
        marks = ax.scatter(
            result.cell_strength, result.cell_density, c=result.best_agreement[k], cmap=plotting.diverging(),
            norm=scale, s=26, edgecolors=plotting.colour("ink"), linewidths=0.7, zorder=6, clip_on=False,
        )  # fmt: skip
        plotting.represents(
            marks, {"s": result.cell_strength, "p": result.cell_density, "trained": result.best_agreement[k]}
        )
        ax.text(-0.53, 0.66, "not possible", color=plotting.colour("muted"), ha="center", fontsize="small")
        ax.set_title(f"$d$ = {hidden}")
    bar = plotting.colour_scale(mesh, axes, label="agreement of partners")
    bar.set_ticks([-1, 0, 1], labels=["opposed", "orthogonal", "merged"])
    plotting.panel_letters(axes)
    return figure


def _map_axes(ax: Axes, left: bool) -> None:
    ax.set(yscale="log", xlabel="correlation of partners", xlim=(-1.06, 1.06), xticks=[-1, 0, 1])
    ax.set_yticks([0.02, 0.05, 0.1, 0.25, 0.5, 0.9], ["0.02", "0.05", "0.1", "0.25", "0.5", "0.9"])
    ax.minorticks_off()
    if left:
        ax.set_ylabel("feature probability $p$")


def _rule_lines(ax: Axes, hidden: int) -> None:
    """Draw where the rule of thumb changes its answer: at no correlation, and along its boundary."""
    low, high = ax.get_ylim()
    top = 0.5 if hidden == 1 else float(boundary(0.0, EXACT_ROOM if hidden == 2 else MORE_ROOM))
    lines = [plotting.theory_line(ax, [0, 0], [low, top], label="")]
    if hidden > 1:
        s = np.linspace(0, 1, 101)
        lines.append(plotting.theory_line(ax, s, boundary(s, EXACT_ROOM if hidden == 2 else MORE_ROOM), label=""))
    for line in lines:  # a rim of the page's colour keeps the line visible on the strongest shade
        line.set_path_effects([withStroke(linewidth=2.6, foreground=plotting.colour("background"))])
    ax.set_ylim(low, high)


@experiment.figure(
    "strategy-gain",
    title="What the best tied ReLU model saves on linear principal components",
    caption=(
        "With d = 2 the optimum saves next to nothing above the dashed line, where principal components are the "
        "optimum; with d = 1 and d = 3 a ReLU still improves on them. Exact loss of the optimum over that of linear "
        "principal components with as many dimensions, on the maps of the strategies."
    ),
    alt=(
        "Three maps of a ratio from zero to one. It is near one, nothing saved, above the dashed line in the "
        "middle map, and in the others only at the dense upper edge."
    ),
)
def draw_gain(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 3, width="wide", height=3.5, sharey=True)
    for k, (ax, hidden) in enumerate(zip(axes, DIMENSIONS, strict=True)):
        _map_axes(ax, left=k == 0)
        mesh = plotting.heat(ax, result.strength, result.density, result.gain[k], norm=Normalize(0, 1), colourbar=False)
        mesh.set_rasterized(True)
        _rule_lines(ax, hidden)
        ax.text(-0.53, 0.66, "not possible", color=plotting.colour("muted"), ha="center", fontsize="small")
        ax.set_title(f"$d$ = {hidden}")
    plotting.colour_scale(mesh, axes, label="loss / loss of linear PCA")
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "strategy-rule",
    title="Features that rarely occur together are stored opposite; features that nearly always do are merged",
    statements=("C10", "C11", "C12"),
    test="Strategy of the exact optimum of two pairs in one, two and three dimensions (agreement of partners beyond "
    "one half either way) against the rule of thumb, over correlation and density. Statistic: share of cells where "
    "the rule names it.",
    criterion=at_least(0.9, few=0.75),
    figures=("strategy-map",),
    published=Verdict.SUPPORTED,
)
def rule_is_right(result: Result) -> Quantity:
    return result.numbers.rule


@experiment.claim(
    "strategy-trained",
    title="Trained models follow the map",
    statements=("C12",),
    test="Best of four models of each cell by exact loss, over correlation, density and dimensions. Statistic: share "
    "of cells in which it has the strategy of the exact optimum, averaged over all choices of four of the sixteen.",
    criterion=above(0.8),
    figures=("strategy-map",),
    published=Verdict.SUPPORTED,
)
def models_follow(result: Result) -> Quantity:
    return result.numbers.follows


@experiment.claim(
    "strategy-strong-correlation",
    title="With strong correlation principal components win",
    statements=("C12",),
    test="Exact optimum wherever the correlation of partners is 0.75 or more, in one, two and three dimensions. "
    "Statistic: share of these cells in which it follows principal components.",
    criterion=at_least(0.9, few=0.5),
    figures=("strategy-map",),
    published=Verdict.MIXED,
)
def strongly_correlated(result: Result) -> Quantity:
    return result.numbers.strong_principal


@experiment.claim(
    "strategy-relu-idle",
    title="Where principal components win, the ReLU saves next to nothing",
    statements=("C12",),
    test="Exact loss of the optimum over that of linear principal components, in all cells where the optimum follows "
    "these. Statistic: share of the cells in which it saves less than 1 %.",
    criterion=at_least(0.9, few=0.5),
    figures=("strategy-gain",),
    published=Verdict.REFUTED,
)
def idle_relu(result: Result) -> Quantity:
    return result.numbers.same_as_linear
