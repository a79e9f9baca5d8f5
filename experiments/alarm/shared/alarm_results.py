"""Configuration, results and computation of the feature alarm; `alarm.alarm` draws and decides."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.codes import coded
from experiments.alarm.shared.detection import (
    Change,
    Judging,
    Nothing,
    ProjectOut,
    SilenceLatent,
    false_alarm_causes,
    judged,
    stopped,
)
from experiments.alarm.shared.detectors import (
    DIRECTION,
    LATENT,
    LEARNED_CODE,
    NARROW,
    TRUE_CODE,
    Bank,
    Code,
    Labelled,
    Latents,
    OnLatents,
    bank,
    labelled,
    latent_detectors,
    logistic_name,
    network_name,
    sparse_name,
    trained_latents,
)
from experiments.alarm.shared.neighbourhood import AtTarget, Neighbourhood, at_targets, neighbourhood
from experiments.alarm.shared.products import activations
from experiments.alarm.shared.rates import precision
from experiments.alarm.shared.world import WorldConfig, background, trained_models
from experiments.core.autoencoders.inference import dictionary
from experiments.core.contract import keyed
from experiments.core.metrics import gram, norms
from experiments.core.progress import advance
from experiments.core.quantities import Quantity, exact, mean
from experiments.core.rank_correlation import rank_correlation
from experiments.core.training.specification import Weights

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Config:
    """Defaults are the published run."""

    seed: int = 0
    seeds: int = 16
    world: WorldConfig = field(default_factory=WorldConfig)
    labels: tuple[int, ...] = (10, 100, 1000, 10_000, 100_000)  # half of them positive
    network_labels: tuple[int, ...] = (10, 1000, 100_000)
    network_steps: int = 400
    latents: int = 512  # width of the autoencoder, twice as many as there are features
    narrow_latents: int = 256  # width of one that has just as many
    autoencoder_steps: int = 4000
    autoencoder_rate: float = 3e-3  # faster or shorter training loses targets, and verdicts with them
    autoencoder_batch: int = 256
    latent_counts: tuple[int, ...] = (5, 20)  # probes on so many latents
    latent_labels: int = 10_000
    negatives: int = 65_000  # per seed; together more than a million
    positives: int = 2000  # per seed and target
    code_penalty: float = 0.02
    cause_samples: int = 50_000
    harm_samples: int = 2000
    rates: tuple[float, ...] = (1e-1, 5e-2, 2e-2, 1e-2, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4)  # of false alarms

    @property
    def main(self) -> int:
        """The position of the rate that claims are about, 0.001."""
        return self.rates.index(1e-3)


def detector_names(config: Config) -> list[str]:
    """Return the names of the detectors that score every sample, in order."""
    return [
        DIRECTION,
        "least squares",
        *(logistic_name(count) for count in config.labels),
        *(network_name(count) for count in config.network_labels),
        LATENT,
        *(sparse_name(count) for count in config.latent_counts),
        NARROW,
        TRUE_CODE,
        LEARNED_CODE,
    ]


@dataclass(frozen=True)
class Detector:
    """What one detector achieves: means over targets, then over seeds."""

    auroc: Quantity
    true_at_2: Quantity  # TPR at FPR 0.01
    true_at_3: Quantity  # TPR at FPR 0.001
    true_at_4: Quantity  # TPR at FPR 0.0001
    precision: Quantity  # share of alarms that are right, at FPR 0.001 and the base rate of danger
    precision_at_4: Quantity  # at FPR 0.0001
    cost: Quantity  # multiply-adds per sample and target


@dataclass(frozen=True)
class Interventions:
    """One value per way to act on the activations."""

    nothing: Quantity
    true_direction: Quantity  # projected out, as the next two and the last
    difference: Quantity  # of the means of dangerous and ordinary samples
    probe: Quantity
    latent: Quantity  # what the best latent writes is taken away
    chance: Quantity  # a random direction


@dataclass(frozen=True)
class Numbers:
    """Differences are within a seed; "probe" is the logistic one with the most labels."""

    direction_at_3: Quantity  # TPR at FPR 0.001
    probe_at_3: Quantity
    latent_at_3: Quantity
    narrow_latent_at_3: Quantity  # best latent of the narrow autoencoder
    narrow_kept: Quantity  # share of targets that it notices in at least half of dangerous samples
    wide_kept: Quantity
    latent_less_probe: Quantity
    latent_less_direction: Quantity
    latent_less_narrow: Quantity
    probe_less_direction: Quantity
    network_less_probe: Quantity
    widest_gap_at_4: Quantity  # best less worst TPR at FPR 0.0001, of detectors with at least 1,000 labels
    least_auroc: Quantity  # of those detectors
    causes_direction: Quantity  # rank correlation of P(alarm | feature) with the column of W^T W
    causes_probe: Quantity
    causes_latent: Quantity
    true_code_at_3: Quantity
    learned_code_at_3: Quantity
    norm_least: Quantity
    norm_most: Quantity
    false_alarms: Quantity  # per seed, on which the smallest rate rests
    neighbourhood: Neighbourhood
    acts: Interventions  # share of dangerous samples in which the behaviour still acts
    harm: Interventions  # rise of the other features' loss on ordinary samples, relative


@dataclass(frozen=True)
class Result:
    """Rates of alarms; every entry rests on fresh samples of its own seed."""

    rates: Array  # (rate,) of false alarms
    true: Array  # (detector, rate, target, seed), share of dangerous samples with an alarm
    by_value: Array  # (detector, bin, target, seed), share of alarms by the target's value, at a rate of 0.001
    labels: NDArray[np.int64]  # (count,) of logistic probes
    network_labels: NDArray[np.int64]  # (count,) of networks
    cause: Array  # (detector, target, feature, seed), P(alarm | feature present): direction, probe, best latent
    column: Array  # (target, feature, seed), W_t . W_j
    numbers: Numbers
    detectors: dict[str, Detector] = keyed(detector_names)
    targets: dict[str, AtTarget] = keyed(lambda config: [f"{weight:g}" for weight in config.world.importance])


def detected(config: Config, device: str) -> Result:
    """Train the models and autoencoders, then build and judge every detector, seed by seed."""
    world = config.world
    models = trained_models(world, config.seeds, config.seed, device)
    wide, narrow = (
        trained_latents(
            world,
            models.W,
            width,
            config.autoencoder_steps,
            config.autoencoder_batch,
            config.autoencoder_rate,
            seed,
            device,
        )
        for width, seed in ((config.latents, config.seed + 1), (config.narrow_latents, config.seed + 2))
    )
    each = []
    for s in range(config.seeds):
        each.append(_one_seed(config, models, wide[s], narrow[s], s))
        advance("judging detectors", (s + 1) / config.seeds)
    found = [np.stack(part, axis=-1) for part in zip(*each, strict=True)]
    area, true, by_value, cause, work, acts, harm = found
    column = np.stack([gram(W)[: world.targets] for W in models.W], axis=-1)
    return Result(
        rates=np.array(config.rates),
        true=true.transpose(0, 2, 1, 3),
        by_value=by_value.transpose(0, 2, 1, 3),
        labels=np.array(config.labels),
        network_labels=np.array(config.network_labels),
        cause=cause,
        column=column,
        numbers=_numbers(config, area, true, cause, column, acts, harm),
        detectors=_detectors(config, area, true, work),
        targets=at_targets(config.world.importance, *_plain_and_probe(config, true), column),
    )


def _plain_and_probe(config: Config, true: Array) -> tuple[Array, Array]:
    """Return the TPR (target, seed) at the smallest FPR of the own direction and of the probe with most labels."""
    names = detector_names(config)
    plain, probe = (names.index(name) for name in (DIRECTION, logistic_name(max(config.labels))))
    return true[plain, :, -1], true[probe, :, -1]


def _one_seed(config: Config, models: Weights, latents: Latents, narrow: Latents, s: int) -> tuple[Array, ...]:
    """Build and judge all detectors of one model; everything random is this seed's own."""
    world, W = config.world, models.W[s]
    generator = np.random.default_rng([config.seed, s])
    data = labelled(world, W, max(config.labels), generator)
    found = bank(
        W,
        data,
        config.labels,
        config.network_labels,
        config.network_steps,
        latents,
        config.latent_counts,
        config.latent_labels,
        config.seed + s,
    )
    found.on_latents.append(OnLatents(narrow, latent_detectors(data, narrow, (), config.latent_labels, NARROW)[1]))
    found.codes = _codes(config, W, found)
    how = Judging(config.negatives, config.positives, config.rates, config.rates[config.main])
    area, true, threshold, by_value = judged(world, W, found, how, generator)
    watched = _watched(config)
    levels = threshold[[found.names.index(name) for name in watched], :, config.main]
    cause = false_alarm_causes(world, W, found.part(watched), levels, config.cause_samples, generator)
    acts, harm = _interventions(config, models, s, found, data, latents, generator)
    return area, true, by_value, cause, _work(config, W, found.codes, generator), acts, harm


