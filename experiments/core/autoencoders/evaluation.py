"""Scores of trained autoencoders on fresh samples, the same samples for all that share a source."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.core.autoencoders import metrics
from experiments.core.autoencoders.inference import decode, dictionary, encode
from experiments.core.autoencoders.sources import EVALUATION, Batch, Source, stream
from experiments.core.autoencoders.train import Trained

Array = NDArray[np.float64]

SAMPLES = 1 << 14
"""Default number of samples; a latent counts as dead if it is silent on all of them."""

CHANCE_DRAWS = 8
"""Random dictionaries behind each chance level."""

_CHUNK = 1 << 12


@dataclass(frozen=True)
class Recovery:
    """Scores (instance,), formulas in `metrics`; the features counted are those asked for.

    `mmcs`, `signed_mcc` and `coverage` take the sign of cosines, `mcc` and `uniqueness` do not, as published.
    `precision`, `recall`, `f1` are means over latents, against the feature of largest |cos|. `slope` is the median
    over covered features (NaN if none is). `chance_*` are scores of random directions. `cosine`, `feature_f1`
    (instance, feature) belong to the latent nearest to each feature; NaN for features that are not counted. `samples`
    are behind all of it.
    """

    mmcs: Array
    mcc: Array
    signed_mcc: Array
    uniqueness: Array
    coverage: Array
    precision: Array
    recall: Array
    f1: Array
    explained: Array
    l0: Array
    true_l0: Array
    dead: Array
    shrinkage: Array
    slope: Array
    chance_mmcs: Array
    chance_mcc: Array
    chance_signed_mcc: Array
    cosine: Array
    feature_f1: Array
    samples: int


def evaluate_autoencoders(
    trained: Trained,
    sources: Source | Sequence[Source],
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    counted: Sequence[NDArray[np.bool_]] | None = None,
) -> Recovery:
    """Score every autoencoder on `samples` fresh samples of its own source.

    `counted` (feature,), one per source, says which features are to be recovered: all by default. A toy model may
    have left some out, and what is not in the activations cannot be found there.
    """
    listed = tuple(sources) if isinstance(sources, Sequence) else (sources,)
    with threadpool_limits(1):
        rows = [{} for _ in trained.models]  # type: list[dict[str, object]]
        for number in sorted({model.source for model in trained.models}):
            source = listed[number]
            batch = source.draw(stream(seed, EVALUATION, number), samples)
            mask = np.ones(batch.features.shape[1], bool) if counted is None else np.asarray(counted[number])
            chance: dict[int, tuple[float, float, float]] = {}
            for i in (i for i, model in enumerate(trained.models) if model.source == number):
                width = trained.models[i].width
                if width not in chance:
                    chance[width] = _chance(source.directions[mask], width, seed)
                scores = dict(zip(("chance_mmcs", "chance_mcc", "chance_signed_mcc"), chance[width], strict=True))
                rows[i] = scores | _scores(trained, i, batch, source.directions, mask)
    names = [each.name for each in fields(Recovery) if each.name != "samples"]
    return Recovery(**{name: np.array([row[name] for row in rows]) for name in names}, samples=samples)


def _chance(directions: NDArray[np.float32], width: int, seed: int) -> tuple[float, float, float]:
    generator = stream(seed, EVALUATION, width, 1)
    hidden = directions.shape[1]
    drawn = [metrics.random_dictionary(width, hidden, generator) for _ in range(CHANCE_DRAWS)]
    found = [metrics.cosines(rows, directions) for rows in drawn]
    scores = [(metrics.mmcs(c), metrics.mcc(c), metrics.mcc(c, signed=True)) for c in found]
    mean = np.mean(scores, axis=0)
    return float(mean[0]), float(mean[1]), float(mean[2])


class _Sums:
    """Sums over samples: of squares for variance and error, and counts for pairs of a latent and a feature."""

    def __init__(self, hidden: int, nearest: NDArray[np.int64], best: NDArray[np.int64]) -> None:
        self.nearest, self.best = nearest, best  # feature of each latent, latent of each feature
        self.x, self.square, self.error, self.ratio, self.long, self.active = np.zeros(hidden), 0.0, 0.0, 0.0, 0, 0
        latents, features = len(nearest), len(best)
        self.fired, self.both = np.zeros(latents), np.zeros(latents)
        self.present, self.found = np.zeros(features), np.zeros(features)
        self.product, self.magnitude = np.zeros(features), np.zeros(features)

    def add(self, x: NDArray[np.float32], output: NDArray[np.float32], f: NDArray[np.float32], s: Array) -> None:
        """Add a chunk; `s` (sample, feature) are the features' magnitudes."""
        fires, present = f > 0, s > 0
        square, error = (x.astype(np.float64) ** 2).sum(axis=1), (x - output).astype(np.float64)
        length = np.sqrt(square)
        long = length > 1e-6
        self.x += x.sum(axis=0, dtype=np.float64)
        self.square += float(square.sum())
        self.error += float((error**2).sum())
        self.ratio += float((np.linalg.norm(output[long].astype(np.float64), axis=1) / length[long]).sum())
        self.long += int(long.sum())
        self.active += int(fires.sum())
        self.fired += fires.sum(axis=0)
        self.both += (fires & present[:, self.nearest]).sum(axis=0)
        self.present += present.sum(axis=0)
        together = fires[:, self.best] & present
        self.found += together.sum(axis=0)
        self.product += (f[:, self.best] * s * together).sum(axis=0)
        self.magnitude += (s**2 * together).sum(axis=0)


