"""A process that stands by for one piece of work while this one does another."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

from site_builder.base.environment import usable_cores
from site_builder.running import workers


class Aside:
    """Does a piece of work in another process; the result comes back when it is asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def do(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Let it begin."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it died, which `result` tells
            self._connection.send((work, arguments))

    def result(self) -> Any:
        """Wait for the work and return its result; None where it raised, or where the process died."""
        try:
            return self._connection.recv()
        except (EOFError, ConnectionResetError):
            return None


@contextmanager
def standing_by(prepare: Callable[[], None]) -> Iterator[Aside | None]:
    """Give a process that does `prepare` and then waits for work; None where there is no core or no server for it.

    It comes from the fork server of `workers`, which runs where much was drawn; a process that had to start all by
    itself would come too late.
    """
    if usable_cores() < 2 or not workers.are_started():
        yield None
        return
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    process = context.Process(target=_stand_by, args=(theirs, prepare), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Aside(ours)
    finally:
        ours.close()
        process.terminate()
        process.join()


def _stand_by(connection: Connection, prepare: Callable[[], None]) -> None:
    workers.settle()
    prepare()
    with suppress(Exception):  # nothing to do, nobody waits, or the work went wrong: no result
        work, arguments = connection.recv()
        connection.send(work(*arguments))
