"""The CPU kernel for sparse data: work follows the features that are present, not those that could be.

For a model with ReLU output whose features are rarely present, most samples hold a few features or none, and most
outputs stay below zero and pass no gradient (see `cpu_sparse_gradient`). Fresh samples are drawn by the gaps between
present features, which are geometric, so that drawing costs as much as there is to draw.
"""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from typing import NamedTuple

import numpy as np
from numba import uint32, uint64
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import inlined, jit
from experiments.core.training.cpu_kernel import next_batch, update
from experiments.core.training.cpu_sparse_gradient import sparse_gradient
from experiments.core.training.problem import UNCOUPLED, Problem

SPARSE_DENSITY = 1e-3
"""The sparse kernel is the faster one up to this density times the root of features times hidden (measured)."""


def sparse_densities(problem: Problem) -> NDArray[np.float64]:
    """Return the largest density of each instance (instance,) for which the sparse kernel serves, else NaN.

    The choice looks at an instance's own settings alone, so that its result never depends on its neighbours.
    """
    model = problem.model
    density = problem.density.astype(np.float64)
    largest = density.max(axis=1)
    served = (largest <= SPARSE_DENSITY * np.sqrt(model.features * model.hidden)) & (density.min(axis=1) > 0)
    # Copying through a hidden ReLU stays dense: linear_representation.read_out was recorded so, and draws differ.
    copies = model.hidden_activation == "relu" and model.target == "identity"
    fits = model.output == "relu" and problem.mixing is None and not copies
    return np.where(served & (fits and problem.coupling == UNCOUPLED), largest, np.nan)


def rarities(problem: Problem) -> NDArray[np.float64]:
    """Return how many times rarer each feature is than its instance's most common one (instance, feature)."""
    density = problem.density.astype(np.float64)
    return np.asarray(density.max(axis=1, keepdims=True) / np.maximum(density, 1e-300))


class Listed(NamedTuple):
    """Finite data sets without zeros: entries `start[set, sample]` to `start[set, sample + 1]` of the other two."""

    start: NDArray[np.int64]
    feature: NDArray[np.int64]
    value: NDArray[np.float32]


def listed_sets(sets: NDArray[np.float32]) -> Listed:
    """Return data sets (set, sample, feature) by their present features."""
    counts = np.count_nonzero(sets, axis=2)
    ends = np.cumsum(counts).reshape(counts.shape)
    firsts = ends[:, :1] - counts[:, :1] if counts.size else np.zeros((len(sets), 1), np.int64)
    where = np.nonzero(sets)
    return Listed(np.concatenate([firsts, ends], axis=1), where[2].astype(np.int64), sets[where])


_TWO_TO_MINUS_53 = 1.0 / (1 << 53)


@jit
def train_sparse_block(options, shared, block, listed, density, rarity, work, begin, end):
    """Do what `cpu_kernel.train_block` does, from step to step.

    `density` (instance,) is that of the most common feature, `rarity` (instance, feature) as in `rarities`.
    """
    n, samples, gradient, previous = options.features, block.sets.shape[1], work.gradient, work.previous
    for instance in range(len(block.parameters)):
        parameters, first, second = block.parameters[instance], block.first[instance], block.second[instance]
        state, importance, order = block.state[instance], block.importance[instance], block.orders[instance]
        for step in range(max(begin, block.reached[instance]), end if block.reached[instance] >= begin else begin):
            position, batch = next_batch(options, block, instance, step)
            batches = work.starts, work.feature, work.value
            if samples > 0:
                present = list_sparse(listed, instance % len(block.sets), order, position, batch, *batches)
            else:
                present = draw_sparse(state, density[instance], rarity[instance], options.signed, batch, n, *batches)
            sparse_gradient(options, importance, batch, present, work, parameters)
            if not update(options, shared, block, instance, step, parameters, gradient, first, second, previous):
                break


@inlined
def uniform(state):
    """Return a uniform number in (0, 1] and advance the splitmix64 state held in the first two words."""
    value = uint64((uint64(state[1]) << uint64(32)) | uint64(state[0]))
    value = uint64(value + uint64(0x9E3779B97F4A7C15))
    state[0], state[1] = uint32(value & uint64(0xFFFFFFFF)), uint32(value >> uint64(32))
    value = uint64((value ^ (value >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    value = uint64((value ^ (value >> uint64(27))) * uint64(0x94D049BB133111EB))
    value = uint64(value ^ (value >> uint64(31)))
    return (np.float64(value >> uint64(11)) + 1.0) * _TWO_TO_MINUS_53


@jit
def draw_sparse(state, density, rarity, signed, batch, features, starts, feature, value):
    """Draw the present ones of `features` independent features of `batch` samples; return how many are not empty.

    All are drawn at the `density` of the most common one. One that is r times rarer stays if its uniform number is at
    most 1 / r, and r times that number is its value.
    """
    count, present, last, cell, rest = 0, 0, -1, -1.0, np.log1p(-density)
    while count < feature.size:
        cell += 1.0 + np.floor(np.log(uniform(state)) / rest)
        if cell >= batch * features:
            break
        sample = np.int64(cell) // features
        drawn = uniform(state) * rarity[np.int64(cell) - sample * features]
        if drawn > 1.0:
            continue
        starts[present] = count
        present += sample != last
        starts[present] = count + 1
        last = sample
        feature[count] = np.int64(cell) - sample * features
        value[count] = np.float32(2.0 * drawn - 1.0 if signed else drawn)
        count += 1
    return present


@jit
def list_sparse(listed, instance, order, position, size, starts, feature, value):
    """List the present features of the next samples of an epoch as `draw_sparse` does."""
    count, present = 0, 0
    for s in range(size):
        row = order[position + s]
        starts[present] = count
        for entry in range(listed.start[instance, row], listed.start[instance, row + 1]):
            feature[count] = listed.feature[entry]
            value[count] = listed.value[entry]
            count += 1
        present += count > starts[present]
    starts[present] = count
    return present
