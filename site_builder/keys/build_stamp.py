"""Is there anything to do? Answered from files alone, without importing an experiment.

`build/finished.json` records the state of everything a finished site was made from, and the digests of all
that was made. `build/report.json` keeps the report of the last run, which stays good while the code, the
environment and the options do, so that editing a page imports no experiment either.
"""

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.core.given_files import GIVEN_FILES
from experiments.core.instructions import instructions
from site_builder.base.environment import Commit, commit_of
from site_builder.base.locks import normal, runtime
from site_builder.base.project import Project
from site_builder.store.entries import damage, digests, read_stamp, remove, sha256, write_stamp

State = dict[str, str]
"""Digests of what a site is made from: "code", "pages", "environment", "options", "commit"."""

FINISHED = "finished.json"
SHOWN = "rendered.json"
"""The report that the site shows, for `cite` and `publish`."""

WRITTEN = "rendered.written.json"
"""The digests of that report and of its file."""

CODE = ("code", "environment", "options")
"""The parts of a state that decide the report; the others decide only the pages."""


def state_of(project: Project, options: Any, *, draft: bool = False) -> State:
    """Return the state that a build with `options` starts from."""
    commit = commit_of(project.root)
    return {
        "code": code_digest(project),
        "pages": _digest_of_files(project.root, [project.docs, project.mkdocs, project.root / "CITATION.cff"]),
        "environment": _digest(
            "\n".join([sys.version, instructions(), *_installed(project.root), *_addresses(), *_given()])
        ),
        "options": repr((options, draft)),
        "commit": f"{commit.id} {commit.dirty} {commit.code_dirty}",
    }


def code_digest(project: Project) -> str:
    """Return the digest of all first-party code and of what is published beside it."""
    return _digest_of_files(project.root, [project.experiments, project.root / "site_builder"])


def running_code_digest(project: Project) -> str:
    """Return the digest of all first-party code without what is published, which may be written while runs go on."""
    places = [project.experiments, project.root / "site_builder"]
    return _digest_of_files(project.root, places, but=project.published)


def is_finished(project: Project, state: State) -> bool:
    """True when the site was finished from this very state and every file it rests on is as it was."""
    marker = _read(project.build / FINISHED, {"state", "inputs", "entries", "site"})
    return (
        marker is not None
        and marker["state"] == state
        and _inputs_hold(project, marker["inputs"])
        and not any(damage(project.build / folder) for folder in marker["entries"])
        and read_stamp(project.build / SHOWN) is not None
        and digests(project.site) == marker["site"]
    )


def mark_finished(
    project: Project, state: State, report: Any, inputs: Iterable[Path], files: dict[str, str] | None = None
) -> None:
    """Record that `project.site` was made from `state` without a problem; `files` are its digests, where known."""
    marker = {
        "state": state,
        "inputs": _input_digests(project, inputs),
        "entries": _entries(report),
        "site": files or digests(project.site),
    }
    write_stamp(project.build / FINISHED, marker)


def finished_entries(project: Project) -> tuple[list[str], dict[str, str]]:
    """Return the stored folders (relative to `build/`) that the finished site rests on, and the digests of its files;
    both empty where no site is finished."""
    marker = _read(project.build / FINISHED, {"entries", "site"})
    return (list(marker["entries"]), dict(marker["site"])) if marker else ([], {})


def forget_finished(project: Project) -> None:
    """Record that `project.site` is about to change."""
    remove(project.build / FINISHED)


def keep_shown(project: Project, report: Any) -> None:
    """Write the report that the site shows, unless it is there already."""
    from site_builder.store.codec import encode

    shown, record = project.build / SHOWN, project.build / WRITTEN
    digest = _digest(repr(report))
    if read_stamp(record) != {"report": digest, "file": sha256(shown) if shown.is_file() else ""}:
        write_stamp(shown, encode(report, type(report), "report", {}, undefined=True))
        write_stamp(record, {"report": digest, "file": sha256(shown)})


def keep_report(project: Project, state: State, report: Any, inputs: Iterable[Path]) -> None:
    """Keep a report that has no problems for as long as the code behind it stays as it is."""
    from site_builder.store.codec import encode

    kept = {
        "state": {name: state[name] for name in CODE},
        "inputs": _input_digests(project, inputs),
        "report": encode(report, type(report), "report", {}, undefined=True),
    }
    write_stamp(project.build / "report.json", kept)


def kept_report(project: Project, state: State) -> tuple[Any, list[Path]] | None:
    """Return the kept report with this build's commit, and the experiments' input files, if all of it still holds."""
    kept = _read(project.build / "report.json", {"state", "inputs", "report"})
    if kept is None or kept["state"] != {name: state[name] for name in CODE}:
        return None
    from site_builder.store.codec import decode
    from site_builder.store.records import Report

    try:
        report = decode(kept["report"], Report, {})
    except (LookupError, ValueError, TypeError, AttributeError):  # not what `keep_report` of this program wrote
        return None
    if not _inputs_hold(project, kept["inputs"]):
        return None
    if any(damage(project.build / folder) for folder in _entries(report)):
        return None
    return _at_commit(report, commit_of(project.root)), [Path(path) for path in kept["inputs"]]


def _at_commit(report: Any, commit: Commit) -> Any:
    runs = {id: replace(run, commit=commit.id, dirty=commit.code_dirty) for id, run in report.runs.items()}
    figures = {id: replace(figure, run=runs[figure.experiment]) for id, figure in report.figures.items()}
    return replace(report, runs=runs, figures=figures)


def _entries(report: Any) -> list[str]:
    """Return the stored folders that a report rests on, relative to `build/`."""
    results = [] if report.shipped else [f"results/{run.experiment}/{run.key[:12]}" for run in report.runs.values()]
    return results + [f"figures/{figure.id}/{figure.draw_key[:12]}" for figure in report.figures.values()]


def _inputs_hold(project: Project, recorded: Any) -> bool:
    return isinstance(recorded, dict) and all(
        (project.root / path).is_file() and sha256(project.root / path) == digest for path, digest in recorded.items()
    )


def _input_digests(project: Project, inputs: Iterable[Path]) -> dict[str, str]:
    return {path.as_posix(): sha256(project.root / path) for path in inputs}


def _read(path: Path, fields: set[str]) -> dict[str, Any] | None:
    """Return what a stamp holds, or None if it is missing, damaged or without one of `fields`."""
    found = read_stamp(path)
    return found if isinstance(found, dict) and fields <= found.keys() else None


def _digest_of_files(root: Path, places: Iterable[Path], but: Path | None = None) -> str:
    files = sorted(
        path
        for place in places
        for path in ([place] if place.is_file() else place.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and but not in path.parents
    )
    return _digest("\n".join(f"{path.relative_to(root).as_posix()} {sha256(path)}" for path in files))


def _installed(root: Path) -> list[str]:
    """Return the installed packages that a report needs (all where no lock says which), as their folders show them."""
    places = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found = sorted(path.name for place in places for path in Path(place).glob("*.dist-info"))
    needed = runtime(root)
    return [name for name in found if normal(name.partition("-")[0]) in needed] if needed else found


def _addresses() -> list[str]:
    """Return the addresses that `mkdocs.yml` takes from the environment."""
    return [os.environ.get(name, "") for name in ("SITE_URL", "REPO_URL")]


def _given() -> list[str]:
    """Return the optional files that the environment names; what they hold is checked as any input."""
    return [os.environ.get(name, "") for name in GIVEN_FILES]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
