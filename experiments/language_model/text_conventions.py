"""Splitting and absorption on text by the conventions of SAEBench, beside this report's own count of carriers."""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.concepts import CONCEPTS, events
from experiments.language_model.shared.corpus import corpus
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import observed_in, seen_by
from experiments.language_model.shared.over_networks import by_width, of_networks, over_networks
from experiments.language_model.shared.probes import Probed, probed
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.splits import heading
from experiments.language_model.shared.text import ARCHIVE
from experiments.language_model.shared.width_figures import width_axis

Array = NDArray[np.float64]

ENDS = (0.5, 4.0)
"""Ratios that are compared; both have all seeds."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 6  # most pieces of text per held-out document


@dataclass(frozen=True)
class Width:
    """Means over concepts, then over the dictionaries of one width of each network, then over networks."""

    latents: Quantity  # by sparse probes; 1 means no split
    absorbed: Quantity  # share of recognised tokens
    one: Quantity  # F1 of the probe on a single latent
    eight: Quantity  # and on eight


@dataclass(frozen=True)
class Numbers:
    """Differences between four times the MLP's width and half of it, in each network and then over networks."""

    latents_rise: Quantity
    absorption_rises: Quantity
    concepts: Quantity


@dataclass(frozen=True)
class Result:
    """Axes: width, network, dictionary, concept."""

    ratios: Array  # (width,)
    concepts: tuple[str, ...]
    numbers: Numbers
    latents: Array = undefined("wide dictionaries are fewer")
    absorbed: Array = undefined("wide dictionaries are fewer")
    width: dict[str, Width] = keyed(lambda config: [f"{ratio:g}x" for ratio in config.dictionaries.ratios])


experiment = Experiment(
    __name__,
    title="Splitting and absorption by convention",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=60),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text = seen_by(networks[0][0], config.windows)
    vocabulary = corpus(d.network.text).tokens.vocabulary
    chosen = {name: of for name in CONCEPTS if len((of := events(text, vocabulary, name)).leaves) > 1}
    rng = np.random.default_rng(config.seed)
    scores: Scores = {ratio: [[] for _ in found] for ratio in d.ratios}
    for k, of_network in enumerate(found):
        h = observed_in(networks[0][k], text).h
        headings = {name: heading(h, of) for name, of in chosen.items()}
        for place, one in enumerate(of_network):
            if one.arm == "batchtopk":
                f = one.encoded(h)
                scores[one.ratio][k].append(
                    [probed(one, f, headings[name], of, text.first, rng) for name, of in chosen.items()]
                )
            progress.advance("probing", (k + place / len(of_network)) / len(found))
    latents, absorbed, curve = (by_width(scores, name) for name in ("latents", "absorbed", "curve"))
    low, high = (d.ratios.index(ratio) for ratio in ENDS)
    return Result(
        ratios=np.array(d.ratios),
        concepts=tuple(chosen),
        numbers=Numbers(
            latents_rise=over_networks(of_networks(latents[high]) - of_networks(latents[low])),
            absorption_rises=over_networks(of_networks(absorbed[high]) - of_networks(absorbed[low])),
            concepts=exact(len(chosen)),
        ),
        latents=latents,
        absorbed=absorbed,
        width={
            f"{ratio:g}x": Width(
                latents=over_networks(of_networks(latents[k])),
                absorbed=over_networks(of_networks(absorbed[k]), within=(0, 1)),
                one=over_networks(of_networks(curve[k, ..., 0]), within=(0, 1)),
                eight=over_networks(of_networks(curve[k, ..., -1]), within=(0, 1)),
            )
            for k, ratio in enumerate(d.ratios)
        },
    )


Scores = dict[float, list[list[list[Probed]]]]
"""By width, (network, dictionary, concept)."""


@experiment.figure(
    "text-conventions",
    title="Latents per concept and absorption, by SAEBench's conventions",
    caption=(
        "Sparse probes count {width.0.5x.latents:value} latents per concept with half as many latents as neurons and "
        "{width.4x.latents:value} with four times as many; {width.4x.absorbed:% value} of the tokens that the "
        "concept's direction recognises are absorbed there. (a) The largest k for which each further latent adds more "
        "than 0.03 to the probe's F1, so 1 means no split. (b) Share of tokens on which all main latents are silent "
        "and another stands in. Means over {numbers.concepts:value} concepts and over networks; above "
        "eight times the width, over the first networks only."
    ),
    alt="Two panels over the width of the dictionary, with wide intervals: about two latents per concept, and a few "
    "percent absorbed, at every width.",
    interval="95 % Student t interval over networks, where there are three or more; the held-out text is given",
)
def draw(result: Result) -> Figure:
    figure, (left, right) = plotting.new_figure(1, 2, width="wide", height=3.2)
    plotting.points(left, result.ratios, [w.latents for w in result.width.values()], line=True)
    plotting.points(right, result.ratios, [w.absorbed for w in result.width.values()], line=True)
    for ax in (left, right):
        width_axis(ax, result.ratios)
    left.set_ylabel("latents per concept")
    right.set_ylabel("share absorbed")
    plotting.percent_axis(right)
    plotting.panel_letters((left, right))
    return figure


@experiment.claim(
    "text-probes-split",
    title="Sparse probes need more latents per concept in wider dictionaries",
    statements=("I2",),
    source='Chanin et al. 2024, "A is for Absorption"',
    test=(
        "Number of latents per concept by sparse probes (largest k for which each further latent adds more than 0.03 "
        "to F1), mean over concepts, at four times the MLP's width less that at half of it; paired by network."
    ),
    criterion=above(0.0),
    figures=("text-conventions",),
    published=Verdict.INCONCLUSIVE,
)
def probes_split(result: Result) -> Quantity:
    return result.numbers.latents_rise


@experiment.claim(
    "text-absorption",
    title="At least one in twenty tokens of a concept is absorbed by another latent",
    source='Chanin et al. 2024, "A is for Absorption"',
    test=(
        "Share of a concept's recognised tokens on which all main latents are silent and another latent contributes at "
        "least 0.4 of the magnitude, mean over concepts, dictionaries of four times the MLP's width and networks."
    ),
    criterion=above(0.05, refuted_below=0.01),
    figures=("text-conventions",),
    published=Verdict.MIXED,
)
def is_absorbed(result: Result) -> Quantity:
    return result.width["4x"].absorbed
