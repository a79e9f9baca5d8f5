"""Absorption: does the latent of a parent fall silent when a child is present?

Chanin et al. 2024, "A is for Absorption" (2409.14507) found it in language models; Bussmann et al. 2025 (2503.17547)
say that nested dictionaries have less of it. Here parents and children are known.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.failures import absorption
from experiments.core import plotting
from experiments.core.autoencoders.inference import dictionary, encode
from experiments.core.autoencoders.sources import EVALUATION, stream
from experiments.core.autoencoders.specification import Autoencoder, Specification, Variant
from experiments.core.autoencoders.train import Trained, train_autoencoders
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    Below,
    BelowThat,
    Criterion,
    Evidence,
    Verdict,
    Within,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.synthetic_data import ClusterShape, ClusterWorld, hierarchical

Array = NDArray[np.float64]

ARMS: tuple[tuple[Variant, bool], ...] = (
    ("batchtopk", True),
    ("matryoshka", True),
    ("batchtopk", False),
    ("matryoshka", False),
)
"""Variant, and whether latents are resampled."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run. There are as many latents as features."""

    seed: int = 0
    seeds: int = 12
    clusters: int = 8  # parents
    leaves: int = 3  # children of each
    hidden: int = 32
    true_l0: float = 2.0
    child: float = 0.6  # probability that a parent has a child with it
    shares: tuple[float, ...] = (0.5, 0.63, 0.81, 1.0)  # active latents, as a share of the true L0
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 5e-3
    resample: int = 250
    resample_until: float = 0.5
    samples: int = 20_000

    @property
    def shape(self) -> ClusterShape:
        """The sizes of the world; children are equally frequent."""
        return ClusterShape(self.clusters, self.leaves, self.hidden, self.true_l0, zipf=0.0, child=self.child)


def number_names(config: Config) -> list[str]:
    """Return names such as "matryoshka_plain_0.63": absorption by arm and share, `cosine_` before those of cosines."""
    arms = [_arm_name(*arm) for arm in ARMS]
    of_arms = [f"{kind}{arm}_{share}" for kind in ("", "cosine_") for arm in arms for share in config.shares]
    return of_arms + [f"frozen_{share}" for share in config.shares] + ["true_l0", "seeds"]


def _arm_name(variant: Variant, resample: bool) -> str:
    return variant if resample else f"{variant}_plain"


@dataclass(frozen=True)
class Result:
    """Means over parents: absorption `gap` and `cosine` of the parent's latent with the parent.

    `frozen` is the gap of the frozen decoder of `batchtopk`.
    """

    shares: Array  # (share,)
    gap: Array  # (arm, share, seed)
    cosine: Array  # (arm, share, seed)
    frozen: Array  # (share, seed)
    numbers: dict[str, Quantity] = keyed(number_names)


