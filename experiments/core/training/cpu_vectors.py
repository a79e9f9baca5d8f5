"""Eight float32 numbers at once, where a loop is too short for LLVM to vectorise.

A loop of 8 to 40 numbers over arrays that might overlap is compiled as scalar code behind a check. These functions say
what is meant: they read and write eight consecutive numbers of a flat array, on any machine (LLVM splits the
vectors where registers are shorter). Whoever calls them pads lengths to a multiple of `LANES` or `TWO_VECTORS`.
"""

# Code generators of numba have no types.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs

from typing import Any

from llvmlite import ir
from numba import types, uintp
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic
"""numba's decorator, whose functions take one argument less when called than when defined; so without types."""

LANES, TWO_VECTORS = uintp(8), uintp(16)
_VECTOR = ir.VectorType(ir.FloatType(), 8)
_MASK = ir.IntType(8)
_FAST = ("contract",)


@intrinsic
def add_scaled(typing, out, o, a, x, i):
    """Add a * x[i : i + 8] to out[o : o + 8]."""

    def generate(context, builder, signature, arguments):
        target = _pointer(context, builder, signature, arguments, 0)
        source = builder.load(_pointer(context, builder, signature, arguments, 3), align=4)
        product = builder.fmul(_spread(builder, arguments[2]), source, flags=_FAST)
        builder.store(builder.fadd(builder.load(target, align=4), product, flags=_FAST), target, align=4)
        return context.get_dummy_value()

    return types.void(out, types.uintp, types.float32, x, types.uintp), generate


@intrinsic
def combine_two(typing, y, first, second, start, at, rows, stride, count, h, left, right):
    """Set y[first : first + 16] to start[at : at + 16] plus the sum over k < count of h[left + k] * row k from `at` on.

    Row k begins at rows[k * stride]. The same is done for y[second : second + 16] with h from `right` on, in one pass:
    four independent sums, for a single one waits for its last addition most of the time.
    """

    def generate(context, builder, signature, arguments):
        y, begin, rows, h = (_data(context, builder, signature, arguments, number) for number in (0, 3, 5, 8))
        sums = [
            [cgutils.alloca_once_value(builder, _load(builder, begin, arguments[4], part)) for part in range(2)]
            for _ in range(2)
        ]
        with cgutils.for_range(builder, arguments[7]) as loop:
            place = builder.add(arguments[4], builder.mul(loop.index, arguments[6]))
            row = [_load(builder, rows, place, part) for part in range(2)]
            for totals, offset in zip(sums, arguments[9:11], strict=True):
                scale = _spread(builder, builder.load(builder.gep(h, [builder.add(offset, loop.index)])))
                for total, values in zip(totals, row, strict=True):
                    product = builder.fmul(scale, values, flags=_FAST)
                    builder.store(builder.fadd(builder.load(total), product, flags=_FAST), total)
        for totals, offset in zip(sums, arguments[1:3], strict=True):
            for part, total in enumerate(totals):
                builder.store(builder.load(total), _vector_at(builder, y, offset, part), align=4)
        return context.get_dummy_value()

    u = types.uintp
    return types.void(y, u, u, start, u, rows, u, u, h, u, u), generate


@intrinsic
def gate(typing, out, o, h, i):
    """Set out[o : o + 8] to 0 where h[i : i + 8] is at most 0."""

    def generate(context, builder, signature, arguments):
        target = _pointer(context, builder, signature, arguments, 0)
        open_ = _above_zero(builder, builder.load(_pointer(context, builder, signature, arguments, 2), align=4))
        kept = builder.select(open_, builder.load(target, align=4), ir.Constant(_VECTOR, [0.0] * 8))
        builder.store(kept, target, align=4)
        return context.get_dummy_value()

    return types.void(out, types.uintp, h, types.uintp), generate


@intrinsic
def above_zero(typing, x, i):
    """Return eight bits: whether each of x[i : i + 8] is not at most 0 (true for NaN)."""

    def generate(context, builder, signature, arguments):
        values = builder.load(_pointer(context, builder, signature, arguments, 0), align=4)
        return builder.zext(builder.bitcast(_above_zero(builder, values), _MASK), ir.IntType(64))

    return types.uintp(x, types.uintp), generate


def _above_zero(builder, values) -> Any:
    return builder.fcmp_unordered(">", values, ir.Constant(_VECTOR, [0.0] * 8))


def _data(context, builder, signature, arguments, number) -> Any:
    return context.make_array(signature.args[number])(context, builder, arguments[number]).data


def _pointer(context, builder, signature, arguments, number) -> Any:
    """Return where the eight numbers of array argument `number` begin; the next argument is their index."""
    data = _data(context, builder, signature, arguments, number)
    return _vector_at(builder, data, arguments[number + 1], 0)


def _vector_at(builder, data, index, part) -> Any:
    """Return the address of the vector that begins `part` vectors after `index`."""
    place = builder.add(index, ir.Constant(index.type, 8 * part))
    return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())


def _load(builder, data, index, part) -> Any:
    return builder.load(_vector_at(builder, data, index, part), align=4)


def _spread(builder, number) -> Any:
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(
        single, ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
    )
