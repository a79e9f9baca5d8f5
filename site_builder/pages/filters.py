"""How templates write the values of a report in HTML: words, numbers, verdicts, times and sizes."""

import re
from functools import lru_cache

from markdown import Markdown
from markupsafe import Markup, escape

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from experiments.core.quantities import Quantity
from site_builder.text.markup import escape_markdown
from site_builder.text.math_extension import INLINE, MathExtension, mathml
from site_builder.text.quantity_text import written

VERDICTS = {
    Verdict.SUPPORTED: "✓",
    Verdict.REFUTED: "✗",
    Verdict.MIXED: "±",
    Verdict.INCONCLUSIVE: "?",
}
"""The sign beside each verdict, so that none is told by colour alone."""


@lru_cache(maxsize=4096)
def inline(text: str) -> Markup:
    """Return the HTML of one paragraph of Markdown, formulas included, without the paragraph's tags."""
    markdown = Markdown(extensions=[MathExtension()])
    markdown.preprocessors.deregister("html_block")  # words hold no HTML of their own: an opening comment, say,
    markdown.inlinePatterns.deregister("html")  # would swallow the rest of the page
    html = markdown.convert(str(text).strip())
    return Markup(re.sub(r"^<p>(.*)</p>$", r"\1", html, flags=re.DOTALL))


def quantity(value: Quantity, spec: str = "") -> Markup:
    """Return a number as prose shows it; what it rests on appears when the pointer rests on it."""
    text = written(value, spec).replace(" %", "\N{NARROW NO-BREAK SPACE}%")
    grounds = [f"n = {value.n}"] if value.n is not None else []
    if value.low is not None and value.high is not None and spec not in ("", "%"):
        grounds.insert(0, f"interval {written(value, '%' if '%' in spec else '')}")
    grounds += [value.method] if value.method else []
    return Markup('<data class="quantity" value="{}" title="{}">{}</data>').format(
        value.value, data("; ".join(grounds)), text
    )


def data(text: str) -> Markup:
    """Return text that nobody wrote as Markdown or HTML so that both show it as it is, in attributes too."""
    return Markup(escape_markdown(text))


@lru_cache(maxsize=4096)
def figure_words(text: str) -> Markup:
    """Return the HTML of words that stand in a figure: plain text, in which only formulas are marked."""
    parts = re.split(INLINE, text)
    return Markup("").join(_formula(part) if place % 2 else _words(part) for place, part in enumerate(parts))


def _words(text: str) -> Markup:
    """Return plain text with the spaces that keep it apart from the formulas beside it."""
    before, after = (" " if text != stripped else "" for stripped in (text.lstrip(), text.rstrip()))
    return before + data(text) + after


def _formula(latex: str) -> Markup:
    try:
        return Markup(mathml(latex))
    except ReportError:  # what a figure can set and a page cannot
        return data(latex)


def badge(verdict: Verdict) -> Markup:
    """Return a verdict with its sign."""
    return Markup('<span class="verdict verdict--{0}"><span aria-hidden="true">{1}</span> {0}</span>').format(
        verdict.value, VERDICTS[verdict]
    )


def verbatim(text: str) -> Markup:
    """Return text whose line ends and indentation survive in a block of one line (see `Blocks.block`)."""
    return Markup(escape(text).replace("\n", Markup("&#10;")))


def in_script(text: str) -> Markup:
    """Return JSON as it can stand inside a script element: nothing in it ends the element or opens a comment."""
    codes = {"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"}
    return Markup(re.sub("[<>&\u2028\u2029]", lambda found: codes[found[0]], text))


def duration(seconds: float) -> str:
    """Return a wall time in words ("2 min 05 s")."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def size(count: int) -> str:
    """Return a size of a file in words ("34 kB")."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


def margin(errors: float) -> str:
    """Return a margin in standard errors in words ("3.4", "more than 100")."""
    return "more than 100" if errors > 100 else f"{errors:.1f}"