def _scores(
    trained: Trained, i: int, batch: Batch, directions: NDArray[np.float32], mask: NDArray[np.bool_]
) -> dict[str, object]:
    state, models = trained.state, trained.models
    truth = directions[mask]
    lengths = np.linalg.norm(truth.astype(np.float64), axis=1)
    cosine = metrics.cosines(dictionary(state, models, i), truth)
    sums = _Sums(truth.shape[1], np.abs(cosine).argmax(axis=1), cosine.argmax(axis=0))
    count = len(batch.activations)
    for first in range(0, count, _CHUNK):
        x, values = (part[first : first + _CHUNK] for part in batch)
        f = encode(state, models, i, x)
        sums.add(x, decode(state, models, i, f), f, values[:, mask] * lengths)
    latent = metrics.from_counts(sums.both, sums.fired, sums.present[sums.nearest])
    feature_f1 = metrics.from_counts(sums.found, sums.fired[sums.best], sums.present).f1
    best_cosine = cosine.max(axis=0)
    covered = metrics.covered(best_cosine, feature_f1)
    slopes = sums.product[covered] / np.maximum(sums.magnitude[covered], 1e-12)
    return {
        "mmcs": metrics.mmcs(cosine),
        "mcc": metrics.mcc(cosine),
        "signed_mcc": metrics.mcc(cosine, signed=True),
        "uniqueness": metrics.uniqueness(cosine),
        "coverage": float(covered.mean()),
        "precision": float(latent.precision.mean()),
        "recall": float(latent.recall.mean()),
        "f1": float(latent.f1.mean()),
        "explained": 1 - sums.error / max(sums.square - float((sums.x**2).sum()) / count, 1e-12),
        "l0": sums.active / count,
        "true_l0": float((batch.features > 0).sum(axis=1).mean()),
        "dead": int((sums.fired == 0).sum()),
        "shrinkage": sums.ratio / max(sums.long, 1),
        "slope": float(np.median(slopes)) if len(slopes) else np.nan,
        "cosine": _spread(best_cosine, mask),
        "feature_f1": _spread(feature_f1, mask),
    }


def _spread(values: Array, mask: NDArray[np.bool_]) -> Array:
    whole = np.full(len(mask), np.nan)
    whole[mask] = values
    return whole
