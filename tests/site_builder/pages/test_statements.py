"""The statements of the notes are read with their parts, and mistakes in their file are named."""

from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.pages.statements import load

REPOSITORY = Path(__file__).parents[3]

PART = '[[part]]\nid = "A"\ntitle = "First"\npages = ["first.md"]\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "statements.toml"
    path.write_text(text, "utf-8")
    return path


def statement(id: str, kind: str = "S") -> str:
    return f'[[statement]]\nid = "{id}"\nkind = "{kind}"\ntext = "Something."\n'


def test_a_statement_belongs_to_the_part_whose_letters_it_starts_with(tmp_path: Path) -> None:
    (part,) = load(write(tmp_path, PART + statement("A1") + statement("A10", "C")))
    assert [each.id for each in part.statements] == ["A1", "A10"]
    assert part.pages == ("first.md",)


def test_a_statement_that_is_not_measured_stands_apart_from_the_others_of_its_part(tmp_path: Path) -> None:
    (part,) = load(write(tmp_path, PART + statement("A1") + statement("A2") + "measured = false\n"))
    assert [each.id for each in part.measured] == ["A1"]
    assert [each.id for each in part.not_measured] == ["A2"]


def test_no_statement_of_a_part_without_pages_is_measured(tmp_path: Path) -> None:
    (part,) = load(write(tmp_path, PART.replace('pages = ["first.md"]\n', "") + statement("A1")))
    assert part.measured == ()
    assert [each.id for each in part.not_measured] == ["A1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PART + statement("A1") + statement("A1"), "two statements are called A1"),
        (PART + statement("B1"), "B1 belongs to no part"),
        (PART + statement("A1", "X"), "kind 'X'"),
        (PART + '[[statement]]\nid = "A1"\nkind = "S"\n', "A1 has no text"),
        ("[[part", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ReportError, match=said):
        load(write(tmp_path, text))


def test_the_report_states_all_statements_of_the_notes() -> None:
    counts = {part.id: len(part.statements) for part in load(REPOSITORY / "docs" / "statements.toml")}
    assert counts == {"A": 10, "B": 5, "C": 12, "D": 3, "E": 3, "F": 2, "G": 2, "H": 3, "I": 2}
