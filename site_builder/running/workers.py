"""Does jobs in this process, or in several processes of this machine side by side.

Many experiments have phases that keep one core busy, and matplotlib uses one core: processes side by side leave no
core idle. They come from a fork server that has imported the experiments and in which nothing ran, so that no thread
of a numerical library is forked. Each process does one job after another, experiments before figures.
"""

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Protocol

from experiments.core.errors import ReportError
from site_builder.base import guarded
from site_builder.base.console import Watcher
from site_builder.base.environment import usable_cores
from site_builder.base.project import Project
from site_builder.keys.build_stamp import running_code_digest
from site_builder.results.failures import Failure
from site_builder.running.forecast import Forecast
from site_builder.running.jobs import DrawJob, Job, RunJob, compiling_least_twice

Outcome = tuple[Job, Failure | None]

WORTH_WORKERS = 8
"""From this number of figures on the processes are worth their start, measured on two cores; two experiments are."""

LONGEST_TEMPORARY = 103 - len("/pymp-xxxxxxxx/listener-xxxxxxxx")
"""Bytes that the path of the folder for temporary files may have: a socket's path has 103 on macOS, 107 on Linux."""

SECONDS_TO_END = 5.0
"""How long an idle process may take to end by itself."""

SECONDS_BETWEEN_NEWS = 0.2
"""How often a process says how far it is."""


class Crew(Protocol):
    """Those who do jobs: jobs may be added while outcomes are being read."""

    def add(self, job: Job) -> None: ...

    def outcomes(self) -> Iterator[Outcome]:
        """Yield each job that is done and what went wrong, until no job is left."""


def is_worth_workers(runs: int, figures: int) -> bool:
    """True when that much work is done sooner by several processes."""
    return usable_cores() > 1 and (runs > 1 or figures >= WORTH_WORKERS)


def start(modules: Collection[str] = ()) -> None:
    """Start the fork server, unless it runs, and let it import libraries and the modules of experiments meanwhile.

    Started before anything is known of the experiments, it is ready when there is something to draw. Raises
    `ReportError` where the folder for temporary files has too long a path.
    """
    folder = tempfile.gettempdir()
    if (length := len(os.fsencode(folder))) > LONGEST_TEMPORARY:
        raise ReportError(
            f"{folder}, the folder for temporary files, has a path of {length} bytes, and the sockets through which "
            f"processes talk leave room for {LONGEST_TEMPORARY}; set TMPDIR to a folder with a shorter path, such as "
            "/tmp, and run again"
        )
    forkserver.set_forkserver_preload([__name__, "site_builder.running.libraries", *sorted(modules)])
    resource_tracker.ensure_running()
    with _unheard(signal.SIGINT):  # the server and all processes that come from it inherit that
        forkserver.ensure_running()
    _started.set()


_started = threading.Event()


def are_started() -> bool:
    """Return whether the fork server runs."""
    return _started.is_set()


class Here:
    """Does all jobs in this process, one after another."""

    def __init__(self, watcher: Watcher, forecast: Forecast) -> None:
        self.watcher, self.forecast = watcher, forecast
        self.runs: list[Job] = []
        self.figures: list[Job] = []

    def add(self, job: Job) -> None:
        self.forecast.added(job)
        (self.runs if job.is_run else self.figures).append(job)

    def outcomes(self) -> Iterator[Outcome]:
        while self.runs:
            job = self.runs.pop(0)
            with guarded.at(f"running {job.name}"):
                failed = job.do(_Counted(self.watcher, self.forecast, job.name))
            self.forecast.finished(job)
            yield job, failed
        if not self.figures:
            return
        figures, self.figures = self.figures, []
        what = drawing(figures)
        start = time.perf_counter()
        self.watcher.began(what)
        for done, job in enumerate(figures, start=1):
            with guarded.at(f"drawing {job.name}"):
                failed = job.do(self.watcher)
            self.forecast.finished(job)
            self.watcher.advanced(job.name, done / len(figures))
            yield job, failed
        self.watcher.ended(what, time.perf_counter() - start)


