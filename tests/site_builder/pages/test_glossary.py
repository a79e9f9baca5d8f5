"""The glossary: each page gets the definitions of the terms it uses, and wrong entries are named."""

from pathlib import Path

import pytest
from markdown import Markdown

from experiments.core.errors import ReportError
from site_builder.pages.glossary import Term, definitions, load

DIGON = Term("digon", ("digon", "digons"), 'Two "features" in one <dimension>.')
FPR = Term("FPR", ("FPR",), "False-positive rate.")

PROJECT = Path(__file__).parents[3]


def html(text: str) -> str:
    return Markdown(extensions=["abbr"]).convert(text + definitions(text, (DIGON, FPR)))


def test_a_page_gets_the_definitions_of_the_forms_it_uses_and_no_others() -> None:
    assert "digons]" in definitions("Two digons.", (DIGON, FPR))
    assert "FPR" not in definitions("Two digons.", (DIGON, FPR))
    assert definitions("Nothing of the kind; pentadigonal.", (DIGON, FPR)) == ""


def test_the_definition_stands_at_the_term_and_its_signs_are_text() -> None:
    found = html("A digon has two ends.")
    assert '<abbr title="Two &quot;features&quot; in one &lt;dimension&gt;.">digon</abbr>' in found


def test_a_missing_glossary_is_empty(tmp_path: Path) -> None:
    assert load(tmp_path / "glossary.toml") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[term]", "cannot be read"),
        ('[[term]]\nname = "digon"\n', "'digon' needs a name, a list of forms and a text"),
        ('[[term]]\nname = "a"\nforms = []\ntext = "x"\n', "'a' needs"),
        ('[[term]]\nname = "a"\nforms = ["x"]\ntext = "t"\nalso = "b"\n', "'a' has other names"),
        ('[[term]]\nname = "a"\nforms = ["x", "x"]\ntext = "t"\n', "explains 'x' twice"),
    ],
)
def test_wrong_entries_are_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "glossary.toml"
    path.write_text(text)
    with pytest.raises(ReportError, match=message):
        load(path)


def test_every_term_of_this_report_is_used_on_some_page() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (PROJECT / "docs").glob("*.md") if path.stem != "glossary")
    unused = [term.name for term in load(PROJECT / "docs" / "glossary.toml") if not definitions(pages, (term,))]
    assert unused == []


def test_anchors_are_distinct() -> None:
    anchors = [term.anchor for term in load(PROJECT / "docs" / "glossary.toml")]
    assert len(set(anchors)) == len(anchors) > 20
