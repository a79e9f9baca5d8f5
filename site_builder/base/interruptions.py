"""Interruptions: the first request to end is met tidily, the second at once.

SIGINT (Ctrl-C) and SIGTERM are the same request. It reaches the program as `Interrupted`, a KeyboardInterrupt, which
no step takes for a failure of an experiment; `heard()` tells it from a KeyboardInterrupt that other code raised.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_heard: list[int] = []
_told: list[Callable[[int], None]] = []


def tell(listener: Callable[[int], None]) -> None:
    """Have `listener` called with the number of each signal that asks this process to end, before anything is done."""
    _told.append(listener)


class Interrupted(KeyboardInterrupt):
    """Somebody asked the program to end."""


def heard() -> bool:
    """True once somebody asked the program to end."""
    return bool(_heard)


def forget() -> None:
    """Take the request as met: the program goes on to its end, and ends well."""
    _heard.clear()


def exit_code() -> int:
    """Return what an interrupted program ends with: 130 after Ctrl-C, 143 after SIGTERM."""
    return 128 + (_heard[0] if _heard else signal.SIGINT)


@contextmanager
def heeding() -> Iterator[None]:
    """Raise `Interrupted` in the block when a signal asks for the end; a signal that is ignored stays ignored.

    A request that somebody in the block swallowed is raised at its end.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    if _hear not in before.values():
        _heard.clear()
    with suppress(ValueError):  # signals belong to the main thread
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, _hear)
    try:
        yield
        if _heard:
            raise Interrupted
    finally:
        with suppress(ValueError):
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _hear(number: int, frame: FrameType | None) -> None:
    for listener in _told:
        listener(number)
    if _heard:
        os._exit(exit_code())
    _heard.append(number)
    raise Interrupted
