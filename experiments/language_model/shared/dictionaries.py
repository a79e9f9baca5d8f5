"""Dictionaries: sparse autoencoders on a network's MLP activations, trained by the report's own trainer.

Activations are recorded at random places of the training text, once per network, scaled so that their mean squared
distance from the mean is the wanted L0 (the trainer's defaults are made for unit features), and batches are drawn from
the record. Dictionaries that differ in network or seed have first weights and batches of their own.
"""

import sys
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.core.autoencoders import (
    Autoencoder,
    Batch,
    Specification,
    Variant,
    cpu,
    cpu_encode,
    cpu_kernel,
    cpu_update,
    remedies,
    sources,
    state,
    train_autoencoders,
)
from experiments.core.autoencoders import train as train_module
from experiments.language_model.shared import network as network_module
from experiments.language_model.shared import text
from experiments.language_model.shared.checkpoints import Arrays, checkpoint
from experiments.language_model.shared.corpus import corpus
from experiments.language_model.shared.network import MODULES, Network, random_network, trained_networks
from experiments.language_model.shared.network_config import QUICK, NetworkConfig
from experiments.language_model.shared.transformer_model import forward

Array = NDArray[np.float32]

TRAINER = (cpu, cpu_encode, cpu_kernel, cpu_update, remedies, sources, state, train_module)
RECORDED_AT_ONCE = 32
ROWS = 1 << 11
"""Activations encoded at once: 64 MB of latents at the widest."""
RECORDED_FOR_SCALE = 1 << 13
APART = 100
"""Between the seeds of the dictionaries of one network and of the next."""


