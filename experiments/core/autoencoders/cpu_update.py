"""The update half of the CPU kernel: Adam, decoder rows of unit length, silence and the adapted penalty."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_encode import BLOCK, EIGHT, NONE, SIXTEEN
from experiments.core.training.cpu_draws import inlined
from experiments.core.training.cpu_vectors import add, dot, fma, load, minus, over, plus, root, splat, store, times


class Named(NamedTuple):
    """Views of one instance's flat parameters or their gradient; see `state.Parameters`."""

    W_dec: NDArray[np.float32]
    W_enc: NDArray[np.float32]
    b_enc: NDArray[np.float32]
    r_mag: NDArray[np.float32]
    extra: NDArray[np.float32]
    b_dec: NDArray[np.float32]


@inlined
def shape_of(options, width):
    """Return (batch, hidden, row, width): rows of x and of matrices have `row` places for `hidden` numbers."""
    hidden = uintp(options.hidden)
    return uintp(options.batch), hidden, (hidden + uintp(7)) // EIGHT * EIGHT, uintp(width)


@inlined
def named(flat, latents, row):
    """Return the parts of flat parameters by name."""
    rows = (uintp(latents) + uintp(BLOCK - 1)) // SIXTEEN * SIXTEEN
    n = rows * row
    b, r, e = n + n, n + n + rows, n + n + rows + rows
    return Named(flat[:n], flat[n:b], flat[b:r], flat[r:e], flat[e : e + rows], flat[e + rows :])


@inlined
def update(options, instances, i, slope, step):
    """Take one step of Adam; decoder rows move at right angles to themselves and keep unit length."""
    _, _, row, width = shape_of(options, instances.width[i])
    parts = (
        named(instances.parameters[i], options.latents, row),
        named(slope, options.latents, row),
        named(instances.first[i], options.latents, row),
        named(instances.second[i], options.latents, row),
    )
    w, g, first, second = parts
    rates = _rates(options, step)
    if not instances.frozen[i]:
        for j in range(NONE, width * row, row):
            add(g.W_dec, j, -dot(g.W_dec, j, w.W_dec, j, row), w.W_dec, j, row)
        _adam(w.W_dec, g.W_dec, first.W_dec, second.W_dec, width * row, rates)
        for j in range(NONE, width * row, row):
            length = max(np.sqrt(dot(w.W_dec, j, w.W_dec, j, row)), np.float32(1e-12))
            for c in range(j, j + row, EIGHT):
                store(w.W_dec, c, over(load(w.W_dec, c), splat(length)))
    _adam(w.W_enc, g.W_enc, first.W_enc, second.W_enc, width * row, rates)
    _adam(w.b_enc, g.b_enc, first.b_enc, second.b_enc, width, rates)
    _adam(w.r_mag, g.r_mag, first.r_mag, second.r_mag, width, rates)
    _adam(w.extra, g.extra, first.extra, second.extra, width, rates)
    _adam(w.b_dec, g.b_dec, first.b_dec, second.b_dec, row, rates)


@inlined
def _rates(options, step):
    """Return what Adam needs: both decays with their rests, the corrected rate, the second's correction, epsilon."""
    rate = options.rates[step] / (1.0 - options.beta1 ** (step + 1))
    correction = 1.0 / np.sqrt(1.0 - options.beta2 ** (step + 1))
    decays = (np.float32(options.beta1), np.float32(1.0 - options.beta1))
    others = (np.float32(options.beta2), np.float32(1.0 - options.beta2))
    return (*decays, *others, np.float32(rate), np.float32(correction), np.float32(options.epsilon))


@inlined
def _adam(w, g, first, second, size, rates):
    """Update the first `size` parameters, and what fills up the last vector, whose gradient is 0."""
    beta1, rest1, beta2, rest2, rate, correction, epsilon = rates
    for p in range(NONE, size, EIGHT):
        slope = load(g, p)
        a = fma(splat(beta1), load(first, p), times(splat(rest1), slope))
        b = fma(splat(beta2), load(second, p), times(splat(rest2), times(slope, slope)))
        store(first, p, a)
        store(second, p, b)
        step = over(times(splat(rate), a), plus(times(root(b), splat(correction)), splat(epsilon)))
        store(w, p, minus(load(w, p), step))


@inlined
def follow(options, instances, i, fired, active):
    """Count how long latents have been silent; adapt λ to the wanted number of active latents."""
    for j in range(instances.width[i]):
        instances.silent[i, j] = 0 if fired[j] else instances.silent[i, j] + options.batch
    if instances.adapted[i]:
        off = np.log(max(active, 1e-3) / instances.active[i])
        instances.penalty[i] *= np.float32(np.exp(options.penalty_rate * min(max(off, -1.0), 1.0)))
