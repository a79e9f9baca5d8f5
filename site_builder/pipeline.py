"""From experiments to a report: run or load, draw or load, decide.

A failure becomes a problem of the report and stops nothing else; nothing that failed is stored.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import site_builder
from experiments.core.contract import ClaimSpec, Experiment, FigureSpec, Finding
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder import drawings, runs
from site_builder.console import Watcher
from site_builder.drawings import Draw
from site_builder.environment import Commit, commit_of
from site_builder.keys import Key, draw_key, run_key
from site_builder.options import Options
from site_builder.project import Project
from site_builder.records import ClaimRecord, FigureRecord, Problem, Report, RunRecord
from site_builder.registry import Registry, stem
from site_builder.runs import Run
from site_builder.sources import Sources
from site_builder.store import clear_unfinished, write_file
from site_builder.words import quantities_of


def gather(project: Project, registry: Registry, options: Options, watcher: Watcher) -> Report:
    """Return all that pages can show."""
    clear_unfinished(project.build)
    selected = {each.id for each in registry.select(options.only)}
    gathering = _Gathering(project, registry, options, watcher, figure_writer())
    for id, problem in registry.broken.items():
        gathering.absent[stem(id)] = f"{problem.where}: {problem.message}"
    for experiment in registry.experiments.values():
        gathering.add(experiment, asked_for=experiment.id in selected)
    return gathering.report()


def sources_of(project: Project) -> Sources:
    """Return the first-party source of `project`, and of this package where it lies elsewhere."""
    return Sources([project.root, Path(site_builder.__file__).parents[1]])


def file_of(experiment: Experiment) -> str:
    """Return the path of an experiment's file relative to the repository."""
    return f"experiments/{experiment.id.replace('.', '/')}.py"


def key_of(project: Project, sources: Sources, experiment: Experiment, options: Options) -> Key:
    """Return the key of the run that `options` ask for."""
    return run_key(sources, experiment, experiment.at(options.scale), options.device, project.root)


def changed_verdicts(report: Report) -> tuple[Problem, ...]:
    """Return a problem for every claim whose verdict is not the one declared for the published run."""
    return tuple(
        Problem(
            f"experiments/{claim.experiment.replace('.', '/')}.py",
            f"claim {claim.id!r} was published as {claim.published} and is {claim.verdict} at {report.scale}; "
            "find out why, then change `published`",
        )
        for claim in report.claims.values()
        if claim.published not in (None, claim.verdict)
    )


def figure_writer() -> Draw:
    """Return the function that draws a figure's files."""
    from site_builder.figure_files import draw

    return draw


@dataclass
class _Gathering:
    """What has been gathered so far."""

    project: Project
    registry: Registry
    options: Options
    watcher: Watcher
    draw: Draw
    runs: dict[str, RunRecord] = field(default_factory=dict)
    figures: dict[str, FigureRecord] = field(default_factory=dict)
    claims: dict[str, ClaimRecord] = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sources = sources_of(self.project)
        self.commit: Commit = commit_of(self.project.root)

    def report(self) -> Report:
        problems = (*self.registry.problems, *self.problems)
        return Report(self.options.scale, self.runs, self.figures, self.claims, self.quantities, problems, self.absent)

    def add(self, experiment: Experiment, *, asked_for: bool) -> None:
        """Run or load one experiment and take in all it has to show."""
        with self._catching(experiment, "run", [stem(experiment.id), *experiment.figures, *experiment.claims]):
            run = self._run(experiment, asked_for)
            if run is None:
                reason = "not run yet" if asked_for else f"not run, for only {self.options.only!r} was asked for"
                names = (stem(experiment.id), *experiment.figures, *experiment.claims)
                self.absent |= dict.fromkeys(names, f"{file_of(experiment)}: {reason}")
                return
            self.runs[experiment.id] = run.record
            prefix = stem(experiment.id)
            self.quantities |= {f"{prefix}.{name}": value for name, value in quantities_of(run.result).items()}
            for figure in experiment.figures.values():
                with self._catching(experiment, f"figure {figure.id!r}", [figure.id]):
                    self.figures[figure.id] = self._figure(experiment, figure, run)
            for claim in experiment.claims.values():
                with self._catching(experiment, f"claim {claim.id!r}", [claim.id]):
                    self.claims[claim.id] = decided(experiment, claim, run)

    def _run(self, experiment: Experiment, asked_for: bool) -> Run | None:
        key = key_of(self.project, self.sources, experiment, self.options)
        run = runs.stored(self.project, experiment, key, self.watcher)
        if run is None and asked_for and self.options.compute:
            config = experiment.at(self.options.scale)
            run = runs.computed(
                self.project, experiment, config, self.options.scale, self.options.device, key, self.watcher
            )
        return run and runs.at_build(run, experiment.title, self.options.scale, self.commit)

    def _figure(self, experiment: Experiment, spec: FigureSpec, run: Run) -> FigureRecord:
        key = draw_key(self.sources, spec, self.draw, run.digest)
        drawn = drawings.stored(self.project, spec, key, self.watcher) or drawings.drawn(
            self.project, spec, run, key, self.draw
        )
        claims = tuple(id for id, (_, claim) in self.registry.claims.items() if spec.id in claim.figures)
        return drawings.figure_record(self.project, experiment, spec, run, key, drawn, claims)

    @contextmanager
    def _catching(self, experiment: Experiment, what: str, names: list[str]) -> Iterator[None]:
        """Turn a failure into a problem, and make `names` absent because of it."""
        try:
            yield
        except (Exception, SystemExit) as error:
            sentence = self._sentence(experiment, what, error)
            self.problems.append(Problem(file_of(experiment), sentence))
            self.absent |= dict.fromkeys(names, f"{file_of(experiment)}: {sentence}")

    def _sentence(self, experiment: Experiment, what: str, error: BaseException) -> str:
        if isinstance(error, ReportError):
            return str(error)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        message = " ".join(f"{type(error).__name__}: {error}".split())
        log = self.project.failures / f"{experiment.id}.txt"
        try:
            write_file(log, "".join(traceback.format_exception(error)))
            hint = f"the traceback is in {log.relative_to(self.project.root)}"
        except ReportError as disk:
            hint = f"its traceback could not be kept ({disk})"
        return f"{what} raised {message} ({Path(frame.filename).name}, line {frame.lineno}); {hint}"


def decided(experiment: Experiment, spec: ClaimSpec, run: Run) -> ClaimRecord:
    """Return the claim as the result decides it; raises ReportError when the decision is no finite Finding."""
    finding = spec.decide(run.result)
    if not isinstance(finding, Finding):
        raise ReportError(f"claim {spec.id!r} returned a {type(finding).__name__}; return a Finding")
    if not isfinite(finding.statistic.value):
        raise ReportError(f"claim {spec.id!r} has the statistic {finding.statistic.value}; it must be a finite number")
    return ClaimRecord(
        id=spec.id,
        title=spec.title,
        experiment=experiment.id,
        scale=run.record.scale,
        statements=spec.statements,
        source=spec.source,
        test=spec.test,
        criterion=spec.criterion,
        statistic=finding.statistic,
        verdict=finding.verdict,
        published=spec.published,
        figures=spec.figures,
    )
