"""Products of small weight matrices with tiles of samples, register-blocked so that LLVM vectorises them.

A tile is a flat array of rows of `TILE` samples. `multiply` gives a matrix times a tile (rows of the tile
are the summed axis), `dots` adds the products of all rows of two tiles (samples are the summed axis).
Blocks of two rows by four keep eight multiply-adds per six memory accesses, near the machine's peak.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from numba import uintp

from experiments.core.training.cpu_draws import T2, T3, ZERO, T, inlined

ONE, TWO, THREE, FOUR = uintp(1), uintp(2), uintp(3), uintp(4)


@inlined
def multiply(out, outs, weights, out_stride, in_stride, tile, ins):
    """Set row k of `out` to the sum over i of weights[k * out_stride + i * in_stride] * row i of `tile`."""
    for k in range(uintp(0), outs - outs % TWO, TWO):
        _two_rows(out, k * T, weights, k * out_stride, (k + ONE) * out_stride, in_stride, tile, ins)
    if outs % TWO:
        _one_row(out, (outs - ONE) * T, weights, (outs - ONE) * out_stride, in_stride, tile, ins)


@inlined
def _two_rows(out, o, weights, a, b, stride, tile, ins):
    whole = ins - ins % FOUR
    if whole == 0:
        for s in range(T2):
            out[o + s] = ZERO
    for i in range(uintp(0), whole, FOUR):
        t = i * T
        a0, a1 = weights[a + i * stride], weights[a + (i + ONE) * stride]
        a2, a3 = weights[a + (i + TWO) * stride], weights[a + (i + THREE) * stride]
        b0, b1 = weights[b + i * stride], weights[b + (i + ONE) * stride]
        b2, b3 = weights[b + (i + TWO) * stride], weights[b + (i + THREE) * stride]
        if i == 0:
            for s in range(T):
                x0, x1, x2, x3 = tile[t + s], tile[t + T + s], tile[t + T2 + s], tile[t + T3 + s]
                out[o + s] = a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                out[o + T + s] = b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        else:
            for s in range(T):
                x0, x1, x2, x3 = tile[t + s], tile[t + T + s], tile[t + T2 + s], tile[t + T3 + s]
                out[o + s] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                out[o + T + s] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
    if ins - whole >= TWO:
        t = whole * T
        a0, a1 = weights[a + whole * stride], weights[a + (whole + ONE) * stride]
        b0, b1 = weights[b + whole * stride], weights[b + (whole + ONE) * stride]
        for s in range(T):
            x0, x1 = tile[t + s], tile[t + T + s]
            out[o + s] += a0 * x0 + a1 * x1
            out[o + T + s] += b0 * x0 + b1 * x1
    if ins % TWO:
        t = (ins - ONE) * T
        a0, b0 = weights[a + (ins - ONE) * stride], weights[b + (ins - ONE) * stride]
        for s in range(T):
            x0 = tile[t + s]
            out[o + s] += a0 * x0
            out[o + T + s] += b0 * x0


@inlined
def _one_row(out, o, weights, a, stride, tile, ins):
    whole = ins - ins % FOUR
    for s in range(T):
        out[o + s] = ZERO
    for i in range(uintp(0), whole, FOUR):
        t = i * T
        a0, a1 = weights[a + i * stride], weights[a + (i + ONE) * stride]
        a2, a3 = weights[a + (i + TWO) * stride], weights[a + (i + THREE) * stride]
        for s in range(T):
            out[o + s] += a0 * tile[t + s] + a1 * tile[t + T + s] + a2 * tile[t + T2 + s] + a3 * tile[t + T3 + s]
    for i in range(whole, ins):
        t = i * T
        a0 = weights[a + i * stride]
        for s in range(T):
            out[o + s] += a0 * tile[t + s]


@inlined
def dots(out, left, lefts, right, rights):
    """Add to out[k * rights + i] the product of row k of `left` and row i of `right`, summed over samples."""
    for k in range(uintp(0), lefts - lefts % TWO, TWO):
        _two_dots(out, k * rights, left, k * T, right, rights)
    if lefts % TWO:
        _one_dot(out, (lefts - ONE) * rights, left, (lefts - ONE) * T, right, rights)


@inlined
def _two_dots(out, o, left, k, right, rights):
    whole = rights - rights % FOUR
    for i in range(uintp(0), whole, FOUR):
        t = i * T
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = ZERO
        for s in range(T):
            x0, x1, x2, x3 = right[t + s], right[t + T + s], right[t + T2 + s], right[t + T3 + s]
            a, b = left[k + s], left[k + T + s]
            a0 += a * x0
            a1 += a * x1
            a2 += a * x2
            a3 += a * x3
            b0 += b * x0
            b1 += b * x1
            b2 += b * x2
            b3 += b * x3
        g = o + i
        out[g] += a0
        out[g + ONE] += a1
        out[g + TWO] += a2
        out[g + THREE] += a3
        g += rights
        out[g] += b0
        out[g + ONE] += b1
        out[g + TWO] += b2
        out[g + THREE] += b3
    for i in range(whole, rights):
        t = i * T
        a0 = b0 = ZERO
        for s in range(T):
            x0 = right[t + s]
            a0 += left[k + s] * x0
            b0 += left[k + T + s] * x0
        out[o + i] += a0
        out[o + rights + i] += b0


@inlined
def _one_dot(out, o, left, k, right, rights):
    for i in range(rights):
        t = i * T
        total = ZERO
        for s in range(T):
            total += left[k + s] * right[t + s]
        out[o + i] += total


@inlined
def paired_dots(out, left, right, other_left, other_right, lefts, rights):
    """Add both left times right and other_left times other_right to `out`, as two calls of `dots` would.

    One pass instead of two halves the sums across vector lanes, which cost as much as half the products.
    """
    whole = rights - rights % FOUR
    for k in range(uintp(0), lefts - lefts % TWO, TWO):
        for i in range(uintp(0), whole, FOUR):
            _paired_block(out, k * rights + i, rights, left, right, other_left, other_right, k * T, i * T)
    for k in range(uintp(0), lefts):
        for i in range(uintp(0) if k == lefts - lefts % TWO else whole, rights):
            row, t, total = k * T, i * T, ZERO
            for s in range(T):
                total += left[row + s] * right[t + s] + other_left[row + s] * other_right[t + s]
            out[k * rights + i] += total


@inlined
def _paired_block(out, o, rights, left, right, other_left, other_right, k, t):
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = ZERO
    for s in range(T):
        x0, x1, x2, x3 = right[t + s], right[t + T + s], right[t + T2 + s], right[t + T3 + s]
        y0, y1, y2, y3 = other_right[t + s], other_right[t + T + s], other_right[t + T2 + s], other_right[t + T3 + s]
        a, b, c, d = left[k + s], left[k + T + s], other_left[k + s], other_left[k + T + s]
        a0 += a * x0 + c * y0
        a1 += a * x1 + c * y1
        a2 += a * x2 + c * y2
        a3 += a * x3 + c * y3
        b0 += b * x0 + d * y0
        b1 += b * x1 + d * y1
        b2 += b * x2 + d * y2
        b3 += b * x3 + d * y3
    out[o] += a0
    out[o + ONE] += a1
    out[o + TWO] += a2
    out[o + THREE] += a3
    o += rights
    out[o] += b0
    out[o + ONE] += b1
    out[o + TWO] += b2
    out[o + THREE] += b3
