"""Compiled kernels of `exact`: the table of integrals over the faces of the cube, and the loss of one model.

A face fixes some coordinates at 0 or 1 and leaves the others free. It is numbered in base 3, digit `j` being
0 (`x_j = 0`), 1 (`x_j = 1`) or 2 (free), so the faces of a face come before it. A row of the table holds,
for one output `i` with `z = b_i + sum_j g_j x_j` and `H` the step function, the averages over the face of

    H(z) | x_j H(z), j = 0..n-1 | x_i x_j H(z), j = 0..n-1 | z H(z) | x_j z H(z), j = 0..n-1 | z^2 H(z).
"""

from typing import Any

import numba
import numpy as np
from numba.extending import register_jitable

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
jit: Any = numba.njit(**_OPTIONS)
helper: Any = register_jitable(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)
"""For functions that kernels alone call: an entry for Python takes time to compile. Python code runs them as Python."""

ROUNDING = 32 * np.finfo(np.float64).eps
"""Rounding error of one table entry relative to its scale, per feature; about ten operations each, with reserve."""


@jit
def empty_table(n):  # type: ignore[no-untyped-def]
    """Return room for the integrals over all faces, (3^n, 3n + 3)."""
    return np.zeros((3**n, 3 * n + 3))


@jit
def loss_and_gradient(  # type: ignore[no-untyped-def]
    W, b, chance, weight, largest, rectified, table, grad_W, grad_b
):
    """Return the loss of one model and the bound of its error; write its gradient into the last two arguments.

    `W` (hidden, n), `b` (n,), `chance` (2^n,) of every set of active features, `weight` (n,) of every output;
    sets of more than `largest` features are left out and enter the bound.
    """
    hidden, n = W.shape
    gram = np.zeros((n, n))
    for h in range(hidden):
        for i in range(n):
            for j in range(n):
                gram[i, j] += W[h, i] * W[h, j]
    left_out = max(0.0, 1.0 - _mass(chance, n, largest)) if largest < n else 0.0
    grad_gram = np.zeros((n, n))
    loss, error = 0.0, 0.0
    for i in range(n):
        _fill_table(gram[i], b[i], i, largest, rectified, table)
        part, slope = _sum_over_sets(i, chance, largest, table, grad_gram[i])
        loss += weight[i] * part
        grad_b[i] = weight[i] * slope
        scale = 1.0 + abs(b[i])
        for j in range(n):
            grad_gram[i, j] *= weight[i]
            scale += abs(gram[i, j])
        error += weight[i] * scale * scale * (n * ROUNDING + left_out)  # no squared error exceeds scale^2
    for h in range(hidden):
        for k in range(n):
            total = 0.0
            for j in range(n):
                total += W[h, j] * (grad_gram[k, j] + grad_gram[j, k])
            grad_W[h, k] = total
    return loss, error


@jit
def loss_of_outputs(W, b, chance, weight, table, grad_W, grad_b):  # type: ignore[no-untyped-def]
    """Return the loss of the outputs that have a weight, and write its gradient into the last two arguments.

    Arguments as in `loss_and_gradient`. Outputs of weight 0 cost nothing here: where a symmetry makes outputs alike,
    one of each kind with the weight of all is enough.
    """
    hidden, n = W.shape
    loss = 0.0
    grad_W[:] = 0.0
    grad_b[:] = 0.0
    gram, slope_gram = np.empty(n), np.empty(n)
    for i in range(n):
        if weight[i] == 0.0:
            continue
        for j in range(n):
            gram[j] = 0.0
            for h in range(hidden):
                gram[j] += W[h, i] * W[h, j]
        _fill_table(gram, b[i], i, n, True, table)
        part, slope = _sum_over_sets(i, chance, n, table, slope_gram)
        loss += weight[i] * part
        grad_b[i] += weight[i] * slope
        for j in range(n):
            for h in range(hidden):
                grad_W[h, i] += weight[i] * slope_gram[j] * W[h, j]
                grad_W[h, j] += weight[i] * slope_gram[j] * W[h, i]
    return loss


@helper
def _mass(chance, n, largest):  # type: ignore[no-untyped-def]
    """Return the probability of all sets of up to `largest` features."""
    total = 0.0
    for members in range(1 << n):
        if _count(members) <= largest:
            total += chance[members]
    return total


@helper
def _count(members):  # type: ignore[no-untyped-def]
    size = 0
    while members:
        size += members & 1
        members >>= 1
    return size


