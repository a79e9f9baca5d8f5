"""Do features split when an autoencoder is given more latents, and only where there is something to split?

The statement is from Bricken et al. 2023, "Towards Monosemanticity", whose evidence is a few features of one model at
three widths. Here the sub-features are known, every width has several seeds, and four controls say what is no
splitting.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from experiments.autoencoders.shared.carriers import NOBODY
from experiments.autoencoders.shared.lineage import CONTAINMENT, LIVE, ORIGINS, count_flow
from experiments.autoencoders.shared.split_information import null_split_information, split_information, tables
from experiments.autoencoders.shared.split_statistics import (
    Rungs,
    Steps,
    home_clusters,
    measure_matches,
    measure_rungs,
    measure_steps,
)
from experiments.autoencoders.shared.width_series import LadderConfig, Rung, climb, train_ladder
from experiments.core import plotting
from experiments.core.contract import Experiment, Finding, Verdict, above, undefined
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.synthetic_data import ClusterWorld, Events

SECTION = 'Towards Monosemanticity, "Feature Splitting"'

WORLDS = ("clustered", "ring", "hierarchical", "flat", "undivided")
LEAFY = ("clustered", "flat", "undivided")
"""Worlds whose leaves are decoder directions, so that true splits can be read off decoders."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config(LadderConfig):
    """Defaults are the published run."""

    draws: int = 199  # permutations of labels behind every null band
    many_draws: int = 1999  # and behind the p-values at one latent per leaf
    probe: int = 12  # most latents of a sparse probe
    containments: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9)
    pictured: int = 3  # clusters in the diagram, of the first seed


@dataclass(frozen=True)
class Result:
    """Axes: world (in the order of `worlds`), rung (a width), step (from a rung to the next), seed.

    `information` (world, rung, seed), and the central 95 % of its mean over seeds with labels permuted, `null_low`
    and `null_high` (world, rung); `p` (world, seed) at one latent per leaf. `latents` (world, rung, seed) is the mean
    over clusters of effective latents and `ceiling` (world, seed) of effective leaves. `dead`, `explained` (world,
    rung, seed). `fates` and `origins` (world, step, seed, kind) count live latents. `matched` (world of `LEAFY`,
    containment, step, seed, 4) counts true splits, those found, split edges, false ones. `probed` and `effective`
    (rung, seed, cluster) belong to the clustered world. `carrier` (rung, event) and `cluster` (event,) are the
    pictured events, `home` (rung, latent) the cluster of a latent, -1 beyond the rung's width.
    """

    worlds: tuple[str, ...]
    widths: NDArray[np.int64]
    clusters: int
    information: Array
    null_low: Array
    null_high: Array
    p: Array
    latents: Array
    ceiling: Array
    dead: Array
    explained: Array
    fates: NDArray[np.int64]
    origins: NDArray[np.int64]
    matched: NDArray[np.int64]
    containments: Array
    probed: NDArray[np.int64]
    effective: Array
    carrier: NDArray[np.int64]
    cluster: NDArray[np.int64]
    home: NDArray[np.int64]
    numbers: dict[str, Quantity] = undefined("no pair of siblings, or no latent of that origin, in any seed")


