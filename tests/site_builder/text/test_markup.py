"""Markdown words become LaTeX that prints them, and plain text without marks."""

import pytest

from site_builder.text.markup import escape_latex, to_latex, to_plain


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        (
            "100 % & more_of #1 {x} ~ ^ $5",
            r"100 \% \& more\_of \#1 \textbraceleft{}x\textbraceright{} \textasciitilde{} \textasciicircum{} \$5",
        ),
        ("a\\b <c>", r"a\textbackslash{}b \textless{}c\textgreater{}"),
        ("José Núñez", r"Jos{\'{e}} N{\'{u}}{\~{n}}ez"),
        ("naïve", r"na{\"{\i}}ve"),
        ("−0.5 – 3 × 10", r"\ensuremath{-}0.5 -- 3 \ensuremath{\times} 10"),
        ("bᵢ = δⱼ", r"b\ensuremath{_{i}} = \ensuremath{\delta}\ensuremath{_{j}}"),
        ("WᵀW, 10⁻³", r"W\ensuremath{^{T}}W, 10\ensuremath{^{-}}\ensuremath{^{3}}"),
        ("ΣΛΑο", r"\ensuremath{\Sigma}\ensuremath{\Lambda}\ensuremath{\mathrm{A}}\ensuremath{o}"),
        ("e\N{COMBINING ACUTE ACCENT}", r"{\'{e}}"),
    ],
)
def test_signs_that_latex_reserves_are_escaped(plain, latex):
    assert escape_latex(plain) == latex


MARKED = "The **loss** of `W_enc` at $p_1 = 10\\%$ is *low* [here](page.md#x), in_this_name too"


def test_markdown_becomes_latex_and_formulas_stay():
    assert to_latex(MARKED) == (
        r"The \textbf{loss} of \texttt{W\_enc} at $p_1 = 10\%$ is \emph{low} here, in\_this\_name too"
    )


def test_markdown_becomes_plain_text():
    assert to_plain(MARKED) == "The loss of W_enc at p_1 = 10\\% is low here, in_this_name too"


def test_money_is_no_formula():
    assert to_latex(r"costs 5$ or 6$ each") == r"costs 5\$ or 6\$ each"
