"""The fused CPU kernel: one model trains for many steps inside one thread's cache.

Per tile of `TILE` samples: draw x, h = W x + c, y = R^T hidden_activation(h) + b, the gradient of the loss by hand,
and its sums over samples. No array of a whole batch exists. `R` (hidden, feature) is the read-out matrix transposed;
in a tied model it *is* `W`, and both gradients add into one array. The bias is the read-out of one more
hidden unit that is always 1: `Rb` (hidden + 1, feature) is R with b as its last row, in one piece of memory.

With v_i = 2 * importance_i / (batch * features), a = hidden_activation(h), e = y - y* the error, and g_i = v_i e_i
(L4: 2 v_i e_i^3) where the output passes gradient (else 0):
    dL/db = sum g,   dL/dR = sum a g^T,   s = R g * hidden_activation'(h),   dL/dc = sum s,   dL/dW = sum s x^T.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import TILE, ZERO, T, fill_group, fill_row, inlined, jit, shuffle
from experiments.core.training.cpu_products import ONE, dots, multiply, paired_dots

IDENTITY, ABSOLUTE, POSITIVE = range(3)
TARGET_CODES = {"identity": IDENTITY, "absolute": ABSOLUTE, "relu": POSITIVE}

LARGEST = np.float32(np.finfo(np.float32).max)


class Options(NamedTuple):
    """What is the same for all instances and steps. Numbers only: an array inside would cost reference counting."""

    features: int
    hidden: int
    batch: int
    tied: bool
    relu_output: bool
    relu_hidden: bool
    hidden_bias: bool
    target: int  # one of TARGET_CODES
    mixed: bool  # whether a matrix adds to the target
    fourth: bool  # L4 in place of L2
    signed: bool
    anticorrelated: bool
    shuffled: bool
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float


class Shared(NamedTuple):
    """Arrays that all instances share: groups as in `Problem`, and factors per step.

    `first_scale` is the learning-rate factor over Adam's first bias correction, `second_scale` one over
    the root of the second, `rates` the learning-rate factor alone; `due` (step + 1,) is the number of the
    snapshot to keep after so many steps, or -1.
    """

    members: NDArray[np.int32]
    starts: NDArray[np.int32]
    loose: NDArray[np.int32]
    first_scale: NDArray[np.float64]
    second_scale: NDArray[np.float64]
    rates: NDArray[np.float64]
    due: NDArray[np.int64]
    frozen: NDArray[np.int64]  # (range, 2): parameters from the first to before the second keep their start


class Block(NamedTuple):
    """What differs between the instances of a block; everything below `state` changes as they train.

    `parameters` (instance, parameter) holds W, then R if untied, then b, then c if there is one, then zeros up to a
    multiple of 8, so that loops over parameters have no remainder; `reached` the steps completed.
    """

    limit: NDArray[np.int32]
    scale: NDArray[np.float32]
    importance: NDArray[np.float32]
    learning_rate: NDArray[np.float32]
    strength: NDArray[np.int32]
    mixing: NDArray[np.float32]  # (instance or 1, feature * feature); nothing in a row when targets have no mixture
    sets: NDArray[np.float32]  # (instance or 1, sample, feature); no samples when batches are fresh
    state: NDArray[np.uint32]
    orders: NDArray[np.int32]
    shuffles: NDArray[np.uint64]
    parameters: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    reached: NDArray[np.int64]
    kept: NDArray[np.float32]  # (instance, snapshot, parameter)


class Scratch(NamedTuple):
    """Space for one thread: rows of `TILE` samples (`h` has a last row that stays 1) and flat parameters."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    wanted: NDArray[np.float32]
    h: NDArray[np.float32]
    slope: NDArray[np.float32]
    draws: NDArray[np.int32]
    gradient: NDArray[np.float32]
    previous: NDArray[np.float32]


def new_scratch(features: int, hidden: int, parameters: int) -> Scratch:
    """Return scratch space for models of one size."""
    sizes = {"x": features * TILE, "y": features * TILE, "wanted": features * TILE, "slope": hidden * TILE}
    tiles = {name: np.zeros(size, np.float32) for name, size in sizes.items()}
    flat = {name: np.zeros(parameters, np.float32) for name in ("gradient", "previous")}
    return Scratch(h=np.ones((hidden + 1) * TILE, np.float32), draws=np.zeros(4 * TILE, np.int32), **tiles, **flat)


