"""Minima of the exact expected loss: over all tied models, or within a family such as "a regular pentagon".

A family is linear in its parameters: `(W, b) = parameters @ basis`. Shared norms and biases, fixed angles and
mirror symmetries all are of this kind, and the basis of everything gives the unrestricted minimum. Each
instance is minimised on its own by BFGS with a weak Wolfe line search, which copes with the kinks of the
second derivative (Lewis and Overton 2013, "Nonsmooth optimization via quasi-Newton methods").
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from experiments.core.losses.exact import Array, contiguous_rows, in_threads, set_probabilities
from experiments.core.losses.exact_kernels import empty_table, helper, jit, loss_and_gradient

FLAT = 1e-10
"""A minimum is reached when no derivative of the loss exceeds this; losses here are about 1e-4 to 1e-1."""


@dataclass(frozen=True)
class Family:
    """Models `(W, b) = parameters @ basis` of `hidden` by `features`, with a sensible start.

    `basis` (parameter, hidden * features + features) holds W row by row, then b; `start` (parameter,).
    """

    name: str
    hidden: int
    features: int
    basis: Array
    start: Array

    def weights(self, parameters: ArrayLike) -> tuple[Array, Array]:
        """Return `W` (..., hidden, feature) and `b` (..., feature) at `parameters` (..., parameter)."""
        flat = np.asarray(parameters, dtype=np.float64) @ self.basis
        split = self.hidden * self.features
        return flat[..., :split].reshape(*flat.shape[:-1], self.hidden, self.features), flat[..., split:]


class Optimum(NamedTuple):
    """Local minima reached from each start.

    `loss` (instance,) with its rounding `error`; `W` (instance, hidden, feature), `b` (instance, feature);
    `parameters` (instance, parameter) of the family; `slope` (instance,) is the largest derivative left.
    """

    loss: Array
    error: Array
    W: Array
    b: Array
    parameters: Array
    slope: Array

    def best(self) -> "Optimum":
        """Return the single lowest minimum, without the instance axis."""
        return Optimum(*(np.asarray(field)[int(np.argmin(self.loss))] for field in self))


def everything(hidden: int, features: int) -> Family:
    """Return the family of all tied models; a start is `W` row by row, then `b`."""
    size = (hidden + 1) * features
    return Family("free", hidden, features, np.eye(size), np.zeros(size))


def minimise(
    family: Family,
    density: ArrayLike | None = None,
    importance: ArrayLike = 1.0,
    *,
    sets: ArrayLike | None = None,
    starts: ArrayLike | None = None,
    iterations: int = 400,
) -> Optimum:
    """Return the local minimum of the exact loss within `family` that each start leads to.

    `starts` (instance, parameter) defaults to the family's own; `density` and `importance` broadcast to
    (instance, feature), and `sets` (instance, 2^feature) may stand in for density, as in `expected_loss`.
    """
    n = family.features
    if (density is None) == (sets is None):
        raise ValueError("give either density or sets")
    chance = set_probabilities(density, n) if density is not None else np.asarray(sets, dtype=np.float64)
    theta = np.atleast_2d(np.asarray(family.start if starts is None else starts, dtype=np.float64))
    count = max(len(theta), len(np.atleast_2d(chance)), len(np.atleast_2d(np.asarray(importance))))
    theta = contiguous_rows(theta, (count,), theta.shape[1])
    chance, weight = contiguous_rows(chance, (count,), 2**n), contiguous_rows(importance, (count,), n) / n
    loss, error, slope = np.empty(count), np.empty(count), np.empty(count)

    def part(rows: slice) -> None:
        _minimise_all(
            family.basis, family.hidden, theta[rows], chance[rows], weight[rows], iterations,
            loss[rows], error[rows], slope[rows],
        )  # fmt: skip

    in_threads(part, count)
    return Optimum(loss, error, *family.weights(theta), theta, slope)


def polish(W: ArrayLike, b: ArrayLike, density: ArrayLike, importance: ArrayLike = 1.0) -> Optimum:
    """Return the local minimum of the exact loss that each given model rolls into."""
    W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
    free = everything(*W.shape[-2:])
    return minimise(free, density, importance, starts=np.concatenate([W.reshape(len(W), -1), b], axis=1))


def search(
    hidden: int, features: int, density: ArrayLike, importance: ArrayLike = 1.0, *, starts: int, seed: int
) -> list[Optimum]:
    """Return, for each row of `density` (case, feature) or (case, 1), the minima from `starts` random models.

    Starts are W ~ N(0, 1) and b ~ U(-1/2, 1/2), the same for every case.
    """
    generator = np.random.default_rng(seed)
    W = generator.standard_normal((starts, hidden * features))
    theta = np.concatenate([W, generator.uniform(-0.5, 0.5, (starts, features))], axis=1)
    cases = np.atleast_2d(np.asarray(density, dtype=np.float64))
    weights = np.broadcast_to(np.asarray(importance, dtype=np.float64), (len(cases), features))
    found = minimise(
        everything(hidden, features),
        np.repeat(cases, starts, axis=0),
        np.repeat(weights, starts, axis=0),
        starts=np.tile(theta, (len(cases), 1)),
    )
    return [Optimum(*(np.asarray(field)[k * starts : (k + 1) * starts] for field in found)) for k in range(len(cases))]


@jit
def _minimise_all(  # type: ignore[no-untyped-def]
    basis, hidden, theta, chance, weight, iterations, loss, error, slope
):
    """Minimise a slice of instances; `theta` is replaced by where each one ends."""
    n = weight.shape[1]
    table, W, b, grad_W, grad_b = empty_table(n), np.empty((hidden, n)), np.empty(n), np.empty((hidden, n)), np.empty(n)
    for k in range(len(theta)):
        loss[k], error[k], slope[k] = _bfgs(
            basis, theta[k], chance[k], weight[k], iterations, table, W, b, grad_W, grad_b
        )


@helper
def _evaluate(basis, theta, chance, weight, table, W, b, grad_W, grad_b, gradient):  # type: ignore[no-untyped-def]
    """Return loss and error at `theta`; write the derivative with respect to `theta` into `gradient`."""
    hidden, n = W.shape
    for j in range(n):
        for h in range(hidden):
            W[h, j] = 0.0
            for m in range(len(theta)):
                W[h, j] += theta[m] * basis[m, h * n + j]
        b[j] = 0.0
        for m in range(len(theta)):
            b[j] += theta[m] * basis[m, hidden * n + j]
    loss, error = loss_and_gradient(W, b, chance, weight, n, True, table, grad_W, grad_b)
    for m in range(len(theta)):
        total = 0.0
        for h in range(hidden):
            for j in range(n):
                total += basis[m, h * n + j] * grad_W[h, j]
        for j in range(n):
            total += basis[m, hidden * n + j] * grad_b[j]
        gradient[m] = total
    return loss, error


@helper
def _bfgs(basis, theta, chance, weight, iterations, table, W, b, grad_W, grad_b):  # type: ignore[no-untyped-def]
    """Move `theta` to a local minimum; return its loss, error and largest derivative."""
    size = len(theta)
    gradient, new_gradient = np.empty(size), np.empty(size)
    trial, direction, inverse = np.empty(size), np.empty(size), np.empty((size, size))
    loss, error = _evaluate(basis, theta, chance, weight, table, W, b, grad_W, grad_b, gradient)
    _reset(inverse, 0.1 / max(_largest(gradient), 1e-12))
    fresh = True
    for _ in range(iterations):
        if _largest(gradient) < FLAT:
            break
        _descend(inverse, gradient, direction)
        if _dot(direction, gradient) >= 0.0:  # rounding has spoilt the curvature
            _reset(inverse, 1.0)
            fresh = True
            _descend(inverse, gradient, direction)
        descent = _dot(direction, gradient)
        low, high, step = 0.0, np.inf, 1.0
        accepted = False
        for _ in range(40):  # bracket a step that satisfies both weak Wolfe conditions
            for m in range(size):
                trial[m] = theta[m] + step * direction[m]
            new_loss, new_error = _evaluate(basis, trial, chance, weight, table, W, b, grad_W, grad_b, new_gradient)
            if not new_loss <= loss + 1e-4 * step * descent:
                high = step
            elif _dot(new_gradient, direction) < 0.9 * descent:
                low = step
            else:
                accepted = True
                break
            step = 0.5 * (low + high) if high < np.inf else 2.0 * step
        if not accepted:  # no further progress in this arithmetic
            break
        for m in range(size):
            change = trial[m] - theta[m]
            theta[m] = trial[m]
            trial[m] = change
            change = new_gradient[m] - gradient[m]
            gradient[m] = new_gradient[m]
            new_gradient[m] = change
        _update(inverse, trial, new_gradient, direction, fresh)
        fresh = False
        loss, error = new_loss, new_error
    return loss, error, _largest(gradient)


@helper
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for m in range(len(a)):
        total += a[m] * b[m]
    return total


@helper
def _largest(a):  # type: ignore[no-untyped-def]
    top = 0.0
    for m in range(len(a)):
        top = max(top, abs(a[m]))
    return top


@helper
def _reset(matrix, diagonal):  # type: ignore[no-untyped-def]
    for r in range(len(matrix)):
        for s in range(len(matrix)):
            matrix[r, s] = diagonal if r == s else 0.0


@helper
def _descend(inverse, gradient, direction):  # type: ignore[no-untyped-def]
    """Write `-inverse @ gradient` into `direction`."""
    for r in range(len(gradient)):
        direction[r] = -_dot(inverse[r], gradient)


@helper
def _update(inverse, step, change, scratch, fresh):  # type: ignore[no-untyped-def]
    """Apply the BFGS update to the inverse Hessian; scale it first when it knows no curvature yet."""
    size = len(step)
    curvature = _dot(step, change)
    if curvature <= 1e-16 * np.sqrt(_dot(step, step) * _dot(change, change)):
        return
    if fresh:
        _reset(inverse, curvature / _dot(change, change))
    _descend(inverse, change, scratch)
    factor = 1.0 - _dot(change, scratch) / curvature
    for r in range(size):
        for s in range(size):
            inverse[r, s] += (factor * step[r] * step[s] + scratch[r] * step[s] + step[r] * scratch[s]) / curvature
