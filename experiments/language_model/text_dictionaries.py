"""How much of a network's MLP does a dictionary of few active latents recover?

The second paper's first question, on a real network inside the report: sparse autoencoders of rising width on the
activations of a transformer's MLP, judged by what the network's predictions lose when the reconstruction takes the
place of the activations.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, keyed
from experiments.core.criteria import (
    Above,
    Below,
    Criterion,
    Evidence,
    Verdict,
    above,
    less_than,
    refuted_if,
    supported_if,
    where,
)
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.network import token_losses
from experiments.language_model.shared.observed import Observed, Seen, observed_in, seen_by
from experiments.language_model.shared.over_networks import over_networks, padded, per_network
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.text import ARCHIVE
from experiments.language_model.shared.width_figures import width_axis

Array = NDArray[np.float64]

SECTION = 'Towards Monosemanticity, "Problem Setup"'
ARMS = ("batchtopk", "relu", "frozen", "random")
LEARNED = "batchtopk 4x"
ULTRA_LOW = 1e-4
"""A latent that fires, but on a smaller share of tokens, is of ultra-low density."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 4  # most pieces of text per held-out document
    bins: int = 24  # of the histogram of densities


def names(config: Config) -> list[str]:
    """Return "batchtopk 4x" and so on: every arm at every width it has, and "neurons"."""
    d = config.dictionaries
    ratios = {"batchtopk": d.ratios, "relu": d.relu_ratios, "frozen": d.frozen_ratios, "random": d.ratios}
    return [f"{arm} {ratio:g}x" for arm in ARMS for ratio in ratios[arm]] + ["neurons"]


@dataclass(frozen=True)
class Scores:
    """Means over the dictionaries of one arm and width: over those of each network first, then over networks.

    `over_zero` and `over_mean` are the share of the loss recovered against setting the activations to 0 and to their
    mean: (loss without - loss with the reconstruction) / (loss without - loss as it is). In a random network
    predictions mean nothing: NaN.
    """

    over_zero: Quantity
    over_mean: Quantity
    l0: Quantity
    dead: Quantity  # share of latents that never fire on held-out text
    ultra_low: Quantity  # share that fire, on less than `ULTRA_LOW` of tokens
    explained: Quantity  # share of the variance of activations


@dataclass(frozen=True)
class Numbers:
    """Differences are of the share of loss recovered against the mean, between batch top-k dictionaries of four times
    the MLP's width and another arm: in each network on the same documents, then over networks."""

    documents: Quantity
    tokens: Quantity  # on which all is measured
    samples: Quantity  # activations that a dictionary is trained on
    trained: Quantity  # dictionaries in all
    neurons_active: Quantity  # neurons active at a token, when nothing is removed
    over_neurons: Quantity
    over_frozen: Quantity


@dataclass(frozen=True)
class Result:
    """`scores` by arm and width; arrays are of the batch top-k dictionaries, in the order of widths.

    `histogram` counts latents by the logarithm of their density, of the first network and seed.
    """

    ratios: Array  # (width,)
    histogram: NDArray[np.int64]  # (width, bin)
    edges: Array  # (bin + 1,), log10 of the share of tokens
    numbers: Numbers
    scores: dict[str, Scores] = keyed(names, why_undefined="predictions of a random network mean nothing")


experiment = Experiment(
    __name__,
    title="Dictionaries of a transformer",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=4),
    large=Config(dictionaries=DictionaryConfig(steps=12_000, recorded=1 << 21)),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text = seen_by(networks[0][0], config.windows)
    judged: dict[str, list[list[Judged]]] = {name: [[] for _ in found] for name in names(config)}
    densities: dict[float, Array] = {}
    active = []
    for k, of_network in enumerate(found):
        trained, control = (observed_in(of_kind[k], text) for of_kind in networks)
        reference = _reference(trained, text)
        active.append(float((trained.h > 0).sum(1).mean()))
        judged["neurons"][k].append(_judge_neurons(config, trained, text, reference))
        for place, dictionary in enumerate(of_network):
            at = control if dictionary.arm == "random" else trained
            one, density = _judge(dictionary, at, text, reference)
            judged[f"{dictionary.arm} {dictionary.ratio:g}x"][k].append(one)
            if k == 0 and dictionary.arm == "batchtopk" and dictionary.seed == 0:
                densities[dictionary.ratio] = density
            progress.advance("judging dictionaries", (k + place / len(of_network)) / len(found))
    edges = np.linspace(-np.log10(len(text.ids)) - 0.01, 0, config.bins + 1)
    return Result(
        ratios=np.array(config.dictionaries.ratios),
        histogram=np.array([np.histogram(np.log10(d[d > 0]), edges)[0] for d in densities.values()]),
        edges=edges,
        scores={name: _scores(of_name) for name, of_name in judged.items()},
        numbers=_numbers(config, text, judged, active),
    )


class Judged(NamedTuple):
    """Scores of one dictionary."""

    over_zero: float
    over_mean: float
    l0: float
    dead: float
    ultra_low: float
    explained: float


