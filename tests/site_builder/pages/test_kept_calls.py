"""Calls of a page are found once for each text, and are those that parsing finds."""

from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.pages import kept_calls
from site_builder.pages.kept_calls import KeptCalls
from site_builder.pages.page_files import Page, calls, environment

PLAIN = Page(
    "plain.md", '# Title\n\n{{ figure("starfish", width=3) }}\n\n{{ number(name) }} {{ claim("a", 1.5, true) }}\n'
)
LISTED = Page("listed.md", '{{ figures(["one", "two"]) }}\n')


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the pages that were parsed, as they are."""
    names: list[str] = []

    def found(page: Page, env):
        names.append(page.name)
        return calls(page, env)

    monkeypatch.setattr(kept_calls, "calls", found)
    return names


def read(record: Path | None, code: str | None, *pages: Page) -> list:
    kept = KeptCalls(record, code)
    found = [kept.calls(page, environment()) for page in pages]
    kept.save()
    return found


def test_a_text_is_parsed_once_and_its_calls_are_those_of_parsing(tmp_path: Path, parsed: list[str]) -> None:
    record = tmp_path / "calls.json"
    for _ in range(2):
        assert read(record, "one", PLAIN) == [calls(PLAIN, environment())]
    renamed = Page("moved.md", PLAIN.text)
    assert read(record, "one", renamed) == [calls(PLAIN, environment())]
    assert parsed == ["plain.md"]


@pytest.mark.parametrize("code", ["two", None])
def test_other_code_and_another_text_are_parsed(tmp_path: Path, parsed: list[str], code: str | None) -> None:
    record = tmp_path / "calls.json"
    read(record, "one", PLAIN)
    read(record, code, PLAIN)
    read(record, "one", Page("plain.md", PLAIN.text + "{{ more() }}"))
    assert parsed == ["plain.md"] * 3


def test_what_json_would_change_is_parsed_again(tmp_path: Path, parsed: list[str]) -> None:
    for _ in range(2):
        assert read(tmp_path / "calls.json", "one", LISTED) == [calls(LISTED, environment())]
    assert parsed == ["listed.md"] * 2


@pytest.mark.parametrize("content", ["", "{", '{"code": "one"}', '{"code": "one", "pages": 3}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, parsed: list[str], content: str) -> None:
    (tmp_path / "calls.json").write_text(content, "utf-8")
    read(tmp_path / "calls.json", "one", PLAIN)
    assert parsed == ["plain.md"]


def test_a_page_that_cannot_be_parsed_says_so_each_time(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ReportError, match=r"docs/bad\.md:1"):
            read(tmp_path / "calls.json", "one", Page("bad.md", "{{ figure( }}"))