@helper
def _sum_over_sets(i, chance, largest, table, grad):  # type: ignore[no-untyped-def]
    """Return E[(x_i - y_i)^2] and its derivative with respect to b_i; write that with respect to g into `grad`."""
    n = len(grad)
    loss, slope = 0.0, 0.0
    for j in range(n):
        grad[j] = 0.0
    for members in range(1 << n):
        p = chance[members]
        if p == 0.0 or _count(members) > largest:
            continue
        face, power = 0, 1
        for j in range(n):
            if members >> j & 1:
                face += 2 * power
            power *= 3
        row = table[face]
        square = 1.0 / 3.0 if members >> i & 1 else 0.0
        loss += p * (square - 2.0 * row[2 * n + 2 + i] + row[3 * n + 2])
        slope += p * 2.0 * (row[2 * n + 1] - row[1 + i])
        for j in range(n):
            grad[j] += p * 2.0 * (row[2 * n + 2 + j] - row[n + 1 + j])
    return loss, slope


@helper
def _fill_table(g, b, i, largest, rectified, table):  # type: ignore[no-untyped-def]
    """Fill the rows of all faces on which at most `largest` coordinates are not fixed at 0."""
    n = len(g)
    digits = np.zeros(n, dtype=np.int64)
    c = np.empty(n)
    for face in range(len(table)):
        free, nonzero, low, high = 0, 0, b, b
        for j in range(n):
            if digits[j] == 1:
                low += g[j]
                high += g[j]
            elif digits[j] == 2:
                low += min(g[j], 0.0)
                high += max(g[j], 0.0)
                free += 1
            nonzero += digits[j] > 0
        if nonzero <= largest:
            row = table[face]
            if low >= 0.0 or not rectified:
                _polynomial_row(g, b, i, digits, row)
            elif high <= 0.0 or free == 0:
                for entry in range(3 * n + 3):
                    row[entry] = 0.0
            else:
                # From the lowest corner of the face to the highest, z passes 0 at this share of the way.
                share = -low / (high - low)
                for j in range(n):
                    c[j] = digits[j] if digits[j] < 2 else (share if g[j] > 0.0 else 1.0 - share)
                _recursive_row(c, i, digits, free, face, table)
        for j in range(n):  # count up in base 3
            digits[j] += 1
            if digits[j] < 3:
                break
            digits[j] = 0


@helper
def _polynomial_row(g, b, i, digits, row):  # type: ignore[no-untyped-def]
    """Fill the row of a face on which z is nowhere negative: moments of independent uniform variables."""
    n = len(g)
    mean_z, variance_z = b, 0.0
    for j in range(n):
        row[1 + j] = 0.5 if digits[j] == 2 else float(digits[j])
        mean_z += g[j] * row[1 + j]
        if digits[j] == 2:
            variance_z += g[j] * g[j] / 12.0
    row[0] = 1.0
    for j in range(n):
        row[n + 1 + j] = row[1 + i] * row[1 + j]
        row[2 * n + 2 + j] = row[1 + j] * mean_z
        if digits[j] == 2:
            row[2 * n + 2 + j] += g[j] / 12.0
    if digits[i] == 2:
        row[n + 1 + i] += 1.0 / 12.0
    row[2 * n + 1] = mean_z
    row[3 * n + 2] = mean_z * mean_z + variance_z


@helper
def _recursive_row(c, i, digits, free, face, table):  # type: ignore[no-untyped-def]
    """Fill the row of a face that the plane z = 0 cuts in the point `c`, from the rows of its own faces.

    With a factor `x_j` in the integrand the divergence has one term more, `c_j` times the integral without it.
    """
    n = len(c)
    row = table[face]
    for entry in range(3 * n + 3):
        row[entry] = 0.0
    power = 1
    for j in range(n):
        if digits[j] == 2:
            at_one, at_zero = table[face - power], table[face - 2 * power]
            for entry in range(3 * n + 3):
                row[entry] += (1.0 - c[j]) * at_one[entry] + c[j] * at_zero[entry]
        power *= 3
    row[0] /= free
    for j in range(n):
        row[1 + j] = (row[1 + j] + c[j] * row[0]) / (free + 1)
    for j in range(n):
        row[n + 1 + j] = (row[n + 1 + j] + c[i] * row[1 + j] + c[j] * row[1 + i]) / (free + 2)
    row[2 * n + 1] /= free + 1
    for j in range(n):
        row[2 * n + 2 + j] = (row[2 * n + 2 + j] + c[j] * row[2 * n + 1]) / (free + 2)
    row[3 * n + 2] /= free + 2
