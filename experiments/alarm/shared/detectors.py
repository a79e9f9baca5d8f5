"""All detectors of one model, built from labelled samples and judged together on the same activations.

A detector gives a score for every target and sample; an alarm is a score above a threshold. Linear detectors are rows
of one matrix, so that a million samples cost one product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.codes import coded
from experiments.alarm.shared.probes import PIECE, Networks, logistic
from experiments.alarm.shared.products import activations
from experiments.alarm.shared.world import WorldConfig, activations_without, background, dangerous
from experiments.core.autoencoders.inference import encode
from experiments.core.autoencoders.sources import Superposed
from experiments.core.autoencoders.specification import Autoencoder, Specification
from experiments.core.autoencoders.state import State
from experiments.core.autoencoders.train import train_autoencoders

Array = NDArray[np.float32]

DIRECTION, LEAST_SQUARES, LATENT, NARROW = "direction", "least squares", "best latent", "best narrow latent"
TRUE_CODE, LEARNED_CODE = "code, true dictionary", "code, learned dictionary"

NETWORK_WIDTH, NETWORK_BATCH = 32, 256

CHUNK = 10_000
"""Samples that are drawn at a time, so that they stay in the processor's cache and memory stays small."""


def logistic_name(labels: int) -> str:
    """Return what the logistic probe with that many labels is called."""
    return f"logistic, {labels:,} labels"


def network_name(labels: int) -> str:
    """Return what the network with that many labels is called."""
    return f"network, {labels:,} labels"


def sparse_name(count: int) -> str:
    """Return what the probe on `count` latents is called."""
    return f"{count} latents"


@dataclass(frozen=True)
class Latents:
    """One sparse autoencoder of a trained set."""

    state: State
    models: tuple[Autoencoder, ...]
    instance: int

    def __call__(self, h: Array, only: NDArray[np.int64] | None = None) -> Array:
        """Return the latents (sample, latent), or `only` some of them."""
        pieces = [h[start : start + PIECE] for start in range(0, max(len(h), 1), PIECE)]
        return np.concatenate([encode(self.state, self.models, self.instance, piece, only) for piece in pieces])


def trained_latents(
    config: WorldConfig, W: Array, width: int, steps: int, batch: int, rate: float, seed: int, device: str
) -> list[Latents]:
    """Train one autoencoder per model W (seed, hidden, feature), on its activations at the natural rates."""
    models = tuple(Autoencoder("batchtopk", width, config.active, seed=s, source=s) for s in range(len(W)))
    sources = [Superposed(each, config.densities) for each in W]
    specification = Specification(models, steps, batch, rate, aux=True, seed=seed)
    trained = train_autoencoders(sources, specification, device=device)
    return [Latents(trained.state, models, s) for s in range(len(W))]


