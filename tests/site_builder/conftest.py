"""A tiny complete report in a temporary folder, run in this process."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import experiments
import experiments.core
from experiments.core.contract import FigureSpec
from site_builder import pipeline
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import discover
from site_builder.figures import drawings
from site_builder.store.records import FileRecord, Report

REPOSITORY = Path(__file__).parents[2]
TINY = REPOSITORY / "tests" / "tiny"


@dataclass
class Heard:
    """A watcher that remembers what it was told."""

    runs: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def began(self, what: str) -> None:
        if not what.startswith("drawing "):
            self.runs.append(what)

    def advanced(self, step: str, fraction: float) -> None: ...

    def ended(self, what: str, seconds: float) -> None: ...

    def progressed(self, share: float) -> None: ...

    def said(self, sentence: str) -> None:
        self.sentences.append(sentence)


@dataclass
class Tiny:
    """The tiny report: edit its files, gather what it has to show, look at what ran and what was drawn."""

    project: Project
    heard: Heard = field(default_factory=Heard)
    drawn: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.project.root

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace `old`, which must be there, and forget the imported modules."""
        path = self.root / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
        forget_modules()

    def gather(self, **options: Any) -> Report:
        """Discover, run, draw and decide; `heard` and `drawn` then tell of this call alone."""
        self.heard.runs.clear()
        self.heard.sentences.clear()
        self.drawn.clear()
        return pipeline.gather(self.project, discover(self.project.experiments), Options(**options), self.heard)

    def draw(self, spec: FigureSpec, result: Any, folder: Path, provenance: dict[str, str]) -> Any:
        """Stand in for the writer of figure files, which costs a second per figure."""
        self.drawn.append(spec.id)
        assert spec.draw(result) is not None
        content = f"{spec.id} {provenance['draw key']}".encode()
        (folder / "light.svg").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        return {"light.svg": FileRecord("light.svg", digest, len(content))}, digest


def forget_modules() -> None:
    for name in [name for name in sys.modules if name.startswith(("experiments.waves", "experiments.core.signals"))]:
        del sys.modules[name]
    for package, name in ((experiments, "waves"), (experiments.core, "signals")):
        if hasattr(package, name):
            delattr(package, name)


def write_tiny_report(root: Path) -> Project:
    """Copy the tiny report to `root`, with the core it stands on, and commit it."""
    shutil.copytree(TINY, root, dirs_exist_ok=True)
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        REPOSITORY / "experiments" / "core", root / "experiments" / "core", dirs_exist_ok=True, ignore=without
    )
    (root / "experiments" / "__init__.py").write_text('"""The tiny report."""\n', "utf-8")
    (root / ".gitignore").write_text("build/\n__pycache__/\n", "utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "The tiny report"]):
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
    return Project(root)


def run_command(root: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `python -m site_builder` at `root` in a process of its own."""
    command = [sys.executable, "-m", "site_builder", *arguments]
    return subprocess.run(command, cwd=root, env=command_environment(), capture_output=True, text=True, **options)


def command_environment() -> dict[str, str]:
    """Return the environment of a command: this package can be imported, and no option is set."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SCALE", "DEVICE", "ONLY", "JOBS")}
    return kept | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """The environment for a command in a process of its own."""
    return command_environment()


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny report, built by the command line."""
    root = write_tiny_report(tmp_path_factory.mktemp("built") / "report").root
    done = run_command(root, "report", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture
def built(built_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    """A copy of the built report, with commands run in this process and figures drawn as they are."""
    root = tmp_path / "report"
    shutil.copytree(built_once, root, symlinks=True)
    monkeypatch.chdir(root)
    for name in ("SCALE", "DEVICE", "ONLY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOBS", "1")  # in this process, whose modules a test may change
    with imported_from(Tiny(Project(root)), monkeypatch) as report:
        yield report


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    with imported_from(Tiny(write_tiny_report(tmp_path / "report")), monkeypatch) as report:
        monkeypatch.setattr(drawings, "figure_writer", lambda: report.draw)
        yield report


@contextmanager
def imported_from(report: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tiny]:
    """Make the experiments of `report` importable beside the repository's core."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for package, folder in ((experiments, "experiments"), (experiments.core, "experiments/core")):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(report.root / folder)])
    forget_modules()
    yield report
    forget_modules()
