"""Do single latents mean something that can be checked? Latents against labels that need no judge.

What a token is (a string, a comment, a keyword, planted base64) is known from Python's `tokenize` and from how the
text was made. A label's best latent is chosen on half of the documents and scored on the others, and so are the best
neuron, the best latent of a random network and the best that the current token alone can do.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed, undefined
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.detection import best_detectors, token_detector
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import ALL_LABELS, Seen, observed_in, seen_by
from experiments.language_model.shared.over_networks import over_networks, padded, per_network
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.text import ARCHIVE
from experiments.language_model.shared.token_share import token_share
from experiments.language_model.shared.width_figures import width_axis

Array = NDArray[np.float64]

SECTION = 'Towards Monosemanticity, "Detailed Investigations of Individual Features"'
RATIO = 4.0
KINDS = {"latent": "latent", "neuron": "neuron", "token": "current token", "random": "latent of a random network"}
LEAST, MOST = 100, 0.4
"""Tokens that a label needs to count, and the share of all tokens that it may not exceed."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 6  # most pieces of text per held-out document


@dataclass(frozen=True)
class Label:
    """F1 of the best single detector of a label, at four times the MLP's width where latents are meant."""

    share: Quantity  # of held-out tokens
    latent: Quantity  # mean over the dictionaries of each network, then over networks, as are all that follow
    neuron: Quantity
    random: Quantity  # latents of random networks
    token: Quantity  # the current token alone
    shifted: Quantity  # a latent for labels shifted by half of the text: what chance gives


@dataclass(frozen=True)
class Width:
    """Mean over labels of the best latent's F1, and less that of others in the same network; mean over the
    dictionaries of each network, then over networks."""

    f1: Quantity
    random: Quantity  # of latents of random networks
    over_neurons: Quantity
    over_random: Quantity
    over_token: Quantity


@dataclass(frozen=True)
class Numbers:
    """Shares of variance that the current token explains: medians over units that fire, one dictionary per network,
    means over networks."""

    labels: Quantity  # that occur often enough to count
    neuron: Quantity  # mean F1 of the best neuron
    token: Quantity  # mean F1 of what the current token tells
    shifted: Quantity
    token_latent: Quantity
    token_random: Quantity
    token_neuron: Quantity
    names_of_tokens: Quantity  # share of latents of which the token explains four fifths or more


@dataclass(frozen=True)
class Result:
    """F1 of best detectors; labels that occur too rarely are left out of all means."""

    labels: tuple[str, ...]  # those that count
    neuron: Array  # (network, label)
    token: Array  # (label,)
    ratios: Array  # (width,)
    numbers: Numbers
    f1: Array = undefined("wide dictionaries are fewer")  # (width, network, dictionary, label)
    random: Array = undefined("wide dictionaries are fewer")  # (width, network, dictionary, label)
    token_latent: Array = undefined(
        "silent in half of the text"
    )  # (latent,), share that the token explains, first network
    token_random: Array = undefined("silent in half of the text")  # (latent,)
    token_neuron: Array = undefined("silent in half of the text")  # (neuron,)
    label: dict[str, Label] = keyed(lambda config: ALL_LABELS, why_undefined="the label occurs too rarely to count")
    width: dict[str, Width] = keyed(
        lambda config: [f"{ratio:g}x" for ratio in config.dictionaries.ratios],
        why_undefined="a mean of two networks has no interval",
    )


experiment = Experiment(
    __name__,
    title="Latents against labels",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=24),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text = seen_by(networks[0][0], config.windows)
    counts = text.labels[text.first].sum(0), text.labels[~text.first].sum(0)
    counted = np.flatnonzero((np.minimum(*counts) >= LEAST / 2) & (text.labels.mean(0) < MOST))
    labels = text.labels[:, counted]
    measured = Measured({ratio: [] for ratio in d.ratios}, {ratio: [] for ratio in d.ratios})
    for k, of_network in enumerate(found):
        h = {"batchtopk": observed_in(networks[0][k], text).h, "random": observed_in(networks[1][k], text).h}
        for into in (measured.f1, measured.random):
            for of_width in into.values():
                of_width.append([])
        for place, one in enumerate(of_network):
            if one.arm in h:
                _measure(one, one.encoded(h[one.arm]), text, labels, d, measured)
            progress.advance("matching latents and labels", (k + place / len(of_network)) / len(found))
        columns = sparse.csr_matrix(h["batchtopk"])
        measured.neuron.append(best_detectors(columns, labels, text.first).f1)
        measured.shares["neuron"].append(token_share(columns, text.ids, text.first, d.network.text.entries))
    return _result(
        config, text, counted, measured, token_detector(text.ids, labels, text.first, d.network.text.entries)
    )


@dataclass(frozen=True)
class Measured:
    """What is measured of all networks: F1 (label,) of each dictionary by width and network, of the neurons of each
    network, and of one dictionary of each network for labels shifted; and shares (unit,) that the token explains."""

    f1: dict[float, list[list[Array]]]
    random: dict[float, list[list[Array]]]
    neuron: list[Array] = field(default_factory=list)
    shifted: list[Array] = field(default_factory=list)
    shares: dict[str, list[Array]] = field(default_factory=lambda: {"latent": [], "random": [], "neuron": []})


