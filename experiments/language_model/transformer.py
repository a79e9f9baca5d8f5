"""Is the network a language model? A transformer of one layer against counts of tokens, on documents held out.

Several networks, which differ in first weights and in the order of the data, learn to predict the next token of
presidential messages and Python modules. Everything else in this part looks inside them.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.corpus import Corpus, corpus
from experiments.language_model.shared.n_grams import n_gram_losses
from experiments.language_model.shared.network import (
    Network,
    observe,
    parameter_count,
    token_losses,
    trained_networks,
)
from experiments.language_model.shared.network_config import QUICK, NetworkConfig
from experiments.language_model.shared.over_networks import over_networks, over_pairs
from experiments.language_model.shared.seeded import seeded_network
from experiments.language_model.shared.text import ARCHIVE
from experiments.language_model.shared.windows import Windows, windows

Array = NDArray[np.float64]

ORDERS = ("unigram", "bigram", "trigram", "4-gram", "5-gram")
PARTS = ("speech", "code")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    network: NetworkConfig = field(default_factory=NetworkConfig)
    networks: int = 8
    windows: int = 24  # most pieces of `network.context` tokens per held-out document
    curve: int = 100  # points of the curve of training


@dataclass(frozen=True)
class Numbers:
    """Losses in nats per token, mean over held-out documents for each network, then over networks."""

    loss: Quantity
    gain_bigram: Quantity  # loss of the bigram less that of the network
    gain_five: Quantity
    gain_best: Quantity  # over the best of the n-grams
    cost_zero: Quantity  # how much the loss rises when the MLP's activations are set to 0
    cost_mean: Quantity  # and when they are set to their means
    networks_differ: Quantity  # absolute difference of two networks per document, mean over documents and pairs
    active: Quantity  # share of neurons that are active at a token
    silent: Quantity  # neurons of a network that are never active, mean over networks
    parameters: Quantity
    trained: Quantity  # tokens that a network is trained on, repeats included
    stream: Quantity  # different ones among them
    held_out: Quantity  # tokens on which losses are measured
    documents: Quantity


@dataclass(frozen=True)
class Result:
    """Losses in nats per token. `speech` says which held-out documents are speeches."""

    curve: Array  # (network, point), mean loss of batches in training
    seen: Array  # (point,), tokens trained on by then
    network: Array  # (network, document)
    n_grams: Array  # (order, document)
    speech: NDArray[np.bool_]  # (document,)
    numbers: Numbers
    n_gram: dict[str, Quantity] = keyed(lambda config: ORDERS)
    by_part: dict[str, Quantity] = keyed(lambda config: [f"{m}, {p}" for m in ("network", *ORDERS) for p in PARTS])


experiment = Experiment(
    __name__,
    title="A transformer of one layer",
    config=Config(),
    quick=Config(network=QUICK, networks=3, windows=4, curve=20),
    large=Config(network=NetworkConfig(steps=50_000, model=128, mlp=512, heads=8)),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    text = corpus(config.network.text)
    networks = trained_networks(seeded_network(config.network, config.seed), config.networks)
    held_out = windows(text, config.network.context, config.windows)
    kept = sorted(set(held_out.document.tolist()))
    observed = [_observed(network, held_out, kept) for network in networks]
    clean, zero, at_mean = (np.array([getattr(each, name) for each in observed]) for name in Losses._fields[:3])
    n_grams = _n_grams(text, held_out, kept)
    speech = np.array([text.documents[d].part == "speech" for d in kept])
    return Result(
        curve=np.array([network.loss.reshape(config.curve, -1).mean(1) for network in networks]),
        seen=np.arange(1.0, config.curve + 1) * config.network.steps / config.curve * _per_step(config),
        network=clean,
        n_grams=n_grams,
        speech=speech,
        n_gram={name: _counted(row) for name, row in zip(ORDERS, n_grams, strict=True)},
        by_part=_by_part(clean, n_grams, speech),
        numbers=_numbers(config, text, held_out, (clean, zero, at_mean), n_grams, [each.active for each in observed]),
    )


def _per_step(config: Config) -> int:
    return config.network.batch * config.network.context


class Losses(NamedTuple):
    """Losses (document,) of a network as it is, without its MLP and with the MLP's mean; and the share of tokens on
    which each neuron is `active` (neuron,)."""

    clean: Array
    zero: Array
    at_mean: Array
    active: Array


def _observed(network: Network, held_out: Windows, kept: list[int]) -> Losses:
    x1, h = observe(network, held_out)
    replaced = (h, np.zeros_like(h), np.broadcast_to(h.mean(0), h.shape))
    clean, zero, at_mean = (
        _by_document(token_losses(network, x1, each, held_out), held_out, kept) for each in replaced
    )
    return Losses(clean, zero, at_mean, active=np.asarray((h > 0).mean(0), dtype=np.float64))


def _by_document(loss: NDArray[np.float32], held_out: Windows, kept: list[int]) -> Array:
    """Return means (document,) of losses (token,)."""
    per_window = loss.reshape(len(held_out.ids), -1).mean(-1, dtype=np.float64)
    return np.array([per_window[held_out.document == d].mean() for d in kept])


def _n_grams(text: Corpus, held_out: Windows, kept: list[int]) -> Array:
    """Return the mean loss (order, document) of n-grams on the very tokens that the networks predict.

    They see the whole document before a token, the networks only the window.
    """
    found = n_gram_losses(text.stream, [text.tokens.ids[d] for d in kept], len(text.tokens.vocabulary), len(ORDERS))
    context = held_out.ids.shape[1] - 1
    tokens = [
        (held_out.place[held_out.document == d][:, None] + np.arange(context)).ravel()  # the loss of the token after
        for d in kept
    ]
    return np.array([[loss[t].mean() for loss, t in zip(of_order, tokens, strict=True)] for of_order in found])


def _counted(loss: Array) -> Quantity:
    """Return the mean of an n-gram's losses (document,), which the text alone decides."""
    return exact(float(loss.mean()), "nats", method="mean over held-out documents; the text is given")


