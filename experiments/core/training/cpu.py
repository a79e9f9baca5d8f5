"""The CPU backend: instances are dealt to threads, each of which trains one block of models at a time.

Threads run compiled code that holds no interpreter lock. A block trains in chunks of steps, so that
progress can be told and Ctrl-C is heard; what a chunk computes does not depend on its length, on the
number of threads, or on which instances share a block.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from experiments.core import progress
from experiments.core.training.checks import SpecificationError
from experiments.core.training.cpu_draws import lane_states, presence_limits
from experiments.core.training.cpu_kernel import TARGET_CODES, Block, Options, Shared, new_scratch, train_block
from experiments.core.training.cpu_sparse import listed_sets, rarities, sparse_densities, train_sparse_block
from experiments.core.training.cpu_sparse_gradient import new_sparse
from experiments.core.training.cpu_unrolled import kernel_of, unrolls
from experiments.core.training.problem import ANTICORRELATED, Problem
from experiments.core.training.sampling import fixed_data_sets
from experiments.core.training.seeds import DATA, SHUFFLE, stream_key
from experiments.core.training.specification import Model, Trained, Weights

SET_BYTES = 32 << 20
"""Fixed data sets held by one block, at most, unless a single instance needs more."""

SPARSE_KERNEL: Callable[..., None] = train_sparse_block

CHUNK_WORK = 2e8
"""Multiply-adds between two looks at the clock: some hundredths of a second."""


def thread_count() -> int:
    """Return how many cores this process may use, or as many as the variable REPORT_THREADS asks for."""
    asked = os.environ.get("REPORT_THREADS", "")
    if asked and not (asked.isdecimal() and int(asked) > 0):
        raise SpecificationError(f"REPORT_THREADS is {asked!r}; it must be a whole number of threads, at least 1")
    if asked:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def train_cpu(problem: Problem, threads: int | None = None, options: Options | None = None) -> Trained:
    """Train every instance with the fused kernel on `threads` cores (all by default).

    `options` are those of the problem unless given; given ones may ask for what `Model` does not offer.
    """
    threads = min(threads or thread_count(), problem.instances)
    run = _Run(problem, options or options_of(problem), shared_by_all(problem), parameters_of(problem))
    run.execute(threads)
    return run.trained(threads)


@dataclass
class _Run:
    problem: Problem
    options: Options
    shared: Shared
    parameters: NDArray[np.float32]
    stop: threading.Event = field(default_factory=threading.Event)
    steps_done: int = 0

    def __post_init__(self) -> None:
        count, width = self.parameters.shape
        self.snapshots = np.unique(np.array(self.problem.recipe.snapshots, np.int64))
        self.kernel = kernel_for(self.problem)
        self.sparse = sparse_densities(self.problem)
        self.rarity = rarities(self.problem)
        self.reached = np.zeros(count, np.int64)
        self.kept = np.zeros((count, len(self.snapshots), width), np.float32)
        self.kept[:, self.snapshots == 0] = self.parameters[:, None]
        self._lock = threading.Lock()

    def execute(self, threads: int) -> None:
        """Train all blocks; the costly ones, at high density, first, so that no thread ends up alone."""
        total = self.problem.instances * self.problem.recipe.steps
        with ThreadPoolExecutor(threads) as pool:
            waiting: set[Future[None]] = {pool.submit(self._train, chosen) for chosen in self._blocks(threads)}
            try:
                while waiting:
                    done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    progress.advance("training", self.steps_done / total)
            except BaseException:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _blocks(self, threads: int) -> Iterator[NDArray[np.int64]]:
        order = np.argsort(-self.problem.density.mean(axis=1), kind="stable")
        size = max(1, self.problem.instances // (16 * threads))
        if self.problem.data.fixed_samples is not None:
            size = min(size, max(1, SET_BYTES // (4 * self.problem.data.fixed_samples * self.problem.model.features)))
        for part in (order[np.isnan(self.sparse[order])], order[np.isfinite(self.sparse[order])]):
            for first in range(0, len(part), size):
                yield part[first : first + size]

    def _train(self, chosen: NDArray[np.int64]) -> None:
        """Train one block from start to end."""
        steps = self.problem.recipe.steps
        block = block_of(self.problem, self.parameters[chosen], self.kept[chosen], chosen)
        sparse = bool(np.isfinite(self.sparse[chosen[0]]))
        listed = listed_sets(block.sets if sparse else block.sets[:, :0])
        model = self.problem.model
        width = self.parameters.shape[1]
        scratch = new_scratch(model.features, model.hidden, width)
        space = new_sparse(model.features, model.hidden, model.tied, self.problem.recipe.batch if sparse else 0, width)
        work = len(chosen) * self.problem.recipe.batch * model.features * (5 * model.hidden + 10)
        chunk = int(np.clip(CHUNK_WORK / work, 1, steps))
        for begin in range(0, steps, chunk):
            if self.stop.is_set():
                return
            end = min(begin + chunk, steps)
            if sparse:
                densities = self.sparse[chosen], self.rarity[chosen]
                SPARSE_KERNEL(self.options, self.shared, block, listed, *densities, space, begin, end)
            else:
                self.kernel(self.options, self.shared, block, scratch, begin, end)
            with self._lock:
                self.steps_done += (end - begin) * len(chosen)
        # A diverged instance keeps its last finite weights at the snapshots it did not reach.
        missed = block.reached[:, None] < self.snapshots[None, :]
        self.kept[chosen] = np.where(missed[..., None], block.parameters[:, None], block.kept)
        self.parameters[chosen] = block.parameters
        self.reached[chosen] = block.reached

    def trained(self, threads: int) -> Trained:
        problem = self.problem
        asked = np.searchsorted(self.snapshots, np.array(problem.recipe.snapshots, np.int64))
        return Trained(
            weights=weights_of(problem, self.parameters),
            steps=tuple(problem.recipe.snapshots),
            snapshots=tuple(weights_of(problem, self.kept[:, number]) for number in asked),
            diverged=self.reached < problem.recipe.steps,
            stopped_at=self.reached,
            backend="cpu",
            device="cpu",
            threads=threads,
        )


def kernel_for(problem: Problem) -> Callable[..., None]:
    """Return the kernel that trains dense models of this shape: the choice looks at no instance."""
    kernel: Callable[..., None] = kernel_of(problem) if unrolls(problem) else train_block
    return kernel


def options_of(problem: Problem) -> Options:
    """Return the numbers that all instances share, in the kernel's form."""
    model, recipe = problem.model, problem.recipe
    return Options(
        features=model.features,
        hidden=model.hidden,
        batch=recipe.batch,
        tied=model.tied,
        relu_output=model.output == "relu",
        relu_hidden=model.hidden_activation == "relu",
        hidden_bias=model.hidden_bias,
        target=TARGET_CODES[model.target],
        mixed=problem.mixing is not None,
        fourth=model.loss == "l4",
        signed=problem.data.signed,
        anticorrelated=problem.coupling == ANTICORRELATED,
        shuffled=problem.data.shuffle,
        beta1=float(recipe.beta1),
        beta2=float(recipe.beta2),
        epsilon=float(recipe.epsilon),
        weight_decay=float(recipe.weight_decay),
    )


