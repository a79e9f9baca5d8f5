"""Do dead latents decide whether splitting is seen? The same width series with and without the two remedies.

Remedies: an auxiliary loss through which silent latents reconstruct the residual (Gao et al. 2024), and resampling,
which points silent latents at samples that are reconstructed badly (Bricken et al. 2023).
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.split_statistics import measure_dictionaries
from experiments.autoencoders.shared.width_series import WidthSeriesConfig, judge_dictionaries, train_widths
from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Above, Below, Criterion, Verdict, above, refuted_if, supported_if
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.rank_correlation import rank_correlation

Array = NDArray[np.float64]

REMEDIES = {"none": (False, False), "auxiliary loss": (True, False), "resampling": (False, True), "both": (True, True)}
"""Name: whether the auxiliary loss is on, whether latents are resampled."""


@dataclass(frozen=True)
class Config(WidthSeriesConfig):
    """Defaults are the published run; the world is the clustered one."""

    ratios: tuple[float, ...] = (1, 4, 8)


SHORT = ("none", "aux", "resample", "both")
"""The remedies' names in the numbers."""


def number_names(config: Config) -> list[str]:
    """Return names such as "dead_aux", at one latent per leaf, and what is gained by both remedies."""
    scores = [f"{score}_{short}" for score in ("information", "latents", "dead", "explained") for short in SHORT]
    gains = [f"gain_over_{short}" for short in SHORT[:-1]]
    return [*scores, *gains, "gain_of_aux", "dead_rank", "samples", "frozen_leaf"]


@dataclass(frozen=True)
class Result:
    """By remedy, in the order of `remedies`: split `information`, effective `latents` per cluster, `dead` latents.

    `dead` is the share of latents that never fire, `explained` the variance explained. The fields named `frozen_` are
    of frozen decoders with the auxiliary loss.
    """

    remedies: tuple[str, ...]
    ratios: Array  # (width,)
    information: Array  # (remedy, width, seed)
    latents: Array  # (remedy, width, seed)
    dead: Array  # (remedy, width, seed)
    explained: Array  # (remedy, width, seed)
    frozen_information: Array  # (width, seed)
    frozen_latents: Array  # (width, seed)
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Splitting with and without remedies for dead latents",
    config=Config(),
    quick=Config(seeds=2, clusters=4, leaves=4, hidden=20, true_l0=1.0, ratios=(1, 4), steps=400, samples=4000),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    arms = {name: _arm(config, device, aux, resample) for name, (aux, resample) in REMEDIES.items()}
    information, latents, dead, explained = (np.array([arm[k] for arm in arms.values()]) for k in range(4))
    frozen = _arm(config, device, aux=True, resample=False, frozen=True)
    return Result(
        remedies=tuple(arms),
        ratios=np.array(config.ratios, dtype=np.float64),
        information=information,
        latents=latents,
        dead=dead,
        explained=explained,
        frozen_information=frozen[0],
        frozen_latents=frozen[1],
        numbers=_numbers(config, information, latents, dead, explained, frozen[0]),
    )


def _arm(config: Config, device: str, aux: bool, resample: bool, frozen: bool = False) -> tuple[Array, ...]:
    """Return information, effective latents, dead share and explained variance (width, seed) of one recipe."""
    worlds = config.worlds("clustered")
    specification = config.specification(config.models(frozen=frozen), aux=aux, resample=resample)
    judged = judge_dictionaries(worlds, train_widths(worlds, specification, device), config)
    dictionaries = measure_dictionaries(worlds, judged, 1, np.random.default_rng(config.seed))
    return dictionaries.information, dictionaries.latents.mean(-1), dictionaries.dead, dictionaries.explained


