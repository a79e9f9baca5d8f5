"""Draws the figures of a run, or finds them drawn: files in `build/figures/<figure>/<key>/`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from experiments.core.contract import Experiment, FigureSpec
from site_builder.base.console import Watcher
from site_builder.base.project import Project
from site_builder.citing.publication import Publication
from site_builder.figures import view_files
from site_builder.figures.for_print import QUICK
from site_builder.keys.run_keys import Key
from site_builder.results.runs import Run
from site_builder.store import codec
from site_builder.store.entries import damage, is_complete, remove, write_entry
from site_builder.store.records import FigureRecord, FileRecord, Source
from site_builder.text.words import fill

Draw = Callable[[FigureSpec, Any, Path, dict[str, str]], tuple[dict[str, FileRecord], str]]
"""Draws a figure into a folder, with provenance inside the files; returns the files by kind and the content digest."""


@dataclass(frozen=True)
class Drawing:
    """A figure that may have to be drawn: its id, the folder of the run it shows, what its files say, and its key."""

    figure: str
    run_folder: Path
    about: dict[str, str]
    key: Key


@dataclass(frozen=True)
class Drawn:
    """What one drawing made: the digest of the plotted data, and its files with paths relative to `figures/`."""

    digest: str
    files: dict[str, FileRecord]


def figure_writer() -> Draw:
    """Return the function that draws a figure's files."""
    from site_builder.figures.figure_files import draw

    return draw


def entry(project: Project, figure: str, key: Key) -> Path:
    """Return the folder of one drawn figure."""
    return project.figures / figure / key.short


def is_stored(project: Project, drawing: Drawing, watcher: Watcher) -> bool:
    """True when the figure is there as it was drawn; a damaged one is reported and counts as absent."""
    folder = entry(project, drawing.figure, drawing.key)
    if not is_complete(folder):
        return False
    wrong = damage(folder)
    if wrong:
        watcher.said(f"{folder.relative_to(project.root)}: {wrong} does not have its recorded digest; drawn again")
        return False
    try:
        read(project, drawing)
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        watcher.said(f"{folder.relative_to(project.root)} cannot be read back; drawn again")
        remove(folder)
        return False
    return True


def draw_into_store(project: Project, spec: FigureSpec, result: Any, drawing: Drawing, draw: Draw) -> None:
    """Draw `spec` from `result` and store its files; what the drawing function raises passes through."""

    def fill_folder(temporary: Path) -> None:
        provenance = drawing.about | {"result": drawing.key.parts["result"], "draw key": drawing.key.digest}
        files, digest = draw(spec, result, temporary, provenance)
        if spec.view is not None:
            files = files | view_files.write(spec, result, temporary)
        placed = {
            kind: replace(file, path=f"{spec.id}/{drawing.key.short}/{Path(file.path).name}")
            for kind, file in files.items()
        }
        (temporary / "drawn.json").write_text(codec.record_to_json(Drawn(digest, placed)), "utf-8")
        (temporary / "key.json").write_text(codec.to_json(drawing.key.parts), "utf-8")

    write_entry(entry(project, spec.id, drawing.key), fill_folder)


def read(project: Project, drawing: Drawing) -> Drawn:
    """Return what a stored drawing made."""
    text = (entry(project, drawing.figure, drawing.key) / "drawn.json").read_text("utf-8")
    drawn: Drawn = codec.record_from_json(text, Drawn)
    return drawn


def about(spec: FigureSpec, experiment: Experiment, publication: Publication, scale: str) -> dict[str, str]:
    """Return what a figure's files say of themselves; all of it is part of the draw key.

    The commit is not among it: it would change every file at every commit; `figures.json` has it. A quick run says
    that it is one.
    """
    known = {
        "figure": spec.id,
        "title": spec.title,
        "experiment": experiment.id,
        "author": ", ".join(publication.authors),
        "licence": publication.licence,
        "scale": scale if scale == QUICK else "",
        "url": publication.at(f"figures/{spec.id}.html") if publication.url else "",
    }
    return {name: value for name, value in known.items() if value}


def figure_record(
    project: Project, experiment: Experiment, spec: FigureSpec, run: Run, drawing: Drawing, claims: tuple[str, ...]
) -> FigureRecord:
    """Return the record of a drawn figure, its words filled in; page and number are the renderer's to give."""
    drawn = read(project, drawing)
    return FigureRecord(
        id=spec.id,
        title=spec.title,
        caption=fill(spec.caption, run.result, f"the caption of figure {spec.id!r}"),
        alt=fill(spec.alt, run.result, f"the alt text of figure {spec.id!r}"),
        interval=spec.interval,
        experiment=experiment.id,
        run=run.record,
        source=source_of(project, spec),
        draw_key=drawing.key.digest,
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
