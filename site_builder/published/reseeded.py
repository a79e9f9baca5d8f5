"""The published results beside those of the same report with other seeds: do its verdicts and intervals hold?

`experiments/published/reseeded/<experiment>.json` holds what each further run of an experiment gave, and the code that
gave it. What older code gave says nothing of the published results and is left out.
"""

from dataclasses import dataclass, field

from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.base.project import Project
from site_builder.published.results import Published, PublishedClaim, PublishedRun
from site_builder.store import codec
from site_builder.store.entries import write_file
from site_builder.store.records import Bounds, PartCalibration, Report, ReseededClaim, Robustness

FORMAT = 1
"""Raised whenever an older program could misread what is written here."""


@dataclass(frozen=True)
class OtherRun:
    """What one further run gave, whose seed was `seed_raised_by` larger: verdicts, statistics and numbers."""

    seed_raised_by: int
    claims: dict[str, PublishedClaim] = field(default_factory=dict)
    numbers: dict[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Reseeded:
    """All further runs of one experiment, and the digest of the code, configuration and inputs they rest on."""

    format: int
    code: str
    runs: tuple[OtherRun, ...] = ()


def bounds(quantity: Quantity) -> Bounds:
    """Return a quantity's value and interval alone."""
    return Bounds(quantity.value, quantity.low, quantity.high)


def write(project: Project, experiment: str, reseeded: Reseeded) -> None:
    """Write the further runs of an experiment beside its published result."""
    write_file(project.reseeded / f"{experiment}.json", codec.record_to_json(reseeded))


def load(project: Project) -> tuple[dict[str, Reseeded], tuple[str, ...]]:
    """Return the further runs by experiment, and a sentence for each file that cannot be read."""
    found, problems = {}, []
    for path in sorted(project.reseeded.glob("*.json")):
        try:
            found[path.stem] = _read(path.read_text("utf-8"))
        except (OSError, ValueError, KeyError, TypeError, ReportError) as error:
            problems.append(
                f"experiments/published/reseeded/{path.name} cannot be read ({error}); "
                "get it again with git, or make it with `make robustness`"
            )
    return found, tuple(problems)


def _read(text: str) -> Reseeded:
    found: Reseeded = codec.record_from_json(text, Reseeded)
    if found.format != FORMAT:
        raise ReportError(f"it has format {found.format} and this program reads {FORMAT}")
    return found


def robustness(report: Report, published: Published, reseeded: dict[str, Reseeded]) -> Robustness:
    """Compare the published claims and numbers with the further runs of the same code.

    Margins come from `report`. An interval is a published number that has one; it counts once for every further run.
    """
    current = {
        id: found.runs
        for id, found in reseeded.items()
        if id in published.runs and found.code == published.runs[id].code and found.runs
    }
    return Robustness(
        claims=tuple(
            ReseededClaim(
                id=id,
                title=report.claims[id].title,
                verdict=claim.verdict,
                margin=report.claims[id].margin,
                verdicts=tuple(run.claims[id].verdict for run in runs if id in run.claims),
            )
            for experiment, runs in current.items()
            for id, claim in published.runs[experiment].claims.items()
            if id in report.claims
        ),
        parts=_calibrated(published, current),
        left_out=tuple(sorted(id for id in reseeded.keys() - current.keys() if id in published.runs)),
    )


def _calibrated(published: Published, current: dict[str, tuple[OtherRun, ...]]) -> tuple[PartCalibration, ...]:
    parts: dict[str, list[int]] = {}
    for id, runs in current.items():
        counts = parts.setdefault(id.partition(".")[0], [0, 0, 0])
        for run in runs:
            for index, count in enumerate(counted(published.runs[id], run)):
                counts[index] += count
    return tuple(PartCalibration(part, *counts) for part, counts in sorted(parts.items()))


def counted(published: PublishedRun, run: OtherRun) -> tuple[int, int, int]:
    """Return how many intervals both runs have, how many of them are disjoint, and how many new values lie outside."""
    pairs = [
        (bounds(quantity), run.numbers[name])
        for name, quantity in published.numbers.items()
        if name in run.numbers and bounds(quantity).is_interval and run.numbers[name].is_interval
    ]
    disjoint = sum(not old.overlaps(new) for old, new in pairs)
    return len(pairs), disjoint, sum(not old.holds(new.value) for old, new in pairs)
