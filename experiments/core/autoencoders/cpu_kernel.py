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

from experiments.core.autoencoders.cpu_encode import (
    ABSENT,
    BATCHTOPK,
    BLOCK,
    EIGHT,
    GATED,
    JUMPRELU,
    MATRYOSHKA,
    NONE,
    ONE,
    RELU,
    SIXTEEN,
    append_above,
    blocks,
    keep_largest,
    list_active,
)
from experiments.core.autoencoders.cpu_update import follow, named, shape_of, update
from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.core.training.cpu_vectors import (
    add,
    add_rows,
    dot,
    fma,
    load,
    minus,
    padded,
    plus,
    splat,
    store,
    times,
)


class Options(NamedTuple):
    """What all instances share. `rates` (step,) are learning rates."""

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
    """What differs between instances; everything from `W_dec` on changes. `ends` is (instance, prefix).

    Parameters, and Adam's moments after them in the same order, are flat per instance: `W_dec` and `W_enc` (latent,
    hidden), `b_enc`, `r_mag`, `extra` (latent,), `b_dec` (hidden,), with latents padded to whole blocks and hidden to
    whole vectors. What fills them up is 0 and stays 0.
    """

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
    """Space of one thread: the gradient (flat, as the parameters), vectors of `hidden`, and values per latent or
    list entry of a sample."""

    gradient: NDArray[np.float32]
    errors: NDArray[np.float32]  # (prefix, hidden)
    output: NDArray[np.float32]
    residual: NDArray[np.float32]
    frozen_error: NDArray[np.float32]
    bounds: NDArray[np.int64]  # of the prefixes' entries
    flow: NDArray[np.float32]
    scale: NDArray[np.float32]
    fired: NDArray[np.bool_]
    f: NDArray[np.float32]
    to_f: NDArray[np.float32]
    through: NDArray[np.float32]
    dead: NDArray[np.float32]
    dead_latent: NDArray[np.int32]
    dead_value: NDArray[np.float32]


def new_scratch(latents: int, hidden: int, prefixes: int) -> Scratch:
    """Return scratch space for one thread."""
    rows, row = blocks(latents), padded(hidden)
    vectors = {name: np.zeros(row, np.float32) for name in ("output", "residual", "frozen_error")}
    per_latent = ("flow", "scale", "f", "to_f", "through", "dead", "dead_value")
    return Scratch(
        gradient=np.zeros(2 * rows * row + 3 * rows + row, np.float32),
        errors=np.zeros(prefixes * row, np.float32),
        bounds=np.zeros(prefixes + 1, np.int64),
        fired=np.zeros(rows, np.bool_),
        dead_latent=np.zeros(rows, np.int32),
        **vectors,
        **{name: np.zeros(rows, np.float32) for name in per_latent},
    )


@jit
def train_chunk(options, instances, lists, scratch, chosen, x, steps, sources, step):
    """Train the `chosen` instances on x (step, source, batch, hidden), the first of which is step number `step`.

    x is flat, its rows padded to whole vectors with zeros, with `SPARE` rows at the end.
    """
    for place in range(chosen.size):
        i = chosen[place]
        _, _, row, _ = shape_of(options, instances.width[i])
        for t in range(steps):
            at = (uintp(t) * uintp(sources) + uintp(instances.source[i])) * uintp(options.batch) * row
            active = gradient(options, instances, i, lists, scratch, x, at)
            update(options, instances, i, scratch.gradient, step + t)
            follow(options, instances, i, scratch.fired, active)


@jit
def gradient(options, instances, i, lists, scratch, x, at):
    """Write the gradient on the batch at x[at] to `scratch.gradient` and who fired; return the mean L0."""
    shape = shape_of(options, instances.width[i])
    batch, _, row, _ = shape
    w = named(instances.parameters[i], options.latents, row)
    slope = named(scratch.gradient, options.latents, row)
    variant, guess = instances.variant[i], instances.threshold[i]
    cut = list_active(lists, shape, variant, instances.active[i], guess, options.bandwidth, w, x, at)
    if variant in (BATCHTOPK, MATRYOSHKA):
        instances.threshold[i] = cut if guess < ZERO else guess + np.float32(options.threshold_rate) * (cut - guess)
    _prepare(scratch, variant, w, slope, shape)
    dead = _mark_dead(options, instances, i, scratch)
    total = np.int64(0)
    for s in range(batch):
        here, begin, end = at + s * row, uintp(lists.starts[s]), uintp(lists.starts[s + ONE])
        total += _activate(variant, w, lists, scratch, begin, end)
        _errors(instances, i, lists, scratch, w, shape, x, here, begin, end)
        _slopes(instances, i, options, lists, scratch, w, slope, shape, x, here, begin, end)
        _add_rows(instances.prefixes[i], lists.latent[begin:end], scratch, slope, row, x, here)
        if dead:
            _aux(options, lists, scratch, w, slope, shape, s, x, here)
    _finish(variant, scratch, w, slope, shape)
    return total / options.batch