def _watched(config: Config) -> tuple[str, str, str]:
    return DIRECTION, logistic_name(max(config.labels)), LATENT


def _codes(config: Config, W: NDArray[np.float32], found: Bank) -> dict[str, Code]:
    """Return sparse coding with the true dictionary, all features' directions, and with the autoencoder's."""
    latents = found.latents
    known = (W / np.maximum(norms(W), 1e-6)).T.astype(np.float32)
    learned = dictionary(latents.state, latents.models, latents.instance)
    assert found.best_latent is not None
    return {
        TRUE_CODE: Code(known, np.arange(config.world.targets), config.code_penalty),
        LEARNED_CODE: Code(learned, found.best_latent, config.code_penalty),
    }


def _work(config: Config, W: NDArray[np.float32], codes: dict[str, Code], generator: np.random.Generator) -> Array:
    """Return the multiply-adds (code,) that a code of an ordinary sample takes; all targets share them."""
    h = activations(W, background(config.world, generator, 2000))
    return np.array([coded(each.words, h, each.penalty, each.atoms).work for each in codes.values()])


def _interventions(
    config: Config,
    weights: Weights,
    s: int,
    found: Bank,
    data: Labelled,
    latents: Latents,
    generator: np.random.Generator,
) -> tuple[Array, Array]:
    """Return what is left of the behaviour and the harm done (intervention, target), in the order of `INTERVENTIONS`.

    Projecting out the true direction stops the behaviour by definition, since the read-out is along it; what can fail
    is a direction that had to be estimated: the difference of means, or the weights of the probe.
    """
    W, b, watched = weights.W[s], weights.b[s], config.world.targets
    decoder = dictionary(latents.state, latents.models, latents.instance)
    changes: tuple[Change, ...] = (
        Nothing(),
        ProjectOut(np.ascontiguousarray(W[:, :watched].T)),
        ProjectOut(data.positives.mean(1) - data.negatives.mean(1)),
        ProjectOut(found.linear[logistic_name(max(config.labels))][0]),
        SilenceLatent(found, decoder),
        ProjectOut(generator.standard_normal((watched, W.shape[0])).astype(np.float32)),
    )
    results = [stopped(config.world, W, b, change, config.harm_samples, generator) for change in changes]
    return np.stack([each.acts for each in results]), np.stack([each.harm for each in results])


