"""The CPU backend: instances are dealt to threads, each of which trains its own through a chunk of steps.

An instance's parameters stay in one core's cache for the whole chunk.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_encode import SPARE, blocks, new_lists
from experiments.core.autoencoders.cpu_kernel import Instances, Options, new_scratch, train_chunk
from experiments.core.autoencoders.reference import aux_latents
from experiments.core.autoencoders.specification import PENALISED, VARIANTS, Specification, prefix_ends
from experiments.core.autoencoders.state import State, parameter_count, split
from experiments.core.training.cpu import thread_count
from experiments.core.training.cpu_vectors import padded


class Kernel:
    """Trains all instances with the fused kernel; see `train` for who calls it."""

    def __init__(
        self, specification: Specification, state: State, rates: NDArray[np.float64], threads: int | None
    ) -> None:
        self.specification = specification
        self.options = options_of(specification, state, rates)
        self.set(state)
        self.blocks = self._blocks(threads or thread_count())
        widest = [max(specification.models[i].width for i in block) for block in self.blocks]
        self.lists = [new_lists(specification.batch, width, state.hidden) for width in widest]
        prefixes = self.instances.ends.shape[1]
        self.scratch = [new_scratch(state.latents, state.hidden, prefixes) for _ in self.blocks]

    def set(self, state: State) -> None:
        """Take over a state."""
        self.present = state
        self.instances = instances_of(self.specification, state)

    def state(self, step: int) -> State:
        """Return the present state."""
        now, here = self.present, self.instances
        flat, first, second = (
            unfilled(each, now.latents, now.hidden) for each in (here.parameters, here.first, here.second)
        )
        return State(
            step, now.latents, now.hidden, flat, first, second, here.penalty, here.threshold, here.silent.copy()
        )

    def chunk(self, x: NDArray[np.float32], step: int, places: dict[int, int]) -> None:
        """Train on x (step, source, batch, hidden), the first of which is step number `step`."""
        sources = [places[model.source] for model in self.specification.models]
        instances = self.instances._replace(source=np.array(sources, np.int64))
        flat, (steps, count) = flattened(x), x.shape[:2]

        def train(part: int) -> None:
            scratch = (self.lists[part], self.scratch[part], self.blocks[part])
            train_chunk(self.options, instances, *scratch, flat, steps, count, step)  # type: ignore[no-untyped-call]

        with ThreadPoolExecutor(len(self.blocks)) as pool:
            list(pool.map(train, range(len(self.blocks))))

    def _blocks(self, threads: int) -> list[NDArray[np.int64]]:
        """Return instances by thread: the wide ones are dealt out first, so that no thread ends up with all of them."""
        widths = [model.width for model in self.specification.models]
        order = np.argsort(-np.array(widths), kind="stable")
        parts = [np.ascontiguousarray(order[t::threads]) for t in range(threads)]  # one kind of array, one kernel
        return [part for part in parts if len(part)]


def flattened(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return x (..., hidden) as the kernel takes it: rows filled up with zeros to whole vectors, some to spare."""
    rows, row = int(np.prod(x.shape[:-1])), padded(x.shape[-1])
    flat = np.zeros((rows + SPARE) * row, np.float32)
    flat[: rows * row].reshape(rows, row)[:, : x.shape[-1]] = x.reshape(rows, -1)
    return flat


def filled(flat: NDArray[np.float32], latents: int, hidden: int) -> NDArray[np.float32]:
    """Return flat parameters (instance, parameter) with rows and latents filled up, as the kernel has them."""
    rows, row = blocks(latents), padded(hidden)
    wide = np.zeros((len(flat), 2 * rows * row + 3 * rows + row), np.float32)
    for into, part in zip(split(wide, rows, row), split(flat, latents, hidden), strict=True):
        into[tuple(slice(size) for size in part.shape)] = part
    return wide


def unfilled(wide: NDArray[np.float32], latents: int, hidden: int) -> NDArray[np.float32]:
    """Return flat parameters from those of the kernel."""
    flat = np.zeros((len(wide), parameter_count(latents, hidden)), np.float32)
    for part, into in zip(split(wide, blocks(latents), padded(hidden)), split(flat, latents, hidden), strict=True):
        into[...] = part[tuple(slice(size) for size in into.shape)]
    return flat


def options_of(specification: Specification, state: State, rates: NDArray[np.float64]) -> Options:
    """Return what all instances share, as the kernel takes it."""
    return Options(
        batch=specification.batch,
        hidden=state.hidden,
        latents=state.latents,
        beta1=specification.beta1,
        beta2=specification.beta2,
        epsilon=specification.epsilon,
        bandwidth=specification.bandwidth,
        penalty_rate=specification.penalty_rate,
        threshold_rate=specification.threshold_rate,
        aux_latents=aux_latents(specification, state.hidden),
        aux_weight=specification.aux_weight,
        dead_after=specification.dead_after,
        rates=rates,
    )


def instances_of(specification: Specification, state: State) -> Instances:
    """Return what differs between instances; no array of the state is shared."""
    models = specification.models
    ends = [
        prefix_ends(specification.prefixes, model.width) if model.variant == "matryoshka" else (model.width,)
        for model in models
    ]
    longest = max(len(each) for each in ends)
    return Instances(
        variant=np.array([VARIANTS.index(model.variant) for model in models], np.int64),
        width=np.array([model.width for model in models], np.int64),
        active=np.array([model.active for model in models], np.float64),
        source=np.zeros(len(models), np.int64),
        adapted=np.array([model.variant in PENALISED and model.penalty is None for model in models]),
        frozen=np.array([model.frozen for model in models]),
        prefixes=np.array([len(each) for each in ends], np.int64),
        ends=np.array([(*each, *[each[-1]] * (longest - len(each))) for each in ends], np.int64),
        parameters=filled(state.parameters, state.latents, state.hidden),
        first=filled(state.first, state.latents, state.hidden),
        second=filled(state.second, state.latents, state.hidden),
        penalty=state.penalty.copy(),
        threshold=state.threshold.copy(),
        silent=state.silent.copy(),
    )
