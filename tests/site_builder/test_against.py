"""An earlier commit and the present state are timed in turns, each from a clone of its own."""

import json
import subprocess
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder import against
from site_builder.base.console import Lines
from site_builder.base.project import Project

SITE = """
import json, sys
from pathlib import Path
root = Path.cwd()
(root / "build/site").mkdir(parents=True, exist_ok=True)
(root / "build/figures").mkdir(exist_ok=True)
(root / "build/site/index.html").write_text("")
(root / "build/site/figures.json").write_text(json.dumps({"figures": [1, 2]}))
"""
"""A program that takes the place of the report: it makes a site of two figures."""


def git(root: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *settings, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of two commits, whose "training" prints 4 at the first and 2 at the second."""
    root = tmp_path / "repository"
    for folder in ("site_builder", "experiments/speed", "docs"):
        (root / folder).mkdir(parents=True)
    (root / "site_builder" / "__main__.py").write_text(SITE)
    (root / "docs" / "geometry.md").write_text("# Geometry\n")
    (root / "experiments" / "__init__.py").write_text("SECONDS = 4\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "before")
    (root / "experiments" / "__init__.py").write_text("SECONDS = 2\n")
    git(root, "commit", "-qam", "now")
    script = tmp_path / "workloads.py"
    script.write_text("import experiments\nprint(experiments.SECONDS)\n")
    monkeypatch.setattr(against.workloads, "__file__", str(script))
    monkeypatch.setattr(against, "WORKLOADS", {"a training": None})
    return root


def test_the_two_states_are_told_apart(repository):
    path = against.measure_against(Project(repository), "HEAD~1", Lines())
    found = json.loads(path.read_text())
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["a training"]["old"] == [4.0] * against.REPEATS
    assert rows["a training"]["new"] == [2.0] * against.REPEATS
    assert {name: len(row["new"]) for name, row in rows.items() if name != "a training"} == {
        "the quick report of a fresh clone": 1,
        "the report after one edited sentence": against.EDITS,
        "drawing a figure": 1,
    }
    assert found["figures"] == {"old": 2, "new": 2}
    assert found["commit"] == git(repository, "rev-parse", "HEAD~1")[:12]


def test_an_unknown_commit_is_said(repository):
    with pytest.raises(ReportError, match="AGAINST=nowhere: this repository has no such commit"):
        against.measure_against(Project(repository), "nowhere", Lines())


def test_what_a_clone_cannot_do_is_said(repository, monkeypatch):
    monkeypatch.setattr(against, "WORKLOADS", {})
    (repository / "site_builder" / "__main__.py").write_text("print('no site')\n")
    git(repository, "commit", "-qam", "broken")
    with pytest.raises(ReportError, match="new: the quick report made no site there"):
        against.measure_against(Project(repository), "HEAD~1", Lines())
