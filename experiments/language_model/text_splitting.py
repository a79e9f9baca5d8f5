"""Do features split on real text when a dictionary is given more latents? Statement I2 on natural features.

A concept is seen in the token (a digit, a comma), its context is known (in a number, a name, a string, prose). The
latent that carries a token of the concept can tell the context only if the concept has several latents. Controls: the
same with contexts exchanged among equal tokens, and dictionaries of a random network.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import progress
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, exact, mean, share
from experiments.language_model.shared.concepts import CONCEPTS, Events, events
from experiments.language_model.shared.corpus import corpus
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import Observed, Seen, seen_by
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.snippets import snippet
from experiments.language_model.shared.split_figures import (
    climb_figure,
    concepts_figure,
    descent_figure,
    examples_figure,
    information_figure,
)
from experiments.language_model.shared.splits import (
    Heading,
    carriers,
    carrying,
    descents,
    effective_latents,
    heading,
    split_information,
    token_null,
)
from experiments.language_model.shared.text import ARCHIVE

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

SECTION = 'Towards Monosemanticity, "Feature Splitting"'
PICTURED = "digit"
WIDEST_IN_LADDERS = 4
"""Times the MLP's width: above, dictionaries are single."""
SHOWN = 8
"""Latents in the table of examples, at most."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 6  # most pieces of text per held-out document
    draws: int = 49  # exchanges of contexts behind each null


@dataclass(frozen=True)
class Width:
    """Means over concepts and dictionaries of one width; `excess` is split information above that with contexts
    exchanged among equal tokens."""

    information: Quantity
    excess: Quantity
    effective: Quantity  # latents that share a concept
    random_information: Quantity
    random_excess: Quantity


@dataclass(frozen=True)
class Numbers:
    """Differences between four times the MLP's width and half of it, paired by ladder (a network and a seed)."""

    information_rises: Quantity
    excess_rises: Quantity
    effective_rises: Quantity
    over_random: Quantity  # how much more the excess rises than in the random network
    ladders: Quantity  # share of ladders in which some concept goes from one latent to two to three or more
    long_ladders: Quantity  # the same from an eighth of the MLP's width instead of half
    climbing: Quantity  # concepts that climb a long ladder, mean over ladders
    digit_ladders: Quantity  # the same for the digit alone
    concepts: Quantity
    events: Quantity
    digit_children: Quantity  # latents that carry the digit at the widest dictionary pictured


@dataclass(frozen=True)
class Result:
    """Axes: width, dictionary, concept. `carrier` and `leaf` are the pictured concept's events in the dictionaries of
    the first network and seed; `bars` counts events of the latents that carry it in the widest, by leaf."""

    ratios: Array  # (width,)
    concepts: tuple[str, ...]
    carrier: Ids  # (width, event)
    leaf: Ids  # (event,)
    leaves: tuple[str, ...]
    latents: Ids  # (latent,), those that carry the concept in the widest dictionary
    bars: Ids  # (latent, leaf)
    descent: Ids  # (width - 1,), how many of the pictured latents descend from one of the width before
    snippets: tuple[str, ...]  # (latent,), the strongest event of each, the token between « and »
    numbers: Numbers
    information: Array = undefined("the widest dictionaries are fewer")  # (width, dictionary, concept)
    excess: Array = undefined("the widest dictionaries are fewer")
    effective: Array = undefined("the widest dictionaries are fewer")
    counted: Array = undefined("the widest dictionaries are fewer")  # latents that carry at least a twentieth
    width: dict[str, Width] = keyed(lambda config: [f"{ratio:g}x" for ratio in config.dictionaries.ratios])
    concept: dict[str, Quantity] = keyed(lambda config: CONCEPTS)  # effective latents at four times