def _detectors(config: Config, area: Array, true: Array, work: Array) -> dict[str, Detector]:
    """Summarise arrays (detector, target, seed), (detector, target, rate, seed) and the work (code, seed) of codes."""
    named = [config.rates.index(rate) for rate in (1e-2, 1e-3, 1e-4)]
    codes = dict(zip((TRUE_CODE, LEARNED_CODE), work, strict=True))
    entries = {}
    for place, name in enumerate(detector_names(config)):
        at_2, at_3, at_4 = (_over_seeds(true[place, :, rate]) for rate in named)
        right_3, right_4 = (
            _over_seeds(precision(config.world.danger_rate, true[place, :, rate], config.rates[rate]))
            for rate in named[1:]
        )
        unit = "multiply-adds"
        cost = mean(codes[name], unit) if name in codes else exact(_cost(config, name), unit)
        entries[name] = Detector(_over_seeds(area[place]), at_2, at_3, at_4, right_3, right_4, cost)
    return entries


def _cost(config: Config, name: str) -> int:
    """Return multiply-adds per sample and target."""
    hidden = config.world.hidden
    if name.startswith("network"):
        return 33 * hidden
    return hidden * int(name.split()[0]) if name.endswith(" latents") else hidden


def _over_seeds(values: Array) -> Quantity:
    """Return the mean over seeds of values (target, seed), each seed being the mean over its targets."""
    return mean(values.mean(0), within=(0, 1))


