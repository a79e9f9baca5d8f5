"""How a computation says how far it is, without knowing who listens.

A computation calls `advance`; the command line sets a listener. With no listener nothing happens,
so experiments and kernels stay free of terminals.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, float], None]
"""Called with what is being done and the fraction of it done, in [0, 1]."""

_listener: ContextVar[Listener | None] = ContextVar("progress_listener", default=None)


def advance(what: str, fraction: float) -> None:
    """Tell the listener, if any, that `fraction` in [0, 1] of `what` is done."""
    listener = _listener.get()
    if listener is not None:
        listener(what, min(max(fraction, 0.0), 1.0))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send every `advance` inside the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


_notes: ContextVar[dict[str, str] | None] = ContextVar("run_notes", default=None)


def note(name: str, value: str) -> None:
    """Record a fact about how the run went (which backend trained, how many threads) beside its result."""
    notes = _notes.get()
    if notes is not None:
        notes[name] = value


@contextmanager
def noting() -> Iterator[dict[str, str]]:
    """Collect every `note` inside the block into the dictionary it yields."""
    notes: dict[str, str] = {}
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)
