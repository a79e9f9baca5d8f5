"""The CPU kernel for sparse data: work follows the features that are present, not those that could be.

For a tied model with ReLU output whose features are rarely present, most samples hold a few features or none,
and most outputs stay below zero and pass no gradient. Per sample, with its few present features:

    h = sum of x_j W_j over present j        y = W^T h + b, the only dense part        g_i where y_i > 0
    dL/db_i = g_i        slope = sum of g_i W_i over i on        dL/dW_i += g_i h (i on) + x_i slope (i present)

Empty samples have h = 0: they only touch biases above zero, all alike, so they are counted. Two samples
at a time share the pass over `W` that makes `y`. Fresh samples are drawn by the gaps between present features,
which are geometric, so that drawing costs as much as there is to draw. A batch is listed by its samples that are not
empty: number k holds entries `starts[k]` to `starts[k + 1]` of `feature` and `value`. (One integer division per
entry finds its sample; when every function divided again, that was most of the time.)
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any, NamedTuple

import numpy as np
from numba import njit, uint32, uint64, uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import FAST, ZERO, jit
from experiments.core.training.cpu_kernel import next_batch, update
from experiments.core.training.cpu_products import ONE
from experiments.core.training.cpu_vectors import LANES, TWO_VECTORS, above_zero, add_scaled, combine_two
from experiments.core.training.problem import UNCOUPLED, Problem

SPARSE_DENSITY = 1e-3
"""The sparse kernel is the faster one up to this density times the root of features times hidden (measured)."""


def sparse_densities(problem: Problem) -> NDArray[np.float64]:
    """Return the one density of each instance (instance,) for which the sparse kernel serves, else NaN.

    The choice looks at an instance's own settings alone, so that its result never depends on its neighbours.
    """
    model = problem.model
    density = problem.density.astype(np.float64)
    served = (
        (density == density[:, :1]).all(axis=1)
        & (density[:, 0] <= SPARSE_DENSITY * np.sqrt(model.features * model.hidden))
        & (density[:, 0] > 0)
    )
    fits = problem.plain and model.output == "relu" and model.target == "identity"
    return np.where(served & (fits and problem.coupling == UNCOUPLED), density[:, 0], np.nan)


class Listed(NamedTuple):
    """Finite data sets without zeros: entries `start[set, sample]` to `start[set, sample + 1]` of the other two."""

    start: NDArray[np.int64]
    feature: NDArray[np.int64]
    value: NDArray[np.float32]


def listed_sets(sets: NDArray[np.float32]) -> Listed:
    """Return data sets (set, sample, feature) by their present features."""
    counts = np.count_nonzero(sets, axis=2)
    ends = np.cumsum(counts).reshape(counts.shape)
    firsts = ends[:, :1] - counts[:, :1] if counts.size else np.zeros((len(sets), 1), np.int64)
    where = np.nonzero(sets)
    return Listed(np.concatenate([firsts, ends], axis=1), where[2].astype(np.int64), sets[where])


ZERO_INDEX = uintp(0)
_TWO_TO_MINUS_53 = 1.0 / (1 << 53)

allocating: Any = njit(nogil=True, cache=True, error_model="numpy", fastmath=FAST, forceinline=True)
"""How the functions that make arrays are compiled; those called once per sample are not among them."""


@allocating
def train_sparse_block(options, shared, block, listed, density, begin, end):
    """Do what `cpu_kernel.train_block` does for instances of one density (instance,) each, from step to step."""
    n, batch = options.features, options.batch
    samples = block.sets.shape[1]
    feature, value = np.empty(batch * n + 1, np.uint64), np.empty(batch * n + 1, np.float32)
    starts = np.empty(batch + 1, np.int64)
    gradient, previous = np.zeros_like(block.parameters[0]), np.zeros_like(block.parameters[0])
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        state, importance, order = block.state[instance], block.importance[instance], block.orders[instance]
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            position, size = next_batch(options, block, instance, step)
            if samples > 0:
                count = list_sparse(listed, instance % len(block.sets), order, position, size, starts, feature, value)
            else:
                count = draw_sparse(state, density[instance], options.signed, batch, n, starts, feature, value)
            gradient[:] = ZERO
            sparse_gradient(n, options.hidden, importance, size, count, starts, feature, value, parameters, gradient)
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break


@jit
def uniform(state):
    """Return a uniform number in (0, 1] and advance the splitmix64 state held in the first two words."""
    value = uint64((uint64(state[1]) << uint64(32)) | uint64(state[0]))
    value = uint64(value + uint64(0x9E3779B97F4A7C15))
    state[0], state[1] = uint32(value & uint64(0xFFFFFFFF)), uint32(value >> uint64(32))
    value = uint64((value ^ (value >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    value = uint64((value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB))
    value = uint64(value ^ (value >> uint64(31)))
    return (np.float64(value >> uint64(11)) + 1.0) * _TWO_TO_MINUS_53


@jit
def draw_sparse(state, density, signed, batch, features, starts, feature, value):
    """Draw the present ones of `features` independent features of `batch` samples; return how many are not empty."""
    count, present, last, cell, rest = 0, 0, -1, -1.0, np.log1p(-density)
    while count < feature.size:
        cell += 1.0 + np.floor(np.log(uniform(state)) / rest)
        if cell >= batch * features:
            break
        drawn = uniform(state)
        sample = np.int64(cell) // features
        starts[present] = count
        present += sample != last
        starts[present] = count + 1
        last = sample
        feature[count] = np.int64(cell) - sample * features
        value[count] = np.float32(2.0 * drawn - 1.0 if signed else drawn)
        count += 1
    return present


@jit
def list_sparse(listed, instance, order, position, size, starts, feature, value):
    """List the present features of the next samples of an epoch as `draw_sparse` does."""
    count, present = 0, 0
    for s in range(size):
        row = order[position + s]
        starts[present] = count
        for entry in range(listed.start[instance, row], listed.start[instance, row + 1]):
            feature[count] = listed.feature[entry]
            value[count] = listed.value[entry]
            count += 1
        present += count > starts[present]
    starts[present] = count
    return present


@allocating
def sparse_gradient(features, hidden, importance, batch, present, starts, feature, value, parameters, gradient):
    """Add the gradient of the loss on a batch of `batch` samples, of which `present` are listed, the rest empty.

    `columns` and `slopes` (feature, hidden) and `rows` (hidden, feature) are padded to whole vectors.
    """
    n, d, bias = uintp(features), uintp(hidden), uintp(features * hidden)
    wide, deep = (n + TWO_VECTORS - ONE) // TWO_VECTORS * TWO_VECTORS, (d + LANES - ONE) // LANES * LANES
    columns, slopes, rows = (
        np.zeros(n * deep, np.float32),
        np.zeros(n * deep, np.float32),
        np.zeros(d * wide, np.float32),
    )
    # Outputs that only fill a vector have a negative bias, so they are off.
    b = np.full(wide, -1, np.float32)
    for i in range(n):
        b[i] = parameters[bias + i]
        for j in range(d):
            columns[i * deep + j] = parameters[j * n + i]
    for j in range(d):
        for i in range(n):
            rows[j * wide + i] = parameters[j * n + i]
    scale = importance * np.float32(2.0 / (batch * features))
    h, y, slope = np.zeros(2 * deep, np.float32), np.empty(2 * wide, np.float32), np.empty(deep, np.float32)
    x, on = np.zeros(n, np.float32), np.empty(n + ONE, np.uint64)
    for k in range(0, present, 2):
        at, middle, end = starts[k], starts[k + 1], starts[min(k + 2, present)]
        encode(columns, deep, feature, value, at, middle, h, ZERO_INDEX)
        encode(columns, deep, feature, value, middle, end, h, deep)
        for i in range(ZERO_INDEX, wide, TWO_VECTORS):
            combine_two(y, i, wide + i, b, i, rows, wide, d, h, ZERO_INDEX, deep)
        back(
            columns,
            slopes,
            gradient,
            scale,
            bias,
            deep,
            feature,
            value,
            at,
            middle,
            h,
            ZERO_INDEX,
            y,
            ZERO_INDEX,
            wide,
            slope,
            x,
            on,
        )
        if end > middle:
            back(
                columns,
                slopes,
                gradient,
                scale,
                bias,
                deep,
                feature,
                value,
                middle,
                end,
                h,
                deep,
                y,
                wide,
                wide,
                slope,
                x,
                on,
            )
    for i in range(n):
        gradient[bias + i] += np.float32(batch - present) * scale[i] * max(parameters[bias + i], ZERO)
    for i in range(n):
        for j in range(d):
            gradient[j * n + i] += slopes[i * deep + j]


@jit
def encode(columns, deep, feature, value, at, end, h, row):
    """Set `deep` elements of h from `row` on to the sum of x_j W_j over one sample's entries."""
    for j in range(deep):
        h[row + j] = ZERO
    for entry in range(at, end):
        for j in range(ZERO_INDEX, deep, LANES):
            add_scaled(h, row + j, value[entry], columns, feature[entry] * deep + j)


