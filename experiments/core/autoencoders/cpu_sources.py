"""Sparse samplers in compiled code: only present features are drawn and added up, with no dense matrix in between.

The numbers come from splitmix64 (Steele, Lea and Flood 2014), one stream per batch, started from one draw of the
generator that is handed in: a batch stays a function of that generator alone.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

import numpy as np
from numba import uint64, uintp
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.cpu_draws import ZERO, inlined, jit
from experiments.core.training.cpu_vectors import add, padded

Floats = NDArray[np.float32]

SPARSE = 0.2
"""Up to this density, if all features share it, the gaps between present features are drawn."""

UNIFORM = -1.0
"""In place of a spread: values are U[0, 1)."""

BITS = 53
"""Random bits behind a number of [0, 1)."""

_UNUSED = 64 - BITS
_TO_UNIT = np.float64(2.0**-BITS)


def key_of(generator: np.random.Generator) -> np.uint64:
    """Return where the stream of one batch starts."""
    return generator.integers(0, 1 << 64, dtype=np.uint64)


def filled_rows(directions: Floats) -> Floats:
    """Return rows (feature, hidden) filled up with zeros to whole vectors, flat."""
    rows = np.zeros((len(directions), padded(directions.shape[1])), np.float32)
    rows[:, : directions.shape[1]] = directions
    return rows.ravel()


def draw_features(
    generator: np.random.Generator,
    count: int,
    directions: Floats,
    density: ArrayLike,
    spread: float = UNIFORM,
    parent: tuple[int, ...] = (),
    present: NDArray[np.bool_] | None = None,
    keep: bool = True,
) -> tuple[Floats, Floats]:
    """Return activations (sample, hidden) and, with `keep`, features (sample, feature) of independent features.

    Feature i is present with probability `density[i]`, or where `present` (sample, feature) says so; if it has a
    `parent[i]` of at least 0, only together with that earlier feature. Values are uniform, or normal around 1 with
    `spread`, cut at 0.
    """
    number, hidden = directions.shape
    p = np.broadcast_to(np.asarray(density, dtype=np.float64), (number,))
    even = not parent and present is None and 0 < p.max() <= SPARSE and np.ptp(p) == 0
    x = np.zeros((count, padded(hidden)), np.float32)
    features = np.zeros((count, number) if keep else (0, 0), np.float32)
    if not (keep or even or parent or present is not None or spread != UNIFORM):
        add_present(x.ravel(), filled_rows(directions), presence_limits(p), key_of(generator))
        return x[:, :hidden], features
    draw_independent(
        x.ravel(),
        features.ravel(),
        filled_rows(directions),
        np.array(p),  # a copy, since numba would compile the kernel again for what is read-only
        np.log1p(-p[0]) if even else 0.0,
        np.array(parent or (-1,) * number, np.int64),
        np.zeros(0, np.bool_) if present is None else present.ravel(),
        np.zeros(number, np.bool_),
        np.float64(spread),
        key_of(generator),
        count,
    )
    return x[:, :hidden], features


def presence_limits(p: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return how many of the 2^53 numbers of [0, 1) lie below each probability."""
    return np.ceil(p * 2.0**BITS).astype(np.uint64)


