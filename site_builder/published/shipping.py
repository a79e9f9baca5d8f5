"""Publishes the results of a full run with the source, and loads what was published for a site that runs nothing."""

from pathlib import Path

from experiments.core.contract import Experiment
from experiments.core.errors import ReportError
from experiments.core.instructions import PINNED
from site_builder.base.project import Project
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import Registry, stem
from site_builder.keys.run_keys import Key
from site_builder.published import reseeded
from site_builder.published.history import record
from site_builder.published.results import PublishedRun, code_part, load, publish, unpacked, write_index
from site_builder.results import runs
from site_builder.results.runs import Run
from site_builder.store.entries import sha256
from site_builder.store.records import Report


def ship(project: Project, registry: Registry, report: Report, *, partial: bool = False) -> str:
    """Write the results behind `report` to `experiments/published/`; return a sentence on what was published.

    Raises ReportError when something failed or is missing, unless `partial`, and when results depend on the processor
    that made them. With `partial`, what is published already and is not in `report` stays as it is.
    """
    if report.problems and not partial:
        raise ReportError(f"{report.problems[0].where}: {report.problems[0].message}; nothing was published")
    missing = sorted(registry.experiments.keys() - report.runs.keys())
    if missing and not partial:
        raise ReportError(f"no full result of {', '.join(missing)}; run `make report` first, or ship with --partial")
    for id, run in report.runs.items():
        if run.instructions != PINNED:
            raise ReportError(
                f"{id} was computed as {run.instructions!r}, which other machines cannot repeat; run without NATIVE=1 "
                f"on a processor with {PINNED}"
            )
    before = reseeded.standing(project)
    kept = load(project).runs.keys() & registry.experiments.keys() if partial else set()
    records = {id: sha256(project.published / f"{id}.json") for id in kept}
    for id, run in report.runs.items():
        prefix = stem(id) + "."
        numbers = {name: value for name, value in report.quantities.items() if name.startswith(prefix)}
        claims = [claim for claim in report.claims.values() if claim.experiment == id]
        records[id] = publish(project, id, project.results / id / run.key[:12], run, claims, numbers)
    write_index(project, records)
    record(project, read_publication(project.root).version, before, reseeded.standing(project))
    size = sum(path.stat().st_size for path in project.published.iterdir())
    return f"Published {len(report.runs)} results ({size / 1e6:.1f} MB) in {project.published}; commit them."


def load_shipped(project: Project, experiment: Experiment, published: PublishedRun) -> tuple[Run, Path]:
    """Return the published run of an experiment and its unpacked folder; raises ReportError when it cannot be used."""
    folder = unpacked(project, experiment.id, published)
    try:
        run = runs.read(folder, experiment)
    except ReportError:
        raise ReportError(
            "its published result was made by older code and does not fit the present one; run `make report`"
        ) from None
    return Run(published.run, run.result, run.digest), folder


def staleness(published: PublishedRun, key: Key, folder: Path) -> str:
    """Return how the code of an experiment differs from that of its published result; empty when it does not."""
    if published.code == code_part(key.parts):
        return ""
    before = runs.key_parts(folder)
    changed = sorted(
        name.partition(" ")[2]
        for name in before.keys() | key.parts.keys()
        if name.startswith(("code ", "config ", "input "))
        and before.get(name, "") != key.parts.get(name, "")[: _kept(name)]
    )
    what = changed[0] if len(changed) == 1 else f"{changed[0]} and {len(changed) - 1} more" if changed else "its code"
    return f"Stale: the published result behind this is older than its code ({what} changed); run `make report`."


def _kept(name: str) -> int | None:
    """Return how many characters of a part of a key were published."""
    return 8 if name.startswith("code ") else None
