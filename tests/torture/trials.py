"""The kinds of trial. Each yields one outcome per trial: "" if all was right, else what went wrong."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from site_builder.store.entries import MARKER, damage
from tests.torture.small_report import SmallReport, ended, left_behind

Outcomes = Iterator[str]

KILLS_PER_REPORT = 4
"""So many kills hit one course of reports, each of which goes on from where the last was killed."""


def kills(base: SmallReport, right: dict[str, str], folder: Path, rng: random.Random, seconds: float) -> Outcomes:
    """A report of which a random part is to be made is ended at a random moment (it takes `seconds`), in any way."""
    report, number = base.copy(folder / "killed"), 0
    while True:
        forget_a_part(report.build, rng)
        for _ in range(KILLS_PER_REPORT):
            number += 1
            wrong = _killed(report, rng, seconds, f"kill{number}")
            yield wrong
        wrong = report.wrong(right, jobs="2")
        if wrong:
            yield f"after kills, {wrong}"
            report = base.copy(folder / "killed")


def _killed(report: SmallReport, rng: random.Random, seconds: float, mark: str) -> str:
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    process = report.start("report", "--jobs", rng.choice("12"), mark=mark)
    try:
        process.wait(rng.uniform(0.05, 1.0) * seconds)
    except subprocess.TimeoutExpired:
        send = os.killpg if rng.random() < 0.3 else os.kill
        send(process.pid, number)
    done = ended(process)
    expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    early = done.code in (-signal.SIGINT, -signal.SIGTERM)  # before Python could listen
    if done.code not in (0, expected) and not early:
        return f"{number.name}: ended with {done.code}: {done.err[-300:]}"
    if not (done.in_words or early) and number != signal.SIGKILL:
        return f"{number.name}: {done.err[-500:]}"
    if alive := left_behind(mark):
        return f"{number.name}: {alive} processes live on"
    broken = [path for path in report.build.glob(f"*/*/*/{MARKER}") if damage(path.parent)]
    return f"{number.name}: {broken[0]} is finished and damaged" if broken else ""


def forget_a_part(build: Path, rng: random.Random) -> None:
    """Delete some of what was built, so that a report has something to do."""
    parts = ["results", "figures", "notebooks", "pages", "site", "finished.json", "report.json"]
    for name in rng.sample(parts, rng.randint(3, len(parts))):
        path = build / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


MUTATIONS: dict[str, Callable[[Path, random.Random], object]] = {
    "deleted": lambda path, rng: _delete(path),
    "emptied": lambda path, rng: path.write_bytes(b""),
    "cut": lambda path, rng: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one bit flipped": lambda path, rng: _flip(path, rng),
    "another shape": lambda path, rng: path.write_text(rng.choice(["[]", "{}", "null", "3", '{"files": {}}'])),
    "no text": lambda path, rng: path.write_bytes(rng.randbytes(64)),
    "a dangling link": lambda path, rng: (_delete(path), path.symlink_to("nowhere")),
    "a link to itself": lambda path, rng: (_delete(path), path.symlink_to(path.name)),
    "a folder for a file": lambda path, rng: (_delete(path), path.mkdir(), (path / "x").touch()),
    "a file for a folder": lambda path, rng: (_delete(path), path.write_text("x")),
}


def corruptions(base: SmallReport, right: dict[str, str], folder: Path, rng: random.Random) -> Outcomes:
    """Something below `build/` is deleted, changed or replaced; `verify` names what counts, `report` mends it."""
    while True:
        report = base.copy(folder / "corrupted")
        places = sorted(path for path in report.build.rglob("*") if not path.name.endswith(".lock"))
        place = rng.choice(places)
        if rng.random() < 0.5:  # most files are of the site; half of the time, look elsewhere
            place = rng.choice([path for path in places if "site" not in path.relative_to(report.build).parts])
        fitting = [n for n in MUTATIONS if n in ("deleted", "a file for a folder") or "link" in n or place.is_file()]
        name = rng.choice(fitting)
        what = f"{place.relative_to(report.root)} {name}"
        before = place.read_bytes() if place.is_file() else None
        MUTATIONS[name](place, rng)
        same = place.is_file() and not place.is_symlink() and place.read_bytes() == before
        told = report.run("verify")
        counts = place.relative_to(report.build).parts[0] in ("results", "figures", "site") and not same
        if counts and place.is_relative_to(report.build / "site") and before is None and not place.parent.is_dir():
            counts = False
        wrong = f"verify ended with {told.code}" if counts and told.code == 0 else ""
        wrong = wrong or ("" if told.in_words else f"verify: {told.err[-300:]}") or report.wrong(right)
        yield f"{what}: {wrong}" if wrong else ""


def _delete(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _flip(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes() or b"x")
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def pairs(base: SmallReport, right: dict[str, str], folder: Path, rng: random.Random) -> Outcomes:
    """Two reports at once, of the same or of different experiments, or beside the build of a preview."""
    commands = [["report"], ["report", "--only", "sine"], ["report", "--only", "cosine"], ["preview"], ["build"]]
    while True:
        report = base.copy(folder / "paired")
        forget_a_part(report.build, rng)
        both = [rng.choice(commands[:3]), rng.choice(commands)]
        done = [ended(process) for process in [report.start(*each, "--scale", "full") for each in both]]
        failed = [each for each in done if each.code or not each.in_words]
        wrong = f"ended with {failed[0].code}: {failed[0].err[-300:]}" if failed else report.wrong(right)
        yield f"{both}: {wrong}" if wrong else ""


REFUSED = ("full", "read-only", "space", "something else holds")
"""Words of the sentences about a disk."""


def disks(base: SmallReport, right: dict[str, str], folder: Path, rng: random.Random) -> Outcomes:
    """The disk that `build/` or a folder in it lies on is full, read-only or nearly full, and later is not."""
    while True:
        report = base.copy(folder / "disk")
        place = rng.choice(["", "", "", "results", "figures", "pages", "notebooks", "site"])
        shutil.rmtree(report.build / place, ignore_errors=True)
        for stamp in ("finished.json", "report.json"):
            (report.build / stamp).unlink(missing_ok=True)
        (report.build / place).mkdir()
        size = rng.choice([0, 8, 64, 256, 1024, 2048, 3072, 4096])  # kB; 0 is read-only
        with _mounted(report.build / place, size):
            done = report.run("report", "--jobs", rng.choice("12"))
            wrong = "" if done.in_words and done.code in (0, 1) else f"ended with {done.code}: {done.err[-500:]}"
            if not wrong and done.code == 1 and not any(words in done.err for words in REFUSED):
                wrong = f"the reason is missing: {done.err[-500:]}"
            if not wrong and done.code == 1 and str(report.build) not in done.err:
                wrong = f"the place is missing: {done.err[-500:]}"
            if not place:  # what was finished is kept
                subprocess.run(["mount", "-o", "remount,rw,size=64m", str(report.build)], check=True)
                wrong = wrong or report.wrong(right)
        wrong = wrong or report.wrong(right)
        yield f"build/{place} of {size} kB: {wrong}" if wrong else ""


def can_mount(folder: Path) -> bool:
    """True where this program may make disks of any size."""
    try:
        folder.mkdir()
        with _mounted(folder, 64):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    option = f"size={size or 64}k" + ("" if size else ",ro")
    subprocess.run(["mount", "-t", "tmpfs", "-o", option, "torture", str(folder)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def hostile_strings(root: Path) -> tuple[int, int]:
    """Feed every sink with hostile strings; return how many of how many cases were harmless."""
    tests = "tests/site_builder/text/test_hostile_text.py"
    command = [sys.executable, "-m", "pytest", tests, "-q", "--tb=no", "-p", "no:xdist"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    dots = "".join(
        line.partition(" ")[0] for line in done.stdout.splitlines() if set(line.partition(" ")[0]) <= set(".FE")
    )
    return dots.count("."), len(dots)
