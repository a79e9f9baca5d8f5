"""All detectors of one model, built from labelled samples and judged together on the same activations.

A detector gives a score for every target and sample; an alarm is a score above a threshold. Linear detectors are rows
of one matrix, so that a million samples cost one product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.alarm.shared.probes import Networks, logistic
from experiments.alarm.shared.world import WorldConfig, background, dangerous, without
from experiments.core.autoencoders.inference import encode
from experiments.core.autoencoders.sources import Superposed
from experiments.core.autoencoders.specification import Autoencoder, Specification
from experiments.core.autoencoders.state import State
from experiments.core.autoencoders.train import train_autoencoders

Array = NDArray[np.float32]

DIRECTION, LEAST_SQUARES, LATENT = "direction", "least squares", "best latent"

NETWORK_WIDTH, NETWORK_BATCH = 32, 256


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
        return encode(self.state, self.models, self.instance, h, only)


def trained_latents(
    config: WorldConfig, W: Array, width: int, steps: int, batch: int, seed: int, device: str
) -> list[Latents]:
    """Train one autoencoder per model W (seed, hidden, feature), on its activations at the natural rates."""
    models = tuple(Autoencoder("batchtopk", width, config.active, seed=s, source=s) for s in range(len(W)))
    sources = [Superposed(each, config.densities) for each in W]
    specification = Specification(models, steps, batch, aux=True, seed=seed)
    trained = train_autoencoders(sources, specification, device=device)
    return [Latents(trained.state, models, s) for s in range(len(W))]


@dataclass(frozen=True)
class Labelled:
    """Labelled activations of one model: `negatives` and `positives` (target, sample, hidden)."""

    negatives: Array
    positives: Array

    def balanced(self, target: int, labels: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return `labels` samples, half of them positive, and their labels."""
        half = labels // 2
        h = np.concatenate([self.negatives[target, :half], self.positives[target, :half]])
        return h, np.arange(len(h)) >= half


def labelled(config: WorldConfig, W: Array, labels: int, generator: np.random.Generator) -> Labelled:
    """Draw activations with up to `labels` labels, half of them positive, for every target.

    Negatives lack their own target alone: a probe that never saw the other targets takes them for its own in use.
    """
    half = labels // 2
    ordinary = background(config, generator, half)
    negatives = [without(ordinary, target) @ W.T for target in range(config.targets)]
    positives = [
        dangerous(background(config, generator, half), target, generator) @ W.T for target in range(config.targets)
    ]
    return Labelled(np.stack(negatives), np.stack(positives))


@dataclass
class Bank:
    """The detectors of one model, by name in order.

    `rows` (detector, target, hidden) and `bias` (detector, target) are the linear ones; `latent_rows` (detector,
    target, latent) those on the autoencoder's latents; `networks` the small networks.
    """

    targets: int
    linear: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    on_latents: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    networks: dict[str, Networks] = field(default_factory=dict)
    latents: Latents | None = None
    best_latent: NDArray[np.int64] | None = None

    @property
    def names(self) -> list[str]:
        """The detectors in the order of `scores`."""
        return [*self.linear, *self.networks, *self.on_latents]

    def scores(self, h: Array) -> Array:
        """Return scores (detector, target, sample) of activations (sample, hidden)."""
        parts = [_linear(self.linear, h)] if self.linear else []
        parts += [network(h)[None] for network in self.networks.values()]
        if self.latents is not None:
            used = self._used_latents()
            rows = {name: (each[:, used], bias) for name, (each, bias) in self.on_latents.items()}
            parts.append(_linear(rows, self.latents(h, used)))
        return np.concatenate(parts)

    def _used_latents(self) -> NDArray[np.int64]:
        """Return the latents that some detector looks at: a few dozen of hundreds."""
        return np.flatnonzero(np.any([(rows != 0).any(0) for rows, _ in self.on_latents.values()], axis=0))


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
    for count in label_counts:
        fitted = [logistic(*data.balanced(target, count)) for target in range(targets)]
        found.linear[logistic_name(count)] = _stacked(fitted)
    for count in network_counts:
        inputs, labels = zip(*(data.balanced(target, count) for target in range(targets)), strict=True)
        found.networks[network_name(count)] = Networks(
            np.stack(inputs), np.stack(labels), NETWORK_WIDTH, network_steps, NETWORK_BATCH, seed
        )
    if latents is not None:
        found.latents = latents
        _add_latents(found, data, latents, latent_counts, latent_labels)
    return found


def _stacked(fitted: list[tuple[Array, float]]) -> tuple[Array, Array]:
    return np.stack([row for row, _ in fitted]), np.array([bias for _, bias in fitted], np.float32)


def _add_latents(found: Bank, data: Labelled, latents: Latents, counts: Sequence[int], labels: int) -> None:
    """Add the best single latent, and probes on the k latents that differ most between positives and negatives.

    "Differ" is the difference of means over the pooled standard deviation, on labels that nothing else is judged by.
    """
    ranked, coded = [], []
    for target in range(found.targets):
        h, positive = data.balanced(target, labels)
        f = latents(h)
        gap = f[positive].mean(0) - f[~positive].mean(0)
        spread = np.sqrt((f[positive].var(0) + f[~positive].var(0)) / 2) + 1e-6
        ranked.append(np.argsort(-gap / spread, kind="stable"))
        coded.append((f, positive))
    size = coded[0][0].shape[1]
    found.best_latent = np.array([order[0] for order in ranked])
    single = np.zeros((found.targets, size), np.float32)
    single[np.arange(found.targets), found.best_latent] = 1
    found.on_latents[LATENT] = single, np.zeros(found.targets, np.float32)
    for count in counts:
        fitted = []
        for (f, positive), order in zip(coded, ranked, strict=True):
            row, bias = logistic(f[:, order[:count]], positive)
            whole = np.zeros(size, np.float32)
            whole[order[:count]] = row
            fitted.append((whole, bias))
        found.on_latents[sparse_name(count)] = _stacked(fitted)


def absent_scores(scores: Array, x: Array) -> Array:
    """Return scores (detector, target, sample) with those of samples that hold the target replaced by a low value.

    Such samples are no negatives of that target's alarm; at a base rate of a few in a thousand leaving them out so
    costs nothing that a rate could show.
    """
    kept = scores.copy()
    for target in range(scores.shape[1]):
        kept[:, target, x[:, target] > 0] = -np.inf
    return kept
