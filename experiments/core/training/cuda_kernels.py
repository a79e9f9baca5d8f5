"""Triton kernels: one program trains one small model for many steps, or draws a piece of one model's batch.

Random numbers are counters turned into words by Philox (Salmon, Moraes, Dror and Shaw 2011, "Parallel
random numbers: as easy as 1, 2, 3"), so a draw needs no state and no memory. The key is the
instance's own; the counter is (feature or group, sample // 4, step, purpose) and gives four words, one
for each of four neighbouring samples. No two draws share key, counter and word.

`train` keeps everything of a model in registers: weights and Adam's moments are scalars, a feature of a
tile of samples is one vector with a sample per thread, and all loops over features and hidden units are
unrolled at their true size. Sums over samples stay in each thread until the end of a step.

Importing this module imports triton; only the CUDA backend does so, and only when it is used.
"""

# Triton compiles these functions from their source: it takes no annotations but `tl.constexpr`, unrolls loops
# that lengthen tuples, and knows no starred tuples. Type checkers and linters read that as mistakes.
# mypy: ignore-errors
# ruff: noqa: RUF005

import triton
import triton.language as tl

PHILOX_ROUNDS = tl.constexpr(7)  # the fewest that pass every test of BigCrush in the paper
VALUES = tl.constexpr(0)  # purposes of a counter
GROUPS = tl.constexpr(1)
WHOLE = tl.constexpr(2.0**-32)  # turns a word into a number in [0, 1]


@triton.jit
def words(key, index, quad, step, purpose):
    """Four independent 32-bit words per (index, quad); word k belongs to sample 4 quad + k."""
    return tl.philox(key, quad, index, step, purpose, n_rounds=PHILOX_ROUNDS)


@triton.jit
def as_word(bits):
    """A stored int32 bit pattern as the unsigned word it stands for."""
    return bits.to(tl.uint32, bitcast=True)


@triton.jit
def independent(word, threshold, scale, offset):
    """Turn words into features: 0, or word * scale + offset where the word is at most `threshold`.

    One word gives presence and value, since a word known to be below a threshold is still uniform.
    """
    return tl.where(word <= threshold, word.to(tl.float32) * scale + offset, 0.0)


@triton.jit
def grouped(word, alone, group_word, reach, low, high, SIGNED: tl.constexpr):
    """Turn words of a group's member into features; `alone` is what it would be if it were independent.

    Where the group's word is at most `reach` the group is coupled: the member is present if that word
    lies in [low, high], and its value comes from its own whole word.
    """
    value = word.to(tl.float32) * WHOLE
    if SIGNED:
        value = 2.0 * value - 1.0
    together = tl.where((group_word >= low) & (group_word <= high), value, 0.0)
    return tl.where(group_word <= reach, together, alone)


@triton.jit
def slope_of(z, x, weight, RELU: tl.constexpr, ABSOLUTE: tl.constexpr):
    """The loss's derivative by the pre-activation z; `weight` is 2 importance / (batch features)."""
    target = tl.abs(x) if ABSOLUTE else x
    slope = weight * (z - target)
    return tl.where(z > 0, slope, 0.0) if RELU else slope


@triton.jit
def adam(value, first, second, gradient, decay, size, correction, beta1, beta2, share1, share2, epsilon):
    """AdamW with decoupled decay; `size` is rate / (1 - beta1^t), `correction` is 1 / sqrt(1 - beta2^t).

    `share1` and `share2`, what a new gradient counts, are 1 - beta, which float32 could not tell from beta exactly.
    """
    first = beta1 * first + share1 * gradient
    second = beta2 * second + share2 * gradient * gradient
    value = value * decay - size * first / (tl.sqrt(second) * correction + epsilon)
    return value, first, second


@triton.jit
def unsound(value, second):
    """1 where a parameter or its second moment, which holds the squared gradient, is not finite, else 0."""
    return tl.where((tl.abs(value) < float("inf")) & (second < float("inf")), 0, 1)


@triton.jit
def load_all(pointer, ROWS: tl.constexpr, COLUMNS: tl.constexpr, row_stride, column_stride):
    """Load a small matrix as a flat tuple of scalars, row by row."""
    values = ()
    for r in tl.static_range(ROWS):
        for c in tl.static_range(COLUMNS):
            values = values + (tl.load(pointer + r * row_stride + c * column_stride),)
    return values


@triton.jit
def store_all(pointer, values, ROWS: tl.constexpr, COLUMNS: tl.constexpr, row_stride, column_stride):
    """Store what `load_all` loads."""
    for r in tl.static_range(ROWS):
        for c in tl.static_range(COLUMNS):
            tl.store(pointer + r * row_stride + c * column_stride, values[r * COLUMNS + c])


