"""Configuration, results and computation of the alarm under pressure; `alarm.alarm_pressure` draws and decides."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.detectors import (
    DIRECTION,
    LATENT,
    Labelled,
    Latents,
    absent_scores,
    bank,
    logistic_name,
    network_name,
    trained_latents,
)
from experiments.alarm.shared.evasion import Attack, evaded, least_evasion
from experiments.alarm.shared.penalty import trained_against
from experiments.alarm.shared.probes import logistic
from experiments.alarm.shared.products import activations
from experiments.alarm.shared.rates import threshold_at
from experiments.alarm.shared.world import (
    WorldConfig,
    activations_without,
    background,
    behaviour_level,
    dangerous,
    trained_models,
)
from experiments.core.autoencoders.inference import parameters_of
from experiments.core.contract import keyed
from experiments.core.metrics import gram
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, mean
from experiments.core.training.specification import Data, Model, Recipe, Weights
from experiments.core.training.train import train

Array = NDArray[np.float64]
Singles = NDArray[np.float32]

SHIFTS = ("as trained", "density x2", "density x5", "companion", "unseen pair", "drifted model")
DETECTORS = ("direction", "logistic", "network", "latent")


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 100
    seeds: int = 16
    world: WorldConfig = field(default_factory=WorldConfig)
    labels: int = 10_000
    network_steps: int = 400
    latents: int = 512
    autoencoder_steps: int = 4000
    autoencoder_rate: float = 3e-3  # faster or shorter training loses targets, and verdicts with them
    autoencoder_batch: int = 256
    neighbours: int = 8  # features that overlap most with a target and never occur with it in the labels
    negatives: int = 50_000  # per seed and shift
    positives: int = 1000  # per seed, shift and target
    rate: float = 1e-3  # of false alarms, at which thresholds are fixed before any shift
    drift_steps: int = 500
    budgets: tuple[float, ...] = (0.02, 0.05, 0.1, 0.2, 0.4)  # length of a disturbance over that of the input
    attacked: int = 150  # dangerous samples per seed and target
    restarts: int = 2
    attack_steps: int = 15
    penalty: float = 1.0
    penalty_steps: int = 300
    penalty_batch: int = 128


@dataclass(frozen=True)
class Rates:
    """Under one shift, at thresholds fixed before it: means over targets, then seeds."""

    true_alarms: Quantity
    false_alarms: Quantity


@dataclass(frozen=True)
class ByDetector:
    """One entry per detector."""

    direction: Rates
    logistic: Rates
    network: Rates
    latent: Rates


@dataclass(frozen=True)
class Robust:
    """True alarms that no disturbance of at most 0.1 ||x|| silences, of those samples in which the behaviour acts."""

    direction: Quantity
    logistic: Quantity
    network: Quantity
    latent: Quantity
    logistic_by_gradient: Quantity  # the same attack as on the network, for comparison with the closed form
    logistic_kept: Quantity  # closed form, when the read-out may not change at all, as in the attack by gradient


@dataclass(frozen=True)
class Against:
    """After training with a penalty on the alarm (and without, the control)."""

    old_alarm: Quantity  # true alarms of the probe that was penalised, at its old threshold
    new_alarm: Quantity  # of a probe trained anew on the changed model, at a false-alarm rate of 0.001
    acts: Quantity  # share of dangerous samples in which the behaviour acts
    error: Quantity  # loss of the target over what it was


@dataclass(frozen=True)
class Numbers:
    """The least firm of the shifts and the outcomes of evasion and of training against the alarm."""

    worst_false_logistic: Quantity  # largest rate of false alarms over the shifts, over the rate asked for
    worst_true_logistic: Quantity  # least rate of true alarms over the shifts
    robust: Robust
    penalised: Against
    control: Against


@dataclass(frozen=True)
class Result:
    """Rates per shift and budget."""

    true: Array  # (shift, detector, seed)
    false: Array  # (shift, detector, seed)
    budgets: Array  # (budget,)
    robust: Array  # (budget, detector, seed), true alarms that survive disturbances of that size
    numbers: Numbers
    shifts: dict[str, ByDetector] = keyed(lambda config: SHIFTS)


def pressed(config: Config, device: str) -> Result:
    """Train models and detectors, fix thresholds, then shift, attack and penalise."""
    models = trained_models(config.world, config.seeds, config.seed, device)
    drifted = _drifted(config, models, device)
    latents = trained_latents(
        config.world,
        models.W,
        config.latents,
        config.autoencoder_steps,
        config.autoencoder_batch,
        config.autoencoder_rate,
        config.seed + 1,
        device,
    )
    true, false, robust, checks, probes = [], [], [], [], []
    for s in range(config.seeds):
        generator = np.random.default_rng([config.seed, s])
        one = _Watched(config, models.W[s], drifted[s], latents[s], generator, config.seed + s)
        rates = one.under_shifts()
        true.append(rates[0])
        false.append(rates[1])
        survived, check = one.under_attack()
        robust.append(survived)
        checks.append(check)
        probes.append(one.first_probe())
        advance("alarms under pressure", (s + 1) / config.seeds)
    stacked = np.stack(true, -1), np.stack(false, -1), np.stack(robust, -1), np.stack(checks, -1)
    rows, bias = np.stack([row for row, _ in probes]), np.array([c for _, c in probes], np.float32)
    return _result(config, *stacked, *_penalised(config, models, rows, bias))


def _drifted(config: Config, models: Weights, device: str) -> Singles:
    """Return W (seed, hidden, feature) of the same models after training on with other samples."""
    world = config.world
    importance = np.ones(world.features, np.float32)
    importance[: world.targets] = world.importance
    recipe = Recipe(config.drift_steps, world.batch, 1e-3, start=models, seed=config.seed + 7)
    trained = train(
        Data(world.densities, importance), Model(world.features, world.hidden), recipe, config.seeds, device
    )
    return trained.weights.W


class _Watched:
    """One model with its detectors, thresholds fixed on samples like those it was trained on."""

    def __init__(
        self, config: Config, W: Singles, drifted: Singles, latents: Latents, generator: np.random.Generator, seed: int
    ) -> None:
        self.config, self.W, self.drifted, self.generator = config, W, drifted, generator
        overlap = np.abs(gram(W)[: config.world.targets])
        overlap[:, : config.world.targets] = 0
        self.neighbours = np.argsort(-overlap, axis=1)[:, : config.neighbours]
        signed = gram(W)[: config.world.targets]
        signed[:, : config.world.targets] = -np.inf
        self.companion = signed.argmax(1)
        counts = [config.labels]
        self.bank = bank(W, self._labels(), counts, counts, config.network_steps, latents, (), config.labels, seed)
        self.attack = Attack(config.restarts, config.attack_steps)
        names = [DIRECTION, logistic_name(config.labels), network_name(config.labels), LATENT]
        self.places = [self.bank.names.index(name) for name in names]
        self.threshold = threshold_at(self._scores(self._negatives("as trained"), W), config.rate)

    def _labels(self) -> Labelled:
        config, half = self.config, self.config.labels // 2
        ordinary, targets = background(config.world, self.generator, half), config.world.targets
        positives = [activations(self.W, self._positives("as trained", target, half)) for target in range(targets)]
        negatives = activations_without(self.W, ordinary, targets)
        return Labelled(np.stack([np.stack(each) for each in zip(negatives, positives, strict=True)]))

    def _negatives(self, shift: str) -> Singles:
        scale = {"density x2": 2.0, "density x5": 5.0}.get(shift, 1.0)
        x = background(self.config.world, self.generator, self.config.negatives, scale)
        if shift == "companion":  # the interfering feature of a target drawn at random is present in every other sample
            target = self.generator.integers(0, self.config.world.targets, len(x))
            there = self.generator.random(len(x)) < 0.5
            x[there, self.companion[target[there]]] = self.generator.random(int(there.sum()), dtype=np.float32)
        return x

    def _positives(self, shift: str, target: int, count: int) -> Singles:
        scale = {"density x2": 2.0, "density x5": 5.0}.get(shift, 1.0)
        x = dangerous(background(self.config.world, self.generator, count, scale), target, self.generator)
        if shift == "unseen pair":
            pick = self.generator.integers(0, self.config.neighbours, count)
            x[np.arange(count), self.neighbours[target][pick]] = self.generator.random(count, dtype=np.float32)
        else:
            x[:, self.neighbours[target]] = 0
        if shift == "companion":
            x[:, self.companion[target]] = self.generator.random(count, dtype=np.float32)
        return x

    def _scores(self, x: Singles, W: Singles) -> Singles:
        """Return scores (detector, target, sample) of negatives, in the order of `DETECTORS`."""
        return absent_scores(self.bank.scores(activations(W, x))[self.places], x)

    def under_shifts(self) -> tuple[Array, Array]:
        """Return rates of true and false alarms (shift, detector), means over targets."""
        true, false = [], []
        for shift in SHIFTS:
            W = self.drifted if shift == "drifted model" else self.W
            scores = self._scores(self._negatives(shift), W)
            counted = np.isfinite(scores).sum(-1)
            false.append(((scores > self.threshold[..., None]).sum(-1) / counted).mean(1))
            hits = []
            for target in range(self.config.world.targets):
                x = self._positives(shift, target, self.config.positives)
                scores = self.bank.scores(activations(W, x))[self.places, target]
                hits.append((scores > self.threshold[:, target, None]).mean(-1))
            true.append(np.mean(hits, axis=0))
        return np.stack(true), np.stack(false)

    def linear(self, detector: int, target: int) -> tuple[Array, float]:
        """Return v and c of one linear detector, its threshold taken off: it rings when v . h + c > 0."""
        level = float(self.threshold[detector, target])
        if DETECTORS[detector] == "latent":
            latents, best = self.bank.latents, self.bank.best_latent
            assert best is not None
            parts = parameters_of(latents.state, latents.models, latents.instance)
            row = parts.W_enc[best[target]].astype(np.float64)
            shift = float(parts.b_enc[best[target]]) - row @ parts.b_dec
            return row, float(shift) - max(level, float(latents.state.threshold[latents.instance]), 0.0)
        rows, bias = self.bank.linear[list(self.bank.linear)[self.places[detector]]]
        return rows[target].astype(np.float64), float(bias[target]) - level

    def first_probe(self) -> tuple[Singles, float]:
        """Return the logistic alarm of the first target, above 0 when it rings, scaled to a unit row."""
        row, c = self.linear(1, 0)
        size = float(np.linalg.norm(row))
        return (row / size).astype(np.float32), c / size

    def under_attack(self) -> tuple[Array, Array]:
        """Return true alarms that survive each budget (budget, detector), and two checks of the attack on the probe.

        The checks are the survivors at a budget of 0.1 by gradient, and in closed form with the read-out kept as it is.
        """
        config, world = self.config, self.config.world
        level = behaviour_level(self.W, world.targets)
        survived = np.zeros((len(config.budgets), len(DETECTORS), world.targets))
        checks = np.zeros((2, world.targets))
        for target in range(world.targets):
            x = self._positives("as trained", target, config.attacked)
            h = (x @ self.W.T).astype(np.float64)
            w = self.W[:, target].astype(np.float64)
            acts = h @ w > level[target]
            x, h = x[acts], h[acts]
            size, keep = np.linalg.norm(x, axis=1), self.W.T.astype(np.float64) @ w
            for detector, name in enumerate(DETECTORS):
                if name == "network":
                    survived[:, detector, target] = self._network(x, target, keep)
                    continue
                v, c = self.linear(detector, target)
                a, excess = self.W.T.astype(np.float64) @ v, h @ v + c
                need = least_evasion(a, keep, excess, h @ w - level[target]) / size
                survived[:, detector, target] = [(need > budget).mean() for budget in config.budgets]
                if name == "logistic":
                    checks[:, target] = self._checked(x, a, keep, excess, size, target)
        return survived.mean(-1), checks.mean(-1)

    def _network(self, x: Singles, target: int, keep: Array) -> Array:
        network = next(iter(self.bank.networks.values()))
        level = float(self.threshold[2, target])

        def slope(h: Singles) -> tuple[Singles, Singles]:
            return network.slope(h, target)

        silent = network(x @ self.W.T)[target] <= level
        return np.array(
            [
                (~evaded(slope, self.W, x, keep, level, budget, self.attack, self.generator, silent)).mean()
                for budget in self.config.budgets
            ]
        )

    def _checked(self, x: Singles, a: Array, keep: Array, excess: Array, size: Array, target: int) -> Array:
        v, c = self.linear(1, target)
        row = v.astype(np.float32)

        def slope(h: Singles) -> tuple[Singles, Singles]:
            return h @ row + np.float32(c), np.broadcast_to(row, h.shape)

        silent = excess <= 0
        done = evaded(slope, self.W, x, keep, 0.0, CHECKED_BUDGET, self.attack, self.generator, silent)
        across = a - (a @ keep) / (keep @ keep) * keep
        closed = excess / np.linalg.norm(across) / size > CHECKED_BUDGET
        return np.array([(~done).mean(), closed.mean()])


CHECKED_BUDGET = 0.1
"""The budget that claims are about, and at which the two attacks are compared."""


def _penalised(config: Config, models: Weights, rows: Singles, bias: Singles) -> tuple[Against, Against]:
    """Train on with and without the penalty and say what became of the alarm and of the behaviour."""
    strengths, how = (config.penalty, 0.0), (config.penalty_steps, config.penalty_batch, config.seed + 11)
    penalised, control = trained_against(config.world, models, rows, bias, strengths, *how)
    return tuple(_against(config, models, changed, rows, bias) for changed in (penalised, control))  # type: ignore[return-value]


def _against(config: Config, models: Weights, changed: Weights, rows: Singles, bias: Singles) -> Against:
    found = []
    for s in range(config.seeds):
        generator = np.random.default_rng([config.seed + 13, s])
        W, b = changed.W[s], changed.b[s]
        x = dangerous(background(config.world, generator, config.positives), 0, generator)
        h = activations(W, x)
        acts = (h @ W[:, 0] > behaviour_level(W, 1)[0]).mean()
        old = (h @ rows[s] + bias[s] > 0).mean()
        error = ((np.maximum(h @ W[:, 0] + b[0], 0) - x[:, 0]) ** 2).mean()
        before = ((np.maximum(x @ models.W[s].T @ models.W[s][:, 0] + models.b[s][0], 0) - x[:, 0]) ** 2).mean()
        found.append((old, _new_alarm(config, W, h, generator), acts, error / before))
    old, new, acted, error = np.array(found).T
    return Against(mean(old, within=(0, 1)), mean(new, within=(0, 1)), mean(acted, within=(0, 1)), mean(error))


def _new_alarm(config: Config, W: Singles, h: Singles, generator: np.random.Generator) -> float:
    """Return the TPR on `h` of a probe trained anew on labelled activations of the changed model."""
    half = config.labels // 2
    no = background(config.world, generator, half + config.negatives // 4)
    no[:, 0] = 0
    yes = dangerous(background(config.world, generator, half), 0, generator)
    row, c = logistic(activations(W, np.concatenate([no[:half], yes])), np.arange(2 * half) >= half)
    level = threshold_at(activations(W, no[half:]) @ row + c, config.rate)
    return float((h @ row + c > level).mean())


def _result(
    config: Config, true: Array, false: Array, robust: Array, checks: Array, penalised: Against, control: Against
) -> Result:
    shifts = {
        shift: ByDetector(
            *(
                Rates(mean(true[place, d], within=(0, 1)), mean(false[place, d], within=(0, 1)))
                for d in range(len(DETECTORS))
            )
        )
        for place, shift in enumerate(SHIFTS)
    }
    checked = list(config.budgets).index(CHECKED_BUDGET)
    at_budget = [mean(robust[checked, d], within=(0, 1)) for d in range(len(DETECTORS))]
    return Result(
        true=true,
        false=false,
        budgets=np.array(config.budgets),
        robust=robust,
        numbers=Numbers(
            worst_false_logistic=mean(false[:, 1].max(0) / config.rate),
            worst_true_logistic=mean(true[:, 1].min(0), within=(0, 1)),
            robust=Robust(*at_budget, *(mean(each, within=(0, 1)) for each in checks)),
            penalised=penalised,
            control=control,
        ),
        shifts=shifts,
    )
