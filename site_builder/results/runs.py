"""Runs an experiment, or finds that it ran: results in `build/results/<experiment>/<key>/`.

An entry holds `result.json` and `result.npz` (the result), `run.json` (how it went) and `key.json`
(the parts of its key).
"""

import hashlib
import json
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.core.contract import Experiment
from experiments.core.errors import ReportError
from experiments.core.progress import listening, noting
from experiments.core.quantity_words import unwritten
from site_builder.base.console import Watcher
from site_builder.base.environment import Commit, hardware, threads
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import result_type
from site_builder.keys.run_keys import Key, config_values, run_key
from site_builder.keys.sources import Sources
from site_builder.store import codec
from site_builder.store.entries import damage, is_complete, locked, remove, sha256, write_entry
from site_builder.store.records import RunRecord


@dataclass(frozen=True)
class Run:
    """A stored run: its record, its result and the digest of the result's files."""

    record: RunRecord
    result: Any
    digest: str


def config_of(experiment: Experiment, options: Options) -> Any:
    """Return the configuration that `options` ask for; one without a seed is the same whatever the seed."""
    config = experiment.at(options.scale)
    if not options.seed_raised_by or not hasattr(config, "seed"):
        return config
    return replace(config, seed=config.seed + options.seed_raised_by)


def sources_of(project: Project) -> Sources:
    """Return the first-party source of `project`, and of this package where it lies elsewhere."""
    return Sources([project.root, Path(__file__).parents[2]])


def key_of(project: Project, sources: Sources, experiment: Experiment, options: Options) -> Key:
    """Return the key of the run that `options` ask for."""
    return run_key(sources, experiment, config_of(experiment, options), options.device, project.root)


def entry(project: Project, experiment: Experiment, key: Key) -> Path:
    """Return the folder of one stored result."""
    return project.results / experiment.id / key.short


def stored(project: Project, experiment: Experiment, key: Key, watcher: Watcher) -> Run | None:
    """Return the stored run, or None; a damaged one is reported and counts as absent."""
    folder = entry(project, experiment, key)
    if not is_complete(folder):
        return None
    wrong = damage(folder)
    if wrong:
        watcher.said(f"{folder.relative_to(project.root)}: {wrong} does not have its recorded digest; not used")
        return None
    try:
        return read(folder, experiment)
    except ReportError as error:
        watcher.said(f"{error}; not used")
        return None


def computed(project: Project, experiment: Experiment, options: Options, key: Key, watcher: Watcher) -> Run:
    """Run `experiment` and store its result; another report at the same work is waited for, and its result taken.

    Raises ReportError when the result is not what `run` declares or holds undeclared NaN, and lets
    through whatever `run` raises; nothing is stored then.
    """
    folder = entry(project, experiment, key)
    with locked(
        folder.with_name(f".{key.short}.lock"),
        lambda: watcher.said(f"{experiment.id}: another report is running it; waiting for its result"),
    ):
        if is_complete(folder) and not damage(folder):
            with suppress(ReportError):
                return read(folder, experiment)
            remove(folder)
        from experiments.core.threads import undisturbed  # imports torch and numba, which what is stored needs not

        with _watched(experiment, watcher), noting() as notes, undisturbed(), unwritten():
            start = time.perf_counter()
            assert experiment.compute is not None
            result = experiment.compute(config_of(experiment, options), options.device)
            seconds = time.perf_counter() - start
        record = _record(experiment, options, key, seconds, notes)
        _write(folder, experiment, result, record, key)
        return read(folder, experiment)


def at_build(run: Run, title: str, scale: str, commit: Commit) -> Run:
    """Return `run` as this build sees it: the same key means that this commit's code gives this result."""
    return replace(run, record=replace(run.record, title=title, scale=scale, commit=commit.id, dirty=commit.code_dirty))


def result_digest(folder: Path) -> str:
    """Return the digest of a stored result: of its JSON and of each array, whatever archive they are packed in."""
    with zipfile.ZipFile(folder / "result.npz") as packed:
        arrays = [name + hashlib.sha256(packed.read(name)).hexdigest() for name in sorted(packed.namelist())]
    return hashlib.sha256("".join([sha256(folder / "result.json"), *arrays]).encode()).hexdigest()


@contextmanager
def _watched(experiment: Experiment, watcher: Watcher) -> Iterator[None]:
    watcher.began(experiment.id)
    start = time.perf_counter()
    try:
        with listening(watcher.advanced):
            yield
    finally:
        watcher.ended(experiment.id, time.perf_counter() - start)


def _record(experiment: Experiment, options: Options, key: Key, seconds: float, notes: dict[str, str]) -> RunRecord:
    prefix = "version "
    return RunRecord(
        experiment=experiment.id,
        title=experiment.title,
        scale=options.scale,
        config=config_values(config_of(experiment, options)),
        key=key.digest,
        device=options.device,
        hardware=hardware(options.device),
        instructions=key.parts["instructions"],
        threads=int(notes["threads"]) if notes.get("threads", "").isdigit() else threads(),
        seconds=seconds,
        versions={name.removeprefix(prefix): found for name, found in key.parts.items() if name.startswith(prefix)}
        | {"python": key.parts["python"]},
        commit="",
        dirty=True,
        notes=notes,
    )


def _write(folder: Path, experiment: Experiment, result: Any, record: RunRecord, key: Key) -> None:
    kind = result_type(experiment)
    arrays: codec.Arrays = {}
    structure = codec.encode(result, kind, kind.__name__, arrays)

    def fill(temporary: Path) -> None:
        (temporary / "result.npz").write_bytes(codec.npz_bytes(arrays))
        (temporary / "result.json").write_text(codec.to_json(structure), "utf-8")
        (temporary / "run.json").write_text(codec.record_to_json(record), "utf-8")
        (temporary / "key.json").write_text(codec.to_json(key.parts), "utf-8")

    write_entry(folder, fill)


def read(folder: Path, experiment: Experiment) -> Run:
    """Return the run stored in `folder`, whose files are known to be sound."""
    try:
        structure = json.loads((folder / "result.json").read_text("utf-8"))
        result = codec.decode(structure, result_type(experiment), codec.read_npz(folder / "result.npz"))
        record = codec.record_from_json((folder / "run.json").read_text("utf-8"), RunRecord)
        return Run(record, result, result_digest(folder))
    except (OSError, LookupError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ReportError(f"{folder} cannot be read back ({error}); delete that folder and run again") from error


def key_parts(folder: Path) -> dict[str, str]:
    """Return the parts of the key of a stored run or figure, {} if they cannot be read."""
    try:
        parts = json.loads((folder / "key.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in parts.items()} if isinstance(parts, dict) else {}