@triton.jit
def vectors(COUNT: tl.constexpr, TILE: tl.constexpr):
    """A tuple of zero vectors."""
    values = ()
    for _ in tl.static_range(COUNT):
        values = values + (tl.zeros([TILE], tl.float32),)
    return values


@triton.jit
def word_bits(pointer, COUNT: tl.constexpr):
    """Load a row of words as a tuple."""
    values = ()
    for i in tl.static_range(COUNT):
        values = values + (as_word(tl.load(pointer + i)),)
    return values


@triton.jit
def accumulate(sums_W, sums_b, W, b, x, weights, inside, N: tl.constexpr, D: tl.constexpr, RELU: tl.constexpr,
               ABSOLUTE: tl.constexpr, MASKED: tl.constexpr):  # fmt: skip
    """Add one tile's gradients, sample by sample, to `sums_W` (feature-major) and `sums_b`.

    Forward: h = W x, z = W^T h + b. Backward with s = dL/dz: dL/db = s, dL/dW = s h^T + x (W^T s)^T, since
    a tied W both reads and writes.
    """
    h = ()
    for d in tl.static_range(D):
        unit = W[d] * x[0]
        for f in tl.static_range(1, N):
            unit += W[f * D + d] * x[f]
        h = h + (unit,)
    slopes = ()
    for f in tl.static_range(N):
        z = b[f] + W[f * D] * h[0]
        for d in tl.static_range(1, D):
            z += W[f * D + d] * h[d]
        slope = slope_of(z, x[f], weights[f], RELU, ABSOLUTE)
        slopes = slopes + (tl.where(inside, slope, 0.0) if MASKED else slope,)
    back = ()
    for d in tl.static_range(D):
        unit = W[d] * slopes[0]
        for f in tl.static_range(1, N):
            unit += W[f * D + d] * slopes[f]
        back = back + (unit,)
    new_W = ()
    new_b = ()
    for f in tl.static_range(N):
        new_b = new_b + (sums_b[f] + slopes[f],)
        for d in tl.static_range(D):
            new_W = new_W + (sums_W[f * D + d] + slopes[f] * h[d] + x[f] * back[d],)
    return new_W, new_b


@triton.jit
def drawn(value_words, group_words, k: tl.constexpr, threshold, scale, offset, reach, low, high, N: tl.constexpr,
          GROUP_OF: tl.constexpr, SIGNED: tl.constexpr):  # fmt: skip
    """The features of the k-th sample of every quad, as a tuple of vectors."""
    x = ()
    for f in tl.static_range(N):
        word = value_words[f][k]
        feature = independent(word, threshold[f], scale[f], offset[f])
        if GROUP_OF[f] >= 0:
            feature = grouped(word, feature, group_words[GROUP_OF[f]][k], reach, low[f], high[f], SIGNED)
        x = x + (feature,)
    return x


@triton.jit
def loaded(samples_ptr, sample, inside, N: tl.constexpr):
    """The features of the numbered samples of a data set, as a tuple of vectors."""
    x = ()
    for f in tl.static_range(N):
        x = x + (tl.load(samples_ptr + sample.to(tl.int64) * N + f, mask=inside, other=0.0),)
    return x


@triton.jit
def updated(values, firsts, seconds, sums, bad, decay, size, correction, beta1, beta2, share1, share2, epsilon,
            COUNT: tl.constexpr):  # fmt: skip
    """Take one step with every parameter; also return `bad` plus the number of those that became unsound."""
    new = ()
    new_first = ()
    new_second = ()
    for i in tl.static_range(COUNT):
        gradient = tl.sum(sums[i], axis=0)
        value, first, second = adam(
            values[i], firsts[i], seconds[i], gradient, decay, size, correction, beta1, beta2, share1, share2, epsilon
        )
        bad += unsound(value, second)
        new = new + (value,)
        new_first = new_first + (first,)
        new_second = new_second + (second,)
    return new, new_first, new_second, bad


@triton.jit
def chosen(flag, new, old, COUNT: tl.constexpr):
    """The new values if `flag`, else the old."""
    values = ()
    for i in tl.static_range(COUNT):
        values = values + (tl.where(flag, new[i], old[i]),)
    return values


