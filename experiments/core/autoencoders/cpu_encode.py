"""The encoder half of the CPU kernel: which latents are active on a batch, and their pre-activations.

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

from experiments.core.training.cpu_draws import TILE, ZERO, T, jit
from experiments.core.training.cpu_products import ONE, multiply

RELU, GATED, TOPK, BATCHTOPK, JUMPRELU, MATRYOSHKA = range(6)
"""Numbers of the variants, in the order of `VARIANTS`."""


class Lists(NamedTuple):
    """Active latents of a batch: sample s owns entries starts[s] to starts[s + 1] of `latent` and `value`.

    The others are scratch: tiles of centred samples and pre-activations, lists of one tile, a copy to select from.
    """

    starts: NDArray[np.int64]
    latent: NDArray[np.int32]
    value: NDArray[np.float32]
    centred: NDArray[np.float32]
    tile: NDArray[np.float32]
    counts: NDArray[np.int64]
    tile_index: NDArray[np.int32]
    tile_value: NDArray[np.float32]
    least: NDArray[np.float32]
    place: NDArray[np.int64]
    cutoff: NDArray[np.float32]
    copy: NDArray[np.float32]


def new_lists(batch: int, latents: int, hidden: int) -> Lists:
    """Return empty lists for one thread."""
    entries = batch * latents
    return Lists(
        starts=np.zeros(batch + 1, np.int64),
        latent=np.empty(entries, np.int32),
        value=np.empty(entries, np.float32),
        centred=np.zeros(hidden * TILE, np.float32),
        tile=np.zeros(latents * TILE, np.float32),
        counts=np.zeros(TILE, np.int64),
        tile_index=np.empty(latents * TILE, np.int32),
        tile_value=np.empty(latents * TILE, np.float32),
        least=np.zeros(TILE, np.float32),
        place=np.zeros(TILE, np.int64),
        cutoff=np.zeros(latents, np.float32),
        copy=np.empty(entries, np.float32),
    )


@jit
def list_active(lists, variant, width, active, bandwidth, guess, x, W_enc, b_enc, extra, b_dec):
    """List the active latents of every sample of `x` (batch, hidden); return the smallest value kept by a batch top-k.

    `guess` is a value above which a batch top-k expects more than enough candidates; the result does not depend on it.
    """
    batch = x.shape[0]
    if variant == TOPK:
        _encode(lists, width, uintp(active), ZERO, x, W_enc, b_enc, b_dec)
        return ZERO
    if variant in (BATCHTOPK, MATRYOSHKA):
        wanted = np.int64(active * batch)
        _cut_at(lists, width, max(guess, ZERO))
        found = _encode(lists, width, uintp(0), ZERO, x, W_enc, b_enc, b_dec)
        if found < wanted and guess > ZERO:
            _cut_at(lists, width, ZERO)
            found = _encode(lists, width, uintp(0), ZERO, x, W_enc, b_enc, b_dec)
        return _keep_largest(lists, batch, found, wanted)
    _cut_at(lists, width, ZERO)
    if variant == JUMPRELU:
        for j in range(width):
            lists.cutoff[j] = np.exp(extra[j]) - np.float32(0.5) * bandwidth
    _encode(lists, width, uintp(0), ZERO, x, W_enc, b_enc, b_dec)
    return ZERO


@jit
def _cut_at(lists, width, value):
    for j in range(width):
        lists.cutoff[j] = value


@jit
def _encode(lists, width, largest, unused, x, W_enc, b_enc, b_dec):
    """List latents above their cutoff, or the `largest` positive ones per sample; return how many there are."""
    batch, hidden = x.shape
    found = np.int64(0)
    for first in range(0, batch, TILE):
        count = min(TILE, batch - first)
        for s in range(count):
            for c in range(uintp(hidden)):
                lists.centred[c * T + uintp(s)] = x[first + s, c] - b_dec[c]
        multiply(lists.tile, uintp(width), W_enc, uintp(hidden), ONE, lists.centred, uintp(hidden))
        for s in range(T):
            lists.counts[s] = 0
            lists.least[s] = ZERO
        if largest > 0:
            _scan_largest(lists, uintp(width), largest, uintp(count), b_enc)
        else:
            _scan(lists, uintp(width), uintp(count), b_enc)
        slots = largest if largest > 0 else uintp(width)
        for s in range(count):
            lists.starts[first + s] = found
            for e in range(lists.counts[s]):
                lists.latent[found] = lists.tile_index[uintp(s) * slots + uintp(e)]
                lists.value[found] = lists.tile_value[uintp(s) * slots + uintp(e)]
                found += 1
    lists.starts[batch] = found
    return found


@jit
def _scan(lists, width, count, b_enc):
    tile, counts, index, value = lists.tile, lists.counts, lists.tile_index, lists.tile_value
    for j in range(width):
        b, cut = b_enc[j], lists.cutoff[j]
        for s in range(count):
            v = tile[j * T + s] + b
            if v > cut:
                place = s * width + uintp(counts[s])
                index[place] = np.int32(j)
                value[place] = v
                counts[s] += 1


@jit
def _scan_largest(lists, width, largest, count, b_enc):
    """Keep the largest so far of every sample; `least` is what a newcomer must exceed, `place` where it goes."""
    tile, counts, index, value = lists.tile, lists.counts, lists.tile_index, lists.tile_value
    for j in range(width):
        b = b_enc[j]
        for s in range(count):
            v = tile[j * T + s] + b
            if v > lists.least[s]:
                begin = s * largest
                if uintp(counts[s]) < largest:
                    place = begin + uintp(counts[s])
                    counts[s] += 1
                else:
                    place = begin + uintp(lists.place[s])
                index[place] = np.int32(j)
                value[place] = v
                if uintp(counts[s]) == largest:
                    where = begin
                    for e in range(begin + ONE, begin + largest):
                        if value[e] < value[where]:
                            where = e
                    lists.least[s] = value[where]
                    lists.place[s] = np.int64(where - begin)


@jit
def _keep_largest(lists, batch, found, wanted):
    """Keep the `wanted` largest entries of the whole batch (more only where values tie); return the smallest kept."""
    if found == 0:
        return ZERO
    for e in range(found):
        lists.copy[e] = lists.value[e]
    cut = _nth_largest(lists.copy, found, min(wanted, found))
    kept, begin = np.int64(0), lists.starts[0]
    for s in range(batch):
        end = lists.starts[s + 1]
        lists.starts[s] = kept
        for e in range(begin, end):
            if lists.value[e] >= cut:
                lists.latent[kept] = lists.latent[e]
                lists.value[kept] = lists.value[e]
                kept += 1
        begin = end
    lists.starts[batch] = kept
    return cut


@jit
def _nth_largest(values, size, wanted):
    """Return the `wanted`-th largest of the first `size` values, which are reordered (Hoare's selection)."""
    low, high, target = np.int64(0), np.int64(size - 1), np.int64(wanted - 1)
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if target <= j:
            high = j
        elif target >= i:
            low = i
        else:
            break
    return values[target]