class Reference(NamedTuple):
    """Losses (document,) of the network as it is, without its MLP, and with the MLP's mean."""

    clean: Array
    zero: Array
    at_mean: Array


def _reference(observed: Observed, text: Seen) -> Reference:
    h = observed.h
    replaced = (h, np.zeros_like(h), np.broadcast_to(h.mean(0), h.shape))
    return Reference(*(_losses(observed, each, text) for each in replaced))


def _losses(observed: Observed, h: NDArray[np.float32], text: Seen) -> Array:
    loss = token_losses(observed.network, observed.x1, h, text.windows).astype(np.float64)
    return np.bincount(text.document, loss) / np.bincount(text.document)


def _judge(dictionary: Dictionary, observed: Observed, text: Seen, reference: Reference) -> tuple[Judged, Array]:
    f = dictionary.encoded(observed.h)
    density = np.asarray((f > 0).sum(0), dtype=np.float64).ravel() / len(text.ids)
    at = reference if dictionary.arm != "random" else None
    return _judged(dictionary.decoded(f), f, density, observed, text, at), density


def _judge_neurons(config: Config, observed: Observed, text: Seen, reference: Reference) -> Judged:
    """Judge the neurons as a dictionary: the strongest of a batch are kept, as many as latents are active."""
    wanted = round(config.dictionaries.active * len(observed.h))
    cut = np.partition(observed.h.ravel(), -wanted)[-wanted]
    kept = observed.h * (observed.h >= max(float(cut), 1e-12))
    density = (kept > 0).mean(0)
    return _judged(kept, sparse.csr_matrix(kept), density, observed, text, reference)


def _judged(
    output: NDArray[np.float32],
    f: sparse.csr_matrix,
    density: Array,
    observed: Observed,
    text: Seen,
    reference: Reference | None,
) -> Judged:
    error = float(((observed.h - output) ** 2).sum(1).mean())
    over_zero, over_mean = np.nan, np.nan
    if reference is not None:
        loss = _losses(observed, output, text)
        over_zero = float((reference.zero - loss).mean() / (reference.zero - reference.clean).mean())
        over_mean = float((reference.at_mean - loss).mean() / (reference.at_mean - reference.clean).mean())
    return Judged(
        over_zero=over_zero,
        over_mean=over_mean,
        l0=f.nnz / f.shape[0],
        dead=float((density == 0).mean()),
        ultra_low=float(((density > 0) & (density < ULTRA_LOW)).mean()),
        explained=1 - error / float(observed.h.var(0).sum()),
    )


def _scores(judged: list[list[Judged]]) -> Scores:
    """Return means over networks of the means over the dictionaries of each."""

    def of(name: str, within: tuple[float, float] | None = None) -> Quantity:
        values = _of_networks(judged, name)
        if not np.isfinite(values).any():
            return exact(np.nan, method="not defined")
        return over_networks(values, within=within)

    return Scores(
        of("over_zero"), of("over_mean"), of("l0"), of("dead", (0, 1)), of("ultra_low", (0, 1)), of("explained")
    )


def _of_networks(judged: list[list[Judged]], name: str) -> Array:
    """Return one score (network,), mean over the dictionaries of each network; NaN where there are none."""
    return per_network(padded([[[getattr(each, name) for each in of_network] for of_network in judged]])[0])


def _numbers(config: Config, text: Seen, judged: dict[str, list[list[Judged]]], active: list[float]) -> Numbers:
    d = config.dictionaries
    learned, frozen, neurons = (_of_networks(judged[name], "over_mean") for name in (LEARNED, "frozen 4x", "neurons"))
    trained = [of_network for name, of_name in judged.items() if name != "neurons" for of_network in of_name]
    return Numbers(
        documents=exact(len(np.unique(text.document))),
        tokens=exact(len(text.ids)),
        samples=exact(d.steps * d.batch),
        trained=exact(sum(map(len, trained))),
        neurons_active=over_networks(active),
        over_neurons=over_networks(learned - neurons),
        over_frozen=over_networks(learned - frozen),
    )


@experiment.figure(
    "dictionary-recovery",
    title="Loss recovered, by width",
    caption=(
        "BatchTopK dictionaries of four times the MLP's width recover {scores.batchtopk 4x.over_zero:% value} of the "
        "loss with {scores.batchtopk 4x.l0:.1f} active latents per token; as many of the strongest neurons recover "
        "{scores.neurons.over_zero:% value} (dashed). (a) Against setting the MLP to zero. (b) Against setting it to "
        "its mean. The frozen decoder stays random. Means over networks; above eight times the width, "
        "over the first networks only."
    ),
    alt=(
        "Two panels over the width of the dictionary: the curve of BatchTopK rises to a dashed level of the neurons "
        "and falls below it in the widest dictionaries, "
        "ReLU with a penalty lies somewhat below, and the frozen decoder far below."
    ),
    interval="95 % Student t interval over networks, where there are three or more; the held-out text is given",
)
def draw_recovery(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.4, sharey=True)
    for ax, kind in zip(axes, ("over_zero", "over_mean"), strict=True):
        for index, arm in enumerate(("batchtopk", "relu", "frozen")):
            chosen = [r for r in result.ratios if f"{arm} {r:g}x" in result.scores]
            found = [getattr(result.scores[f"{arm} {r:g}x"], kind) for r in chosen]
            plotting.points(ax, chosen, found, label=plotting.VARIANT_NAMES[arm], index=index, line=True)
        plotting.theory_level(ax, getattr(result.scores["neurons"], kind).value, label="neurons")
        width_axis(ax, result.ratios)
        plotting.percent_axis(ax)
        ax.set_title("against zero" if kind == "over_zero" else "against the mean")
    axes[0].set_ylabel("loss recovered")
    plotting.panel_letters(axes)
    plotting.legend(axes[0], figure=figure)
    return figure