@dataclass(frozen=True)
class Labelled:
    """Labelled activations of one model: `samples` (target, label, sample, hidden), first negatives, then positives."""

    samples: Array

    @property
    def negatives(self) -> Array:
        """Activations (target, sample, hidden) without the target."""
        return self.samples[:, 0]

    @property
    def positives(self) -> Array:
        """Activations (target, sample, hidden) with a dangerous target."""
        return self.samples[:, 1]

    def balanced(self, target: int, labels: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return `labels` samples (label, hidden), half of them positive, and their labels (label,), negatives first.

        All samples are not copied, here and in `all_balanced`.
        """
        h, positive = self.all_balanced(labels, slice(target, target + 1))
        return h[0], positive[0]

    def all_balanced(self, labels: int, targets: slice = slice(None)) -> tuple[Array, NDArray[np.bool_]]:
        """Return the samples (target, label, hidden) of `balanced` for every target, and their labels, in one array."""
        some = self.samples[targets, :, : labels // 2]
        h = some.reshape(len(some), -1, some.shape[-1])
        return h, np.tile(np.arange(h.shape[1]) >= some.shape[2], (len(h), 1))


def labelled(config: WorldConfig, W: Array, labels: int, generator: np.random.Generator) -> Labelled:
    """Draw activations with up to `labels` labels, half of them positive, for every target.

    Negatives lack their own target alone: a probe that never saw the other targets takes them for its own in use.
    """
    half = labels // 2
    samples = np.empty((config.targets, 2, half, config.hidden), np.float32)
    for start in range(0, half, CHUNK):
        some, size = slice(start, start + CHUNK), min(CHUNK, half - start)
        ordinary = background(config, generator, size)
        for target, h in enumerate(activations_without(W, ordinary, config.targets)):
            samples[target, 0, some] = h
        for target in range(config.targets):
            danger = dangerous(background(config, generator, size), target, generator)
            samples[target, 1, some] = activations(W, danger)
    return Labelled(samples)


@dataclass(frozen=True)
class OnLatents:
    """Linear detectors on the latents of one autoencoder: by name, rows (target, latent) and bias (target,)."""

    latents: Latents
    detectors: dict[str, tuple[Array, Array]]

    def scores(self, h: Array) -> Array:
        """Return scores (detector, target, sample); only latents that some detector looks at, a few, are computed."""
        used = np.flatnonzero(np.any([(rows != 0).any(0) for rows, _ in self.detectors.values()], axis=0))
        return _linear({name: (each[:, used], c) for name, (each, c) in self.detectors.items()}, self.latents(h, used))


@dataclass(frozen=True)
class Code:
    """The targets' coefficients in sparse codes with unit words (word, hidden); `atoms` (target,) are their words."""

    words: Array
    atoms: NDArray[np.int64]
    penalty: float

    def __call__(self, h: Array) -> Array:
        """Return scores (target, sample)."""
        return coded(self.words, h, self.penalty, self.atoms).values.T


@dataclass
class Bank:
    """The detectors of one model, by name in order.

    `linear` holds rows (target, hidden) and bias (target,); `best_latent` (target,) belongs to the first autoencoder.
    """

    targets: int
    linear: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    networks: dict[str, Networks] = field(default_factory=dict)
    on_latents: list[OnLatents] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    best_latent: NDArray[np.int64] | None = None

    @property
    def names(self) -> list[str]:
        """The detectors in the order of `scores`."""
        return [
            *self.linear,
            *self.networks,
            *(name for each in self.on_latents for name in each.detectors),
            *self.codes,
        ]

    @property
    def latents(self) -> Latents:
        """The first autoencoder."""
        return self.on_latents[0].latents

    def scores(self, h: Array) -> Array:
        """Return scores (detector, target, sample) of activations (sample, hidden)."""
        parts = [_linear(self.linear, h)] if self.linear else []
        parts += [network(h)[None] for network in self.networks.values()]
        parts += [each.scores(h) for each in self.on_latents]
        parts += [code(h)[None] for code in self.codes.values()]
        return np.concatenate(parts)

    def part(self, names: Sequence[str]) -> "Bank":
        """Return the bank of some detectors alone, in the same order."""
        some = [
            OnLatents(each.latents, {name: rows for name, rows in each.detectors.items() if name in names})
            for each in self.on_latents
        ]
        return Bank(
            self.targets,
            {name: rows for name, rows in self.linear.items() if name in names},
            {name: network for name, network in self.networks.items() if name in names},
            [each for each in some if each.detectors],
            {name: code for name, code in self.codes.items() if name in names},
            self.best_latent,
        )


def _linear(detectors: dict[str, tuple[Array, Array]], inputs: Array) -> Array:
    rows = np.stack([rows for rows, _ in detectors.values()])
    bias = np.stack([bias for _, bias in detectors.values()])
    flat = rows.reshape(-1, rows.shape[-1]) @ inputs.T
    return np.asarray(flat.reshape(*rows.shape[:2], -1) + bias[..., None], dtype=np.float32)


def bank(
    W: Array,
    data: Labelled,
    label_counts: Sequence[int],
    network_counts: Sequence[int],
    network_steps: int,
    latents: Latents | None,
    latent_counts: Sequence[int],
    latent_labels: int,
    seed: int,
) -> Bank:
    """Build every detector of one model W (hidden, feature) from labelled activations."""
    targets = len(data.positives)
    zero = np.zeros(targets, np.float32)
    found = Bank(targets)
    found.linear[DIRECTION] = np.ascontiguousarray(W[:, :targets].T), zero
    inverse = np.linalg.pinv(W.astype(np.float64), rcond=1e-6)[:targets]
    found.linear[LEAST_SQUARES] = inverse.astype(np.float32), zero
    fitted: list[tuple[Array, float] | None] = [None] * targets
    for count in sorted(label_counts):  # each probe starts from the one with fewer labels
        fitted = [logistic(*data.balanced(target, count), start=fitted[target]) for target in range(targets)]
        found.linear[logistic_name(count)] = _stacked([each for each in fitted if each is not None])
    for count in network_counts:
        inputs = data.all_balanced(count)
        found.networks[network_name(count)] = Networks(*inputs, NETWORK_WIDTH, network_steps, NETWORK_BATCH, seed)
    if latents is not None:
        found.best_latent, detectors = latent_detectors(data, latents, latent_counts, latent_labels)
        found.on_latents.append(OnLatents(latents, detectors))
    return found


def _stacked(fitted: list[tuple[Array, float]]) -> tuple[Array, Array]:
    return np.stack([row for row, _ in fitted]), np.array([bias for _, bias in fitted], np.float32)


def latent_detectors(
    data: Labelled, latents: Latents, counts: Sequence[int], labels: int, best: str = LATENT
) -> tuple[NDArray[np.int64], dict[str, tuple[Array, Array]]]:
    """Return the best single latent (target,), and as detectors that one and probes on the k best of `counts`.

    Latents are ranked by the difference of means between positives and negatives over the pooled standard deviation,
    on labels that nothing else is judged by.
    """
    ranked = [_ranked(latents, *np.split(data.balanced(target, labels)[0], 2)) for target in range(len(data.positives))]
    targets, size = len(ranked), len(ranked[0])
    chosen = np.array([order[0] for order in ranked])
    single = np.zeros((targets, size), np.float32)
    single[np.arange(targets), chosen] = 1
    found = {best: (single, np.zeros(targets, np.float32))}
    for count in counts:
        fitted = []
        for target, order in enumerate(ranked):
            h, positive = data.balanced(target, labels)
            row, bias = logistic(latents(h, order[:count]), positive)
            whole = np.zeros(size, np.float32)
            whole[order[:count]] = row
            fitted.append((whole, bias))
        found[sparse_name(count)] = _stacked(fitted)
    return chosen, found


def _ranked(latents: Latents, ordinary: Array, danger: Array) -> NDArray[np.int64]:
    """Return the latents (latent,), best first, from activations (sample, hidden) of negatives and of positives."""
    (low, low_power), (high, high_power) = (_moments_of_latents(latents, h) for h in (ordinary, danger))
    spread = np.sqrt(np.maximum(low_power - low**2 + high_power - high**2, 0) / 2) + 1e-6
    return np.argsort((low - high) / spread, kind="stable")


def _moments_of_latents(latents: Latents, h: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of latents and of their squares (latent,), taken piece by piece in the processor's cache."""
    first, second = np.zeros((2, latents.models[latents.instance].width))
    for start in range(0, len(h), PIECE):
        f = latents(h[start : start + PIECE])
        first += f.sum(0)
        second += np.einsum("nl,nl->l", f, f)
    return first / len(h), second / len(h)


def absent_scores(scores: Array, x: Array) -> Array:
    """Return scores (detector, target, sample) with those of samples that hold the target replaced by a low value.

    Such samples are no negatives of that target's alarm; at a base rate of a few in a thousand leaving them out so
    costs nothing that a rate could show.
    """
    kept = scores.copy()
    for target in range(scores.shape[1]):
        kept[:, target, x[:, target] > 0] = -np.inf
    return kept
