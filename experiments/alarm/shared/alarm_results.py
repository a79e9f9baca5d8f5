"""Configuration, results and computation of the feature alarm; `alarm.alarm` draws and decides."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.detection import (
    MAIN,
    Change,
    Judging,
    Nothing,
    ProjectOut,
    SilenceLatent,
    coded_rates,
    false_alarm_causes,
    judged,
    stopped,
)
from experiments.alarm.shared.detectors import (
    DIRECTION,
    LATENT,
    Bank,
    Labelled,
    Latents,
    bank,
    labelled,
    logistic_name,
    network_name,
    sparse_name,
    trained_latents,
)
from experiments.alarm.shared.rates import precision
from experiments.alarm.shared.world import WorldConfig, trained_models
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
    network_labels: tuple[int, ...] = (1000, 100_000)
    network_steps: int = 400
    latents: int = 512  # width of the autoencoder, twice as many as there are features
    narrow_latents: int = 256  # width of one that has just as many
    autoencoder_steps: int = 4000
    autoencoder_batch: int = 256
    latent_counts: tuple[int, ...] = (5, 20)  # probes on so many latents
    latent_labels: int = 10_000
    negatives: int = 100_000  # per seed; together 1.6 million
    positives: int = 2000  # per seed and target
    code_negatives: int = 5000  # sparse coding costs too much for more
    code_positives: int = 250
    code_penalty: float = 0.02
    cause_samples: int = 50_000
    harm_samples: int = 2000
    rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4)  # of false alarms; claims are about the second


def detector_names(config: Config) -> list[str]:
    """Return the names of the detectors that score every sample, in order."""
    return [
        DIRECTION,
        "least squares",
        *(logistic_name(count) for count in config.labels),
        *(network_name(count) for count in config.network_labels),
        LATENT,
        *(sparse_name(count) for count in config.latent_counts),
    ]


@dataclass(frozen=True)
class Detector:
    """What one detector achieves: means over targets, then over seeds."""

    auroc: Quantity
    true_at_2: Quantity  # TPR at FPR 0.01
    true_at_3: Quantity  # TPR at FPR 0.001
    true_at_4: Quantity  # TPR at FPR 0.0001
    precision: Quantity  # share of alarms that are right, at FPR 0.001 and the base rate of danger
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
    acts: Interventions  # share of dangerous samples in which the behaviour still acts
    harm: Interventions  # rise of the other features' loss on ordinary samples, relative


@dataclass(frozen=True)
class Result:
    """Rates of alarms; every entry rests on fresh samples of its own seed."""

    rates: Array  # (rate,) of false alarms
    true: Array  # (detector, rate, target, seed), share of dangerous samples with an alarm
    by_value: Array  # (detector, bin, target, seed), share of alarms by the target's value, at the second rate
    labels: NDArray[np.int64]  # (count,) of logistic probes
    network_labels: NDArray[np.int64]  # (count,) of networks
    cause: Array  # (detector, target, feature, seed), P(alarm | feature present): direction, probe, best latent
    column: Array  # (target, feature, seed), W_t . W_j
    numbers: Numbers
    detectors: dict[str, Detector] = keyed(detector_names)


def detected(config: Config, device: str) -> Result:
    """Train the models and autoencoders, then build and judge every detector, seed by seed."""
    world = config.world
    models = trained_models(world, config.seeds, config.seed, device)
    wide, narrow = (
        trained_latents(world, models.W, width, config.autoencoder_steps, config.autoencoder_batch, seed, device)
        for width, seed in ((config.latents, config.seed + 1), (config.narrow_latents, config.seed + 2))
    )
    each = []
    for s in range(config.seeds):
        each.append(_one_seed(config, models, wide[s], narrow[s], s))
        advance("judging detectors", (s + 1) / config.seeds)
    found = [np.stack(part, axis=-1) for part in zip(*each, strict=True)]
    area, true, by_value, cause, coded, acts, harm, narrowed, size = found
    column = np.stack([gram(W)[: world.targets] for W in models.W], axis=-1)
    return Result(
        rates=np.array(config.rates),
        true=true.transpose(0, 2, 1, 3),
        by_value=by_value.transpose(0, 2, 1, 3),
        labels=np.array(config.labels),
        network_labels=np.array(config.network_labels),
        cause=cause,
        column=column,
        numbers=_numbers(config, area, true, cause, column, coded, acts, harm, narrowed, size),
        detectors=_detectors(config, area, true),
    )


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
    how = Judging(config.negatives, config.positives, config.rates)
    area, true, threshold, by_value = judged(world, W, found, how, generator)
    chosen = [found.names.index(name) for name in _watched(config)]
    cause = false_alarm_causes(world, W, found, threshold[..., MAIN], config.cause_samples, generator)[chosen]
    coded = _coded(config, W, found, latents, generator)
    acts, harm = _interventions(config, models, s, found, data, latents, generator)
    narrowed = _narrowed(config, W, data, narrow, s)
    return area, true, by_value, cause, coded, acts, harm, narrowed, norms(W)[: world.targets]


def _narrowed(config: Config, W: NDArray[np.float32], data: Labelled, narrow: Latents, s: int) -> Array:
    """Return the TPR (target, rate) of the best latent of the narrow autoencoder, on samples of its own."""
    found = bank(W, data, (), (), 0, narrow, (), config.latent_labels, config.seed + s)
    how = Judging(config.negatives, config.positives, config.rates)
    generator = np.random.default_rng([config.seed, s, 1])
    return judged(config.world, W, found, how, generator).true[found.names.index(LATENT)]  # type: ignore[no-any-return]


def _watched(config: Config) -> tuple[str, str, str]:
    return DIRECTION, logistic_name(max(config.labels)), LATENT


def _coded(
    config: Config, W: NDArray[np.float32], found: Bank, latents: Latents, generator: np.random.Generator
) -> Array:
    """Return the TPR (code, target, rate) of sparse codes; the last rate is not resolved and left at NaN."""
    resolved = tuple(rate for rate in config.rates if rate * config.code_negatives >= 2)
    how = Judging(config.code_negatives, config.code_positives, resolved)
    assert found.best_latent is not None
    size = norms(W)
    known = (W / np.maximum(size, 1e-6)).T.astype(np.float32)
    learned = dictionary(latents.state, latents.models, latents.instance)
    rates = np.full((2, config.world.targets, len(config.rates)), np.nan)
    for k, (words, atoms) in enumerate(((known, np.arange(config.world.targets)), (learned, found.best_latent))):
        rates[k, :, : len(resolved)] = coded_rates(config.world, W, words, atoms, how, config.code_penalty, generator)
    return rates


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


def _detectors(config: Config, area: Array, true: Array) -> dict[str, Detector]:
    """Summarise arrays (detector, target, seed) and (detector, target, rate, seed)."""
    world = config.world
    entries = {}
    for place, name in enumerate(detector_names(config)):
        tpr = [_over_seeds(true[place, :, rate]) for rate in range(len(config.rates))]
        right = precision(world.danger_rate, true[place, :, MAIN], config.rates[MAIN])
        cost = exact(_cost(config, name), "multiply-adds")
        entries[name] = Detector(_over_seeds(area[place]), tpr[0], tpr[1], tpr[2], _over_seeds(right), cost)
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
    coded: Array,
    acts: Array,
    harm: Array,
    narrowed: Array,
    size: Array,
) -> Numbers:
    names = detector_names(config)
    at_main = {name: true[place, :, MAIN].mean(0) for place, name in enumerate(names)}
    most = max(config.labels)
    probe, network = at_main[logistic_name(most)], at_main[network_name(max(config.network_labels))]
    good = [place for place, name in enumerate(names) if not _few_labels(name)]
    last = true[good, :, -1].mean(1)
    correlation = [_cause_correlation(rows, column) for rows in cause]
    return Numbers(
        direction_at_3=mean(at_main[DIRECTION], within=(0, 1)),
        probe_at_3=mean(probe, within=(0, 1)),
        latent_at_3=mean(at_main[LATENT], within=(0, 1)),
        narrow_latent_at_3=_over_seeds(narrowed[:, MAIN]),
        narrow_kept=_over_seeds((narrowed[:, MAIN] >= 0.5).astype(float)),
        wide_kept=_over_seeds((true[names.index(LATENT), :, MAIN] >= 0.5).astype(float)),
        latent_less_probe=mean(at_main[LATENT] - probe),
        latent_less_direction=mean(at_main[LATENT] - at_main[DIRECTION]),
        latent_less_narrow=mean(at_main[LATENT] - narrowed[:, MAIN].mean(0)),
        probe_less_direction=mean(probe - at_main[DIRECTION]),
        network_less_probe=mean(network - probe),
        widest_gap_at_4=mean(last.max(0) - last.min(0), within=(0, 1)),
        least_auroc=mean(area[good].mean(1).min(0), within=(0, 1)),
        causes_direction=mean(correlation[0], within=(-1, 1)),
        causes_probe=mean(correlation[1], within=(-1, 1)),
        causes_latent=mean(correlation[2], within=(-1, 1)),
        true_code_at_3=_over_seeds(coded[0, :, MAIN]),
        learned_code_at_3=_over_seeds(coded[1, :, MAIN]),
        norm_least=mean(size.min(0)),
        norm_most=mean(size.max(0)),
        acts=Interventions(*(_over_seeds(each) for each in acts)),
        harm=Interventions(*(mean(each.mean(0)) for each in harm)),
    )


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
