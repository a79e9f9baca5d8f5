"""Expected loss of many models on one large common set of fresh samples.

All instances of one seed see the same uniform draws (common random numbers), so that differences between models are
known far better than each loss; where densities differ, the same draws are cut at another height. The
loss is the one that training minimises: the mean over features of importance * (target - y)^2 (^4 for `loss="l4"`).
The sum over features of the paper is `features` times as large.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import uintp
from numpy.typing import ArrayLike, NDArray

from experiments.core.training.checks import SpecificationError
from experiments.core.training.cpu import block_of, options_of, parameters_of, shared_by_all, thread_count
from experiments.core.training.cpu_draws import TILE, ZERO, T, inlined, jit, lane_states
from experiments.core.training.cpu_kernel import fill_tile, gather, new_scratch, outputs, split, targets
from experiments.core.training.problem import Problem, resolve
from experiments.core.training.seeds import EVALUATION, stream_key
from experiments.core.training.specification import Data, Model, Recipe, Weights

SAMPLES = 1 << 18
"""Default size of the common set; the standard error of a loss is then about 0.2 to 1 % of it."""


@dataclass(frozen=True)
class Evaluation:
    """Losses on the common set, float64.

    `loss` (instance,) is the mean over samples and features of importance * (target - y)^2,
    `standard_error` (instance,) its Monte-Carlo error (0 on an explicit data set, which is taken whole),
    `feature_loss` (instance, feature) the mean of (target - y)^2 per feature, without the importance. Of an L4 model
    all are of (target - y)^4; `evaluate` it as a model with `loss="l2"` for the squares.
    """

    loss: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    feature_loss: NDArray[np.float64]


def evaluate(
    weights: Weights,
    data: Data,
    model: Model,
    samples: int = SAMPLES,
    seed: ArrayLike = 0,
    threads: int | None = None,
) -> Evaluation:
    """Evaluate every instance of `weights` on `samples` fresh samples, or on the whole of `data.samples`.

    Density, importance and strength may differ per instance; a single set of weights is evaluated at each
    of them. With one seed per instance, those of the same seed see the same samples, so that an interval over seeds
    holds the sampling error as well. A `fixed_samples` data set is not used: what is estimated is the loss on new
    data. Same seed, same bytes, whatever the number of threads. Raises `SpecificationError` as `train` does.
    """
    if samples < 2:
        raise SpecificationError(f"samples is {samples}; an evaluation with a standard error needs at least 2")
    problem = resolve(_fresh(data), model, Recipe(steps=1, batch=samples, start=weights))
    count = problem.instances if problem.samples is None else len(problem.samples)
    seeds = np.full(problem.instances, seed) if np.ndim(seed) == 0 else np.asarray(seed)
    if seeds.shape != (problem.instances,):
        raise SpecificationError(f"there are {seeds.size} seeds for {problem.instances} instances; give one for each")
    total = samples if problem.samples is None else count
    sums = np.zeros((problem.instances, 2 + model.features))
    _run(problem, total, seeds, sums, threads or thread_count())
    return _summary(problem, sums, total)


def _fresh(data: Data) -> Data:
    if data.fixed_samples is None:
        return data
    return Data(data.density, data.importance, data.signed, data.coupling, data.groups, data.strength)


def _run(problem: Problem, samples: int, seeds: NDArray[np.int64], sums: NDArray[np.float64], threads: int) -> None:
    """Add up every instance's losses; each row of `sums` is the work of one thread alone."""
    options, shared, parameters = options_of(problem), shared_by_all(problem), parameters_of(problem)
    different, which = np.unique(seeds, return_inverse=True)
    states = lane_states(np.array([stream_key(int(seed), EVALUATION) for seed in different], np.uint64))

    def work(chosen: NDArray[np.int64]) -> None:
        rows = parameters[chosen]
        block = block_of(problem, rows, np.zeros((len(chosen), 0, rows.shape[1]), np.float32), chosen)
        block.state[:] = states[which[chosen]]
        found = np.zeros((len(chosen), sums.shape[1]))
        scratch = new_scratch(options.features, options.hidden, rows.shape[1])
        evaluate_block(options, shared, block, scratch, samples, found)
        sums[chosen] = found

    blocks = np.array_split(np.arange(problem.instances), min(problem.instances, 8 * threads))
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, blocks))


def _summary(problem: Problem, sums: NDArray[np.float64], samples: int) -> Evaluation:
    features = problem.model.features
    loss = sums[:, 0] / samples / features
    variance = np.maximum(sums[:, 1] / samples / features**2 - loss**2, 0.0) * samples / max(samples - 1, 1)
    error = np.sqrt(variance / samples) if problem.samples is None else np.zeros_like(loss)
    return Evaluation(loss, error, sums[:, 2:] / samples)


@jit
def evaluate_block(options, shared, block, scratch, samples, sums):
    """Add to each row of `sums`: the loss summed over samples and features, the sum of its squares, each feature's."""
    x, y, h, draws, row = scratch.x, scratch.y, scratch.h, scratch.draws, scratch.slope
    loose, members, starts = shared.loose, shared.members, shared.starts
    finite = block.sets.shape[1] > 0
    for instance in range(len(block.parameters)):
        W, Rb, c = split(options, block.parameters[instance])
        mixing = block.mixing[instance % len(block.mixing)]
        state, limit, scale = block.state[instance], block.limit[instance], block.scale[instance]
        importance, strength = block.importance[instance], block.strength[instance]
        for first in range(0, samples, TILE):
            count = min(TILE, samples - first)
            if finite:
                gather(x, block.sets[0], block.orders[instance], first, count)
            else:
                fill_tile(options, loose, members, starts, state, limit, scale, strength, x, draws)
            outputs(options, W, Rb, c, x, y, h)
            wanted = targets(options, mixing, x, scratch.wanted)
            add_losses(options, importance, uintp(count), wanted, y, row, sums[instance])


@inlined
def add_losses(options, importance, count, wanted, y, row, sums):
    """Add the losses of the first `count` samples of a tile; `row` is scratch for one number per sample."""
    for s in range(T):
        row[s] = ZERO
    for i in range(uintp(options.features)):
        total, weight, j = ZERO, importance[i], i * T
        for s in range(count):
            out = max(y[j + s], ZERO) if options.relu_output else y[j + s]
            power = (wanted[j + s] - out) * (wanted[j + s] - out)
            power = power * power if options.fourth else power
            total += power
            row[s] += weight * power
        sums[uintp(2) + i] += total
    for s in range(count):
        sums[0] += row[s]
        sums[1] += np.float64(row[s]) * row[s]
