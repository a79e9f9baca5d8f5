"""How much faster is this state of the project than an earlier commit? Both take turns on this machine.

Each gets a fresh clone and the packages of this environment. What is timed is what a user waits for: a training, the
quick report of a fresh clone with compilation, all figures drawn again, and the report after one edited sentence.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from experiments.core.errors import ReportError
from experiments.speed.shared import workloads
from experiments.speed.shared.workloads import WORKLOADS
from site_builder.base.console import Watcher
from site_builder.base.environment import commit_of, hardware, usable_cores
from site_builder.base.project import Project
from site_builder.store.entries import write_file

REPEATS = 5
"""Turns of each training."""

EDITS = 3
"""Turns of what follows an edited sentence."""

EDITED = Path("docs", "geometry.md")

TRAINING, QUICK, DRAWING, EDIT = "training", "quick", "drawing", "edit"

Turn = tuple[str, Path]
"""Whose turn it is, "old" or "new", and where its clone is."""


def measure_against(project: Project, commit: str, watcher: Watcher) -> Path:
    """Time this state and `commit` in turns; write `experiments/speed/against.json` and return its path.

    Raises ReportError where there is no such commit, or where a clone cannot do what is timed.
    """
    known = _git(project.root, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}")
    if not known:
        raise ReportError(f"AGAINST={commit}: this repository has no such commit; `git log` lists them")
    about = {
        "commit": known[:12],
        "of": _git(project.root, "show", "-s", "--format=%cs", known),
        "this": commit_of(project.root).id[:12],
        "date": date.today().isoformat(),
        "machine": hardware("cpu"),
        "threads": usable_cores(),
    }
    with tempfile.TemporaryDirectory(prefix="report-against-") as folder:
        turns = [("old", Path(folder, "old")), ("new", Path(folder, "new"))]
        for (_, root), wanted in zip(turns, (known, "HEAD"), strict=True):
            _clone(project.root, root, wanted)
        rows = []
        tasks = [*_trainings(), *_reports()]
        for number, (kind, name, repeats, work) in enumerate(tasks):
            watcher.advanced(name, number / len(tasks))
            found: dict[str, list[float]] = {"old": [], "new": []}
            for _ in range(repeats):
                for who, root in turns:
                    found[who].append(work(root))
            rows.append({"kind": kind, "name": name, **found})
        figures = {who: _figures(root) for who, root in turns}
    path = project.root / "experiments" / "speed" / "against.json"
    write_file(path, json.dumps(about | {"figures": figures, "rows": rows}, indent=1) + "\n")
    return path


def _trainings() -> Iterator[tuple[str, str, int, Callable[[Path], float]]]:
    for name in WORKLOADS:

        def work(root: Path, name: str = name) -> float:
            said = _run(root, [sys.executable, str(workloads.__file__), name])
            return float(said.split()[-1])

        yield TRAINING, name, REPEATS, work


def _reports() -> Iterator[tuple[str, str, int, Callable[[Path], float]]]:
    """Yield what is timed of the whole report, in an order in which each finds what it needs."""

    def edited(root: Path) -> float:
        with (root / EDITED).open("a", encoding="utf-8") as page:
            page.write("\nOne sentence more.\n")
        return _report(root)

    def loaded(root: Path) -> float:
        for kept in ("report.json", "finished.json"):
            (root / "build" / kept).unlink(missing_ok=True)
        return edited(root)

    def drawn_again(root: Path) -> float:
        shutil.rmtree(root / "build" / "figures")
        return (loaded(root) - loaded(root)) / _figures(root)

    yield QUICK, "the quick report of a fresh clone", 1, _report
    yield EDIT, "the report after one edited sentence", EDITS, edited
    yield DRAWING, "drawing a figure", 1, drawn_again


def _report(root: Path) -> float:
    """Make the quick report in a clone; return how long that took."""
    start = time.perf_counter()
    _run(root, [sys.executable, "-m", "site_builder", "report"], accepted=(0, 2))  # 2: a verdict differs
    if not (root / "build" / "site" / "index.html").is_file():
        raise ReportError(f"{root.name}: the quick report made no site there")
    return time.perf_counter() - start


def _figures(root: Path) -> int:
    return len(json.loads((root / "build" / "site" / "figures.json").read_text("utf-8"))["figures"])


def _clone(origin: Path, root: Path, commit: str) -> None:
    _git(origin, "clone", "--quiet", "--no-checkout", str(origin), str(root))
    _git(root, "checkout", "--quiet", "--detach", _git(origin, "rev-parse", commit))


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True).stdout.strip()


def _run(root: Path, command: list[str], accepted: tuple[int, ...] = (0,)) -> str:
    """Run a command in a clone, with its packages before those of this project; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "JOBS", "ONLY")}
    environment |= {"PYTHONPATH": str(root), "SCALE": "quick", "DEVICE": "cpu"}
    found = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if found.returncode not in accepted:
        last = (found.stderr or found.stdout).strip().splitlines()[-1:] or ["it said nothing"]
        raise ReportError(f"{root.name}: `{' '.join(command[1:])}` failed: {last[0]}")
    return found.stdout
