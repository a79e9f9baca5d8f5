"""Is splitting a property of one variant? Six variants at one latent per cluster and at one per leaf."""

from dataclasses import dataclass
from itertools import chain
from typing import get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.split_statistics import Dictionaries, measure_dictionaries
from experiments.autoencoders.shared.width_series import WidthSeriesConfig, judge_dictionaries, train_widths
from experiments.core import plotting
from experiments.core.autoencoders.specification import Variant
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Above, Criterion, Every, Evidence, FewerThan, Verdict, refuted_if, supported_if
from experiments.core.quantities import Quantity, bootstrap, exact, mean

Array = NDArray[np.float64]

VARIANTS: tuple[Variant, ...] = get_args(Variant)


@dataclass(frozen=True)
class Config(WidthSeriesConfig):
    """Defaults are the published run; the world is the clustered one."""

    ratios: tuple[float, ...] = (1, 8)


FROZEN = "frozen_decoder"


def number_names(config: Config) -> list[str]:
    """Return names such as "end_topk": by arm, `start` at one latent per cluster, the others at one per leaf."""
    scores = ("start", "end", "latents", "l0", "explained")
    return [f"{score}_{arm}" for score in scores for arm in (*VARIANTS, FROZEN)] + ["seeds", "weakest"]


@dataclass(frozen=True)
class Result:
    """By arm (the variants, then the frozen decoder): split `information`, effective `latents` per cluster, `l0`.

    `explained` is the variance explained, `ceiling` the effective leaves. `gains` is how far each variant's split
    information at one latent per leaf exceeds that of the frozen decoder and its own at one latent per cluster,
    whichever is more.
    """

    arms: tuple[str, ...]
    information: Array  # (arm, width, seed)
    latents: Array  # (arm, width, seed)
    l0: Array  # (arm, width, seed)
    explained: Array  # (arm, width, seed)
    ceiling: Array  # (seed,)
    gains: tuple[Quantity, ...]
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Splitting by variant",
    config=Config(),
    quick=Config(seeds=2, clusters=4, leaves=4, hidden=20, true_l0=1.0, ratios=(1, 4), steps=400, samples=4000),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    arms = _arms(config, device)
    information = np.array([arm.information for arm in arms.values()])
    latents = np.array([arm.latents.mean(-1) for arm in arms.values()])
    return Result(
        arms=tuple(arms),
        information=information,
        latents=latents,
        l0=np.array([arm.l0 for arm in arms.values()]),
        explained=np.array([arm.explained for arm in arms.values()]),
        ceiling=arms["batchtopk"].ceiling.mean(-1),
        gains=tuple(_gain(of, information[-1, 1]) for of in information[:-1]),
        numbers=_numbers(config, arms),
    )


def _gain(variant: Array, frozen: Array) -> Quantity:
    """Return how far the end of a variant (width, seed) lies above its start and the frozen decoder's end (seed,)."""
    return mean(variant[1] - np.maximum(variant[0], frozen))


def _arms(config: Config, device: str) -> dict[str, Dictionaries]:
    """Return the statistics of every variant and of the frozen decoder, trained together: they share their data."""
    worlds = config.worlds("clustered")
    of_arms = [config.models(variant) for variant in VARIANTS] + [config.models("batchtopk", frozen=True)]
    trained = train_widths(worlds, config.specification(tuple(chain(*of_arms))), device)
    found: dict[str, Dictionaries] = {}
    for k, name in enumerate((*VARIANTS, "frozen decoder")):
        judged = judge_dictionaries(worlds, trained, config, first=k * len(of_arms[k]))
        found[name] = measure_dictionaries(worlds, judged, 1, np.random.default_rng(config.seed))
    return found


def _numbers(config: Config, arms: dict[str, Dictionaries]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {"seeds": exact(config.seeds)}
    for name, dictionaries in arms.items():
        key = name.replace(" ", "_")
        found[f"start_{key}"] = mean(dictionaries.information[0], within=(0, 1))
        found[f"end_{key}"] = mean(dictionaries.information[1], within=(0, 1))
        found[f"latents_{key}"] = mean(dictionaries.latents[1].mean(-1))
        found[f"l0_{key}"] = mean(dictionaries.l0[1])
        found[f"explained_{key}"] = mean(dictionaries.explained[1])
    ends = np.array([dictionaries.information[1] for dictionaries in list(arms.values())[:-1]])
    found["weakest"] = bootstrap(lambda seeds: float(ends[:, seeds].mean(1).min()), ends.shape[1])
    return found


@experiment.figure(
    "split-variants",
    title="Splitting by variant",
    caption="With one latent per leaf, split information is {numbers.end_jumprelu} for JumpReLU and "
    "{numbers.end_batchtopk} for BatchTopK, but {numbers.end_matryoshka} for Matryoshka and {numbers.end_relu} for "
    "ReLU + ℓ₁; a frozen random decoder reaches {numbers.end_frozen_decoder}. Clustered world, equally many active "
    "latents. (a) Split information. (b) Effective latents per cluster; dashed: one per leaf.",
    alt="Two panels with one column per variant and one for the frozen decoder. Left, split information at two "
    "widths: near zero at the small one; at the large one high for Gated, BatchTopK and JumpReLU, low for ReLU and "
    "Matryoshka, lowest for the frozen decoder. Right, effective latents per cluster beside a dashed "
    "line.",
    interval="Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    place = np.arange(len(result.arms))
    for width, label in enumerate(("one latent per cluster", "one latent per leaf")):
        shift = 0.16 * (2 * width - 1)
        tells = [mean(row[width], within=(0, 1)) for row in result.information]
        plotting.points(left, place + shift, tells, label=label, index=width)
        plotting.points(right, place + shift, [mean(row[width]) for row in result.latents], index=width)
    plotting.theory_level(right, float(result.ceiling.mean()), label="one latent per leaf")
    for ax in (left, right):
        ax.set_xticks(place, [plotting.VARIANT_NAMES[arm] for arm in result.arms], rotation=35, ha="right")
    left.set(ylabel="split information", ylim=(-0.03, 1.03))
    right.set(ylabel="effective latents per cluster", ylim=(0, None))
    plotting.panel_letters([left, right])
    plotting.legend(left, figure=figure)
    return figure


@experiment.claim(
    "split-variants",
    title="Every variant shows more splitting with more latents, and more than a frozen decoder",
    statements=("I2",),
    test="Clustered world, one latent per leaf. Statistic: the lowest split information of the six variants; beside it "
    "the gain of each variant over a frozen random decoder, and over the same variant with one latent per cluster, "
    "whichever is higher in that seed, mean over seeds.",
    criterion=Criterion(
        supported_if(Every(name="gains", each=Above(0.0), of="variant")),
        refuted_if(FewerThan(4, name="gains", each=Above(0.0), of="of the six variants")),
        otherwise=Verdict.MIXED,
        names={"gains": "the gain"},
    ),
    figures=("split-variants",),
    published=Verdict.SUPPORTED,
)
def weakest_variant(result: Result) -> Evidence:
    return Evidence(weakest=result.numbers["weakest"], gains=result.gains)