experiment = Experiment(
    __name__,
    title="Splitting on text",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=100, draws=19),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text, observed = seen_by(networks[0], config.windows)
    _, of_random = seen_by(networks[1], config.windows)
    vocabulary = corpus(d.network.text).tokens.vocabulary
    chosen = {name: events(text, vocabulary, name) for name in CONCEPTS}
    chosen = {name: of for name, of in chosen.items() if len(of.leaves) > 1}
    rng = np.random.default_rng(config.seed)
    trained: dict[float, list[list[Split]]] = {ratio: [] for ratio in d.ratios}
    random: dict[float, list[list[Split]]] = {ratio: [] for ratio in d.ratios}
    of_trained, of_control = ([_headings(at, chosen) for at in part] for part in (observed, of_random))
    for k, of_network in enumerate(found):
        for place, one in enumerate(of_network):
            if one.arm in ("batchtopk", "random"):
                at, headings = (of_random, of_control) if one.arm == "random" else (observed, of_trained)
                into = random if one.arm == "random" else trained
                f = one.encoded(at[k].h)
                into[one.ratio].append(
                    [_split(config, one, f, headings[k][name], text, of, rng) for name, of in chosen.items()]
                )
            progress.advance("splitting", (k + place / len(of_network)) / len(found))
    ladder = [one for one in found[0] if one.arm == "batchtopk" and one.seed == 0]
    pictured = _pictured(ladder, observed[0], of_trained[0][PICTURED], text, chosen[PICTURED], vocabulary)
    return _result(config, chosen, trained, random, pictured)


def _headings(observed: Observed, chosen: dict[str, Events]) -> dict[str, Heading]:
    return {name: heading(observed.h, of) for name, of in chosen.items()}


class Split(NamedTuple):
    """One dictionary and one concept."""

    information: float
    excess: float
    above_null: bool  # above the central 95 % of contexts exchanged among equal tokens
    effective: float
    counted: int


def _split(
    config: Config,
    one: Dictionary,
    f: sparse.csr_matrix,
    concept: Heading,
    text: Seen,
    of: Events,
    rng: np.random.Generator,
) -> Split:
    carrier = carriers(one, f, concept, of)
    information = split_information(carrier, of.leaf, len(of.leaves))
    null = token_null(carrier, of.leaf, text.ids[of.token], len(of.leaves), config.draws, rng)
    above_null = bool(information > np.quantile(null, 0.975))
    return Split(
        information, information - float(null.mean()), above_null, effective_latents(carrier), len(carrying(carrier))
    )


class Pictured(NamedTuple):
    carrier: Ids
    leaf: Ids
    leaves: tuple[str, ...]
    latents: Ids
    bars: Ids
    descent: Ids
    snippets: tuple[str, ...]


def _pictured(
    ladder: list[Dictionary],
    observed: Observed,
    concept: Heading,
    text: Seen,
    of: Events,
    vocabulary: tuple[bytes, ...],
) -> Pictured:
    encoded = [one.encoded(observed.h) for one in ladder]
    carrier = np.array([carriers(one, f, concept, of) for one, f in zip(ladder, encoded, strict=True)])
    latents = carrying(carrier[-1])[:SHOWN]
    bars = np.array([np.bincount(of.leaf[carrier[-1] == latent], minlength=len(of.leaves)) for latent in latents])
    shown = []
    for latent in latents:
        mine = of.token[carrier[-1] == latent]
        strongest = mine[np.asarray(encoded[-1][mine, int(latent)].todense()).argmax()]
        shown.append(snippet(text, vocabulary, int(strongest)))
    steps = [descents(carrier[k], carrier[k + 1]) for k in range(len(ladder) - 1)]
    return Pictured(carrier, of.leaf, of.leaves, latents, bars, np.array([len(step) for step in steps]), tuple(shown))


Splits = dict[float, list[list[Split]]]


def _result(config: Config, chosen: dict[str, Events], trained: Splits, random: Splits, pictured: Pictured) -> Result:
    d = config.dictionaries
    arrays = {name: _array(trained, name) for name in ("information", "excess", "effective", "counted", "above_null")}
    control = {name: _array(random, name) for name in ("information", "excess")}
    names = [f"{ratio:g}x" for ratio in d.ratios]
    effective = {name: exact(0.0, method="the concept occurs in one context only") for name in CONCEPTS}
    at = d.ratios.index(4)
    effective |= {name: _mean(arrays["effective"][at, :, k]) for k, name in enumerate(chosen)}
    return Result(
        ratios=np.array(d.ratios),
        concepts=tuple(chosen),
        **pictured._asdict(),
        numbers=_numbers(config, chosen, arrays, control, pictured),
        information=arrays["information"],
        excess=arrays["excess"],
        effective=arrays["effective"],
        counted=arrays["counted"],
        width={
            name: Width(
                *(_mean(arrays[kind][k].mean(-1)) for kind in ("information", "excess", "effective")),
                *(_mean(control[kind][k].mean(-1)) for kind in ("information", "excess")),
            )
            for k, name in enumerate(names)
        },
        concept=effective,
    )


