"""Pages are read in the order of the navigation, and what they call is known with its line."""

from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.pages.page_files import Page, calls, environment, names, nav, read


def test_the_navigation_is_read_in_order_through_sections(tmp_path: Path) -> None:
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        "site_url: !ENV [NOT_SET, '']\nnav:\n  - A: a.md\n  - Part:\n      - c.md\n      - B: b.md\n", "utf-8"
    )
    assert nav(config) == ["a.md", "c.md", "b.md"]


def test_pages_outside_the_navigation_come_last(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text("text", "utf-8")
    assert [page.name for page in read(tmp_path, ["c.md", "b.md"])] == ["c.md", "b.md", "a.md"]


def test_a_call_is_found_with_its_arguments_and_line() -> None:
    page = Page(
        "a.md", 'Text {#id}\n\n{{ q("x.y", "%") }}\n{% if true %}{{ figure("f") }}{% endif %}\n{{ q("x." ~ z) }}\n'
    )
    found = [(call.macro, call.arguments, call.line) for call in calls(page, environment())]
    assert found == [("q", ("x.y", "%"), 3), ("figure", ("f",), 4), ("q", (None,), 5)]


def test_the_names_a_page_defines_itself_are_its_own() -> None:
    page = Page("a.md", "{% for each in [1] %}{{ each }}{{ loop.index }}{% endfor %}\n{{ mistyped() }}")
    assert names(page, environment()) == [("mistyped", 2)]


def test_a_syntax_error_names_page_and_line() -> None:
    with pytest.raises(ReportError, match=r"docs/a\.md:2: "):
        calls(Page("a.md", 'Text\n{{ figure("x" }}\n'), environment())


def test_comments_leave_ids_of_headings_alone() -> None:
    text = "## Title {#its-id}\n<!--# a comment #-->"
    assert environment().from_string(text).render() == "## Title {#its-id}\n"
