"""Do features split on real text when a dictionary is given more latents? Statement I2 on natural features.

A concept is seen in the token (a digit, a comma), its context is known (in a number, a name, a string, prose). The
latent that carries a token of the concept can tell the context only if the concept has several latents. Controls: the
same with contexts exchanged among equal tokens, and dictionaries of a random network.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.core import progress
from experiments.core.contract import Experiment
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity
from experiments.language_model.shared.children import NO_CHILDREN, Pictured, children, pictured_in
from experiments.language_model.shared.concepts import CONCEPTS, Events, events
from experiments.language_model.shared.corpus import corpus
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import Observed, observed_in, seen_by
from experiments.language_model.shared.over_networks import by_width
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.split_figures import (
    climb_figure,
    concepts_figure,
    descent_figure,
    examples_figure,
    information_figure,
)
from experiments.language_model.shared.split_results import (
    LAST,
    PICTURED,
    Config,
    Result,
    Split,
    Splits,
    climbing,
    result_of,
    split_of,
)
from experiments.language_model.shared.splits import Heading, best_climb, heading
from experiments.language_model.shared.text import ARCHIVE

SECTION = 'Towards Monosemanticity, "Feature Splitting"'
experiment = Experiment(
    __name__,
    title="Splitting on text",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=60, draws=19),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text = seen_by(networks[0][0], config.windows)
    vocabulary = corpus(d.network.text).tokens.vocabulary
    chosen = {name: events(text, vocabulary, name) for name in CONCEPTS}
    chosen = {name: of for name, of in chosen.items() if len(of.leaves) > 1}
    tokens = np.unique(np.concatenate([of.token for of in chosen.values()]))
    rng = np.random.default_rng(config.seed)
    trained: Splits = {ratio: [[] for _ in found] for ratio in d.ratios}
    random: Splits = {ratio: [[] for _ in found] for ratio in d.ratios}
    pictured: Pictured | None = None
    for k, of_network in enumerate(found):
        seen = {"batchtopk": observed_in(networks[0][k], text), "random": observed_in(networks[1][k], text)}
        headings = {arm: _headings(at, chosen) for arm, at in seen.items()}
        for place, one in enumerate(of_network):
            if one.arm in seen:
                f = one.encoded_at(tokens, seen[one.arm].h)
                (random if one.arm == "random" else trained)[one.ratio][k].append(
                    [split_of(config, one, f, headings[one.arm][name], text, of, rng) for name, of in chosen.items()]
                )
            progress.advance("splitting", (k + place / len(of_network)) / len(found))
        if pictured is None:
            ladder = [one for one in of_network if one.arm == "batchtopk" and one.seed == 0]
            heading_of = headings["batchtopk"][PICTURED]
            pictured = pictured_in(ladder, seen["batchtopk"], heading_of, text, chosen[PICTURED], vocabulary)
    assert pictured is not None
    arrays = {name: by_width(trained, name) for name in Split._fields}
    climbs = climbing(d, arrays)
    climber = NO_CHILDREN
    if climbs.any():
        k, seed, place = best_climb(arrays["excess"][d.ratios.index(LAST)], climbs)
        (one,) = (one for one in found[k] if (one.arm, one.ratio, one.seed) == ("batchtopk", LAST, seed))
        at, name = observed_in(networks[0][k], text), list(chosen)[place]
        climber = children(name, one, at, heading(at.h, chosen[name]), text, chosen[name], vocabulary)
    return result_of(config, chosen, arrays, random, pictured, climbs, climber)


def _headings(observed: Observed, chosen: dict[str, Events]) -> dict[str, Heading]:
    return {name: heading(observed.h, of) for name, of in chosen.items()}


@experiment.figure(
    "text-split-information",
    title="Split information on text, by width",
    caption="The latent that carries a concept, such as a digit, tells {width.0.5x.information:% value} of what there "
    "is to know about its context with half as many latents as neurons and {width.4x.information:% value} with four "
    "times as many; the number of latents that share a concept goes from {width.0.5x.effective:.1f} to "
    "{width.4x.effective:.1f}. (a) Split information, and its part beyond what equal tokens share, for the trained "
    "and the random network. (b) Effective number of latents that share a concept. Means over "
    "{numbers.concepts:value} concepts and over networks; above eight times the width, over the first "
    "networks only.",
    alt="Two panels over the width. Left, two curves of the trained network lie far above two of the random one; they "
    "rise up to twice the width of the MLP and stay level. Right, the number of effective latents rises up to four "
    "times and falls.",
    interval="95 % Student t interval over networks, where there are three or more; the held-out text is given",
)
def draw_information(result: Result) -> Figure:
    return information_figure(result.ratios, list(result.width.values()))


@experiment.figure(
    "text-split-concepts",
    title="Each concept, by width",
    caption="At four times the MLP's width {concept.digit:value} effective latents share the digit. Effective number "
    "of latents that carry each concept, mean over the dictionaries of each network and then over networks; above "
    "eight times the width, over the first networks only.",
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
    return examples_figure(result.latents, result.leaves, result.bars, result.snippets, PICTURED)


@experiment.figure(
    "text-split-climb",
    title="The concept that climbs best from one latent to two to three",
    caption="In {numbers.long_climbs:count} ladders some concept goes from one latent to two to three or more, from "
    "an eighth of the MLP's width to four times it, without ever falling, and ends with more split information than "
    "with contexts exchanged among equal tokens; on average {numbers.climbing:.2f} of {numbers.concepts:value} "
    "concepts do so in a ladder. (a) Latents that carry at least a twentieth of the concept's tokens, in the ladder "
    "that climbs best and in the others. (b) Split information in that ladder, and its mean with contexts exchanged. "
    "The best ladder has the most split information beyond such exchanges at four times the width. (c) In how many "
    "ladders each concept climbs.",
    alt="Three panels. Left, a curve of the number of latents over the width that rises in steps, among grey curves "
    "that rise and fall. Middle, split information over the width, far above a curve of exchanged contexts. Right, "
    "bars of how many ladders each concept climbs.",
)
def draw_climb(result: Result) -> Figure:
    ratios = result.ratios[result.ratios <= LAST]
    concepts = len(result.concepts)
    counted, information, excess = (
        each[: len(ratios)].reshape(len(ratios), -1, concepts)
        for each in (result.counted, result.information, result.excess)
    )
    return climb_figure(ratios, result.concepts, counted, information, excess, result.climbs.reshape(-1, concepts))


@experiment.figure(
    "text-split-climber",
    title="The children of the concept that climbs best",
    caption="What tells its latents apart at four times the MLP's width: the contexts of their tokens, and the token "
    "on which each is most active, between « and », in its text. The concept and ladder are those of the figure "
    "before; latents that carry at least a twentieth of the concept's tokens, most first.",
    alt="Horizontal stacked bars, one per latent, of the contexts of its tokens, with a piece of text under each bar.",
)
def draw_climber(result: Result) -> Figure:
    found = result.climber
    return examples_figure(found.latents, found.leaves, found.bars, found.snippets, found.concept)


@experiment.claim(
    "text-split-rises",
    title="On text too, more latents tell more about the context of a concept",
    statements=("I2",),
    source=SECTION,
    test="Split information, mean over concepts, at four times the MLP's width less that at half of it; mean "
    "over the ladders of each network and then over networks.",
    criterion=above(0.05, refuted_below=0.0),
    figures=("text-split-information",),
    published=Verdict.MIXED,
)
def rises(result: Result) -> Quantity:
    return result.numbers.information_rises


@experiment.claim(
    "text-split-beyond-token",
    title="On text the latent that carries a concept tells of its context what the token alone does not",
    statements=("I2",),
    test="Split information above that with contexts exchanged among equal tokens, at four times the MLP's width, mean "
    "over concepts, then over the dictionaries of each network, then over networks.",
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
    "dictionaries of the random network; paired by network.",
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
    "more and never falls, with split information above the central 95 % of contexts exchanged among equal tokens; "
    "mean over networks.",
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
