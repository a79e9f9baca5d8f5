"""A small report to be tortured: two experiments, a page, a notebook; and what is right about it."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.site_builder.conftest import command_environment, write_tiny_report

NOTEBOOK = """# %% [markdown]
# # A notebook
# %%
sum(range(10))
"""

LASTING = (".svg", ".png", ".pdf", ".csv", ".tex", ".bib", "claims.json", "answers.json", "waves.html", "index.html")
"""Files of the site that hold no wall time, by the end of their names."""

MARK = "TORTURE_TRIAL"
"""Variable of the environment that every process of a trial inherits."""

SECONDS = 180
"""How long one command may take on a busy machine."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def in_words(self) -> bool:
        """True when nothing was said but sentences."""
        return not any(word in self.err + self.out for word in ("Traceback", "Exception ignored", "leaked", "zmq"))


class SmallReport:
    """One copy of the report in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def build(self) -> Path:
        return self.root / "build"

    def copy(self, root: Path) -> "SmallReport":
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.root, root, symlinks=True)
        return SmallReport(root)

    def start(self, *arguments: str, mark: str = "") -> "subprocess.Popen[str]":
        """Start a command in a group of its own, which hears signals if this program does."""
        return subprocess.Popen(
            [sys.executable, "-m", "site_builder", *arguments],
            cwd=self.root,
            env=command_environment() | {MARK: mark, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> Done:
        return ended(self.start(*arguments))

    def lasting(self) -> dict[str, str]:
        """Return the digests of all files of the site that do not change from run to run."""
        site = self.build / "site"
        files = [path for path in sorted(site.rglob("*")) if path.is_file() and path.name.endswith(LASTING)]
        return {path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def wrong(self, right: dict[str, str], jobs: str = "1") -> str:
        """Run the report to its end and return what is wrong with the outcome, "" for nothing."""
        done = self.run("report", "--jobs", jobs)
        if done.code or not done.in_words:
            return f"the report ended with {done.code}: {(done.err or done.out)[-300:]}"
        if self.lasting() != right:
            return "the site differs"
        done = self.run("verify")
        return f"verify ended with {done.code}: {done.err[-300:]}" if done.code else ""


def small_report(root: Path) -> SmallReport:
    """Write the report to `root`."""
    write_tiny_report(root)
    (root / "docs" / "notebooks").mkdir()
    (root / "docs" / "notebooks" / "n.py").write_text(NOTEBOOK, "utf-8")
    return SmallReport(root)


def ended(process: "subprocess.Popen[str]") -> Done:
    """Wait for a command; one that hangs is killed and ends with 999."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return Done(999, out, f"it hung. {err}")
    return Done(process.returncode, out, err)


def left_behind(mark: str, patience: float = 10.0) -> int:
    """Return how many processes of a trial still live after some patience."""
    until = time.monotonic() + patience
    while (alive := _alive(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    return alive


def _alive(mark: str) -> int:
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            count += not zombie and f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
    return count
