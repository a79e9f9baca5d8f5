"""The CPU kernel for sparse data: work follows the features that are present, not those that could be.

For a tied model with ReLU output whose features are rarely present, most samples hold a few features or none,
and most outputs stay below zero and pass no gradient. Per sample, with its few present features:

    h = sum of x_j W_j over present j        y = W^T h + b, the only dense part        g_i where y_i > 0
    dL/db_i = g_i        slope = sum of g_i W_i over i on        dL/dW_i += g_i h (i on) + x_i slope (i present)

Empty samples have h = 0: they only touch biases above zero, all alike, so they are counted. Two samples
at a time share the pass over `W` that makes `y`. Fresh samples are drawn by the gaps between present features,
which are geometric, so that drawing costs as much as there is to draw.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import Any, NamedTuple

import numpy as np
from numba import njit, uint32, uint64, uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import FAST, ZERO, jit
from experiments.core.training.cpu_kernel import next_batch, update
from experiments.core.training.cpu_products import FOUR, ONE, THREE, TWO
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
    place, value = np.empty(batch * n + 1, np.int64), np.empty(batch * n + 1, np.float32)
    gradient, previous = np.zeros_like(block.parameters[0]), np.zeros_like(block.parameters[0])
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        state, importance, order = block.state[instance], block.importance[instance], block.orders[instance]
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            position, size = next_batch(options, block, instance, step)
            if samples > 0:
                count = list_sparse(listed, instance % len(block.sets), order, position, size, n, place, value)
            else:
                count = draw_sparse(state, density[instance], options.signed, batch * n, place, value)
            gradient[:] = ZERO
            sparse_gradient(n, options.hidden, importance, size, count, place, value, parameters, gradient)
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
def draw_sparse(state, density, signed, cells, place, value):
    """Draw the present ones of `cells` independent features into `place` (where) and `value`; return how many."""
    count, cell, rest = 0, -1.0, np.log1p(-density)
    while count < place.size:
        cell += 1.0 + np.floor(np.log(uniform(state)) / rest)
        if cell >= cells:
            break
        drawn = uniform(state)
        place[count] = np.int64(cell)
        value[count] = np.float32(2.0 * drawn - 1.0 if signed else drawn)
        count += 1
    return count


@jit
def list_sparse(listed, instance, order, position, size, n, place, value):
    """Write the present features of the next samples of an epoch as `draw_sparse` does; return how many."""
    count = 0
    for s in range(size):
        row = order[position + s]
        for entry in range(listed.start[instance, row], listed.start[instance, row + 1]):
            place[count] = s * n + listed.feature[entry]
            value[count] = listed.value[entry]
            count += 1
    return count


@allocating
def sparse_gradient(features, hidden, importance, batch, count, place, value, parameters, gradient):
    """Add the gradient of the loss on a batch of `batch` samples, given by its `count` present features in order.

    Indices are unsigned and arrays flat: both are worth a factor of two to the loops over features and hidden.
    """
    n, d = uintp(features), uintp(hidden)
    columns, slopes = np.empty(n * d, np.float32), np.zeros(n * d, np.float32)
    for i in range(n):
        for j in range(d):
            columns[i * d + j] = parameters[j * n + i]
    scale = importance * np.float32(2.0 / (batch * features))
    h, y = np.zeros(2 * d, np.float32), np.empty(2 * n, np.float32)
    slope, x, on = np.empty(d, np.float32), np.zeros(n, np.float32), np.empty(n + 1, np.uint64)
    at, present = 0, 0
    while at < count:
        middle = sample_end(place, at, count, features)
        end = sample_end(place, middle, count, features)
        encode(columns, d, place, value, at, middle, features, h, ZERO_INDEX)
        encode(columns, d, place, value, middle, end, features, h, d)
        decode_pair(parameters, n, d, h, y)
        back(columns, slopes, gradient, scale, n, d, place, value, at, middle, h, y, ZERO_INDEX, slope, x, on)
        present += 1
        if end > middle:
            back(columns, slopes, gradient, scale, n, d, place, value, middle, end, h, y, ONE, slope, x, on)
            present += 1
        at = end
    bias = n * d
    for i in range(n):
        gradient[bias + i] += np.float32(batch - present) * scale[i] * max(parameters[bias + i], ZERO)
    for i in range(n):
        for j in range(d):
            gradient[j * n + i] += slopes[i * d + j]


@jit
def sample_end(place, at, count, features):
    """Return where the entries of the sample that begins at entry `at` end."""
    if at >= count:
        return count
    last = (place[at] // features + 1) * features
    while at < count and place[at] < last:
        at += 1
    return at


@jit
def encode(columns, d, place, value, at, end, features, h, row):
    """Set `d` elements of h from `row` on to the sum of x_j W_j over one sample's entries."""
    for j in range(d):
        h[row + j] = ZERO
    for entry in range(at, end):
        first, x = uintp(place[entry] % features) * d, value[entry]
        for j in range(d):
            h[row + j] += x * columns[first + j]


@jit
def decode_pair(parameters, n, d, h, y):
    """Set both rows of y to W^T h + b: four hidden dimensions at a time, so that y is seldom loaded and stored."""
    for i in range(n):
        y[i] = y[n + i] = parameters[n * d + i]
    whole = d - d % FOUR
    for j in range(ZERO_INDEX, whole, FOUR):
        r0, r1, r2, r3 = j * n, (j + ONE) * n, (j + TWO) * n, (j + THREE) * n
        a0, a1, a2, a3 = h[j], h[j + ONE], h[j + TWO], h[j + THREE]
        c0, c1, c2, c3 = h[d + j], h[d + j + ONE], h[d + j + TWO], h[d + j + THREE]
        for i in range(n):
            w0, w1, w2, w3 = parameters[r0 + i], parameters[r1 + i], parameters[r2 + i], parameters[r3 + i]
            y[i] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            y[n + i] += c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
    for j in range(whole, d):
        for i in range(n):
            y[i] += h[j] * parameters[j * n + i]
            y[n + i] += h[d + j] * parameters[j * n + i]


@jit
def back(columns, slopes, gradient, scale, n, d, place, value, at, end, h, y, which, slope, x, on):
    """Add one sample's gradient: to `slopes` (feature, hidden) for W, to `gradient` for b.

    The sample is row `which` of h and y. `x` is all zero before and after.
    """
    features, hrow, yrow, bias = np.int64(n), which * d, which * n, n * d
    for entry in range(at, end):
        x[place[entry] % features] = value[entry]
    count = 0
    for i in range(n):
        on[count] = i
        # A NaN counts as on, so that divergence reaches the weights and is noticed.
        count += not y[yrow + i] <= ZERO
    for j in range(d):
        slope[j] = ZERO
    for k in range(count):
        i = on[k]
        g = scale[i] * (y[yrow + i] - x[i])
        gradient[bias + i] += g
        row = i * d
        for j in range(d):
            slopes[row + j] += g * h[hrow + j]
            slope[j] += g * columns[row + j]
    for entry in range(at, end):
        i, v = uintp(place[entry] % features), value[entry]
        row = i * d
        for j in range(d):
            slopes[row + j] += v * slope[j]
        x[i] = ZERO
