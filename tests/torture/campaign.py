"""The order of a campaign: which trials are left, two kinds side by side, and a file with the counts."""

import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from site_builder.base.environment import hardware
from site_builder.store.codec import to_json
from site_builder.store.entries import write_file
from tests.torture import trials
from tests.torture.code_mutations import mutations
from tests.torture.small_report import SmallReport, small_report


@dataclass(frozen=True)
class Plan:
    """What the page calls a kind of trial, and how many trials are wanted."""

    name: str
    wanted: int


KINDS = {
    "mutations": Plan("code mutations seen by the run key", 60),
    "strings": Plan("hostile strings in every sink", 1),
    "kills": Plan("kills at random moments", 100),
    "corruptions": Plan("corruptions and deletions below build/", 60),
    "pairs": Plan("pairs of reports at once", 10),
    "disks": Plan("full and read-only disks", 10),
}

LANES = (("mutations", "strings"), ("kills",), ("disks", "pairs", "corruptions"))
"""The first lane runs alone, because its trials run experiments in this process; the others side by side."""


@dataclass
class Kind:
    """One kind of trial: how many went well, of how many that were made, what went wrong, when, where, with which code.

    `trials` may be more than were wanted: one that tries many cases counts each.
    """

    name: str
    passed: int = 0
    trials: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0
    date: str = ""
    machine: str = ""
    code: str = ""


class Campaign:
    """Trials of all kinds against one small report."""

    def __init__(self, root: Path, folder: Path, seconds: float, most: int, *, again: bool = False) -> None:
        self.root, self.folder, self.most = root, folder, most
        self.file = root / "docs" / "torture.json"
        self.until = time.monotonic() + seconds
        self.code = _code(root)
        self.machine = hardware("cpu")
        self.kinds = {} if again else self._kept()
        self.lock = threading.Lock()
        self.base: SmallReport | None = None
        self.right: dict[str, str] = {}
        self.whole = 0.0

    @property
    def is_sound(self) -> bool:
        """True when every trial that is wanted was made and went well."""
        return all(
            name in self.kinds and self.kinds[name].trials >= plan.wanted and not self.kinds[name].wrong
            for name, plan in KINDS.items()
        )

    def run(self, names: list[str]) -> None:
        """Make the trials of these kinds that are left, and say how each kind went."""
        left = [name for name in names if self.kinds.get(name, Kind("")).trials < KINDS[name].wanted]
        if any(name not in LANES[0] for name in left):
            self._build()
        self._lane([name for name in LANES[0] if name in left])
        with ThreadPoolExecutor(len(LANES)) as pool:
            for done in [pool.submit(self._lane, [name for name in lane if name in left]) for lane in LANES[1:]]:
                done.result()
        for name in names:
            kind = self.kinds.get(name, Kind(KINDS[name].name))
            short = "" if kind.trials >= KINDS[name].wanted else f", {KINDS[name].wanted} are wanted"
            self._tell(f"{kind.passed} of {kind.trials} {kind.name}{short} ({kind.seconds:.0f} s)")

    def _build(self) -> None:
        self.base = small_report(self.folder / "base")
        begin = time.monotonic()
        first = self.base.run("report", "--jobs", "2")
        self.whole = time.monotonic() - begin
        if first.code:
            raise SystemExit(f"the small report cannot be built: {first.err}")
        self.right = self.base.lasting()
        self._tell(f"the small report took {self.whole:.0f} s")

    def _lane(self, names: list[str]) -> None:
        for name in names:
            self._try(name)

    def _try(self, name: str) -> None:
        plan = KINDS[name]
        kind = self.kinds.setdefault(name, Kind(plan.name, code=self.code))
        kind.date, kind.machine = datetime.now(UTC).date().isoformat(), self.machine
        rng, made = random.Random(), 0
        rng.seed(f"{name} {kind.trials}")
        outcomes = self._outcomes(name, rng)
        while kind.trials < plan.wanted and made < self.most and time.monotonic() < self.until:
            rng.seed(f"{name} {kind.trials}")  # a campaign that goes on makes the trials that it would have made
            begin = time.monotonic()
            try:
                wrong, count = next(outcomes)
            except StopIteration:
                return
            made += 1
            kind.seconds += time.monotonic() - begin
            kind.trials += count
            kind.passed += count - len(wrong)
            kind.wrong += wrong
            for each in wrong:
                self._tell(f"  {each}")
            self._keep()

    def _outcomes(self, name: str, rng: random.Random) -> Iterator[tuple[list[str], int]]:
        """Yield what went wrong in each trial, and how many cases it tried."""
        if name == "strings":
            passed, count = trials.hostile_strings(self.root)
            yield ["a hostile string: see the test"] * (count - passed), count
            return
        if name == "mutations":
            yield from (([wrong] if wrong else [], 1) for wrong in mutations(self.root, self.folder, rng))
            return
        if name == "disks" and not trials.can_mount(self.folder / "disk-trial"):
            self._tell("disks of any size cannot be made here: run it as root, or in a container of its own")
            return
        assert self.base is not None
        kinds: dict[str, Callable[..., Iterator[str]]] = {
            "kills": lambda *about: trials.kills(*about, self.whole),
            "corruptions": trials.corruptions,
            "pairs": trials.pairs,
            "disks": trials.disks,
        }
        for wrong in kinds[name](self.base, self.right, self.folder, rng):
            yield [wrong] if wrong else [], 1

    def _kept(self) -> dict[str, Kind]:
        """Return what was counted before with this code."""
        try:
            kinds = [Kind(**each) for each in json.loads(self.file.read_text("utf-8"))["kinds"]]
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return {
            name: kind
            for name, plan in KINDS.items()
            for kind in kinds
            if (kind.name, kind.code) == (plan.name, self.code)
        }

    def _keep(self) -> None:
        with self.lock:
            write_file(
                self.file, to_json({"kinds": [asdict(self.kinds[name]) for name in KINDS if name in self.kinds]})
            )

    def _tell(self, sentence: str) -> None:
        sys.stdout.write(f"{sentence}\n")
        sys.stdout.flush()


def _code(root: Path) -> str:
    """Return the digest of what a campaign tries: the program, what all experiments share, and the trials."""
    places = [root / "site_builder", root / "experiments" / "core", root / "tests" / "torture", root / "tests" / "tiny"]
    files = sorted(path for place in places for path in place.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        if "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]
