"""The answer to each statement of the notes: one sentence with its numbers filled in, and one verdict from its claims.

`docs/statements.toml` holds the sentences. A number stands in one by the name pages quote it by, with an optional
format: `{triangle.numbers.ratio_rarest:.3f}`. Where the sentence depends on the verdict there is one for each.
"""

from collections.abc import Iterable, Mapping
from string import Formatter

from markupsafe import Markup

from experiments.core.contract import Verdict
from experiments.core.quantities import Quantity
from site_builder.pages.statements import Statement
from site_builder.store.records import AnswerRecord, ClaimRecord, Report
from site_builder.text.markup import to_plain
from site_builder.text.quantity_text import written

RULE = (
    "A statement is supported if all of its claims are, and refuted if all of them are. It is mixed if some of its "
    "claims are supported and others refuted, or if one is itself mixed. Otherwise it is inconclusive. Where a claim "
    "asks something beside the statement, the claims that ask the statement itself decide."
)

_MARK = "\N{OBJECT REPLACEMENT CHARACTER}"


def overall(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict on a statement from those of its claims, by `RULE`; None without claims."""
    found = set(verdicts)
    if not found:
        return None
    if Verdict.MIXED in found or {Verdict.SUPPORTED, Verdict.REFUTED} <= found:
        return Verdict.MIXED
    return found.pop() if len(found) == 1 else Verdict.INCONCLUSIVE


def deciding(statement: Statement, claims: Iterable[ClaimRecord]) -> list[ClaimRecord]:
    """Return the claims that decide on a statement: those it lists, or else all that test it."""
    own = [claim for claim in claims if statement.id in claim.statements]
    return [claim for claim in own if not statement.decided_by or claim.id in statement.decided_by]


def tally(claims: Iterable[ClaimRecord]) -> str:
    """Return how many claims there are, and how many of each verdict: "3 claims: 2 supported, 1 refuted"."""
    verdicts = [claim.verdict for claim in claims]
    counts = ", ".join(f"{verdicts.count(each)} {each.value}" for each in Verdict if each in verdicts)
    return f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}: {counts}"


def sentence(statement: Statement, verdict: Verdict | None) -> str:
    """Return the sentence that answers a statement with this verdict, its numbers not yet filled in."""
    return statement.answers.get(verdict.value if verdict else "", statement.answer)


def answered(statement: Statement, report: Report, page: str) -> AnswerRecord:
    """Return the answer to a statement in plain words; one that is not measured has neither text nor verdict."""
    claims = [claim for claim in report.claims.values() if statement.id in claim.statements]
    verdict = overall(claim.verdict for claim in deciding(statement, claims)) if statement.measured else None
    text = in_words(sentence(statement, verdict), report.quantities) if verdict else ""
    ids = tuple(sorted(claim.id for claim in claims))
    return AnswerRecord(statement.id, statement.kind, text, verdict, ids, page)


def in_words(text: str, quantities: Mapping[str, Quantity]) -> str:
    """Return an answer with its numbers, as plain text; a number that this build lacks is a question mark."""
    marked, numbers = apart(text)
    filled = [_written(quantities[name], spec) if name in quantities else "?" for name, spec in numbers]
    return _together(to_plain(marked), filled)


def in_html(html: str, numbers: list[Markup]) -> Markup:
    """Return an answer whose words are HTML already, with its numbers in their places."""
    # Plain strings: a Markup would escape what is added to it.
    return Markup(_together(str(html), [str(number) for number in numbers]))


def apart(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a sentence with a mark where each number stands, and the numbers with their formats."""
    pieces = list(Formatter().parse(text))
    marked = "".join(literal + ("" if name is None else _MARK) for literal, name, _, _ in pieces)
    return marked, [(name, spec or "") for _, name, spec, _ in pieces if name is not None]


def _together(marked: str, filled: list[str]) -> str:
    first, *rest = marked.split(_MARK)
    return first + "".join(number + piece for number, piece in zip(filled, rest, strict=True))


def _written(quantity: Quantity, spec: str) -> str:
    try:
        return written(quantity, spec)
    except (ValueError, TypeError):
        return "?"  # the check of pages names it
