"""Ways of reading a feature off a superposition model's activations, and the interference that each leaves."""

import numpy as np
from numpy.typing import NDArray

from experiments.autoencoders.shared.kinds import KINDS
from experiments.autoencoders.shared.own_models import Worlds
from experiments.core.autoencoders.inference import dictionary, encode
from experiments.core.autoencoders.metrics import cosines, from_counts
from experiments.core.autoencoders.sources import Batch
from experiments.core.autoencoders.specification import VARIANTS
from experiments.core.autoencoders.train import Trained
from experiments.core.read_out import least_squares
from experiments.core.sparse_coding import interference, sparse_code

Array = NDArray[np.float64]

READ_OUTS = ("linear", "own", *VARIANTS, "frozen", "learned code", "true code")
"""What a feature is read with: the best linear probe; the model's own ReLU(W^T h + b); the latent of each autoencoder
that is nearest to the feature; sparse coding (FISTA) with the dictionary that `topk` learned, and with the true one."""

CODE_PENALTY = 0.01


def own_read_out(worlds: Worlds, s: int, batch: Batch) -> Array:
    """Return the model's own read-out ReLU(W^T h + b) of represented features: (sample, feature)."""
    weights, counted = worlds.weights, worlds.counted[s]
    y = batch.activations @ weights.W[s][:, counted] + weights.b[s][counted]
    return np.asarray(np.maximum(y, 0), dtype=np.float64)


def best_f1(worlds: Worlds, s: int, batch: Batch) -> float:
    """Return the F1 of the model's own read-out, each feature at its best threshold, mean over features."""
    y, present = own_read_out(worlds, s, batch), batch.features[:, worlds.counted[s]] > 0
    by_threshold = []
    for threshold in np.linspace(0, 0.5, 26):
        fires = y > threshold
        by_threshold.append(from_counts((fires & present).sum(0), fires.sum(0), present.sum(0)).f1)
    return float(np.max(by_threshold, axis=0).mean())


def interference_left(worlds: Worlds, trained: Trained, s: int, batch: Batch, coded: int) -> Array:
    """Return the interference that every read-out of model `s` leaves, mean over represented features: (read-out,).

    `trained` holds one autoencoder for each kind and model, models fastest. Sparse codes are found for the first
    `coded` samples.
    """
    counted, few = worlds.counted[s], slice(coded)
    value, h, truth = batch.features[:, counted], batch.activations, worlds.sources[s].directions[counted]
    R = least_squares(worlds.weights.W[s : s + 1], np.full(1, worlds.density)).W_out
    assert R is not None
    left = {
        "linear": interference(h @ R[0][counted].T, value),
        "own": interference(own_read_out(worlds, s, batch), value),
    }
    for k, kind in enumerate(KINDS):
        i = k * len(worlds.sources) + s
        nearest = cosines(dictionary(trained.state, trained.models, i), truth).argmax(axis=0)
        left[kind] = interference(encode(trained.state, trained.models, i, h)[:, nearest], value)
        if kind == "topk":
            code = sparse_code(dictionary(trained.state, trained.models, i), h[few], CODE_PENALTY, dtype=np.float32)
            left["learned code"] = interference(code[:, nearest], value[few])
    unit = truth / np.linalg.norm(truth, axis=1, keepdims=True)
    left["true code"] = interference(sparse_code(unit, h[few], CODE_PENALTY, dtype=np.float32), value[few])
    return np.array([left[name].mean() for name in READ_OUTS])
