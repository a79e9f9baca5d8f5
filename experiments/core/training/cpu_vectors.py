"""Vectors of eight float32 for kernel code, one instruction each, so that speed and rounding are what is written.

LLVM vectorises a loop only if its length is known or long, and its arrays cannot overlap; models and autoencoders have
rows of 2 to 64 numbers, as many as are asked for at run time. `Lanes` is a type of eight numbers that kernel functions
hold in variables: `load`, `store`, `splat`, `fma` and the like become one instruction with AVX2, two with vectors of
four. Whoever calls them pads rows with zeros to a multiple of eight.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types, uintp
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from experiments.core.training.cpu_draws import inlined

WIDTH = 8
"""Numbers in a vector; rows of matrices are padded with zeros to a multiple of it."""

NONE, EIGHT, SIXTEEN, _24, _BLOCK = (uintp(number) for number in (0, 8, 16, 24, 32))
_FLOATS, _BITS = ir.VectorType(ir.FloatType(), WIDTH), ir.IntType(64)


_operation: Any = intrinsic
"""Makes a function of types, which says what instructions a call becomes, one that kernels call with values."""


class Lanes(types.Type):
    """Eight float32."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


LANES = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Eight float32 in one register."""

    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _FLOATS)


def padded(size: int, width: int = WIDTH) -> int:
    """Return the least multiple of `width`, a vector's unless given, that holds `size` numbers."""
    return -(-size // width) * width


def _elementwise(build: Callable[[Any, Any], Any], operands: int, result: Any = LANES) -> Any:
    """Return an operation on `operands` vectors from what builds its instructions."""
    signature = result(*[LANES] * operands)

    def generate(context, builder, signature, args):
        return build(builder, args)

    if operands == 1:
        return _operation(lambda typing, a: (signature, generate))
    if operands == 2:
        return _operation(lambda typing, a, b: (signature, generate))
    return _operation(lambda typing, a, b, c: (signature, generate))


def _call(name: str, operands: int) -> Callable[[Any, Any], Any]:
    """Return what builds a call of LLVM's function `name` for vectors."""
    type_ = ir.FunctionType(_FLOATS, [_FLOATS] * operands)
    return lambda builder, args: builder.call(cgutils.get_or_insert_function(builder.module, type_, name), args)


def _total(builder, args):
    """Add lanes i and i + 4, then i and i + 2, then the two that are left."""
    rest = args[0]
    for half in (4, 2, 1):
        pick = ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(half)))
        other = ir.Constant(pick.type, [half + i for i in range(half)])
        rest = builder.fadd(builder.shuffle_vector(rest, rest, pick), builder.shuffle_vector(rest, rest, other))
    return builder.extract_element(rest, ir.Constant(ir.IntType(32), 0))


def _bits_of(builder, flags):
    return builder.zext(builder.bitcast(flags, ir.IntType(WIDTH)), _BITS)


def _above(builder, args):
    return _bits_of(builder, builder.fcmp_ordered(">", *args))


def _active(builder, args):
    return _bits_of(builder, builder.fcmp_unordered(">", args[0], ir.Constant(_FLOATS, [0.0] * WIDTH)))


def _gated(builder, args):
    open_ = builder.fcmp_unordered(">", args[1], ir.Constant(_FLOATS, [0.0] * WIDTH))
    return builder.select(open_, args[0], ir.Constant(_FLOATS, [0.0] * WIDTH))


fma = _elementwise(_call("llvm.fma.v8f32", 3), 3)
"""a b + c, rounded once."""
plus = _elementwise(lambda builder, args: builder.fadd(*args), 2)
minus = _elementwise(lambda builder, args: builder.fsub(*args), 2)
times = _elementwise(lambda builder, args: builder.fmul(*args), 2)
over = _elementwise(lambda builder, args: builder.fdiv(*args), 2)
root = _elementwise(_call("llvm.sqrt.v8f32", 1), 1)
total = _elementwise(_total, 1, types.float32)
"""The sum of the lanes."""
above = _elementwise(_above, 2, types.uintp)
"""Bits: bit i is set where a > b in lane i."""
active = _elementwise(_active, 1, types.uintp)
"""Bits: bit i is set where lane i is not at most 0; so it is for NaN."""
gated = _elementwise(_gated, 2)
"""a where b is not at most 0, else 0."""


