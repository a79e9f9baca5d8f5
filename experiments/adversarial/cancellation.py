"""Do the entries beside the one cancel as noise on ordinary inputs, and how do sums of them grow?

Statement E3: sums with values of the data, with random signs and with chosen signs, against the number of terms, of
features and of dimensions. If entries cancel, the first two grow with the root of the number of terms, and the third
with the number itself. What disturbances do to outputs is in `disturbances`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.adversarial.shared.crowded import STANDARD, Training, evaluation_seeds, train_crowded
from experiments.adversarial.shared.interference import (
    aligned_sum,
    data_sum,
    epsilon,
    random_sum,
    row_norm,
    tight_frame_norm,
)
from experiments.adversarial.shared.perturbations import cancelled, cases, partial_responses
from experiments.core import plotting, progress
from experiments.core.contract import Experiment
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Every,
    Evidence,
    NoneOf,
    Outside,
    Verdict,
    Within,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.metrics import gram, norms, represented
from experiments.core.quantities import Quantity, bootstrap, mean
from experiments.core.threads import in_parallel
from experiments.core.training.specification import Weights

Array = NDArray[np.float64]

SUMS = ("data", "random", "aligned")
"""Sums over some of a column's entries: with values of the data, with random signs, each with its own sign."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 7
    seeds: int = 12
    features: int = 80
    hidden: int = 8
    densities: tuple[float, ...] = (0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)
    quoted: float = 0.02  # the density at which claims about one density are decided
    training: Training = STANDARD
    cases: int = 2048  # inputs and features per model
    terms: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    more_features: tuple[int, ...] = (20, 30, 45, 68)  # in `hidden` dimensions; beyond, some are not represented
    more_hidden: tuple[int, ...] = (8, 12, 18, 27)  # for `features` features
    size_density: float = 0.005


@dataclass(frozen=True)
class SumNumbers:
    """Exponents in the number of terms, and what is left of the interference of typical inputs.

    `terms_` are exponents at the quoted density, `terms_data_least` and `terms_data_most` the extremes over densities.
    `kept` is the share that cancellation leaves, `against_noise` the ratio to what independent signs would leave.
    """

    terms_data: Quantity
    terms_random: Quantity
    terms_aligned: Quantity
    terms_data_least: Quantity
    terms_data_most: Quantity
    sum_error: Quantity
    kept: Quantity
    kept_densest: Quantity
    kept_least: Quantity
    against_noise: Quantity


@dataclass(frozen=True)
class Exponents:
    """Exponents of the ℓ₂ norm of eps (`noise`) and of its ℓ₁ norm (`aligned`), measured and of a tight frame."""

    noise: Quantity
    aligned: Quantity
    noise_theory: Quantity
    aligned_theory: Quantity


@dataclass(frozen=True)
class GrowthNumbers:
    """Exponents in the number of features `n` and of dimensions `m`.

    `represented_least` is the smallest share of represented features, `error` how far the tight frame is off at most.
    """

    n: Exponents
    m: Exponents
    represented_least: Quantity
    error: Quantity


@dataclass(frozen=True)
class Result:
    """`sums` are root mean squares and `sum_theory` their closed forms; `kept` are the ratios of `cancelled`.

    Kinds of sum are those of `SUMS`; `growth_n` and `growth_m` hold what `_growth` returns.
    """

    density: Array  # (density,)
    terms: tuple[int, ...]
    sizes_n: tuple[int, ...]
    sizes_m: tuple[int, ...]
    sums: Array  # (density, kind, terms, seed)
    sum_theory: Array  # (density, kind, terms, seed)
    kept: Array  # (density, ratio, seed)
    growth_n: Array  # (size, norm, seed)
    growth_m: Array  # (size, norm, seed)
    quoted: int
    numbers: SumNumbers
    growth: GrowthNumbers


