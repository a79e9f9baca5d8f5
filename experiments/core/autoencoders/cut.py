"""Training cut by autoencoder: one depends on its own settings and source alone, so others may train beside it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core import pieces
from experiments.core.autoencoders.sources import Source
from experiments.core.autoencoders.specification import PENALISED, Specification
from experiments.core.autoencoders.state import State
from experiments.core.training.cut import Chosen, in_order

ROWS = ("parameters", "first", "second", "penalty", "threshold", "silent")
"""The arrays of a state with an instance axis."""


BESIDE = 2500
"""What drawing a sample and choosing its latents costs, in multiply-adds of one product."""


def multiply_adds(specification: Specification, state: State, end: int) -> NDArray[np.float64]:
    """Estimate the work of every autoencoder (instance,), to about a factor of 3 as measured.

    Penalised ones start with nearly all latents active; what a sample costs beside the products counts as some more.
    """
    samples = float(max(end - state.step, 0)) * specification.batch
    products = np.array([4.0 if model.variant in PENALISED else 2.0 for model in specification.models])
    widths = np.array([model.width for model in specification.models])
    work: NDArray[np.float64] = samples * products * (state.hidden * widths + BESIDE)
    return work


def shares(specification: Specification, state: State, end: int) -> list[Chosen]:
    """Return who shares a piece; those with the same source do, since its batches are drawn in every piece anew."""
    order = np.argsort([model.source for model in specification.models], kind="stable")
    return pieces.shares(multiply_adds(specification, state, end), order)


def cut(
    sources: tuple[Source, ...], specification: Specification, state: State, chosen: Chosen
) -> tuple[tuple[Source, ...], Specification, State]:
    """Return what trains the `chosen` autoencoders exactly as they are trained among all.

    Sources keep their numbers, which select the streams; those that no chosen one sees are replaced by one that is.
    """
    models = tuple(specification.models[number] for number in chosen)
    seen = {model.source for model in models}
    kept = tuple(sources[k if k in seen else min(seen)] for k in range(max(seen) + 1))
    rows: dict[str, Any] = {name: getattr(state, name)[chosen] for name in ROWS}
    return kept, replace(specification, models=models), replace(state, **rows)


def joined(chosen: Sequence[Chosen], found: Sequence[State]) -> State:
    """Return the state that training all at once ends in, from those of the `chosen` ones each."""
    rows: dict[str, Any] = {name: in_order([getattr(each, name) for each in found], chosen) for name in ROWS}
    return replace(found[0], **rows)