@_operation
def splat(typing, value):
    """Eight times the same number."""

    def generate(context, builder, signature, args):
        one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))

    return LANES(types.float32), generate


def _place(context, builder, signature, args):
    """Return the address of the eight numbers from element args[1] of array args[0]."""
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), _FLOATS.as_pointer())


@_operation
def load(typing, array, at):
    """array[at : at + 8]."""

    def generate(context, builder, signature, args):
        return builder.load(_place(context, builder, signature, args), align=4)

    return LANES(array, types.uintp), generate


@_operation
def store(typing, array, at, value):
    """Set array[at : at + 8]."""

    def generate(context, builder, signature, args):
        builder.store(args[2], _place(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.void(array, types.uintp, LANES), generate


def _bits(name: str, build: Callable[[Any, Any], Any]) -> Any:
    """Return an operation from 64 bits to a number."""

    def generate(context, builder, signature, args):
        return build(builder, args[0])

    return _operation(lambda typing, bits: (types.uintp(types.uintp), generate))


lowest = _bits("lowest", lambda builder, bits: builder.cttz(bits, ir.Constant(ir.IntType(1), 1)))
"""The position of the lowest bit that is set."""
count = _bits("count", lambda builder, bits: builder.ctpop(bits))
"""The number of bits that are set."""


@inlined
def dot(left, a, right, b, size):
    """Return the product of left[a : a + size] and right[b : b + size]; `size` is a multiple of eight."""
    sums = times(load(left, a), load(right, b))
    for c in range(EIGHT, size, EIGHT):
        sums = fma(load(left, a + c), load(right, b + c), sums)
    return total(sums)


@inlined
def add_rows(out, matrix, stride, rows, weights, begin, end):
    """Add row rows[e] of `matrix` (row, stride) times weights[e] to `out` (stride,), for entries `begin` to `end`."""
    whole = stride - stride % _BLOCK
    for c in range(NONE, whole, _BLOCK):
        s0, s1, s2, s3 = load(out, c), load(out, c + EIGHT), load(out, c + SIXTEEN), load(out, c + _24)
        for e in range(begin, end):
            place, weight = uintp(rows[e]) * stride + c, splat(weights[e])
            s0 = fma(weight, load(matrix, place), s0)
            s1 = fma(weight, load(matrix, place + EIGHT), s1)
            s2 = fma(weight, load(matrix, place + SIXTEEN), s2)
            s3 = fma(weight, load(matrix, place + _24), s3)
        store(out, c, s0)
        store(out, c + EIGHT, s1)
        store(out, c + SIXTEEN, s2)
        store(out, c + _24, s3)
    for c in range(whole, stride, EIGHT):
        s0 = load(out, c)
        for e in range(begin, end):
            s0 = fma(splat(weights[e]), load(matrix, uintp(rows[e]) * stride + c), s0)
        store(out, c, s0)


@inlined
def add(out, o, factor, values, v, size):
    """Add `factor` times values[v : v + size] to out[o : o + size]."""
    weight = splat(factor)
    for c in range(NONE, size, EIGHT):
        store(out, o + c, fma(weight, load(values, v + c), load(out, o + c)))


@inlined
def gate(out, o, h, i, size):
    """Set out[o : o + size] to 0 where h[i : i + size] is at most 0."""
    for c in range(NONE, size, EIGHT):
        store(out, o + c, gated(load(out, o + c), load(h, i + c)))


@inlined
def combine_two(y, first, second, start, at, rows, stride, count, h, left, right):
    """Set y[first : first + 16] to start[at : at + 16] plus the sum over k < count of h[left + k] * row k from `at` on.

    Row k begins at rows[k * stride]. The same is done for y[second : second + 16] with h from `right` on, in one pass:
    four independent sums, for a single one waits for its last addition most of the time.
    """
    a0, a1 = load(start, at), load(start, at + EIGHT)
    b0, b1 = a0, a1
    for k in range(count):
        place = at + k * stride
        r0, r1 = load(rows, place), load(rows, place + EIGHT)
        a, b = splat(h[left + k]), splat(h[right + k])
        a0, a1 = fma(a, r0, a0), fma(a, r1, a1)
        b0, b1 = fma(b, r0, b0), fma(b, r1, b1)
    store(y, first, a0)
    store(y, first + EIGHT, a1)
    store(y, second, b0)
    store(y, second + EIGHT, b1)
