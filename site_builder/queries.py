"""What the commands `list`, `explain`, `verify` and `cite` answer."""

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.core.errors import ReportError, did_you_mean
from site_builder.base.options import Options, WrongOption, chosen
from site_builder.base.project import Project
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import discover
from site_builder.figures import drawings, view_files
from site_builder.keys.build_stamp import FINISHED, SHOWN, finished_entries
from site_builder.keys.run_keys import Key, changes, draw_key, draw_parts
from site_builder.results import runs
from site_builder.results.runs import key_of, sources_of
from site_builder.store import codec
from site_builder.store.entries import MARKER, damage, digests, is_complete, read_stamp
from site_builder.store.records import Report


def listing(project: Project, options: Options) -> Iterator[str]:
    """Yield a line per experiment, figure and claim, then what is wrong with broken experiments."""
    registry = discover(project.experiments)
    sources = sources_of(project)
    for experiment in registry.select(options.only):
        folder = runs.entry(project, experiment, key_of(project, sources, experiment, options))
        state = "stored" if is_complete(folder) else "not run"
        yield f"{experiment.id}  {experiment.title}  [{state} at {options.scale}]"
        yield from (f"  figure {spec.id}  {spec.title}" for spec in experiment.figures.values())
        yield from (f"  claim  {spec.id}  {spec.title}" for spec in experiment.claims.values())
    yield from (f"{problem.where}: {problem.message}" for problem in registry.problems)


def explanation(project: Project, options: Options) -> Iterator[str]:
    """Yield, for each experiment and figure, whether it would be made again and which parts of its key changed."""
    registry = discover(project.experiments)
    publication = read_publication(project.root)
    sources = sources_of(project)
    for experiment in registry.select(options.only):
        try:
            key = key_of(project, sources, experiment, options)
        except ReportError as error:
            yield f"{experiment.id} cannot run: {error}"
            continue
        folder = runs.entry(project, experiment, key)
        yield from _told(experiment.id, "run", folder, key)
        if is_complete(folder) and not damage(folder):
            digest = runs.result_digest(folder)
            for spec in experiment.figures.values():
                about = drawings.about(spec, experiment, publication, options.scale)
                figure_key = draw_key(
                    draw_parts(sources, spec, drawings.figure_writer(), view_files.write, about), digest
                )
                yield from _told(f"  {spec.id}", "be drawn", drawings.entry(project, spec.id, figure_key), figure_key)
    yield from (f"{problem.where}: {problem.message}" for problem in registry.problems)


def _told(name: str, verb: str, folder: Path, key: Key) -> Iterator[str]:
    if is_complete(folder):
        wrong = damage(folder)
        yield f"{name} would {verb} again: {wrong} is damaged" if wrong else f"{name} is stored; nothing would {verb}"
        return
    differences = _nearest_differences(folder.parent, key)
    if differences is None:
        yield f"{name} would {verb} for the first time"
        return
    yield f"{name} would {verb} again:"
    yield from (f"    {difference}" for difference in differences)


def _nearest_differences(folder: Path, key: Key) -> list[str] | None:
    """Return how `key` differs from the stored key nearest to it (the newest of equals), or None without any."""
    stored = sorted((path for path in folder.glob("*") if is_complete(path)), key=_written, reverse=True)
    differences = [changes(parts, key.parts) for path in stored if (parts := runs.key_parts(path))]
    return min(differences, key=len, default=None)


def _written(folder: Path) -> int:
    return (folder / MARKER).stat().st_mtime_ns


def verification(project: Project) -> tuple[int, list[str]]:
    """Return how many finished folders there are, and a sentence for each that is missing or not as it was written."""
    folders = [marker.parent for root in (project.results, project.figures) for marker in root.glob(f"*/*/{MARKER}")]
    needed, site = finished_entries(project)
    missing = [folder for name in needed if not is_complete(folder := project.build / name)]
    wrong = [f"{folder.relative_to(project.root)} is missing; `report` makes it again" for folder in sorted(missing)]
    wrong += [
        f"{folder.relative_to(project.root)}: {files} does not have its recorded digest; `report` makes it again"
        for folder in sorted(folders)
        if (files := damage(folder))
    ]
    found = digests(project.site) if site else {}
    differing = sorted(name for name in site.keys() | found.keys() if site.get(name) != found.get(name))
    if os.path.lexists(project.build / FINISHED) and read_stamp(project.build / FINISHED) is None:
        wrong.append(f"build/{FINISHED} is damaged; `report` makes it again")
    if site and read_stamp(project.build / SHOWN) is None:
        wrong.append(f"build/{SHOWN} is missing or damaged; `report` makes it again")
    wrong += [f"build/site/{name} is not as it was built; `report` builds it again" for name in differing]
    return len(folders) + len(missing) + bool(site), wrong


def last_report(project: Project) -> Report:
    """Return the report of the last site that was built."""
    found = read_stamp(project.build / SHOWN)
    if found is None:
        raise ReportError("no site was built yet, so there is no figure to cite; run `make report`")
    try:
        report: Report = codec.decode(found, Report, {})
    except (LookupError, ValueError, TypeError, AttributeError):
        raise ReportError("the last site was built by another version of this program; run `make report`") from None
    return report


def citation(project: Project, figure: str, format: str) -> str:
    """Return the citation of a figure of the last rendered report; of the whole report where `figure` is empty."""
    from site_builder.citing.citations import FORMATS, REPORT_FORMATS, cite, cite_report

    chosen(format, tuple(FORMATS if figure else REPORT_FORMATS), "--format")
    if not figure:
        return cite_report(format, read_publication(project.root))
    report = last_report(project)
    if figure not in report.figures:
        hint = did_you_mean(figure, report.figures) or "; `python -m site_builder list` shows all"
        raise WrongOption(f"there is no figure {figure!r}{hint}")
    return cite(report.figures[figure], format, read_publication(project.root))