def _numbers(
    config: Config, information: Array, latents: Array, dead: Array, explained: Array, frozen: Array
) -> dict[str, Quantity]:
    leaf = config.ratios.index(config.leaves)
    short = dict(zip(REMEDIES, SHORT, strict=True))
    found: dict[str, Quantity] = {"samples": exact(config.samples), "frozen_leaf": mean(frozen[leaf], within=(0, 1))}
    for k, name in enumerate(REMEDIES):
        found[f"information_{short[name]}"] = mean(information[k, leaf], within=(0, 1))
        found[f"latents_{short[name]}"] = mean(latents[k, leaf])
        found[f"dead_{short[name]}"] = mean(dead[k, leaf], within=(0, 1))
        found[f"explained_{short[name]}"] = mean(explained[k, leaf])
    both = list(REMEDIES).index("both")
    for k, name in enumerate(REMEDIES):
        if k != both:
            found[f"gain_over_{short[name]}"] = mean(information[both, leaf] / information[k, leaf])
    found["gain_of_aux"] = mean(information[1, leaf] / information[0, leaf])
    ranks = rank_correlation(dead[:, leaf].T, information[:, leaf].T)
    return found | {"dead_rank": mean(ranks, within=(-1, 1))}


@experiment.figure(
    "split-remedies",
    title="Dead latents and split information, by remedy",
    caption="Split information with one latent per leaf (eight per cluster) is {numbers.information_none} without a "
    "remedy, {numbers.information_aux} with the auxiliary loss, {numbers.information_resample} with resampling, and "
    "{numbers.information_both} with both. (a) Split information in the clustered world; grey: a frozen decoder. "
    "(b) Share of latents that never fire on {numbers.samples:,.0f} samples.",
    alt="Two panels against latents per cluster. Left, split information rises in all four recipes, most with the "
    "auxiliary loss alone, and little with a frozen decoder. Right, the share of dead latents rises early and far "
    "without a remedy, nearly as far with resampling, less with both, and hardly with the auxiliary loss alone.",
    interval="Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    for k, name in enumerate(result.remedies):
        for ax, rows in ((left, result.information[k]), (right, result.dead[k])):
            shares = [mean(row, within=(0, 1)) for row in rows]
            plotting.marked(plotting.points(ax, result.ratios, shares, label=name, index=k, line=True), k)
    frozen = np.array([[q.low, q.value, q.high] for q in map(mean, result.frozen_information)], dtype=np.float64)
    plotting.null_band(left, result.ratios, frozen[:, 0], frozen[:, 2], mid=frozen[:, 1], label="frozen decoder")
    for ax in (left, right):
        plotting.doubling_axis(ax, result.ratios, "latents per cluster")
        ax.set_ylim(-0.03, 1.03)
    left.set_ylabel("split information")
    right.set_ylabel("latents that never fire")
    plotting.percent_axis(right)
    plotting.panel_letters([left, right])
    plotting.legend(left, figure=figure)
    return figure


@experiment.claim(
    "split-remedies-matter",
    title="Both remedies for dead latents together show a quarter more splitting than none",
    statements=("I2",),
    test="Clustered world, one latent per leaf. Statistic: split information with both remedies over that without any, "
    "per seed.",
    criterion=above(1.25),
    figures=("split-remedies",),
    published=Verdict.INCONCLUSIVE,
)
def gain_over_no_remedy(result: Result) -> Quantity:
    return result.numbers["gain_over_none"]


@experiment.claim(
    "split-remedies-triple",
    title="Resampling at least doubles the splitting that the auxiliary loss alone shows",
    test="Our expectation beforehand, from a feasibility run. Clustered world, one latent per leaf. Statistic: split "
    "information with both remedies over that with the auxiliary loss alone, per seed.",
    criterion=above(2.0),
    figures=("split-remedies",),
    published=Verdict.REFUTED,
)
def gain_over_the_auxiliary_loss(result: Result) -> Quantity:
    return result.numbers["gain_over_aux"]


@experiment.claim(
    "split-remedies-dead",
    title="The more latents are dead, the less splitting is seen",
    statements=("I2",),
    test="Clustered world, one latent per leaf, the four recipes. Statistic: Spearman correlation of the share of "
    "dead latents with split information over recipes, per seed. Written after the first full run.",
    criterion=Criterion(supported_if(Below(-0.5)), refuted_if(Above(0.0))),
    figures=("split-remedies",),
    published=Verdict.SUPPORTED,
)
def rank_of_dead_latents(result: Result) -> Quantity:
    return result.numbers["dead_rank"]
