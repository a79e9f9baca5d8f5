"""Routers and clusters: configuration, results and computation; `mixtures.mixture_routing` draws and decides."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.core.contract import keyed
from experiments.core.quantities import Quantity, bootstrap, mean
from experiments.mixtures.shared.mixture_model import Mixture, dense, matched
from experiments.mixtures.shared.mixture_samples import Source
from experiments.mixtures.shared.mixture_statistics import avoidance, least_typical_ratio, typical_ratio
from experiments.mixtures.shared.mixture_training import Found, Recipe, seeds_of, train_mixtures

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    features: int = 100
    clusters: int = 20  # of equal size; a sample belongs to one
    density: float = 0.02  # probability that a feature is present, over all samples
    purity: tuple[float, ...] = (0.0, 0.5, 0.9, 1.0)  # 0: independent features; 1: only the sample's cluster occurs
    experts: int = 5
    hidden: int = 4  # units of each expert
    balance: float = 1e-4  # weight of the load-balancing loss; published is 0.01 for a loss that is not over features
    bottlenecks: tuple[int, ...] = (2, 4)
    batch: int = 192
    steps: int = 500
    learning_rate: float = 1e-2
    evaluation: int = 32


def routers_of(config: Config) -> dict[str, Mixture]:
    """Return the mixtures by the name of their router; they differ in nothing else, but for the last of the learned."""
    shape, balance = (config.experts, config.hidden), config.balance
    return {
        "Xavier gate": Mixture(*shape),
        "Xavier gate, balanced": Mixture(*shape, balance=balance),
        "K-hot gate": Mixture(*shape, gate_start="k-hot"),
        "K-hot gate, balanced": Mixture(*shape, gate_start="k-hot", balance=balance),
        "gate with gradient": Mixture(*shape, gate_start="k-hot", renormalised=False, balance=balance),
        "bottleneck gate": Mixture(*shape, router="bottleneck", renormalised=False, balance=balance),
        "two active": Mixture(*shape, active=2, gate_start="k-hot"),
        "hash": Mixture(*shape, router="hash"),
        "cluster known": Mixture(*shape, router="label"),
        "best expert known": Mixture(*shape, router="best"),
    }


LEARNED = 7
"""The first so many routers use nothing but the input and what training gave them."""

SINGLE = 6
"""The first so many of them have one active expert, as the hash and the oracles have."""

ORACLES = ("cluster known", "best expert known")
"""What these know costs nothing, so they are compared as if they had paid for a gate."""


def router_names(config: Config) -> list[str]:
    """Return the names of routers."""
    return list(routers_of(config))


def purity_names(config: Config) -> list[str]:
    """Return the names of purities."""
    return [f"{purity:g}" for purity in config.purity]


def models_of(config: Config) -> dict[str, Mixture]:
    """Return all models by name, in the order of every array: routers, bottlenecks, dense ones."""
    routed = routers_of(config)
    width = config.experts * config.hidden
    bottlenecks = {f"top-{units} bottleneck": Mixture(1, width, units=units) for units in config.bottlenecks}
    sizes = {size for model in (*routed.values(), *bottlenecks.values()) for size in _sizes(model, config.features)}
    return {**routed, **bottlenecks, **{f"dense {size}": dense(size) for size in sorted(sizes)}}


def _sizes(model: Mixture, features: int) -> tuple[int, ...]:
    found = matched(model, features)
    return found.hidden, found.total, found.active, found.cost


@dataclass(frozen=True)
class AtPurity:
    """What holds at one purity; ratios are of losses."""

    best_learned: Quantity  # least of the learned routers, over the dense model of equal cost
    best_learned_total: Quantity  # least of the learned routers, over the dense model with as many parameters
    label: Quantity  # cluster known, over the dense model of the plain gate's cost
    best: Quantity  # best expert known, over the same
    hash: Quantity  # over the dense model of equal cost
    bottleneck_units: Quantity  # the best top-k bottleneck, over the dense model of equal cost


@dataclass(frozen=True)
class Routed:
    """One router: at the largest purity unless said otherwise."""

    cost_independent: Quantity  # loss over that of the dense model of equal cost, at the least purity
    cost_pure: Quantity
    avoidance: Quantity  # below 1: less routed interference than the best matched model, at a competitive loss
    avoidance_cost: Quantity  # the same against the dense model of equal cost alone
    routed: Quantity  # interference, share of the input's energy
    entropy: Quantity  # evenness of the use of experts
    dead: Quantity  # experts


@dataclass(frozen=True)
class Numbers:
    """What pages and claims quote."""

    purity_gain: Quantity  # best learned over dense of equal cost: at the largest purity over at the least
    gate_against_label: Quantity  # best learned with one active expert over cluster known, at the largest purity
    gate_against_hash: Quantity  # the same over the hash, at the least purity
    bottleneck_against_input: Quantity  # bottleneck gate over gate with gradient, geometric mean over purities
    balanced: Quantity  # with over without load balancing, both starts, geometric mean over purities
    least_total_pure: Quantity  # least of learned routers against equal parameters, at the largest purity
    least_avoidance_pure: Quantity
    least_avoidance_cost_pure: Quantity  # the same against the dense model of equal cost alone
    least_bottleneck_avoidance_pure: Quantity


@dataclass(frozen=True)
class Result:
    """Measures of every model on common evaluation sets."""

    purity: Array  # (purity,)
    loss: Array  # (model, purity, seed), mean squared error per feature
    routed: Array  # (model, purity, seed), interference as a share of the input's energy
    cost: Array  # (router, purity, seed), loss over that of the dense model of equal cost
    numbers: Numbers
    bottlenecks: tuple[Quantity, ...]  # avoidance of top-k bottlenecks, at the largest purity
    routers: dict[str, Routed] = keyed(router_names)
    at: dict[str, AtPurity] = keyed(purity_names)


def compare_routers(config: Config) -> Result:
    """Train and measure every router on every purity."""
    sources = [Source(config.features, config.density, config.clusters, purity) for purity in config.purity]
    recipe = Recipe(config.steps, config.learning_rate, config.evaluation)
    models, batches = models_of(config), [config.batch] * len(sources)
    found = train_mixtures(list(models.values()), sources, batches, seeds_of(config.seed, config.seeds), recipe)
    comparison = _Routers(config, found)
    return Result(
        purity=np.array(config.purity),
        loss=comparison.loss,
        routed=comparison.routed,
        cost=comparison.cost,
        numbers=comparison.numbers(),
        bottlenecks=comparison.bottlenecks(),
        routers={name: comparison.router(name) for name in routers_of(config)},
        at={name: comparison.at(number) for number, name in enumerate(purity_names(config))},
    )


class _Routers:
    """Measures of all models as arrays (model, purity, seed), and what is said about them."""

    def __init__(self, config: Config, found: list[list[list[Found]]]) -> None:
        self.config = config
        self.models = models_of(config)
        self.names = list(self.models)
        self.found = found
        self.loss, self.routed = self._of("loss"), self._of("routed")
        self.entropy, self.dead = self._of("entropy"), self._of("dead")
        self.cost = np.array([self.over_cost(name) for name in routers_of(config)])

    def _of(self, name: str) -> Array:
        values = [[[getattr(each.measures, name) for each in row] for row in by_seed] for by_seed in self.found]
        return np.moveaxis(np.array(values, np.float64), 2, 0)

    def matching(self, name: str) -> list[int]:
        """Return the places of the dense models that match in hidden units, parameters, active ones and cost."""
        return [self.names.index(f"dense {size}") for size in _sizes(self.models[name], self.config.features)]

    def of(self, name: str) -> Array:
        """Return the losses of one model (purity, seed)."""
        found: Array = self.loss[self.names.index(name)]
        return found

    def over_cost(self, name: str) -> Array:
        """Return the loss over that of the dense model of equal cost (purity, seed); oracles pay for a plain gate."""
        priced = "Xavier gate" if name in ORACLES else name
        ratio: Array = self.of(name) / self.loss[self.matching(priced)[3]]
        return ratio

    def router(self, name: str) -> Routed:
        """Return the numbers of one router."""
        place, matching = self.names.index(name), self.matching(name)
        return Routed(
            cost_independent=typical_ratio(self.over_cost(name)[0], 1.0),
            cost_pure=typical_ratio(self.over_cost(name)[-1], 1.0),
            avoidance=self.avoids(name, matching),
            avoidance_cost=self.avoids(name, matching[3:]),
            routed=mean(self.routed[place, -1]),
            entropy=mean(self.entropy[place, -1], within=(0, 1)),
            dead=mean(self.dead[place, -1], within=(0, self.config.experts)),
        )

    def avoids(self, name: str, rivals: list[int]) -> Quantity:
        """Return the score of `mixture_statistics.avoidance` at the largest purity against some dense models."""
        place, pure = self.names.index(name), slice(-1, None)
        parts = (self.loss[place, pure], self.routed[place, pure], self.loss[rivals, pure], self.routed[rivals, pure])
        return avoidance(*parts)

    def bottlenecks(self) -> tuple[Quantity, ...]:
        """Return the scores of top-k bottlenecks at the largest purity."""
        return tuple(self.avoids(name, self.matching(name)) for name in self.names if name.startswith("top-"))

    def at(self, purity: int) -> AtPurity:
        """Return what holds at one purity."""
        learned = self.names[:LEARNED]
        total = np.array([self.of(name)[purity] / self.loss[self.matching(name)[1], purity] for name in learned])
        units = [name for name in self.names if name.startswith("top-")]
        named = {"label": "cluster known", "best": "best expert known", "hash": "hash"}
        return AtPurity(
            best_learned=least_typical_ratio(self.cost[:LEARNED, [purity]]),
            best_learned_total=least_typical_ratio(total[:, None]),
            bottleneck_units=least_typical_ratio([self.over_cost(name)[[purity]] for name in units]),
            **{field: typical_ratio(self.over_cost(name)[purity], 1.0) for field, name in named.items()},
        )

    def numbers(self) -> Numbers:
        """Return what several routers say together."""
        seeds, single, learned = self.loss.shape[2], self.loss[:SINGLE], np.log(self.cost[:LEARNED])
        pure = [self.router(name) for name in self.names[:LEARNED]]
        last = len(self.config.purity) - 1
        plain, even = (
            np.concatenate([self.of(f"{start} gate{end}") for start in ("Xavier", "K-hot")])
            for end in ("", ", balanced")
        )

        def gain(chosen: NDArray[np.int64]) -> float:
            value = learned[:, :, chosen].mean(-1).min(0)
            return float(np.exp(value[-1] - value[0]))

        return Numbers(
            purity_gain=bootstrap(gain, seeds, unit="times"),
            gate_against_label=least_typical_ratio((single[:, -1] / self.of("cluster known")[-1])[:, None]),
            gate_against_hash=least_typical_ratio((single[:, 0] / self.of("hash")[0])[:, None]),
            bottleneck_against_input=typical_ratio(self.of("bottleneck gate"), self.of("gate with gradient")),
            balanced=typical_ratio(even, plain),
            least_total_pure=self.at(last).best_learned_total,
            least_avoidance_pure=_least(each.avoidance for each in pure),
            least_avoidance_cost_pure=_least(each.avoidance_cost for each in pure),
            least_bottleneck_avoidance_pure=_least(self.bottlenecks()),
        )


def _least(quantities: Iterable[Quantity]) -> Quantity:
    """Return the quantity of least value; its interval is its own, so it does not hold the choice."""
    return min(quantities, key=lambda quantity: quantity.value)
