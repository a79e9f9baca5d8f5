"""The lint finds results typed into prose, and nothing else."""

import pytest

from site_builder.text.typed_numbers import typed_numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A share of 53.2 % survives.", "53.2 %"),
        ("A cosine of 0.93, say.", "0.93"),
        ("It rises by 5 percent, or 5%.", "5%"),
        ("A cosine of -0.5.", "-0.5"),
        ("About 2.5x faster.", "2.5"),
        ("| a table | 0.25 |", "0.25"),
        ("A formula that is a number, $0.93$.", "0.93"),
        ("Bold **0.7** counts too.", "0.7"),
    ],
)
def test_a_decimal_or_percentage_in_prose_is_found(text: str, found: str) -> None:
    assert [number.text for number in typed_numbers(text)] == [found]


@pytest.mark.parametrize(
    "text",
    [
        "With `0.1` in code, and $p = 0.1$ in a formula.",
        '{{ q("starfish.share", ".2f") }} and {{ given("0.9", "the notes") }}',
        "```python\nrate = 0.1\n```",
        "$$\nx = 0.5 y\n$$",
        "[a link](page.html#v0.5) to https://example.org/0.5",
        "See section 3.2, equation 1.5, § 4.1 and arXiv:2209.10652.",
        "Version 1.6.1, and 10,000 samples of 256 seeds on 2026-11-22.",
        '<img width="0.5"> <!-- 0.5 -->',
        "## 1.2 A numbered heading",
        "---\nweight: 0.5\n---\nText.",
        "{% for p in (0.1, 0.5) %}text{% endfor %}",
    ],
)
def test_what_cannot_be_a_result_is_left_alone(text: str) -> None:
    assert typed_numbers(text) == []


def test_the_line_is_that_of_the_page() -> None:
    (number,) = typed_numbers("---\ntitle: x\n---\n\n```\n0.5\n```\n\n{{ f(\n1.5) }}\n\nhere: 0.25\n")
    assert number.line == 12
