"""Training against attacks: tied ReLU models that meet, at every step, an attack on a random feature of every input.

Elhage et al. 2022, "The relationship between superposition and adversarial robustness": a feature is drawn for each
input, and the input is moved along `G_i / ||G_i||`, the analytic l2 attack on the current weights, with the sign that
harms more; the loss is that of the attacked input against the clean one. All budgets of a seed train on the same
inputs; gradients do not go through the choice of the attack.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core import progress
from experiments.core.threads import in_parallel
from experiments.core.training.seeds import DATA, START, stream
from experiments.core.training.specification import Recipe, Weights

Array = NDArray[np.float32]

CHUNK = 25
"""How many steps' draws are made at a time, so that they fit into the cache of the processor."""

BETA1, BETA2, EPSILON = Recipe().beta1, Recipe().beta2, Recipe().epsilon
"""Adam's constants."""


@dataclass(frozen=True)
class Hardening:
    """How models are trained against attacks; the learning rate falls to 0 along a cosine."""

    features: int = 80
    hidden: int = 8
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 1e-2


def harden(density: ArrayLike, size: ArrayLike, seeds: list[int], how: Hardening) -> Weights:
    """Return trained models, arrays (seed, condition, ...).

    A condition is a `density` (condition,) and a `size` (seed, condition) of attack in the l2 norm; 0 trains on clean
    inputs. A seed decides the first weights and all draws, which the conditions share.
    """
    p = np.asarray(density, dtype=np.float32)
    sizes = np.broadcast_to(np.asarray(size, dtype=np.float32), (len(seeds), len(p)))

    def one(part: tuple[int, Array]) -> tuple[Array, Array]:
        found = _one_seed(p, part[1], part[0], how)
        progress.advance("training against attacks", 0.5)
        return found

    found = in_parallel(one, list(zip(seeds, sizes, strict=True)))
    return Weights(np.stack([W for W, _ in found]), np.stack([b for _, b in found]))


