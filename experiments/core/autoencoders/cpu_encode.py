"""The encoder half of the CPU kernel: pre-activations of a batch, and which of them are active.

What comes out is a list per sample, so that everything after the encoder's product costs as much as there are active
latents, not as there are latents. Lists hold what may matter for the loss: with `jumprelu` also latents just below
their threshold, with `gated` those whose gate is open.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.core.training.cpu_vectors import above, count, dot, fma, load, lowest, splat, store

RELU, GATED, TOPK, BATCHTOPK, JUMPRELU, MATRYOSHKA = range(6)
"""Numbers of the variants, in the order of `VARIANTS`."""

BLOCK = 16
"""Latents whose pre-activations are computed together; widths are padded to a multiple of it."""

SPARE = 5
"""Rows after the last sample that may be read or written: the encoder takes six samples at once."""

ABSENT = np.float32(-1e30)
"""Pre-activation of the latents that fill up a block."""

NONE, ONE, SIX, EIGHT, SIXTEEN, TILE, _64 = (uintp(number) for number in (0, 1, 6, 8, 16, 24, 64))


class Lists(NamedTuple):
    """Active latents of a batch: sample s owns entries starts[s] to starts[s + 1] of `latent` and `value`.

    The others are scratch: pre-activations (sample, latent), the encoder's weights by block, and per latent the bias
    at x = 0 and the value above which it is listed.
    """

    starts: NDArray[np.int64]
    latent: NDArray[np.int32]
    value: NDArray[np.float32]
    v: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    cutoff: NDArray[np.float32]


def blocks(width: int) -> int:
    """Return the least multiple of a block that holds `width` latents."""
    return -(-width // BLOCK) * BLOCK


def new_lists(batch: int, latents: int, hidden: int) -> Lists:
    """Return empty lists for one thread."""
    latents, rows = blocks(latents), batch + SPARE
    return Lists(
        starts=np.zeros(batch + 1, np.int64),
        latent=np.empty((batch + 1) * latents, np.int32),
        value=np.empty((batch + 1) * latents, np.float32),
        v=np.zeros(rows * latents, np.float32),
        weights=np.zeros(hidden * latents, np.float32),
        bias=np.zeros(latents, np.float32),
        cutoff=np.zeros(latents, np.float32),
    )


@jit
def list_active(lists, shape, variant, active, guess, bandwidth, w, x, at):
    """List the active latents of every sample of the batch that starts at x[at].

    Return the smallest value kept by a batch top-k, else 0. `guess` is where its cut is looked for first; the result
    does not depend on it. `shape` is that of `shape_of`, `w` the parameters by name.
    """
    batch, _, _, width = shape
    padded = (width + uintp(BLOCK - 1)) // SIXTEEN * SIXTEEN
    _arrange(lists, shape, padded, w)
    floor = ZERO
    if variant in (BATCHTOPK, MATRYOSHKA):
        floor = max(np.float32(0.7) * guess, ZERO)  # most of what lies below the cut need not be listed
    for j in range(padded):
        lists.cutoff[j] = floor
    if variant == JUMPRELU:
        for j in range(width):
            lists.cutoff[j] = np.exp(w.extra[j]) - np.float32(0.5) * np.float32(bandwidth)
    found = _encode(lists, shape, padded, np.int64(active) if variant == TOPK else np.int64(0), x, at)
    if variant not in (BATCHTOPK, MATRYOSHKA):
        return ZERO
    wanted = np.int64(active * batch)
    if np.int64(found) < wanted and floor > ZERO:
        for j in range(padded):
            lists.cutoff[j] = ZERO
        found = _list_again(lists, batch, padded)
    if np.int64(found) > wanted:
        found = _keep_largest_of_batch(lists, batch, found, wanted, guess)
    if found == NONE:
        return ZERO
    least = lists.value[0]
    for e in range(found):
        least = min(least, lists.value[e])
    return least


@inlined
def _arrange(lists, shape, padded, w):
    """Write the encoder's weights by block, and v at x = 0: the part of b_dec is added to the bias."""
    _, hidden, row, width = shape
    W_enc = w.W_enc
    for j in range(padded):
        lists.bias[j] = w.b_enc[j] - dot(W_enc, j * row, w.b_dec, NONE, row) if j < width else ABSENT
    for first in range(NONE, padded, SIXTEEN):
        for c in range(hidden):
            for lane in range(SIXTEEN):
                lists.weights[(first * hidden + c * SIXTEEN) + lane] = W_enc[(first + lane) * row + c]


