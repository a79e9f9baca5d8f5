"""The comparison of mixtures with dense models that match them: trains all, measures all, sums up."""

import numpy as np

from experiments.core.quantities import Quantity, exact, mean
from experiments.mixtures.shared.mixture_model import Mixture, matched, multiply_adds, parameters
from experiments.mixtures.shared.mixture_results import (
    KINDS,
    Against,
    Array,
    Compared,
    Config,
    Numbers,
    Result,
    bottlenecks_of,
    mixtures_of,
    models_of,
    name_of,
)
from experiments.mixtures.shared.mixture_samples import Source
from experiments.mixtures.shared.mixture_statistics import (
    TOLERANCE,
    avoidance,
    interference_at_equal_loss,
    least_typical_ratio,
    typical_ratio,
)
from experiments.mixtures.shared.mixture_training import Found, Recipe, seeds_of, train_mixtures

MEASURED = ("loss", "routed", "general", "mass_per_unit", "entropy", "dead", "dimensionality")


def compare(config: Config) -> Result:
    """Train and measure all models on the same samples and return their comparison."""
    seeds = seeds_of(config.seed, config.seeds)
    sources = [Source(config.features, p) for p in config.p]
    recipe = Recipe(config.steps, config.learning_rate, config.evaluation)
    found = train_mixtures(models_of(config), sources, config.batch, seeds, recipe)
    comparison = _Comparison(config, found)
    measured = comparison.measured
    return Result(
        p=np.array(config.p),
        multiply_adds=np.array([multiply_adds(model, config.features) for model in comparison.models]),
        **{name: measured[name] for name in MEASURED if name != "dimensionality"},
        mass_dense=measured["mass_per_unit"][comparison.dense[config.hidden]],
        numbers=comparison.numbers(_longer(config, seeds)),
        compared={name_of(model): comparison.compared(model) for model in comparison.candidates},
        published={name_of(model): comparison.excess(model) for model in mixtures_of(config)},
    )


def _longer(config: Config, seeds: tuple[int, ...]) -> Array:
    """Return the loss at the rare density of the dense model and a mixture after more steps (model, seed)."""
    models = _checked(config)
    rare = config.p.index(config.rare_p)
    recipe = Recipe(config.steps * config.longer, config.learning_rate, config.evaluation)
    found = train_mixtures(models, [Source(config.features, config.rare_p)], [config.batch[rare]], seeds, recipe)
    return np.array([[each.measures.loss for each in row] for row in found[0]]).T


def _checked(config: Config) -> list[Mixture]:
    """Return the models whose convergence is checked: the dense one and the last K-hot mixture with one active."""
    dense = next(model for model in models_of(config) if model.experts == 1 and model.hidden == config.hidden)
    single = [model for model in mixtures_of(config) if model.gate_start == "k-hot" and model.active == 1]
    return [dense, single[-1]]


