"""One experiment over many workers: the worker that runs it does its pieces, and others help.

The worker that runs an experiment offers the pieces to the cluster and does them itself meanwhile, from the last one
on, leaving those that another worker has begun. It never waits for a piece that nobody has begun, so that workers with
one thread each cannot wait for each other; and what a worker that was lost or refused does not bring, it does itself.
What travels are plain values (`plain_values`).
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from experiments.core import pieces
from experiments.core.pieces import Piece
from experiments.core.progress import listening
from site_builder.running import plain_values
from site_builder.running.plain_values import NotPlain

TOPIC = "report-piece"

BETWEEN_LOOKS = 0.1
"""Seconds between two looks at what others have done."""

PATIENCE = 60.0
"""Seconds that a begun piece may take, and at least three times as long as the longest one done here."""

BEFORE_EXPERIMENTS = 10
"""The priority of a piece: it is done before an experiment that waits is begun."""

Say = Callable[[str, float], None]
"""Told what is done and which share of it; raises where the work was taken back."""


@dataclass(frozen=True)
class Asker:
    """For whom a piece is done: the module of the experiment, its options and the parts of its run key."""

    module: str
    options: dict[str, Any]
    wanted: dict[str, str]

    @property
    def digest(self) -> str:
        said = json.dumps([self.module, self.options, self.wanted], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass
class Sharing:
    """The helper of an experiment that runs on a worker: `client` returns a client of its cluster.

    `work` is what a worker does with a piece (`do_on_worker`).
    """

    client: Callable[[], Any]
    asker: Asker
    work: Callable[..., bytes]
    say: Say

    def __call__(self, offered: Sequence[Piece]) -> list[Any]:
        try:
            sent = [plain_values.packed([plain_values.name_of(each.work), each.given]) for each in offered]
        except NotPlain:
            return [pieces.do(each) for each in offered]
        client = self.client()
        topic = f"{TOPIC}-{self.asker.digest}-{time.time_ns()}"
        call = _Call(self, list(offered), topic)
        client.subscribe_topic(topic, call.begun_elsewhere)
        try:
            call.submit(client, sent)
            return call.done()
        finally:
            with suppress(Exception):  # a cluster that is gone has nothing left to take back
                client.cancel(list(call.futures.values()), force=True)
                client.unsubscribe_topic(topic)


@dataclass
class _Call:
    """The pieces of one call: what was found, and who is at what since when."""

    sharing: Sharing
    offered: list[Piece]
    topic: str
    futures: dict[int, Any] = field(default_factory=dict)
    begun: dict[int, float] = field(default_factory=dict)
    found: dict[int, Any] = field(default_factory=dict)
    longest: float = 0.0

    def begun_elsewhere(self, event: tuple[float, Any]) -> None:
        self.begun[int(event[1])] = time.monotonic()

    def submit(self, client: Any, sent: list[bytes]) -> None:
        asker = self.sharing.asker
        for number, content in enumerate(sent):
            self.futures[number] = client.submit(
                self.sharing.work,
                asker.module,
                asker.options,
                asker.wanted,
                content,
                (self.topic, number),
                key=f"piece-of-{self.topic}-{number}",
                priority=BEFORE_EXPERIMENTS,
                pure=False,
            )

    def done(self) -> list[Any]:
        while len(self.found) < len(self.offered):
            self._take_in()
            number = self._next()
            if number is None:
                self._tell(0.0)
                time.sleep(BETWEEN_LOOKS)
            else:
                self._do(number)
        return [self.found[number] for number in range(len(self.offered))]

    def _take_in(self) -> None:
        """Take in what others have done; a piece that did not come back is left to be done here."""
        for number in [number for number, future in self.futures.items() if future.done()]:
            future = self.futures.pop(number)
            try:
                returned = future.result(timeout=PATIENCE)
                if returned and number not in self.found:
                    self.found[number] = plain_values.unpacked(returned)
            except Exception:
                continue  # done here, where it fails again if it was not the worker's fault

    def _next(self) -> int | None:
        """Return the piece to do here: one that nobody is at, or else one that took too long; the last one first."""
        left = [number for number in range(len(self.offered)) if number not in self.found]
        late = time.monotonic() - max(PATIENCE, 3 * self.longest)
        free = [number for number in left if number not in self.futures or number not in self.begun]
        slow = [number for number in left if self.begun.get(number, late) < late]
        return max(free or slow, default=None)

    def _do(self, number: int) -> None:
        if number not in self.begun and number in self.futures:
            self.futures.pop(number).cancel()
        start = time.monotonic()
        with listening(lambda step, fraction: self._tell(fraction * self.offered[number].seconds, step)):
            self.found[number] = pieces.do(self.offered[number])
        self.longest = max(self.longest, time.monotonic() - start)

    def _tell(self, seconds: float, step: str = "training") -> None:
        total = sum(each.seconds for each in self.offered)
        done = sum(self.offered[number].seconds for number in self.found)
        self.sharing.say(f"{step} in {len(self.offered)} pieces", min((done + seconds) / total, 1.0))