@inlined
def _encode(lists, shape, padded, largest, x, at):
    """Write v = W_enc (x - b_dec) + b_enc and list it, tile by tile, while it is in the nearest cache.

    Listed is what lies above its cutoff, or the `largest` positive ones of each sample. Return how many entries.
    """
    batch, hidden, row, _ = shape
    found, cut = NONE, np.float32(1)
    for tile in range(NONE, batch, TILE):
        end = min(tile + TILE, batch)
        for first in range(NONE, padded, SIXTEEN):
            for s in range(tile, end, SIX):
                _block(lists, x, at + s * row, row, hidden, s * padded, padded, first)
        for s in range(tile, end):
            lists.starts[s] = found
            if largest > 0:
                found, cut = _list_largest(lists, found, s * padded, padded, largest, cut)
            else:
                found = append_above(lists.latent, lists.value, found, lists.v, s * padded, padded, lists.cutoff)
    lists.starts[batch] = found
    return found


@inlined
def _block(lists, x, at, stride, hidden, out, padded, first):
    """Write pre-activations of sixteen latents for six samples, whose twelve sums stay in registers."""
    v, weights, place = lists.v, lists.weights, first * hidden
    a0, a1 = load(lists.bias, first), load(lists.bias, first + EIGHT)
    b0, b1, c0, c1, d0, d1, e0, e1, f0, f1 = a0, a1, a0, a1, a0, a1, a0, a1, a0, a1
    b, c, d = at + stride, at + stride + stride, at + stride + stride + stride
    e, f = d + stride, d + stride + stride
    for i in range(hidden):
        w0, w1 = load(weights, place), load(weights, place + EIGHT)
        xa, xb, xc = splat(x[at + i]), splat(x[b + i]), splat(x[c + i])
        a0, a1 = fma(xa, w0, a0), fma(xa, w1, a1)
        b0, b1 = fma(xb, w0, b0), fma(xb, w1, b1)
        c0, c1 = fma(xc, w0, c0), fma(xc, w1, c1)
        xd, xe, xf = splat(x[d + i]), splat(x[e + i]), splat(x[f + i])
        d0, d1 = fma(xd, w0, d0), fma(xd, w1, d1)
        e0, e1 = fma(xe, w0, e0), fma(xe, w1, e1)
        f0, f1 = fma(xf, w0, f0), fma(xf, w1, f1)
        place += SIXTEEN
    out += first
    store(v, out, a0)
    store(v, out + EIGHT, a1)
    out += padded
    store(v, out, b0)
    store(v, out + EIGHT, b1)
    out += padded
    store(v, out, c0)
    store(v, out + EIGHT, c1)
    out += padded
    store(v, out, d0)
    store(v, out + EIGHT, d1)
    out += padded
    store(v, out, e0)
    store(v, out + EIGHT, e1)
    out += padded
    store(v, out, f0)
    store(v, out + EIGHT, f1)


@inlined
def _list_again(lists, batch, padded):
    """List, from v as it stands, what lies above its cutoff; return how many entries there are."""
    found = NONE
    for s in range(batch):
        lists.starts[s] = found
        found = append_above(lists.latent, lists.value, found, lists.v, s * padded, padded, lists.cutoff)
    lists.starts[batch] = found
    return found


@inlined
def _list_largest(lists, found, row, padded, largest, guess):
    """Append the `largest` positive values of a row; return how many entries there are, and the cut."""
    cut = find_cut(lists.v, row, row + padded, largest, guess)
    for j in range(NONE, padded, EIGHT):
        store(lists.cutoff, j, splat(cut))
    end = append_above(lists.latent, lists.value, found, lists.v, row, padded, lists.cutoff)
    return min(end, found + uintp(largest)), cut


