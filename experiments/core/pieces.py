"""Work that falls apart: a computation offers its pieces, and whoever runs it may have others do some of them.

Without help nothing is cut and nothing changes. What a piece returns depends on what it was given alone, so the joined
result is the same bytes whoever did the pieces, and however many there were; no result depends on this module.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = 10.0
"""Seconds of one core that a piece takes at least: sending it costs some hundredths."""

MULTIPLY_ADDS_PER_SECOND = 1e10
"""Of one core, as the training kernels reach it; a wrong rate makes pieces longer or shorter, and nothing else."""


@dataclass(frozen=True)
class Piece:
    """`work(*given)`, about `seconds` of one core.

    `work` is a function of a module. What it is given and what it returns are made of plain values: numbers, words,
    arrays, tuples, and dataclasses of such.
    """

    work: Callable[..., Any]
    given: tuple[Any, ...]
    seconds: float


Helper = Callable[[Sequence[Piece]], list[Any]]
"""Does pieces and returns what each returned, in order; raises what a piece raises."""

_helper: ContextVar[Helper | None] = ContextVar("helper", default=None)


@contextmanager
def helped(helper: Helper | None) -> Iterator[None]:
    """Let `helper` do the pieces of what is computed inside the block; with None nothing is cut."""
    token = _helper.set(helper)
    try:
        yield
    finally:
        _helper.reset(token)


def shares(multiply_adds: NDArray[np.float64], order: NDArray[np.int64] | None = None) -> list[NDArray[np.int64]]:
    """Return who shares a piece: instance numbers, neighbours in `order`, of about equal work.

    `multiply_adds` (instance,) is an estimate of the work. There is one share without help, or where two pieces would
    take less than `SHORTEST` each.
    """
    numbers = np.arange(multiply_adds.size) if order is None else order
    seconds = float(multiply_adds.sum()) / MULTIPLY_ADDS_PER_SECOND
    count = min(multiply_adds.size, int(seconds / SHORTEST))
    if _helper.get() is None or count < 2:
        return [numbers]
    middle = np.cumsum(multiply_adds[numbers]) - multiply_adds[numbers] / 2
    place = (middle / multiply_adds.sum() * count).astype(np.int64)
    return [numbers[place == each] for each in np.unique(place)]


def done(work: Callable[..., Any], given: Sequence[tuple[Any, ...]], multiply_adds: Sequence[float]) -> list[Any]:
    """Return `work` of each of `given`, in order, done by the helper there is."""
    offered = [
        Piece(work, each, cost / MULTIPLY_ADDS_PER_SECOND) for each, cost in zip(given, multiply_adds, strict=True)
    ]
    helper = _helper.get()
    return [do(each) for each in offered] if helper is None else helper(offered)


def do(piece: Piece) -> Any:
    """Return what `piece` returns, done here and as a whole."""
    with helped(None):
        return piece.work(*piece.given)
