"""`make torture`: tries for some minutes to make a report lose, let in or show something wrong, and counts.

Writes `docs/torture.json`, which the page Method shows. Ends with 1 if anything went wrong.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import experiments.core  # noqa: F401  (holds the libraries to the pinned instructions before any is loaded)
from site_builder.base.environment import hardware
from site_builder.store.codec import to_json
from site_builder.store.entries import write_file
from tests.torture import trials
from tests.torture.code_mutations import mutations
from tests.torture.small_report import small_report

ROOT = Path(__file__).parents[2]
OUTCOME = ROOT / "docs" / "torture.json"


@dataclass
class Kind:
    """One kind of trial: how many went well, of how many that were made, and what went wrong."""

    name: str
    passed: int
    trials: int
    wrong: list[str]


def main() -> int:
    """Run the campaign and return what the program ends with."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="after which no further trial begins")
    parser.add_argument("--only", default="", help="one kind of trial; the file is not written then")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        kinds = campaign(Path(folder), asked.minutes * 60, asked.only, asked.seed)
    if not asked.only:
        about = {"date": datetime.now(UTC).date().isoformat(), "machine": hardware("cpu"), "seed": asked.seed}
        write_file(OUTCOME, to_json(about | {"kinds": [asdict(kind) for kind in kinds]}))
    return int(any(kind.wrong for kind in kinds))


def campaign(folder: Path, seconds: float, only: str, seed: int) -> list[Kind]:
    """Run all kinds one after another; each may take its share of the time that is left."""
    rng = random.Random(seed)
    base = small_report(folder / "base")
    begin = time.monotonic()
    first = base.run("report", "--jobs", "2")
    whole = time.monotonic() - begin
    if first.code:
        raise SystemExit(f"the small report cannot be built: {first.err}")
    right = base.lasting()
    plans: list[tuple[str, int, float, Iterator[str]]] = [
        ("code mutations seen by the run key", 60, 0.15, mutations(ROOT, folder, rng)),
        ("kills at random moments", 100, 0.55, trials.kills(base, right, folder, rng, whole)),
        ("corruptions and deletions below build/", 60, 0.6, trials.corruptions(base, right, folder, rng)),
        ("pairs of reports at once", 10, 0.5, trials.pairs(base, right, folder, rng)),
    ]
    if trials.can_mount(folder):
        plans.append(("full and read-only disks", 10, 0.8, trials.disks(base, right, folder, rng)))
    kinds = []
    for name, most, share, outcomes in plans:
        if only in name:
            left = seconds - (time.monotonic() - begin)
            kinds.append(counted(name, most, time.monotonic() + share * left, outcomes))
    if only in "hostile strings":
        passed, count = trials.hostile_strings(ROOT)
        kinds.append(Kind("hostile strings in every sink", passed, count, ["see the test"] * (count - passed)))
        tell(kinds[-1])
    return kinds


def counted(name: str, most: int, until: float, outcomes: Iterator[str]) -> Kind:
    """Make up to `most` trials, beginning none after `until`."""
    kind = Kind(name, 0, 0, [])
    while kind.trials < most and time.monotonic() < until:
        wrong = next(outcomes)
        kind.trials += 1
        kind.passed += not wrong
        if wrong:
            kind.wrong.append(wrong)
            sys.stdout.write(f"  {wrong}\n")
    tell(kind)
    return kind


def tell(kind: Kind) -> None:
    """Say how one kind of trial went."""
    sys.stdout.write(f"{kind.passed} of {kind.trials} {kind.name}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
