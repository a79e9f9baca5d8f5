"""What happens to a motif's output when its inhibiting neuron is removed, and when another neuron is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.computation.shared.absolute import outputs
from experiments.computation.shared.motifs import Motif, motifs
from experiments.computation.shared.neurons import Rescaled
from experiments.core.training import Weights

Array = NDArray[np.float64]


class Ablation(NamedTuple):
    """Errors of output j of a motif; squared ones over 1/3, the error of an output of 0 on a present feature.

    "Alone" are samples with x_i on the motif's side and without x_j, "both" such with x_j; all other features are
    present at their own rate. `other` is the mean over other neurons that fire on these samples.
    """

    intact: float
    without: float
    other: float
    error_before: float
    error_after: float


def ablations(weights: Weights, units: Rescaled, p: float, samples: int, seed: int) -> Array:
    """Return what removing neurons does at density `p`: (model, 5), the fields of `Ablation`, means over motifs.

    Models without a motif that can be tested are left out. `units` are the rescaled `weights`; each model sees its own
    `samples`.
    """
    rows = []
    for k, (W, R) in enumerate(zip(units.W, units.R, strict=True)):
        generator = np.random.default_rng([seed, 4, k])
        tested = [
            ablated(weights, k, motif, others, motif_samples(generator, samples, p, W, motif))
            for motif in motifs(W, R)
            if (others := firing(W, motif))
        ]
        if tested:
            rows.append(np.mean(tested, axis=0))
    return np.array(rows).reshape(-1, len(Ablation._fields))


def firing(W: Array, motif: Motif) -> list[int]:
    """Return the other neurons that fire on the motif's side of x_i, those that inhibit output j as well included."""
    side = np.sign(W[motif.a, motif.i]) * W[:, motif.i] > 0.05
    return [int(c) for c in np.flatnonzero(side) if c not in (motif.a, motif.b)]


def motif_samples(generator: np.random.Generator, count: int, p: float, W: Array, motif: Motif) -> Array:
    """Return samples (2, sample, feature): x_i on the motif's side, without x_j and with it."""
    shape = (count, W.shape[1])
    x = np.where(generator.random(shape) < p, generator.uniform(-1, 1, shape), 0.0)
    x[:, motif.i] = np.sign(W[motif.a, motif.i]) * generator.random(count)
    x[:, motif.j] = 0.0
    both = x.copy()
    both[:, motif.j] = generator.uniform(-1, 1, count)
    return np.stack([x, both])


def ablated(weights: Weights, k: int, motif: Motif, others: list[int], x: Array) -> Ablation:
    """Return what removing the inhibitor of one motif of model k does, and each of `others`, on samples x."""
    alone, both = x.astype(np.float32)

    def error(samples: NDArray[np.float32], removed: int | None) -> Array:
        kept = weights if removed is None else _without(weights, removed)
        return np.asarray(outputs(kept, k, samples)[:, motif.j] - np.abs(samples[:, motif.j]), dtype=np.float64)

    square = [3 * (error(alone, removed) ** 2).mean() for removed in (None, motif.b, *others)]
    return Ablation(
        square[0],
        square[1],
        float(np.mean(square[2:])),
        float(error(both, None).mean()),
        float(error(both, motif.b).mean()),
    )


def _without(weights: Weights, neuron: int) -> Weights:
    """Return the models with one neuron's read-out set to zero."""
    assert weights.W_out is not None
    W_out = weights.W_out.copy()
    W_out[:, :, neuron] = 0
    return Weights(weights.W, weights.b, W_out)
