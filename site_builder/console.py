"""How work in progress looks: a bar on a terminal, plain lines anywhere else."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 15.0
"""How often a long run speaks where there is no terminal."""


class Watcher(Protocol):
    """Who hears how the work goes."""

    def began(self, what: str) -> None:
        """A long piece of work starts."""

    def advanced(self, step: str, fraction: float) -> None:
        """The piece of work that began is at `fraction` in [0, 1] of its current step."""

    def ended(self, what: str, seconds: float) -> None:
        """A long piece of work is over, well or not."""

    def said(self, sentence: str) -> None:
        """Something happened that a reader should know."""


class Lines:
    """Prints a line when work begins and ends, and now and then between."""

    def __init__(self) -> None:
        self.what = ""
        self.spoke = 0.0

    def began(self, what: str) -> None:
        self.what = what
        self.spoke = time.monotonic()
        print(f"{what} ...", flush=True)

    def advanced(self, step: str, fraction: float) -> None:
        now = time.monotonic()
        if now - self.spoke >= SECONDS_BETWEEN_LINES:
            self.spoke = now
            print(f"  {self.what}: {step}, {fraction:.0%}", flush=True)

    def ended(self, what: str, seconds: float) -> None:
        print(f"{what} took {seconds:.1f} s", flush=True)

    def said(self, sentence: str) -> None:
        print(sentence, flush=True)


class Bar:
    """Shows one moving bar, and leaves a line for each piece of work that ended."""

    def __init__(self, progress: "Progress") -> None:
        self.progress = progress
        self.what = ""
        self.task = progress.add_task("", total=1.0, visible=False)

    def began(self, what: str) -> None:
        self.what = what
        self.progress.reset(self.task, description=what, total=1.0, visible=True)

    def advanced(self, step: str, fraction: float) -> None:
        self.progress.update(self.task, description=f"{self.what}: {step}", completed=fraction)

    def ended(self, what: str, seconds: float) -> None:
        self.progress.update(self.task, visible=False)
        self.said(f"{what} took {seconds:.1f} s")

    def said(self, sentence: str) -> None:
        self.progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching() -> Iterator[Watcher]:
    """Show the work inside the block in the way that suits where the output goes."""
    if not sys.stdout.isatty():
        yield Lines()
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        yield Bar(progress)