@inlined
def _prepare(scratch, variant, w, slope, shape):
    """Empty the gradient, and compute what depends on the latent alone: e^r of `gated`, the threshold of `jumprelu`."""
    _, _, row, width = shape
    for p in range(width * row):
        slope.W_dec[p] = ZERO
        slope.W_enc[p] = ZERO
    for j in range((width + uintp(7)) // EIGHT * EIGHT):
        slope.b_enc[j] = slope.r_mag[j] = slope.extra[j] = scratch.flow[j] = ZERO
    for j in range(width):
        scratch.fired[j] = False
        if variant == GATED:
            scratch.scale[j] = np.exp(w.r_mag[j])
        elif variant == JUMPRELU:
            scratch.scale[j] = np.exp(w.extra[j])
    for c in range(row):
        slope.b_dec[c] = ZERO


@inlined
def _mark_dead(options, instances, i, scratch):
    """Set `scratch.dead` to 0 for dead latents, for the others above every pre-activation; return whether any is."""
    found = False
    if options.aux_latents > 0:
        for j in range(instances.width[i]):
            dead = instances.silent[i, j] >= options.dead_after
            scratch.dead[j] = ZERO if dead else -ABSENT
            found = found or dead
    return found


@inlined
def _activate(variant, w, lists, scratch, begin, end):
    """Write the activations of one sample to `scratch.f`, mark who fired and return how many did."""
    active = np.int64(0)
    for e in range(begin, end):
        j, v = uintp(lists.latent[e]), lists.value[e]
        f = v
        if variant == GATED:
            f = max(scratch.scale[j] * (v - w.b_enc[j]) + w.extra[j], ZERO)
        elif variant == JUMPRELU and v <= scratch.scale[j]:
            f = ZERO
        scratch.f[e - begin] = f
        if f > ZERO:
            active += 1
            scratch.fired[j] = True
    return active


@inlined
def _errors(instances, i, lists, scratch, w, shape, x, here, begin, end):
    """Write, per prefix, the slope of the loss in the sum over its latents, and the `residual` of all of them."""
    batch, _, row, _ = shape
    prefixes, errors, latent = uintp(instances.prefixes[i]), scratch.errors, lists.latent[begin:end]
    scale = splat(np.float32(2) / np.float32(batch * prefixes))
    for c in range(NONE, row, EIGHT):
        store(scratch.output, c, load(w.b_dec, c))
    last, size = NONE, end - begin
    for g in range(prefixes):
        first = last
        while last < size and latent[last] < instances.ends[i, g]:
            last += ONE
        scratch.bounds[g + ONE] = last
        add_rows(scratch.output, w.W_dec, row, latent, scratch.f, first, last)
        for c in range(NONE, row, EIGHT):
            residual = minus(load(scratch.output, c), load(x, here + c))
            store(scratch.residual, c, residual)  # that of the last prefix is kept for the dead latents
            store(errors, g * row + c, times(scale, residual))
    for place in range(row, prefixes * row, EIGHT):
        earlier = prefixes * row - EIGHT - place
        store(errors, earlier, plus(load(errors, earlier), load(errors, earlier + row)))
    if instances.variant[i] == GATED:
        for c in range(NONE, row, EIGHT):
            store(scratch.frozen_error, c, minus(load(w.b_dec, c), load(x, here + c)))
        add_rows(scratch.frozen_error, w.W_dec, row, latent, lists.value[begin:end], NONE, size)
        for c in range(NONE, row, EIGHT):
            store(scratch.frozen_error, c, times(scale, load(scratch.frozen_error, c)))


@inlined
def _slopes(instances, i, options, lists, scratch, w, slope, shape, x, here, begin, end):
    """Write the slope in each entry's pre-activation to `scratch.through`, and add those of what has one per latent."""
    _, _, row, _ = shape
    variant, through = instances.variant[i], scratch.through
    pull, bandwidth = instances.penalty[i] / np.float32(options.batch), np.float32(options.bandwidth)
    for g in range(uintp(instances.prefixes[i])):
        for e in range(uintp(scratch.bounds[g]), uintp(scratch.bounds[g + ONE])):
            through[e] = dot(scratch.errors, g * row, w.W_dec, uintp(lists.latent[begin + e]) * row, row)
    for c in range(NONE, row, EIGHT):
        store(slope.b_dec, c, plus(load(slope.b_dec, c), load(scratch.errors, c)))
    if variant == RELU:
        for e in range(end - begin):
            through[e] += pull
    elif variant == GATED:
        for e in range(end - begin):
            _through_gate(lists, scratch, w, slope, row, begin, e, pull)
    elif variant == JUMPRELU:
        for e in range(end - begin):
            _through_jump(lists, scratch, slope, begin, e, pull, bandwidth)
    for e in range(end - begin):
        scratch.flow[uintp(lists.latent[begin + e])] += through[e]


@inlined
def _through_gate(lists, scratch, w, slope, row, begin, e, pull):
    j, to_f = uintp(lists.latent[begin + e]), scratch.through[e]
    to_v = pull + dot(scratch.frozen_error, NONE, w.W_dec, j * row, row)
    slope.b_enc[j] += to_v
    if scratch.f[e] > ZERO:
        slope.r_mag[j] += to_f * scratch.scale[j] * (lists.value[begin + e] - w.b_enc[j])
        slope.extra[j] += to_f
        to_v += to_f * scratch.scale[j]
    scratch.through[e] = to_v


@inlined
def _through_jump(lists, scratch, slope, begin, e, pull, bandwidth):
    j, to_f = uintp(lists.latent[begin + e]), scratch.through[e]
    theta = scratch.scale[j]
    if abs(lists.value[begin + e] - theta) < np.float32(0.5) * bandwidth:
        slope.extra[j] -= theta * (theta * to_f + pull) / bandwidth
    if scratch.f[e] == ZERO:
        scratch.through[e] = ZERO


@inlined
def _add_rows(prefixes, latent, scratch, slope, row, x, here):
    """Add each entry's outer products: f with the error to the decoder's slope, `through` with x to the encoder's."""
    for g in range(uintp(prefixes)):
        for e in range(uintp(scratch.bounds[g]), uintp(scratch.bounds[g + ONE])):
            f, t, place = splat(scratch.f[e]), splat(scratch.through[e]), uintp(latent[e]) * row
            for c in range(NONE, row, EIGHT):
                p = place + c
                store(slope.W_dec, p, fma(f, load(scratch.errors, g * row + c), load(slope.W_dec, p)))
                store(slope.W_enc, p, fma(t, load(x, here + c), load(slope.W_enc, p)))


@inlined
def _aux(options, lists, scratch, w, slope, shape, s, x, here):
    """Add the gradient of the dead latents' attempt at the residual."""
    _, _, row, width = shape
    rows = (width + uintp(BLOCK - 1)) // SIXTEEN * SIXTEEN
    latent, value, limit = scratch.dead_latent, scratch.dead_value, uintp(options.aux_latents)
    size = append_above(latent, value, NONE, lists.v, s * rows, rows, scratch.dead)
    if size > limit:
        size = keep_largest(latent, value, size, limit)
    if size == NONE:
        return
    error = scratch.residual
    add_rows(error, w.W_dec, row, latent, value, NONE, size)
    scale = np.float32(2.0 * options.aux_weight / options.batch)
    for e in range(size):
        j = uintp(latent[e])
        to_v = scale * dot(error, NONE, w.W_dec, j * row, row)
        add(slope.W_dec, j * row, scale * value[e], error, NONE, row)
        add(slope.W_enc, j * row, to_v, x, here, row)
        slope.b_enc[j] += to_v
        scratch.flow[j] += to_v


@inlined
def _finish(variant, scratch, w, slope, shape):
    """Add what acts through the biases: v = W_enc (x - b_dec) + b_enc."""
    _, _, row, width = shape
    for j in range(width):
        flow = scratch.flow[j]
        if variant != GATED:
            slope.b_enc[j] = flow
        add(slope.W_enc, j * row, -flow, w.b_dec, NONE, row)
        add(slope.b_dec, NONE, -flow, w.W_enc, j * row, row)
