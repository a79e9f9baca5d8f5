"""The fused CPU kernel: one model trains for many steps inside one thread's cache.

Per tile of `TILE` samples: draw x, h = W x, y = R^T h + b, the gradient of the loss by hand, and its sums
over samples. No array of a whole batch exists. `R` (hidden, feature) is the read-out matrix transposed;
in a tied model it *is* `W`, and both gradients add into one array.

With c_i = 2 * importance_i / (batch * features), a = hidden_activation(h) and g_i = c_i (y_i - target_i)
where the output passes gradient (else 0):
    dL/db = sum g,   dL/dR = sum a g^T,   dL/dW = sum (R g * hidden_activation'(h)) x^T.
"""

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import TILE, ZERO, T, fill_group, fill_row, jit, shuffle
from experiments.core.training.cpu_products import ONE, accumulate, dots

LARGEST = np.float32(np.finfo(np.float32).max)


class Settings(NamedTuple):
    """What is the same for all instances and steps; the two arrays are per step."""

    features: int
    hidden: int
    batch: int
    tied: bool
    relu_output: bool
    relu_hidden: bool
    absolute: bool
    signed: bool
    anticorrelated: bool
    shuffled: bool
    members: NDArray[np.int32]
    starts: NDArray[np.int32]
    loose: NDArray[np.int32]
    first_scale: NDArray[np.float64]  # learning-rate factor over Adam's first bias correction
    second_scale: NDArray[np.float64]  # one over the root of Adam's second bias correction
    rates: NDArray[np.float64]
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float


class Block(NamedTuple):
    """What differs between the instances of a block; everything below `state` changes as they train.

    `parameters` (instance, parameter) holds W, then b, then R if untied; `reached` the steps completed.
    """

    limit: NDArray[np.int32]
    scale: NDArray[np.float32]
    importance: NDArray[np.float32]
    learning_rate: NDArray[np.float32]
    strength: NDArray[np.int32]
    sets: NDArray[np.float32]  # (instance or 1, sample, feature); no samples when batches are fresh
    state: NDArray[np.uint32]
    orders: NDArray[np.int32]
    shuffles: NDArray[np.uint64]
    parameters: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    reached: NDArray[np.int64]
    kept: NDArray[np.float32]  # (instance, snapshot, parameter)


@jit
def train_block(settings, block, snapshots, begin, end):
    """Train every instance of a block from step `begin` to step `end`; a diverged one stays where it stopped."""
    n, d = settings.features, settings.hidden
    x, y = np.zeros(n * TILE, np.float32), np.zeros(n * TILE, np.float32)
    h, slope = np.zeros(d * TILE, np.float32), np.zeros(d * TILE, np.float32)
    gradient, previous = np.zeros(block.parameters.shape[1], np.float32), block.parameters[0].copy()
    draws = np.zeros(4 * TILE, np.int32)
    for instance in range(len(block.parameters)):
        parameters = block.parameters[instance]
        for step in range(begin, end):
            if block.reached[instance] < step:
                break
            gradient[:] = ZERO
            batch_gradient(settings, block, instance, step, parameters, gradient, x, y, h, slope, draws)
            previous[:] = parameters
            if adam(
                settings,
                block.learning_rate[instance],
                step,
                parameters,
                gradient,
                block.first[instance],
                block.second[instance],
            ):
                parameters[:] = previous
                break
            block.reached[instance] = step + 1
            for number in range(snapshots.size):
                if snapshots[number] == step + 1:
                    block.kept[instance, number] = parameters