def shared_by_all(problem: Problem) -> Shared:
    """Return the arrays that all instances share, in the kernel's form."""
    recipe = problem.recipe
    step = np.arange(1, recipe.steps + 1, dtype=np.float64)
    due = np.full(recipe.steps + 1, -1)
    snapshots = np.unique(np.array(recipe.snapshots, np.int64))
    due[snapshots] = np.arange(len(snapshots))
    return Shared(
        members=problem.group_members,
        starts=problem.group_starts,
        loose=problem.loose,
        first_scale=problem.rates / (1.0 - recipe.beta1**step),
        second_scale=1.0 / np.sqrt(1.0 - recipe.beta2**step),
        rates=problem.rates,
        due=due,
        frozen=_frozen(problem),
    )


def block_of(
    problem: Problem, parameters: NDArray[np.float32], kept: NDArray[np.float32], chosen: NDArray[np.int64]
) -> Block:
    """Return the state of some instances before their first step."""
    limit = presence_limits(problem.density[chosen])
    span = 2.0 if problem.data.signed else 1.0
    samples = problem.samples_per_epoch or 0
    return Block(
        limit=limit,
        scale=(span / np.maximum(limit.astype(np.float64) + 1, 1)).astype(np.float32),
        importance=problem.importance[chosen],
        learning_rate=problem.learning_rate[chosen],
        strength=presence_limits(problem.strength[chosen]),
        mixing=_mixing(problem, chosen),
        sets=_sets(problem, chosen),
        state=lane_states(_keys(problem, chosen, DATA)),
        orders=np.tile(np.arange(samples, dtype=np.int32), (len(chosen), 1)),
        shuffles=_keys(problem, chosen, SHUFFLE),
        parameters=parameters,
        first=np.zeros_like(parameters),
        second=np.zeros_like(parameters),
        reached=np.zeros(len(chosen), np.int64),
        kept=kept,
    )


