"""Configuration and results of splitting on text; `text_splitting` trains and measures."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.core.contract import keyed, undefined
from experiments.core.quantities import Quantity, exact
from experiments.language_model.shared.children import Children, Pictured
from experiments.language_model.shared.concepts import CONCEPTS, Events
from experiments.language_model.shared.dictionaries import Dictionary, DictionaryConfig
from experiments.language_model.shared.observed import Seen
from experiments.language_model.shared.over_networks import (
    by_width,
    counted,
    of_networks,
    over_networks,
    per_network,
    share_over_networks,
)
from experiments.language_model.shared.splits import (
    Heading,
    carriers,
    carrying,
    effective_latents,
    ladders,
    split_information,
    token_null,
)

Array = NDArray[np.float64]
Ids = NDArray[np.int64]

PICTURED = "digit"
LAST = 4
"""The last width of ladders, times the MLP's: above, dictionaries are single."""


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    dictionaries: DictionaryConfig = field(default_factory=DictionaryConfig)
    windows: int = 6  # most pieces of text per held-out document
    draws: int = 49  # exchanges of contexts behind each null


@dataclass(frozen=True)
class Width:
    """Means over concepts and the dictionaries of one width of each network, then over networks; `excess` is split
    information above that with contexts exchanged among equal tokens."""

    information: Quantity
    excess: Quantity
    effective: Quantity  # latents that share a concept
    random_information: Quantity
    random_excess: Quantity


@dataclass(frozen=True)
class Numbers:
    """Differences between four times the MLP's width and half of it, in each network and then over networks.

    A ladder is the dictionaries of one network and seed.
    """

    information_rises: Quantity
    excess_rises: Quantity
    effective_rises: Quantity
    over_random: Quantity  # how much more the excess rises than in the random network
    ladders: Quantity  # share of ladders in which some concept goes from one latent to two to three or more
    long_ladders: Quantity  # the same from an eighth of the MLP's width instead of half
    climbing: Quantity  # concepts that climb a long ladder, mean over ladders of a network, then over networks
    long_climbs: Quantity  # in how many of all long ladders some concept climbs
    digit_climbs: Quantity  # in how many of all shorter ladders the digit does
    concepts: Quantity
    events: Quantity
    digit_children: Quantity  # latents that carry the digit at the widest dictionary pictured


@dataclass(frozen=True)
class Result:
    """Axes: width, network, dictionary, concept. `carrier` and `leaf` are the pictured concept's events in the
    dictionaries of the first network and seed; `bars` counts events of the latents that carry it in the widest, by
    leaf."""

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
    climbs: NDArray[np.bool_]  # (network, ladder, concept), long ladders
    climber: Children  # at four times the MLP's width
    information: Array = undefined("wide dictionaries are fewer")
    excess: Array = undefined("wide dictionaries are fewer")
    effective: Array = undefined("wide dictionaries are fewer")
    counted: Array = undefined("wide dictionaries are fewer")  # latents that carry at least a twentieth
    width: dict[str, Width] = keyed(lambda config: [f"{ratio:g}x" for ratio in config.dictionaries.ratios])
    concept: dict[str, Quantity] = keyed(lambda config: CONCEPTS)  # effective latents at four times


class Split(NamedTuple):
    """One dictionary and one concept."""

    information: float
    excess: float
    above_null: bool  # above the central 95 % of contexts exchanged among equal tokens
    effective: float
    counted: int


def split_of(
    config: Config,
    one: Dictionary,
    f: sparse.csr_matrix,
    concept: Heading,
    text: Seen,
    of: Events,
    rng: np.random.Generator,
) -> Split:
    """Return how a dictionary's latents `f` (token, latent) carry a concept; `rng` exchanges contexts for the null."""
    carrier = carriers(one, f, concept, of)
    information = split_information(carrier, of.leaf, len(of.leaves))
    null = token_null(carrier, of.leaf, text.ids[of.token], len(of.leaves), config.draws, rng)
    above_null = bool(information > np.quantile(null, 0.975))
    return Split(
        information, information - float(null.mean()), above_null, effective_latents(carrier), len(carrying(carrier))
    )


Splits = dict[float, list[list[list[Split]]]]
"""By width, (network, dictionary, concept)."""


def climbing(d: DictionaryConfig, arrays: dict[str, Array], first: int = 0) -> NDArray[np.bool_]:
    """Return whether each ladder climbs, from width number `first` to the last, above exchanged contexts.

    (network, ladder, concept).
    """
    last = d.ratios.index(LAST)
    return np.asarray(ladders(arrays["counted"][first : last + 1]) & (arrays["above_null"][last] > 0))


def result_of(
    config: Config,
    chosen: dict[str, Events],
    arrays: dict[str, Array],
    random: Splits,
    pictured: Pictured,
    climbs: NDArray[np.bool_],
    climber: Children,
) -> Result:
    """Return the result from `arrays`, (width, network, dictionary, concept), and the splits in random networks."""
    d = config.dictionaries
    control = {name: by_width(random, name) for name in ("information", "excess")}
    names = [f"{ratio:g}x" for ratio in d.ratios]
    effective = {name: exact(0.0, method="the concept occurs in one context only") for name in CONCEPTS}
    at = d.ratios.index(LAST)
    effective |= {name: over_networks(per_network(arrays["effective"][at, ..., k])) for k, name in enumerate(chosen)}
    return Result(
        ratios=np.array(d.ratios),
        concepts=tuple(chosen),
        **pictured._asdict(),
        numbers=_numbers(config, chosen, arrays, control, pictured, climbs),
        climbs=climbs,
        climber=climber,
        information=arrays["information"],
        excess=arrays["excess"],
        effective=arrays["effective"],
        counted=arrays["counted"],
        width={
            name: Width(
                information=over_networks(of_networks(arrays["information"][k]), within=(0, 1)),
                excess=over_networks(of_networks(arrays["excess"][k])),
                effective=over_networks(of_networks(arrays["effective"][k])),
                random_information=over_networks(of_networks(control["information"][k]), within=(0, 1)),
                random_excess=over_networks(of_networks(control["excess"][k])),
            )
            for k, name in enumerate(names)
        },
        concept=effective,
    )


def _numbers(
    config: Config,
    chosen: dict[str, Events],
    arrays: dict[str, Array],
    control: dict[str, Array],
    pictured: Pictured,
    climbs: NDArray[np.bool_],
) -> Numbers:
    d = config.dictionaries
    low, high = d.ratios.index(0.5), d.ratios.index(LAST)
    rises = {name: of_networks(arrays[name][high] - arrays[name][low]) for name in arrays}
    random = of_networks(control["excess"][high] - control["excess"][low])
    grows = climbing(d, arrays, low)
    place = list(chosen).index(PICTURED)
    return Numbers(
        information_rises=over_networks(rises["information"]),
        excess_rises=over_networks(rises["excess"]),
        effective_rises=over_networks(rises["effective"]),
        over_random=over_networks(rises["excess"] - random),
        ladders=share_over_networks(grows.any(-1)),
        long_ladders=share_over_networks(climbs.any(-1)),
        climbing=over_networks(per_network(climbs.sum(-1)), within=(0, len(chosen))),
        long_climbs=counted(climbs.any(-1), "ladders"),
        digit_climbs=counted(grows[..., place], "ladders"),
        concepts=exact(len(chosen)),
        events=exact(sum(len(of.token) for of in chosen.values())),
        digit_children=exact(len(pictured.latents)),
    )
