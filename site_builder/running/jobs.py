"""The kinds of work of a report: to run an experiment, to draw a figure, to execute a notebook.

A job names its experiment by module, since functions do not travel between processes. What it makes lies in the store
afterwards, so nothing but a failure travels back.
"""

import importlib
import json
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from experiments.core.contract import Experiment
from site_builder.base import interruptions
from site_builder.base.console import Watcher
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.figures import drawings
from site_builder.figures.drawings import Drawing
from site_builder.keys.run_keys import Key
from site_builder.results import runs
from site_builder.results.failures import Failure, failure


class Job(Protocol):
    """One piece of work; `name` is the experiment's or the figure's id, `is_run` true for an experiment."""

    @property
    def name(self) -> str: ...

    @property
    def module(self) -> str: ...

    @property
    def is_run(self) -> bool: ...

    @property
    def seconds(self) -> float: ...

    def do(self, watcher: Watcher) -> Failure | None:
        """Do it, and store what it makes; return what went wrong if anything did."""

    def killed(self) -> Failure:
        """Return what to say when the process that was at it died."""


@dataclass(frozen=True)
class RunJob:
    """One experiment to run; `seconds` is how long it may take, as far as an earlier run tells.

    `compiles` are the functions that it may have to compile first.
    """

    project: Project
    module: str
    options: Options
    key: Key
    seconds: float = 0.0
    compiles: frozenset[str] = frozenset()
    is_run: bool = True

    @property
    def name(self) -> str:
        return self.module.removeprefix("experiments.")

    def do(self, watcher: Watcher) -> Failure | None:
        try:
            runs.computed(self.project, _experiment(self.module), self.options, self.key, watcher)
        except BaseException as error:  # also an experiment that ends its process is one that failed
            if interruptions.heard():
                raise
            return failure("run", error)
        return None

    def killed(self) -> Failure:
        return Failure("its process was killed, as for lack of memory; run again, with a smaller JOBS")


@dataclass(frozen=True)
class DrawJob:
    """One figure to draw."""

    project: Project
    module: str
    drawing: Drawing
    seconds: float = 1.0
    is_run: bool = False

    @property
    def name(self) -> str:
        return self.drawing.figure

    def do(self, watcher: Watcher) -> Failure | None:
        try:
            experiment = _experiment(self.module)
            run = runs.read(self.drawing.run_folder, experiment)
            spec, writer = experiment.figures[self.name], drawings.figure_writer()
            from experiments.core.threads import undisturbed  # imports torch and numba, as an experiment does

            with undisturbed():
                drawings.draw_into_store(self.project, spec, run.result, self.drawing, writer)
        except BaseException as error:  # also an experiment that ends its process is one that failed
            if interruptions.heard():
                raise
            return failure(f"figure {self.name!r}", error)
        return None

    def killed(self) -> Failure:
        return Failure(
            f"figure {self.name!r} was being drawn when its process was killed, as for lack of memory; run again"
        )


@dataclass(frozen=True)
class NotebookJob:
    """A notebook to execute while others draw: pages find it executed, and tell what is wrong with it."""

    project: Project
    source: Path
    module: str = ""
    seconds: float = 10.0
    is_run: bool = False

    @property
    def name(self) -> str:
        return f"notebook {self.source.stem}"

    def do(self, watcher: Watcher) -> Failure | None:
        from site_builder.site.notebook import executed_once

        with suppress(Exception):
            executed_once(self.source, self.project.build / "notebooks", self.project.root)
        return None

    def killed(self) -> Failure:
        return Failure("its process was killed, as for lack of memory; run again")


def longest_first(jobs: list[RunJob]) -> list[RunJob]:
    """Return the runs in the order in which many processes are done soonest; what never ran goes first."""
    return sorted(jobs, key=lambda job: -job.seconds if job.seconds else float("-inf"))


def compiling_least_twice(jobs: list[RunJob], under_way: frozenset[str], compiled: Set[str] = frozenset()) -> RunJob:
    """Return the run that has least to compile of what other processes compile just now.

    Of several, it is the one with most to compile that nobody has `compiled` yet: what is left to the end, when there
    are few runs to choose from, would be compiled twice.
    """
    return min(jobs, key=lambda job: (len(job.compiles & under_way), -len(job.compiles - compiled)))


def earlier_seconds(project: Project, experiment: Experiment, scale: str) -> float:
    """Return how long the newest stored run of an experiment at `scale` took, or 0 if there is none."""
    stored = [
        path for path in (project.results / experiment.id).glob("*/run.json") if _said(path).get("scale") == scale
    ]
    newest = max(stored, key=lambda path: path.stat().st_mtime_ns, default=None)
    seconds = _said(newest).get("seconds") if newest else None
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _said(path: Any) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _experiment(module: str) -> Experiment:
    experiment: Experiment = importlib.import_module(module).experiment
    return experiment
