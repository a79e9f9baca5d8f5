"""How much of a model's vulnerability is due to interference, and is the worst attack on a feature the worst of all?

Statements E1 and E2. The interference is taken out by surgery and the models are attacked anew; and the attacks found
on paper are compared with projected gradient ascent from 20 random restarts (Elhage et al. 2022 report masked gradients
where features are rare).
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.adversarial.shared.attacks import NORMS, Draws, budget, draws_of_seeds
from experiments.adversarial.shared.crowded import STANDARD, Training, evaluation_seeds, of_seeds, train_crowded
from experiments.adversarial.shared.vulnerability import Surgery, check, first_order, operate
from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    Verdict,
    above,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, bootstrap_each
from experiments.core.threads import in_parallel
from experiments.core.training.specification import Weights

Array = NDArray[np.float64]

PAPER = 'Toy Models of Superposition, "The relationship between superposition and adversarial robustness"'


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 1
    seeds: int = 12
    features: int = 80
    hidden: int = 8
    densities: tuple[float, ...] = (1.0, 0.65, 0.5, 0.36, 0.25, 0.16, 0.1, 0.063, 0.04, 0.02, 0.01, 0.005)
    training: Training = STANDARD
    samples: int = 2048  # inputs of each seed, common to its models
    split_samples: int = 512  # of these, for the two parts of the rise
    checked_samples: int = 32  # of these, for gradient attacks
    restarts: int = 20
    ascent_steps: int = 30


@dataclass(frozen=True)
class PeakNumbers:
    """Shares and costs at the density where vulnerability is highest; `moves_sparse` is at the lowest density."""

    eps_share: Quantity
    eps_share_uncut: Quantity
    passed: Quantity
    alone: Quantity
    linear: Quantity
    linear_alone: Quantity
    first_share: Quantity
    moves_peak: Quantity
    moves_sparse: Quantity
    projected: Quantity
    projected_cost: Quantity
    alone_cost: Quantity


@dataclass(frozen=True)
class CheckNumbers:
    """How the analytic attack compares with gradients: `least` where it compares worst; what gradients miss."""

    analytic_least: Quantity
    analytic_least_density: Quantity
    polished_least: Quantity
    analytic_typical: Quantity
    missed: Quantity
    missed_most: Quantity
    masked: Quantity


@dataclass(frozen=True)
class Result:
    """Operations are the fields of `Surgery`, norms l2 and linf.

    `checks` are rises of the loss under the attacks analytic, gradient, single start, polished; the last entry of that
    axis is the masked share. `parts` splits the vulnerability into what goes with errors made already and what the
    moves of outputs are alone.
    """

    density: Array  # (density,)
    surgery: Array  # (operation, density, seed)
    checks: Array  # (norm, attack, density, seed)
    parts: Array  # (part, density, seed)
    numbers: PeakNumbers
    compared: CheckNumbers


experiment = Experiment(
    __name__,
    title="Vulnerability taken apart",
    config=Config(),
    quick=Config(
        seeds=2,
        densities=(1.0, 0.4, 0.1, 0.02),
        training=Training(steps=200, batch=64, rare_batch=64),
        samples=256,
        split_samples=32,
        checked_samples=16,
        restarts=4,
        ascent_steps=10,
    ),
    large=Config(seeds=64, training=Training(steps=6000, batch=512, rare_batch=2048), checked_samples=256),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density = np.array(config.densities)
    models = train_crowded(
        config.features, config.hidden, density, config.seeds, config.training, seed=config.seed, device=device
    )
    seeds = evaluation_seeds(config.seed, config.seeds)
    drawn = draws_of_seeds(config.samples, config.features, seeds)
    progress.advance("attacks", 0.3)
    units = list(zip(drawn, of_seeds(models), seeds, strict=True))
    found = in_parallel(lambda unit: _of_seed(config, *unit), units)
    surgery, parts, checks = (np.stack([each[k] for each in found], axis=-1) for k in range(3))
    return Result(density, surgery, checks, parts, _peak_numbers(surgery, parts), _check_numbers(density, checks))


def _of_seed(config: Config, own: Draws, models: list[Weights], seed: int) -> tuple[Array, Array, Array]:
    """Return the arrays of `Result` of one seed, without that axis: surgery, parts, checks."""
    surgery, parts, checks = [], [], []
    for p, each in zip(config.densities, models, strict=True):
        x = own.inputs(p)
        surgery.append(operate(each.W, each.b, x, p))
        parts.append(first_order(each.W, each.b, x[: config.split_samples], budget(x, "l2")))
        checks.append(
            [
                check(
                    each.W, each.b, x[: config.checked_samples], budget(x, norm), norm,
                    restarts=config.restarts, steps=config.ascent_steps, seed=seed,
                )
                for norm in NORMS
            ]
        )  # fmt: skip
    return np.array(surgery)[..., 0].T, np.array(parts)[..., 0].T, np.moveaxis(np.array(checks)[..., 0], 0, -1)


def _peak_numbers(surgery: Array, parts: Array) -> PeakNumbers:
    """Return shares and costs at the density where vulnerability is highest, which each resample chooses anew."""

    def chosen(seeds: NDArray[np.int64]) -> list[float]:
        found, split = surgery[:, :, seeds].mean(-1), parts[:, :, seeds].mean(-1)
        peak = int(Surgery(*found).full.argmax())
        at, moves = Surgery(*found[:, peak]), split[:, peak]
        return [
            float(each)
            for each in (
                1 - at.alone / at.full,
                1 - at.linear_alone / at.linear,
                at.full / at.linear,
                at.alone,
                at.linear,
                at.linear_alone,
                moves[0] / moves.sum(),
                moves[1],
                split[1, -1],
                at.projected,
                at.clean_projected / at.clean_full,
                at.clean_alone / at.clean_full,
            )
        ]

    return PeakNumbers(*bootstrap_each(chosen, surgery.shape[-1]))


def _check_numbers(density: Array, checks: Array) -> CheckNumbers:
    """Return how the analytic attack compares with gradients where it compares worst, and what gradients miss.

    Ratios are of means over seeds; where a cell is chosen from the grid, each resample of the seeds chooses its own.
    """

    def chosen(seeds: NDArray[np.int64]) -> list[float]:
        analytic, gradient, single, polished = np.moveaxis(checks[:, :4, :, seeds].mean(-1), 1, 0)
        share, missed = analytic / gradient, 1 - single[0] / np.maximum(gradient, analytic)[0]
        norm, p = np.unravel_index(int(share.argmin()), share.shape)
        least = [share[norm, p], density[p], (polished / gradient)[norm, p]]
        masked = checks[0, 4, -1, seeds].mean()
        return [float(each) for each in (*least, share.mean(), missed[-1], missed.max(), masked)]

    return CheckNumbers(*bootstrap_each(chosen, checks.shape[-1]))


@experiment.figure(
    "adversarial-surgery",
    title="Vulnerability with the interference taken out",
    caption="Where vulnerability peaks, the entries beside the diagonal account for {numbers.eps_share:.0%} of it. (a) "
    "Vulnerability (ℓ₂) of the same models, attacked anew after each change. Moves of outputs alone, without the part "
    "that only makes errors worse, are {numbers.moves_peak:.1f} times the baseline at the peak; if nothing cut an "
    "output, {numbers.linear:.0f} times. (b) Loss without attack: an orthogonal read-out, as robust as the baseline, "
    "has {numbers.projected_cost:.1f} times that of the full model at the peak.",
    alt="Curves over density on a logarithmic scale: where features are rare, linear reach is highest, then the full "
    "model, then the model with its interference set to zero and the moves of outputs alone; a flat line at one for "
    "the orthogonal read-out. Right, loss without attack: lower than the full model's with the interference set to "
    "zero, higher with the orthogonal read-out.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_surgery(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    found = Surgery(*result.surgery)
    curves = {
        "no cut: linear": found.linear,
        "full model": found.full,
        "ε set to zero": found.alone,
        "orthogonal read-out": found.projected,
        "moves of outputs alone": result.parts[1],
    }
    for index, (name, values) in zip((0, 1, 2, 3, 5), curves.items(), strict=True):
        plotting.seed_band(left, result.density, values, index=index, label=name)
    losses = {1: found.clean_full, 2: found.clean_alone, 3: found.clean_projected}
    for index, values in losses.items():
        plotting.seed_band(
            right, result.density, values / found.clean_full.mean(-1, keepdims=True), index=index, label=""
        )
    plotting.guide(left, 1.0)
    left.set(yscale="log", title="vulnerability", ylabel="(L′ − L) / (L′₀ − L₀)")
    right.set(title="loss without attack", ylabel="loss / loss of the full model", ylim=(0, None))
    for ax in (left, right):
        plotting.density_axis(ax, ticks=(0.01, 0.1, 1.0))
    plotting.legend(left, figure=figure)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "adversarial-checks",
    title="Attacks found on paper and by gradients",
    caption="The worst attack on one feature does at least {compared.analytic_least:.2f} of the harm of the best of "
    "gradient ascent, on average over seeds. (a) Rise of the loss under it, over that by gradient ascent with 20 "
    "random restarts; ascent that starts from it gets to {compared.polished_least:.2f} where it is least. (b) At the "
    "lowest density the gradient at the clean input is zero for {compared.masked:.0%} of inputs, and ascent from there "
    "misses {compared.missed:% value} of the harm.",
    alt="Left, four curves between 0.8 and 1 over density. Right, the share of inputs without a gradient rises steeply "
    "where features are rare, while the share of harm that is missed stays near zero.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_checks(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    analytic, gradient, single, polished, masked = (result.checks[:, k] for k in range(5))
    for norm, name in enumerate(("ℓ₂", "ℓ∞")):
        plotting.seed_band(
            left, result.density, analytic[norm] / gradient[norm], index=2 * norm, label=f"{name}: one feature"
        )
        plotting.seed_band(
            left, result.density, polished[norm] / gradient[norm], index=2 * norm + 1, label=f"{name}: then ascent"
        )
    plotting.guide(left, 1.0)
    plotting.seed_band(right, result.density, masked[0], index=4, label="inputs without gradient")
    missed = 1 - single[0] / np.maximum(gradient[0], analytic[0])
    plotting.seed_band(right, result.density, missed, index=5, label="harm missed from the clean input")
    left.set(title="analytic over gradient", ylabel="rise of loss / best found")
    right.set(title="gradient masking, ℓ₂", ylabel="share")
    plotting.percent_axis(right)
    for ax, columns in ((left, 2), (right, 1)):
        plotting.density_axis(ax, ticks=(0.01, 0.1, 1.0))
        plotting.legend(ax, columns=columns)
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "adversarial-eps-share",
    title="The entries beside the diagonal cause most of the vulnerability",
    statements=("E1", "E2"),
    source=PAPER,
    test="Vulnerability (ℓ₂) with all entries beside the diagonal of WᵀW set to zero, biases and ReLU kept and "
    "attacked anew, against that of the full model, where the latter is highest. Statistic: share that disappears, "
    "of means over seeds.",
    criterion=above(0.5),
    figures=("adversarial-surgery",),
    published=Verdict.SUPPORTED,
)
def share_of_interference(result: Result) -> Quantity:
    return result.numbers.eps_share


@experiment.claim(
    "adversarial-orthogonal",
    title="An orthogonal read-out makes a crowded model robust and raises its loss by less than a tenth",
    statements=("E1",),
    test="The read-out replaced by the pseudo-inverse of W with the best bias and no ReLU, where the full model is "
    "most vulnerable. Statistic: clean loss over that of the full model, mean over seeds.",
    criterion=Criterion(
        supported_if(where(cost=Below(1.1), vulnerability=Below(1.2))),
        refuted_if(where(cost=Above(1.1), vulnerability=Above(1.2))),
        mixed_if(where(cost=Above(1.1), vulnerability=Below(1.2)) | where(cost=Below(1.1), vulnerability=Above(1.2))),
        names={"cost": "its clean loss over the full model's", "vulnerability": "its vulnerability"},
    ),
    figures=("adversarial-surgery",),
    published=Verdict.MIXED,
)
def cost_of_an_orthogonal_read_out(result: Result) -> Evidence:
    return Evidence(cost=result.numbers.projected_cost, vulnerability=result.numbers.projected)


@experiment.claim(
    "adversarial-analytic",
    title="No gradient attack beats the worst attack on a single feature by more than a tenth",
    source=PAPER,
    test="Rise of the loss under the worst analytic attack over the best of projected gradient ascent from the clean "
    "input and 20 random restarts, on the same inputs. Statistic: mean over seeds at the density and norm where it is "
    "least.",
    criterion=above(0.9),
    figures=("adversarial-checks",),
    published=Verdict.REFUTED,
)
def analytic_over_gradient(result: Result) -> Quantity:
    return result.compared.analytic_least


@experiment.claim(
    "adversarial-masking",
    title="Where features are rare, gradient attacks miss more than a tenth of the harm",
    source=PAPER,
    test="Share of the worst harm found by any attack that gradient ascent from the clean input misses, ℓ₂. Statistic: "
    "mean over seeds at the lowest density.",
    criterion=above(0.1),
    figures=("adversarial-checks",),
    published=Verdict.REFUTED,
)
def missed_by_gradients(result: Result) -> Quantity:
    return result.compared.missed


@experiment.claim(
    "adversarial-moves",
    title="Superposition more than triples vulnerability even without counting errors made already",
    statements=("E1",),
    source=PAPER,
    test="Squared move of all outputs under the worst ℓ₂ attack on a feature, over that of a model without "
    "superposition, where vulnerability is highest. Statistic: mean over seeds.",
    criterion=above(3.0),
    figures=("adversarial-surgery",),
    published=Verdict.SUPPORTED,
)
def moves_of_outputs(result: Result) -> Quantity:
    return result.numbers.moves_peak
