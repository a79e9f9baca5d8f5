"""Do two networks have the same features? Best-match correlations of latents, neurons and a random control.

Two networks that differ in first weights and in the order of the data; a dictionary for each. Every latent of one is
compared with all latents of the other on the same held-out text. Since both networks read the same tokens, part of any
agreement is the token; it is taken out as a second measure.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, above, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, bootstrap, exact
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import Observed, Seen, seen_by
from experiments.language_model.shared.seeded import seeded
from experiments.language_model.shared.text import ARCHIVE
from experiments.language_model.shared.token_share import residual_of_token

Array = NDArray[np.float64]

SECTION = 'Towards Monosemanticity, "Universality"'
RATIO = 2.0
LEAST = 20
"""Tokens on which a unit must be active to be compared."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 6  # most pieces of text per held-out document


@dataclass(frozen=True)
class Agreement:
    """Medians over units of the correlation with the best match; `beyond` after taking out each token's mean."""

    correlation: Quantity
    beyond: Quantity


@dataclass(frozen=True)
class Numbers:
    """Differences of medians, latents less neurons and latents less those of random networks; units resampled."""

    over_neurons: Quantity
    over_random: Quantity
    beyond_over_random: Quantity
    beyond_over_neurons: Quantity
    tokens: Quantity
    latents: Quantity  # of the first network that are compared
    neurons: Quantity


@dataclass(frozen=True)
class Result:
    """Correlation of each unit of the first network with its best match in the second, one dictionary seed each;
    `..._beyond` after taking out each token's mean. `same` compares two dictionaries of one network."""

    latents: Agreement
    neurons: Agreement
    random: Agreement  # latents of two random networks
    same: Agreement
    numbers: Numbers
    latent: Array = undefined("never varies beyond the token")  # (latent, 2): correlation, beyond the token
    neuron: Array = undefined("never varies beyond the token")  # (neuron, 2)
    random_latent: Array = undefined("never varies beyond the token")  # (latent, 2)
    same_latent: Array = undefined("never varies beyond the token")  # (latent, 2)


experiment = Experiment(
    __name__,
    title="Universality",
    config=Config(),
    quick=Config(dictionaries=QUICK_DICTIONARIES, windows=24),
    inputs=(ARCHIVE,),
)


@experiment.run
def run(config: Config, device: str) -> Result:
    d = seeded(config.dictionaries, config.seed)
    networks = all_networks(d)
    found = dictionaries(d, networks)
    text, observed = seen_by(networks[0], config.windows)
    _, of_random = seen_by(networks[1], config.windows)
    entries = d.network.text.entries
    first, second = (_encoded(found[k], "batchtopk", 0, observed[k]) for k in (0, 1))
    pairs = {
        "latent": (first, second),
        "neuron": (sparse.csr_matrix(observed[0].h), sparse.csr_matrix(observed[1].h)),
        "random_latent": tuple(_encoded(found[k], "random", 0, of_random[k]) for k in (0, 1)),
        "same_latent": (first, _encoded(found[0], "batchtopk", 1, observed[0])),
    }
    matched: dict[str, Array] = {}
    for place, (name, (a, b)) in enumerate(pairs.items()):
        matched[name] = _matched(a, b, text, entries)
        progress.advance("comparing two networks", (place + 1) / len(pairs))
    agreement = {name: _agreement(values) for name, values in matched.items()}
    return Result(
        latents=agreement["latent"],
        neurons=agreement["neuron"],
        random=agreement["random_latent"],
        same=agreement["same_latent"],
        numbers=_numbers(matched, text),
        **matched,
    )


def _encoded(of_network: list[Dictionary], arm: str, seed: int, observed: Observed) -> sparse.csr_matrix:
    one = next(d for d in of_network if d.arm == arm and d.ratio == RATIO and d.seed == seed)
    return one.encoded(observed.h)


def _matched(a: sparse.csr_matrix, b: sparse.csr_matrix, text: Seen, entries: int) -> Array:
    """Return the best correlation (unit, 2) of each unit of `a` with one of `b`, as it is and beyond the token."""
    often = np.asarray((a > 0).sum(0)).ravel() >= LEAST
    a = a[:, np.flatnonzero(often)]
    plain = best_matches(a, b, np.zeros((1, a.shape[1])), np.zeros((1, b.shape[1])), np.zeros(len(text.ids), np.int64))
    mean_a, mean_b = (residual_of_token(f, text.ids, entries) for f in (a, b))
    return np.stack([plain, best_matches(a, b, mean_a, mean_b, text.ids)], axis=1)


def best_matches(
    a: sparse.csr_matrix, b: sparse.csr_matrix, mean_a: Array, mean_b: Array, group: NDArray[np.int64]
) -> Array:
    """Return the largest correlation (unit,) of each column of `a` with a column of `b`, group means taken out.

    `mean_a`, `mean_b` (group, column) are taken from the rows of each `group` (row,); rows of zeros leave columns as
    they are. A correlation is about the mean over all rows.
    """
    rows = a.shape[0]
    count = np.bincount(group, minlength=len(mean_a)).astype(np.float64)
    sums = {}
    for name, (f, g, mean_f, mean_g) in {
        "ab": (a, b, mean_a, mean_b), "aa": (a, a, mean_a, mean_a), "bb": (b, b, mean_b, mean_b)
    }.items():  # fmt: skip
        sums[name] = _products(f, g, mean_f, mean_g, count, rows, diagonal=name != "ab")
    scale = np.sqrt(np.outer(np.maximum(sums["aa"], 0), np.maximum(sums["bb"], 0)))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(scale > 1e-12, sums["ab"] / scale, -np.inf)
    best = correlation.max(1)
    return np.where(np.isfinite(best), np.minimum(best, 1.0), np.nan)


