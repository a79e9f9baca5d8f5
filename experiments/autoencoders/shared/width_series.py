"""Width series: autoencoders of rising width on one world, trained together and judged on the same events."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.autoencoders.shared.carriers import carriers, insertion_cost, removal_cost
from experiments.autoencoders.shared.split_probes import probe_curve, probe_latents
from experiments.core.autoencoders.inference import decode, dictionary, encode
from experiments.core.autoencoders.metrics import explained_variance
from experiments.core.autoencoders.sources import EVALUATION, stream
from experiments.core.autoencoders.specification import Autoencoder, Specification, Variant
from experiments.core.autoencoders.train import Trained, train_autoencoders
from experiments.core.synthetic_data import CLUSTER_WORLDS, ClusterShape, ClusterWorld, Events, Sample

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WidthSeriesConfig:
    """A cluster world and how autoencoders are trained on it; defaults are the published run.

    Widths are `ratios` times the number of clusters. Every seed has directions, data and first weights of its own.
    """

    seed: int = 0
    seeds: int = 12
    clusters: int = 8
    leaves: int = 8  # per cluster
    hidden: int = 32
    true_l0: float = 2.0  # features present on average, and latents allowed on average
    closeness: float = 0.65  # squared cosine of a leaf and the centre of its cluster
    zipf: float = 0.5  # leaf of rank r is used in proportion to r^-zipf
    child: float = 0.6  # probability that a parent of the hierarchical world has a child with it
    spread: float = 0.15  # standard deviation of magnitudes around 1
    ratios: tuple[float, ...] = (0.5, 1, 2, 4, 8, 16)
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 5e-3
    dead_after: int = 5000  # samples without firing after which the auxiliary loss takes a latent on
    resample: int = 250  # steps between resamplings
    resample_until: float = 0.8
    samples: int = 20_000  # of the evaluation

    @property
    def shape(self) -> ClusterShape:
        """The sizes of the worlds."""
        return ClusterShape(
            self.clusters,
            self.leaves,
            self.hidden,
            self.true_l0,
            self.closeness,
            self.zipf,
            self.child,
            self.spread,
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """The numbers of latents."""
        return tuple(round(ratio * self.clusters) for ratio in self.ratios)

    def worlds(self, name: str) -> list[ClusterWorld]:
        """Return one world per seed."""
        return [CLUSTER_WORLDS[name](self.shape, 1000 * self.seed + s) for s in range(self.seeds)]

    def models(self, variant: Variant = "batchtopk", frozen: bool = False) -> tuple[Autoencoder, ...]:
        """Return autoencoders (width, seed), seeds fastest, no two with the same first weights."""
        return tuple(
            Autoencoder(variant, width, self.true_l0, seed=1000 * number + s, source=s, frozen=frozen)
            for number, width in enumerate(self.widths)
            for s in range(self.seeds)
        )

    def specification(self, models: tuple[Autoencoder, ...], aux: bool = True, resample: bool = False) -> Specification:
        """Return how to train `models`, with the auxiliary loss for dead latents and no resampling unless told
        otherwise."""
        return Specification(
            models,
            steps=self.steps,
            batch=self.batch,
            learning_rate=self.learning_rate,
            aux=aux,
            dead_after=self.dead_after,
            resample=self.resample if resample else None,
            resample_until=self.resample_until,
            seed=self.seed,
        )


class JudgedDictionary(NamedTuple):
    """One autoencoder on the events of its world.

    `carrier` (event,) is the latent that carries each event. Per latent: decoder row `W_dec`, `helps` if silencing it
    raises the error, `novel` if the next narrower one would gain from it. `l0`, share `dead` of latents that never
    fire, share of variance `explained`; `probed` (cluster,) latents that a sparse probe for a cluster needs, if asked
    for.
    """

    carrier: NDArray[np.int64]
    W_dec: NDArray[np.float32]
    helps: NDArray[np.bool_]
    novel: NDArray[np.bool_]
    l0: float
    dead: float
    explained: float
    probed: NDArray[np.int64]


def train_widths(worlds: list[ClusterWorld], specification: Specification, device: str) -> Trained:
    """Train all dictionaries of all seeds at once."""
    return train_autoencoders(worlds, specification, device=device)


def judge_dictionaries(
    worlds: list[ClusterWorld], trained: Trained, config: WidthSeriesConfig, probes: int = 0, first: int = 0
) -> list[tuple[Events, list[JudgedDictionary]]]:
    """Return, for each seed, fresh events and the dictionaries judged on them, narrowest first.

    `probes` is the most latents that a sparse probe may use; 0 leaves the probes out. `first` is the number of the
    first autoencoder of the series, if several series were trained together.
    """
    found = []
    for s, world in enumerate(worlds):
        sample = world.sample(stream(config.seed, EVALUATION, s), config.samples)
        events, dictionaries = world.events(sample), []
        below = sample.activations - sample.activations.mean(axis=0)
        for number in range(len(config.widths)):
            one, below = _judge(trained, first + number * len(worlds) + s, sample, events, below, probes)
            dictionaries.append(one)
        found.append((events, dictionaries))
    return found


def _judge(
    trained: Trained, instance: int, sample: Sample, events: Events, below: NDArray[np.float32], probes: int
) -> tuple[JudgedDictionary, NDArray[np.float32]]:
    """Return one dictionary, judged, and its residual (sample, hidden); `below` is that of the next narrower one."""
    x = sample.activations
    latents = encode(trained.state, trained.models, instance, x)
    W_dec = dictionary(trained.state, trained.models, instance)
    residual = x - decode(trained.state, trained.models, instance, latents)
    fires = latents > 0
    one = JudgedDictionary(
        carriers(latents, W_dec, events),
        W_dec,
        removal_cost(latents, W_dec, residual) > 0,
        insertion_cost(latents, W_dec, below) < 0,
        float(fires.sum(1).mean()),
        float(1 - fires.any(0).mean()),
        explained_variance(x, x - residual),
        _probe_all(latents, sample.label >= 0, probes),
    )
    return one, residual


def _probe_all(latents: NDArray[np.float32], on: NDArray[np.bool_], most: int) -> NDArray[np.int64]:
    if not most:
        return np.zeros(0, dtype=np.int64)
    return np.array([probe_latents(probe_curve(latents, here, most)) for here in on.T], dtype=np.int64)
