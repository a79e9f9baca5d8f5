"""From experiments to a report: run or load, draw or load, decide.

A failure becomes a problem of the report and stops nothing else; nothing that failed is stored.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from pathlib import Path

from experiments.core.contract import ClaimSpec, Experiment
from experiments.core.criteria import Evidence, Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.base import interruptions
from site_builder.base.console import Watcher
from site_builder.base.environment import Commit, commit_of
from site_builder.base.options import Options
from site_builder.base.project import Project, file_of
from site_builder.citing.publication import read_publication
from site_builder.discovery.registry import Registry, stem
from site_builder.figures import drawings, view_files
from site_builder.figures.drawings import Draw, Drawing
from site_builder.keys.build_stamp import code_digest, running_code_digest
from site_builder.keys.run_keys import Key, draw_key, draw_parts
from site_builder.published.large_scale import times_the_work
from site_builder.published.reproduction import SCALE
from site_builder.published.results import Published, load
from site_builder.published.shipping import load_shipped, staleness
from site_builder.results import runs
from site_builder.results.failures import Failure, failure, told
from site_builder.results.runs import Run, key_of, sources_of
from site_builder.running.crews import crew
from site_builder.running.forecast import Forecast
from site_builder.running.jobs import DrawJob, Job, RunJob, earlier_seconds, longest_first
from site_builder.running.workers import Crew
from site_builder.store import kernels
from site_builder.store.entries import clear_unfinished
from site_builder.store.records import ClaimRecord, FigureRecord, Problem, Report, RunRecord
from site_builder.text.words import quantities_of, with_set_numbers


def gather(
    project: Project,
    registry: Registry,
    options: Options,
    watcher: Watcher,
    code: str | None = None,
    beside: Sequence[Job] = (),
    meanwhile: Callable[[], None] = lambda: None,
) -> Report:
    """Return all that pages can show.

    `code` is the digest of the code as it was before `registry` imported it: keys are made from the files, so
    nothing may be stored under them if the files changed in between. `beside` is further work for those who draw, if
    anything is drawn; `meanwhile` is done in a thread of this process then, which mostly waits for others.
    """
    clear_unfinished(project.build)
    selected = {each.id for each in registry.select(options.only)}
    gathering = _Gathering(project, registry, options, watcher)
    gathering.absent |= registry.unreadable
    gathering.refuse_damaged()
    plans = gathering.plans()
    running = running_code_digest(project)
    if code not in (None, code_digest(project)):
        raise ReportError("the code was changed while it was being read; run the same command again")
    jobs = [job for plan in plans for job in gathering.loaded(plan, asked_for=plan.experiment.id in selected)]
    if jobs:
        threading.Thread(target=meanwhile, daemon=True).start()
    gathering.work(plans, jobs, running, beside)
    for plan in plans:
        gathering.take_in(plan)
    return gathering.report()


@dataclass
class _Plan:
    """What is to be done for one experiment: its keys, made before anything runs; later its run and drawings."""

    experiment: Experiment
    key: Key
    about: dict[str, dict[str, str]]
    draw_parts: dict[str, dict[str, str]]
    folder: Path
    run: Run | None = None
    drawings: dict[str, Drawing] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All names under which pages show something of the experiment."""
        return [stem(self.experiment.id), *self.experiment.figures, *self.experiment.claims]


