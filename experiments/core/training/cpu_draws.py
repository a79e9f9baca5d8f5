"""Random draws inside the CPU kernel: 64 lanes of xoshiro128+ per instance, one per sample of a tile.

A tile holds `TILE` samples, feature by feature, so that each lane serves one sample and the loops over
lanes vectorise. One 31-bit draw gives both presence and value: the feature is present when the draw
lies below density * 2^31, and the draw's place below that limit is the value.

All arithmetic on the state is wrapped in `uint32`: numba would promote it to 64 bits and halve the speed.
Generator: Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators", who recommend it for
floating-point numbers (its lowest bit, the weakest, is dropped); lanes are seeded by splitmix64 from the
stream's key.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit, uint32, uint64, uintp
from numba.extending import register_jitable
from numpy.typing import NDArray

TILE = 64
"""Samples in a tile, and lanes of the generator; a constant, so that loops have a known length."""

FAST = {"contract", "reassoc", "arcp", "nsz"}
"""Floating-point freedoms of the kernels; not "nnan" or "ninf", which would hide divergence."""

F = TypeVar("F", bound=Callable[..., Any])


OPTIONS: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": FAST,
    "_nrt": False,
    "forceinline": True,
}


def jit(function: F) -> F:
    """Compile a kernel function: free of the interpreter's lock, kept on disk, without numba's runtime ("nrt").

    Without the runtime a kernel cannot allocate, nor hand an array to Python, so scratch space is handed in;
    in return no call counts references, which would cost small models more than half of their time.

    Every call between kernel functions is inlined. Left as calls, they are resolved when the code is loaded: in the
    process that compiled it, to the callee compiled on its own, elsewhere to the copy optimised with its caller, and
    with `FAST` the two may round differently. Inlined, the first process computes the same bytes as all later ones.
    """
    compiled: F = njit(**OPTIONS)(function)
    return compiled


def inlined(function: F) -> F:
    """Let kernels compile a function into themselves, as `jit` would; called by Python code, it runs as Python.

    Most functions are called by kernels alone, and an entry for Python takes a fifth of the time that compiling does.
    """
    part: F = register_jitable(no_cpython_wrapper=True, no_cfunc_wrapper=True, **OPTIONS)(function)
    return part


T = uintp(TILE)
T2, T3 = uintp(2 * TILE), uintp(3 * TILE)
ZERO = np.float32(0)
HALF_RANGE = 1 << 31
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def lane_states(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return the four state words of every lane for each stream key: (key, 4 * TILE)."""
    with np.errstate(over="ignore"):
        value = keys[:, None] + _GOLDEN * np.arange(1, 2 * TILE + 1, dtype=np.uint64)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        value = value ^ (value >> np.uint64(31))
    words: NDArray[np.uint32] = value.view(np.uint32)
    return words


def presence_limits(probability: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the largest 31-bit draw that counts as present, -1 when none does."""
    return (np.round(probability.astype(np.float64) * HALF_RANGE) - 1).astype(np.int32)


@inlined
def next_draw(a, b, c, d):
    """Return 31 random bits as int32 and the next state."""
    draw = uint32(a + d)
    shifted = uint32(b << uint32(9))
    c = uint32(c ^ a)
    d = uint32(d ^ b)
    b = uint32(b ^ c)
    a = uint32(a ^ d)
    c = uint32(c ^ shifted)
    d = uint32(uint32(d << uint32(11)) | uint32(d >> uint32(21)))
    return np.int32(draw >> uint32(1)), a, b, c, d


@inlined
def fill_row(state, x, row, limit, scale, shift):
    """Draw one independent feature for all samples of a tile: x[row] = draw * scale - shift, or 0 if absent."""
    for s in range(T):
        draw, a, b, c, d = next_draw(state[s], state[T + s], state[T2 + s], state[T3 + s])
        state[s] = a
        state[T + s] = b
        state[T2 + s] = c
        state[T3 + s] = d
        x[row + s] = np.float32(draw) * scale - shift if draw <= limit else ZERO


@inlined
def draw_row(state, draws, row):
    """Write one 31-bit draw per lane into `draws`."""
    for s in range(T):
        draw, a, b, c, d = next_draw(state[s], state[T + s], state[T2 + s], state[T3 + s])
        state[s] = a
        state[T + s] = b
        state[T2 + s] = c
        state[T3 + s] = d
        draws[row + s] = draw


@inlined
def fill_group(state, x, members, limit, strength, anticorrelated, signed, draws):
    """Draw one coupled group: `draws` holds rows for the coupling, the shared, own presence and the value."""
    draw_row(state, draws, uintp(0))
    draw_row(state, draws, T)
    scale = np.float32((2.0 if signed else 1.0) / HALF_RANGE)
    shift = np.float32(1.0 if signed else 0.0)
    for place in range(members.size):
        draw_row(state, draws, T2)
        draw_row(state, draws, T3)
        low = np.int64(place) * (np.int64(limit) + 1) if anticorrelated else np.int64(0)
        row = uintp(members[place]) * T
        for s in range(T):
            together = draws[T + s] >= low and draws[T + s] <= low + limit
            present = together if draws[s] <= strength else draws[T2 + s] <= limit
            x[row + s] = np.float32(draws[T3 + s]) * scale - shift if present else ZERO


@jit
def shuffle(order, state):
    """Shuffle `order` in place (Fisher and Yates) with splitmix64; return the generator's next state."""
    for last in range(order.size - 1, 0, -1):
        state = uint64(state + uint64(0x9E3779B97F4A7C15))
        value = state
        value = uint64((value ^ (value >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
        value = uint64((value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB))
        other = np.int64(((value >> uint64(32)) * uint64(last + 1)) >> uint64(32))
        kept = order[last]
        order[last] = order[other]
        order[other] = kept
    return state