experiment = Experiment(
    __name__,
    title="Do the small entries cancel?",
    config=Config(),
    quick=Config(
        seeds=2,
        densities=(0.4, 0.1, 0.02),
        training=Training(steps=200, batch=64, rare_batch=64),
        cases=256,
        more_features=(20, 40),
        more_hidden=(8, 16),
    ),
    large=Config(seeds=64, training=Training(steps=6000, batch=512, rare_batch=2048), cases=8192),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    density = np.array(config.densities)
    models = _trained(config, config.features, config.hidden, density, device)
    parts = [(float(p), weights) for p, weights in zip(density, models, strict=True)]
    found = in_parallel(lambda part: _at_density(config, *part), parts)
    progress.advance("other sizes", 0.6)
    growth_n = np.stack([_growth(config, n, config.hidden, device) for n in config.more_features])
    growth_m = np.stack([_growth(config, config.features, m, device) for m in config.more_hidden])
    sums, theory, kept = (np.stack([each[k] for each in found]) for k in range(3))
    quoted = config.densities.index(config.quoted)
    return Result(
        density, config.terms, config.more_features, config.more_hidden, sums, theory, kept, growth_n, growth_m,
        quoted, _sum_numbers(config, sums, theory, kept, quoted), _growth_numbers(config, growth_n, growth_m),
    )  # fmt: skip


def _trained(config: Config, n: int, m: int, density: Array, device: str) -> list[Weights]:
    return train_crowded(n, m, density, config.seeds, config.training, seed=config.seed, device=device)


def _at_density(config: Config, p: float, weights: Weights) -> list[Array]:
    """Return the arrays of `Result` of one density, without that axis: sums, theory, kept."""
    seeds = evaluation_seeds(config.seed, config.seeds)
    rows = [_of_model(config, p, W, own) for own, W in zip(seeds, weights.W.astype(np.float64), strict=True)]
    return [np.stack([row[k] for row in rows], axis=-1) for k in range(3)]


def _of_model(config: Config, p: float, W: Array, seed: int) -> tuple[Array, ...]:
    """Return sums (kind, count of terms), their closed forms, and the two ratios of `cancelled` for one model."""
    chosen, terms = represented(W), np.array(config.terms)
    present = cases(gram(W), p, chosen, config.cases, present=True, seed=seed)
    sums = partial_responses(present, terms, seed)
    eps = epsilon(W)[chosen][:, None]
    theory = [np.sqrt((rule(eps, terms) ** 2).mean(0)) for rule in (data_sum, random_sum, aligned_sum)]
    return np.array([sums[kind] for kind in SUMS]), np.array(theory), np.array(cancelled(present, p, seed))


def _growth(config: Config, n: int, m: int, device: str) -> Array:
    """Return norms of eps over represented features, root mean squares: ℓ₂, ℓ₁, theory of both; the share represented.

    Theory: represented features form a tight frame, and entries are as if normal: the mean diagonal entry times
    sqrt(k - 1), k features per dimension, and that times sqrt(2 / pi) times the root of the number of entries. Shape
    (5, seed).
    """
    (weights,) = _trained(config, n, m, np.array([config.size_density]), device)
    rows = []
    for W in weights.W:
        chosen = represented(W)
        eps = epsilon(W)[chosen]
        two, one = (float(np.sqrt((row_norm(eps, order) ** 2).mean())) for order in (2, 1))
        tight = float((norms(W)[chosen] ** 2).mean() * tight_frame_norm(chosen.sum() / m))
        rows.append([two, one, tight, tight * np.sqrt(2 / np.pi * (chosen.sum() - 1)), chosen.mean()])
    return np.array(rows).T


def _slopes(x: tuple[int, ...], values: Array) -> list[float]:
    """Return, for each seed, the exponent of values (point, seed) in x."""
    return [float(np.polyfit(np.log(x), np.log(column), 1)[0]) for column in values.T]


def _sum_numbers(config: Config, sums: Array, theory: Array, kept: Array, at: int) -> SumNumbers:
    """Return exponents in the number of terms, and how much of typical interference cancels."""
    of_data, of_random, of_aligned = (mean(_slopes(config.terms, sums[at, k])) for k in range(len(SUMS)))
    data = np.array([_slopes(config.terms, each[0]) for each in sums])
    error = np.abs(sums.mean(-1) / theory.mean(-1) - 1).max()
    return SumNumbers(
        terms_data=of_data,
        terms_random=of_random,
        terms_aligned=of_aligned,
        terms_data_least=_extreme(data, np.min),
        terms_data_most=_extreme(data, np.max),
        sum_error=Quantity(float(error), n=sums.size, method="largest, means over seeds"),
        kept=mean(kept[at, 0]),
        kept_densest=mean(kept[0, 0]),
        kept_least=_extreme(kept[:, 0], np.min),
        against_noise=mean(kept[at, 1]),
    )


def _extreme(values: Array, extreme: Callable[[Array], np.float64]) -> Quantity:
    """Return the least or largest mean over seeds of values (point, seed); each resample chooses its own point."""
    return bootstrap(lambda seeds: float(extreme(values[:, seeds].mean(-1))), values.shape[1])


def _growth_numbers(config: Config, growth_n: Array, growth_m: Array) -> GrowthNumbers:
    """Return exponents of the two norms of eps in the numbers of features and dimensions."""
    both = np.concatenate([growth_n, growth_m])
    return GrowthNumbers(
        n=_exponents(config.more_features, growth_n),
        m=_exponents(config.more_hidden, growth_m),
        represented_least=_extreme(both[:, 4], np.min),
        error=mean(np.abs(both[:, :2] / both[:, 2:4] - 1).max((0, 1))),
    )


def _exponents(sizes: tuple[int, ...], growth: Array) -> Exponents:
    """Return the exponents in `sizes` of the first four rows of growth (size, row, seed)."""
    return Exponents(*(mean(_slopes(sizes, growth[:, k])) for k in range(4)))


@experiment.figure(
    "cancel-terms",
    title="How sums of the small entries grow",
    caption="Sums over values of the data grow with exponent {numbers.terms_data:.2f} in the number of terms (noise: "
    "one half), sums with chosen signs with {numbers.terms_aligned:.2f}. (a) Sum of k entries of a column at p = 0.02; "
    "dashed, closed forms. (b) Interference of typical inputs, over the same sum without signs ({numbers.kept:.0%} at "
    "p = 0.02), and over what independent signs would leave.",
    alt="Left, three lines on log-log scales: aligned is steep, data and random signs have half the slope. Right, the "
    "ratio to noise stays at one over density; the ratio to the uncancelled sum is lowest at medium density.",
    interval="band: 95 % Student t interval of the mean over seeds",
)
def draw_terms(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    for index, kind in enumerate(SUMS):
        name = {"data": "values of the data", "random": "random signs", "aligned": "own signs"}[kind]
        plotting.seed_band(left, result.terms, result.sums[result.quoted, index], index=index, label=name, marker="o")
        theory = result.sum_theory[result.quoted, index].mean(-1)
        plotting.theory_line(left, result.terms, theory, label="closed form" if index == 0 else "")
    left.set(xscale="log", yscale="log", xlabel="number of terms", ylabel="sum of entries, r.m.s.", title="growth")
    names = ("over the sum without signs", "over what noise would leave")
    for index, name in enumerate(names):
        plotting.seed_band(
            right, result.density, result.kept[:, index], index=3 + index, label=name, marker="o^"[index]
        )
    plotting.density_axis(right, ticks=(0.005, 0.02, 0.1, 0.4))
    right.set(title="interference of typical data", ylabel="ratio of r.m.s.", ylim=(0, 1.15))
    plotting.legend(left, columns=2)
    plotting.legend(right)
    plotting.panel_letters((left, right))
    return figure


@experiment.figure(
    "cancel-growth",
    title="Interference against features and dimensions",
    caption="Interference grows with the number of features and falls with the hidden size. Drawn are norms of ε over "
    "represented features, trained models at p = 0.005: ℓ₂, which noise follows, and ℓ₁, which an adversary reaches "
    "if every entry may move. (a) For d = 8, with exponents {growth.n.noise:.2f} (ℓ₂) and {growth.n.aligned:.2f} (ℓ₁) "
    "in the number of features; (b) for 80 features, {growth.m.noise:.2f} and {growth.m.aligned:.2f} in d.",
    alt="Two log-log panels. Left, both norms rise with the number of features, ℓ₁ more steeply. Right, both fall "
    "with the hidden size.",
    interval="bars: 95 % Student t interval of the mean over seeds",
)
def draw_growth(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.0, sharey=True)
    for ax, sizes, growth in zip(
        axes, (result.sizes_n, result.sizes_m), (result.growth_n, result.growth_m), strict=True
    ):
        for index, name in enumerate(("ℓ₂: noise", "ℓ₁: chosen signs")):
            quantities = [mean(row) for row in growth[:, index]]
            plotting.points(ax, np.array(sizes), quantities, index=2 * index, label=name)
            plotting.theory_line(ax, sizes, growth[:, 2 + index].mean(-1), label="" if index else "tight frame")
        _log_sizes(ax, sizes)
    axes[0].set(xlabel="features $n$, for $d$ = 8", ylabel="norm of ε")
    axes[1].set(xlabel="hidden size $d$, for 80 features")
    plotting.legend(axes[0])
    plotting.panel_letters(axes)
    return figure


def _log_sizes(ax: Axes, sizes: tuple[int, ...]) -> None:
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set_yticks([2, 5, 10, 20, 40], ["2", "5", "10", "20", "40"])
    ax.minorticks_off()


@experiment.claim(
    "cancel-noise",
    title="On the values of the data, the small entries add up as noise",
    statements=("E3",),
    test="Root mean square of a sum of k entries of a column times values U[0, 1], k from 1 to 64, at every density. "
    "Statistic: exponent in k at p = 0.02, mean over seeds.",
    criterion=Criterion(
        supported_if(Every(name="exponents", each=Within(0.4, high=0.6), of="density")),
        refuted_if(NoneOf(name="exponents", each=Within(0.4, high=0.6), of="density")),
        otherwise=Verdict.MIXED,
        names={"exponents": "the exponent"},
    ),
    figures=("cancel-terms",),
    published=Verdict.SUPPORTED,
)
def exponents_of_sums(result: Result) -> Evidence:
    exponents = tuple(mean(_slopes(result.terms, sums[0])) for sums in result.sums)
    return Evidence(quoted=result.numbers.terms_data, exponents=exponents)


@experiment.claim(
    "cancel-why-quiet",
    title="Cancellation takes away more than half of the interference of ordinary inputs",
    statements=("E3",),
    test="Root mean square of the interference of typical inputs, over the same without signs (all entries adding up). "
    "Statistic: mean over seeds at p = 0.02.",
    criterion=Criterion(
        supported_if(Every(name="shares", each=Below(0.5), of="density")),
        refuted_if(Every(name="shares", each=Above(0.5), of="density")),
        otherwise=Verdict.MIXED,
        names={"shares": "the share that cancellation leaves"},
    ),
    figures=("cancel-terms",),
    published=Verdict.REFUTED,
)
def shares_left(result: Result) -> Evidence:
    return Evidence(quoted=result.numbers.kept, shares=tuple(mean(row[0]) for row in result.kept))


@experiment.claim(
    "cancel-growth",
    title="Noise grows with the root of the number of features, chosen signs with the number itself",
    statements=("E3",),
    test="Norms of ε over represented features at p = 0.005: ℓ₂ (noise) and ℓ₁ (chosen signs), for 20 to 68 features "
    "in 8 dimensions and for 80 features in 8 to 27. Expected exponents: 1/2 and 1 in n, -1/2 and -1/2 in d. "
    "Statistic: exponent of ℓ₁ in n, mean over seeds.",
    criterion=Criterion(
        supported_if(
            where(
                l1_in_n=Within(0.85, high=1.15),
                l2_in_n=Within(0.35, high=0.65),
                l1_in_m=Within(-0.65, high=-0.35),
                l2_in_m=Within(-0.65, high=-0.35),
            )
        ),
        refuted_if(
            where(
                l1_in_n=Outside(0.85, high=1.15),
                l2_in_n=Outside(0.35, high=0.65),
                l1_in_m=Outside(-0.65, high=-0.35),
                l2_in_m=Outside(-0.65, high=-0.35),
            )
        ),
        otherwise=Verdict.MIXED,
        names={
            "l1_in_n": "the exponent of ℓ₁ in n",
            "l2_in_n": "the exponent of ℓ₂ in n",
            "l1_in_m": "the exponent of ℓ₁ in d",
            "l2_in_m": "the exponent of ℓ₂ in d",
        },
    ),
    figures=("cancel-growth",),
    published=Verdict.REFUTED,
)
def exponents_of_norms(result: Result) -> Evidence:
    n, m = result.growth.n, result.growth.m
    return Evidence(l1_in_n=n.aligned, l2_in_n=n.noise, l1_in_m=m.aligned, l2_in_m=m.noise)