def _array(splits: Splits, name: str) -> Array:
    """Return (width, dictionary, concept) of one number, NaN where a width has fewer dictionaries."""
    most = max(len(rows) for rows in splits.values())
    concepts = len(next(iter(splits.values()))[0])
    found = np.full((len(splits), most, concepts), np.nan)
    for k, rows in enumerate(splits.values()):
        found[k, : len(rows)] = [[float(getattr(split, name)) for split in row] for row in rows]
    return found


def _mean(values: Array) -> Quantity:
    known = values[np.isfinite(values)]
    if len(known) < 3:
        return exact(float(known.mean()), method=f"mean of {len(known)}, no interval")
    return mean(known)


def _numbers(
    config: Config, chosen: dict[str, Events], arrays: dict[str, Array], control: dict[str, Array], pictured: Pictured
) -> Numbers:
    d = config.dictionaries
    low, high = d.ratios.index(0.5), d.ratios.index(4)
    rises = {name: arrays[name][high].mean(-1) - arrays[name][low].mean(-1) for name in arrays}
    random = (control["excess"][high] - control["excess"][low]).mean(-1)
    distinct = arrays["above_null"][high] > 0
    grows = ladders(arrays["counted"][low : high + 1]) & distinct
    long = ladders(arrays["counted"][: high + 1]) & distinct
    place = list(chosen).index(PICTURED)
    return Numbers(
        information_rises=mean(rises["information"]),
        excess_rises=mean(rises["excess"]),
        effective_rises=mean(rises["effective"]),
        over_random=mean(rises["excess"] - np.repeat(random, len(rises["excess"]) // len(random))),
        ladders=share(grows.any(-1), "ladders"),
        long_ladders=share(long.any(-1), "ladders"),
        climbing=mean(long.sum(-1)),
        digit_ladders=share(grows[:, place], "ladders"),
        concepts=exact(len(chosen)),
        events=exact(sum(len(of.token) for of in chosen.values())),
        digit_children=exact(len(pictured.latents)),
    )


def ladders(counted: Array) -> NDArray[np.bool_]:
    """Return whether the numbers of latents (width, dictionary, concept) go from 1 to exactly 2 to 3 or more.

    They start at 1, are 2 at some later width, end at 3 or more and never fall: (dictionary, concept).
    """
    never_falls = (np.diff(counted, axis=0) >= 0).all(0)
    return np.asarray((counted[0] == 1) & (counted == 2).any(0) & (counted[-1] >= 3) & never_falls)


@experiment.figure(
    "text-split-information",
    title="Split information on text, by width",
    caption="The latent that carries a concept, such as a digit, tells {width.0.5x.information:% value} of what there "
    "is to know about its context with half as many latents as neurons and {width.4x.information:% value} with four "
    "times as many; the number of latents that share a concept goes from {width.0.5x.effective:.1f} to "
    "{width.4x.effective:.1f}. (a) Split information, and its part beyond what equal tokens share, for the trained "
    "and the random network. (b) Effective number of latents that share a concept. Means over "
    "{numbers.concepts:value} concepts.",
    alt="Two panels over the width. Left, two curves of the trained network lie far above two of the random one; they "
    "rise up to once or twice the width of the MLP and fall slowly. Right, the number of effective latents rises up to "
    "four times and falls.",
    interval="95 % Student t interval over dictionaries of two networks, where there are three or more",
)
def draw_information(result: Result) -> Figure:
    return information_figure(result.ratios, list(result.width.values()))


@experiment.figure(
    "text-split-concepts",
    title="Each concept, by width",
    caption="At four times the MLP's width {concept.digit:value} effective latents share the digit. Effective number "
    "of latents that carry each concept, mean over dictionaries of two networks.",
    alt="One curve per concept over the width of the dictionary: two rise to a dozen latents at four times and fall "
    "again, the others stay below six.",
)
def draw_concepts(result: Result) -> Figure:
    return concepts_figure(result.ratios, result.concepts, result.effective)


@experiment.figure(
    "text-split-digit",
    title="How the digit divides",
    caption="In the widest dictionary {numbers.digit_children:value} latents carry at least a twentieth of the digits "
    "each. Digits of held-out text by the latent that carries them, in dictionaries of rising width of one network. "
    "Colours: the context of most of a latent's digits; nobody: no latent contributes a quarter of the magnitude.",
    alt="An alluvial diagram with a column per width; bars are latents, ribbons the digits that pass between them.",
)
def draw_digit(result: Result) -> Figure:
    return descent_figure(result.ratios, result.carrier, result.leaf, result.leaves)


@experiment.figure(
    "text-split-examples",
    title="The children of the digit",
    caption="What tells the latents apart that carry the digit in the widest dictionary: the contexts of their "
    "digits, and the digit on which each is most active, between « and », in its text. Latents that carry at least a "
    "twentieth of the digits, most first, chosen by this rule.",
    alt="Horizontal stacked bars, one per latent, of the contexts of its digits, with a piece of text under each bar.",
)
def draw_examples(result: Result) -> Figure:
    return examples_figure(result.latents, result.leaves, result.bars, result.snippets)


@experiment.figure(
    "text-split-climb",
    title="The concept that climbs best from one latent to two to three",
    caption="{numbers.long_ladders:count} ladders have a concept that goes from one latent to two to three or more "
    "from an eighth of the MLP's width to four times it, never falls, and ends above contexts exchanged among equal "
    "tokens; on average {numbers.climbing:.2f} of {numbers.concepts:value} concepts do. (a) Latents that carry "
    "at least a twentieth of the concept's tokens, in the ladder that climbs best and in the others. (b) Split "
    "information in that ladder, and the mean of it with contexts exchanged. The best has the most split information "
    "beyond such exchanges at four times the width. (c) In how many ladders each concept climbs.",
    alt="Three panels. Left, a curve of the number of latents over the width that rises in steps, among grey curves "
    "that rise and fall. Middle, split information over the width, far above a curve of exchanged contexts. Right, "
    "bars of how many ladders each concept climbs.",
)
def draw_climb(result: Result) -> Figure:
    ratios = result.ratios[result.ratios <= WIDEST_IN_LADDERS]
    counted, information, excess = (each[: len(ratios)] for each in (result.counted, result.information, result.excess))
    return climb_figure(ratios, result.concepts, counted, information, excess, ladders(counted) & (excess[-1] > 0))


@experiment.claim(
    "text-split-rises",
    title="On text too, more latents tell more about the context of a concept",
    statements=("I2",),
    source=SECTION,
    test="Split information, mean over concepts, at four times the MLP's width less that at half of it; paired by "
    "ladder, six ladders for each of two networks.",
    criterion=above(0.05, refuted_below=0.0),
    figures=("text-split-information",),
    published=Verdict.MIXED,
)
def rises(result: Result) -> Quantity:
    return result.numbers.information_rises


@experiment.claim(
    "text-split-beyond-token",
    title="What splits is more than the token",
    statements=("I2",),
    test="Split information above that with contexts exchanged among equal tokens, at four times the MLP's width, mean "
    "over concepts and then over dictionaries.",
    criterion=above(0.02, refuted_below=0.0),
    figures=("text-split-information",),
    published=Verdict.SUPPORTED,
)
def beyond_token(result: Result) -> Quantity:
    return result.width["4x"].excess


@experiment.claim(
    "text-split-learned",
    title="Splitting beyond the token grows more in the trained than in a random network",
    statements=("I2",),
    test="Rise of split information beyond the token from half to four times the MLP's width, less the rise in "
    "dictionaries of the random network.",
    criterion=above(0.0),
    figures=("text-split-information",),
    published=Verdict.INCONCLUSIVE,
)
def learned(result: Result) -> Quantity:
    return result.numbers.over_random


@experiment.claim(
    "text-split-ladder",
    title="From half the neurons up, some concept goes from one latent to two to three or more in most ladders",
    statements=("I2",),
    source=SECTION,
    test="Share of ladders (widths of one half, one, two and four times the MLP, of one network and seed) in which the "
    "number of latents that carry at least a twentieth of some concept starts at one, passes two, ends at three or "
    "more and never falls, with split information above the central 95 % of contexts exchanged among equal tokens.",
    criterion=above(0.5),
    figures=("text-split-digit", "text-split-concepts"),
    published=Verdict.REFUTED,
)
def some_ladder(result: Result) -> Quantity:
    return result.numbers.ladders


@experiment.claim(
    "text-split-long-ladder",
    title="From an eighth of the neurons up, some concept goes from one latent to two to three or more in most ladders",
    statements=("I2",),
    source=SECTION,
    test="As for the ladders from one half, with widths of an eighth and a quarter of the MLP's before them. We added "
    "these widths, with this test and criterion, after the shorter ladders had failed: concepts already had several "
    "latents at their narrowest width.",
    criterion=above(0.5),
    figures=("text-split-digit", "text-split-concepts"),
)
def some_long_ladder(result: Result) -> Quantity:
    return result.numbers.long_ladders
