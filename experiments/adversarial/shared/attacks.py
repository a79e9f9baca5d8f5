"""Attacks that follow from the weights of a tied ReLU model `y = ReLU(G x + b)`, `G = W^T W`, and what they do.

An attack adds `delta` to the input; the target stays the clean input. Its size is bounded in the l2 norm, or entry by
entry ("linf"). On output `i` alone the best attack is exact: `y_i` grows with `G_i . delta`, so within a budget it is
`± budget * G_i / ||G_i||` or `± budget * sign(G_i)`, one sign or the other. For the loss, a sum over all outputs, the
worst of these over features and signs is taken, as in Elhage et al. 2022, "The relationship between superposition and
adversarial robustness"; an attack that moves several outputs at once may do more.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.losses.exact import in_threads

Array = NDArray[np.float64]
Norm = Literal["l2", "linf"]

NORMS: tuple[Norm, ...] = ("l2", "linf")


class Draws(NamedTuple):
    """One seed's uniform draws (sample, feature), from which its inputs of every density are cut."""

    presence: NDArray[np.float32]
    value: NDArray[np.float32]

    def inputs(self, density: float) -> NDArray[np.float32]:
        """Return x (sample, feature): 0, or U[0, 1] with probability `density`."""
        return np.asarray(np.where(self.presence < density, self.value, np.float32(0)))


def draws(samples: int, features: int, seed: int) -> Draws:
    """Return the draws of `samples` inputs."""
    rng = np.random.default_rng(seed)
    shape = (samples, features)
    return Draws(rng.random(shape, dtype=np.float32), rng.random(shape, dtype=np.float32))


def draws_of_seeds(samples: int, features: int, seeds: Sequence[int]) -> list[Draws]:
    """Return each seed's own draws; models of one seed are compared on the same inputs."""
    return [draws(samples, features, seed) for seed in seeds]


def budget(x: ArrayLike, norm: Norm, share: float = 0.1) -> float:
    """Return the size of attack: `share` of the mean l2 norm of inputs x (sample, feature).

    For "linf" it is divided by sqrt(features), so that a corner of the cube has the l2 norm of the other budget.
    """
    x = np.asarray(x, dtype=np.float64)
    size = share * float(np.linalg.norm(x, axis=-1).mean())
    return size if norm == "l2" else size / x.shape[-1] ** 0.5


def unit_attacks(G: ArrayLike, norm: Norm) -> Array:
    """Return for each feature the input of unit size that raises its pre-activation most, (..., feature, feature).

    Row i is `G_i / ||G_i||` or `sign(G_i)`; a row without entries stays 0. Rows of `G` may stand for any read-out.
    """
    G = np.asarray(G, dtype=np.float64)
    if norm == "linf":
        return np.asarray(np.sign(G))
    length = np.linalg.norm(G, axis=-1, keepdims=True)
    return np.asarray(np.divide(G, length, out=np.zeros_like(G), where=length > 1e-12))


class Harm(NamedTuple):
    """What the worst attack on a feature does, (instance,): means over samples, sums over features of squared errors.

    `clean` is the loss L without attack, `attacked` the loss L' under the attack that harms most, and `own` the
    largest rise of the attacked feature's own squared error, over features (a different attack may be the worst).
    """

    clean: Array
    attacked: Array
    own: Array


def harm(G: ArrayLike, b: ArrayLike, x: ArrayLike, size: float, norm: Norm, *, rectified: bool = True) -> Harm:
    """Return what attacks of `size` on inputs x (sample, feature) do to models G (instance, feature, feature), b.

    Every sample meets the worst attack for it, over features and both signs. `G` is any read-out of any code,
    (output, input); without `rectified` the output has no ReLU.
    """
    G, b = np.asarray(G, dtype=np.float64), np.asarray(b, dtype=np.float64)
    moves = (size * unit_attacks(G, norm) @ np.swapaxes(G, -1, -2)).astype(np.float32)
    x32 = np.ascontiguousarray(x, dtype=np.float32)
    flat, bias = G.astype(np.float32), b.astype(np.float32)
    found = np.empty((len(G), 3))

    def part(rows: slice) -> None:
        for k in range(rows.start, rows.stop):
            z = x32 @ flat[k].T + bias[k]
            found[k] = _harm(z, x32, moves[k], np.float32(0) if rectified else np.float32(-np.inf))

    in_threads(part, len(G))
    return Harm(*(found / len(x32)).T)


@numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"}, error_model="numpy")
def _harm(z, x, moves, floor):
    """Return losses summed over samples: clean, under the worst attack, and the largest rise of one feature's own."""
    samples, n = x.shape
    total = np.zeros(3)
    for k in range(samples):
        clean = np.float32(0)
        for j in range(n):
            e = max(z[k, j], floor) - x[k, j]
            clean += e * e
        worst, own = clean, np.float32(0)
        for i in range(moves.shape[0]):
            up, down = np.float32(0), np.float32(0)
            for j in range(n):
                e = max(z[k, j] + moves[i, j], floor) - x[k, j]
                up += e * e
                e = max(z[k, j] - moves[i, j], floor) - x[k, j]
                down += e * e
            worst = max(worst, max(up, down))
            before = max(z[k, i], floor) - x[k, i]
            more = max(z[k, i] + moves[i, i], floor) - x[k, i]
            less = max(z[k, i] - moves[i, i], floor) - x[k, i]
            own = max(own, max(more * more, less * less) - before * before)
        total[0] += clean
        total[1] += worst
        total[2] += own
    return total


def baseline(size: float, norm: Norm, hidden: int) -> float:
    """Return L' - L of a model without superposition: `hidden` orthogonal unit features, no bias, perfect read-out.

    An l2 attack adds a vector of length `size` to the outputs, so it costs size^2 wherever it points; under "linf"
    each of the features is moved by `size` at once, hidden * size^2. Exact whenever the output is not cut by its
    ReLU, which the sign of the attack can see to.
    """
    return size**2 if norm == "l2" else hidden * size**2


def worst_inputs(G: ArrayLike, b: ArrayLike, x: ArrayLike, size: float, norm: Norm) -> Array:
    """Return for one model the attack on each sample that harms most, delta (sample, feature)."""
    G, b, x = (np.asarray(each, dtype=np.float64) for each in (G, b, x))
    units = unit_attacks(G, norm)
    candidates = size * np.concatenate([units, -units])
    moved = candidates @ G.T
    z = x @ G.T + b
    losses = np.stack([((np.maximum(z + move, 0) - x) ** 2).sum(-1) for move in moved])
    return np.asarray(candidates[losses.argmax(0)])


def rise(G: ArrayLike, b: ArrayLike, x: ArrayLike, delta: ArrayLike) -> float:
    """Return by how much attacks delta (sample, feature) raise the loss of one model, mean over samples."""
    G, b, x = (np.asarray(each, dtype=np.float64) for each in (G, b, x))
    clean, moved = (np.maximum(at @ G.T + b, 0) for at in (x, x + np.asarray(delta, dtype=np.float64)))
    return float((((moved - x) ** 2).sum(-1) - ((clean - x) ** 2).sum(-1)).mean())