def _products(
    f: sparse.csr_matrix, g: sparse.csr_matrix, mean_f: Array, mean_g: Array, count: Array, rows: int, diagonal: bool
) -> Array:
    """Return sums of products of columns less their group means (and overall means): all pairs, or each with itself.

    With group means m and residuals r = f - m[group], sum r_f r_g = sum f g - sum over groups of n m_f m_g, since m is
    the mean of f in its group or 0; the overall mean of r is 0 or that of f.
    """
    total_f, total_g = (
        np.asarray(each.sum(0), dtype=np.float64).ravel() - count @ mean for each, mean in ((f, mean_f), (g, mean_g))
    )
    if diagonal:
        square = np.asarray(f.multiply(f).sum(0), dtype=np.float64).ravel()
        return np.asarray(square - (count[:, None] * mean_f**2).sum(0) - total_f**2 / rows)
    product = np.asarray((f.T @ g).todense(), dtype=np.float64)
    return np.asarray(product - (count[:, None] * mean_f).T @ mean_g - np.outer(total_f, total_g) / rows)


def _agreement(values: Array) -> Agreement:
    return Agreement(*(_median(values[:, k]) for k in range(2)))


def _median(values: Array) -> Quantity:
    known = values[np.isfinite(values)]
    return bootstrap(lambda chosen: float(np.median(known[chosen])), len(known), of="units of one pair of networks")


def _difference(first: Array, second: Array) -> Quantity:
    """Return the difference of two medians; units of both kinds are resampled."""
    a, b = first[np.isfinite(first)], second[np.isfinite(second)]
    rng = np.random.default_rng(1)
    drawn = [float(np.median(rng.choice(a, len(a))) - np.median(rng.choice(b, len(b)))) for _ in range(1000)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Quantity(
        float(np.median(a) - np.median(b)), float(low), float(high), len(a), "",
        "percentile bootstrap over units of one pair of networks, 95 %",
    )  # fmt: skip


def _numbers(matched: dict[str, Array], text: Seen) -> Numbers:
    latent, neuron, random = (matched[name] for name in ("latent", "neuron", "random_latent"))
    return Numbers(
        over_neurons=_difference(latent[:, 0], neuron[:, 0]),
        over_random=_difference(latent[:, 0], random[:, 0]),
        beyond_over_random=_difference(latent[:, 1], random[:, 1]),
        beyond_over_neurons=_difference(latent[:, 1], neuron[:, 1]),
        tokens=exact(len(text.ids)),
        latents=exact(len(latent)),
        neurons=exact(len(neuron)),
    )


@experiment.figure(
    "universality",
    title="The best match in another network",
    caption=(
        "The median latent of one network correlates by {latents.correlation:.2f} with its best match in the other, "
        "the median neuron by {neurons.correlation:.2f}, and the median latent of a random network by "
        "{random.correlation:.2f}. (a) Correlation of activations on held-out text. (b) After taking out each "
        "token's mean: {latents.beyond:.2f}, {neurons.beyond:.2f} and {random.beyond:.2f}."
    ),
    alt="Two panels of four strips of points. The medians rise from latents of random networks, near zero, over "
    "neurons and latents to latents of two dictionaries of one network.",
)
def draw(result: Result) -> Figure:
    figure, axes = plotting.new_figure(1, 2, width="wide", height=3.6, sharey=True)
    groups = {
        "latents": result.latent,
        "neurons": result.neuron,
        "random\nnetworks": result.random_latent,
        "same\nnetwork": result.same_latent,
    }
    for k, ax in enumerate(axes):
        plotting.distribution_strip(
            ax, {name: each[np.isfinite(each[:, k]), k] for name, each in groups.items()}, index=None
        )
        ax.set_title(("as it is", "beyond the token")[k])
        ax.tick_params(axis="x", labelsize=7.5)
    axes[0].set_ylabel("correlation with the best match")
    plotting.panel_letters(axes)
    return figure


@experiment.claim(
    "universality-latents",
    title="Latents are more alike in two networks than neurons are",
    source=SECTION,
    test=(
        "Median over units of the correlation with the best match in the other network on held-out text, latents less "
        "neurons; dictionaries of twice the MLP's width. The interval is over units: there is one pair of networks."
    ),
    criterion=above(0.0),
    figures=("universality",),
    published=Verdict.SUPPORTED,
)
def latents_over_neurons(result: Result) -> Quantity:
    return result.numbers.over_neurons


@experiment.claim(
    "universality-learned",
    title="Latents of trained networks agree beyond the token more than those of random networks",
    source=SECTION,
    test=(
        "Median correlation with the best match after taking out each token's mean, trained less random networks; and "
        "the same without taking anything out."
    ),
    criterion=Criterion(
        supported_if(where(beyond=Above(0.0), plain=Above(0.0))),
        refuted_if(where(beyond=Below(0.0))),
        otherwise=Verdict.MIXED,
        names={"beyond": "the difference beyond the token", "plain": "the difference as it is"},
    ),
    figures=("universality",),
    published=Verdict.SUPPORTED,
)
def learned(result: Result) -> Evidence:
    return Evidence(beyond=result.numbers.beyond_over_random, plain=result.numbers.over_random)