def _measure(
    one: Dictionary,
    f: sparse.csr_matrix,
    text: Seen,
    labels: NDArray[np.bool_],
    d: DictionaryConfig,
    measured: Measured,
) -> None:
    """Add what latents `f` (token, latent) of a dictionary tell to what is `measured`."""
    into = measured.random if one.arm == "random" else measured.f1
    into[one.ratio][-1].append(best_detectors(f, labels, text.first).f1)
    if one.ratio == RATIO and one.seed == 0:
        kind = "random" if one.arm == "random" else "latent"
        measured.shares[kind].append(token_share(f, text.ids, text.first, d.network.text.entries))
        if kind == "latent":
            measured.shifted.append(best_detectors(f, _shifted(labels, text), text.first).f1)


def _shifted(labels: NDArray[np.bool_], text: Seen) -> NDArray[np.bool_]:
    """Return labels shifted round by half of the text within each half of the documents: as often, and in runs."""
    found = np.empty_like(labels)
    for half in (text.first, ~text.first):
        found[half] = np.roll(labels[half], int(half.sum()) // 2, axis=0)
    return found


def _result(config: Config, text: Seen, counted: NDArray[np.int64], measured: Measured, token: Array) -> Result:
    ratios = config.dictionaries.ratios
    f1, random = (padded(list(of.values())) for of in (measured.f1, measured.random))
    neuron, shifted = np.array(measured.neuron), np.array(measured.shifted)
    at = ratios.index(RATIO)
    return Result(
        labels=tuple(ALL_LABELS[k] for k in counted),
        f1=f1,
        neuron=neuron,
        random=random,
        token=token,
        ratios=np.array(ratios),
        token_latent=measured.shares["latent"][0],
        token_random=measured.shares["random"][0],
        token_neuron=measured.shares["neuron"][0],
        label=_labels(text, counted, (per_network(f1[at]), neuron, per_network(random[at]), shifted), token),
        width={f"{r:g}x": _width(f1[k], random[k], neuron, token) for k, r in enumerate(ratios)},
        numbers=_numbers(counted, neuron, token, shifted, measured.shares),
    )


def _labels(
    text: Seen, counted: NDArray[np.int64], found: tuple[Array, Array, Array, Array], token: Array
) -> dict[str, Label]:
    """Return each label's scores; `found` (network, label) are latents, neurons, random latents and labels shifted."""
    labels = {}
    for place, name in enumerate(ALL_LABELS):
        of = np.flatnonzero(counted == place)
        share = exact(float(text.labels[:, place].mean()), method="share of held-out tokens")
        if not of.size:
            none = exact(np.nan, method="too rare or too common to count")
            labels[name] = Label(share, none, none, none, none, none)
            continue
        k = int(of[0])
        latent, neuron, random, shifted = (over_networks(each[:, k], within=(0, 1)) for each in found)
        labels[name] = Label(
            share, latent, neuron, random, exact(token[k], method="scored on held-out halves"), shifted
        )
    return labels


def _width(f1: Array, random: Array, neuron: Array, token: Array) -> Width:
    """Return the means of `f1` and `random` (network, dictionary, label), and differences within each network."""
    of_latents, of_random = (per_network(each.mean(-1)) for each in (f1, random))
    return Width(
        f1=over_networks(of_latents, within=(0, 1)),
        random=over_networks(of_random, within=(0, 1)),
        over_neurons=over_networks(of_latents - neuron.mean(-1)),
        over_random=over_networks(of_latents - of_random),
        over_token=over_networks(of_latents - token.mean()),
    )


def _numbers(
    counted: NDArray[np.int64], neuron: Array, token: Array, shifted: Array, shares: dict[str, list[Array]]
) -> Numbers:
    medians = {name: over_networks([np.nanmedian(each) for each in rows]) for name, rows in shares.items()}
    names = [np.mean(each[np.isfinite(each)] >= 0.8) for each in shares["latent"]]
    return Numbers(
        labels=exact(len(counted)),
        neuron=over_networks(neuron.mean(-1), within=(0, 1)),
        token=exact(token.mean(), method="mean over labels"),
        shifted=over_networks(shifted.mean(-1), within=(0, 1)),
        token_latent=medians["latent"],
        token_random=medians["random"],
        token_neuron=medians["neuron"],
        names_of_tokens=over_networks(names, within=(0, 1)),  # of those that fire in both halves
    )


@experiment.figure(
    "feature-labels",
    title="The best single detector of each label",
    caption=(
        "Over {numbers.labels:value} labels the best latent of a dictionary of four times the MLP's width has a mean "
        "F1 of {width.4x.f1:value}, the best neuron {numbers.neuron:value}, and the current token alone "
        "{numbers.token:value}. Detectors are chosen on half of the held-out documents and scored on the other half. "
        "Random network: the best latent of a dictionary of an untrained transformer."
    ),
    alt="One row per label with four points: latent, neuron, current token, and latent of a random network, which "
    "lies left of the others in every row.",
    interval="95 % Student t interval over networks; the held-out text is given, and the current token has none",
)
def draw_labels(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=4.6)
    order = np.argsort([result.label[name].latent.value for name in result.labels])
    names = [result.labels[k] for k in order]
    rows = np.arange(len(names), dtype=float)
    for index, (kind, label) in enumerate(KINDS.items()):
        found = [getattr(result.label[name], kind) for name in names]
        shifted = rows + 0.12 * (1.5 - index)
        plotting.marked(plotting.points(ax, shifted, found, label=label, index=index, horizontal=True), index)
    ax.set(yticks=rows, yticklabels=names, xlabel="F1 on held-out documents", xlim=(-0.02, 1.02))
    plotting.legend(ax, figure=figure)
    return figure


@experiment.figure(
    "feature-widths",
    title="Latents against labels, by width",
    caption=(
        "At four times the MLP's width the best latent's F1, averaged over labels, is {width.4x.over_neurons:value} "
        "above that of the best neuron and {width.4x.over_random:value} above that of the best latent of a random "
        "network. Dashed: the best neuron; dotted grey: labels shifted by half of the text. Means over networks; above "
        "eight times the width, over the first networks only."
    ),
    alt="Mean F1 over width: a flat curve of latents near the levels of neuron and current token, and a flat one of "
    "latents of random networks far below, near the level of shifted labels.",
    interval="95 % Student t interval over networks, where there are three or more; the held-out text is given",
)
def draw_widths(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.2)
    curves = {"latents": "f1", "latents of a random network": "random"}
    plotting.field_points(ax, result.ratios, list(result.width.values()), curves, indices=(0, 3))
    plotting.theory_level(ax, result.numbers.neuron.value, label="best neuron")
    ax.axhline(result.numbers.token.value, color=plotting.series(2), linewidth=1.2, label="current token")
    ax.axhline(result.numbers.shifted.value, color=plotting.colour("null"), linestyle=":", label="labels shifted")
    width_axis(ax, result.ratios)
    ax.set(ylabel="mean F1 over labels", ylim=(0, 1))
    plotting.legend(ax)
    return figure


@experiment.figure(
    "feature-tokens",
    title="How much of a unit is the current token",
    caption=(
        "The current token explains {numbers.token_latent:% value} of the variance of the median latent, "
        "{numbers.token_random:% value} in a random network and {numbers.token_neuron:% value} of the median neuron. "
        "Share of the variance on one half of the documents that means per token on the other half predict, negative "
        "where these predict worse than one mean for all; four times the MLP's width, first network. Values below "
        "−5 % are drawn at −5 %."
    ),
    alt="Three strips of points. Latents and neurons spread widely, with medians above one half; latents of a random "
    "network crowd near zero.",
)
def draw_tokens(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.2)
    groups = {
        "latents": result.token_latent,
        "latents of a\nrandom network": result.token_random,
        "neurons": result.token_neuron,
    }
    shown = {name: np.clip(values[np.isfinite(values)], -0.05, 1) for name, values in groups.items()}
    plotting.distribution_strip(ax, shown, index=None)
    ax.set(ylabel="variance explained by the token")
    plotting.percent_axis(ax)
    return figure


@experiment.claim(
    "feature-beats-neurons",
    title="The best latent tells labels apart better than the best neuron",
    statements=("I1",),
    source=SECTION,
    test=(
        "F1 of the best single latent less that of the best single neuron, chosen and scored on different documents, "
        "mean over labels; dictionaries of four times the MLP's width, paired by network."
    ),
    criterion=above(0.1, refuted_below=0.0),
    figures=("feature-labels", "feature-widths"),
    published=Verdict.INCONCLUSIVE,
)
def beats_neurons(result: Result) -> Quantity:
    return result.width["4x"].over_neurons


@experiment.claim(
    "feature-beats-random-network",
    title="Latents of the trained network fit labels better than those of a random network",
    test=(
        "F1 of the best single latent less that of the best latent of a dictionary of the random network, chosen and "
        "scored on different documents, mean over labels; dictionaries of four times the MLP's width, paired by "
        "network."
    ),
    criterion=above(0.1, refuted_below=0.0),
    figures=("feature-labels", "feature-widths"),
    published=Verdict.SUPPORTED,
)
def beats_random(result: Result) -> Quantity:
    return result.width["4x"].over_random


@experiment.claim(
    "feature-beats-token",
    title="Single latents tell labels better than the current token does",
    test=(
        "F1 of the best single latent less that of the best rule that knows the current token and nothing else, chosen "
        "and scored on different documents, mean over labels; dictionaries of four times the MLP's width, then over "
        "networks."
    ),
    criterion=above(0.0),
    figures=("feature-labels",),
    published=Verdict.REFUTED,
)
def beats_token(result: Result) -> Quantity:
    return result.width["4x"].over_token