def _by_part(networks: Array, n_grams: Array, speech: NDArray[np.bool_]) -> dict[str, Quantity]:
    found = {}
    for part in PARTS:
        of_part = speech == (part == "speech")
        found[f"network, {part}"] = over_networks(networks[:, of_part].mean(-1), "nats")
        found |= {f"{name}, {part}": _counted(row[of_part]) for name, row in zip(ORDERS, n_grams, strict=True)}
    return found


def _numbers(
    config: Config,
    text: Corpus,
    held_out: Windows,
    losses: tuple[Array, Array, Array],
    n_grams: Array,
    active: list[Array],
) -> Numbers:
    clean, zero, at_mean = losses
    network, counts = clean.mean(-1), n_grams.mean(-1)
    apart = np.abs(clean[:, None] - clean).mean(-1)
    return Numbers(
        loss=over_networks(network, "nats"),
        gain_bigram=over_networks(counts[ORDERS.index("bigram")] - network, "nats"),
        gain_five=over_networks(counts[ORDERS.index("5-gram")] - network, "nats"),
        gain_best=over_networks(counts.min() - network, "nats"),
        cost_zero=over_networks((zero - clean).mean(-1), "nats"),
        cost_mean=over_networks((at_mean - clean).mean(-1), "nats"),
        networks_differ=over_pairs(apart, "nats", within=(0, np.inf)),
        active=over_networks([each.mean() for each in active], within=(0, 1)),
        silent=over_networks([(each == 0).sum() for each in active], within=(0, config.network.mlp)),
        parameters=exact(parameter_count(config.network)),
        trained=exact(config.network.steps * _per_step(config), "tokens"),
        stream=exact(len(text.stream), "tokens"),
        held_out=exact(held_out.ids[:, 1:].size, "tokens"),
        documents=exact(clean.shape[1]),
    )


@experiment.figure(
    "network-training",
    title="The network learns to predict text",
    caption=(
        "On held-out documents the networks lose {numbers.loss:.2f} nats per token, the bigram "
        "{n_gram.bigram:.2f} and the 5-gram {n_gram.5-gram:.2f}. Curve: mean loss of the batches in training, mean "
        "over networks; thin: each network. Dashed: n-grams on held-out documents."
    ),
    alt="A bundle of curves that fall together over the number of tokens, with dashed levels of the n-grams.",
)
def draw_training(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.4)
    for k, row in enumerate(result.curve):
        label = "each network" if k == 0 else ""
        ax.plot(result.seen / 1e6, row, color=plotting.colour("null"), linewidth=0.8, alpha=0.6, label=label)
    ax.plot(result.seen / 1e6, result.curve.mean(0), color=plotting.series(0), label="mean over networks")
    levels = {name: float(result.n_grams[ORDERS.index(name)].mean()) for name in ("bigram", "5-gram")}
    for (name, level), side in zip(levels.items(), ("bottom", "top"), strict=True):
        plotting.theory_level(ax, level, label="")
        ax.text(0.99, level, f" {name} ", va=side, ha="right", transform=ax.get_yaxis_transform())
    ax.set(xlabel="tokens seen (millions)", ylabel="loss (nats per token)")
    ax.set_ylim(min(levels["5-gram"], float(result.network.mean())) - 0.4, float(result.n_grams[0].mean()) + 0.2)
    plotting.legend(ax)
    return figure


@experiment.figure(
    "network-against-counts",
    title="Prose and code, network and n-grams",
    caption=(
        "The networks lose {by_part.network, speech:.2f} nats per token in prose and {by_part.network, code:.2f} "
        "in code, the trigram {by_part.trigram, speech:.2f} and {by_part.trigram, code:.2f}. Held-out documents; "
        "n-grams, interpolated by Witten and Bell's rule, see the whole document before a token, the networks at most "
        "the window."
    ),
    alt="Six models in rows, each with a point for prose and one for code. The unigram loses most; the network lies "
    "between the bigram and the longer n-grams.",
    interval="networks: 95 % Student t interval over networks; the held-out text is given, and n-grams have none",
)
def draw_parts(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.0)
    names = (*ORDERS, "network")
    rows = np.arange(len(names))[::-1].astype(float)
    for index, part in enumerate(PARTS):
        found = [result.by_part[f"{name}, {part}"] for name in names]
        plotting.points(
            ax,
            rows + 0.12 - 0.24 * index,
            found,
            label={"speech": "prose"}.get(part, part),
            index=index,
            horizontal=True,
        )
    ax.set(yticks=rows, yticklabels=names, xlabel="loss (nats per token)")
    plotting.legend(ax)
    return figure


@experiment.claim(
    "network-beats-bigram",
    title="The network predicts text better than the bigram",
    test="Loss of the interpolated bigram less that of the network on the same held-out documents, mean over networks.",
    criterion=above(0.2, refuted_below=0.0),
    figures=("network-training", "network-against-counts"),
    published=Verdict.SUPPORTED,
)
def beats_bigram(result: Result) -> Quantity:
    return result.numbers.gain_bigram


@experiment.claim(
    "network-beats-5-gram",
    title="The network predicts text better than the 5-gram",
    test="Loss of the interpolated 5-gram less that of the network on the same held-out documents, mean over networks.",
    criterion=above(0.0),
    figures=("network-training", "network-against-counts"),
    published=Verdict.REFUTED,
)
def beats_five(result: Result) -> Quantity:
    return result.numbers.gain_five