def _keys(problem: Problem, chosen: NDArray[np.int64], purpose: int) -> NDArray[np.uint64]:
    return np.array([stream_key(seed, purpose) for seed in problem.seeds[chosen]], dtype=np.uint64)


def _mixing(problem: Problem, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    if problem.mixing is None:
        return np.zeros((1, 0), np.float32)
    rows = problem.mixing if len(problem.mixing) == 1 else problem.mixing[chosen]
    return np.ascontiguousarray(rows.reshape(len(rows), -1))


def _frozen(problem: Problem) -> NDArray[np.int64]:
    """Return the ranges of flat parameters that stay as they start: (range, 2)."""
    begin, ranges = 0, []
    for name, size in _sizes(problem.model).items():
        if name in problem.recipe.frozen:
            ranges.append((begin, begin + size))
        begin += size
    return np.array(ranges, np.int64).reshape(-1, 2)


def _sizes(model: Model) -> dict[str, int]:
    """Return the parameters of a model with their sizes, in the kernel's order."""
    n, d = model.features, model.hidden
    sizes = {"W": n * d, "W_out": 0 if model.tied else n * d, "b": n, "b_hidden": d if model.hidden_bias else 0}
    return {name: size for name, size in sizes.items() if size}


def _sets(problem: Problem, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    if problem.samples is not None:
        return problem.samples[None]
    if problem.data.fixed_samples is not None:
        return fixed_data_sets(problem, chosen)
    return np.zeros((1, 0, problem.model.features), np.float32)


def parameters_of(problem: Problem) -> NDArray[np.float32]:
    """Return the starts as the kernel's flat rows (see `Block`); the read-out lies there as (hidden, feature)."""
    start, count = problem.start, problem.instances
    read_out = None if start.W_out is None else start.W_out.transpose(0, 2, 1)
    parts = [part.reshape(count, -1) for part in (start.W, read_out, start.b, start.b_hidden) if part is not None]
    width = sum(part.shape[1] for part in parts)
    return np.ascontiguousarray(np.concatenate([*parts, np.zeros((count, -width % 8), np.float32)], axis=1))


def weights_of(problem: Problem, parameters: NDArray[np.float32]) -> Weights:
    """Return flat rows of parameters as weights; the inverse of `parameters_of`."""
    sizes, shape = _sizes(problem.model), (-1, problem.model.hidden, problem.model.features)
    cuts = np.cumsum([0, *sizes.values()])
    parts = {name: parameters[:, cuts[k] : cuts[k + 1]].copy() for k, name in enumerate(sizes)}
    W_out = np.ascontiguousarray(parts["W_out"].reshape(shape).transpose(0, 2, 1)) if "W_out" in parts else None
    return Weights(parts["W"].reshape(shape), parts["b"], W_out, parts.get("b_hidden"))
