"""References: one list in order, wrong entries named, and pages that link to entries which exist."""

import re
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.pages.references import load

DOCS = Path(__file__).parents[3] / "docs"

ENTRY = """[[reference]]
key = "{key}"
short = "{name}"
authors = "Some {name}, Another Author"
year = {year}
title = "A title"
url = "https://example.org"
about = "Finds something."
"""


def entries(*given: tuple[str, str, int]) -> str:
    return "\n".join(ENTRY.format(key=key, name=name, year=year) for key, name, year in given)


def test_entries_are_in_the_order_of_authors_and_years(tmp_path: Path) -> None:
    path = tmp_path / "references.toml"
    path.write_text(entries(("c", "Zimmer", 2001), ("b", "Ärz", 2003), ("a", "Ärz", 2002), ("d", "Bo", 1999)), "utf-8")
    assert [each.key for each in load(path)] == ["a", "b", "d", "c"]


def test_a_missing_list_is_empty(tmp_path: Path) -> None:
    assert load(tmp_path / "references.toml") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[reference]", "cannot be read"),
        (entries(("a", "A", 2000)).replace("year = 2000", 'year = "2000"'), "'a' needs key, short"),
        (entries(("a", "A", 2000)) + 'colour = "red"\n', "and nothing else"),
        (entries(("a", "A", 2000), ("a", "B", 2001)), "lists 'a' twice"),
        (entries(("a", "A", 2000)).replace("https:", "http:"), "does not start with https"),
    ],
)
def test_wrong_entries_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "references.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ReportError, match=message):
        load(path)


def test_every_work_of_this_report_is_cited_by_some_page_and_every_citation_is_listed() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in DOCS.glob("*.md") if path.stem != "add_an_experiment")
    cited = set(re.findall(r'cite\("([^"]+)"\)', pages))
    assert cited == {each.key for each in load(DOCS / "references.toml")}
    assert len(cited) > 20


def test_pages_name_preprints_by_their_entries_so_that_each_has_a_preview() -> None:
    pages = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}
    assert [name for name, text in pages.items() if "arxiv.org" in text] == []
