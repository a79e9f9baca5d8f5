"""The CPU kernel: gradient and update of one autoencoder after the other, each over a chunk of steps.

The gradients of all variants are derived by hand and touch active latents only: four passes of `hidden` multiply-adds
per active latent and sample beside the encoder's dense product. What an instance computes depends neither on the
others nor on the number of threads.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_encode import BATCHTOPK, GATED, JUMPRELU, MATRYOSHKA, RELU, list_active
from experiments.core.training.cpu_draws import ZERO, jit

NONE = uintp(0)
"""No offset."""

GUESS = np.float32(0.7)
"""A batch top-k looks for its candidates above this share of its running threshold."""


class Options(NamedTuple):
    """What all instances share. `rates` (step,) are learning rates, `last_resampled` the step silence counts from."""

    batch: int
    hidden: int
    latents: int
    beta1: float
    beta2: float
    epsilon: float
    bandwidth: float
    penalty_rate: float
    threshold_rate: float
    aux_latents: int
    aux_weight: float
    dead_after: int
    rates: NDArray[np.float64]


class Instances(NamedTuple):
    """What differs between instances; everything from `parameters` on changes. `ends` is (instance, prefix)."""

    variant: NDArray[np.int64]
    width: NDArray[np.int64]
    active: NDArray[np.float64]
    source: NDArray[np.int64]
    adapted: NDArray[np.bool_]
    frozen: NDArray[np.bool_]
    prefixes: NDArray[np.int64]
    ends: NDArray[np.int64]
    parameters: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    penalty: NDArray[np.float32]
    threshold: NDArray[np.float32]
    silent: NDArray[np.int64]


class Scratch(NamedTuple):
    """Space of one thread: the gradient (flat), and vectors of `hidden`, `latent` or `latent`-many list entries."""

    gradient: NDArray[np.float32]
    errors: NDArray[np.float32]  # (prefix, hidden)
    centred: NDArray[np.float32]
    output: NDArray[np.float32]
    frozen_error: NDArray[np.float32]
    flow: NDArray[np.float32]
    f: NDArray[np.float32]
    fired: NDArray[np.bool_]
    dead: NDArray[np.int64]
    chosen: NDArray[np.int64]
    chosen_value: NDArray[np.float32]


def new_scratch(latents: int, hidden: int, parameters: int, prefixes: int, aux_latents: int) -> Scratch:
    """Return scratch space for one thread."""
    return Scratch(
        gradient=np.zeros(parameters, np.float32),
        errors=np.zeros((prefixes, hidden), np.float32),
        centred=np.zeros(hidden, np.float32),
        output=np.zeros(hidden, np.float32),
        frozen_error=np.zeros(hidden, np.float32),
        flow=np.zeros(latents, np.float32),
        f=np.zeros(latents, np.float32),
        fired=np.zeros(latents, np.bool_),
        dead=np.zeros(latents, np.int64),
        chosen=np.zeros(max(1, aux_latents), np.int64),
        chosen_value=np.zeros(max(1, aux_latents), np.float32),
    )


@jit
def add(out, o, factor, values, v, size):
    """Add `factor` times values[v : v + size] to out[o : o + size]."""
    for c in range(size):
        out[o + c] += factor * values[v + c]


@jit
def dot(left, a, right, b, size):
    """Return the product of left[a : a + size] and right[b : b + size]."""
    total = ZERO
    for c in range(size):
        total += left[a + c] * right[b + c]
    return total


@jit
def train_chunk(options, instances, lists, scratch, chosen, x, step):
    """Train the `chosen` instances on x (step, source, batch, hidden), the first of which is step number `step`."""
    for place in range(chosen.size):
        i = chosen[place]
        for t in range(x.shape[0]):
            batch = x[t, instances.source[i]]
            active = gradient(options, instances, i, lists, scratch, batch)
            update(options, instances, i, scratch, step + t)
            follow(options, instances, i, scratch, active)


@jit
def gradient(options, instances, i, lists, scratch, x):
    """Write the gradient on one batch to `scratch.gradient` and who fired to `scratch.fired`; return the mean L0."""
    d, n = uintp(options.hidden), uintp(options.latents * options.hidden)
    m = uintp(options.latents)
    flat, width = instances.parameters[i], instances.width[i]
    W_enc, b_enc = flat[n : n + n], flat[n + n : n + n + m]
    extra, b_dec = flat[n + n + m + m : n + n + m + m + m], flat[n + n + m + m + m :]
    guess = GUESS * instances.threshold[i]
    bandwidth = np.float32(options.bandwidth)
    variant = instances.variant[i]
    cut = list_active(lists, variant, width, instances.active[i], bandwidth, guess, x, W_enc, b_enc, extra, b_dec)
    if variant in (BATCHTOPK, MATRYOSHKA):
        old = instances.threshold[i]
        instances.threshold[i] = cut if old < ZERO else old + np.float32(options.threshold_rate) * (cut - old)
    _clear(scratch, width)
    dead = _list_dead(options, instances, i, scratch, width)
    total = np.int64(0)
    for s in range(x.shape[0]):
        total += _sample(options, instances, i, lists, scratch, x[s], lists.starts[s], lists.starts[s + 1])
        if dead > 0:
            _aux(options, scratch, flat, dead)
    # The pre-encoder bias acts through v = W_enc (x - b_dec) + b_enc.
    db_dec = scratch.gradient[n + n + m + m + m :]
    for j in range(uintp(width)):
        add(db_dec, NONE, -scratch.flow[j], W_enc, j * d, d)
    return total / x.shape[0]


@jit
def _clear(scratch, width):
    for p in range(uintp(scratch.gradient.size)):
        scratch.gradient[p] = ZERO
    for j in range(width):
        scratch.flow[j] = ZERO
        scratch.fired[j] = False


@jit
def _list_dead(options, instances, i, scratch, width):
    count = 0
    if options.aux_latents > 0:
        for j in range(width):
            if instances.silent[i, j] >= options.dead_after:
                scratch.dead[count] = j
                count += 1
    return count


@jit
def _sample(options, instances, i, lists, scratch, x, begin, end):
    """Add the gradient of one sample, whose latents are entries `begin` to `end`; return how many of them fired."""
    d, m = uintp(options.hidden), uintp(options.latents)
    n = m * d
    flat, slope = instances.parameters[i], scratch.gradient
    variant, prefixes = instances.variant[i], instances.prefixes[i]
    b_dec = flat[n + n + m + m + m :]
    active = _activate(options, variant, flat, lists, scratch, begin, end)
    for c in range(d):
        scratch.output[c] = b_dec[c]
        scratch.centred[c] = x[c] - b_dec[c]
    entry = begin
    for g in range(prefixes):
        while entry < end and lists.latent[entry] < instances.ends[i, g]:
            add(scratch.output, NONE, scratch.f[entry - begin], flat, uintp(lists.latent[entry]) * d, d)
            entry += 1
        for c in range(d):
            scratch.errors[g, c] = scratch.output[c] - x[c]
    for c in range(d):
        scratch.output[c] = scratch.errors[prefixes - 1, c]  # kept for the dead latents
    scale = np.float32(2.0 / (options.batch * prefixes))
    for g in range(prefixes - 1, -1, -1):
        for c in range(d):
            scratch.errors[g, c] *= scale
            if g + 1 < prefixes:
                scratch.errors[g, c] += scratch.errors[g + 1, c]
    at = n + n + m + m + m
    for c in range(d):
        slope[at + c] += scratch.errors[0, c]
    if variant == GATED:
        _frozen_error(options, flat, lists, scratch, x, begin, end)
    g = 0
    for entry in range(begin, end):
        while lists.latent[entry] >= instances.ends[i, g]:
            g += 1
        f = scratch.f[entry - begin]
        _entry(options, instances, i, scratch, uintp(lists.latent[entry]), lists.value[entry], f, scratch.errors[g])
    return active


@jit
def _activate(options, variant, flat, lists, scratch, begin, end):
    """Write the activations of one sample to `scratch.f`, mark who fired and return how many did."""
    m = uintp(options.latents)
    n = uintp(2) * m * uintp(options.hidden)
    active = 0
    for entry in range(begin, end):
        j, v = uintp(lists.latent[entry]), lists.value[entry]
        f = v
        if variant == GATED:
            f = max(np.exp(flat[n + m + j]) * (v - flat[n + j]) + flat[n + m + m + j], ZERO)
        elif variant == JUMPRELU and v <= np.exp(flat[n + m + m + j]):
            f = ZERO
        scratch.f[entry - begin] = f
        if f > ZERO:
            active += 1
            scratch.fired[j] = True
    return active


@jit
def _frozen_error(options, flat, lists, scratch, x, begin, end):
    """Write 2/B (x̂ - x) for the reconstruction from the open gates' pre-activations."""
    d, m = uintp(options.hidden), uintp(options.latents)
    at = uintp(2) * m * d + uintp(3) * m
    for c in range(d):
        scratch.frozen_error[c] = flat[at + c] - x[c]
    for entry in range(begin, end):
        add(scratch.frozen_error, NONE, lists.value[entry], flat, uintp(lists.latent[entry]) * d, d)
    scale = np.float32(2.0 / options.batch)
    for c in range(d):
        scratch.frozen_error[c] *= scale


