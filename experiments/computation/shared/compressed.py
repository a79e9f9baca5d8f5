"""Measures of the dispute on compressed computation: more ReLU functions than neurons, or a smaller error otherwise?

The model is y = W_out ReLU(W x) without biases, the label y* = ReLU(x) + Mx with a fixed mixing matrix M. Features are
present with probability p, with values uniform on [-1, 1]. Braun et al. 2025; Bhagat et al. 2026 (arXiv:2606.14673).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.specification import Weights

Array = NDArray[np.float64]


def mixing_matrices(features: int, seeds: int, seed: int) -> Array:
    """Return random symmetric matrices (seed, feature, feature): zero on the diagonal, N(0, 1) elsewhere."""
    drawn = np.stack([np.random.default_rng([seed, k]).standard_normal((features, features)) for k in range(seeds)])
    upper = np.triu(drawn, 1)
    return np.asarray(upper + np.swapaxes(upper, 1, 2))


def naive_loss(features: int, hidden: int, p: float) -> float:
    """Return the mean squared error of the naive half against ReLU(x): one neuron each for as many as there are.

    A feature without a neuron costs E ReLU(x)^2 = p / 6, one with a neuron nothing.
    """
    return (features - hidden) / features * p / 6


def offset_gain(features: int, hidden: int, p: float) -> float:
    """Return the share of the naive half's loss that its neurons can save by also guessing the other outputs' mean.

    Each output without a neuron adds c times the sum S of all neurons; the best c saves E[y]^2 E[S]^2 / E[S^2].
    """
    mean = p / 4
    square = hidden * p / 6 + hidden * (hidden - 1) * mean**2
    saved = (features - hidden) / features * mean**2 * (hidden * mean) ** 2 / square
    return saved / naive_loss(features, hidden, p)


def best_linear_loss(mixing: ArrayLike, hidden: int, p: float) -> Array:
    """Return the least mean squared error (...) of any linear map of rank `hidden` on labels ReLU(x) + Mx.

    ReLU(x) = x/2 + |x|/2, and |x| is uncorrelated with x. The second part costs p / 12; of the first, I/2 + M, the
    singular values beyond the rank remain (Eckart and Young), each squared times E[x^2] = p / 3.
    """
    M = np.asarray(mixing, dtype=np.float64)
    features = M.shape[-1]
    singular = np.linalg.svd(np.eye(features) / 2 + M, compute_uv=False)
    return np.asarray(p / 12 + (singular[..., hidden:] ** 2).sum(-1) * p / 3 / features)


class Errors(NamedTuple):
    """Squared error of one network in units of the naive half's whole error on the same samples.

    `active` is what outputs whose feature is present contribute, `crosstalk` what all others do, `total` their sum;
    the naive half has 1, 0 and 1 against ReLU(x). `fourth` is the mean of the error's fourth power over the naive
    half's.
    """

    active: float
    crosstalk: float
    total: float
    fourth: float


def errors(y: Array, target: Array, x: Array, hidden: int) -> Errors:
    """Return the errors of outputs `y` (sample, feature) for inputs `x`; `hidden` is the naive half's neurons.

    What the naive half loses is averaged over the choices of features that have no neuron.
    """
    square, present = (y - target) ** 2, x != 0
    positive, without = np.maximum(x, 0.0), 1 - hidden / x.shape[1]
    naive = without * (positive**2).sum()
    active, crosstalk = square[present].sum() / naive, square[~present].sum() / naive
    return Errors(active, crosstalk, active + crosstalk, (square**2).sum() / (without * (positive**4).sum()))


def drawn_inputs(features: int, p: float, samples: int, generator: np.random.Generator) -> Array:
    """Return fresh inputs (sample, feature)."""
    present = generator.random((samples, features)) < p
    return np.asarray(np.where(present, 2 * generator.random((samples, features)) - 1, 0.0))


def network_outputs(weights: Weights, instance: int, x: Array, relu: bool = True) -> Array:
    """Return y (sample, feature) of one instance without biases."""
    h = x @ weights.W[instance].T.astype(np.float64)
    return np.asarray((np.maximum(h, 0.0) if relu else h) @ _read_out(weights)[instance].T)


class Response(NamedTuple):
    """What output i does when feature i alone is present: y_i = rise * x_i above 0 and fall * |x_i| below."""

    rise: Array  # (instance, feature)
    fall: Array  # (instance, feature)


def responses(weights: Weights, relu: bool = True) -> Response:
    """Return the response of every feature; ReLU(x) has rise 1 and fall 0, x / 2 has rise 1/2 and fall -1/2."""
    W, R = weights.W.astype(np.float64), _read_out(weights)
    up, down = (np.maximum(sign * W, 0.0) if relu else sign * W for sign in (1, -1))
    return Response(np.einsum("sik,ski->si", R, up), np.einsum("sik,ski->si", R, down))


def functions_per_neuron(weights: Weights, relu: bool = True) -> Array:
    """Return how many ReLU functions' worth of nonlinearity there is per neuron, (instance,).

    The even part of a response, (rise + fall) / 2, is 1/2 for a ReLU and 0 for anything linear. Its sum over
    features, over 1/2 and over the number of neurons, is 1 for the naive half.
    """
    found = responses(weights, relu)
    return np.asarray((found.rise + found.fall).sum(1) / weights.W.shape[1])


def eigenspace_overlap(weights: Weights, mixing: Array) -> Array:
    """Return the share (instance,) of the space that the neurons read which lies in M's top eigenspace, in [0, 1].

    Both spaces have as many dimensions as there are neurons; random spaces share hidden / features.
    """
    hidden = weights.W.shape[1]
    rows = np.linalg.svd(weights.W.astype(np.float64), full_matrices=False)[2]
    top = np.linalg.eigh(mixing)[1][..., -hidden:]
    return np.asarray(((rows @ top) ** 2).sum((1, 2)) / hidden)


def _read_out(weights: Weights) -> Array:
    if weights.W_out is None:
        raise ValueError("weights.W_out is None; these measures are for untied models")
    return weights.W_out.astype(np.float64)