@dataclass(frozen=True)
class DictionaryConfig:
    """Widths are `ratios` times the MLP's; ratios up to `many_up_to` have `seeds` dictionaries per network, wider
    ones and all controls one. Above `all_up_to` only the first `wide_networks` networks have dictionaries."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    networks: int = 8
    wide_networks: int = 2
    ratios: tuple[float, ...] = (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32)
    many_up_to: float = 4
    all_up_to: float = 8
    seeds: int = 2
    relu_ratios: tuple[float, ...] = (1, 2)
    frozen_ratios: tuple[float, ...] = (1, 4)
    active: float = 8  # L0
    steps: int = 1200
    batch: int = 256
    learning_rate: float = 2e-3
    recorded: int = 1 << 19  # tokens whose activations are recorded

    def width(self, ratio: float) -> int:
        return round(ratio * self.network.mlp)

    def count(self, ratio: float, number: int) -> int:
        """Return how many dictionaries network `number` has at a ratio."""
        if ratio > self.all_up_to and number >= self.wide_networks:
            return 0
        return self.seeds if ratio <= self.many_up_to else 1


QUICK_DICTIONARIES = DictionaryConfig(network=QUICK, networks=3, wide_networks=1, active=6, steps=60, recorded=1 << 13)
"""For a run in seconds."""


@dataclass(frozen=True, eq=False)
class Dictionary:
    """One dictionary of unit rows `W_dec` (latent, mlp), with what encodes: see `encoded`.

    `arm` is "batchtopk", "relu", "frozen" (the decoder stays as drawn) or "random" (of a random network).
    """

    arm: str
    ratio: float
    seed: int
    scale: float
    W_dec: Array
    W_enc: Array
    b_enc: Array
    b_dec: Array
    threshold: float

    def encoded_at(self, tokens: NDArray[np.int64], h: Array) -> sparse.csr_matrix:
        """Return latents as `encoded` does, of the `tokens` (rising numbers) alone; those of others are left out."""
        f = self.encoded(h[tokens])
        count = np.zeros(len(h) + 1, np.int32)
        count[tokens + 1] = np.diff(f.indptr)
        return sparse.csr_matrix((f.data, f.indices, np.cumsum(count, dtype=np.int32)), shape=(len(h), f.shape[1]))

    def encoded(self, h: Array) -> sparse.csr_matrix:
        """Return latents (token, latent), at least 0, of MLP activations `h` (token, mlp)."""
        parts = []
        into = np.empty((min(ROWS, len(h)), len(self.W_enc)), np.float32)
        for k in range(0, len(h), ROWS):
            x = h[k : k + ROWS] * np.float32(self.scale) - self.b_dec
            v = np.matmul(x, self.W_enc.T, out=into[: len(x)])
            v += self.b_enc
            parts.append(_above(v, max(self.threshold, 0.0)))
        return sparse.vstack(parts, format="csr")

    def decoded(self, f: sparse.csr_matrix) -> Array:
        """Return the reconstruction (token, mlp) from latents."""
        return np.asarray((f @ self.W_dec + self.b_dec) / np.float32(self.scale), dtype=np.float32)


def _above(v: Array, threshold: float) -> sparse.csr_matrix:
    """Return `v` (token, latent) where it is above a threshold of at least 0: as scipy does, without a dense copy."""
    place = np.flatnonzero(v > threshold).astype(np.int32)
    row, column = np.divmod(place, np.int32(v.shape[1]))
    before = np.append(0, np.cumsum(np.bincount(row, minlength=len(v))))
    return sparse.csr_matrix((v.ravel()[place], column, before.astype(np.int32)), shape=v.shape)


@dataclass(frozen=True, eq=False)
class Recorded:
    """Activations (token, mlp), in half precision, from which batches are drawn; a source without known features."""

    pool: NDArray[np.float16]
    scale: float

    @property
    def directions(self) -> Array:
        return np.zeros((0, self.pool.shape[1]), np.float32)

    def draw(self, generator: np.random.Generator, count: int) -> Batch:
        """Return `count` recorded activations, drawn with replacement, and no features."""
        return Batch(self.activations(generator, count), np.zeros((count, 0), np.float32))

    def activations(self, generator: np.random.Generator, count: int) -> Array:
        """Return `count` recorded activations (sample, mlp), scaled."""
        rows = self.pool[generator.integers(0, len(self.pool), count)].astype(np.float32)
        return rows * np.float32(self.scale)


def all_networks(config: DictionaryConfig) -> tuple[list[Network], list[Network]]:
    """Return the trained networks and as many random ones."""
    trained = trained_networks(config.network, config.networks)
    return trained, [random_network(network, k) for k, network in enumerate(trained)]


def dictionaries(config: DictionaryConfig, networks: tuple[list[Network], list[Network]]) -> list[list[Dictionary]]:
    """Return the dictionaries of each network, those of the random control last in each list.

    A group that another process trains is left to it, and waited for when no other is left: experiments that run at
    the same time share the training.
    """
    trained, control = networks
    groups = [
        (k, network, group)
        for k in range(config.networks)
        for network, planned in ((trained[k], _models(config, k)), (control[k], _control(config, k)))
        for group in _by_size(config, planned)
    ]
    found: dict[int, list[Dictionary]] = {}
    for wait in (False, True):
        for number, (k, network, group) in enumerate(groups):
            if number not in found and (made := _kept(config, network, k, group, wait)) is not None:
                found[number] = made
    return [
        [one for number, group in enumerate(groups) if group[0] == k for one in found[number]]
        for k in range(config.networks)
    ]


Planned = tuple[str, float, Autoencoder]


def _models(config: DictionaryConfig, number: int) -> list[Planned]:
    planned = [
        _plan(config, number, "batchtopk", ratio, seed)
        for ratio in config.ratios
        for seed in range(config.count(ratio, number))
    ]
    planned += [_plan(config, number, "relu", ratio) for ratio in config.relu_ratios]
    return planned + [_plan(config, number, "frozen", ratio) for ratio in config.frozen_ratios]


def _control(config: DictionaryConfig, number: int) -> list[Planned]:
    return [_plan(config, number, "random", ratio) for ratio in config.ratios if config.count(ratio, number)]


def _plan(config: DictionaryConfig, number: int, arm: str, ratio: float, seed: int = 0) -> Planned:
    """Return a dictionary to train; its first weights depend on the experiment's seed and on the network's number."""
    variant: Variant = "relu" if arm == "relu" else "batchtopk"
    drawn = config.network.seed + APART * number + seed
    model = Autoencoder(
        variant, config.width(ratio), config.active, seed=drawn, source=seed, frozen=arm == "frozen"
    )  # fmt: skip
    return arm, ratio, model


def _by_size(config: DictionaryConfig, planned: list[Planned]) -> list[list[Planned]]:
    """Return the plan in two parts, trained one after the other: together, all would take the widest's memory."""
    usual = [each for each in planned if each[1] <= config.all_up_to]
    wide = [each for each in planned if each[1] > config.all_up_to]
    return [part for part in (usual, wide) if part]


