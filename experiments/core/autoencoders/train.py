"""The one way to train sparse autoencoders, whichever backend does the work."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.core import pieces, progress
from experiments.core.autoencoders import cut
from experiments.core.autoencoders.remedies import due, resample
from experiments.core.autoencoders.sources import DATA, Source, activations, stream
from experiments.core.autoencoders.specification import Autoencoder, Specification
from experiments.core.autoencoders.state import State, first_state
from experiments.core.training.checks import SpecificationError
from experiments.core.training.cut import Chosen

CHUNK_BYTES = 32 << 20
"""Batches drawn ahead, at most."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Autoencoders and how they were made; `state` goes on training when given back to `train_autoencoders`."""

    models: tuple[Autoencoder, ...]
    state: State
    backend: str
    device: str
    seconds: float = field(compare=False, default=0.0)


class Backend(Protocol):
    """What trains a chunk of steps."""

    def set(self, state: State) -> None: ...

    def state(self, step: int) -> State: ...

    def chunk(self, x: NDArray[np.float32], step: int, places: dict[int, int]) -> None: ...


def train_autoencoders(
    sources: Source | Sequence[Source],
    specification: Specification,
    *,
    state: State | None = None,
    until: int | None = None,
    device: str = "cpu",
    backend: str = "auto",
    threads: int | None = None,
) -> Trained:
    """Train every autoencoder of `specification` at once and return them.

    `sources` are sampled afresh at every step, once for all autoencoders that name the same one; they must agree in
    `hidden`. Give a `state` to go on from it, `until` to stop early: both together equal one uninterrupted run, bit
    for bit. `backend` is "cpu" (fused kernel), "reference" (torch, any device) or "auto". The result does not depend
    on `threads`.
    """
    listed = tuple(sources) if isinstance(sources, Sequence) else (sources,)
    highest = max(model.source for model in specification.models)
    if highest >= len(listed):
        raise SpecificationError(f"an autoencoder names source {highest}, but there are {len(listed)} sources")
    began = perf_counter()
    chosen = ("cpu" if device == "cpu" else "reference") if backend == "auto" else backend
    # One thread for linear algebra while drawing: the same bytes on any number of cores.
    with threadpool_limits(1):
        start = first_state(listed, specification) if state is None else state.copy()
        end = specification.steps if until is None else until
        if chosen == "cpu" and len(parts := cut.shares(specification, start, end)) > 1:
            final = _in_pieces(listed, specification, start, end, parts)
        else:
            final = _run(listed, specification, _backend(chosen, specification, start, device, threads), start, end)
    progress.note("autoencoders", chosen)
    return Trained(specification.models, final, chosen, device, perf_counter() - began)


def _in_pieces(
    sources: tuple[Source, ...], specification: Specification, start: State, end: int, chosen: list[Chosen]
) -> State:
    """Train the `chosen` autoencoders of each piece apart; the bytes are those of training all at once."""
    costs = cut.multiply_adds(specification, start, end)
    given = [(*cut.cut(sources, specification, start, each), end) for each in chosen]
    return cut.joined(chosen, pieces.done(train_piece, given, [costs[each].sum() for each in chosen]))


def train_piece(sources: tuple[Source, ...], specification: Specification, state: State, until: int) -> State:
    """Train a piece; its state is as wide as that of the whole."""
    return train_autoencoders(sources, specification, state=state, until=until, backend="cpu").state


def rates(specification: Specification) -> NDArray[np.float64]:
    """Return the learning rate of every step (step,)."""
    step = np.arange(specification.steps)
    rise = np.minimum((step + 1) / max(specification.warmup, 1), 1.0)
    fall = (specification.steps - step) / max(specification.decay * specification.steps, 1)
    return np.asarray(specification.learning_rate * rise * np.minimum(fall, 1.0))


def _backend(name: str, specification: Specification, state: State, device: str, threads: int | None) -> Backend:
    # Imported late: each pulls in what the other does not need.
    if name == "cpu" and device == "cpu":
        from experiments.core.autoencoders.cpu import Kernel

        return Kernel(specification, state, rates(specification), threads)
    if name != "reference":
        raise SpecificationError(f"no backend {name!r} for device {device!r}; known are auto, cpu and reference")
    from experiments.core.autoencoders.reference import Trainer

    return Trainer(specification, state, rates(specification), device)


def _run(sources: tuple[Source, ...], specification: Specification, worker: Backend, start: State, end: int) -> State:
    used = sorted({model.source for model in specification.models})
    places = {source: place for place, source in enumerate(used)}
    chunks = list(_chunks(specification, start.step, end, len(used), start.hidden))
    with ThreadPoolExecutor(1) as ahead:
        waiting = ahead.submit(_draw, sources, specification, used, *chunks[0]) if chunks else None
        for number, (first, last) in enumerate(chunks):
            assert waiting is not None
            x = waiting.result()
            if number + 1 < len(chunks):
                waiting = ahead.submit(_draw, sources, specification, used, *chunks[number + 1])
            worker.chunk(x, first, places)
            if due(specification, last):
                state = worker.state(last)
                resample(specification, state, {source: x[-1, places[source]] for source in used})
                worker.set(state)
            progress.advance("training autoencoders", last / specification.steps)
    return worker.state(max(start.step, end))


def _chunks(specification: Specification, begin: int, end: int, sources: int, hidden: int) -> Iterator[tuple[int, int]]:
    """Yield the first step and the end of every chunk; resampling falls between chunks."""
    size = int(np.clip(CHUNK_BYTES // (4 * sources * specification.batch * hidden), 1, 64))
    first = begin
    while first < end:
        last = min(first + size, end)
        if specification.resample:
            last = min(last, (first // specification.resample + 1) * specification.resample)
        yield first, last
        first = last


def _draw(
    sources: tuple[Source, ...], specification: Specification, used: list[int], begin: int, end: int
) -> NDArray[np.float32]:
    """Return batches (step, source, batch, hidden), each a function of the seed, the source and the step alone."""
    hidden = sources[used[0]].directions.shape[1]
    x = np.empty((end - begin, len(used), specification.batch, hidden), np.float32)
    for step in range(begin, end):
        for place, source in enumerate(used):
            generator = stream(specification.seed, DATA, source, step)
            x[step - begin, place] = activations(sources[source], generator, specification.batch)
    return x