experiment = Experiment(
    __name__,
    title="Absorption",
    config=Config(),
    quick=Config(seeds=2, clusters=4, hidden=20, true_l0=1.0, shares=(0.63, 0.81, 1.0), steps=400, samples=4000),
    large=Config(seeds=20, steps=20_000),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    worlds = [hierarchical(config.shape, 1000 * config.seed + s) for s in range(config.seeds)]
    variants = [variant for variant, resample in ARMS if resample]
    resampled = _arms(config, worlds, [*((variant, False) for variant in variants), ("batchtopk", True)], True, device)
    plain = _arms(config, worlds, [(variant, False) for variant, resample in ARMS if not resample], False, device)
    found, frozen = np.concatenate([resampled[:-1], plain]), resampled[-1, 0]
    gap, cosine = found[:, 0], found[:, 1]
    return Result(np.array(config.shares), gap, cosine, frozen, _numbers(config, gap, cosine, frozen))


def _arms(
    config: Config, worlds: list[ClusterWorld], arms: list[tuple[Variant, bool]], resample: bool, device: str
) -> Array:
    """Return mean absorption and mean cosine of the parent's latent (arm, 2, share, seed).

    Arms are variants, and whether their decoder is frozen; they are trained together, since they share their data.
    """
    width = config.clusters * (config.leaves + 1)
    models = tuple(
        Autoencoder(variant, width, share * config.true_l0, seed=1000 * row + s, source=s, frozen=frozen)
        for (variant, frozen), (row, share), s in product(arms, enumerate(config.shares), range(config.seeds))
    )
    specification = Specification(
        models,
        steps=config.steps,
        batch=config.batch,
        learning_rate=config.learning_rate,
        aux=True,
        resample=config.resample if resample else None,
        resample_until=config.resample_until,
        seed=config.seed,
    )
    trained = train_autoencoders(worlds, specification, device=device)
    scores = np.array([_score(config, worlds, trained, i) for i in range(len(models))])
    return np.moveaxis(scores.reshape(len(arms), len(config.shares), config.seeds, 2), -1, 1)


def _score(config: Config, worlds: list[ClusterWorld], trained: Trained, instance: int) -> tuple[float, float]:
    world = worlds[trained.models[instance].source]
    sample = world.sample(stream(config.seed, EVALUATION, trained.models[instance].source), config.samples)
    on = sample.label >= 0
    child = on & (sample.label < config.leaves)
    latents = encode(trained.state, trained.models, instance, sample.activations)
    found = absorption(latents, dictionary(trained.state, trained.models, instance), world.centres(), on, child)
    return float(found.gap.mean()), float(found.cosine.mean())


def _numbers(config: Config, gap: Array, cosine: Array, frozen: Array) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {"true_l0": exact(config.true_l0), "seeds": exact(config.seeds)}
    for (variant, resample), values, near in zip(ARMS, gap, cosine, strict=True):
        arm = _arm_name(variant, resample)
        for share, row, tracked in zip(config.shares, values, near, strict=True):
            found[f"{arm}_{share}"] = mean(row, within=(-1, 1))
            found[f"cosine_{arm}_{share}"] = mean(tracked, within=(-1, 1))
    for share, row in zip(config.shares, frozen, strict=True):
        found[f"frozen_{share}"] = mean(row)
    return found


@experiment.figure(
    "failure-absorption",
    title="Absorption",
    caption="With too few active latents a child's latent takes its parent over: at 0.63 of the true L0, absorption is "
    "{numbers.batchtopk_0.63} with BatchTopK and {numbers.matryoshka_0.63} with Matryoshka; at the true L0 it is "
    "{numbers.batchtopk_1.0} and {numbers.matryoshka_1.0}, all with resampling. Absorption is how much less often a "
    "parent's latent fires when a child is there. With the fewest active latents, the latent nearest to a parent "
    "points less in the parent's direction. Points at one share stand side by side.",
    alt="Absorption against active latents as a share of the true L0 for BatchTopK and Matryoshka, each with and "
    "without resampling. All four curves rise from the smallest number of active latents to a peak below the true L0 "
    "and fall from there on; those of BatchTopK are far higher. A grey band of the frozen decoder lies near zero or "
    "below.",
    interval="Student t, 95 %, over seeds of the mean over parents",
)
def draw(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="wide", height=3.8)
    for k, (variant, resample) in enumerate(ARMS):
        label = f"{plotting.VARIANT_NAMES[variant]}, {'resampled' if resample else 'not resampled'}"
        quantities = [mean(row) for row in result.gap[k]]
        drawn = plotting.points(ax, result.shares + 0.006 * (k - 1.5), quantities, label=label, index=k, line=True)
        plotting.marked(drawn, k)
    chance = [mean(row) for row in result.frozen]
    plotting.null_band(
        ax,
        result.shares,
        [q.value if q.low is None else q.low for q in chance],
        [q.value if q.high is None else q.high for q in chance],
        label="frozen decoder",
    )
    plotting.guide(ax, 0.0)
    plotting.theory_level(ax, 1.0, vertical=True, label="true L0")
    ax.set(xlabel="active latents / true L0", ylabel="absorption (loss of recall with a child)")
    plotting.legend(ax, columns=2)
    return figure


@experiment.claim(
    "failure-absorption",
    title="Too few active latents lead to absorption, with Matryoshka to less than half; the true L0 leads to none",
    source='Chanin et al. 2024, "A is for Absorption"; Bussmann et al. 2025',
    test="Hierarchical world, as many latents as features, with resampling. Statistic: absorption of BatchTopK at "
    "0.63 of the true L0, mean over parents, per seed; beside it that of Matryoshka, and both at the true L0.",
    criterion=Criterion(
        supported_if(
            where(absorbed=Above(0.15), at_truth=Within(-0.05, high=0.05), nested_at_truth=Within(-0.05, high=0.05))
            & BelowThat("nested", "absorbed", 0.5)
        ),
        refuted_if(where(absorbed=Below(0.05))),
        otherwise=Verdict.MIXED,
        names={
            "absorbed": "the absorption of BatchTopK",
            "nested": "the absorption of Matryoshka",
            "at_truth": "that of BatchTopK at the true L0",
            "nested_at_truth": "that of Matryoshka at the true L0",
        },
    ),
    figures=("failure-absorption",),
    published=Verdict.MIXED,
)
def absorbed_by_children(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(
        absorbed=numbers["batchtopk_0.63"],
        nested=numbers["matryoshka_0.63"],
        at_truth=numbers["batchtopk_1.0"],
        nested_at_truth=numbers["matryoshka_1.0"],
    )