def _numbers(
    config: Config,
    area: Array,
    true: Array,
    cause: Array,
    column: Array,
    acts: Array,
    harm: Array,
) -> Numbers:
    names = detector_names(config)
    at_main = {name: true[place, :, config.main].mean(0) for place, name in enumerate(names)}
    most = max(config.labels)
    probe, network = at_main[logistic_name(most)], at_main[network_name(max(config.network_labels))]
    good = [place for place, name in enumerate(names) if not _few_labels(name) and name not in _BESIDE]
    kept = {name: _over_seeds((true[names.index(name), :, config.main] >= 0.5).astype(float)) for name in names}
    size = np.sqrt(np.array([row[target] for target, row in enumerate(column)]))
    last = true[good, :, -1].mean(1)
    correlation = [_cause_correlation(rows, column) for rows in cause]
    return Numbers(
        direction_at_3=mean(at_main[DIRECTION], within=(0, 1)),
        probe_at_3=mean(probe, within=(0, 1)),
        latent_at_3=mean(at_main[LATENT], within=(0, 1)),
        narrow_latent_at_3=mean(at_main[NARROW], within=(0, 1)),
        narrow_kept=kept[NARROW],
        wide_kept=kept[LATENT],
        latent_less_probe=mean(at_main[LATENT] - probe),
        latent_less_direction=mean(at_main[LATENT] - at_main[DIRECTION]),
        latent_less_narrow=mean(at_main[LATENT] - at_main[NARROW]),
        probe_less_direction=mean(probe - at_main[DIRECTION]),
        network_less_probe=mean(network - probe),
        widest_gap_at_4=mean(last.max(0) - last.min(0), within=(0, 1)),
        least_auroc=mean(area[good].mean(1).min(0), within=(0, 1)),
        causes_direction=mean(correlation[0], within=(-1, 1)),
        causes_probe=mean(correlation[1], within=(-1, 1)),
        causes_latent=mean(correlation[2], within=(-1, 1)),
        true_code_at_3=mean(at_main[TRUE_CODE], within=(0, 1)),
        learned_code_at_3=mean(at_main[LEARNED_CODE], within=(0, 1)),
        norm_least=mean(size.min(0)),
        norm_most=mean(size.max(0)),
        false_alarms=exact(min(config.rates) * config.negatives, "false alarms"),
        neighbourhood=neighbourhood(_plain_and_probe(config, true)[0], column),
        acts=Interventions(*(_over_seeds(each) for each in acts)),
        harm=Interventions(*(mean(each.mean(0)) for each in harm)),
    )


_BESIDE = (NARROW, TRUE_CODE, LEARNED_CODE)
"""Detectors that are shown, but are not among those whose worst and best a claim compares."""


def _few_labels(name: str) -> bool:
    """Return whether a detector was trained on fewer than 1,000 labels."""
    return name.endswith(" labels") and int(name.split()[-2].replace(",", "")) < 1000


def _cause_correlation(rate: Array, column: Array) -> Array:
    """Return, per seed, the mean over targets of the rank correlation of P(alarm | j) and W_t . W_j (target, j, seed).

    Targets are left out as causes: too few negatives hold one.
    """
    targets = len(rate)
    each = [
        [rank_correlation(rate[t, targets:, s], column[t, targets:, s]) for t in range(targets)]
        for s in range(rate.shape[-1])
    ]
    return np.asarray(np.array(each, dtype=np.float64).mean(1))