@jit
def batch_gradient(settings, block, instance, step, parameters, gradient, x, y, h, slope, draws):
    """Add the gradient of the loss on this step's batch to `gradient`."""
    n = settings.features
    fresh = block.sets.shape[1] == 0
    batch, first = settings.batch, 0
    if not fresh:
        samples = block.sets.shape[1]
        first = (step % ((samples + batch - 1) // batch)) * batch
        batch = min(batch, samples - first)
        if first == 0 and settings.shuffled:
            block.shuffles[instance] = shuffle(block.orders[instance], block.shuffles[instance])
    for begin in range(0, batch, TILE):
        count = min(TILE, batch - begin)
        if fresh:
            fill_tile(settings, block, instance, x, draws)
        else:
            order = block.orders[instance]
            gather(x, block.sets[instance % len(block.sets)], order[first + begin : first + begin + count])
        tile_gradient(settings, block.importance[instance], batch * n, count, parameters, gradient, x, y, h, slope)


@jit
def fill_tile(settings, block, instance, x, draws):
    """Draw a tile of fresh samples."""
    shift = np.float32(1.0 if settings.signed else 0.0)
    for feature in settings.loose:
        limit, scale = block.limit[instance, feature], block.scale[instance, feature]
        fill_row(block.state[instance], x, uintp(feature) * T, limit, scale, shift)
    for group in range(settings.starts.size - 1):
        members = settings.members[settings.starts[group] : settings.starts[group + 1]]
        limit = block.limit[instance, members[0]]
        fill_group(
            block.state[instance],
            x,
            members,
            limit,
            block.strength[instance],
            settings.anticorrelated,
            settings.signed,
            draws,
        )


@jit
def gather(x, samples, chosen):
    """Copy the chosen samples into the tile; what lies beyond them stays stale and is masked later."""
    for s in range(chosen.size):
        for i in range(samples.shape[1]):
            x[i * TILE + s] = samples[chosen[s], i]


@jit
def tile_gradient(settings, importance, terms, count, parameters, gradient, x, y, h, slope):
    """Add the gradient on the first `count` samples of a tile; `terms` is batch * features of the whole batch."""
    n, d = uintp(settings.features), uintp(settings.hidden)
    W, b = parameters[: n * d], parameters[n * d : n * d + n]
    R = W if settings.tied else parameters[n * d + n :]
    dW, db = gradient[: n * d], gradient[n * d : n * d + n]
    dR = dW if settings.tied else gradient[n * d + n :]
    h[:] = ZERO
    accumulate(h, d, W, n, ONE, x, n)
    if settings.relu_hidden:
        for j in range(h.size):
            h[j] = max(h[j], ZERO)
    for i in range(n):
        y[i * T : i * T + T] = b[i]
    accumulate(y, n, R, ONE, n, h, d)
    for i in range(n):
        c = np.float32(np.float32(2) * importance[i] / np.float32(terms))
        db[i] += output_slope(y, x, i * T, c, count, settings.relu_output, settings.absolute)
    slope[:] = ZERO
    accumulate(slope, d, R, n, ONE, y, n)
    if settings.relu_hidden:
        for j in range(h.size):
            slope[j] = slope[j] if h[j] > ZERO else ZERO
    dots(dW, slope, d, x, n)
    dots(dR, h, d, y, n)


@jit
def output_slope(y, x, row, c, count, relu, absolute):
    """Turn a row of pre-activations into the slope of the loss there; return the sum of the row.

    A NaN fails the comparison with 0, stays, and is noticed in the weights.
    """
    for s in range(T):
        target = abs(x[row + s]) if absolute else x[row + s]
        slope = c * (y[row + s] - target)
        y[row + s] = ZERO if relu and y[row + s] <= ZERO else slope
    for s in range(row + uintp(count), row + T):
        y[s] = ZERO
    total = ZERO
    for s in range(T):
        total += y[row + s]
    return total


@jit
def adam(settings, learning_rate, step, parameters, gradient, first, second):
    """Take one AdamW step in place; return whether any parameter or second moment became non-finite."""
    beta1, beta2 = np.float32(settings.beta1), np.float32(settings.beta2)
    rest1, rest2 = np.float32(1.0 - settings.beta1), np.float32(1.0 - settings.beta2)
    keep = np.float32(1.0 - learning_rate * settings.rates[step] * settings.weight_decay)
    size = np.float32(learning_rate * settings.first_scale[step])
    correction, epsilon = np.float32(settings.second_scale[step]), np.float32(settings.epsilon)
    bad = 0
    for j in range(parameters.size):
        m = beta1 * first[j] + rest1 * gradient[j]
        v = beta2 * second[j] + rest2 * gradient[j] * gradient[j]
        new = keep * parameters[j] - size * m / (np.sqrt(v) * correction + epsilon)
        first[j] = m
        second[j] = v
        parameters[j] = new
        bad += not (abs(new) <= LARGEST and v <= LARGEST)
    return bad > 0