@dataclass
class _Counted:
    """Passes on what a job in this process says, and lets the forecast know how far it is."""

    watcher: Watcher
    forecast: Forecast
    name: str

    def began(self, what: str) -> None:
        self.watcher.began(what)

    def advanced(self, step: str, fraction: float) -> None:
        self.forecast.advanced(self.name, fraction)
        self.watcher.advanced(step, fraction)

    def progressed(self, share: float) -> None:
        self.watcher.progressed(share)

    def ended(self, what: str, seconds: float) -> None:
        self.watcher.ended(what, seconds)

    def said(self, sentence: str) -> None:
        self.watcher.said(sentence)


@dataclass
class _Worker:
    """One process, the job it is at and since when."""

    process: Any
    connection: Connection
    job: Job | None = None
    since: float = 0.0


class Workers:
    """Processes of this machine, one per core, of which at most `runs_at_once` run an experiment at any time.

    A process that dies loses the job it was at, and another takes its place. `code` is the digest of the code that
    the keys of the jobs were made from.
    """

    def __init__(self, runs_at_once: int, modules: set[str], code: str, project: Project, forecast: Forecast):
        self.runs_at_once, self.modules, self.code, self.project = runs_at_once, modules, code, project
        self.watcher, self.forecast = forecast.watcher, forecast
        self.waiting: list[Job] = []
        self.compiled: set[str] = set()
        start(modules)
        self.workers = [self._hired(checks=True) for _ in range(max(usable_cores(), runs_at_once))]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for worker in self.workers:
            worker.connection.close()  # one with nothing to do ends by itself, and puts away the locks of its libraries
        for worker in self.workers:
            worker.process.join(0.0 if worker.job else SECONDS_TO_END)
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join()

    def add(self, job: Job) -> None:
        self.forecast.added(job)
        self.waiting.append(job)

    def outcomes(self) -> Iterator[Outcome]:
        what, begin = self._what(), time.perf_counter()
        self.watcher.began(what)
        while self.waiting or self._busy():
            self._hand_out()
            for connection in wait([worker.connection for worker in self._busy()]):
                worker = next(each for each in self.workers if each.connection is connection)
                outcome = self._heard(worker)
                if outcome:
                    yield outcome
        self.watcher.ended(what, time.perf_counter() - begin)

    def _what(self) -> str:
        runs = sum(job.is_run for job in self.waiting)
        at_once = min(self.runs_at_once, runs)
        if runs:
            return f"running {counted(runs, 'experiment')}, {at_once} at a time, and drawing their figures"
        return drawing(self.waiting)

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self.workers if worker.job]

    def _runs(self) -> int:
        return sum(worker.job.is_run for worker in self._busy() if worker.job)

    def _hand_out(self) -> None:
        """Give every idle process a job: a figure where no experiment may start, or would compile what another does."""
        for worker in self.workers:
            job = None if worker.job else self._next()
            if job is None:
                continue
            self.waiting.remove(job)
            worker.job, worker.since = job, time.perf_counter()
            left = self._runs() + sum(other.is_run for other in self.waiting)
            threads = max(1, usable_cores() // max(1, min(self.runs_at_once, left))) if job.is_run else 1
            with suppress(BrokenPipeError, ConnectionResetError):  # it died idle, which `_heard` notices
                worker.connection.send((job, threads))

    def _next(self) -> Job | None:
        may_run = self._runs() < self.runs_at_once
        runs = [job for job in self.waiting if isinstance(job, RunJob) and may_run]
        drawing = next((job for job in self.waiting if not job.is_run), None)
        if not runs:
            return drawing
        others = [worker.job for worker in self.workers if isinstance(worker.job, RunJob)]
        under_way = frozenset[str]().union(*(job.compiles for job in others)) - self.compiled
        run = compiling_least_twice(runs, under_way, self.compiled)
        return drawing if drawing and run.compiles & under_way else run

    def _heard(self, worker: _Worker) -> Outcome | None:
        """Take in one message of a process; return its job if that is over."""
        job = worker.job
        assert job is not None
        try:
            kind, *content = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            self._replace(worker)
            return job, job.killed()
        if kind == "stale":
            raise ReportError("the code was changed while it was being read; run the same command again")
        if kind == "advanced":
            step, fraction = content
            self.forecast.advanced(job.name, fraction)
            self.watcher.advanced(f"{job.name}: {step}", self.forecast.share())
        elif kind == "said":
            self.watcher.said(content[0])
        elif kind == "done":
            return self._ended(worker, job, content[0])
        return None

    def _ended(self, worker: _Worker, job: Job, failed: Failure | None) -> Outcome:
        self.forecast.finished(job)
        worker.job = None
        if isinstance(job, RunJob):
            self.compiled |= job.compiles
        self.watcher.advanced(job.name, self.forecast.share())
        if job.is_run:
            self.watcher.said(f"{job.name} took {time.perf_counter() - worker.since:.1f} s")
        return job, failed

    def _replace(self, worker: _Worker) -> None:
        worker.connection.close()
        worker.process.join()
        self.workers[self.workers.index(worker)] = self._hired(checks=False)

    def _hired(self, *, checks: bool) -> _Worker:
        """Start a process; the first ones check that what they imported is the code that the keys were made from."""
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe()
        code = self.code if checks else ""
        process = context.Process(target=_work, args=(theirs, sorted(self.modules), code, self.project), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)


def crew(
    runs_at_once: int, figures: int, modules: set[str], code: str, project: Project, forecast: Forecast
) -> AbstractContextManager[Crew]:
    """Return who does the jobs: this process, or several where that is sooner (see `Workers` for `code`)."""
    if not is_worth_workers(runs_at_once, figures):
        return nullcontext(Here(forecast.watcher, forecast))
    return Workers(max(1, runs_at_once), modules, code, project, forecast)


def counted(count: int, what: str) -> str:
    """Return "1 figure" or "2 figures"."""
    return f"{count} {what}{'s' if count != 1 else ''}"


def drawing(jobs: Iterable[Job]) -> str:
    """Return what is being done by jobs that are no runs."""
    return f"drawing {counted(sum(isinstance(job, DrawJob) for job in jobs), 'figure')}"


class _Sender:
    """The watcher inside a process: sends on what it hears, not too often."""

    def __init__(self, send: Callable[[Any], None]) -> None:
        self.send = send
        self.spoke = 0.0

    def began(self, what: str) -> None: ...

    def ended(self, what: str, seconds: float) -> None: ...

    def progressed(self, share: float) -> None: ...

    def advanced(self, step: str, fraction: float) -> None:
        if time.monotonic() - self.spoke >= SECONDS_BETWEEN_NEWS:
            self.spoke = time.monotonic()
            self.send(("advanced", step, fraction))

    def said(self, sentence: str) -> None:
        self.send(("said", sentence))


def _work(connection: Connection, modules: list[str], code: str, project: Project) -> None:
    """Do the jobs that come through `connection` until it closes."""
    settle()
    for module in modules:  # the fork server has them, unless one could not be imported there
        importlib.import_module(module)
    gc.freeze()  # what was imported stays, so the collector of garbage need not walk through it again and again
    if code not in ("", running_code_digest(project)):
        connection.send(("stale",))
        return
    watcher = _Sender(connection.send)
    while True:
        try:
            job, threads = connection.recv()
        except (EOFError, OSError):
            return
        use_threads(threads)
        connection.send(("done", job.do(watcher)))


def use_threads(count: int) -> None:
    """Let the numerical libraries of this process work with `count` threads."""
    from threadpoolctl import threadpool_limits

    os.environ["REPORT_THREADS"] = str(count)
    threadpool_limits(count)
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


@contextmanager
def _unheard(number: signal.Signals) -> Iterator[None]:
    """Let a signal wait until the end of the block; processes started in the block never hear it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def settle() -> None:
    """Leave interruptions to the parent, do not outlive it, and leave nothing behind when killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Semaphores made from now on (numba makes some) have no name that somebody would have to give back.
    multiprocessing.set_start_method("fork", force=True)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
