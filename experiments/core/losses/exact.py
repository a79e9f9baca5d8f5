"""The expected loss of a small tied model, without sampling: a finite sum of integrals in closed form.

For a set `S` of active features the loss of output `i` needs integrals over the cube `[0, 1]^S` of powers of
`ReLU(z)`, where `z = b_i + sum_j G_ij x_j` and `G = W^T W`. Take any point `c` of the cube on the plane `z = 0`.
The divergence theorem for the field `(x - c) f(x)` expresses an integral over the cube by those over its faces,

    (k + m) ∫ z_+^m dx = sum_j [(1 - c_j) ∫_{x_j = 1} z_+^m dx + c_j ∫_{x_j = 0} z_+^m dx],

k the dimension of the cube, because the derivative of `z` along `x - c` is `z` itself. Weights and integrals
are all non-negative, so nothing cancels, and faces that the plane misses are plain polynomials. The cubes of
all sets `S` are faces of the one cube of all features; one table over its 3^n faces therefore holds them all.
The only error is rounding, and it is bounded. Integrals with a factor `x_j` or `x_i x_j`, which give the loss
and its gradient, follow in the same way (Lasserre 1998, "Integration on a convex polytope", for the idea).

Set-up: Elhage et al. 2022, "Demonstrating superposition": `x_i` is 0 or U[0, 1], `y = ReLU(W^T W x + b)`.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.losses.exact_kernels import empty_table, loss_and_gradient

Array = NDArray[np.float64]

MOST_FEATURES = 12
"""The table has 3^n faces: half a million at 12, where one model takes seconds."""


class ExactLoss(NamedTuple):
    """Expected losses of a batch of models.

    `value` (instance,) is the mean over features of importance * E[(x_i - y_i)^2]; `error` (instance,) bounds
    its rounding error, plus what sets larger than `most_active` could add when those were left out;
    `grad_W` (instance, hidden, feature) and `grad_b` (instance, feature) are its derivatives.
    """

    value: Array
    error: Array
    grad_W: Array
    grad_b: Array


def set_probabilities(density: ArrayLike, features: int) -> Array:
    """Return the probability of every set of active features, (..., 2^features).

    Bit `i` of the last index says whether feature `i` is active. `density` (..., features), or anything that
    broadcasts to it, holds independent probabilities in [0, 1].
    """
    p = np.asarray(density, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"density must lie in [0, 1]; it is {density!r}")
    p = np.broadcast_to(p, (*p.shape[:-1], features) if p.ndim else (features,))
    active = _members(features)
    return np.asarray(np.where(active, p[..., None, :], 1 - p[..., None, :]).prod(-1))


def one_active(features: int) -> Array:
    """Return probabilities (2^features,) under which exactly one feature, drawn uniformly, is active.

    This is the limit of rare features: the loss at density `p`, over `features * p`, tends to the loss here.
    """
    return np.asarray((_members(features).sum(-1) == 1) / features, dtype=np.float64)


def expected_loss(
    W: ArrayLike,
    b: ArrayLike,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    sets: ArrayLike | None = None,
    most_active: int | None = None,
    output: Literal["relu", "linear"] = "relu",
) -> ExactLoss:
    """Return the expected loss of tied models `y = output(W^T W x + b)` with its error and gradient.

    `W` (..., hidden, feature) and `b` (..., feature) hold the instances; `density` and `importance` broadcast to
    (..., feature). In place of `density`, `sets` gives the probability of every set of active features,
    (..., 2^feature). `most_active` leaves out larger sets and adds what they could contribute to `error`.
    Leading axes are kept. Raises `ValueError` beyond `MOST_FEATURES` features.
    """
    W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
    lead, (hidden, n) = W.shape[:-2], W.shape[-2:]
    if n > MOST_FEATURES:
        raise ValueError(f"exact losses are for up to {MOST_FEATURES} features; W has {n}, so sample instead")
    if (density is None) == (sets is None):
        raise ValueError("give either density or sets")
    chance = set_probabilities(density, n) if density is not None else np.asarray(sets, dtype=np.float64)
    chance = contiguous_rows(chance, lead, 2**n)
    weight = contiguous_rows(importance, lead, n) / n
    largest = n if most_active is None else most_active
    W, b = np.array(W.reshape(-1, hidden, n), order="C"), contiguous_rows(b, lead, n)
    count = len(W)
    value, error = np.empty(count), np.empty(count)
    grad_W, grad_b = np.empty((count, hidden, n)), np.empty((count, n))

    def part(rows: slice) -> None:
        _losses(
            W[rows], b[rows], chance[rows], weight[rows], largest, output == "relu",
            value[rows], error[rows], grad_W[rows], grad_b[rows],
        )  # fmt: skip

    in_threads(part, count)
    return ExactLoss(
        value.reshape(lead), error.reshape(lead), grad_W.reshape(*lead, hidden, n), grad_b.reshape(*lead, n)
    )


def in_threads(part: Callable[[slice], Any], count: int) -> None:
    """Call `part` on slices that cover `range(count)`, on all cores; for kernels that release the lock."""
    threads = max(1, min(numba.get_num_threads(), count))
    edges = np.linspace(0, count, 4 * threads + 1).astype(int)  # four each, so that uneven work evens out
    slices = [slice(low, high) for low, high in pairwise(edges) if high > low]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, slices))


def contiguous_rows(values: ArrayLike, lead: tuple[int, ...], width: int) -> Array:
    """Return a copy of `values` broadcast to all instances, (instance, width), as the kernels expect it.

    In one piece of memory, and not read-only as what is broadcast: for that, numba would compile each kernel again.
    """
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (*lead, width)), order="C").reshape(-1, width)


def _members(features: int) -> NDArray[np.bool_]:
    """Return which features belong to each set, (2^features, features)."""
    bits: NDArray[np.bool_] = (np.arange(2**features)[:, None] >> np.arange(features)) & 1 == 1
    return bits


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _losses(  # type: ignore[no-untyped-def]
    W, b, chance, weight, largest, rectified, value, error, grad_W, grad_b
):
    """Fill the last four arguments for a slice of instances; shapes as in `ExactLoss`."""
    table = empty_table(W.shape[2])
    for instance in range(W.shape[0]):
        value[instance], error[instance] = loss_and_gradient(
            W[instance],
            b[instance],
            chance[instance],
            weight[instance],
            largest,
            rectified,
            table,
            grad_W[instance],
            grad_b[instance],
        )