def _one_seed(p: Array, size: Array, seed: int, how: Hardening) -> tuple[Array, Array]:
    """Train all conditions from one start on one stream of draws."""
    start, draws = stream(seed, START), stream(seed, DATA)
    n, m = how.features, how.hidden
    first = (np.sqrt(2.0 / (m + n)) * start.standard_normal((m, n))).astype(np.float32)
    values = np.empty((len(p), m + 1, n), dtype=np.float32)  # the last row is the bias
    values[:, :m], values[:, m] = first, p[:, None] / 2
    moments = np.zeros((2, *values.shape), dtype=np.float32)
    for begin in range(0, how.steps, CHUNK):
        steps = np.arange(begin, min(begin + CHUNK, how.steps))
        presence, value = np.empty((2, len(steps), how.batch, n), dtype=np.float32)
        target = np.empty((len(steps), how.batch), dtype=np.int64)
        for k in range(len(steps)):
            draws.random(out=presence[k], dtype=np.float32)
            draws.random(out=value[k], dtype=np.float32)
            target[k] = draws.integers(0, n, how.batch)
        rates = how.learning_rate * 0.5 * (1 + np.cos(np.pi * steps / how.steps))
        slopes, scales = rates / (1 - BETA1 ** (steps + 1)), 1 / np.sqrt(1 - BETA2 ** (steps + 1))
        for c in range(len(p)):
            _train(
                values[c], moments[0, c], moments[1, c], presence, value, target, p[c], size[c],
                slopes.astype(np.float32), scales.astype(np.float32),
            )  # fmt: skip
    return values[:, :m].copy(), values[:, m].copy()


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _train(values, first, second, presence, value, target, p, size, slopes, scales):
    """Train one model (hidden + 1, feature), its bias the last row, for as many steps as there are draws."""
    rows, n = values.shape
    m = rows - 1
    batch = presence.shape[1]
    unit = np.float32(2) / np.float32(batch * n)
    move = np.zeros((n, n), dtype=np.float32)
    moved = np.zeros((n, n), dtype=np.float32)
    hidden_move = np.zeros((n, m), dtype=np.float32)
    signed = np.zeros((n, m), dtype=np.float32)
    grad = np.zeros((rows, n), dtype=np.float32)
    columns = np.zeros((n, m), dtype=np.float32)
    x, z, error = np.zeros(n, np.float32), np.zeros(n, np.float32), np.zeros(n, np.float32)
    h, back = np.zeros(m, np.float32), np.zeros(m, np.float32)
    active = np.zeros(n, np.int64)
    for step in range(presence.shape[0]):
        for k in range(m):
            columns[:, k] = values[k]
        if size > 0:
            _attacks(values, columns, size, move, hidden_move, moved)
        grad[:] = 0
        signed[:] = 0
        for s in range(batch):
            count = _input(presence[step, s], value[step, s], p, columns, x, h, active)
            _output(values, h, z)
            t = target[step, s]
            sign = np.float32(0)
            if size > 0:
                sign = _worse_sign(x, z, moved[t])
                for f in range(n):
                    z[f] += sign * moved[t, f]
                for k in range(m):
                    h[k] += sign * hidden_move[t, k]
            _backward(values, x, z, h, active[:count], unit, grad, error, back)
            for k in range(m):
                signed[t, k] += sign * back[k]
        if size > 0:
            for i in range(n):
                for k in range(m):
                    for f in range(n):
                        grad[k, f] += signed[i, k] * move[i, f]
        _adam(values, first, second, grad, slopes[step], scales[step])


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _input(presence, value, p, columns, x, h, active):
    """Fill in an input x (feature,), h = W x (hidden,) and which features are present; return how many are."""
    count = 0
    for f in range(len(x)):
        if presence[f] < p:
            active[count] = f
            count += 1
    h[:] = 0
    x[:] = 0
    for a in range(count):
        f = active[a]
        x[f] = value[f]
        for k in range(len(h)):
            h[k] += x[f] * columns[f, k]
    return count


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _output(values, h, z):
    """Fill in the pre-activations z = W^T h + b (feature,)."""
    m = len(h)
    for f in range(len(z)):
        z[f] = values[m, f]
    for k in range(m):
        for f in range(len(z)):
            z[f] += h[k] * values[k, f]


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _backward(values, x, z, h, active, unit, grad, error, back):
    """Add one sample's part to `grad`, but for what the attack adds to the input; `back` (hidden,) is W error."""
    m = len(h)
    for f in range(len(z)):
        error[f] = unit * (z[f] - x[f]) if z[f] > 0 else np.float32(0)
        grad[m, f] += error[f]
    for k in range(m):
        total = np.float32(0)
        for f in range(len(z)):
            grad[k, f] += h[k] * error[f]
            total += values[k, f] * error[f]
        back[k] = total
    for a in range(len(active)):
        f = active[a]
        for k in range(m):
            grad[k, f] += back[k] * x[f]


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _attacks(values, columns, size, move, hidden_move, moved):
    """Fill in, for each feature, the attack on it (feature,), what it adds to h (hidden,) and to W^T h (feature,)."""
    n, m = columns.shape
    for i in range(n):
        move[i] = 0
        for k in range(m):
            for f in range(n):
                move[i, f] += columns[i, k] * values[k, f]
        square = np.float32(0)
        for f in range(n):
            square += move[i, f] * move[i, f]
        scale = size / max(np.sqrt(square), np.float32(1e-12))
        for f in range(n):
            move[i, f] *= scale
        moved[i] = 0
        for k in range(m):
            total = np.float32(0)
            for f in range(n):
                total += values[k, f] * move[i, f]
            hidden_move[i, k] = total
            for f in range(n):
                moved[i, f] += total * values[k, f]


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _worse_sign(x, z, moved):
    """Return which of the two attacks, + or -, leaves the larger squared error."""
    up, down = np.float32(0), np.float32(0)
    for f in range(len(x)):
        more = max(z[f] + moved[f], np.float32(0)) - x[f]
        less = max(z[f] - moved[f], np.float32(0)) - x[f]
        up += more * more
        down += less * less
    return np.float32(1) if up >= down else np.float32(-1)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _adam(values, first, second, grad, slope, scale):
    """Take one step of Adam; `slope` is the learning rate and `scale` the factor of the root, bias corrected."""
    beta1, beta2, epsilon = np.float32(BETA1), np.float32(BETA2), np.float32(EPSILON)
    for k in range(values.shape[0]):
        for f in range(values.shape[1]):
            g = grad[k, f]
            first[k, f] = beta1 * first[k, f] + (np.float32(1) - beta1) * g
            second[k, f] = beta2 * second[k, f] + (np.float32(1) - beta2) * g * g
            values[k, f] -= slope * first[k, f] / (np.sqrt(second[k, f]) * scale + epsilon)