experiment = Experiment(
    __name__,
    title="Feature splitting",
    config=Config(),
    quick=Config(
        seeds=2, clusters=4, leaves=4, hidden=20, true_l0=1.0, steps=500, samples=4000, draws=49, many_draws=99, probe=6
    ),
    large=Config(seeds=20, clusters=16, hidden=64, steps=12_000, many_draws=9999),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    generator = np.random.default_rng(config.seed)
    measured = {name: _measure(config, name, device, generator) for name in WORLDS}
    null = np.array([np.quantile(of.rungs.null.mean(1), [0.025, 0.975], axis=-1) for of in measured.values()])
    clustered = measured["clustered"]
    carrier, cluster, home = _pictured(config, *clustered.climbed[0])
    return Result(
        worlds=WORLDS,
        widths=np.array(config.widths),
        clusters=config.clusters,
        information=np.array([of.rungs.information for of in measured.values()]),
        null_low=null[:, 0],
        null_high=null[:, 1],
        p=np.array([of.p for of in measured.values()]),
        latents=np.array([of.rungs.latents.mean(-1) for of in measured.values()]),
        ceiling=np.array([of.rungs.ceiling.mean(-1) for of in measured.values()]),
        dead=np.array([of.rungs.dead for of in measured.values()]),
        explained=np.array([of.rungs.explained for of in measured.values()]),
        fates=np.array([of.steps.fates for of in measured.values()]),
        origins=np.array([of.steps.origins for of in measured.values()]),
        matched=np.array([measured[name].matched for name in LEAFY]),
        containments=np.array(config.containments),
        probed=np.swapaxes([[rung.probed for rung in rungs] for _, rungs in clustered.climbed], 0, 1),
        effective=clustered.rungs.latents,
        carrier=carrier,
        cluster=cluster,
        home=home,
        numbers=_numbers(config, measured),
    )


class Measured(NamedTuple):
    """All about one world: `p` (seed,) and `p_mean` at one latent per leaf; `matched` is empty for worlds without
    leaves."""

    climbed: list[tuple[Events, list[Rung]]]
    rungs: Rungs
    steps: Steps
    p: Array
    p_mean: float
    matched: NDArray[np.int64]


def _measure(config: Config, name: str, device: str, generator: np.random.Generator) -> Measured:
    worlds = config.worlds(name)
    trained = train_ladder(worlds, config.specification(config.models()), device)
    climbed = climb(worlds, trained, config, config.probe if name == "clustered" else 0)
    rungs = measure_rungs(worlds, climbed, config.draws, generator)
    p, p_mean = _p_values(config, worlds, climbed, generator)
    matched = measure_matches(worlds, climbed, config.containments) if name in LEAFY else np.zeros(0, dtype=np.int64)
    return Measured(climbed, rungs, measure_steps(climbed, config.clusters), p, p_mean, matched)


def _rung(config: LadderConfig, ratio: float) -> int:
    return config.ratios.index(ratio)


def _p_values(
    config: Config, worlds: list[ClusterWorld], climbed: list[tuple[Events, list[Rung]]], generator: np.random.Generator
) -> tuple[Array, float]:
    """Return how often permuted labels give as much information at one latent per leaf, per seed and for the mean."""
    found, null = [], []
    for world, (events, rungs) in zip(worlds, climbed, strict=True):
        carrier = rungs[_rung(config, config.leaves)].carrier
        of = tables(carrier, events.cluster, events.label, config.clusters, world.use.size)
        found.append(split_information(of))
        null.append(null_split_information(of, config.many_draws, generator))
    seeds = [(1 + (draws >= value).sum()) / (1 + draws.size) for value, draws in zip(found, null, strict=True)]
    together = np.mean(null, axis=0)
    return np.array(seeds), float((1 + (together >= np.mean(found)).sum()) / (1 + together.size))


def _pictured(
    config: Config, events: Events, rungs: list[Rung]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return carriers and clusters of the events of the first clusters, and the home cluster of every latent."""
    shown = events.cluster < config.pictured
    home = np.full((len(rungs), max(config.widths)), -1)
    for row, rung in zip(home, rungs, strict=True):
        row[: len(rung.W_dec)] = home_clusters(rung.carrier, events.cluster, len(rung.W_dec), config.clusters)
    return np.array([rung.carrier[shown] for rung in rungs]), events.cluster[shown], home


def _numbers(config: Config, measured: dict[str, Measured]) -> dict[str, Quantity]:
    one, leaf = _rung(config, 1), _rung(config, config.leaves)
    found: dict[str, Quantity] = {"samples": exact(config.samples), "seeds": exact(config.seeds)}
    for name, (_, rungs, steps, p, p_mean, _) in measured.items():
        for place, rung in (("one", one), ("leaf", leaf), ("most", -1)):
            found[f"information_{name}_{place}"] = mean(rungs.information[rung])
            found[f"latents_{name}_{place}"] = mean(rungs.latents[rung].mean(-1))
            found[f"dead_{name}_{place}"] = mean(rungs.dead[rung])
            found[f"explained_{name}_{place}"] = mean(rungs.explained[rung])
        found[f"p_{name}"] = exact(p.max(), method=f"largest over seeds, {config.many_draws} permutations")
        found[f"p_mean_{name}"] = exact(p_mean, method=f"{config.many_draws} permutations in every seed")
        found[f"siblings_{name}"] = _mean_ratio(steps.siblings[one:].sum(0).T)
        for kind, label in ((0, "child"), (3, "born")):
            found[f"novel_{name}_{label}"] = _mean_ratio(
                [steps.novel[one:, :, kind].sum(0), steps.origins[one:, :, kind].sum(0)]
            )
        fates, origins = steps.fates[one:].sum(0), steps.origins[one:].sum(0)
        counts = {"split": fates[:, 0], "deaths": fates[:, 3], "children": origins[:, 0]}
        counts |= {"mergers": origins[:, 2], "births": origins[:, 3]}
        found |= {f"{kind}_{name}": mean(values) for kind, values in counts.items()}
    return found | _goals(config, measured["clustered"], one, leaf) | _matches(config, measured)


def _mean_ratio(counts: ArrayLike) -> Quantity:
    """Return the mean over seeds of the ratio of two counts (2, seed); seeds without any of the second are left out."""
    part, whole = np.asarray(counts, dtype=np.float64)
    some = whole > 0
    return mean(part[some] / whole[some]) if some.any() else exact(np.nan, method="none in any seed")


def _goals(config: Config, clustered: Measured, one: int, leaf: int) -> dict[str, Quantity]:
    """Return what the claims about the clustered world rest on."""
    rungs = clustered.rungs
    trend = stats.page_trend_test(rungs.information[one : leaf + 1].T)
    ranks = [
        stats.spearmanr(np.ravel([rung.probed for rung in seed[one:]]), rungs.latents[one:, s].ravel()).statistic
        for s, (_, seed) in enumerate(clustered.climbed)
    ]
    return {
        "trend_p": exact(trend.pvalue, method="Page's trend test over widths, seeds as blocks"),
        "ceiling": mean(rungs.ceiling.mean(-1)),
        "ceiling_share": mean(rungs.latents[leaf].mean(-1) / rungs.ceiling.mean(-1)),
        "dead_up_to_leaves": mean(rungs.dead[: leaf + 1].max(0)),
        "probe_rank": mean(ranks),
        "probed_one": mean([seed[one].probed.mean() for _, seed in clustered.climbed]),
        "probed_leaf": mean([seed[leaf].probed.mean() for _, seed in clustered.climbed]),
    }


def _matches(config: Config, measured: dict[str, Measured]) -> dict[str, Quantity]:
    """Return shares of true splits that were found and of split edges that are false, from one latent per cluster
    on."""
    found: dict[str, Quantity] = {}
    for name in LEAFY:
        for least in (CONTAINMENT, min(config.containments)):
            row = config.containments.index(least)
            true, hit, edges, false = measured[name].matched[row, _rung(config, 1) :].sum(0).T
            found[f"found_{name}_{least}"] = _mean_ratio([hit, true])
            found[f"false_{name}_{least}"] = _mean_ratio([false, edges])
    return found


@experiment.figure(
    "splitting-information",
    title="Split information and effective latents over width",
    caption="(a) How much the latent that carries an event tells about which member of the cluster is present. It "
    "rises from {numbers.information_clustered_one} with one latent per cluster to "
    "{numbers.information_clustered_leaf} with one per leaf where clusters have leaves, and not at all where they "
    "have none (undivided). It rises on a ring, which has no parts, and among unrelated features, which are found one "
    "by one. (b) Effective latents per cluster; dashed: one per leaf. Two latents that take turns count too, so this "
    "rises in the undivided world, where latents are duplicated.",
    alt="Two panels against latents per cluster from one half to sixteen. Left, split information of five worlds: "
    "clustered rises from zero to about 0.8; flat and hierarchical start near 0.4 and end near one, undivided is zero "
    "throughout, ring levels off near 0.4. Right, effective latents: clustered rises towards a dashed line, ring "
    "levels off near three, undivided near two.",
    interval="Student t, 95 %, over seeds; grey: central 95 % of the mean with labels permuted",
)
def draw_information(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.6)
    ratio = result.widths / result.clusters
    for k, name in enumerate(result.worlds):
        plotting.points(left, ratio, [mean(row) for row in result.information[k]], label=name, index=k, line=True)
        plotting.points(right, ratio, [mean(row) for row in result.latents[k]], index=k, line=True)
    clustered = result.worlds.index("clustered")
    plotting.null_band(
        left, ratio, result.null_low[clustered], result.null_high[clustered], label="clustered, labels permuted"
    )
    plotting.theory_level(right, float(result.ceiling[clustered].mean()), label="one latent per leaf")
    for ax in (left, right):
        plotting.doubling_axis(ax, ratio, "latents per cluster")
    left.set(ylabel="split information (share of leaf entropy)", ylim=(-0.03, 1.03))
    right.set(ylabel="effective latents per cluster", ylim=(0, None))
    plotting.panel_letters([left, right])
    plotting.legend(left, figure=figure)
    return figure


@experiment.figure(
    "splitting-alluvial",
    title="How latents split, from width to width",
    caption="Events of three clusters (colours) in one clustered world, by the latent that carries them at each width. "
    "At half a latent per cluster, latents are shared between clusters; at one per cluster each has one; then they "
    "divide into leaves. Grey: carried by nobody, or by a latent that mostly serves another cluster.",
    alt="Ribbons flow from left to right through six stages. Few thick bars at the left divide into more and thinner "
    "bars of the same colour; a few ribbons cross between siblings, and a thin grey band runs along the top.",
)
def draw_alluvial(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="wide", height=5.0)
    flows = [
        count_flow(small, large, int(a), int(b))
        for (small, large), (a, b) in zip(pairwise(result.carrier), pairwise(result.widths), strict=True)
    ]
    kept = [_shown(result, rung) for rung in range(len(result.widths))]
    flows = [flow[np.ix_(left, right)] for flow, (left, right) in zip(flows, pairwise(kept), strict=True)]
    orders = _layout(flows, kept, result)
    ordered = [flow[np.ix_(a, b)] for flow, (a, b) in zip(flows, pairwise(orders), strict=True)]
    nodes = [rows[order] for rows, order in zip(kept, orders, strict=True)]
    plotting.alluvial(
        ax,
        ordered,
        [f"{width} latents" for width in result.widths],
        [_tones(result, rung, rows) for rung, rows in enumerate(nodes)],
        names=[[_name(result, rung, int(row)) for row in rows] for rung, rows in enumerate(nodes)],
        least=0.002,
        gap=0.008,
    )
    shown = int(result.cluster.max()) + 1
    marks = [Patch(color=plotting.series(k), label=f"cluster {k + 1}") for k in range(shown)]
    marks.append(Patch(color=plotting.colour("muted"), label="nobody, or a latent of another cluster"))
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks))
    return figure


def _shown(result: Result, rung: int) -> NDArray[np.int64]:
    """Return the nodes of a stage: latents that carry some of the pictured events, and nobody, numbered last."""
    carrier = result.carrier[rung]
    counts = np.bincount(carrier[carrier != NOBODY], minlength=int(result.widths[rung]))
    return np.append(np.flatnonzero(counts >= LIVE * carrier.size), result.widths[rung])


def _layout(flows: list[NDArray[np.int64]], kept: list[NDArray[np.int64]], result: Result) -> list[NDArray[np.int64]]:
    """Order nodes by where their events come from, the first stage by cluster, nobody and strangers on top."""
    first = np.argsort([_rank(result, 0, int(row)) for row in kept[0]], kind="stable")
    orders = plotting.untangled(flows, first)
    for rung, order in enumerate(orders):
        rank = np.array([_rank(result, rung, int(kept[rung][node])) for node in order])
        orders[rung] = order[np.argsort(rank, kind="stable")]
    return orders


def _rank(result: Result, rung: int, row: int) -> int:
    """Return the cluster of a node; nodes of no pictured cluster come after all."""
    pictured = int(result.cluster.max()) + 1
    home = int(result.home[rung, row]) if row < result.widths[rung] else pictured
    return min(home, pictured)


def _tones(result: Result, rung: int, rows: NDArray[np.int64]) -> list[str]:
    ranks = [_rank(result, rung, int(row)) for row in rows]
    return [plotting.series(rank) if rank <= result.cluster.max() else plotting.colour("muted") for rank in ranks]


def _name(result: Result, rung: int, row: int) -> str:
    return f"latent {row}" if row < result.widths[rung] else "nobody"


@experiment.figure(
    "splitting-census",
    title="Where latents come from",
    caption="What the latents of each width are, by descent from the next smaller one, as shares of the width. In the "
    "clustered world new latents are children of a split; in the flat one, at first, they are born where nobody was. "
    "Without sub-features (undivided) more width gives latents that carry nothing, and duplicates, which the count "
    "takes for splits or mergers. Splits in the flat world are of latents that unrelated features shared.",
    alt="Five panels of stacked bars over five widths. Children of a split dominate at middle widths in the clustered "
    "world; born latents in the flat and hierarchical ones at small widths; latents that carry nothing fill most of "
    "the bars of the undivided and ring worlds at large widths.",
)
def draw_census(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, len(result.worlds), width="wide", height=3.2, sharey=True)
    names = [str(width) for width in result.widths[1:]]
    for k, (ax, world) in enumerate(zip(axes, result.worlds, strict=True)):
        share = result.origins[k].mean(1) / result.widths[1:, None]
        parts = {LABELS[origin]: share[:, kind] for kind, origin in enumerate(ORIGINS)}
        parts["carries nothing"] = 1 - share.sum(1)
        tones = [plotting.series(tone) for tone in range(4)] + [plotting.colour("faint")]
        plotting.stacked_shares(ax, names, parts, colours=tones)
        ax.set_title(world, loc="left")
        ax.tick_params(axis="x", labelrotation=90)
    plotting.percent_axis(axes[0])
    axes[0].set_ylabel("share of latents")
    axes[len(axes) // 2].set_xlabel("latents")
    plotting.legend(axes[0], figure=figure)
    return figure


LABELS = {"child": "child of a split", "kept": "kept", "merged": "merged", "born": "born"}


@experiment.figure(
    "splitting-checks",
    title="Two checks of the counting",
    caption="(a) Split edges against the truth read off decoders, by the least containment asked of a descent. At the "
    "convention of 0.8, {numbers.found_clustered_0.8:%} of true splits are found and {numbers.false_clustered_0.8:%} "
    "of edges are false. (b) Latents that a sparse probe for a cluster needs, against effective latents: rank "
    "correlation {numbers.probe_rank}.",
    alt="Left, the share of true splits that are found falls as more containment is asked; false edges stay near "
    "zero. Right, a cloud of points rises: probes need more latents where more latents share the cluster.",
    interval="a: Student t, 95 %, over seeds; b: one point per cluster, width and seed",
)
def draw_checks(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.3)
    one = int(np.flatnonzero(result.widths == result.clusters)[0])
    for k, (world, part, label) in enumerate(
        (
            (0, (1, 0), "true splits found, clustered"),
            (0, (3, 2), "false edges, clustered"),
            (1, (3, 2), "false edges, flat"),
        )
    ):
        counts = result.matched[world, :, one:].sum(1)
        shares = [_mean_ratio(counts[row][:, part].T) for row in range(len(result.containments))]
        known = np.array([np.isfinite(quantity.value) for quantity in shares])  # at a small scale there may be no split
        shares = [quantity for quantity, here in zip(shares, known, strict=True) if here]
        plotting.points(left, result.containments[known], shares, label=label, index=k, line=True)
    left.set(xlabel="least containment", ylabel="share", ylim=(-0.03, 1.03))
    plotting.percent_axis(left)
    plotting.legend(left, columns=1)
    for k, width in enumerate(result.widths[one:]):
        spread = np.linspace(-0.3, 0.3, result.probed[one + k].size)
        marks = right.scatter(
            result.probed[one + k].ravel() + spread,
            result.effective[one + k].ravel(),
            s=9,
            color=plotting.series(k),
            linewidths=0,
            label=f"{width} latents",
        )
        plotting.represents(
            marks, {"probed": result.probed[one + k].ravel(), "effective": result.effective[one + k].ravel()}
        )
    right.set(xlabel="latents that a probe needs (1: no split)", ylabel="effective latents", ylim=(0, None))
    plotting.legend(right, columns=3)
    plotting.panel_letters([left, right])
    return figure


@experiment.claim(
    "splitting-rises",
    title="Features split when more latents are allowed",
    statements=("I2",),
    source=SECTION,
    test="Clustered world, widths from one latent per cluster to one per leaf. Statistic: split information at one "
    "latent per leaf. Permutation test in every seed; Page's trend test over widths.",
    criterion="Supported if split information is at most 0.05 at one latent per cluster and its lower end at least "
    "0.7 at one per leaf, p < 0.001 in every seed and for the trend; refuted if the upper end stays below 0.35; else "
    "mixed.",
    figures=("splitting-information", "splitting-alluvial"),
    published=Verdict.SUPPORTED,
)
def decide_rises(result: Result) -> Finding:
    start, end = (result.numbers[f"information_clustered_{place}"] for place in ("one", "leaf"))
    assert end.low is not None
    assert end.high is not None
    sure = max(result.numbers["p_clustered"].value, result.numbers["trend_p"].value) < 0.001
    if start.value <= 0.05 and end.low >= 0.7 and sure:
        return Finding(end, Verdict.SUPPORTED)
    return Finding(end, Verdict.REFUTED if end.high < 0.35 else Verdict.MIXED)


@experiment.claim(
    "splitting-ceiling",
    title="With one latent per leaf, a cluster is shared by nearly as many latents as it has leaves",
    statements=("I2",),
    test="Clustered world. Statistic: effective latents per cluster at one latent per leaf, as a share of what one "
    "latent for every leaf would give.",
    criterion="Supported if the whole interval lies above 0.8, refuted if below, inconclusive if it straddles 0.8; "
    "mixed if more than 1.5 effective latents serve a cluster at one latent per cluster.",
    figures=("splitting-information",),
    published=Verdict.INCONCLUSIVE,
)
def decide_ceiling(result: Result) -> Finding:
    share = result.numbers["ceiling_share"]
    if result.numbers["latents_clustered_one"].value > 1.5:
        return Finding(share, Verdict.MIXED)
    return Finding(share, above(share, 0.8))


@experiment.claim(
    "splitting-undivided",
    title="Where there is nothing to split, more width gives latents that do nothing",
    test="Undivided world, one latent per label. Statistic: effective latents per cluster. Permutation test of the "
    "mean split information over seeds.",
    criterion="Supported if the interval lies below 1.5 and p is at least 0.01; refuted if it lies above 1.5 or p is "
    "below 0.001; inconclusive otherwise.",
    figures=("splitting-information", "splitting-census"),
    published=Verdict.REFUTED,
)
def decide_undivided(result: Result) -> Finding:
    latents, p = result.numbers["latents_undivided_leaf"], result.numbers["p_mean_undivided"].value
    assert latents.low is not None
    assert latents.high is not None
    if latents.high < 1.5 and p >= 0.01:
        return Finding(latents, Verdict.SUPPORTED)
    return Finding(latents, Verdict.REFUTED if latents.low > 1.5 or p < 0.001 else Verdict.INCONCLUSIVE)


@experiment.claim(
    "splitting-ring",
    title="Splitting does not prove that a feature has parts",
    test="Ring world, whose clusters have no parts. Statistic: effective latents per cluster at one latent per arc; "
    "permutation test in every seed.",
    criterion="Supported if the interval lies above 2 and p < 0.001 in every seed; refuted if it lies below 1.5; "
    "inconclusive otherwise.",
    figures=("splitting-information",),
    published=Verdict.SUPPORTED,
)
def decide_ring(result: Result) -> Finding:
    latents = result.numbers["latents_ring_leaf"]
    assert latents.low is not None
    assert latents.high is not None
    if latents.low > 2 and result.numbers["p_ring"].value < 0.001:
        return Finding(latents, Verdict.SUPPORTED)
    return Finding(latents, Verdict.REFUTED if latents.high < 1.5 else Verdict.INCONCLUSIVE)


@experiment.claim(
    "splitting-kin",
    title="Splits run along the clusters",
    test="Pairs of children of one split, from one latent per cluster on. Statistic: share that serve one cluster, in "
    "the clustered world; beside it in the flat one, where leaves of a cluster are no more alike than others.",
    criterion="Supported if the interval lies above 0.9 and that of the flat world below 0.5; refuted if it lies below "
    "that of the flat world; mixed otherwise.",
    figures=("splitting-alluvial", "splitting-census"),
    published=Verdict.SUPPORTED,
)
def decide_kin(result: Result) -> Finding:
    ours, flat = result.numbers["siblings_clustered"], result.numbers["siblings_flat"]
    if any(bound is None for bound in (ours.low, ours.high, flat.low, flat.high)):
        return Finding(ours, Verdict.INCONCLUSIVE)
    assert ours.low is not None
    assert ours.high is not None
    assert flat.low is not None
    assert flat.high is not None
    if ours.low > 0.9 and flat.high < 0.5:
        return Finding(ours, Verdict.SUPPORTED)
    return Finding(ours, Verdict.REFUTED if ours.high < flat.low else Verdict.MIXED)


@experiment.claim(
    "splitting-lineage",
    title="A lineage from activations finds the true splits",
    test="Split edges of the clustered world at the convention's containment, from one latent per cluster on, against "
    "true splits read off decoders. Statistic: share of true splits found; beside it the share of false edges, there "
    "and in the flat world.",
    criterion="Supported if at least 95 % of true splits are found and at most 5 % of edges are false in both worlds, "
    "by means over seeds; refuted if fewer than half are found or more than a quarter are false; mixed otherwise.",
    figures=("splitting-checks",),
    published=Verdict.MIXED,
)
def decide_lineage(result: Result) -> Finding:
    found = result.numbers[f"found_clustered_{CONTAINMENT}"]
    false = max(result.numbers[f"false_{name}_{CONTAINMENT}"].value for name in ("clustered", "flat"))
    if found.value >= 0.95 and false <= 0.05:
        return Finding(found, Verdict.SUPPORTED)
    return Finding(found, Verdict.REFUTED if found.value < 0.5 or false > 0.25 else Verdict.MIXED)


@experiment.claim(
    "splitting-probes",
    title="Sparse probes count splits as carriers do",
    test="Clustered world, all clusters and widths from one latent per cluster on. Statistic: Spearman correlation of "
    "the latents that a sparse probe needs with the effective latents, per seed.",
    criterion="Supported if the interval lies above 0.7, refuted if below, inconclusive if it straddles 0.7.",
    figures=("splitting-checks",),
    published=Verdict.SUPPORTED,
)
def decide_probes(result: Result) -> Finding:
    rank = result.numbers["probe_rank"]
    return Finding(rank, above(rank, 0.7))
