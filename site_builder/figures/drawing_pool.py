"""Draws many figures at once, in processes of their own: matplotlib uses one core, and a figure takes a second.

The processes come from a fork server that has imported the experiments and nothing has run in, so that no
thread of a numerical library is forked. Starting them takes as long as importing torch: it is done while the
experiments run, and few figures are drawn in this process.
"""

import importlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait

from site_builder.environment import usable_cores
from site_builder.failures import Failure, failure
from site_builder.figures.drawings import Drawing, draw_into_store, figure_writer
from site_builder.project import Project
from site_builder.store import runs

WORTH_A_POOL = 8
"""From this number of figures on the processes are worth their start, measured on two cores."""


@dataclass(frozen=True)
class Job:
    """One figure to draw: by name, since functions do not travel between processes."""

    project: Project
    module: str
    drawing: Drawing


def is_worth_a_pool(figures: int) -> bool:
    """True when drawing that many figures is faster in several processes."""
    return figures >= WORTH_A_POOL and usable_cores() > 1


def start(modules: set[str]) -> None:
    """Start the fork server, unless it runs, and let it import the modules of experiments in the background."""
    forkserver.set_forkserver_preload([__name__, "site_builder.figures.figure_files", *sorted(modules)])
    forkserver.ensure_running()


def draw_in_pool(jobs: list[Job]) -> Iterator[tuple[str, Failure | None]]:
    """Yield each figure's id, and what went wrong if anything did, in the order in which they are ready."""
    start({job.module for job in jobs})
    workers = min(usable_cores(), len(jobs))
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_settle) as pool:
        try:
            figures = {pool.submit(_draw, job): job.drawing.figure for job in jobs}
            for done in as_completed(figures):
                yield figures[done], _outcome(done, figures[done])
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _outcome(done: "Future[Failure | None]", figure: str) -> Failure | None:
    try:
        return done.result()
    except BrokenProcessPool:
        return Failure(
            f"figure {figure!r} was being drawn when its process was killed, as for lack of memory; run again"
        )


def _settle() -> None:
    """Leave interruptions to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _draw(job: Job) -> Failure | None:
    try:
        experiment = importlib.import_module(job.module).experiment
        spec = experiment.figures[job.drawing.figure]
        run = runs.read(job.drawing.run_folder, experiment)
        draw_into_store(job.project, spec, run.result, job.drawing, figure_writer())
    except (Exception, SystemExit) as error:
        return failure(f"figure {job.drawing.figure!r}", error)
    return None
