"""The published results beside those of the same report with other seeds: do its verdicts and intervals hold?

`experiments/published/reseeded/<experiment>.json` holds what each further run of an experiment gave, the code that
gave it, and the digest of what that code gave with the published seed. Further runs of older code count while the
present code gives the same result, byte for byte; otherwise they say nothing of what is published and are left out.
"""

import json
from dataclasses import dataclass, field, replace

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.published import results
from site_builder.published.calibration import calibrated
from site_builder.published.reproduction import SCALE
from site_builder.published.results import Published, PublishedClaim, PublishedRun
from site_builder.store import codec
from site_builder.store.entries import write_file
from site_builder.store.records import Bounds, PartCalibration, Report, ReseededClaim, Robustness

FORMAT = 2
"""Raised whenever an older program could misread what is written here."""


@dataclass(frozen=True)
class OtherRun:
    """What one further run gave, whose seed was `seed_raised_by` larger: verdicts, statistics and numbers."""

    seed_raised_by: int
    claims: dict[str, PublishedClaim] = field(default_factory=dict)
    numbers: dict[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Reseeded:
    """All further runs of one experiment, the digest of the code, configuration and inputs they rest on (`code`), and
    that of the result which these give with the published seed."""

    format: int
    code: str
    runs: tuple[OtherRun, ...] = ()
    result: str = ""

    def speaks_of(self, published: PublishedRun) -> bool:
        """Return whether the code behind the published result, or code that gives the same bytes, made these runs."""
        return self.code == published.code or self.result == published.result


def write(project: Project, experiment: str, reseeded: Reseeded) -> None:
    """Write the further runs of an experiment beside its published result."""
    write_file(project.reseeded / f"{experiment}.json", codec.record_to_json(reseeded))


def load(project: Project) -> tuple[dict[str, Reseeded], tuple[str, ...]]:
    """Return the further runs by experiment, and a sentence for each file that cannot be read."""
    found, problems = {}, []
    for path in sorted(project.reseeded.glob("*.json")):
        try:
            found[path.stem] = _read(path.read_text("utf-8"))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, ReportError) as error:
            problems.append(
                f"experiments/published/reseeded/{path.name} cannot be read ({error}); "
                "get it again with git, or make it with `make robustness`"
            )
    return found, tuple(problems)


def current(project: Project, published: Published) -> dict[str, dict[int, OtherRun]]:
    """Return the further runs that speak of what is published, by experiment and by what was added to the seed."""
    found, _ = load(project)
    return {id: {run.seed_raised_by: run for run in runs} for id, runs in _current(published, found).items()}


def _read(text: str) -> Reseeded:
    format = json.loads(text)["format"]
    if format != FORMAT:
        raise ReportError(f"it has format {format!r} and this program reads {FORMAT}")
    found: Reseeded = codec.record_from_json(text, Reseeded)
    return found


def robustness(report: Report, published: Published, reseeded: dict[str, Reseeded]) -> Robustness:
    """Compare the published claims and numbers with the further runs that speak of them.

    Margins come from `report`; of the intervals see `calibration`.
    """
    current = _current(published, reseeded)
    return Robustness(
        claims=tuple(
            ReseededClaim(
                id=id,
                title=report.claims[id].title,
                verdict=claim.verdict,
                margin=report.claims[id].margin,
                verdicts=_verdicts(id, runs),
            )
            for experiment, runs in current.items()
            for id, claim in published.runs[experiment].claims.items()
            if id in report.claims
        ),
        parts=_calibrated(published, current),
        left_out=tuple(sorted(id for id in reseeded.keys() - current.keys() if id in published.runs)),
    )


def settled(report: Report, published: Published, robustness: Robustness) -> tuple[Report, Published]:
    """Return the report and the published results with every claim *inconclusive* that other seeds decide otherwise.

    Other seeds were tried at the published scale alone, so they say nothing of a report of another scale.
    """
    tried = robustness.claims if report.scale == SCALE else ()
    unsteady = {each.id for each in tried if each.is_unsteady}
    claims = {
        id: replace(claim, verdict=Verdict.INCONCLUSIVE, unsteady=True) if id in unsteady else claim
        for id, claim in report.claims.items()
    }
    return replace(report, claims=claims, robustness=robustness), _inconclusive(published, unsteady)


def standing(project: Project) -> dict[str, PublishedClaim]:
    """Return all published claims by id, those inconclusive that other seeds decide otherwise."""
    published, (reseeded, _) = results.load(project), load(project)
    runs = _current(published, reseeded)
    unsteady = {
        id
        for experiment, others in runs.items()
        for id, claim in published.runs[experiment].claims.items()
        if ReseededClaim(id, "", claim.verdict, None, _verdicts(id, others)).is_unsteady
    }
    return _inconclusive(published, unsteady).claims()


def _inconclusive(published: Published, unsteady: set[str]) -> Published:
    def judged(run: PublishedRun) -> PublishedRun:
        claims = {
            id: replace(claim, verdict=Verdict.INCONCLUSIVE) if id in unsteady else claim
            for id, claim in run.claims.items()
        }
        return replace(run, claims=claims)

    return replace(published, runs={id: judged(run) for id, run in published.runs.items()})


def _current(published: Published, reseeded: dict[str, Reseeded]) -> dict[str, tuple[OtherRun, ...]]:
    """Return the further runs, by experiment, that speak of what is published."""
    return {
        id: found.runs
        for id, found in reseeded.items()
        if id in published.runs and found.speaks_of(published.runs[id]) and found.runs
    }


def _verdicts(claim: str, runs: tuple[OtherRun, ...]) -> tuple[Verdict, ...]:
    return tuple(run.claims[claim].verdict for run in runs if claim in run.claims)


def _calibrated(published: Published, current: dict[str, tuple[OtherRun, ...]]) -> tuple[PartCalibration, ...]:
    parts: dict[str, PartCalibration] = {}
    for id, runs in current.items():
        part = id.partition(".")[0]
        others = [run.numbers for run in runs]
        parts[part] = parts.get(part, PartCalibration(part)) + calibrated(part, published.runs[id].numbers, others)
    return tuple(parts[part] for part in sorted(parts))
