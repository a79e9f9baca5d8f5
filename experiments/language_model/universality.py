"""Do networks have the same features? Best-match correlations of latents, neurons and a random control.

Networks that differ in first weights and in the order of the data; a dictionary for each. In every pair of networks,
each latent of one is compared with all latents of the other on the same held-out text. Since both networks read the
same tokens, part of any agreement is the token; it is taken out as a second measure.
"""

from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import sparse

from experiments.core import plotting, progress
from experiments.core.contract import Experiment, undefined
from experiments.core.criteria import Above, Below, Criterion, Evidence, Verdict, above, refuted_if, supported_if, where
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.dictionaries import (
    QUICK_DICTIONARIES,
    Dictionary,
    DictionaryConfig,
    all_networks,
    dictionaries,
)
from experiments.language_model.shared.observed import Seen, observed_in, seen_by
from experiments.language_model.shared.over_networks import over_networks, over_pairs
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
    """Medians over units of the correlation with the best match, mean over both directions of a pair and over pairs;
    `beyond` after taking out each token's mean."""

    correlation: Quantity
    beyond: Quantity


@dataclass(frozen=True)
class Numbers:
    """Differences of medians, latents less neurons and latents less those of random networks, in each pair of
    networks, then mean over pairs."""

    over_neurons: Quantity
    over_random: Quantity
    beyond_over_random: Quantity
    beyond_over_neurons: Quantity
    networks: Quantity
    pairs: Quantity
    tokens: Quantity
    latents: Quantity  # of the first network that are compared
    neurons: Quantity


@dataclass(frozen=True)
class Result:
    """Agreement over all pairs of networks, one dictionary each, and the correlation of each unit of the first network
    with its best match in the second. `same` compares two dictionaries of one network."""

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
    text = seen_by(networks[0][0], config.windows)
    entries = d.network.text.entries
    units: dict[str, list[Units]] = {kind: [] for kind in ("latent", "neuron", "random_latent", "other_latent")}
    for k, of_network in enumerate(found):
        trained, control = (observed_in(of_kind[k], text).h for of_kind in networks)
        for kind, f in {
            "latent": _one(of_network, "batchtopk", 0).encoded(trained),
            "neuron": sparse.csr_matrix(trained),
            "random_latent": _one(of_network, "random", 0).encoded(control),
            "other_latent": _one(of_network, "batchtopk", 1).encoded(trained),
        }.items():
            units[kind].append(_units(f, text, entries))
    agreement: dict[str, Array] = {}
    first: dict[str, Array] = {}
    for place, kind in enumerate(("latent", "neuron", "random_latent")):
        agreement[kind], first[kind] = _all_pairs(units[kind], text)
        progress.advance("comparing networks", (place + 1) / 4)
    same = [_matched(a, b, text) for a, b in zip(units["latent"], units["other_latent"], strict=True)]
    return Result(
        latents=_agreement(agreement["latent"]),
        neurons=_agreement(agreement["neuron"]),
        random=_agreement(agreement["random_latent"]),
        same=Agreement(*(over_networks(row, within=(-1, 1)) for row in np.array([_medians(*of) for of in same]).T)),
        numbers=_numbers(agreement, first, text),
        **first,
        same_latent=same[0][0],
    )


class Units(NamedTuple):
    """Latents or neurons of a network: activations `f` (token, unit), the `mean` of each at each token of the
    vocabulary (token id, unit), and which are active `often` enough to be compared (unit,)."""

    f: sparse.csr_matrix
    mean: Array
    often: NDArray[np.bool_]


def _one(of_network: list[Dictionary], arm: str, seed: int) -> Dictionary:
    return next(d for d in of_network if d.arm == arm and d.ratio == RATIO and d.seed == seed)


def _units(f: sparse.csr_matrix, text: Seen, entries: int) -> Units:
    often = np.asarray((f > 0).sum(0)).ravel() >= LEAST
    return Units(f, residual_of_token(f, text.ids, entries), often)


