"""How work in progress looks: a bar on a terminal, plain lines anywhere else."""

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from experiments.core.errors import ReportError
from site_builder.base.refusals import OUTPUT, refusal

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 30.0
"""How often a long run speaks where there is no terminal."""


def in_words(seconds: float) -> str:
    """Return a time to come, as exactly as it can be known: "40 s", "12 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(10, round(seconds, -1)):.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


class Clock:
    """Says how much of all work is done and how long the rest takes if it goes on as it did."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.share = 0.0

    def words(self) -> str:
        """Return "34% done, about 12 min left", or an empty string while it is too early to say."""
        passed = time.monotonic() - self.began
        if self.share < 0.01 or passed < 3:
            return ""
        return f"{self.share:.0%} done, about {in_words(passed * (1 - self.share) / self.share)} left"


class Watcher(Protocol):
    """Who hears how the work goes."""

    def began(self, what: str) -> None:
        """A long piece of work starts."""

    def advanced(self, step: str, fraction: float) -> None:
        """The piece of work that began is at `fraction` in [0, 1] of its current step."""

    def progressed(self, share: float) -> None:
        """Of all work there is, this share in [0, 1] is done; 0 where work begins, which may be once more."""

    def ended(self, what: str, seconds: float) -> None:
        """A long piece of work is over, well or not."""

    def said(self, sentence: str) -> None:
        """Something happened that a reader should know."""


class Lines:
    """Prints a line when work begins and ends, and now and then between."""

    def __init__(self) -> None:
        self.what = ""
        self.spoke = 0.0
        self.clock: Clock | None = None

    def began(self, what: str) -> None:
        self.what = what
        self.spoke = time.monotonic()
        _print(f"{what} ...")

    def advanced(self, step: str, fraction: float) -> None:
        now = time.monotonic()
        if now - self.spoke >= SECONDS_BETWEEN_LINES:
            self.spoke = now
            left = self.clock.words() if self.clock else ""
            _print(f"  {left}; now {step}" if left else f"  {self.what}: {step}, {fraction:.0%}")

    def progressed(self, share: float) -> None:
        self.clock = self.clock if self.clock and share else Clock()
        self.clock.share = share

    def ended(self, what: str, seconds: float) -> None:
        _print(f"{what} took {seconds:.1f} s")

    def said(self, sentence: str) -> None:
        _print(sentence)


def _print(sentence: str) -> None:
    """Print at once; an output that refuses is named, so that nobody takes it for a mistake of what is under way."""
    try:
        print(sentence, flush=True)
    except OSError as error:
        refused = refusal(error, OUTPUT)
        if refused is None:
            raise
        raise ReportError(refused) from error


class Bar:
    """Shows one moving bar, and leaves a line for each piece of work that ended."""

    def __init__(self, progress: "Progress") -> None:
        self.progress = progress
        self.what = ""
        self.clock: Clock | None = None
        self.task = progress.add_task("", total=1.0, visible=False)

    def began(self, what: str) -> None:
        self.what = what
        self.progress.reset(self.task, description=what, total=1.0, visible=True)

    def advanced(self, step: str, fraction: float) -> None:
        left = self.clock.words() if self.clock else ""
        done = self.clock.share if self.clock and left else fraction
        self.progress.update(
            self.task, description=f"{left}; {step}" if left else f"{self.what}: {step}", completed=done
        )

    def progressed(self, share: float) -> None:
        self.clock = self.clock if self.clock and share else Clock()
        self.clock.share = share

    def ended(self, what: str, seconds: float) -> None:
        self.progress.update(self.task, visible=False)
        self.said(f"{what} took {seconds:.1f} s")

    def said(self, sentence: str) -> None:
        self.progress.console.print(sentence, markup=False, highlight=False, soft_wrap=True)


def say_what_can_be_encoded() -> None:
    """Let a terminal or file that lacks a sign show a question mark in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def watching() -> Iterator[Watcher]:
    """Show the work inside the block in the way that suits where the output goes."""
    if not sys.stdout.isatty():
        yield Lines()
        return
    from rich.progress import Progress

    with Progress(*columns(), transient=True) as progress:
        yield Bar(progress)


def columns() -> tuple[Any, ...]:
    """Return what the bar consists of."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

    return SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
