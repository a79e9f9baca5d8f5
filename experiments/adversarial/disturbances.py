"""What six kinds of disturbance of equal size do to a feature's output and to the loss, and what its column predicts.

Statement E3 as a testable claim: for the same models and the same size, in l2 and entry by entry, the change under
typical data, random and plausible disturbances, the worst one, gradient ascent, and the signs of eps alone. How sums of
the small entries grow is in `cancellation`.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.adversarial.shared.attacks import NORMS, Norm, budget, draws, unit_attacks
from experiments.adversarial.shared.crowded import STANDARD, Training, evaluation_seeds, train_crowded
from experiments.adversarial.shared.gradient_attacks import ascend
from experiments.adversarial.shared.perturbations import (
    ADVERSARIAL,
    ALIGNED,
    KINDS,
    PLAUSIBLE,
    RANDOM,
    TYPICAL,
    WORST,
    Cases,
    cases,
    disturb,
    predicted,
    response,
    size_of,
)
from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, below, refuted_if, supported_if, where
from experiments.core.metrics import gram, represented
from experiments.core.quantities import Quantity, bootstrap, mean
from experiments.core.threads import in_parallel
from experiments.core.training.specification import Weights

Array = NDArray[np.float64]

LOSSES = (RANDOM, PLAUSIBLE, ALIGNED, WORST, "worst over features")

TONES = dict(zip((*KINDS, LOSSES[-1]), (0, 1, 2, 3, 5, 4), strict=True))
"""Number of the series colour of each kind, the same in both figures."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 2
    seeds: int = 12
    features: int = 80
    hidden: int = 8
    densities: tuple[float, ...] = (0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
    quoted: float = 0.02  # the density at which claims about one density are decided
    training: Training = STANDARD
    cases: int = 2048  # inputs and features per model
    loss_cases: int = 256
    ascent_seeds: int = 4
    ascent_cases: int = 64
    restarts: int = 20
    ascent_steps: int = 30


@dataclass(frozen=True)
class Responses:
    """Responses of present features at the quoted density in one norm, by kind, and the ratios of some of them."""

    typical_data: Quantity
    random: Quantity
    plausible: Quantity
    worst: Quantity
    signs_of_eps: Quantity
    worst_over_random: Quantity
    worst_over_typical: Quantity
    signs_over_random: Quantity
    signs_over_typical: Quantity
    signs_over_worst: Quantity


@dataclass(frozen=True)
class Numbers:
    """`passed` is the share of the column's prediction that bias and ReLU pass on; `column` what it predicts.

    `spread` is the largest of those shares over the smallest, `ascent` gradient ascent over the analytic worst.
    """

    l2: Responses
    linf: Responses
    loss_random: Quantity
    loss_worst: Quantity
    passed_present: Quantity
    passed_absent: Quantity
    spread: Quantity
    ascent_most: Quantity
    ascent_mean: Quantity
    column_worst: Quantity
    column_eps: Quantity


@dataclass(frozen=True)
class Result:
    """Root mean square changes of a represented feature's output per unit of size.

    States are present, absent; kinds are `KINDS`. `column` is what the column alone predicts, for the kinds after
    typical data. `ascent` is gradient ascent over the analytic worst. `loss` is the rise of the loss per squared size,
    kinds as `LOSSES`.
    """

    density: Array  # (density,)
    measured: Array  # (density, norm, state, kind, seed)
    column: Array  # (density, norm, kind, seed)
    ascent: Array  # (density, norm, seed)
    loss: Array  # (density, norm, kind, seed)
    numbers: Numbers


experiment = Experiment(
    __name__,
    title="Six kinds of disturbance",
    config=Config(),
    quick=Config(
        seeds=2,
        densities=(0.4, 0.1, 0.02),
        training=Training(steps=200, batch=64, rare_batch=64),
        cases=256,
        loss_cases=32,
        ascent_seeds=2,
        ascent_cases=16,
        restarts=4,
        ascent_steps=10,
    ),
    large=Config(seeds=64, training=Training(steps=6000, batch=512, rare_batch=2048), cases=8192),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density = np.array(config.densities)
    models = train_crowded(
        config.features, config.hidden, density, config.seeds, config.training, seed=config.seed, device=device
    )
    progress.advance("disturbing", 0.4)
    parts = [(float(p), weights) for p, weights in zip(density, models, strict=True)]
    found = in_parallel(lambda part: _at_density(config, *part), parts)
    ascent = np.stack(in_parallel(lambda part: _ascent(config, *part), parts))
    measured, column, loss = (np.stack([each[k] for each in found]) for k in range(3))
    numbers = _numbers(measured, column, ascent, loss, config.densities.index(config.quoted))
    return Result(density, measured, column, ascent, loss, numbers)


def _pair(weights: Weights) -> tuple[Array, Array]:
    return weights.W.astype(np.float64), weights.b.astype(np.float64)


def _at_density(config: Config, p: float, weights: Weights) -> list[Array]:
    """Return the arrays of `Result` of one density, without that axis: measured, column, loss."""
    seeds = evaluation_seeds(config.seed, config.seeds)
    rows = [_of_model(config, p, W, b, own) for own, W, b in zip(seeds, *_pair(weights), strict=True)]
    return [np.stack([row[k] for row in rows], axis=-1) for k in range(3)]


def _of_model(config: Config, p: float, W: Array, b: Array, seed: int) -> tuple[Array, ...]:
    """Return what is measured on one model at density p, on the inputs of its seed."""
    x = draws(config.cases, config.features, seed).inputs(p).astype(np.float64)
    G, chosen = gram(W), represented(W)
    present, absent = (cases(G, p, chosen, config.cases, present=state, seed=seed) for state in (True, False))
    measured = [[_responses(given, b, p, x, norm, seed) for given in (present, absent)] for norm in NORMS]
    own = present.row[np.arange(config.cases), present.i]
    column = [[predicted(kind, present.row, own, p, norm) for kind in KINDS[1:]] for norm in NORMS]
    loss = [_losses(config, G, b, x, chosen, p, norm, seed) for norm in NORMS]
    return np.array(measured), np.array(column), np.array(loss)


def _responses(given: Cases, b: Array, p: float, x: Array, norm: Norm, seed: int) -> list[float]:
    """Return the response to each kind: of the budget's size, but typical data as they are."""
    found = []
    for kind in KINDS:
        delta = disturb(kind, given, p, norm, seed)
        size = 1.0 if kind == TYPICAL else budget(x, norm)
        change = response(given, b, delta, size, either_sign=kind in ADVERSARIAL)
        found.append(change / size_of(delta, norm))
    return found


def _losses(
    config: Config, G: Array, b: Array, x: Array, chosen: NDArray[np.bool_], p: float, norm: Norm, seed: int
) -> list[float]:
    """Return the rise of the loss per squared size of disturbance for the kinds of `LOSSES`."""
    few, size = x[: config.loss_cases].astype(np.float64), budget(x, norm)
    i = np.random.default_rng([seed, len(KINDS)]).choice(np.flatnonzero(chosen), len(few))
    given = Cases(few, i, G[i])

    def rise(delta: Array) -> Array:
        y, moved = np.maximum(few @ G + b, 0), np.maximum((few + delta) @ G + b, 0)
        return np.asarray(((moved - few) ** 2 - (y - few) ** 2).sum(-1))

    found = []
    for kind in LOSSES[:-1]:
        delta = size * disturb(kind, given, p, norm, seed)
        both = np.stack([rise(delta), rise(-delta)])  # a random direction is as likely as its opposite
        found.append(float((both[0] if kind == PLAUSIBLE else both.max(0) if kind in ADVERSARIAL else both).mean()))
    units = size * unit_attacks(G, norm)
    worst = np.max([np.maximum(rise(unit[None]), rise(-unit[None])) for unit in units], axis=0)
    return [value / size**2 for value in (*found, float(worst.mean()))]


def _ascent(config: Config, p: float, weights: Weights) -> Array:
    """Return what gradient ascent does to a present feature's output over the analytic attack, (norm, seed)."""
    seeds = evaluation_seeds(config.seed, config.seeds)[: config.ascent_seeds]
    shares = np.empty((len(NORMS), config.ascent_seeds))
    for norm_index, norm in enumerate(NORMS):
        for k, own in enumerate(seeds):
            x = draws(config.cases, config.features, own).inputs(p)
            W, b = (each[k] for each in _pair(weights))
            given = cases(gram(W), p, represented(W), config.ascent_cases, present=True, seed=own)
            size, at = budget(x, norm), np.arange(config.ascent_cases)
            weight = np.zeros_like(given.x)
            weight[at, given.i] = 1
            found = ascend(
                W[None], b[None], given.x, size, norm, restarts=config.restarts, steps=config.ascent_steps,
                seed=own, target=np.maximum(given.x @ gram(W) + b, 0)[None], weight=weight,
            )  # fmt: skip
            best = response(given, b, disturb(WORST, given, p, norm, 0), size, either_sign=True)
            shares[norm_index, k] = np.sqrt(found.loss.max(1).mean()) / size / best
    return shares


def _numbers(measured: Array, column: Array, ascent: Array, loss: Array, at: int) -> Numbers:
    """Return responses of present features at the quoted density, their ratios, and what the ReLU lets through."""
    passed = measured[:, :, :, 1:] / column[:, :, None]
    present = passed[:, :, 0].reshape(len(passed), -1, passed.shape[-1])  # (density, norm and kind, seed)

    def widest(seeds: NDArray[np.int64]) -> float:
        means = present[:, :, seeds].mean(-1)
        return float((means.max(1) / means.min(1)).max())

    worst = KINDS.index(WORST) - 1
    return Numbers(
        l2=_in_norm(measured[at, 0, 0]),
        linf=_in_norm(measured[at, 1, 0]),
        loss_random=mean(loss[at, 0, 0]),
        loss_worst=mean(loss[at, 0, LOSSES.index(WORST)]),
        passed_present=mean(passed[at, 0, 0, worst]),
        passed_absent=mean(passed[at, 0, 1, worst]),
        spread=bootstrap(widest, present.shape[-1]),
        ascent_most=Quantity(float(ascent.max()), n=ascent.size, method="largest over densities, norms and seeds"),
        ascent_mean=mean(ascent.mean((0, 1))),
        column_worst=mean(column[at, 0, worst]),
        column_eps=mean(np.sqrt(1 - 1 / column[at, 0, worst] ** 2)),
    )


def _in_norm(found: Array) -> Responses:
    """Return the responses found (kind, seed) in one norm, and their ratios."""
    typical, random, plausible, worst, signs = found
    return Responses(
        typical_data=mean(typical),
        random=mean(random),
        plausible=mean(plausible),
        worst=mean(worst),
        signs_of_eps=mean(signs),
        worst_over_random=mean(worst / random),
        worst_over_typical=mean(worst / typical),
        signs_over_random=mean(signs / random),
        signs_over_typical=mean(signs / typical),
        signs_over_worst=mean(signs / worst),
    )


@experiment.figure(
    "cancel-kinds",
    title="Disturbances of equal size",
    caption="An adversary who only knows the signs of ε does {numbers.l2.signs_over_worst:.0%} (ℓ₂) and "
    "{numbers.linf.signs_over_worst:.0%} (ℓ∞) of the worst that can be done at p = 0.02, without touching the "
    "feature. Drawn is the change of a present feature's output per unit of disturbance, root mean square, by kind; "
    "dashed: what its column of WᵀW alone predicts. (a) Equal length: the worst direction does "
    "{numbers.l2.worst_over_random:.1f} times what a random one does. (b) Equal size of every entry: "
    "{numbers.linf.worst_over_random:.1f} times.",
    alt="Two panels over density on logarithmic scales. The worst lies highest and rises as features become rarer; "
    "signs of ε start among the other kinds where features are dense and climb towards the worst; random, plausible "
    "and typical data lie far below where features are rare. Dashed lines run somewhat above.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_kinds(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.8, sharey=True)
    for norm, ax in enumerate(axes):
        for index, kind in enumerate(KINDS):
            values, name = result.measured[:, norm, 0, index], kind.replace("eps", "ε")
            plotting.seed_band(ax, result.density, values, index=TONES[kind], label=name)
            if index:
                label = "column alone" if index == 1 else ""
                plotting.theory_line(ax, result.density, result.column[:, norm, index - 1].mean(-1), label=label)
        plotting.density_axis(ax, ticks=(0.005, 0.02, 0.1, 0.4))
        ax.set(yscale="log", title=("ℓ₂: equal length", "ℓ∞: equal entries")[norm])
    axes[0].set_ylabel("change of output / size")
    plotting.legend(axes[0], figure=figure, columns=3)
    plotting.panel_letters(axes)
    return figure


@experiment.figure(
    "cancel-cut",
    title="What the bias and the ReLU let through",
    caption="At p = 0.02 a present feature passes on {numbers.passed_present:.0%} of the worst disturbance, an absent "
    "one {numbers.passed_absent:.0%}: bias and ReLU cut off the rest. (a) Change of output under the worst disturbance "
    "(ℓ₂), over what the column predicts. (b) Rise of the loss per squared length of disturbance.",
    alt="Left, two curves over density: well above one half for present features, falling steeply towards zero "
    "where features are rare for absent ones. Right, rise of loss by kind of disturbance on a logarithmic scale.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_cut(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.6)
    worst = KINDS.index(WORST)
    for state, name in enumerate(("present feature", "absent feature")):
        passed = result.measured[:, 0, state, worst] / result.column[:, 0, worst - 1]
        plotting.seed_band(left, result.density, passed, index=state, label=name, marker="o")
    for index, kind in enumerate(LOSSES):
        marker = "" if kind in KINDS else "^"
        name = kind.replace("eps", "ε")
        plotting.seed_band(
            right, result.density, result.loss[:, 0, index], index=TONES[kind], label=name, marker=marker
        )
    for ax in (left, right):
        plotting.density_axis(ax, ticks=(0.005, 0.02, 0.1, 0.4))
        plotting.legend(ax)
    left.set(title="share passed on", ylabel="measured / predicted", ylim=(0, 1.05))
    right.set(title="loss, ℓ₂", ylabel="rise of loss / size²", yscale="log")
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "cancel-adversary",
    title="An adversary can choose inputs on which the small entries add up",
    statements=("E3",),
    test="Change of a present feature's output when all other features move with the signs of ε, over that under a "
    "random disturbance of equal size, at p = 0.02. Statistic: mean over seeds, ℓ₂.",
    criterion=Criterion(
        supported_if(where(l2=Above(3.0), linf=Above(3.0))),
        refuted_if(where(l2=Below(3.0), linf=Below(3.0))),
        otherwise=Verdict.MIXED,
        names={"l2": "the ratio in ℓ₂", "linf": "the ratio in ℓ∞"},
    ),
    figures=("cancel-kinds",),
    published=Verdict.SUPPORTED,
)
def signs_over_random(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(l2=numbers.l2.signs_over_random, linf=numbers.linf.signs_over_random)


@experiment.claim(
    "cancel-column",
    title="The column alone predicts what every kind of disturbance does, up to one factor",
    statements=("E2", "E3"),
    test="Measured over predicted change of a present feature's output for random, plausible, worst and ε-signed "
    "disturbances in both norms. Statistic: largest such ratio over the smallest, at the density where that is "
    "largest.",
    criterion=below(1.25),
    figures=("cancel-kinds", "cancel-cut"),
    published=Verdict.SUPPORTED,
)
def spread(result: Result) -> Quantity:
    return result.numbers.spread