def _kept(
    config: DictionaryConfig, network: Network, number: int, planned: list[Planned], wait: bool
) -> list[Dictionary] | None:
    """Return a group of dictionaries; None where another process trains them and there is no `wait` for it."""
    modules = (*MODULES, *TRAINER, network_module, sys.modules[__name__])
    place = checkpoint(f"dictionaries-{number}-{planned[0][0]}-{planned[0][1]:g}x", config, modules, (text.ARCHIVE,))
    with place.held(wait) as mine:
        if not mine:
            return None
        found = place.load()
        if found is None:
            found = _trained(config, network, number, planned)
            place.save(found)
    return [_unpacked(found, k, arm, ratio, model.source) for k, (arm, ratio, model) in enumerate(planned)]


def _trained(config: DictionaryConfig, network: Network, number: int, planned: list[Planned]) -> Arrays:
    source = record(config, network, number)
    models = tuple(model for _, _, model in planned)
    specification = Specification(
        models, config.steps, config.batch, config.learning_rate, aux=True, resample=max(config.steps // 8, 1),
        seed=config.network.seed + number,
    )  # fmt: skip
    final = train_autoencoders([source] * (1 + max(model.source for model in models)), specification).state
    arrays: Arrays = {}
    for k, model in enumerate(models):
        for name in ("W_dec", "W_enc", "b_enc"):
            arrays[f"{k}.{name}"] = getattr(final.named, name)[k, : model.width].copy()
        arrays[f"{k}.b_dec"] = final.named.b_dec[k].copy()
        arrays[f"{k}.threshold"] = np.array(final.threshold[k] if model.variant == "batchtopk" else 0.0)
        arrays[f"{k}.scale"] = np.array(source.scale)
    return arrays


def _unpacked(arrays: Arrays, k: int, arm: str, ratio: float, seed: int) -> Dictionary:
    found = {name: arrays[f"{k}.{name}"] for name in ("W_dec", "W_enc", "b_enc", "b_dec", "threshold", "scale")}
    numbers = {name: float(found.pop(name)) for name in ("threshold", "scale")}
    return Dictionary(arm=arm, ratio=ratio, seed=seed, **found, **numbers)  # type: ignore[arg-type]


def record(config: DictionaryConfig, network: Network, number: int) -> Recorded:
    """Return activations at every position of random windows of the training text."""
    stream, context = corpus(config.network.text).stream, config.network.context
    rng = np.random.default_rng([config.network.seed, number, 3])
    places = rng.integers(0, len(stream) - context, config.recorded // context)
    pool = np.empty((len(places) * context, config.network.mlp), np.float16)
    for k in range(0, len(places), RECORDED_AT_ONCE):
        ids = stream[places[k : k + RECORDED_AT_ONCE, None] + np.arange(context)]
        pool[k * context : k * context + ids.size] = forward(network.weights, ids, network.config.heads).h
    some = pool[:RECORDED_FOR_SCALE].astype(np.float32)
    return Recorded(pool, float(np.sqrt(config.active / some.var(0).sum())))