@jit
def list_on(y, row, wide, on):
    """List in `on` which outputs from `row` on are not below zero; return how many.

    A NaN counts as on, so that divergence reaches the weights and is noticed. Most outputs are off: eight are passed
    over by one look.
    """
    count = ZERO_INDEX
    for first in range(ZERO_INDEX, wide, LANES):
        flags = above_zero(y, row + first)
        if flags:
            for i in range(LANES):
                on[count] = first + i
                count += (flags >> i) & ONE
    return count


@jit
def back(columns, slopes, gradient, scale, bias, deep, feature, value, at, end, h, left, y, row, wide, slope, x, on):
    """Add one sample's gradient: to `slopes` (feature, hidden) for W, to `gradient` from `bias` on for b.

    The sample has h from `left` and y from `row` on. `x` is all zero before and after.
    """
    for entry in range(at, end):
        x[feature[entry]] = value[entry]
    for j in range(deep):
        slope[j] = ZERO
    for k in range(list_on(y, row, wide, on)):
        i = on[k]
        g = scale[i] * (y[row + i] - x[i])
        gradient[bias + i] += g
        for j in range(ZERO_INDEX, deep, LANES):
            add_scaled(slopes, i * deep + j, g, h, left + j)
            add_scaled(slope, j, g, columns, i * deep + j)
    for entry in range(at, end):
        for j in range(ZERO_INDEX, deep, LANES):
            add_scaled(slopes, feature[entry] * deep + j, value[entry], slope, j)
        x[feature[entry]] = ZERO