@inlined
def _keep_largest_of_batch(lists, batch, found, wanted, guess):
    """Keep the `wanted` largest of all entries, more if some are equal; return how many are left."""
    latent, value, starts = lists.latent, lists.value, lists.starts
    last = (found + uintp(BLOCK - 1)) // SIXTEEN * SIXTEEN
    for e in range(found, last):
        value[e] = ABSENT
    cut, kept, begin = find_cut(value, NONE, last, wanted, guess), NONE, NONE
    for s in range(batch):
        end = uintp(starts[s + ONE])
        starts[s] = kept
        for e in range(begin, end):
            here = value[e]
            latent[kept], value[kept] = latent[e], here
            if here > cut:
                kept += ONE
        begin = end
    starts[batch] = kept
    return kept


@inlined
def append_above(latent, value, found, v, row, padded, cutoff):
    """Append to `latent` and `value`, after `found` entries, what exceeds its cutoff in a row of v; return how many.

    Bits of up to 64 latents are gathered before any is followed: the processor mispredicts once for them, not once for
    every eight.
    """
    for first in range(NONE, padded, _64):
        bits, shift = NONE, NONE
        for j in range(first, min(first + _64, padded), EIGHT):
            bits |= above(load(v, row + j), load(cutoff, j)) << shift
            shift += EIGHT
        while bits != NONE:
            k = first + lowest(bits)
            latent[found] = np.int32(k)
            value[found] = v[row + k]
            found += ONE
            bits &= bits - ONE
    return found


@inlined
def keep_largest(latent, value, size, wanted):
    """Keep the `wanted` largest of the first `size` entries, in order; return how many are left.

    There is space for fifteen more values, which are overwritten.
    """
    padded = (size + uintp(BLOCK - 1)) // SIXTEEN * SIXTEEN
    for e in range(size, padded):
        value[e] = ABSENT
    cut, kept = find_cut(value, NONE, padded, np.int64(wanted), value[0]), NONE
    for e in range(size):
        if value[e] > cut and kept < wanted:
            latent[kept], value[kept] = latent[e], value[e]
            kept += ONE
    return kept


@inlined
def find_cut(v, begin, end, wanted, guess):
    """Return a cut, at least 0, above which lie `wanted` of v[begin : end]; fewer if fewer are positive, more if equal.

    Counting takes one instruction or two for eight numbers, and the guesses close in on the cut as fast as the counts
    on `wanted`; each third one halves the interval, so that it always ends.
    """
    low, high, cut = ZERO, ZERO, guess
    few, many = np.int64(0), np.int64(-1)  # how many lie above `high` and `low`; -1: not counted
    rounds = 0
    while True:
        if not cut > low or (high > ZERO and not cut < high):
            cut = low + np.float32(0.5) * (high - low)
            if high > ZERO and (not cut > low or not cut < high):
                return low
        here = np.int64(0)
        if cut > ZERO:
            here = _count_above(v, begin, end, cut)
            if here == wanted:
                return cut
        if here > wanted:
            low, many = cut, here
        elif cut > ZERO:
            high, few = cut, here
        if many < 0:
            many = _count_above(v, begin, end, ZERO)
            if many <= wanted:
                return ZERO
        rounds += 1
        if high == ZERO:
            cut = max(np.float32(1.5) * low, np.float32(1e-3))
        elif rounds % 3 == 0:
            cut = low + np.float32(0.5) * (high - low)
        else:
            cut = low + (high - low) * np.float32(np.float32(many - wanted) / np.float32(many - few))


@inlined
def _count_above(v, begin, end, cut):
    total, limit = NONE, splat(cut)
    for place in range(begin, end, SIXTEEN):
        total += count(above(load(v, place), limit)) + count(above(load(v, place + EIGHT), limit))
    return np.int64(total)
