"""What became of published verdicts: `experiments/published/history.json`.

It has one revision for each version in which newly published results, or runs with other seeds, gave another verdict.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    """Add what changed to the revision of `version`, dated today (ISO 8601) unless `date` is given."""
    found = changes(before, after)
    if not found:
        return
    known = read_history(project)
    earlier = [change for revision in known if revision.version == version for change in revision.changes]
    revision = Revision(version, date or datetime.now(UTC).date().isoformat(), joined(earlier, found))
    others = [each for each in known if each.version != version]
    kept = [revision, *others] if revision.changes else others
    write_file(project.published / HISTORY, codec.record_to_json(History(tuple(kept))))


def joined(earlier: Iterable[ChangedVerdict], later: Iterable[ChangedVerdict]) -> tuple[ChangedVerdict, ...]:
    """Return what both lists of changes together changed, in the order of the claims' ids."""
    found = {change.claim: change for change in earlier}
    for change in later:
        first = found.get(change.claim, change)
        found[change.claim] = replace(change, before=first.before, old=first.old)
    return tuple(found[id] for id in sorted(found) if found[id].before != found[id].after)
