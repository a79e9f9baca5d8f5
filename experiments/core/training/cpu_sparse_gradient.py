"""The gradient of one sparse batch, sample by sample, for models with ReLU output.

With the few present features of a sample, R the read-out (W itself when tied) and c, b the biases:

    h = c + sum of x_j W_j over present j    a = hidden_activation(h)    y = R^T a + b, the only dense part
    g_i where y_i > 0    dL/db_i = g_i    dL/dR_i += g_i a (i on)
    slope = hidden_activation'(h) * sum of g_i R_i over i on    dL/dc = slope    dL/dW_j += x_j slope (j present)

Empty samples are all alike: h = c. Without a hidden bias they only touch output biases above zero; with one, a single
empty sample is computed and counts for all. Two samples at a time share the pass over R that makes y.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.core.training.cpu_kernel import ABSOLUTE, POSITIVE
from experiments.core.training.cpu_products import ONE, TWO
from experiments.core.training.cpu_vectors import (
    EIGHT,
    NONE,
    SIXTEEN,
    active,
    add,
    combine_two,
    fma,
    gate,
    load,
    padded,
    splat,
    store,
)


class Sparse(NamedTuple):
    """A listed batch and space for its gradient, of one thread; matrices are padded to whole vectors with zeros.

    Sample number k that is not empty holds entries `starts[k]` to `starts[k + 1]` of `feature` and `value`.
    `columns` and `slopes` (feature, hidden) belong to W, `read` and `read_slopes` to R: the same arrays in a tied
    model. `rows` (hidden, feature) is R. `h` and `y` hold two samples; `wanted` is 0 outside a sample's own pass.
    """

    starts: NDArray[np.int64]
    feature: NDArray[np.uint64]
    value: NDArray[np.float32]
    columns: NDArray[np.float32]
    slopes: NDArray[np.float32]
    read: NDArray[np.float32]
    read_slopes: NDArray[np.float32]
    rows: NDArray[np.float32]
    b: NDArray[np.float32]
    c: NDArray[np.float32]
    dc: NDArray[np.float32]
    scale: NDArray[np.float32]
    h: NDArray[np.float32]
    y: NDArray[np.float32]
    slope: NDArray[np.float32]
    wanted: NDArray[np.float32]
    on: NDArray[np.uint64]
    gradient: NDArray[np.float32]
    previous: NDArray[np.float32]


def new_sparse(features: int, hidden: int, tied: bool, batch: int, parameters: int) -> Sparse:
    """Return space for batches of models of one size."""
    wide, deep = padded(features, int(SIXTEEN)), padded(hidden)
    entries = batch * features + 1
    columns, slopes = (np.zeros(features * deep, np.float32) for _ in range(2))
    return Sparse(
        starts=np.zeros(batch + 1, np.int64),
        feature=np.zeros(entries, np.uint64),
        value=np.zeros(entries, np.float32),
        columns=columns,
        slopes=slopes,
        read=columns if tied else columns.copy(),
        read_slopes=slopes if tied else slopes.copy(),
        rows=np.zeros(hidden * wide, np.float32),
        # Outputs that only fill a vector have a negative bias, so they are off.
        b=np.full(wide, -1, np.float32),
        **{name: np.zeros(deep, np.float32) for name in ("c", "dc", "slope")},
        **{name: np.zeros(features, np.float32) for name in ("scale", "wanted")},
        h=np.zeros(2 * deep, np.float32),
        y=np.zeros(2 * wide, np.float32),
        on=np.zeros(features + 1, np.uint64),
        **{name: np.zeros(parameters, np.float32) for name in ("gradient", "previous")},
    )


@jit
def sparse_gradient(options, importance, batch, present, work, parameters):
    """Set `work.gradient` to that of the loss on `batch` samples, of which `present` are listed, the rest empty."""
    n, wide, deep = uintp(options.features), uintp(work.b.size), uintp(work.c.size)
    arrange(options, work, parameters)
    for i in range(n):
        work.scale[i] = importance[i] * np.float32(2.0 / (batch * options.features))
    for k in range(0, present, 2):
        at, middle, end = work.starts[k], work.starts[k + 1], work.starts[min(k + 2, present)]
        encode(options, work, at, middle, NONE)
        encode(options, work, middle, end, deep)
        decode(options, work)
        back(options, work, at, middle, NONE, NONE, np.float32(1))
        if end > middle:
            back(options, work, middle, end, deep, wide, np.float32(1))
    empty = np.float32(batch - present)
    if options.hidden_bias:
        encode(options, work, 0, 0, NONE)
        encode(options, work, 0, 0, deep)
        decode(options, work)
        back(options, work, 0, 0, NONE, NONE, empty)
    elif options.fourth:
        for i in range(n):
            above = max(work.b[i], ZERO)
            work.gradient[first_bias(options) + i] += np.float32(2) * empty * work.scale[i] * above * above * above
    else:
        for i in range(n):
            work.gradient[first_bias(options) + i] += empty * work.scale[i] * max(work.b[i], ZERO)
    unload(options, work)


@inlined
def first_bias(options):
    """Return where the output biases begin in flat parameters."""
    return uintp(options.features * options.hidden) * (ONE if options.tied else TWO)


@inlined
def arrange(options, work, parameters):
    """Copy the parameters into padded matrices and set all sums to 0."""
    n, d, wide, deep = uintp(options.features), uintp(options.hidden), uintp(work.b.size), uintp(work.c.size)
    for j in range(uintp(work.gradient.size)):
        work.gradient[j] = ZERO
    for j in range(uintp(work.slopes.size)):
        work.slopes[j] = ZERO
    transpose(work.columns, parameters, NONE, n, d, deep)
    reads = NONE if options.tied else n * d
    if not options.tied:
        for j in range(uintp(work.read_slopes.size)):
            work.read_slopes[j] = ZERO
        transpose(work.read, parameters, reads, n, d, deep)
    for j in range(d):
        for i in range(n):
            work.rows[j * wide + i] = parameters[reads + j * n + i]
    bias = first_bias(options)
    for i in range(n):
        work.b[i] = parameters[bias + i]
    if options.hidden_bias:
        for j in range(d):
            work.c[j] = parameters[bias + n + j]
            work.dc[j] = ZERO


@inlined
def transpose(columns, parameters, begin, n, d, deep):
    """Copy the matrix (hidden, feature) that begins at `begin` into `columns` (feature, hidden)."""
    for i in range(n):
        for j in range(d):
            columns[i * deep + j] = parameters[begin + j * n + i]


@inlined
def unload(options, work):
    """Add the padded sums to the flat gradient."""
    n, d, deep = uintp(options.features), uintp(options.hidden), uintp(work.c.size)
    gradient = work.gradient
    for i in range(n):
        for j in range(d):
            gradient[j * n + i] += work.slopes[i * deep + j]
    if not options.tied:
        for i in range(n):
            for j in range(d):
                gradient[n * d + j * n + i] += work.read_slopes[i * deep + j]
    if options.hidden_bias:
        for j in range(d):
            gradient[first_bias(options) + n + j] = work.dc[j]


@inlined
def encode(options, work, at, end, left):
    """Set h from `left` on to hidden_activation(c + sum of x_j W_j) over one sample's entries."""
    h, deep = work.h, uintp(work.c.size)
    for j in range(deep):
        h[left + j] = work.c[j]
    for entry in range(at, end):
        add(h, left, work.value[entry], work.columns, work.feature[entry] * deep, deep)
    if options.relu_hidden:
        gate(h, left, h, left, deep)