@jit
def train_block(options, shared, block, scratch, begin, end):
    """Train every instance of a block from step `begin` to step `end`; a diverged one stays where it stopped."""
    x, draws, gradient, previous = scratch.x, scratch.draws, scratch.gradient, scratch.previous
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        importance, mixing = block.importance[instance], block.mixing[instance % len(block.mixing)]
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            position, batch = next_batch(options, block, instance, step)
            weight = np.float32(2.0 / (batch * options.features))
            zero(gradient, uintp(gradient.size))
            for tile in range(0, batch, TILE):
                count = min(TILE, batch - tile)
                next_tile(options, shared, block, instance, position + tile, count, x, draws)
                tile_gradient(options, importance, weight, count, mixing, parameters, scratch, gradient)
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break


@inlined
def next_batch(options, block, instance, step):
    """Return where the batch of a step begins in its epoch, 0 with fresh samples, and its size.

    An epoch begins by shuffling; the last batch of a finite data set may be smaller.
    """
    samples, batch = block.sets.shape[1], options.batch
    if samples == 0:
        return 0, batch
    position = (step % ((samples + batch - 1) // batch)) * batch
    if position == 0 and options.shuffled:
        block.shuffles[instance] = shuffle(block.orders[instance], block.shuffles[instance])
    return position, min(batch, samples - position)


@inlined
def next_tile(options, shared, block, instance, first, count, x, draws):
    """Fill the tile with `count` samples: from place `first` of the epoch on, or fresh ones."""
    if block.sets.shape[1] > 0:
        gather(x, block.sets[instance % len(block.sets)], block.orders[instance], first, count)
    else:
        state, limit, scale = block.state[instance], block.limit[instance], block.scale[instance]
        fill_tile(
            options,
            shared.loose,
            shared.members,
            shared.starts,
            state,
            limit,
            scale,
            block.strength[instance],
            x,
            draws,
        )


@inlined
def update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
    """Take one step unless it diverges, keep a due snapshot, and return whether all stayed finite."""
    learning_rate, rate = block.learning_rate[instance], shared.rates[step]
    size, correction = shared.first_scale[step], shared.second_scale[step]
    if not adam(options, learning_rate, rate, size, correction, parameters, gradient, first, second, previous):
        return False
    for number in range(len(shared.frozen)):
        for j in range(shared.frozen[number, 0], shared.frozen[number, 1]):
            parameters[j] = previous[j]
    block.reached[instance] = step + 1
    if shared.due[step + 1] >= 0:
        copy(block.kept[instance, shared.due[step + 1]], parameters)
    return True


@inlined
def copy(target, source):
    """Copy a flat array."""
    for j in range(uintp(source.size)):
        target[j] = source[j]


@inlined
def split(options, parameters):
    """Return the parts W, Rb and c of flat parameters; when tied, W is the first rows of Rb; c may be empty."""
    n, d = options.features, options.hidden
    begin = 0 if options.tied else n * d
    end = begin + n * d + n
    return parameters[: n * d], parameters[begin:end], parameters[end : end + d if options.hidden_bias else end]


@jit
def fill_tile(options, loose, members, starts, state, limit, scale, strength, x, draws):
    """Draw a tile of fresh samples."""
    shift = np.float32(1.0 if options.signed else 0.0)
    for place in range(loose.size):
        feature = uintp(loose[place])
        fill_row(state, x, feature * T, limit[feature], scale[feature], shift)
    for group in range(starts.size - 1):
        inside = members[starts[group] : starts[group + 1]]
        fill_group(state, x, inside, limit[inside[0]], strength, options.anticorrelated, options.signed, draws)


@inlined
def gather(x, samples, order, first, count):
    """Copy the next samples of the epoch into the tile; what lies beyond them stays stale and is masked later."""
    for s in range(uintp(count)):
        sample = uintp(order[uintp(first) + s])
        for i in range(uintp(samples.shape[1])):
            x[i * T + s] = samples[sample, i]


@jit
def tile_gradient(options, importance, weight, count, mixing, parameters, scratch, gradient):
    """Add the gradient on the first `count` samples of a tile; `weight` is 2 / (batch * features)."""
    n, d = uintp(options.features), uintp(options.hidden)
    x, y, h, slope = scratch.x, scratch.y, scratch.h, scratch.slope
    W, Rb, c = split(options, parameters)
    dW, dRb, dc = split(options, gradient)
    outputs(options, W, Rb, c, x, y, h)
    wanted = targets(options, mixing, x, scratch.wanted)
    for i in range(n):
        dRb[d * n + i] += output_slope(options, y, wanted, i * T, weight * importance[i], uintp(count))
    multiply(slope, d, Rb, n, ONE, y, n)
    if options.relu_hidden:
        for j in range(d * T):
            slope[j] = slope[j] if h[j] > ZERO else ZERO
    for k in range(uintp(dc.size)):
        total = ZERO
        for s in range(T):
            total += slope[k * T + s]
        dc[k] += total
    if options.tied:
        paired_dots(dW, slope, x, h, y, d, n)
    else:
        dots(dW, slope, d, x, n)
        dots(dRb, h, d, y, n)


@inlined
def outputs(options, W, Rb, c, x, y, h):
    """Compute h = hidden_activation(W x + c) and y = R^T h + b for a tile; y is still before its activation."""
    n, d = uintp(options.features), uintp(options.hidden)
    multiply(h, d, W, n, ONE, x, n)
    for k in range(uintp(c.size)):
        for s in range(T):
            h[k * T + s] += c[k]
    if options.relu_hidden:
        for j in range(d * T):
            h[j] = max(h[j], ZERO)
    multiply(y, n, Rb, ONE, n, h, d + ONE)


@inlined
def zero(tile, size):
    """Set the first `size` numbers to 0."""
    for j in range(size):
        tile[j] = ZERO


@inlined
def targets(options, mixing, x, wanted):
    """Return the tile of what y should equal: x itself, or `wanted`, filled with target(x) + M x."""
    n = uintp(options.features)
    if options.target == IDENTITY and not options.mixed:
        return x
    if options.mixed:
        multiply(wanted, n, mixing, n, ONE, x, n)
    else:
        zero(wanted, n * T)
    if options.target == ABSOLUTE:
        for j in range(n * T):
            wanted[j] += abs(x[j])
    elif options.target == POSITIVE:
        for j in range(n * T):
            wanted[j] += max(x[j], ZERO)
    else:
        for j in range(n * T):
            wanted[j] += x[j]
    return wanted


@inlined
def output_slope(options, y, wanted, row, weight, count):
    """Turn a row of pre-activations into the slope of the loss there, 0 beyond `count`; return the row's sum.

    A NaN fails the comparison with 0, stays, and is noticed in the weights.
    """
    total = ZERO
    if options.fourth:
        # Scaled by the squared error twice over, the slope of L2 becomes that of L4, d e^4 / de = 4 e^3.
        for s in range(T):
            error = y[row + s] - wanted[row + s]
            slope = np.float32(2) * weight * error * error * error
            y[row + s] = ZERO if options.relu_output and y[row + s] <= ZERO else slope
    else:
        for s in range(T):
            slope = weight * (y[row + s] - wanted[row + s])
            y[row + s] = ZERO if options.relu_output and y[row + s] <= ZERO else slope
    for s in range(row + count, row + T):
        y[s] = ZERO
    for s in range(T):
        total += y[row + s]
    return total


@inlined
def adam(options, learning_rate, rate, first_scale, second_scale, parameters, gradient, first, second, previous):
    """Take one AdamW step in place; if a parameter or second moment becomes non-finite, take it back and say False."""
    beta1, beta2, epsilon = np.float32(options.beta1), np.float32(options.beta2), np.float32(options.epsilon)
    rest1, rest2 = np.float32(1.0 - options.beta1), np.float32(1.0 - options.beta2)
    size, correction = np.float32(learning_rate * first_scale), np.float32(second_scale)
    keep = np.float32(1.0 - learning_rate * rate * options.weight_decay)
    bad = np.int32(0)
    copy(previous, parameters)
    for j in range(uintp(parameters.size)):
        g = gradient[j]
        m = beta1 * first[j] + rest1 * g
        v = beta2 * second[j] + rest2 * g * g
        new = keep * parameters[j] - size * m / (np.sqrt(v) * correction + epsilon)
        first[j] = m
        second[j] = v
        parameters[j] = new
        bad |= np.int32(not (abs(new) <= LARGEST and v <= LARGEST))
    if bad:
        copy(parameters, previous)
    return bad == 0
