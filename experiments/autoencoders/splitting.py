"""Do features split when an autoencoder is given more latents, and only where there is something to split?

The statement is from Bricken et al. 2023, "Towards Monosemanticity", whose evidence is a few features of one model at
three widths. Here the sub-features are known, every width has several seeds, and four controls say what is no
splitting.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.autoencoders.shared.split_figures import (
    checks_figure,
    descent_figure,
    information_figure,
    origins_figure,
)
from experiments.autoencoders.shared.split_numbers import (
    LEAFY,
    WORLDS,
    SplitConfig,
    measure_world,
    number_names,
    split_numbers,
)
from experiments.autoencoders.shared.split_statistics import (
    home_clusters,
)
from experiments.autoencoders.shared.width_series import JudgedDictionary
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    AtLeast,
    AtMost,
    Below,
    BelowThat,
    Criterion,
    Evidence,
    LessThan,
    MoreThan,
    Verdict,
    above,
    inconclusive_if,
    mixed_if,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from experiments.core.split_information import CONTAINMENT
from experiments.core.synthetic_data import Events

SECTION = 'Towards Monosemanticity, "Feature Splitting"'

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config(SplitConfig):
    """Defaults are the published run."""

    pictured: int = 3  # clusters in the diagram, of the first seed


@dataclass(frozen=True)
class Result:
    """Worlds are in the order of `worlds`; a step leads from one width to the next.

    `null_low` and `null_high` are the central 95 % of the mean of `information` over seeds with labels permuted, `p`
    the permutation test at one latent per leaf. `latents` is the mean over clusters of effective latents, `ceiling` of
    effective leaves. `fates` and `origins` count latents that carry something. `matched` counts true splits, those
    found, split edges, false ones. `probed` and `effective` belong to the clustered world. `carrier` and `cluster` are
    of the pictured events, `home` is the cluster of a latent, -1 beyond the width.
    """

    worlds: tuple[str, ...]
    widths: NDArray[np.int64]  # (width,)
    clusters: int
    information: Array  # (world, width, seed)
    null_low: Array  # (world, width)
    null_high: Array  # (world, width)
    p: Array  # (world, seed)
    latents: Array  # (world, width, seed)
    ceiling: Array  # (world, seed)
    dead: Array  # (world, width, seed)
    explained: Array  # (world, width, seed)
    fates: NDArray[np.int64]  # (world, step, seed, kind)
    origins: NDArray[np.int64]  # (world, step, seed, kind)
    matched: NDArray[np.int64]  # (leafy world, containment, step, seed, 4)
    containments: Array  # (containment,)
    probed: NDArray[np.int64]  # (width, seed, cluster)
    effective: Array  # (width, seed, cluster)
    carrier: NDArray[np.int64]  # (width, event)
    cluster: NDArray[np.int64]  # (event,)
    home: NDArray[np.int64]  # (width, latent)
    numbers: dict[str, Quantity] = keyed(
        number_names, why_undefined="no pair of siblings, or no latent of that origin, in any seed"
    )


experiment = Experiment(
    __name__,
    title="Feature splitting",
    config=Config(),
    quick=Config(
        seeds=2, clusters=4, leaves=4, hidden=20, true_l0=1.0, steps=300, samples=4000, draws=49, many_draws=99, probe=6
    ),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000, many_draws=9999),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    generator = np.random.default_rng(config.seed)
    measured = {name: measure_world(config, name, device, generator) for name in WORLDS}
    null = np.array([np.quantile(of.dictionaries.null.mean(1), [0.025, 0.975], axis=-1) for of in measured.values()])
    clustered = measured["clustered"]
    carrier, cluster, home = _pictured(config, *clustered.judged[0])
    return Result(
        worlds=WORLDS,
        widths=np.array(config.widths),
        clusters=config.clusters,
        information=np.array([of.dictionaries.information for of in measured.values()]),
        null_low=null[:, 0],
        null_high=null[:, 1],
        p=np.array([of.p for of in measured.values()]),
        latents=np.array([of.dictionaries.latents.mean(-1) for of in measured.values()]),
        ceiling=np.array([of.dictionaries.ceiling.mean(-1) for of in measured.values()]),
        dead=np.array([of.dictionaries.dead for of in measured.values()]),
        explained=np.array([of.dictionaries.explained for of in measured.values()]),
        fates=np.array([of.steps.fates for of in measured.values()]),
        origins=np.array([of.steps.origins for of in measured.values()]),
        matched=np.array([measured[name].matched for name in LEAFY]),
        containments=np.array(config.containments),
        probed=np.swapaxes([[one.probed for one in dictionaries] for _, dictionaries in clustered.judged], 0, 1),
        effective=clustered.dictionaries.latents,
        carrier=carrier,
        cluster=cluster,
        home=home,
        numbers=split_numbers(config, measured),
    )


def _pictured(
    config: Config, events: Events, dictionaries: list[JudgedDictionary]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return carriers and clusters of the events of the first clusters, and the home cluster of every latent."""
    shown = events.cluster < config.pictured
    home = np.full((len(dictionaries), max(config.widths)), -1)
    for row, one in zip(home, dictionaries, strict=True):
        row[: len(one.W_dec)] = home_clusters(one.carrier, events.cluster, len(one.W_dec), config.clusters)
    return np.array([one.carrier[shown] for one in dictionaries]), events.cluster[shown], home


