"""Draws the figures of a run, or finds them drawn: files in `build/figures/<figure>/<key>/`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.core.contract import Experiment, FigureSpec
from site_builder import codec
from site_builder.console import Watcher
from site_builder.keys import Key
from site_builder.project import Project
from site_builder.records import FigureRecord, FileRecord, RunRecord, Source
from site_builder.runs import Run
from site_builder.store import damage, is_complete, write_entry
from site_builder.words import fill

Draw = Callable[[FigureSpec, Any, Path, dict[str, str]], tuple[dict[str, FileRecord], str]]
"""Draws a figure into a folder, with provenance inside the files; returns the files by kind and the content digest."""


@dataclass(frozen=True)
class Drawn:
    """What one drawing made: the digest of the plotted data, and its files with paths relative to `figures/`."""

    digest: str
    files: dict[str, FileRecord]


def stored(project: Project, spec: FigureSpec, key: Key, watcher: Watcher) -> Drawn | None:
    """Return the figure as it was drawn under `key`, or None; a damaged one is reported and counts as absent."""
    folder = entry(project, spec, key)
    if not is_complete(folder):
        return None
    wrong = damage(folder)
    if wrong:
        watcher.said(f"{folder.relative_to(project.root)}: {wrong} does not have its recorded digest; drawn again")
        return None
    drawn: Drawn = codec.record_from_json((folder / "drawn.json").read_text("utf-8"), Drawn)
    return drawn


def drawn(project: Project, spec: FigureSpec, run: Run, key: Key, draw: Draw) -> Drawn:
    """Draw `spec` from `run` and store its files."""
    folder = entry(project, spec, key)

    def fill_folder(temporary: Path) -> None:
        files, digest = draw(spec, run.result, temporary, provenance(spec, run.record, key))
        placed = {
            kind: replace(file, path=f"{spec.id}/{key.short}/{Path(file.path).name}") for kind, file in files.items()
        }
        (temporary / "drawn.json").write_text(codec.record_to_json(Drawn(digest, placed)), "utf-8")
        (temporary / "key.json").write_text(codec.to_json(key.parts), "utf-8")

    write_entry(folder, fill_folder)
    made: Drawn = codec.record_from_json((folder / "drawn.json").read_text("utf-8"), Drawn)
    return made


def entry(project: Project, spec: FigureSpec, key: Key) -> Path:
    """Return the folder of one drawn figure."""
    return project.figures / spec.id / key.short


def provenance(spec: FigureSpec, run: RunRecord, key: Key) -> dict[str, str]:
    """Return what the files say of themselves: only what their keys fix, so that equal keys give equal bytes.

    The commit is not among it: it would change every file at every commit; `figures.json` has it.
    """
    return {
        "figure": spec.id,
        "title": spec.title,
        "experiment": run.experiment,
        "run key": run.key,
        "draw key": key.digest,
        "device": run.device,
    }


def figure_record(
    project: Project,
    experiment: Experiment,
    spec: FigureSpec,
    run: Run,
    key: Key,
    drawn: Drawn,
    claims: tuple[str, ...],
) -> FigureRecord:
    """Return the record of a drawn figure, its words filled in; page and number are the renderer's to give."""
    where = f"the {{}} of figure {spec.id!r}"
    return FigureRecord(
        id=spec.id,
        title=spec.title,
        caption=fill(spec.caption, run.result, where.format("caption")),
        alt=fill(spec.alt, run.result, where.format("alt text")),
        interval=spec.interval,
        experiment=experiment.id,
        run=run.record,
        source=source_of(project, spec),
        draw_key=key.digest,
        digest=drawn.digest,
        files=drawn.files,
        claims=claims,
    )


def source_of(project: Project, spec: FigureSpec) -> Source:
    """Return where the drawing function stands, its decorator included."""
    function = inspect.unwrap(spec.draw)
    path = Path(inspect.getfile(function)).resolve()
    lines, first = inspect.getsourcelines(function)
    root = project.root.resolve()
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    return Source(shown, first, first + len(lines) - 1)
