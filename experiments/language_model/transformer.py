"""Is the network a language model? A transformer of one layer against counts of tokens, on documents held out.

Two networks, which differ in first weights and in the order of the data, learn to predict the next token of
presidential messages and Python modules. Everything else in this part looks inside them.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.core import plotting
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import Verdict, above
from experiments.core.quantities import Quantity, exact, mean
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
    networks: int = 2
    windows: int = 24  # most pieces of `network.context` tokens per held-out document
    curve: int = 100  # points of the curve of training


@dataclass(frozen=True)
class Numbers:
    """Losses in nats per token, each document counting once; differences are paired by document."""

    loss: Quantity
    gain_bigram: Quantity  # loss of the bigram less that of the network
    gain_five: Quantity
    gain_best: Quantity  # over the best of the n-grams
    cost_zero: Quantity  # how much the loss rises when the MLP's activations are set to 0
    cost_mean: Quantity  # and when they are set to their means
    networks_differ: Quantity  # absolute difference of the networks, per document
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
    quick=Config(network=QUICK, windows=4, curve=20),
    large=Config(network=NetworkConfig(steps=50_000, model=128, mlp=512, heads=8)),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    text = corpus(config.network.text)
    networks = trained_networks(seeded_network(config.network, config.seed), config.networks)
    held_out = windows(text, config.network.context, config.windows)
    kept = sorted(set(held_out.document.tolist()))
    observed = [_observed(network, held_out) for network in networks]
    clean, zero, at_mean = (_by_document(np.array([o[k] for o in observed]), held_out, kept) for k in range(3))
    n_grams = _n_grams(text, held_out, kept)
    speech = np.array([text.documents[d].part == "speech" for d in kept])
    return Result(
        curve=np.array([network.loss.reshape(config.curve, -1).mean(1) for network in networks]),
        seen=np.arange(1.0, config.curve + 1) * config.network.steps / config.curve * _per_step(config),
        network=clean,
        n_grams=n_grams,
        speech=speech,
        n_gram={name: mean(row, "nats") for name, row in zip(ORDERS, n_grams, strict=True)},
        by_part=_by_part(clean.mean(0), n_grams, speech),
        numbers=_numbers(config, text, held_out, clean, zero, at_mean, n_grams, [o[3] for o in observed]),
    )


def _per_step(config: Config) -> int:
    return config.network.batch * config.network.context


def _observed(
    network: Network, held_out: Windows
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], Array]:
    """Return the loss at every token as it is, without the MLP and with its mean, and how often neurons are active."""
    x1, h = observe(network, held_out)
    clean = token_losses(network, x1, h, held_out)
    zero = token_losses(network, x1, np.zeros_like(h), held_out)
    at_mean = token_losses(network, x1, np.broadcast_to(h.mean(0), h.shape), held_out)
    return clean, zero, at_mean, np.asarray((h > 0).mean(0), dtype=np.float64)


def _by_document(loss: Array, held_out: Windows, kept: list[int]) -> Array:
    """Return means (..., document) of losses (..., token)."""
    per_window = loss.reshape(*loss.shape[:-1], len(held_out.ids), -1).mean(-1, dtype=np.float64)
    return np.stack([per_window[..., held_out.document == d].mean(-1) for d in kept], axis=-1)


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


def _by_part(network: Array, n_grams: Array, speech: NDArray[np.bool_]) -> dict[str, Quantity]:
    rows = {"network": network, **dict(zip(ORDERS, n_grams, strict=True))}
    return {
        f"{name}, {part}": mean(row[speech == (part == "speech")], "nats")
        for name, row in rows.items()
        for part in PARTS
    }


def _numbers(
    config: Config,
    text: Corpus,
    held_out: Windows,
    clean: Array,
    zero: Array,
    at_mean: Array,
    n_grams: Array,
    active: list[Array],
) -> Numbers:
    network = clean.mean(0)
    return Numbers(
        loss=mean(network, "nats"),
        gain_bigram=mean(n_grams[ORDERS.index("bigram")] - network, "nats"),
        gain_five=mean(n_grams[ORDERS.index("5-gram")] - network, "nats"),
        gain_best=mean(n_grams[n_grams.mean(1).argmin()] - network, "nats"),
        cost_zero=mean((zero - clean).mean(0), "nats"),
        cost_mean=mean((at_mean - clean).mean(0), "nats"),
        networks_differ=mean(np.ptp(clean, axis=0), "nats"),
        active=exact(float(np.mean(active)), method="share of tokens, mean over neurons and networks"),
        silent=exact(float(np.mean([(each == 0).sum() for each in active])), method="mean over networks"),
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
        "{n_gram.bigram:.2f} and the 5-gram {n_gram.5-gram:.2f}. Curves: mean loss of the batches in training, one "
        "curve per network. Dashed: n-grams on held-out documents."
    ),
    alt="Two curves that fall together over the number of tokens, with dashed levels of the n-grams.",
)
def draw_training(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.4)
    for k, row in enumerate(result.curve):
        ax.plot(result.seen / 1e6, row, color=plotting.series(k), label=f"network {k + 1}")
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
    interval="95 % Student t interval over held-out documents",
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
    test="Loss of the interpolated bigram less that of the network, paired by held-out document, mean of two networks.",
    criterion=above(0.2, refuted_below=0.0),
    figures=("network-training", "network-against-counts"),
    published=Verdict.SUPPORTED,
)
def beats_bigram(result: Result) -> Quantity:
    return result.numbers.gain_bigram


@experiment.claim(
    "network-beats-5-gram",
    title="The network predicts text better than the 5-gram",
    test="Loss of the interpolated 5-gram less that of the network, paired by held-out document, mean of two networks.",
    criterion=above(0.0),
    figures=("network-training", "network-against-counts"),
    published=Verdict.REFUTED,
)
def beats_five(result: Result) -> Quantity:
    return result.numbers.gain_five
