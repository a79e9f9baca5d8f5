"""How long a report takes: from how long each experiment took before, here or on the publishing machine."""

import time
from collections.abc import Iterable
from typing import Protocol

from site_builder.base.console import Watcher, in_words

WORTH_TELLING = 60.0
"""Seconds from which on a forecast is told before the work begins."""

USUAL = 10.0
"""Seconds that an experiment counts while no experiment is known."""


class Piece(Protocol):
    """A piece of work: an experiment (`is_run`) or a figure, and the `seconds` it took before (0 if nobody knows)."""

    @property
    def name(self) -> str: ...

    @property
    def is_run(self) -> bool: ...

    @property
    def seconds(self) -> float: ...


class Forecast:
    """How much of the work is done, weighed by how long each piece took before; tells `watcher`."""

    def __init__(self, pieces: Iterable[Piece], watcher: Watcher) -> None:
        self.watcher = watcher
        listed = list(pieces)
        known = [piece.seconds for piece in listed if piece.is_run and piece.seconds > 0]
        self.usual = sum(known) / len(known) if known else USUAL
        self.left = {piece.name: self._weight(piece) for piece in listed}
        self.known = len(known) > len([piece for piece in listed if piece.is_run]) / 2
        self.done = 0.0
        self.at_work: dict[str, float] = {}
        self.begun: dict[str, float] = {}
        watcher.progressed(0.0)

    def _weight(self, piece: Piece) -> float:
        return piece.seconds if piece.seconds > 0 else self.usual

    def tell(self, at_once: int) -> None:
        """Say how long it will take and what is faster, if it is long and that is known."""
        seconds = sum(self.left.values()) / max(1, at_once)
        if self.known and seconds >= WORTH_TELLING:
            self.watcher.said(
                f"This takes about {in_words(seconds)}, judged by earlier runs and {at_once} at a time. "
                "To look before: `make site` shows the published results, SCALE=quick runs everything small."
            )

    def added(self, piece: Piece) -> None:
        """Take in a piece of work that came up."""
        self.left.setdefault(piece.name, self._weight(piece))

    def advanced(self, name: str, fraction: float) -> None:
        """Take in that a piece of work is at `fraction` of one of its steps."""
        if name in self.left:
            self.begun.setdefault(name, time.monotonic())
            self.at_work[name] = max(self.at_work.get(name, 0.0), fraction)
            self._tell()

    def finished(self, piece: Piece) -> None:
        """Take in that a piece of work is over."""
        self.done += self.left.pop(piece.name, 0.0)
        self.at_work.pop(piece.name, None)
        self.begun.pop(piece.name, None)
        self._tell()

    def share(self) -> float:
        """Return the share of the work that is done, in [0, 1].

        A piece under way counts by its fraction, but no more than the time since it began: many experiments begin with
        a short step, which is soon at its end.
        """
        now = time.monotonic()
        under_way = sum(
            min(self.left[name] * fraction, now - self.begun[name]) for name, fraction in self.at_work.items()
        )
        return min(1.0, (self.done + under_way) / max(1e-9, self.done + sum(self.left.values())))

    def _tell(self) -> None:
        self.watcher.progressed(self.share())
