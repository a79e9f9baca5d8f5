"""The CPU backend: instances are dealt to threads, each of which trains its own through a chunk of steps.

An instance's parameters stay in one core's cache for the whole chunk.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from experiments.core.autoencoders.cpu_encode import new_lists
from experiments.core.autoencoders.cpu_kernel import Instances, Options, new_scratch, train_chunk
from experiments.core.autoencoders.reference import aux_latents
from experiments.core.autoencoders.specification import PENALISED, VARIANTS, Specification, prefix_ends
from experiments.core.autoencoders.state import State
from experiments.core.training.cpu import thread_count


class Kernel:
    """Trains all instances with the fused kernel; see `train` for who calls it."""

    def __init__(
        self, specification: Specification, state: State, rates: NDArray[np.float64], threads: int | None
    ) -> None:
        self.specification, self.threads = specification, threads or thread_count()
        self.options = options_of(specification, state, rates)
        self.set(state)

    def set(self, state: State) -> None:
        """Take over a state, which then changes in place."""
        self.present = state
        self.instances = instances_of(self.specification, state)

    def state(self, step: int) -> State:
        """Return the present state."""
        now = self.present
        arrays = (now.parameters, now.first, now.second, now.penalty, now.threshold, now.silent)
        return State(step, now.latents, now.hidden, *arrays)

    def chunk(self, x: NDArray[np.float32], step: int, places: dict[int, int]) -> None:
        """Train on x (step, source, batch, hidden), the first of which is step number `step`."""
        sources = [places[model.source] for model in self.specification.models]
        instances = self.instances._replace(source=np.array(sources, np.int64))
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(lambda chosen: self._train(instances, chosen, x, step), self._blocks()))

    def _blocks(self) -> list[NDArray[np.int64]]:
        """Return instances by thread: the wide ones are dealt out first, so that no thread ends up with all of them."""
        widths = [model.width for model in self.specification.models]
        order = np.argsort(-np.array(widths), kind="stable")
        return [part for t in range(self.threads) if len(part := order[t :: self.threads])]

    def _train(self, instances: Instances, chosen: NDArray[np.int64], x: NDArray[np.float32], step: int) -> None:
        now, options = self.present, self.options
        latents = max(self.specification.models[i].width for i in chosen)
        lists = new_lists(options.batch, latents, now.hidden)
        prefixes = instances.ends.shape[1]
        scratch = new_scratch(now.latents, now.hidden, now.parameters.shape[1], prefixes, options.aux_latents)
        train_chunk(options, instances, lists, scratch, chosen, x, step)  # type: ignore[no-untyped-call]


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
    """Return what differs between instances; arrays of the state are shared, not copied."""
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
        parameters=state.parameters,
        first=state.first,
        second=state.second,
        penalty=state.penalty,
        threshold=state.threshold,
        silent=state.silent,
    )