@jit
def _entry(options, instances, i, scratch, j, v, f, error):
    """Add the gradient that passes through latent `j` with pre-activation `v` and activation `f`."""
    d, m = uintp(options.hidden), uintp(options.latents)
    n = m * d
    flat, slope, variant = instances.parameters[i], scratch.gradient, instances.variant[i]
    b_at, r_at, extra_at = n + n + j, n + n + m + j, n + n + m + m + j
    row = j * d
    to_f, through = dot(error, NONE, flat, row, d), ZERO
    pull = instances.penalty[i] / np.float32(options.batch)
    if f > ZERO:
        add(slope, row, f, error, NONE, d)
        through = to_f
    if variant == RELU:
        through += pull
        slope[b_at] += through
    elif variant == GATED:
        to_v = pull + dot(scratch.frozen_error, NONE, flat, row, d)
        slope[b_at] += to_v
        if f > ZERO:
            scale = np.exp(flat[r_at])
            slope[r_at] += to_f * scale * (v - flat[b_at])
            slope[extra_at] += to_f
            to_v += to_f * scale
        through = to_v
    elif variant == JUMPRELU:
        theta, width = np.exp(flat[extra_at]), np.float32(options.bandwidth)
        if abs(v - theta) < np.float32(0.5) * width:
            slope[extra_at] -= theta * (theta * to_f + pull) / width
        slope[b_at] += through
    else:
        slope[b_at] += through
    if through != ZERO:
        scratch.flow[j] += through
        add(slope, n + row, through, scratch.centred, NONE, d)


