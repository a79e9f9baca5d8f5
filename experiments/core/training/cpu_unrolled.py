"""The CPU kernel for very small tied models: all of a sample's numbers live in registers.

For `features * hidden` up to `LARGEST_PRODUCT` the loops over features and hidden units are written out,
so that LLVM turns one loop over samples into vector code that touches memory only for the generator's
state: no tile is stored at all. The source is generated per shape (the reader may print it with
`source(5, 2, True, False)`), compiled at first use and kept on disk. What it computes is `cpu_kernel`'s
`tile_gradient` on `fill_tile`'s draws, for independent features, fresh batches and a linear hidden layer.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import uintp

from experiments.core.training.cpu_draws import T2, T3, TILE, ZERO, T, jit, next_draw
from experiments.core.training.cpu_kernel import update
from experiments.core.training.problem import UNCOUPLED, Problem

LARGEST_PRODUCT = 24
"""Beyond this many weights the written-out loop needs more registers than there are (measured at 10 by 3)."""

TEMPLATE = """
def {name}(options, shared, block, scratch, begin, end):
    gradient, previous = scratch.gradient, scratch.previous
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        state, limit, scale = block.state[instance], block.limit[instance], block.scale[instance]
        weight = np.float32(2.0 / (options.batch * options.features))
        {loads}
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            {parameters}
            {sums} = ZERO
            for tile in range(0, options.batch, TILE):
                for s in range(uintp(min(TILE, options.batch - tile))):
                    k0, k1, k2, k3 = state[s], state[T + s], state[T2 + s], state[T3 + s]
                    {draws}
                    state[s], state[T + s], state[T2 + s], state[T3 + s] = k0, k1, k2, k3
                    {forward}
                    {backward}
            {gradients}
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break
"""


def unrolls(problem: Problem) -> bool:
    """Return whether the written-out kernel serves this problem; its shape decides, not its size."""
    model = problem.model
    plain = model.tied and model.hidden_activation == "linear" and model.target == "identity"
    fresh = problem.coupling == UNCOUPLED and problem.samples_per_epoch is None
    return plain and fresh and model.features * model.hidden <= LARGEST_PRODUCT


@cache
def unrolled_kernel(features: int, hidden: int, relu: bool, signed: bool) -> Callable[..., None]:
    """Return the compiled kernel of one shape; same arguments as `cpu_kernel.train_block`."""
    names = {"np": np, "uintp": uintp, "TILE": TILE, "T": T, "T2": T2, "T3": T3, "ZERO": ZERO}
    scope: dict[str, Any] = {"__name__": __name__, **names, "next_draw": next_draw, "update": update}
    # Compiled under this file's name, so that the cache on disk is dropped when the template changes.
    exec(compile(source(features, hidden, relu, signed), __file__, "exec"), scope)
    kernel: Callable[..., None] = jit(scope[_name(features, hidden, relu, signed)])
    return kernel


def _name(features: int, hidden: int, relu: bool, signed: bool) -> str:
    return f"train_{features}_{hidden}_{'relu' if relu else 'linear'}{'_signed' if signed else ''}"


def source(features: int, hidden: int, relu: bool, signed: bool) -> str:
    """Return the kernel's source: `w{k}_{i}` and `b{i}` are W and b, `c{i}` the weight of output i's error."""
    n, d = range(features), range(hidden)
    shift = " - np.float32(1)" if signed else ""
    gate = "ZERO if y{i} <= ZERO else " if relu else ""
    pairs = [(k, i) for k in d for i in n]
    parts = {
        "loads": [f"l{i}, q{i}, c{i} = limit[{i}], scale[{i}], weight * block.importance[instance, {i}]" for i in n],
        "parameters": [f"w{k}_{i} = parameters[{k * features + i}]" for k, i in pairs]
        + [f"b{i} = parameters[{hidden * features + i}]" for i in n],
        "draws": [
            f"r, k0, k1, k2, k3 = next_draw(k0, k1, k2, k3); x{i} = np.float32(r) * q{i}{shift} if r <= l{i} else ZERO"
            for i in n
        ],
        "forward": [f"h{k} = " + " + ".join(f"w{k}_{i} * x{i}" for i in n) for k in d]
        + [f"y{i} = b{i} + " + " + ".join(f"w{k}_{i} * h{k}" for k in d) for i in n]
        + [f"e{i} = " + gate.format(i=i) + f"c{i} * (y{i} - x{i})" for i in n],
        "backward": [f"t{k} = " + " + ".join(f"w{k}_{i} * e{i}" for i in n) for k in d]
        + [f"g{k}_{i} += h{k} * e{i} + t{k} * x{i}" for k, i in pairs]
        + [f"s{i} += e{i}" for i in n],
        "gradients": [f"gradient[{k * features + i}] = g{k}_{i}" for k, i in pairs]
        + [f"gradient[{hidden * features + i}] = s{i}" for i in n],
    }
    lines = {part: "\n".join(text) for part, text in parts.items()}
    sums = " = ".join([*(f"g{k}_{i}" for k, i in pairs), *(f"s{i}" for i in n)])
    return _indented({"name": _name(features, hidden, relu, signed), "sums": sums, **lines})


def _indented(lines: dict[str, str]) -> str:
    """Fill the template, giving every line of a part the part's own indentation."""
    filled = []
    for line in TEMPLATE.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        filled.append(line.strip().format(**lines).replace("\n", "\n" + indent).join((indent, "")))
    return "\n".join(filled)
