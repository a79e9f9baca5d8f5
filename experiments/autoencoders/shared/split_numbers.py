"""One world at all widths, and the numbers about feature splitting that all worlds give together."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.autoencoders.shared.split_statistics import (
    Dictionaries,
    Steps,
    measure_dictionaries,
    measure_matches,
    measure_steps,
)
from experiments.autoencoders.shared.width_series import (
    JudgedDictionary,
    WidthSeriesConfig,
    judge_dictionaries,
    train_widths,
)
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.split_information import CONTAINMENT, null_split_information, split_information, tables
from experiments.core.synthetic_data import ClusterWorld, Events

WORLDS = ("clustered", "ring", "hierarchical", "flat", "undivided")
LEAFY = ("clustered", "flat", "undivided")
"""Worlds whose leaves are decoder directions, so that true splits can be read off decoders."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SplitConfig(WidthSeriesConfig):
    """Defaults are the published run."""

    draws: int = 199  # permutations of labels behind every null band
    many_draws: int = 1999  # and behind the p-values at one latent per leaf
    probe: int = 12  # most latents of a sparse probe
    containments: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9)


def number_names(config: SplitConfig) -> list[str]:
    """Return names such as "information_ring_leaf": by world and width, by world, and of the clustered world."""
    scores = ("information", "latents", "dead", "explained")
    at_widths = [f"{score}_{w}_{place}" for score in scores for w in WORLDS for place in ("one", "leaf", "most")]
    kinds = ("p", "p_mean", "siblings", "split", "deaths", "children", "mergers", "births")
    of_worlds = [f"{kind}_{w}" for kind in kinds for w in WORLDS]
    of_worlds += [f"novel_{w}_{origin}" for w in WORLDS for origin in ("child", "born")]
    least = (CONTAINMENT, min(config.containments))
    matches = [f"{share}_{w}_{contained}" for share in ("found", "false") for w in LEAFY for contained in least]
    clustered = ["trend_p", "ceiling", "ceiling_share", "dead_up_to_leaves", "probe_rank", "probed_one", "probed_leaf"]
    return [*at_widths, *of_worlds, *matches, *clustered, "samples", "seeds"]


class Measured(NamedTuple):
    """All about one world: `p` (seed,) and `p_mean` at one latent per leaf; `matched` is empty for worlds without
    leaves."""

    judged: list[tuple[Events, list[JudgedDictionary]]]
    dictionaries: Dictionaries
    steps: Steps
    p: Array
    p_mean: float
    matched: NDArray[np.int64]


def measure_world(config: SplitConfig, name: str, device: str, generator: np.random.Generator) -> Measured:
    """Return everything about the world called `name`."""
    worlds = config.worlds(name)
    trained = train_widths(worlds, config.specification(config.models()), device)
    judged = judge_dictionaries(worlds, trained, config, config.probe if name == "clustered" else 0)
    dictionaries = measure_dictionaries(worlds, judged, config.draws, generator)
    p, p_mean = _p_values(config, worlds, judged, generator)
    matched = measure_matches(worlds, judged, config.containments) if name in LEAFY else np.zeros(0, dtype=np.int64)
    return Measured(judged, dictionaries, measure_steps(judged, config.clusters), p, p_mean, matched)


def _width_number(config: WidthSeriesConfig, ratio: float) -> int:
    return config.ratios.index(ratio)


def _p_values(
    config: SplitConfig,
    worlds: list[ClusterWorld],
    judged: list[tuple[Events, list[JudgedDictionary]]],
    generator: np.random.Generator,
) -> tuple[Array, float]:
    """Return how often permuted labels give as much information at one latent per leaf, per seed and for the mean."""
    found, null = [], []
    for world, (events, dictionaries) in zip(worlds, judged, strict=True):
        carrier = dictionaries[_width_number(config, config.leaves)].carrier
        of = tables(carrier, events.cluster, events.label, config.clusters, world.use.size)
        found.append(split_information(of))
        null.append(null_split_information(of, config.many_draws, generator))
    seeds = [(1 + (draws >= value).sum()) / (1 + draws.size) for value, draws in zip(found, null, strict=True)]
    together = np.mean(null, axis=0)
    return np.array(seeds), float((1 + (together >= np.mean(found)).sum()) / (1 + together.size))