@experiment.figure(
    "dictionary-densities",
    title="How often latents fire",
    caption=(
        "At eight times the MLP's width {scores.batchtopk 8x.dead:% value} of the latents never fire on held-out text "
        "and {scores.batchtopk 8x.ultra_low:% value} fire on fewer than one token in ten thousand. Number of latents "
        "by the share of held-out tokens on which they fire, BatchTopK, first network, every other width; latents "
        "that never fire are left out."
    ),
    alt="One curve per width over a logarithmic axis. Up to eight times the wider the dictionary, the higher the peak "
    "and the rarer the latents at it; the widest has a lower peak and many latents that hardly ever fire.",
)
def draw_densities(result: Result) -> Figure:
    figure, ax = plotting.new_figure(width="text", height=3.2)
    middle = (result.edges[1:] + result.edges[:-1]) / 2
    shown = slice(None, None, 2)  # nine shades are more than an eye tells apart
    tones = plotting.ramp(len(result.ratios[shown]))
    for tone, ratio, counts in zip(tones, result.ratios[shown], result.histogram[shown], strict=True):
        ax.plot(10**middle, counts, color=tone, label=f"{ratio:g}×")
    ax.set(xscale="log", xlabel="share of tokens on which the latent fires", ylabel="latents")
    plotting.legend(ax, title="latents per neuron", columns=5)
    return figure


@experiment.claim(
    "dictionary-recovers",
    title="Dictionaries with fewer than twenty active latents recover three quarters of the loss",
    source=SECTION,
    test=(
        "BatchTopK dictionaries of four times the MLP's width, mean over those of each network and then over "
        "networks, on held-out documents: share of the loss recovered against setting the activations to zero, and "
        "active latents per token."
    ),
    criterion=Criterion(
        supported_if(where(recovered=Above(0.75), l0=Below(20))),
        refuted_if(where(recovered=Below(0.75))),
        otherwise=Verdict.INCONCLUSIVE,
        names={"recovered": "the share recovered", "l0": "the number of active latents"},
    ),
    figures=("dictionary-recovery",),
    published=Verdict.SUPPORTED,
)
def recovers(result: Result) -> Evidence:
    found = result.scores[LEARNED]
    return Evidence(recovered=found.over_zero, l0=found.l0)


@experiment.claim(
    "dictionary-recovers-over-mean",
    title="Dictionaries recover three quarters of the loss against the mean of the activations too",
    test=(
        "Share of the loss recovered against setting the activations to their mean, a harder baseline than zero, by "
        "BatchTopK dictionaries of four times the MLP's width, mean over those of each network and then over "
        "networks, on held-out documents."
    ),
    criterion=above(0.75),
    figures=("dictionary-recovery",),
    published=Verdict.SUPPORTED,
)
def recovers_over_mean(result: Result) -> Quantity:
    return result.scores[LEARNED].over_mean


@experiment.claim(
    "dictionary-beats-neurons",
    title="A dictionary recovers more loss than as many active neurons",
    test=(
        "Share of loss recovered against the mean by BatchTopK dictionaries of four times the MLP's width, less that "
        "of the strongest neurons, as many active per token; paired by network, on the same held-out documents."
    ),
    criterion=above(0.0),
    figures=("dictionary-recovery",),
    published=Verdict.SUPPORTED,
)
def beats_neurons(result: Result) -> Quantity:
    return result.numbers.over_neurons


@experiment.claim(
    "dictionary-learned-decoder",
    title="Learning the decoder recovers more loss than a frozen random decoder",
    test=(
        "Share of loss recovered against the mean by BatchTopK dictionaries of four times the MLP's width, less that "
        "of dictionaries whose decoder stays as drawn; paired by network, on the same held-out documents."
    ),
    criterion=above(0.0),
    figures=("dictionary-recovery",),
    published=Verdict.SUPPORTED,
)
def beats_frozen(result: Result) -> Quantity:
    return result.numbers.over_frozen


@experiment.claim(
    "dictionary-latents-alive",
    title="Three quarters of the latents fire in dictionaries of eight times the MLP's width",
    test="Share of latents that never fire on held-out text, at eight times the MLP's width, mean over networks.",
    criterion=less_than(0.25),
    figures=("dictionary-densities",),
    published=Verdict.SUPPORTED,
)
def alive(result: Result) -> Quantity:
    return result.scores["batchtopk 8x"].dead
