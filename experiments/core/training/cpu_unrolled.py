"""The CPU kernel for very small tied models: all of a sample's numbers live in registers.

For `features * hidden` up to `LARGEST_PRODUCT` the loops over features and hidden units are written out,
so that LLVM turns one loop over samples into vector code. Fresh samples of independent features are drawn inside that
loop, which then touches memory only for the generator's state; coupled features and finite data sets come from a stored
tile. The source is generated per shape (the reader may print it with `source(5, 2, True, "drawn")`), compiled at
first use and kept on disk. What it computes is `cpu_kernel`'s `tile_gradient` on the same samples, for
plain models.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import numpy as np
from numba import uintp

from experiments.core.training.cpu_draws import T2, T3, TILE, ZERO, T, jit, next_draw
from experiments.core.training.cpu_kernel import next_batch, next_tile, update
from experiments.core.training.problem import UNCOUPLED, Problem

LARGEST_PRODUCT = 24
"""Beyond this many weights the written-out loop needs more registers than there are (measured at 10 by 3)."""

FEWEST_SAMPLES = 150_000
"""With fewer samples per model (steps times batch) compiling is not worth it: it takes a core a second per shape, and
saves it three billionths of a second per sample and model, of which there are tens or hundreds."""

Origin = Literal["drawn", "signed", "coupled", "finite"]
"""Where samples come from: independent draws in [0, 1] or [-1, 1], coupled draws, or a finite data set."""

TEMPLATE = """
def {name}(options, shared, block, scratch, begin, end):
    gradient, previous = scratch.gradient, scratch.previous
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        importance = block.importance[instance]
        {loads}
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            {batch}
            weight = np.float32(2.0 / (batch * options.features))
            {parameters}
            {sums} = ZERO
            for tile in range(0, batch, TILE):
                count = min(TILE, batch - tile)
                {tile}
                for s in range(uintp(count)):
                    {samples}
                    {forward}
                    {backward}
            {gradients}
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break
"""


def unrolls(problem: Problem) -> bool:
    """Return whether the written-out kernel serves this problem; what decides is the same for every instance."""
    model, recipe = problem.model, problem.recipe
    small = model.features * model.hidden <= LARGEST_PRODUCT
    return problem.plain and model.target == "identity" and small and recipe.steps * recipe.batch >= FEWEST_SAMPLES


def kernel_of(problem: Problem) -> Callable[..., None]:
    """Return the compiled kernel for a problem that `unrolls`."""
    model = problem.model
    if problem.samples_per_epoch is not None:
        origin: Origin = "finite"
    elif problem.coupling != UNCOUPLED:
        origin = "coupled"
    else:
        origin = "signed" if problem.data.signed else "drawn"
    return unrolled_kernel(model.features, model.hidden, model.output == "relu", origin)


@cache
def unrolled_kernel(features: int, hidden: int, relu: bool, origin: Origin) -> Callable[..., None]:
    """Return the compiled kernel of one shape; same arguments as `cpu_kernel.train_block`."""
    names = {"np": np, "uintp": uintp, "TILE": TILE, "T": T, "T2": T2, "T3": T3, "ZERO": ZERO}
    called = {"next_draw": next_draw, "update": update, "next_batch": next_batch, "next_tile": next_tile}
    scope: dict[str, Any] = {"__name__": __name__, **names, **called}
    # Compiled under this file's name, so that the cache on disk is dropped when the template changes.
    exec(compile(source(features, hidden, relu, origin), __file__, "exec"), scope)
    kernel: Callable[..., None] = jit(scope[_name(features, hidden, relu, origin)])
    return kernel


def _name(features: int, hidden: int, relu: bool, origin: Origin) -> str:
    return f"train_{features}_{hidden}_{'relu' if relu else 'linear'}_{origin}"


def source(features: int, hidden: int, relu: bool, origin: Origin) -> str:
    """Return the kernel's source: `w{k}_{i}` and `b{i}` are W and b, `c{i}` the weight of output i's error."""
    n, d = range(features), range(hidden)
    gate = "ZERO if y{i} <= ZERO else " if relu else ""
    pairs = [(k, i) for k in d for i in n]
    parts = {
        **(_drawn(n, origin) if origin in ("drawn", "signed") else _stored(n, origin)),
        "parameters": [f"c{i} = weight * importance[{i}]" for i in n]
        + [f"w{k}_{i} = parameters[{k * features + i}]" for k, i in pairs]
        + [f"b{i} = parameters[{hidden * features + i}]" for i in n],
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
    return _indented({"name": _name(features, hidden, relu, origin), "sums": sums, **lines})


def _drawn(n: range, origin: Origin) -> dict[str, list[str]]:
    """Return the parts that draw fresh samples inside the loop; the generator's state stays in registers."""
    shift = " - np.float32(1)" if origin == "signed" else ""
    state = "state[s], state[T + s], state[T2 + s], state[T3 + s]"
    return {
        "loads": ["state, limit, scale = block.state[instance], block.limit[instance], block.scale[instance]"]
        + [f"l{i}, q{i} = limit[{i}], scale[{i}]" for i in n],
        "batch": ["batch = options.batch"],
        "tile": ["pass"],
        "samples": [f"k0, k1, k2, k3 = {state}"]
        + [
            f"r, k0, k1, k2, k3 = next_draw(k0, k1, k2, k3); x{i} = np.float32(r) * q{i}{shift} if r <= l{i} else ZERO"
            for i in n
        ]
        + [f"{state} = k0, k1, k2, k3"],
    }


def _stored(n: range, origin: Origin) -> dict[str, list[str]]:
    """Return the parts that take samples from a stored tile, which a finite data set fills sample by sample."""
    gather = ["for place in range(uintp(count)):", "    chosen = uintp(order[uintp(position + tile) + place])"]
    gather += [f"    x[{i} * T + place] = samples[chosen, {i}]" for i in n]
    finite = ["samples, order = block.sets[instance % len(block.sets)], block.orders[instance]"]
    return {
        "loads": ["x, draws = scratch.x, scratch.draws", *(finite if origin == "finite" else [])],
        "batch": ["position, batch = next_batch(options, block, instance, step)"],
        "tile": gather
        if origin == "finite"
        else ["next_tile(options, shared, block, instance, position + tile, count, x, draws)"],
        "samples": [f"x{i} = x[{i} * T + s]" for i in n],
    }


def _indented(lines: dict[str, str]) -> str:
    """Fill the template, giving every line of a part the part's own indentation."""
    filled = []
    for line in TEMPLATE.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        filled.append(line.strip().format(**lines).replace("\n", "\n" + indent).join((indent, "")))
    return "\n".join(filled)
