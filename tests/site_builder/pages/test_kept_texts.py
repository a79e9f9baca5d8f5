"""A page is rendered again exactly when something it may quote changed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from site_builder.pages import render as rendering
from site_builder.pages.render import render
from site_builder.store.records import Problem, Report

STATEMENTS = """
[[part]]
id = "A"
title = "First"
pages = ["first.md"]
[[statement]]
id = "A1"
kind = "C"
text = "It happens."
"""


@dataclass
class Docs:
    """A tiny report whose pages are rendered again and again; `made` has what the last rendering did not take over."""

    root: Path
    report: Report
    code: str = "one"
    draft: bool = False
    made: frozenset[str] = frozenset()

    def edit(self, name: str, text: str) -> None:
        (self.root / "docs" / name).write_text(text, "utf-8")

    def render(self) -> tuple[Problem, ...]:
        pages = self.root / "build" / "pages"
        self.made = frozenset({"not rendered"})
        found = render(self.report, self.root / "docs", pages, draft=self.draft, code=self.code)
        whole = render(self.report, self.root / "docs", self.root / "build" / "whole", draft=self.draft)
        texts = {path.relative_to(pages): path.read_text("utf-8") for path in pages.rglob("*.md")}
        again = self.root / "build" / "whole"
        assert texts == {path.relative_to(again): path.read_text("utf-8") for path in again.rglob("*.md")}
        assert found.problems == whole.problems
        return found.problems


@pytest.fixture
def docs(tmp_path: Path, fake_report: Report, monkeypatch: pytest.MonkeyPatch) -> Docs:
    (tmp_path / "docs").mkdir()
    tiny = Docs(tmp_path, fake_report)
    tiny.edit("statements.toml", STATEMENTS)
    (tmp_path / "mkdocs.yml").write_text("nav:\n  - index.md\n  - first.md\n", "utf-8")
    tiny.edit("index.md", "# Home\n\nWords.\n")
    tiny.edit("first.md", '# First\n\n{{ statement("A1") }}\n\n{{ figure("starfish") }}\n')

    class Watched(rendering.KeptTexts):
        def save(self, wrong: set[str]) -> None:
            if self.record:
                tiny.made = frozenset(self.known.keys() - self._taken)
            super().save(wrong)

        def text(self, name: str, source: str) -> str | None:
            found = super().text(name, source)
            self._taken = getattr(self, "_taken", set()) | ({name} if found is not None else set())
            return found

    monkeypatch.setattr(rendering, "KeptTexts", Watched)
    assert tiny.render() == ()
    return tiny


ALL = frozenset({"index.md", "first.md", "figures/starfish.md", "figures/loss-over-p.md"})


def test_nothing_is_rendered_again_where_nothing_changed(docs: Docs) -> None:
    assert docs.made == ALL
    docs.render()
    assert docs.made == frozenset()


def test_an_edited_page_alone_is_rendered(docs: Docs) -> None:
    docs.edit("index.md", "# Home\n\nOther words.\n")
    assert docs.render() == ()
    assert docs.made == {"index.md"}


def change_number(docs: Docs) -> None:
    name, value = next(iter(docs.report.quantities.items()))
    docs.report = replace(
        docs.report, quantities=docs.report.quantities | {name: replace(value, value=value.value + 1)}
    )


def change_verdict(docs: Docs) -> None:
    from experiments.core.criteria import Verdict

    name, claim = next(iter(docs.report.claims.items()))
    other = Verdict.MIXED if claim.verdict != Verdict.MIXED else Verdict.REFUTED
    docs.report = replace(docs.report, claims=docs.report.claims | {name: replace(claim, verdict=other)})


def change_caption(docs: Docs) -> None:
    figures = docs.report.figures
    docs.report = replace(docs.report, figures=figures | {"starfish": replace(figures["starfish"], caption="Other.")})


def change_picture(docs: Docs) -> None:
    figures = docs.report.figures
    file = replace(figures["starfish"].files["light.svg"], sha256="1" * 64)
    files = figures["starfish"].files | {"light.svg": file}
    docs.report = replace(docs.report, figures=figures | {"starfish": replace(figures["starfish"], files=files)})


def change_statement(docs: Docs) -> None:
    docs.edit("statements.toml", STATEMENTS.replace("It happens.", "It happens often."))


def change_glossary(docs: Docs) -> None:
    term = ["[[term]]", 'name = "words"', 'forms = ["Words"]', 'text = "What a page is made of."']
    docs.edit("glossary.toml", "\n".join(term))


def change_references(docs: Docs) -> None:
    entry = {"key": "a", "short": "A", "authors": "A B", "title": "T", "url": "https://example.org", "about": "It."}
    lines = ["[[reference]]", "year = 2000", *(f'{name} = "{value}"' for name, value in entry.items())]
    docs.edit("references.toml", "\n".join(lines))


def change_citation(docs: Docs) -> None:
    (docs.root / "CITATION.cff").write_text("title: Another title\nauthors: [{name: Somebody}]\n", "utf-8")


def change_code(docs: Docs) -> None:
    docs.code = "two"


def change_draft(docs: Docs) -> None:
    docs.draft = True


def move_figure(docs: Docs) -> None:
    docs.edit("index.md", '# Home\n\n{{ figure("loss-over-p") }}\n')  # it takes the number one


CHANGES = [change_number, change_verdict, change_caption, change_picture, change_statement, change_glossary,
           change_references, change_citation, change_code, change_draft]  # fmt: skip


@pytest.mark.parametrize("change", [*CHANGES, move_figure])
def test_what_any_page_may_quote_leaves_none_as_it_was(docs: Docs, change: Callable[[Docs], None]) -> None:
    change(docs)
    docs.render()
    assert docs.made == ALL


def test_a_page_with_a_problem_is_told_of_again(docs: Docs) -> None:
    docs.edit("index.md", '# Home\n\n{{ q("nobody.knows") }}\n')
    assert len(docs.render()) == 1
    assert len(docs.render()) == 1


def test_a_rendered_page_that_was_touched_is_rendered_again(docs: Docs) -> None:
    (docs.root / "build" / "pages" / "index.md").write_text("touched", "utf-8")
    docs.render()
    assert docs.made == {"index.md"}


@pytest.mark.parametrize("record", ["", "{", "[]", '{"frame": "x", "pages": {"index.md": 1}}'])
def test_a_damaged_record_counts_as_none(docs: Docs, record: str) -> None:
    (docs.root / "build" / "pages.kept.json").write_text(record, "utf-8")
    assert docs.render() == ()
    assert docs.made == ALL