@experiment.figure(
    "splitting-information",
    title="Split information and effective latents over width",
    caption="Where clusters have leaves, split information rises from {numbers.information_clustered_one} with one "
    "latent per cluster to {numbers.information_clustered_leaf} with one per leaf; where they have none (undivided), "
    "it does not rise. (a) Split information: how much the latent that carries an event tells about which leaf is "
    "present. It also rises on a ring, which has no parts, and among unrelated features (flat), which are found one "
    "by one. (b) Effective latents per cluster; dashed: one per leaf. Latents that take turns at one feature count "
    "here, so this rises in the undivided world too.",
    alt="Two panels against latents per cluster from one half to sixteen. Left, split information of five worlds: "
    "clustered rises from zero to about 0.8; flat and hierarchical start near 0.4 and end near one, undivided is zero "
    "throughout, ring levels off near 0.4. Right, effective latents: clustered rises towards a dashed line, ring "
    "levels off near three, undivided near two.",
    interval="Student t, 95 %, over seeds; grey: central 95 % of the mean with labels permuted",
)
def draw_information(result: Result) -> Figure:
    return information_figure(result)


@experiment.figure(
    "splitting-alluvial",
    title="How latents split, from width to width",
    caption="With half a latent per cluster, clusters share latents; with one per cluster each has its own; then "
    "latents divide into leaves. Events of three clusters (colours) in one clustered world, by the latent that carries "
    "them at each width. Grey: carried by nobody, or by a latent that mostly serves another cluster.",
    alt="Ribbons flow from left to right through six stages. Few thick bars at the left divide into more and thinner "
    "bars of the same colour; a few ribbons cross between siblings, and a thin grey band runs along the top.",
)
def draw_alluvial(result: Result) -> Figure:
    return descent_figure(result)


@experiment.figure(
    "splitting-census",
    title="Where latents come from",
    caption="In the clustered world most new latents are children of a split; in the flat one, at first, they are born "
    "where no latent was. Share of each width's latents, by descent from the next smaller width. In the undivided "
    "world more width gives latents that carry nothing, and duplicates, which the count takes for splits or mergers. "
    "Latents that split in the flat world were shared by unrelated features.",
    alt="Five panels of stacked bars over five widths. Children of a split dominate at middle widths in the clustered "
    "world; born latents in the flat and hierarchical ones at small widths; latents that carry nothing fill most of "
    "the bars of the undivided and ring worlds at large widths.",
)
def draw_census(result: Result) -> Figure:
    return origins_figure(result.worlds, result.widths, result.origins)


@experiment.figure(
    "splitting-checks",
    title="Two checks of the counting",
    caption="The lineage finds {numbers.found_clustered_0.8:%} of true splits, and {numbers.false_clustered_0.8:%} of "
    "its edges are false, at the convention of 0.8; probes agree with carriers (rank correlation "
    "{numbers.probe_rank}). (a) Split edges against the truth read off decoders, by the least containment asked of a "
    "descent. (b) Effective latents against the latents that a sparse probe for a cluster needs; positions are spread "
    "sideways.",
    alt="Left, the share of true splits that are found falls as more containment is asked; false edges stay near "
    "zero. Right, a cloud of points rises: probes need more latents where more latents share the cluster.",
    interval="a: Student t, 95 %, over seeds; b: one point per cluster, width and seed",
)
def draw_checks(result: Result) -> Figure:
    return checks_figure(result)