@jit
def _aux(options, scratch, flat, dead):
    """Add the gradient of the dead latents' attempt at the residual, which stands in `scratch.output`."""
    d, m = uintp(options.hidden), uintp(options.latents)
    n = m * d
    count = 0
    for place in range(dead):
        j = uintp(scratch.dead[place])
        v = flat[n + n + j] + dot(flat, n + j * d, scratch.centred, NONE, d)
        if v > ZERO:
            count = _insert(scratch, count, options.aux_latents, j, v)
    error = scratch.output
    for e in range(count):
        add(error, NONE, scratch.chosen_value[e], flat, uintp(scratch.chosen[e]) * d, d)
    scale = np.float32(2.0 * options.aux_weight / options.batch)
    for e in range(count):
        j, v = uintp(scratch.chosen[e]), scratch.chosen_value[e]
        row = j * d
        to_v = scale * dot(error, NONE, flat, row, d)
        add(scratch.gradient, row, scale * v, error, NONE, d)
        scratch.gradient[n + n + j] += to_v
        scratch.flow[j] += to_v
        add(scratch.gradient, n + row, to_v, scratch.centred, NONE, d)


@jit
def _insert(scratch, count, limit, j, v):
    """Keep the `limit` largest values; return how many there are now."""
    if count < limit:
        scratch.chosen[count] = np.int64(j)
        scratch.chosen_value[count] = v
        return count + 1
    least = 0
    for e in range(1, count):
        if scratch.chosen_value[e] < scratch.chosen_value[least]:
            least = e
    if v > scratch.chosen_value[least]:
        scratch.chosen[least] = np.int64(j)
        scratch.chosen_value[least] = v
    return count


@jit
def update(options, instances, i, scratch, step):
    """Take one step of Adam; decoder rows move at right angles to themselves and keep unit length."""
    d, m, width = uintp(options.hidden), uintp(options.latents), uintp(instances.width[i])
    n = m * d
    flat, slope = instances.parameters[i], scratch.gradient
    if not instances.frozen[i]:
        for j in range(width):
            _project(flat, slope, j * d, d)
        _adam(options, instances, i, slope, step, uintp(0), width * d)
        for j in range(width):
            _normalise(flat, j * d, d)
    _adam(options, instances, i, slope, step, n, width * d)
    for part in range(uintp(3)):
        _adam(options, instances, i, slope, step, n + n + part * m, width)
    _adam(options, instances, i, slope, step, n + n + uintp(3) * m, d)


@jit
def _project(flat, slope, row, d):
    add(slope, row, -dot(slope, row, flat, row, d), flat, row, d)


@jit
def _normalise(flat, row, d):
    scale = np.float32(1.0) / max(np.sqrt(dot(flat, row, flat, row, d)), np.float32(1e-12))
    for c in range(d):
        flat[row + c] *= scale


@jit
def _adam(options, instances, i, slope, step, begin, size):
    beta1, beta2, epsilon = np.float32(options.beta1), np.float32(options.beta2), np.float32(options.epsilon)
    rest1, rest2 = np.float32(1.0 - options.beta1), np.float32(1.0 - options.beta2)
    rate = np.float32(options.rates[step] / (1.0 - options.beta1 ** (step + 1)))
    correction = np.float32(1.0 / np.sqrt(1.0 - options.beta2 ** (step + 1)))
    flat, first, second = instances.parameters[i], instances.first[i], instances.second[i]
    for p in range(begin, begin + size):
        g = slope[p]
        a = beta1 * first[p] + rest1 * g
        b = beta2 * second[p] + rest2 * g * g
        first[p] = a
        second[p] = b
        flat[p] -= rate * a / (np.sqrt(b) * correction + epsilon)


@jit
def follow(options, instances, i, scratch, active):
    """Count how long latents have been silent; adapt λ to the wanted number of active latents."""
    for j in range(instances.width[i]):
        instances.silent[i, j] = 0 if scratch.fired[j] else instances.silent[i, j] + options.batch
    if instances.adapted[i]:
        off = np.log(max(active, 1e-3) / instances.active[i])
        instances.penalty[i] *= np.float32(np.exp(options.penalty_rate * min(max(off, -1.0), 1.0)))
