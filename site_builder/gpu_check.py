"""Tries everything that needs an NVIDIA GPU, in one go, and writes down what was measured.

A GPU is seldom at hand, so one command does it all: the tests marked `gpu`, the rows of `make bench`, and every
experiment at quick scale on the GPU. A step that fails stops nothing, so that one try tells all that is to be mended.
"""

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from site_builder.base.console import Watcher
from site_builder.base.environment import commit_of, hardware, versions
from site_builder.base.project import Project
from site_builder.store.entries import write_file

BUDGET = 8 * 60.0
"""Seconds for all steps together; one that would exceed it is stopped, and said to be."""

TAIL = 4000
"""Characters of a step's last words that are kept."""

STEPS: dict[str, list[str]] = {
    "tests": ["pytest", "-m", "gpu", "-p", "no:xdist", "tests"],
    "report": ["site_builder", "run", "--scale", "quick", "--device", "cuda"],
    "bench": ["site_builder", "bench", "--device", "cuda"],
}
"""What is tried, as modules to run, what matters most first."""


@dataclass(frozen=True)
class Step:
    """How a step ended: its exit status (None: stopped at the end of the budget), seconds, and last words."""

    name: str
    status: int | None
    seconds: float
    said: str

    @property
    def is_fine(self) -> bool:
        return self.status == 0


def check_gpu(project: Project, watcher: Watcher, steps: dict[str, list[str]] | None = None) -> tuple[Path, list[Step]]:
    """Do all steps on this machine's GPU; return the file that holds what came out, and the steps."""
    end, done = time.monotonic() + BUDGET, []
    for name, arguments in (STEPS if steps is None else steps).items():
        watcher.began(f"GPU check: {name}")
        done.append(_done(project, name, arguments, end - time.monotonic()))
        watcher.ended(f"GPU check: {name}", done[-1].seconds)
    path = project.build / "gpu-check.json"
    commit = commit_of(project.root)
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "hardware": hardware("cuda"),
        "commit": commit.id,
        "dirty": commit.dirty,
        "versions": versions({"torch", "triton", "numpy"}),
        "steps": [asdict(step) for step in done],
    }
    write_file(path, json.dumps(about, indent=1) + "\n")
    return path, done


def _done(project: Project, name: str, arguments: list[str], seconds: float) -> Step:
    start = time.monotonic()
    try:
        if seconds <= 0:
            raise subprocess.TimeoutExpired(arguments, 0, output=b"not begun: the time was used up")
        found = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=project.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        status, said = found.returncode, found.stdout
    except subprocess.TimeoutExpired as error:
        status, said = None, error.output or b""
    return Step(name, status, round(time.monotonic() - start, 1), said.decode(errors="replace")[-TAIL:])
