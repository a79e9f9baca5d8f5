"""Is splitting a property of one variant? Six variants at one latent per cluster and at one per leaf."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.split_statistics import Rungs, measure_rungs
from experiments.autoencoders.shared.width_series import LadderConfig, climb, train_ladder
from experiments.core import plotting
from experiments.core.autoencoders.specification import Variant
from experiments.core.contract import Experiment, Finding, Verdict
from experiments.core.quantities import Quantity, exact, mean

Array = NDArray[np.float64]

VARIANTS: tuple[Variant, ...] = get_args(Variant)


@dataclass(frozen=True)
class Config(LadderConfig):
    """Defaults are the published run; the world is the clustered one."""

    ratios: tuple[float, ...] = (1, 8)
    steps: int = 4000


@dataclass(frozen=True)
class Result:
    """By arm (the variants, then the frozen decoder), rung and seed: split `information`, effective `latents` per
    cluster, `l0` and variance `explained`; `ceiling` (seed,) effective leaves."""

    arms: tuple[str, ...]
    information: Array
    latents: Array
    l0: Array
    explained: Array
    ceiling: Array
    numbers: dict[str, Quantity]


experiment = Experiment(
    __name__,
    title="Splitting by variant",
    config=Config(),
    quick=Config(seeds=2, clusters=4, leaves=4, hidden=20, true_l0=1.0, ratios=(1, 4), steps=400, samples=4000),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    arms = {str(variant): _arm(config, variant, device) for variant in VARIANTS}
    arms["frozen decoder"] = _arm(config, "batchtopk", device, frozen=True)
    information = np.array([arm.information for arm in arms.values()])
    latents = np.array([arm.latents.mean(-1) for arm in arms.values()])
    return Result(
        arms=tuple(arms),
        information=information,
        latents=latents,
        l0=np.array([arm.l0 for arm in arms.values()]),
        explained=np.array([arm.explained for arm in arms.values()]),
        ceiling=arms["batchtopk"].ceiling.mean(-1),
        numbers=_numbers(config, arms),
    )


def _arm(config: Config, variant: Variant, device: str, frozen: bool = False) -> Rungs:
    worlds = config.worlds("clustered")
    specification = config.specification(config.models(variant, frozen))
    climbed = climb(worlds, train_ladder(worlds, specification, device), config)
    return measure_rungs(worlds, climbed, 1, np.random.default_rng(config.seed))


def _numbers(config: Config, arms: dict[str, Rungs]) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {"seeds": exact(config.seeds)}
    for name, rungs in arms.items():
        key = name.replace(" ", "_")
        found[f"start_{key}"] = mean(rungs.information[0])
        found[f"end_{key}"] = mean(rungs.information[1])
        found[f"latents_{key}"] = mean(rungs.latents[1].mean(-1))
        found[f"l0_{key}"] = mean(rungs.l0[1])
        found[f"explained_{key}"] = mean(rungs.explained[1])
    weakest = min((found[f"end_{variant}"] for variant in VARIANTS), key=lambda quantity: quantity.value)
    found["weakest"] = weakest
    return found


@experiment.figure(
    "split-variants",
    title="Splitting by variant",
    caption="Clustered world, with one latent per cluster (blue) and one per leaf (orange). JumpReLU, gated and batch "
    "top-k tell most leaves apart, top-k fewer, nested dictionaries few ({numbers.end_matryoshka}). ReLU with L1, at "
    "the same number of active latents, has many latents per cluster that tell little ({numbers.end_relu}), yet more "
    "than a frozen random decoder ({numbers.end_frozen_decoder}).",
    alt="Two panels with one column per variant and one for the frozen decoder. Left, split information at two "
    "widths: near zero at the small one; at the large one high for gated, batch top-k and JumpReLU, low for ReLU and "
    "nested dictionaries, lowest for the frozen decoder. Right, effective latents per cluster beside a dashed "
    "line.",
    interval="Student t, 95 %, over seeds",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.4)
    place = np.arange(len(result.arms))
    for rung, label in enumerate(("one latent per cluster", "one latent per leaf")):
        shift = 0.16 * (2 * rung - 1)
        plotting.points(left, place + shift, [mean(row[rung]) for row in result.information], label=label, index=rung)
        plotting.points(right, place + shift, [mean(row[rung]) for row in result.latents], index=rung)
    plotting.theory_level(right, float(result.ceiling.mean()), label="one latent per leaf")
    for ax in (left, right):
        ax.set_xticks(place, result.arms, rotation=35, ha="right")
    left.set(ylabel="split information", ylim=(-0.03, 1.03))
    right.set(ylabel="effective latents per cluster", ylim=(0, None))
    plotting.panel_letters([left, right])
    plotting.legend(left, figure=figure)
    return figure


@experiment.claim(
    "split-variants",
    title="Every variant splits",
    statements=("I2",),
    test="Clustered world, one latent per leaf. Statistic: the lowest split information of the six variants, mean "
    "over seeds, against that of a frozen random decoder and against the same variant with one latent per cluster.",
    criterion="Supported if every variant's interval lies above the frozen decoder's and above its own at one latent "
    "per cluster; refuted if three or more variants fail; mixed otherwise.",
    figures=("split-variants",),
    published=Verdict.SUPPORTED,
)
def decide(result: Result) -> Finding:
    frozen = result.numbers["end_frozen_decoder"]
    failed = 0
    for variant in VARIANTS:
        start, end = result.numbers[f"start_{variant}"], result.numbers[f"end_{variant}"]
        assert end.low is not None
        assert start.high is not None
        assert frozen.high is not None
        failed += not end.low > max(start.high, frozen.high)
    verdict = Verdict.SUPPORTED if failed == 0 else Verdict.REFUTED if failed >= 3 else Verdict.MIXED
    return Finding(result.numbers["weakest"], verdict)