class _Comparison:
    """Measures of all models as arrays (model, density, seed), and what is said about them."""

    def __init__(self, config: Config, found: list[list[list[Found]]]) -> None:
        self.config = config
        self.found = found
        self.models = models_of(config)
        self.candidates = [*mixtures_of(config), *bottlenecks_of(config)]
        self.rare = config.p.index(config.rare_p)
        self.place = {model: number for number, model in enumerate(self.models)}
        self.dense = {m.hidden: k for k, m in enumerate(self.models) if m.experts == 1 and not m.units}
        self.measured = {name: self._of(name) for name in MEASURED}

    def _of(self, name: str) -> Array:
        values = [[[getattr(each.measures, name) for each in row] for row in by_seed] for by_seed in self.found]
        return np.moveaxis(np.array(values, np.float64), 2, 0)

    def baseline(self, model: Mixture, kind: str) -> int:
        """Return the place of the dense model that matches `model` in `kind`."""
        return self.dense[getattr(matched(model, self.config.features), kind)]

    def ratio(self, model: Mixture, kind: str) -> Array:
        """Return the loss over that of the matched dense model (density, seed)."""
        loss = self.measured["loss"]
        ratio: Array = loss[self.place[model]] / loss[self.baseline(model, kind)]
        return ratio

    def against(self, model: Mixture) -> Against:
        """Return all ratios of one model."""
        whole = {kind: typical_ratio(self.ratio(model, kind), 1.0) for kind in KINDS}
        rare = {f"{kind}_rare": typical_ratio(self.ratio(model, kind)[self.rare], 1.0) for kind in ("total", "cost")}
        return Against(**whole, **rare)

    def avoidance(self, model: Mixture) -> Quantity:
        """Return the score of `mixture_statistics.avoidance` against every matched dense model."""
        matching = sorted({self.baseline(model, kind) for kind in KINDS})
        loss, routed = self.measured["loss"], self.measured["routed"]
        return avoidance(loss[self.place[model]], routed[self.place[model]], loss[matching], routed[matching])

    def avoidance_cost(self, model: Mixture) -> Quantity:
        """Return that score against the dense model of equal cost alone."""
        place, rival = self.place[model], [self.baseline(model, "cost")]
        loss, routed = self.measured["loss"], self.measured["routed"]
        return avoidance(loss[place], routed[place], loss[rival], routed[rival])

    def same_loss(self, model: Mixture) -> Quantity:
        """Return routed interference over that of a dense model of the same loss."""
        place, sizes = self.place[model], list(self.dense.values())
        loss, routed = self.measured["loss"], self.measured["routed"]
        return interference_at_equal_loss(loss[place], routed[place], loss[sizes], routed[sizes])

    def compared(self, model: Mixture) -> Compared:
        """Return the numbers of one mixture or bottleneck."""
        features, place = self.config.features, self.place[model]
        rare = {name: self.measured[name][place, self.rare] for name in MEASURED}
        return Compared(
            parameters=exact(parameters(model, features)),
            multiply_adds=exact(multiply_adds(model, features)),
            routing_share=exact(routing_share(model, features)),
            avoidance=self.avoidance(model),
            avoidance_cost=self.avoidance_cost(model),
            same_loss=self.same_loss(model),
            routed=mean(rare["routed"]),
            general=mean(rare["general"]),
            mass_per_unit=mean(self.measured["mass_per_unit"][place].mean(0)),
            dimensionality=mean(rare["dimensionality"]),
            entropy=mean(rare["entropy"], within=(0, 1)),
            dead=mean(rare["dead"], within=(0, model.experts)),
            against=self.against(model),
        )

    def excess(self, model: Mixture) -> Quantity:
        """Return by how much the mean loss over the published densities exceeds that of the dense model."""
        among = np.array(self.config.p) >= self.config.published_p
        loss = self.measured["loss"][:, among].mean(1)
        found = typical_ratio(loss[self.place[model]], loss[self.baseline(model, "hidden")])
        low, high = (None if bound is None else bound - 1 for bound in (found.low, found.high))
        return Quantity(found.value - 1, low, high, found.n, "", found.method)

    def numbers(self, longer: Array) -> Numbers:
        """Return what several models say together."""
        mixtures, bottlenecks = mixtures_of(self.config), bottlenecks_of(self.config)
        features = self.config.features
        least = {
            f"least_{kind}": least_typical_ratio([self.ratio(model, kind) for model in mixtures])
            for kind in ("total", "active", "cost")
        }
        rare = {
            f"least_{kind}_rare": least_typical_ratio([self.ratio(m, kind)[[self.rare]] for m in mixtures])
            for kind in ("total", "cost")
        }
        costs = [multiply_adds(m, features) / (2 * m.width * features) for m in mixtures]
        now = self.measured["loss"][[self.place[model] for model in _checked(self.config)], self.rare]
        kept, chance = self._gate_kept()
        same_loss = [self.same_loss(model) for model in mixtures]
        return Numbers(
            **least,
            **rare,
            tolerance=exact(TOLERANCE),
            least_avoidance=_least([self.avoidance(model) for model in mixtures]),
            least_bottleneck_avoidance=_least([self.avoidance(model) for model in bottlenecks]),
            least_avoidance_cost=_least([self.avoidance_cost(model) for model in mixtures]),
            least_same_loss=_least(same_loss),
            most_same_loss=max(same_loss, key=lambda quantity: quantity.value),
            least_routing_share=exact(min(routing_share(model, features) for model in mixtures)),
            most_cost_share=exact(max(costs)),
            more_experts=self._more_experts(1),
            more_experts_active=self._more_experts(None),
            gate_start=self._gate_start(),
            gate_kept=kept,
            gate_chance=chance,
            least_published=_least([self.excess(model) for model in mixtures]),
            longer_dense=typical_ratio(longer[0], now[0]),
            longer_mixture=typical_ratio(longer[1], now[1]),
        )

    def _more_experts(self, active: int | None) -> Quantity:
        """Return features per dimension of most over fewest experts, Xavier; top-`active`, or as many active units.

        Geometric mean over densities.
        """
        shapes = [m for m in mixtures_of(self.config) if m.gate_start == "xavier"]
        if active is None:
            units = max(
                {m.active * m.hidden for m in shapes}, key=lambda u: sum(m.active * m.hidden == u for m in shapes)
            )
            chosen = [m for m in shapes if m.active * m.hidden == units]
        else:
            chosen = [m for m in shapes if m.active == active]
        most, fewest = max(chosen, key=lambda m: m.experts), min(chosen, key=lambda m: m.experts)
        mass = self.measured["mass_per_unit"]
        return typical_ratio(mass[self.place[most]], mass[self.place[fewest]])

    def _gate_start(self) -> Quantity:
        """Return the loss with a K-hot over that with a Xavier gate at the rare density, over shapes with both."""
        hot = [m for m in mixtures_of(self.config) if m.gate_start == "k-hot"]
        plain = [Mixture(m.experts, m.hidden, m.active) for m in hot]
        loss = self.measured["loss"][:, self.rare]
        return typical_ratio(loss[[self.place[m] for m in hot]], loss[[self.place[m] for m in plain]])

    def _gate_kept(self) -> tuple[Quantity, Quantity]:
        """Return the share of features whose best expert is that of the start, where gates learn, and chance."""
        learns = [m for m in mixtures_of(self.config) if m.active > 1]
        shares = [
            [_same_expert(row[self.place[model]]) for row in by_seed for model in learns] for by_seed in self.found
        ]
        by_seed = np.array(shares).reshape(len(self.found), self.config.seeds, len(learns)).mean((0, 2))
        return mean(by_seed, within=(0, 1)), exact(float(np.mean([1 / model.experts for model in learns])))


def _same_expert(found: Found) -> float:
    return float((found.first.gate.argmax(0) == found.last.gate.argmax(0)).mean())


def _least(quantities: list[Quantity]) -> Quantity:
    """Return the quantity of least value; its interval is its own, so it does not hold the choice."""
    return min(quantities, key=lambda quantity: quantity.value)


def routing_share(model: Mixture, features: int) -> float:
    """Return the multiply-adds of gate and combination over those of the active experts."""
    experts = features * (model.active * model.hidden + (model.units or model.active * model.hidden))
    return multiply_adds(model, features) / experts - 1
