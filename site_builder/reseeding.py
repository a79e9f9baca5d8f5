"""Runs the report again with other seeds, to see whether its verdicts and intervals hold.

Nothing is drawn. Every further run is stored like any other and written beside the published results as soon as it is
done, so that an interrupted campaign loses nothing and goes on where it was. What is written there already is not run
again while it speaks of what is published, so that a campaign also goes on from another machine; to run an experiment
anew, remove its file (a verdict written there was given by the criterion of its day).
"""

from collections.abc import Iterator
from dataclasses import replace

from experiments.core.contract import Experiment
from experiments.core.errors import ReportError
from site_builder.base.console import Watcher
from site_builder.base.options import Options
from site_builder.base.project import Project, file_of
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import discover, stem
from site_builder.keys.build_stamp import running_code_digest
from site_builder.keys.sources import Sources
from site_builder.pipeline import decided
from site_builder.published import reseeded
from site_builder.published.history import record
from site_builder.published.reseeded import OtherRun, Reseeded
from site_builder.published.results import Published, PublishedClaim, PublishedRun, code_part, load
from site_builder.results import runs
from site_builder.results.failures import Failure, told
from site_builder.results.runs import key_of, sources_of
from site_builder.running.crews import crew
from site_builder.running.forecast import Forecast
from site_builder.running.jobs import RunJob, longest_first
from site_builder.running.workers import counted
from site_builder.store.records import Problem, bounds
from site_builder.text.words import quantities_of

STEP = 7001
"""What each further run adds to the seed; no two seeds of an experiment's models are that far apart."""

SHORT = 60.0
"""Seconds up to which an experiment is run `OFTEN` further times, and `SELDOM` if it takes longer."""
OFTEN, SELDOM = 5, 2


def reseed(project: Project, options: Options, watcher: Watcher, times: int | None = None) -> list[Problem]:
    """Run each published experiment that has a seed `times` further times (None: by how long it takes), and write what
    they gave beside the published results; return what went wrong. Raises ReportError if nothing is published."""
    published, code, registry = load(project), running_code_digest(project), discover(project.experiments)
    before, written = reseeded.standing(project), reseeded.current(project, published)
    sources = sources_of(project)
    if not published.runs:
        raise ReportError("no results are published to compare with; run `make report`, then `ship`")
    chosen = [each for each in registry.select(options.only) if _is_current(project, sources, each, options, published)]
    seeded = [each for each in chosen if hasattr(each.at(options.scale), "seed")]
    wanted = {each.id: times or how_often(published.runs[each.id].run.seconds) for each in seeded}
    problems: list[Problem] = []
    try:
        for round in range(1, max(wanted.values(), default=0) + 1):
            raised = replace(options, seed_raised_by=round * STEP)
            due = [
                each
                for each in seeded
                if wanted[each.id] >= round and raised.seed_raised_by not in written.get(each.id, {})
            ]
            watcher.said(f"Seeds raised by {raised.seed_raised_by}: {counted(len(due), 'experiment')}.")
            for id, failed in _run_all(project, sources, due, raised, published, watcher, code):
                if failed:
                    problems.append(Problem(file_of(id), told(project, id, failed)))
                else:
                    others = written.setdefault(id, {})
                    others[raised.seed_raised_by] = _other_run(project, sources, registry.experiments[id], raised)
                    _write(project, published.runs[id], others)
    finally:  # also what a campaign gave that is broken off
        record(project, read_publication(project.root).version, before, reseeded.standing(project))
    return problems


def how_often(seconds: float) -> int:
    """Return how many further times an experiment runs that takes so long."""
    return OFTEN if seconds < SHORT else SELDOM


def _is_current(
    project: Project, sources: Sources, experiment: Experiment, options: Options, published: Published
) -> bool:
    found = published.runs.get(experiment.id)
    return found is not None and found.code == code_part(key_of(project, sources, experiment, options).parts)


def _run_all(
    project: Project,
    sources: Sources,
    experiments: list[Experiment],
    options: Options,
    published: Published,
    watcher: Watcher,
    code: str,
) -> Iterator[tuple[str, Failure | None]]:
    """Run what is not stored; yield the id of each experiment that is done, and how it failed if it did."""
    jobs = []
    for each in experiments:
        key = key_of(project, sources, each, options)
        if runs.stored(project, each, key, watcher):
            yield each.id, None
        else:
            jobs.append(RunJob(project, each.module, options, key, published.runs[each.id].run.seconds))
    if not jobs:
        return
    forecast = Forecast(jobs, watcher)
    with crew(options, len(jobs), 0, {job.module for job in jobs}, code, project, forecast) as doing:
        for job in longest_first(jobs):
            doing.add(job)
        for done, failed in doing.outcomes():
            yield done.name, failed


def _write(project: Project, known: PublishedRun, found: dict[int, OtherRun]) -> None:
    in_order = tuple(found[raised_by] for raised_by in sorted(found))
    reseeded.write(project, known.run.experiment, Reseeded(reseeded.FORMAT, known.code, in_order, known.result))


def _other_run(project: Project, sources: Sources, experiment: Experiment, options: Options) -> OtherRun:
    """Return what a further run that is stored gave."""
    run = runs.read(runs.entry(project, experiment, key_of(project, sources, experiment, options)), experiment)
    claims = {}
    for claim in experiment.claims.values():
        record = decided(experiment, claim, run)
        claims[claim.id] = PublishedClaim(record.verdict, record.statistic)
    numbers = {f"{stem(experiment.id)}.{name}": bounds(found) for name, found in quantities_of(run.result).items()}
    return OtherRun(options.seed_raised_by, claims, numbers)
