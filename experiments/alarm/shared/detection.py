"""What every detector of one model achieves on fresh samples, what sets it off, and what stopping a behaviour costs."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.detectors import CHUNK, Bank, absent_scores
from experiments.alarm.shared.products import activations
from experiments.alarm.shared.rates import Tail, auroc
from experiments.alarm.shared.world import WorldConfig, background, behaviour_level, dangerous, read_out, without

Array = NDArray[np.float32]
Numbers = NDArray[np.float64]

FOR_AREA = 2
"""How many chunks of negatives the area under the ROC curve rests on."""


@dataclass(frozen=True)
class Judging:
    """On how much a model's detectors are judged; all samples are fresh."""

    negatives: int
    positives: int
    rates: tuple[float, ...]
    main: float = 1e-3  # the one of `rates` that claims are about
    bins: int = 10  # of the target's value, for the rate of alarms by magnitude


class Judged(NamedTuple):
    """What one model's detectors achieve.

    `area` (detector, target) is AUROC, `true` (detector, target, rate) the TPR at each FPR, `threshold` likewise, and
    `by_value` (detector, target, bin) the share of alarms by the target's value, at the rate `Judging.main`.
    """

    area: Numbers
    true: Numbers
    threshold: Numbers
    by_value: Numbers


def judged(config: WorldConfig, W: Array, bank: Bank, how: Judging, generator: np.random.Generator) -> Judged:
    """Score fresh negatives piece by piece, and fresh positives of every target."""
    tail = Tail(how.negatives, 1.5 * max(how.rates))
    some: list[Array] = []
    for start in range(0, how.negatives, CHUNK):
        x = background(config, generator, min(CHUNK, how.negatives - start))
        scores = absent_scores(bank.scores(activations(W, x)), x)
        tail.add(scores.reshape(-1, scores.shape[-1]))
        if len(some) < FOR_AREA:
            some.append(scores)
    shape = (len(bank.names), config.targets)
    threshold = np.stack([tail.threshold(rate).reshape(shape) for rate in how.rates], axis=-1)
    area, true, by_value = np.empty(shape), np.empty((*shape, len(how.rates))), np.empty((*shape, how.bins))
    for target in range(config.targets):
        x = dangerous(background(config, generator, how.positives), target, generator)
        scores = bank.scores(activations(W, x))[:, target]
        area[:, target] = auroc(scores, np.concatenate([each[:, target] for each in some], axis=-1))
        true[:, target] = (scores[..., None] > threshold[:, target, None]).mean(1)
        by_value[:, target] = _by_value(
            config, W, bank, how, threshold[..., how.rates.index(how.main)], target, generator
        )
    return Judged(area, true, threshold, by_value)


def _by_value(
    config: WorldConfig,
    W: Array,
    bank: Bank,
    how: Judging,
    threshold: Numbers,
    target: int,
    generator: np.random.Generator,
) -> Numbers:
    """Return the share of alarms (detector, bin) for values of the target in equal bins of [0, 1]."""
    x = background(config, generator, how.positives)
    x[:, target] = generator.random(len(x), dtype=np.float32)
    place = np.minimum((x[:, target] * how.bins).astype(int), how.bins - 1)
    alarms = bank.scores(activations(W, x))[:, target] > threshold[:, target, None]
    counts = np.bincount(place, minlength=how.bins)
    return np.stack([np.bincount(place, row, how.bins) / np.maximum(counts, 1) for row in alarms])


def false_alarm_causes(
    config: WorldConfig, W: Array, bank: Bank, threshold: Numbers, samples: int, generator: np.random.Generator
) -> Numbers:
    """Return P(alarm | feature present) (detector, target, feature) over fresh negatives; NaN for absent features."""
    hits = np.zeros((*threshold.shape, config.features))
    seen = np.zeros(config.features)
    for start in range(0, samples, CHUNK):
        x = background(config, generator, min(CHUNK, samples - start))
        present = (x > 0).astype(np.float32)
        alarms = absent_scores(bank.scores(activations(W, x)), x) > threshold[..., None]
        hits += (alarms.reshape(-1, len(x)).astype(np.float32) @ present).reshape(hits.shape)
        seen += present.sum(0)
    return np.asarray(np.where(seen > 0, hits / np.maximum(seen, 1), np.nan))


class Stopped(NamedTuple):
    """What an intervention does: `acts` (target,) the share of dangerous samples in which the behaviour still acts,
    `harm` (target,) the rise of the loss of all other features on ordinary samples, relative to what it was."""

    acts: Numbers
    harm: Numbers


def stopped(
    config: WorldConfig, W: Array, b: Array, change: "Change", samples: int, generator: np.random.Generator
) -> Stopped:
    """Apply `change(h, target)` to activations and measure the behaviour and the other features' errors."""
    level = behaviour_level(W, config.targets)
    acts, harm = np.empty(config.targets), np.empty(config.targets)
    ordinary = background(config, generator, samples)
    for target in range(config.targets):
        yes = dangerous(background(config, generator, samples), target, generator)
        acts[target] = (read_out(W, change(activations(W, yes), target), config.targets)[target] > level[target]).mean()
        x = without(ordinary, target)
        plain = activations(W, x)
        before, after = (_error_of_others(W, b, h, x, target) for h in (plain, change(plain, target)))
        harm[target] = after / before - 1
    return Stopped(acts, harm)


def _error_of_others(W: Array, b: Array, h: Array, x: Array, target: int) -> float:
    """Return the squared error of the model's output from activations `h`, mean over samples and other features."""
    error = np.maximum(h @ W + b, 0) - x
    error[:, target] = 0
    return float(np.einsum("nf,nf->n", error, error).sum(dtype=np.float64) / (len(x) * (len(b) - 1)))


class Change:
    """An intervention on activations: `change(h, target)` returns changed activations (sample, hidden)."""

    def __call__(self, h: Array, target: int) -> Array:
        """Return the activations after the intervention."""
        raise NotImplementedError


@dataclass(frozen=True)
class ProjectOut(Change):
    """Remove the part of the activations along one direction per target: `rows` (target, hidden)."""

    rows: Array

    def __call__(self, h: Array, target: int) -> Array:
        unit = self.rows[target] / np.linalg.norm(self.rows[target])
        return np.asarray(h - (h @ unit)[:, None] * unit)


@dataclass(frozen=True)
class SilenceLatent(Change):
    """Take what one latent per target writes out of the activations; `decoder` (latent, hidden)."""

    bank: Bank
    decoder: Array

    def __call__(self, h: Array, target: int) -> Array:
        assert self.bank.best_latent is not None
        latent = self.bank.best_latent[target]
        return np.asarray(h - self.bank.latents(h, np.array([latent])) * self.decoder[latent])


class Nothing(Change):
    """The baseline: the activations as they are."""

    def __call__(self, h: Array, target: int) -> Array:
        return h