@experiment.claim(
    "splitting-rises",
    title="Features split when more latents are allowed",
    statements=("I2",),
    source=SECTION,
    test="Clustered world, widths from one latent per cluster to one per leaf. Statistic: split information at one "
    "latent per leaf. Permutation test in every seed; Page's trend test over widths.",
    criterion=Criterion(
        supported_if(where(end=Above(0.7), start=Below(0.05), largest_p=LessThan(0.001), trend=LessThan(0.001))),
        refuted_if(where(end=Below(0.35))),
        otherwise=Verdict.MIXED,
        names={
            "end": "split information",
            "start": "that at one latent per cluster",
            "largest_p": "the largest p over seeds",
            "trend": "the p of the trend",
        },
    ),
    figures=("splitting-information", "splitting-alluvial"),
    published=Verdict.SUPPORTED,
)
def split_information_at_leaves(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(
        end=numbers["information_clustered_leaf"],
        start=numbers["information_clustered_one"],
        largest_p=numbers["p_clustered"],
        trend=numbers["trend_p"],
    )


@experiment.claim(
    "splitting-ceiling",
    title="With one latent per leaf, a cluster is shared by four fifths as many latents as it has leaves",
    statements=("I2",),
    test="Clustered world. Statistic: effective latents per cluster at one latent per leaf, as a share of what one "
    "latent for every leaf would give.",
    criterion=Criterion(
        mixed_if(where(start=Above(1.5))),
        supported_if(where(share=Above(0.8))),
        refuted_if(where(share=Below(0.8))),
        names={"start": "the number at one latent per cluster", "share": "the share"},
    ),
    figures=("splitting-information",),
    published=Verdict.INCONCLUSIVE,
)
def share_of_the_ceiling(result: Result) -> Evidence:
    return Evidence(share=result.numbers["ceiling_share"], start=result.numbers["latents_clustered_one"])


@experiment.claim(
    "splitting-undivided",
    title="Where there is nothing to split, spare latents carry nothing",
    test="Undivided world, one latent per label. Statistic: effective latents per cluster. Permutation test of the "
    "mean split information over seeds.",
    criterion=Criterion(
        supported_if(where(latents=Below(1.5), p=AtLeast(0.01))),
        refuted_if(where(latents=Above(1.5)) | where(p=LessThan(0.001))),
        names={"latents": "the number of effective latents", "p": "p"},
    ),
    figures=("splitting-information", "splitting-census"),
    published=Verdict.REFUTED,
)
def latents_of_what_has_no_parts(result: Result) -> Evidence:
    return Evidence(latents=result.numbers["latents_undivided_leaf"], p=result.numbers["p_mean_undivided"])


@experiment.claim(
    "splitting-ring",
    title="A feature without parts is divided among latents as well",
    test="Ring world, whose clusters have no parts. Statistic: effective latents per cluster at one latent per arc; "
    "permutation test in every seed.",
    criterion=Criterion(
        supported_if(where(latents=Above(2.0), p=LessThan(0.001))),
        refuted_if(where(latents=Below(1.5))),
        names={"latents": "the number of effective latents", "p": "the largest p over seeds"},
    ),
    figures=("splitting-information",),
    published=Verdict.SUPPORTED,
)
def latents_on_a_ring(result: Result) -> Evidence:
    return Evidence(latents=result.numbers["latents_ring_leaf"], p=result.numbers["p_ring"])


@experiment.claim(
    "splitting-kin",
    title="Children of a split serve one cluster",
    test="Pairs of children of one split, from one latent per cluster on. Statistic: share that serve one cluster, in "
    "the clustered world; beside it in the flat one, where leaves of a cluster are no more alike than others.",
    criterion=Criterion(
        inconclusive_if(where(pairs=LessThan(2))),
        supported_if(where(kin=Above(0.9), flat=Below(0.5))),
        refuted_if(BelowThat("kin", "flat")),
        otherwise=Verdict.MIXED,
        names={"pairs": "the number of seeds with a pair", "kin": "the share", "flat": "the share in the flat world"},
    ),
    figures=("splitting-alluvial", "splitting-census"),
    published=Verdict.SUPPORTED,
)
def kin_of_splits(result: Result) -> Evidence:
    ours, flat = result.numbers["siblings_clustered"], result.numbers["siblings_flat"]
    return Evidence(kin=ours, flat=flat, pairs=exact(min(ours.n or 0, flat.n or 0)))


@experiment.claim(
    "splitting-lineage",
    title="A lineage made from activations finds nineteen in twenty true splits",
    test="Split edges of the clustered world at the convention's containment, from one latent per cluster on, against "
    "true splits read off decoders. Statistic: share of true splits found; beside it the share of false edges, there "
    "and in the flat world.",
    criterion=Criterion(
        supported_if(where(found=AtLeast(0.95), false=AtMost(0.05), false_in_flat=AtMost(0.05))),
        refuted_if(where(found=LessThan(0.5)) | where(false=MoreThan(0.25)) | where(false_in_flat=MoreThan(0.25))),
        otherwise=Verdict.MIXED,
        names={
            "found": "the mean share found",
            "false": "the mean share of false edges",
            "false_in_flat": "that in the flat world",
        },
    ),
    figures=("splitting-checks",),
    published=Verdict.MIXED,
)
def true_splits_found(result: Result) -> Evidence:
    numbers = result.numbers
    return Evidence(
        found=numbers[f"found_clustered_{CONTAINMENT}"],
        false=numbers[f"false_clustered_{CONTAINMENT}"],
        false_in_flat=numbers[f"false_flat_{CONTAINMENT}"],
    )


@experiment.claim(
    "splitting-probes",
    title="Sparse probes rank clusters by splits as carriers do",
    test="Clustered world, all clusters and widths from one latent per cluster on. Statistic: Spearman correlation of "
    "the latents that a sparse probe needs with the effective latents, per seed.",
    criterion=above(0.7),
    figures=("splitting-checks",),
    published=Verdict.SUPPORTED,
)
def rank_of_probes_and_carriers(result: Result) -> Quantity:
    return result.numbers["probe_rank"]
