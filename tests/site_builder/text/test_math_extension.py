"""Formulas become MathML; what cannot be set is named."""

import xml.etree.ElementTree as etree

import pytest
from markdown import markdown

from experiments.core.errors import ReportError
from site_builder.text.math_extension import MathExtension, mathml

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def html(text: str) -> str:
    return markdown(text, extensions=[MathExtension(), "tables", "fenced_code"])


def words(latex: str) -> list[str]:
    return [element.text for element in etree.fromstring(mathml(latex)).iter() if element.text]


def test_a_formula_in_the_text_becomes_mathml() -> None:
    assert "<msup><mi>W</mi><mi>T</mi></msup>" in html("The map $W^T W$ is linear.")


def test_a_displayed_formula_is_a_block_of_its_own_though_it_holds_blank_lines() -> None:
    shown = html("Before\n\n$$\nx_1\n\n+ y\n$$\n\nAfter")
    assert shown.count('<div class="formula"') == 1
    assert 'display="block"' in shown
    assert "<p>After</p>" in shown


def test_underscores_and_backslashes_in_a_formula_are_latex_not_markdown() -> None:
    assert "<em>" not in html(r"$a_i b_j$ and $\{c_k\}$ and $*d*$")


@pytest.mark.parametrize("text", ["It costs $5 and $6.", r"A \$x\$ sign.", "`$x$` in code", "```\n$x$\n```"])
def test_a_dollar_that_opens_no_formula_stays(text: str) -> None:
    assert "<math" not in html(text)


def test_a_quantity_quoted_inside_a_formula_loses_its_markup() -> None:
    quoted = '<data class="quantity" value="0.5" title="n = 3">50 %</data>'
    assert words(f"p = {quoted}") == ["p", "=", "50", "%"]


def test_names_of_functions_are_one_upright_word() -> None:
    assert "<mi>ReLU</mi>" in mathml(r"\operatorname{ReLU}(x)")
    assert "<mi>MSE</mi>" in mathml(r"\mathrm{MSE}")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\cos^2_{ij}", "<msubsup><mi>cos</mi><mrow><mi>i</mi><mi>j</mi></mrow><mn>2</mn></msubsup></mrow>"),
        (r"\min_f x", '<msub><mi>min</mi><mi>f</mi></msub><mspace width="0.17em" /><mi>x</mi>'),
        (r"\sin^2\theta", '<msup><mi>sin</mi><mn>2</mn></msup><mspace width="0.17em" /><mi>'),
        (r"\frac{\log x}{\log_2 y}", '<msub><mi>log</mi><mn>2</mn></msub><mspace width="0.17em" /><mi>y</mi>'),
    ],
)
def test_the_space_after_a_function_stands_behind_its_scripts(latex: str, expected: str) -> None:
    assert expected in mathml(latex)


@pytest.mark.parametrize(
    "latex", [r"a\bigl(\frac bc\bigr)^2", r"\Bigl[u - \bigl(v\bigr)^2\Bigr]_{u=1}", r"\bigl(x\bigr)_i^2"]
)
def test_a_power_of_tall_brackets_belongs_to_both(latex: str) -> None:
    """A browser makes a bracket small that alone is the base of a script."""
    root = etree.fromstring(mathml(latex))
    bases = [each[0] for each in root.iter() if each.tag in {NAMESPACE + name for name in ("msub", "msup", "msubsup")}]
    assert bases
    for base in bases:
        assert base.tag == NAMESPACE + "mrow"
        assert (base[0].text, base[-1].text) in {("(", ")"), ("[", "]")}


def test_bars_stand_close_to_what_they_hold() -> None:
    assert mathml(r"\lVert x\rVert").count('stretchy="false" lspace="0"') == 2
    assert mathml(r"|S|").count('lspace="0"') == 2
    assert 'lspace="0"' not in mathml(r"p \mid q")


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\nonsense x", r"unknown command \\nonsense"),
        (r"\frac{1}{2", "braces do not match"),
        (r"\left( x", "cannot be set"),
        (r"x^", "cannot be set"),
        (r"\begin{aligned}a&=b\end{aligned}", "environment"),
    ],
)
def test_a_formula_that_cannot_be_set_is_named(latex: str, reason: str) -> None:
    with pytest.raises(ReportError, match=reason) as caught:
        mathml(latex)
    assert latex in str(caught.value)
