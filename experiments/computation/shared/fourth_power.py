"""Training with the fourth power of the error and a linear output, which the shared trainer leaves out.

The model is that of the compressed-computation dispute: y = W_out hidden_activation(W x) (+ b), untied, linear at the
output, loss = mean over batch and features of (y* - y)^4. All but the slope of the loss is the shared trainer's: its
draws, products, optimiser and starts. With v = 2 / (batch * features) the slope at output i is 2 v e_i^3.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import uintp
from numpy.typing import NDArray

from experiments.core import progress
from experiments.core.training.checks import SpecificationError
from experiments.core.training.cpu import (
    block_of,
    options_of,
    parameters_of,
    shared_by_all,
    thread_count,
    weights_of,
)
from experiments.core.training.cpu_draws import TILE, ZERO, T, jit
from experiments.core.training.cpu_kernel import (
    new_scratch,
    next_batch,
    next_tile,
    outputs,
    split,
    targets,
    update,
    zero,
)
from experiments.core.training.cpu_products import ONE, dots, multiply
from experiments.core.training.divergence import refuse_diverged
from experiments.core.training.problem import Problem, resolve
from experiments.core.training.specification import Data, Model, Recipe, Trained, Weights

CHUNK_WORK = 1e9
"""Multiply-adds between two looks at the clock."""


def train_fourth(data: Data, model: Model, recipe: Recipe, instances: int | None = None) -> Weights:
    """Return the trained weights of all instances, minimising the fourth power of the error; always on the CPU.

    `model` says loss="l2" and is otherwise as for `train`. Raises `SpecificationError` unless its output is linear and
    its weights are untied, and `DivergedError` as `train` does. A result depends on the instance's own seed alone.
    """
    if model.output != "linear" or model.tied or model.loss != "l2":
        raise SpecificationError(
            f"model has output={model.output!r}, tied={model.tied}, loss={model.loss!r}; train_fourth serves "
            "output='linear', tied=False, and loss='l2', which it replaces"
        )
    problem = resolve(data, model, recipe, instances)
    threads = min(thread_count(), problem.instances)
    parameters, reached = parameters_of(problem), np.zeros(problem.instances, np.int64)
    blocks = list(np.array_split(np.arange(problem.instances), min(problem.instances, 4 * threads)))
    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for chosen, rows, steps in pool.map(lambda block: _trained(problem, parameters, block), blocks):
            parameters[chosen], reached[chosen] = rows, steps
            done += len(chosen)
            progress.advance("training", done / problem.instances)
    weights = weights_of(problem, parameters)
    diverged = reached < recipe.steps
    refuse_diverged(problem, Trained(weights, (), (), diverged, reached, "cpu", "cpu", threads))
    return weights


def _trained(
    problem: Problem, parameters: NDArray[np.float32], chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """Train one block of instances from start to end; return them, their parameters and the steps completed."""
    model = problem.model
    rows = parameters[chosen]
    block = block_of(problem, rows, np.zeros((len(chosen), 0, rows.shape[1]), np.float32), chosen)
    scratch = new_scratch(model.features, model.hidden, rows.shape[1])
    options, shared = options_of(problem), shared_by_all(problem)
    for begin, end in _chunks(problem, len(chosen)):
        train_fourth_block(options, shared, block, scratch, begin, end)
    return chosen, block.parameters, block.reached


def _chunks(problem: Problem, instances: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of steps short enough that Ctrl-C is heard."""
    model, steps = problem.model, problem.recipe.steps
    work = instances * problem.recipe.batch * model.features * 5 * model.hidden
    chunk = int(np.clip(CHUNK_WORK / work, 1, steps))
    for begin in range(0, steps, chunk):
        yield begin, min(begin + chunk, steps)


@jit
def train_fourth_block(options, shared, block, scratch, begin, end):
    """Do what `cpu_kernel.train_block` does, with the fourth power of a linear output's error."""
    x, draws, gradient, previous = scratch.x, scratch.draws, scratch.gradient, scratch.previous
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        importance, mixing = block.importance[instance], block.mixing[instance % len(block.mixing)]
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            position, batch = next_batch(options, block, instance, step)
            weight = np.float32(2.0 / (batch * options.features))
            zero(gradient, uintp(gradient.size))
            for tile in range(0, batch, TILE):
                count = min(TILE, batch - tile)
                next_tile(options, shared, block, instance, position + tile, count, x, draws)
                fourth_gradient(options, importance, weight, count, mixing, parameters, scratch, gradient)
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break


@jit
def fourth_gradient(options, importance, weight, count, mixing, parameters, scratch, gradient):
    """Add the gradient on the first `count` samples of a tile; as `cpu_kernel.tile_gradient` of an untied model."""
    n, d = uintp(options.features), uintp(options.hidden)
    x, y, h, slope = scratch.x, scratch.y, scratch.h, scratch.slope
    W, Rb, c = split(options, parameters)
    dW, dRb, dc = split(options, gradient)
    outputs(options, W, Rb, c, x, y, h)
    wanted = targets(options, mixing, x, scratch.wanted)
    for i in range(n):
        dRb[d * n + i] += fourth_slope(y, wanted, i * T, weight * importance[i], uintp(count))
    multiply(slope, d, Rb, n, ONE, y, n)
    if options.relu_hidden:
        for j in range(d * T):
            slope[j] = slope[j] if h[j] > ZERO else ZERO
    for k in range(uintp(dc.size)):
        total = ZERO
        for s in range(T):
            total += slope[k * T + s]
        dc[k] += total
    dots(dW, slope, d, x, n)
    dots(dRb, h, d, y, n)


@jit
def fourth_slope(y, wanted, row, weight, count):
    """Turn a row of outputs into the slope of the loss there, 0 beyond `count`; return the row's sum."""
    total = ZERO
    for s in range(T):
        error = y[row + s] - wanted[row + s]
        y[row + s] = np.float32(2) * weight * error * error * error
    for s in range(row + count, row + T):
        y[s] = ZERO
    for s in range(T):
        total += y[row + s]
    return total
