"""A statement's verdict follows from its claims by one rule, and its answer quotes numbers that exist."""

import json
from dataclasses import replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.citing.publication import Publication
from site_builder.discovery.registry import discover
from site_builder.pages.answers import answered, apart, in_html, in_words, overall, sentence, tally
from site_builder.pages.page_check import undeclared
from site_builder.pages.render import render
from site_builder.pages.statements import Statement, load
from site_builder.site.outputs import outputs
from site_builder.store.records import Report

REPOSITORY = Path(__file__).parents[3]
TINY = REPOSITORY / "tests" / "tiny"
S, R, M, U = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED, Verdict.INCONCLUSIVE
SHARE = Quantity(0.59, 0.53, 0.65, 256, method="Wilson score interval, 95 %")


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [("", None), ("SS", S), ("RR", R), ("SR", M), ("SRU", M), ("SM", M), ("UM", M), ("SU", U), ("RU", U), ("U", U)],
)
def test_the_verdict_on_a_statement_follows_from_those_of_its_claims(claims: str, verdict: Verdict | None) -> None:
    letters = {"S": S, "R": R, "M": M, "U": U}
    assert overall(letters[each] for each in claims) == verdict


def test_the_order_and_number_of_equal_claims_change_no_verdict() -> None:
    for claims in combinations_with_replacement(Verdict, 3):
        assert overall(claims) == overall(reversed(claims)) == overall(claims * 2)


def test_an_answer_quotes_numbers_as_pages_do() -> None:
    text = "Of the runs {starfish.share:% value} end as a *pentagon*, {starfish.share:count}."
    assert in_words(text, {"starfish.share": SHARE}) == "Of the runs 59 % end as a pentagon, 151 of 256."


def test_a_number_that_this_build_lacks_is_a_question_mark() -> None:
    assert in_words("It is {gone.number}.", {}) == "It is ?."


def test_the_sentence_is_that_of_the_verdict_or_the_one_for_all() -> None:
    statement = Statement("A1", "C", "It is so.", answer="Who knows.", answers={"refuted": "It is not."})
    assert [sentence(statement, each) for each in (R, S)] == ["It is not.", "Who knows."]


def test_the_claims_that_ask_the_statement_itself_decide(fake_report: Report) -> None:
    first, second, *_ = (replace(claim, statements=("A1",)) for claim in fake_report.claims.values())
    claims = {"one": replace(first, id="one", verdict=S), "other": replace(second, id="other", verdict=R)}
    report = replace(fake_report, claims=claims)
    statement = Statement("A1", "C", "It is so.", answer="It is.")
    assert answered(statement, report, "a.html").verdict == M
    decided = answered(replace(statement, decided_by=("other",)), report, "a.html")
    assert (decided.verdict, decided.claims) == (R, ("one", "other"))
    assert tally(claims.values()) == "2 claims: 1 supported, 1 refuted"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('answer = "{sine.mean:.3f}"\ndecided_by = ["sine-mean-is-zero"]\n', None),
        ('answer = "{sine.meen}"\n', "no number is named 'sine.meen'; did you mean 'sine.mean'?"),
        ('answer = "It is 0.93."\n', "types the number 0.93"),
        ('answer = "It is {sine.mean"\n', "the answer to A1 cannot be filled in"),
        ('decided_by = ["sine-meen-is-zero"]\n', "which is no claim; did you mean 'sine-mean-is-zero'?"),
    ],
)
def test_what_an_answer_names_is_checked_before_anything_runs(tiny: Any, answer: str, said: str | None) -> None:
    docs = tiny.root / "docs"
    path = docs / "statements.toml"
    path.write_text(path.read_text("utf-8") + answer, "utf-8")
    problems = [problem.message for problem in undeclared(discover(tiny.project.experiments), "full", docs)]
    assert problems == [] if said is None else said in problems[0]


def test_a_sentence_is_missing_for_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "statements.toml"
    written = (TINY / "docs" / "statements.toml").read_text("utf-8")
    for wrong, said in (("answer_refuted", "has no answer_"), ("answer_refused", "has 'answer_refused'")):
        path.write_text(f'{written}{wrong} = "No."\n', "utf-8")
        with pytest.raises(ReportError, match=said):
            load(path)


def test_every_statement_of_the_notes_that_is_measured_is_answered() -> None:
    parts = load(REPOSITORY / "docs" / "statements.toml")
    silent = {each.id for part in parts for each in part.statements if not each.sentences}
    assert silent == {each.id for part in parts for each in part.not_measured} == set()


def test_the_answers_to_all_statements_are_a_file_for_programs(tmp_path: Path, fake_report: Report) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "mkdocs.yml").write_text("nav: []\n", "utf-8")
    statements = (REPOSITORY / "docs" / "statements.toml").read_text("utf-8")
    (tmp_path / "docs" / "statements.toml").write_text(statements, "utf-8")
    report = render(fake_report, tmp_path / "docs", tmp_path / "build" / "pages", draft=True)
    book = Publication("A report", ("The Group",), "", "", "MIT", "1", "2026-11-22")
    answers = json.loads(outputs(report, book)["answers.json"])["answers"]
    assert len({each["statement"] for each in answers}) == len(answers) == 42
    for each in answers:
        assert list(each) == ["statement", "kind", "text", "verdict", "claims", "page"]
        assert (each["verdict"] is None) == (each["text"] is None)
    decided = {each["statement"] for each in answers if each["verdict"]}
    assert {"A1", "A3"} <= decided <= {id for claim in fake_report.claims.values() for id in claim.statements}


def test_numbers_of_an_answer_are_elements_and_not_text():
    marked, numbers = apart("It is {sine.mean:.3f} of $x$.")
    assert numbers == [("sine.mean", ".3f")]
    assert in_html(Markup(marked), [Markup("<data>1</data>")]) == "It is <data>1</data> of $x$."
