"""What became of published verdicts: `experiments/published/history.json`.

It has one revision for each time that newly published results, or runs with other seeds, gave another verdict.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.published.results import HISTORY, PublishedClaim
from site_builder.store import codec
from site_builder.store.entries import write_file
from site_builder.store.records import ChangedVerdict, Revision


@dataclass(frozen=True)
class History:
    """All revisions, the latest first."""

    revisions: tuple[Revision, ...] = ()


def changes(before: dict[str, PublishedClaim], after: dict[str, PublishedClaim]) -> tuple[ChangedVerdict, ...]:
    """Return the claims whose verdicts differ, in the order of their ids."""
    found = []
    for id in sorted(before.keys() | after.keys()):
        (was, old), (is_now, new) = _known(before.get(id)), _known(after.get(id))
        if was != is_now:
            found.append(ChangedVerdict(id, was, is_now, old, new))
    return tuple(found)


def _known(claim: PublishedClaim | None) -> tuple[Verdict | None, float | None]:
    return (claim.verdict, claim.statistic.value) if claim else (None, None)


def read_history(project: Project) -> tuple[Revision, ...]:
    """Return all revisions, the latest first; raises ReportError when the file cannot be read."""
    path = project.published / HISTORY
    if not path.is_file():
        return ()
    try:
        found: History = codec.record_from_json(path.read_text("utf-8"), History)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"experiments/published/{HISTORY} cannot be read ({error}); get it again with git") from error
    return found.revisions


def record(
    project: Project, version: str, before: dict[str, PublishedClaim], after: dict[str, PublishedClaim], date: str = ""
) -> None:
    """Add a revision with what changed, if anything did, dated today (ISO 8601) unless `date` is given."""
    found = changes(before, after)
    if found:
        revision = Revision(version, date or datetime.now(UTC).date().isoformat(), found)
        write_file(project.published / HISTORY, codec.record_to_json(History((revision, *read_history(project)))))
