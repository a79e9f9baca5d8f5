"""The statements of the notes: what each says, what kind it is, and which pages its part is measured on."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError

KINDS = {
    "S": "statement to show",
    "C": "conjecture to test",
    "T": "to-do left open",
    "Q": "open question",
}


@dataclass(frozen=True)
class Statement:
    """One statement: `id` ("A1"), `kind` (a key of `KINDS`) and `text`, which may hold inline Markdown.

    One that is not `measured` has no page yet, though others of its part may have. `answer` is the sentence that
    answers it, and `answers` those for single verdicts, where the sentence depends on it (see `pages.answers`).
    `decided_by` lists the claims that ask the statement itself, where others ask something beside it.
    """

    id: str
    kind: str
    text: str
    measured: bool = True
    answer: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    decided_by: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return every sentence that may answer the statement."""
        return tuple(text for text in (self.answer, *self.answers.values()) if text)

    @property
    def part(self) -> str:
        """Return the id of the part the statement belongs to: the letters it starts with."""
        return self.id.rstrip("0123456789")


@dataclass(frozen=True)
class Part:
    """One part of the notes. `pages` ("first_runs.md") are where it is measured; none means not measured yet."""

    id: str
    title: str
    pages: tuple[str, ...]
    statements: tuple[Statement, ...]

    @property
    def measured(self) -> tuple[Statement, ...]:
        """Return the statements that its pages measure."""
        return tuple(statement for statement in self.statements if self.pages and statement.measured)

    @property
    def not_measured(self) -> tuple[Statement, ...]:
        """Return the statements that no page measures yet."""
        return tuple(statement for statement in self.statements if not (self.pages and statement.measured))


def load(path: Path) -> tuple[Part, ...]:
    """Read the parts of the notes, in order; a `ReportError` names what is wrong with the file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ReportError(f"{path.name}: the statements cannot be read ({error})") from error
    statements = [_statement(entry, path) for entry in data.get("statement", [])]
    parts = [
        Part(
            entry["id"],
            entry["title"],
            tuple(entry.get("pages", ())),
            tuple(statement for statement in statements if statement.part == entry["id"]),
        )
        for entry in data.get("part", [])
    ]
    _check_ids(statements, parts, path)
    return tuple(parts)


def _statement(entry: dict[str, Any], path: Path) -> Statement:
    missing = {"id", "kind", "text"} - entry.keys()
    if missing:
        raise ReportError(f"{path.name}: statement {entry.get('id', '?')} has no {min(missing)}")
    if entry["kind"] not in KINDS:
        raise ReportError(f"{path.name}: statement {entry['id']} has kind {entry['kind']!r}; kinds are S, C, T and Q")
    return Statement(
        entry["id"],
        entry["kind"],
        entry["text"],
        entry.get("measured", True),
        entry.get("answer", ""),
        _answers(entry, path),
        tuple(entry.get("decided_by", ())),
    )


def _answers(entry: dict[str, Any], path: Path) -> dict[str, str]:
    """Return the sentences for single verdicts ("answer_refuted"); together with "answer" they serve every verdict."""
    known = {f"answer_{verdict.value}": verdict.value for verdict in Verdict}
    wrong = sorted(key for key in entry if key.startswith("answer_") and key not in known)
    if wrong:
        raise ReportError(f"{path.name}: statement {entry['id']} has {wrong[0]!r}; verdicts are {', '.join(Verdict)}")
    found = {verdict: entry[key] for key, verdict in known.items() if key in entry}
    for text in (entry.get("answer", ""), *found.values()):
        try:
            list(Formatter().parse(text))
        except ValueError as error:
            raise ReportError(f"{path.name}: the answer to {entry['id']} cannot be filled in ({error})") from error
    missing = sorted(known.keys() - entry.keys())
    if found and missing and "answer" not in entry:
        raise ReportError(f"{path.name}: statement {entry['id']} has no {missing[0]}, and no answer for every verdict")
    return found


def _check_ids(statements: list[Statement], parts: list[Part], path: Path) -> None:
    seen: set[str] = set()
    for statement in statements:
        if statement.id in seen:
            raise ReportError(f"{path.name}: two statements are called {statement.id}; an id is never reused")
        if statement.part not in {part.id for part in parts}:
            raise ReportError(f"{path.name}: statement {statement.id} belongs to no part")
        seen.add(statement.id)