@triton.jit(do_not_specialize=["samples_stride", "order_stride", "first_step", "steps"])
def train(
    W_ptr, W_first_ptr, W_second_ptr,  # (instance, hidden, feature): weights and Adam's moments
    b_ptr, b_first_ptr, b_second_ptr,  # (instance, feature)
    stopped_ptr,  # (instance,) int32: steps done when the instance diverged, -1 while it is healthy
    importance_ptr, rate_ptr,  # (instance, feature), (instance,)
    key_ptr, threshold_ptr, scale_ptr, offset_ptr, low_ptr, high_ptr, reach_ptr,  # see cuda_inputs.Draws
    samples_ptr, samples_stride,  # data set (instance or 1, sample, feature); stride 0 if all share it
    order_ptr, order_stride, spans_ptr,  # see cuda_inputs.Rows
    factors_ptr,  # (step, 3): see cuda_inputs.step_factors
    first_step, steps, beta1, beta2, share1, share2, epsilon, weight_decay,
    N: tl.constexpr, D: tl.constexpr, TILE: tl.constexpr, FRESH: tl.constexpr, GROUP_OF: tl.constexpr,
    GROUP_COUNT: tl.constexpr, SIGNED: tl.constexpr, RELU: tl.constexpr, ABSOLUTE: tl.constexpr,
    MASKED: tl.constexpr,  # whether a batch may end inside a tile
):  # fmt: skip
    """Train instance `program_id(0)` for `steps` steps, of which the first is number `first_step`."""
    instance = tl.program_id(0).to(tl.int64)
    matrix = instance * N * D
    row = instance * N
    W = load_all(W_ptr + matrix, N, D, 1, N)
    W_first = load_all(W_first_ptr + matrix, N, D, 1, N)
    W_second = load_all(W_second_ptr + matrix, N, D, 1, N)
    b = load_all(b_ptr + row, N, 1, 1, 0)
    b_first = load_all(b_first_ptr + row, N, 1, 1, 0)
    b_second = load_all(b_second_ptr + row, N, 1, 1, 0)
    importance = load_all(importance_ptr + row, N, 1, 1, 0)
    threshold = word_bits(threshold_ptr + row, N)
    scale = load_all(scale_ptr + row, N, 1, 1, 0)
    offset = load_all(offset_ptr + row, N, 1, 1, 0)
    low = word_bits(low_ptr + row, N)
    high = word_bits(high_ptr + row, N)
    reach = as_word(tl.load(reach_ptr + instance))
    key = tl.load(key_ptr + instance)
    rate = tl.load(rate_ptr + instance)
    stopped = tl.load(stopped_ptr + instance)
    samples_ptr += instance * samples_stride
    order_ptr += instance * order_stride
    column = tl.arange(0, TILE)

    for k_step in range(0, steps):
        step = first_step + k_step
        first_row = tl.load(spans_ptr + 2 * k_step)
        batch = tl.load(spans_ptr + 2 * k_step + 1)
        weights = ()
        for f in tl.static_range(N):
            weights = weights + (2.0 * importance[f] / (batch * N).to(tl.float32),)
        sums_W = vectors(N * D, TILE)
        sums_b = vectors(N, TILE)
        if FRESH:
            for start in range(0, (batch + 3) // 4, TILE):
                quad = start + column
                value_words = ()
                for f in tl.static_range(N):
                    value_words = value_words + (words(key, f, quad, step, VALUES),)
                group_words = ()
                for g in tl.static_range(GROUP_COUNT):
                    group_words = group_words + (words(key, g, quad, step, GROUPS),)
                for k in tl.static_range(4):
                    x = drawn(
                        value_words, group_words, k, threshold, scale, offset, reach, low, high, N, GROUP_OF, SIGNED
                    )
                    sums_W, sums_b = accumulate(
                        sums_W, sums_b, W, b, x, weights, 4 * quad + k < batch, N, D, RELU, ABSOLUTE, MASKED
                    )
        else:
            for start in range(0, batch, TILE):
                inside = start + column < batch
                sample = tl.load(order_ptr + first_row + start + column, mask=inside, other=0)
                x = loaded(samples_ptr, sample, inside, N)
                sums_W, sums_b = accumulate(sums_W, sums_b, W, b, x, weights, inside, N, D, RELU, ABSOLUTE, MASKED)

        decay = 1.0 - rate * tl.load(factors_ptr + 3 * step) * weight_decay
        size = rate * tl.load(factors_ptr + 3 * step + 1)
        correction = tl.load(factors_ptr + 3 * step + 2)
        new_W, new_W_first, new_W_second, bad = updated(
            W, W_first, W_second, sums_W, 0, decay, size, correction, beta1, beta2, share1, share2, epsilon, N * D
        )
        new_b, new_b_first, new_b_second, bad = updated(
            b, b_first, b_second, sums_b, bad, decay, size, correction, beta1, beta2, share1, share2, epsilon, N
        )
        stopped = tl.where((stopped < 0) & (bad > 0), step, stopped)
        healthy = stopped < 0
        W = chosen(healthy, new_W, W, N * D)
        W_first = chosen(healthy, new_W_first, W_first, N * D)
        W_second = chosen(healthy, new_W_second, W_second, N * D)
        b = chosen(healthy, new_b, b, N)
        b_first = chosen(healthy, new_b_first, b_first, N)
        b_second = chosen(healthy, new_b_second, b_second, N)

    store_all(W_ptr + matrix, W, N, D, 1, N)
    store_all(W_first_ptr + matrix, W_first, N, D, 1, N)
    store_all(W_second_ptr + matrix, W_second, N, D, 1, N)
    store_all(b_ptr + row, b, N, 1, 1, 0)
    store_all(b_first_ptr + row, b_first, N, 1, 1, 0)
    store_all(b_second_ptr + row, b_second, N, 1, 1, 0)
    tl.store(stopped_ptr + instance, stopped)


@triton.jit
def slopes(z_ptr, x_ptr, weight_ptr, count_ptr, total, batch, features, BLOCK: tl.constexpr, RELU: tl.constexpr,
           ABSOLUTE: tl.constexpr, FOURTH: tl.constexpr):  # fmt: skip
    """Replace z (instance, batch, feature) by the loss's derivative by it; rows from `count` on get 0.

    `x` is the target, or what the target is the absolute value of; L4 when `FOURTH`, else L2.

    `weight` (instance, feature) is 2 importance / features, still to be divided by the `count` () of rows.
    """
    entry = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = entry < total
    feature = entry % features
    row = entry // features
    count = tl.load(count_ptr)
    weight = tl.load(weight_ptr + row // batch * features + feature, mask=inside, other=0.0) / count.to(tl.float32)
    z = tl.load(z_ptr + entry, mask=inside, other=0.0)
    x = tl.load(x_ptr + entry, mask=inside, other=0.0)
    slope = slope_of(z, x, weight, RELU, ABSOLUTE)
    if FOURTH:  # d e^4 = 2 e^2 d e^2
        error = z - (tl.abs(x) if ABSOLUTE else x)
        slope *= 2 * error * error
    tl.store(z_ptr + entry, tl.where(row % batch < count, slope, 0.0), mask=inside)


@triton.jit
def draw(
    x_ptr,  # (instance, batch, feature), written
    step_ptr,  # () int32 on the device, so that a captured graph can draw a new batch each time it runs
    key_ptr, threshold_ptr, scale_ptr, offset_ptr, low_ptr, high_ptr, reach_ptr,  # see cuda_inputs.Draws
    group_of_ptr,  # (feature,) int32
    batch, features, QUADS: tl.constexpr, BLOCK: tl.constexpr, GROUPED: tl.constexpr, SIGNED: tl.constexpr,
):  # fmt: skip
    """Write the draws of instance `program_id(0)`, 4 QUADS samples from `program_id(1)` on, BLOCK features."""
    instance = tl.program_id(0).to(tl.int64)
    quad = (tl.program_id(1) * QUADS + tl.arange(0, QUADS))[:, None]
    feature = (tl.program_id(2) * BLOCK + tl.arange(0, BLOCK))[None, :]
    here = feature < features
    entry = instance * features + feature
    key = tl.load(key_ptr + instance)
    step = tl.load(step_ptr)
    threshold = as_word(tl.load(threshold_ptr + entry, mask=here, other=0))
    scale = tl.load(scale_ptr + entry, mask=here, other=0.0)
    offset = tl.load(offset_ptr + entry, mask=here, other=0.0)
    value_words = words(key, feature, quad, step, VALUES)
    group_words = value_words
    if GROUPED:
        group = tl.load(group_of_ptr + feature, mask=here, other=-1)
        group_words = words(key, group, quad, step, GROUPS)
        low = as_word(tl.load(low_ptr + entry, mask=here, other=1))
        high = as_word(tl.load(high_ptr + entry, mask=here, other=0))
        reach = as_word(tl.load(reach_ptr + instance))
    for k in tl.static_range(4):
        x = independent(value_words[k], threshold, scale, offset)
        if GROUPED:
            x = tl.where(group >= 0, grouped(value_words[k], x, group_words[k], reach, low, high, SIGNED), x)
        sample = 4 * quad + k
        address = x_ptr + (instance * batch + sample) * features + feature
        tl.store(address, x, mask=here & (sample < batch))