def split_numbers(config: SplitConfig, measured: dict[str, Measured]) -> dict[str, Quantity]:
    """Return the numbers that `number_names` lists."""
    one, leaf = _width_number(config, 1), _width_number(config, config.leaves)
    found: dict[str, Quantity] = {"samples": exact(config.samples), "seeds": exact(config.seeds)}
    for name, (_, dictionaries, steps, p, p_mean, _) in measured.items():
        for place, width in (("one", one), ("leaf", leaf), ("most", -1)):
            found[f"information_{name}_{place}"] = mean(dictionaries.information[width], within=(0, 1))
            found[f"latents_{name}_{place}"] = mean(dictionaries.latents[width].mean(-1))
            found[f"dead_{name}_{place}"] = mean(dictionaries.dead[width], within=(0, 1))
            found[f"explained_{name}_{place}"] = mean(dictionaries.explained[width])
        found[f"p_{name}"] = exact(p.max(), method=f"largest over seeds, {config.many_draws} permutations")
        found[f"p_mean_{name}"] = exact(p_mean, method=f"{config.many_draws} permutations in every seed")
        found[f"siblings_{name}"] = mean_ratio(steps.siblings[one:].sum(0).T)
        for kind, label in ((0, "child"), (3, "born")):
            found[f"novel_{name}_{label}"] = mean_ratio(
                [steps.novel[one:, :, kind].sum(0), steps.origins[one:, :, kind].sum(0)]
            )
        fates, origins = steps.fates[one:].sum(0), steps.origins[one:].sum(0)
        counts = {"split": fates[:, 0], "deaths": fates[:, 3], "children": origins[:, 0]}
        counts |= {"mergers": origins[:, 2], "births": origins[:, 3]}
        found |= {f"{kind}_{name}": mean(values) for kind, values in counts.items()}
    return found | _goals(config, measured["clustered"], one, leaf) | _matches(config, measured)


def mean_ratio(counts: ArrayLike) -> Quantity:
    """Return the mean over seeds of the ratio of two counts (2, seed); seeds without any of the second are left out."""
    part, whole = np.asarray(counts, dtype=np.float64)
    some = whole > 0
    return mean(part[some] / whole[some], within=(0, 1)) if some.any() else exact(np.nan, method="none in any seed")


def _goals(config: SplitConfig, clustered: Measured, one: int, leaf: int) -> dict[str, Quantity]:
    """Return what the claims about the clustered world rest on."""
    dictionaries = clustered.dictionaries
    from scipy import stats  # where it is used: it takes a third of a second

    trend = stats.page_trend_test(dictionaries.information[one : leaf + 1].T)
    ranks = [
        rank_correlation(np.ravel([each.probed for each in seed[one:]]), dictionaries.latents[one:, s].ravel())
        for s, (_, seed) in enumerate(clustered.judged)
    ]
    return {
        "trend_p": exact(trend.pvalue, method="Page's trend test over widths, seeds as blocks"),
        "ceiling": mean(dictionaries.ceiling.mean(-1)),
        "ceiling_share": mean(dictionaries.latents[leaf].mean(-1) / dictionaries.ceiling.mean(-1)),
        "dead_up_to_leaves": mean(dictionaries.dead[: leaf + 1].max(0)),
        "probe_rank": mean(ranks, within=(-1, 1)),
        "probed_one": mean([seed[one].probed.mean() for _, seed in clustered.judged]),
        "probed_leaf": mean([seed[leaf].probed.mean() for _, seed in clustered.judged]),
    }


def _matches(config: SplitConfig, measured: dict[str, Measured]) -> dict[str, Quantity]:
    """Return shares of true splits that were found and of split edges that are false, from one latent per cluster
    on."""
    found: dict[str, Quantity] = {}
    for name in LEAFY:
        for least in (CONTAINMENT, min(config.containments)):
            row = config.containments.index(least)
            true, hit, edges, false = measured[name].matched[row, _width_number(config, 1) :].sum(0).T
            found[f"found_{name}_{least}"] = mean_ratio([hit, true])
            found[f"false_{name}_{least}"] = mean_ratio([false, edges])
    return found