@inlined
def decode(options, work):
    """Set both samples of y to R^T a + b."""
    d, wide, deep = uintp(options.hidden), uintp(work.b.size), uintp(work.c.size)
    for i in range(NONE, wide, SIXTEEN):
        combine_two(work.y, i, wide + i, work.b, i, work.rows, wide, d, work.h, NONE, deep)


@inlined
def list_on(y, row, wide, on):
    """List in `on` which outputs from `row` on are not below zero; return how many.

    A NaN counts as on, so that divergence reaches the weights and is noticed. Most outputs are off: eight are passed
    over by one look.
    """
    count = NONE
    for first in range(NONE, wide, EIGHT):
        flags = active(load(y, row + first))
        if flags:
            for i in range(EIGHT):
                on[count] = first + i
                count += (flags >> i) & ONE
    return count


@inlined
def wanted_of(options, x):
    """Return what an output should equal where its feature has the value x."""
    if options.target == ABSOLUTE:
        return abs(x)
    return max(x, ZERO) if options.target == POSITIVE else x


@inlined
def back(options, work, at, end, left, row, times):
    """Add `times` the gradient of one sample, whose h begins at `left` and y at `row`, to the sums."""
    y, wanted, on, slope, gradient, deep = work.y, work.wanted, work.on, work.slope, work.gradient, uintp(work.c.size)
    bias = first_bias(options)
    for entry in range(at, end):
        wanted[work.feature[entry]] = wanted_of(options, work.value[entry])
    for j in range(deep):
        slope[j] = ZERO
    for k in range(list_on(y, row, uintp(work.b.size), on)):
        i = on[k]
        error = y[row + i] - wanted[i]
        g = work.scale[i] * error
        if options.fourth:
            g *= np.float32(2) * error * error
        if times != np.float32(1):
            g *= times
        gradient[bias + i] += g
        weight = splat(g)
        for j in range(NONE, deep, EIGHT):
            to_read = fma(weight, load(work.h, left + j), load(work.read_slopes, i * deep + j))
            store(work.read_slopes, i * deep + j, to_read)
            store(slope, j, fma(weight, load(work.read, i * deep + j), load(slope, j)))
    if options.relu_hidden:
        gate(slope, NONE, work.h, left, deep)
    if options.hidden_bias:
        add(work.dc, NONE, np.float32(1), slope, NONE, deep)
    for entry in range(at, end):
        i = work.feature[entry]
        add(work.slopes, i * deep, work.value[entry], slope, NONE, deep)
        wanted[i] = ZERO