@dataclass
class _Gathering:
    """What has been gathered so far."""

    project: Project
    registry: Registry
    options: Options
    watcher: Watcher
    runs: dict[str, RunRecord] = field(default_factory=dict)
    figures: dict[str, FigureRecord] = field(default_factory=dict)
    claims: dict[str, ClaimRecord] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    stale: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.commit: Commit = commit_of(self.project.root)
        self.publication = read_publication(self.project.root)
        self.writer: Draw = drawings.figure_writer()
        self.published: Published = load(self.project)

    def report(self) -> Report:
        problems = (*self.registry.problems, *self.problems)
        return Report(
            self.options.scale,
            self.runs,
            self.figures,
            self.claims,
            self.quantities,
            problems,
            self.absent,
            self.registry.dormant,
            self.options.shipped,
            self.stale,
            large=times_the_work(self.registry.experiments.values()),
        )

    def refuse_damaged(self) -> None:
        """Take in what is wrong with published results, and say which belong to no experiment any more."""
        if not self.options.shipped:
            return
        self.problems += [Problem("experiments/published", sentence) for sentence in self.published.problems]
        for id in self.published.runs.keys() - self.registry.experiments.keys() - self.registry.broken.keys():
            self.watcher.said(f"The published result of {id} belongs to no experiment any more; it is left out.")

    def plans(self) -> list[_Plan]:
        """Make all keys."""
        sources = sources_of(self.project)
        plans = []
        for experiment in self.registry.experiments.values():
            names = [stem(experiment.id), *experiment.figures, *experiment.claims]
            with self._catching(experiment, "its key", names):
                key = key_of(self.project, sources, experiment, self.options)
                about = {
                    id: drawings.about(spec, experiment, self.publication, self.options.scale)
                    for id, spec in experiment.figures.items()
                }
                figures = {
                    id: draw_parts(sources, spec, self.writer, view_files.write, about[id])
                    for id, spec in experiment.figures.items()
                }
                plans.append(_Plan(experiment, key, about, figures, runs.entry(self.project, experiment, key)))
        return plans

    def loaded(self, plan: _Plan, *, asked_for: bool) -> list[Job]:
        """Load the plan's run if it is stored; return what is left to do for the plan: to run it, or to draw it."""
        with self._catching(plan.experiment, "run", plan.names):
            plan.run = self._stored(plan)
            if plan.run:
                return self._drawings(plan)
            if self.options.shipped:
                self._absent(plan, "its result is not among the published ones; run `make report`")
                return []
            if asked_for and self.options.compute:
                seconds = self._seconds(plan.experiment)
                compiles = frozenset() if seconds else kernels.compiled_by(plan.key.parts, self.project.experiments)
                return [RunJob(self.project, plan.experiment.module, self.options, plan.key, seconds, compiles)]
            reason = "not run yet" if asked_for else f"not run, for only {self.options.only!r} was asked for"
            self._absent(plan, reason)
        return []

    def _seconds(self, experiment: Experiment) -> float:
        """Return how long an experiment may take: what it took here, or else for the publishing machine."""
        here = earlier_seconds(self.project, experiment, self.options.scale)
        published = self.published.runs.get(experiment.id) if self.options.scale == SCALE else None
        return here or (published.run.seconds * self._slowness if published else 0.0)

    @cached_property
    def _slowness(self) -> float:
        """How much longer this machine takes than the publishing one, judged by what already ran here."""
        times = [
            (earlier_seconds(self.project, self.registry.experiments[id], SCALE), published.run.seconds)
            for id, published in self.published.runs.items()
            if id in self.registry.experiments
        ]
        both = [(here, there) for here, there in times if here]
        return sum(here for here, _ in both) / sum(there for _, there in both) if both else 1.0

    def _absent(self, plan: _Plan, reason: str) -> None:
        self.absent |= dict.fromkeys(plan.names, f"{file_of(plan.experiment.id)}: {reason}")

    def work(self, plans: list[_Plan], jobs: list[Job], code: str, beside: Sequence[Job]) -> None:
        """Run and draw what is missing; a figure is drawn as soon as somebody is free after its run."""
        if not jobs:
            return
        by_module = {plan.experiment.module: plan for plan in plans}
        runs = [job for job in jobs if isinstance(job, RunJob)]
        runs = longest_first(runs) if self.options.jobs > 1 or self.options.cluster else runs
        kernels.drop_damaged(self.project.build / "kernels", self.watcher.said)
        forecast = Forecast(jobs, self.watcher)
        forecast.tell(min(self.options.jobs, len(runs)))
        with self._crew(by_module, runs, jobs, code, forecast) as doing:
            for job in (*runs, *beside, *(job for job in jobs if not job.is_run)):
                doing.add(job)
            for job, failed in doing.outcomes():
                for drawing in self._done(by_module[job.module], job, failed) if job.module else ():
                    doing.add(drawing)
        kernels.record(self.project.build / "kernels")

    def _crew(
        self, by_module: dict[str, _Plan], runs: list[RunJob], jobs: list[Job], code: str, forecast: Forecast
    ) -> AbstractContextManager[Crew]:
        figures = len(jobs) - len(runs) + sum(len(by_module[job.module].experiment.figures) for job in runs)
        return crew(self.options, len(runs), figures, {job.module for job in jobs}, code, self.project, forecast)

    def _done(self, plan: _Plan, job: Job, failed: Failure | None) -> list[Job]:
        """Take in that a job is done; return what is to be drawn now that its run is there."""
        if not job.is_run:
            if failed:
                del plan.drawings[job.name]
                self._fail(plan.experiment, failed, [job.name])
            return []
        if failed:
            self._fail(plan.experiment, failed, plan.names)
            return []
        to_draw: list[Job] = []
        with self._catching(plan.experiment, "run", plan.names):
            plan.run = self._stored(plan)
            to_draw = self._drawings(plan)
        return to_draw

    def _drawings(self, plan: _Plan) -> list[Job]:
        """Plan the drawings of a run; return those that are not stored."""
        assert plan.run is not None
        plan.drawings = {
            id: Drawing(id, plan.folder, plan.about[id], draw_key(parts, plan.run.digest))
            for id, parts in plan.draw_parts.items()
        }
        return [
            DrawJob(self.project, plan.experiment.module, drawing)
            for drawing in plan.drawings.values()
            if not drawings.is_stored(self.project, drawing, self.watcher)
        ]

    def take_in(self, plan: _Plan) -> None:
        """Take in all that a finished run has to show."""
        if plan.run is None:
            return
        experiment, run = plan.experiment, plan.run
        self.runs[experiment.id] = run.record
        quantities = quantities_of(run.result)
        self.quantities |= {f"{stem(experiment.id)}.{name}": value for name, value in quantities.items()}
        for id, drawing in plan.drawings.items():
            with self._catching(experiment, f"figure {id!r}", [id]):
                claims = tuple(name for name, (_, claim) in self.registry.claims.items() if id in claim.figures)
                spec = experiment.figures[id]
                self.figures[id] = drawings.figure_record(self.project, experiment, spec, run, drawing, claims)
        for claim in experiment.claims.values():
            with self._catching(experiment, f"claim {claim.id!r}", [claim.id]):
                self.claims[claim.id] = decided(experiment, claim, run)

    def _stored(self, plan: _Plan) -> Run | None:
        if self.options.shipped:
            return self._shipped(plan)
        run = runs.stored(self.project, plan.experiment, plan.key, self.watcher)
        return run and runs.at_build(run, plan.experiment.title, self.options.scale, self.commit)

    def _shipped(self, plan: _Plan) -> Run | None:
        published = self.published.runs.get(plan.experiment.id)
        if published is None:
            return None
        run, plan.folder = load_shipped(self.project, plan.experiment, published)
        stale = staleness(published, plan.key, plan.folder)
        if stale:
            self.stale |= dict.fromkeys(plan.names, stale)
            return run
        return runs.at_build(run, plan.experiment.title, self.options.scale, self.commit)

    @contextmanager
    def _catching(self, experiment: Experiment, what: str, names: list[str]) -> Iterator[None]:
        """Turn a failure into a problem, and make `names` absent because of it."""
        try:
            yield
        except BaseException as error:
            if interruptions.heard():
                raise
            self._fail(experiment, failure(what, error), names)

    def _fail(self, experiment: Experiment, failed: Failure, names: list[str]) -> None:
        sentence = told(self.project, experiment.id, failed)
        self.problems.append(Problem(file_of(experiment.id), sentence))
        self.absent |= dict.fromkeys(names, f"{file_of(experiment.id)}: {sentence}")