@inlined
def next_bits(state):
    """Return 64 random bits and the next state."""
    state = uint64(state + uint64(0x9E3779B97F4A7C15))
    value = uint64((state ^ (state >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    value = uint64((value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB))
    return uint64(value ^ (value >> uint64(31))), state


@inlined
def next_uniform(state):
    """Return a number of [0, 1) and the next state."""
    bits, state = next_bits(state)
    return np.float64(bits >> uint64(_UNUSED)) * _TO_UNIT, state


@inlined
def next_value(state, spread):
    """Return the value of a present feature, uniform or normal around 1 and cut at 0 (Box, Muller), and the state."""
    u, state = next_uniform(state)
    if spread < 0.0:
        return np.float32(u), state
    angle, state = next_uniform(state)
    normal = np.sqrt(-2.0 * np.log(1.0 - u)) * np.cos(2.0 * np.pi * angle)
    return max(np.float32(1.0 + spread * normal), ZERO), state


@jit
def draw_independent(x, features, directions, density, log_absent, parent, present, on, spread, key, count):
    """Write activations, and features unless their array is empty; see `draw_features`."""
    number = uintp(density.size)
    row, state = uintp(directions.size) // number, key
    size = uintp(count) * number
    place = uintp(0)
    while place < size:
        if log_absent < 0.0:
            u, state = next_uniform(state)
            gap = np.log(1.0 - u) / log_absent
            if gap >= np.float64(size - place):
                break
            place += uintp(gap)
        s, i = place // number, place % number
        here = True
        if present.size > 0:
            here = present[place]
        elif log_absent == 0.0:
            u, state = next_uniform(state)
            here = u < density[i]
        if parent[i] >= 0:
            here = here and on[uintp(parent[i])]
        on[i] = here
        if here:
            value, state = next_value(state, spread)
            if features.size > 0:
                features[place] = value
            add(x, s * row, value, directions, i * row, row)
        place += uintp(1)


@jit
def add_present(x, directions, limits, state):
    """Write the activations that `draw_independent` writes where densities differ and values are uniform.

    Every feature of every sample is decided on, and nearly always it is absent. So what a draw costs is what finding
    the next present feature costs: one comparison of whole numbers here, in less than half of the time.
    """
    number = uintp(limits.size)
    row = uintp(directions.size) // number
    for s in range(uintp(x.size) // row):
        for i in range(number):
            bits, state = next_bits(state)
            if bits >> uint64(_UNUSED) < limits[i]:
                value, state = next_uniform(state)
                add(x, s * row, np.float32(value), directions, i * row, row)


@jit
def draw_clusters(x, features, labels, directions, use, shape, firing, spread, key):
    """Write activations, and features and labels unless their arrays are empty, of a world of clusters.

    `use` (label,) are cumulated probabilities of the labels of a cluster that is on. `shape` is (samples, clusters,
    leaves, kind, squared cosine of leaf and centre); kind 0 has leaves only, 1 parents with them, 2 rings.
    """
    count, clusters, leaves, kind, closeness = shape
    clusters, leaves = uintp(clusters), uintp(leaves)
    number = clusters * leaves if kind == 0 else clusters * (leaves + uintp(1)) if kind == 1 else clusters * uintp(3)
    row, state = uintp(directions.size) // number, key
    for s in range(uintp(count)):
        for k in range(clusters):
            u, state = next_uniform(state)
            if not u < firing:
                continue
            point, state = next_uniform(state)
            size, state = next_value(state, spread)
            label = uintp(0)
            while label + uintp(1) < uintp(use.size) and point >= use[label]:
                label += uintp(1)
            if labels.size > 0:
                labels[s * clusters + k] = np.int64(label)
            if kind == 2:
                angle, off = 2.0 * np.pi * point, np.sqrt(1.0 - closeness)
                first = k * uintp(3)
                _present(x, features, directions, s, first, size * np.float32(np.sqrt(closeness)), number, row)
                _present(
                    x, features, directions, s, first + uintp(1), size * np.float32(off * np.cos(angle)), number, row
                )
                _present(
                    x, features, directions, s, first + uintp(2), size * np.float32(off * np.sin(angle)), number, row
                )
                continue
            if label < leaves:
                _present(x, features, directions, s, k * leaves + label, size, number, row)
            if kind == 1:
                size, state = next_value(state, spread)
                _present(x, features, directions, s, clusters * leaves + k, size, number, row)


@inlined
def _present(x, features, directions, s, i, value, number, row):
    if features.size > 0:
        features[s * number + i] = value
    add(x, s * row, value, directions, i * row, row)
