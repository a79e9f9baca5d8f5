"""Networks trained to compute all pairwise ANDs, in the form of the construction with every weight free.

h = ReLU(W x + b), and the AND of features i and j is read as y_ij = sum_k h_k B_ki B_kj: a linear read-out whose
weights for a pair are products, as in the sparse random construction, where B is the wiring itself. The form makes the
squared error of all m (m - 1) / 2 pairs a matter of (neuron, neuron) matrices: with G = B B^T and u_i = y_ii,
    sum over pairs of y_ij^2 = (h^T (G * G) h - sum_i u_i^2) / 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Training:
    """How one network is trained, by Adam on fresh inputs."""

    steps: int = 1500
    batch: int = 128
    learning_rate: float = 0.02  # falling to 0 along a cosine
    weight_per_pair: float = 0.06  # weight of the error of a true pair, over the number of pairs


@dataclass
class Network:
    """Weights of one network: `W` (hidden, feature), `b` (hidden,), `B` (hidden, feature)."""

    W: Singles
    b: Singles
    B: Singles


def started(features: int, hidden: int, generator: np.random.Generator) -> Network:
    """Return first weights near the construction: half of all joins, thresholds at 1, and a read-out to match."""
    joined = generator.random((hidden, features)) < 0.5
    noise = 0.1 * generator.standard_normal((2, hidden, features))
    B = (joined - 0.5 + noise[0]) * np.sqrt(4 / hidden)
    return Network((joined + noise[1]).astype(np.float32), np.full(hidden, -1, np.float32), B.astype(np.float32))


def hidden_activity(network: Network, x: Singles) -> Singles:
    """Return h (input, hidden) for Boolean inputs x (input, feature)."""
    return np.asarray(np.maximum(x @ network.W.T + network.b, np.float32(0)), dtype=np.float32)


def loss_and_gradient(network: Network, sets: NDArray[np.int64], weight: float) -> tuple[float, Network]:
    """Return the mean over inputs of the summed squared errors of all pairs, true ones weighted, and its gradient.

    `sets` (input, active) lists the features that are on.
    """
    inputs, active = sets.shape
    features = network.W.shape[1]
    x = np.zeros((inputs, features), np.float32)
    np.put_along_axis(x, sets, np.float32(1), axis=1)
    h = hidden_activity(network, x)
    B = network.B
    G, squares = B @ B.T, B * B
    pulled = h @ (G * G)  # (input, hidden)
    u = h @ squares  # (input, feature)
    loss = 0.5 * float((pulled * h).sum() - (u * u).sum())
    dh = pulled - u @ squares.T
    dB = 2 * ((h.T @ h) * G) @ B - 2 * B * (h.T @ u)
    own = [B.T[sets[:, place]] for place in range(active)]  # (input, hidden) each: what reads the active features
    reads = [h * each for each in own]
    pulls = [np.zeros_like(h) for _ in own]
    for first in range(active):
        for second in range(first + 1, active):
            y = np.einsum("sk,sk->s", reads[first], own[second])
            loss += float((weight * (y - 1) ** 2 - y**2).sum())
            slope = (2 * weight * (y - 1) - 2 * y)[:, None].astype(np.float32)
            dh += slope * own[first] * own[second]
            pulls[first] += slope * reads[second]
            pulls[second] += slope * reads[first]
    # Sums over the inputs in which a feature is active are products with ones and zeros: much faster than `np.add.at`.
    for place, pull in enumerate(pulls):
        chosen = (sets[:, place, None] == np.arange(features)).astype(np.float32)
        dB += pull.T @ chosen
    dz = dh * (h > 0)
    scale = np.float32(1 / inputs)
    return loss / inputs, Network(dz.T @ x * scale, dz.sum(0) * scale, dB * scale)


def trained(features: int, hidden: int, active: int, training: Training, generator: np.random.Generator) -> Network:
    """Return one trained network; every input has `active` features on."""
    network = started(features, hidden, generator)
    weight = training.weight_per_pair * features * (features - 1) / 2
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in vars(network).items()}
    for step in range(training.steps):
        sets = generator.random((training.batch, features)).argpartition(active, axis=1)[:, :active]
        _, slope = loss_and_gradient(network, sets, weight)
        rate = training.learning_rate * 0.5 * (1 + np.cos(np.pi * step / training.steps))
        for name, (first, second) in moments.items():
            g = getattr(slope, name)
            first += np.float32(0.1) * (g - first)
            second += np.float32(0.01) * (g * g - second)
            size = rate / (1 - 0.9 ** (step + 1))
            value = getattr(network, name)
            value -= (
                np.float32(size) * first / (np.sqrt(second / np.float32(1 - 0.99 ** (step + 1))) + np.float32(1e-8))
            )
    return network


def worst_pair_errors(network: Network, sets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the largest error over all pairs, per input (input,)."""
    features = network.W.shape[1]
    x = np.zeros((len(sets), features), np.float32)
    np.put_along_axis(x, sets, np.float32(1), axis=1)
    h = hidden_activity(network, x)
    rows, columns = np.triu_indices(features, k=1)
    found = np.empty(len(sets))
    for n in range(len(sets)):
        y = (network.B.T * h[n]) @ network.B
        found[n] = np.abs(y - np.outer(x[n], x[n]))[rows, columns].max()
    return found