def decided(experiment: Experiment, spec: ClaimSpec, run: Run) -> ClaimRecord:
    """Return the claim as one run decides it; raises ReportError when the claim function measured nothing usable."""
    statistic, by_criterion, margin = _judged(spec, spec.decide(run.result))
    if not isfinite(statistic.value):
        raise ReportError(f"claim {spec.id!r} has the statistic {statistic.value}; it must be a finite number")
    record = ClaimRecord(
        id=spec.id,
        title=spec.title,
        experiment=experiment.id,
        scale=run.record.scale,
        statements=spec.statements,
        source=spec.source,
        test=with_set_numbers(spec.test),
        criterion=with_set_numbers(spec.criterion.sentence),
        statistic=statistic,
        verdict=by_criterion,
        published=spec.published,
        figures=spec.figures,
        margin=margin,
        by_criterion=by_criterion,
    )
    return replace(record, verdict=Verdict.INCONCLUSIVE) if record.is_narrow else record


def _judged(spec: ClaimSpec, found: object) -> tuple[Quantity, Verdict, float | None]:
    """Return the statistic of a claim, the criterion's verdict, and that verdict's margin in standard errors."""
    if not isinstance(found, Quantity | Evidence):
        raise ReportError(f"claim {spec.id!r} returned a {type(found).__name__}; return a Quantity or an Evidence")
    evidence = found if isinstance(found, Evidence) else Evidence(statistic=found)
    try:
        verdict = spec.criterion.verdict(evidence)
    except ValueError as error:
        raise ReportError(f"claim {spec.id!r} cannot be decided: {error}") from error
    return evidence.statistic, verdict, spec.criterion.margin(evidence)