def _all_pairs(units: list[Units], text: Seen) -> tuple[Array, Array]:
    """Return the agreement (network, network, 2) of each pair, and the best matches of the first network in the second.

    Agreement is the median correlation with the best match, mean over both directions; as it is and beyond the token.
    """
    found = np.zeros((len(units), len(units), 2))
    pairs = {(i, j): _matched(units[i], units[j], text) for i, j in combinations(range(len(units)), 2)}
    for (i, j), of_pair in pairs.items():
        found[i, j] = found[j, i] = _medians(*of_pair)
    return found, pairs[0, 1][0]


def _medians(there: Array, back: Array) -> Array:
    """Return the median over units of `there` and of `back` (unit, 2), NaN left out, and the mean of the two (2,)."""
    return np.asarray((np.nanmedian(there, axis=0) + np.nanmedian(back, axis=0)) / 2)


def _matched(a: Units, b: Units, text: Seen) -> tuple[Array, Array]:
    """Return the best correlation (unit, 2) of each unit of `a` with one of `b`, and the other way round.

    As it is and beyond the token, NaN for a unit that does not vary; only of units that are active often.
    """
    nothing_a, nothing_b = (np.zeros((1, each.f.shape[1])) for each in (a, b))
    plain = correlations(a.f, b.f, nothing_a, nothing_b, np.zeros(len(text.ids), np.int64))
    beyond = correlations(a.f, b.f, a.mean, b.mean, text.ids)
    there, back = (np.stack([each.max(axis) for each in (plain, beyond)], axis=1) for axis in (1, 0))
    return _known(there[a.often]), _known(back[b.often])


def _known(best: Array) -> Array:
    return np.where(np.isfinite(best), np.minimum(best, 1.0), np.nan)


def correlations(
    a: sparse.csr_matrix, b: sparse.csr_matrix, mean_a: Array, mean_b: Array, group: NDArray[np.int64]
) -> Array:
    """Return correlations (column of a, column of b) with group means taken out, -inf where a column does not vary.

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
        return np.asarray(np.where(scale > 1e-12, sums["ab"] / scale, -np.inf))


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


def _agreement(medians: Array) -> Agreement:
    """Return means over pairs of `medians` (network, network, 2)."""
    return Agreement(*(over_pairs(medians[..., k], within=(-1, 1)) for k in range(2)))


def _numbers(agreement: dict[str, Array], first: dict[str, Array], text: Seen) -> Numbers:
    plain, beyond = ({kind: of[..., k] for kind, of in agreement.items()} for k in range(2))
    networks = len(plain["latent"])
    return Numbers(
        over_neurons=over_pairs(plain["latent"] - plain["neuron"]),
        over_random=over_pairs(plain["latent"] - plain["random_latent"]),
        beyond_over_random=over_pairs(beyond["latent"] - beyond["random_latent"]),
        beyond_over_neurons=over_pairs(beyond["latent"] - beyond["neuron"]),
        networks=exact(networks),
        pairs=exact(networks * (networks - 1) // 2),
        tokens=exact(len(text.ids)),
        latents=exact(len(first["latent"])),
        neurons=exact(len(first["neuron"])),
    )


@experiment.figure(
    "universality",
    title="The best match in another network",
    caption=(
        "The median latent of one network correlates by {latents.correlation:.2f} with its best match in another, "
        "the median neuron by {neurons.correlation:.2f}, and the median latent of a random network by "
        "{random.correlation:.2f}; means over {numbers.pairs:value} pairs of networks. (a) Correlation of activations "
        "on held-out text. (b) After taking out each token's mean: {latents.beyond:.2f}, {neurons.beyond:.2f} and "
        "{random.beyond:.2f}. Points: units of the first network, matched in the second; same network: latents of one "
        "dictionary of the first network, matched in another."
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
        "Median over units of the correlation with the best match in another network on held-out text, latents less "
        "neurons; dictionaries of twice the MLP's width. Mean over all pairs of networks, with the network as the unit."
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
        "Median correlation with the best match after taking out each token's mean, trained less random networks, and "
        "the same without taking anything out; means over all pairs of networks."
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
