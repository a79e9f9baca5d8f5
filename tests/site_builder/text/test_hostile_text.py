"""Text from files, file names and results is data in everything that is published: it is shown, and does nothing."""

import json
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.core.plotting import verbatim
from experiments.core.quantities import exact
from site_builder.citing.citations import FORMATS, cite
from site_builder.citing.latex_numbers import numbers_tex
from site_builder.citing.metadata import coins
from site_builder.citing.publication import Publication
from site_builder.figures.svg import compact
from site_builder.pages.figure_pages import _front_matter
from site_builder.pages.filters import in_script, inline
from site_builder.pages.macros import Blocks, Macros
from site_builder.pages.page_files import Page
from site_builder.text.markup import escape_latex, escape_markdown, printable, to_latex, to_plain
from site_builder.text.words import fill

HOSTILE = [
    "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<!-- never closed", "-->", "<![CDATA[", "</script>",
    "`code` and `` more", "```", "**strong** _emphasis_ *also*", "[link](javascript:alert(1))", "![picture](x)",
    "[ref]: http://example.org", "$x^2$", "$$\\frac{1}{0}$$", "$\\nonsense$", "one $ alone", "\\input{/etc/passwd}",
    "\\write18{ls}", "^^5cinput{x}", "}{", "{", "}", "%", "# heading", "1. list", "- item", "+ item", "=====", "---",
    "| a | b |", "a & b; &lt; &#60; &amp;lt;", "{{ 7 * 7 }}", "{% for x in y %}", "{0.__class__}", "'", '"',
    "a\nb\n\nc", "a\r\x0b\x0c\x1c\x85\u2028\u2029b", "\x00\x1b[31m", "\u202egnp.exe", "中文 \U0001f600", "~/.ssh/^_#",
    "]]>", "*", "_", "\\", "javascript:alert(1)", "x" * 300, " ",
]  # fmt: skip

PUBLICATION = Publication("A report", ("Somebody",), date="2026-01-02", licence="CC-BY-4.0")
COMMANDS = {
    "textbackslash", "textbraceleft", "textbraceright", "textasciitilde", "textasciicircum", "textless", "textgreater",
    "textbar", "textquotedbl", "ensuremath", "textbf", "emph", "texttt",
}  # fmt: skip

anything = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@dataclass(frozen=True)
class Result:
    """What an experiment read from somebody's file."""

    source: str


class Seen(HTMLParser):
    """What a browser makes of HTML: its elements with their attributes, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.words = ""
        self.titles: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, tuple(sorted(name for name, _ in attributes))))
        self.titles += [value for name, value in attributes if name == "title"]

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        self.elements.append(("!--", ()))


def filled(text: str) -> str:
    return fill("From {source}, to the end.", Result(text), "a caption")


def shown(text: str) -> str:
    """Return what is to be seen of a text in one line."""
    return " ".join(printable(text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_in_html_it_is_shown_and_makes_no_element(text):
    seen = Seen(inline(filled(text)))
    assert seen.elements == []
    assert " ".join(seen.words.split()) == " ".join(f"From {shown(text)}, to the end.".split())


@settings(max_examples=300, deadline=None)
@given(anything)
def test_in_html_nothing_makes_an_element(text):
    seen = Seen(inline(filled(text)))
    assert seen.elements == []
    assert " ".join(seen.words.split()) == " ".join(f"From {shown(text)}, to the end.".split())
    assert Seen(inline(escape_markdown(text))).elements == []


@pytest.mark.parametrize("text", HOSTILE)
def test_in_plain_text_it_is_as_it_was(text):
    assert to_plain(filled(text)) == " ".join(f"From {shown(text)}, to the end.".split())


def refused_by_latex(text: str) -> list[str]:
    """Return what in LaTeX is more than letters, known commands and balanced braces."""
    bare = re.sub(r"\\([A-Za-z]+)", lambda found: "" if found[1] in COMMANDS else found[0], text)
    bare = re.sub(r"\\ensuremath\{[^{}]*(\{[^{}]*\})?[^{}]*\}", "", bare)
    bare = re.sub(r"\\[%#&_$]", "", bare)
    depth = [bare[: place + 1].count("{") - bare[: place + 1].count("}") for place in range(len(bare))]
    wrong = re.findall(r"[$%#&_^~\n\r]|\\[A-Za-z]+", bare)
    return wrong + (["braces"] if depth and (min(depth) < 0 or depth[-1] != 0) else [])


@pytest.mark.parametrize("text", [each for each in HOSTILE if each.isascii()])
def test_in_latex_it_is_printed_and_is_no_command(text):
    assert refused_by_latex(escape_latex(text)) == []
    assert refused_by_latex(to_latex(filled(text))) == []


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_in_latex_nothing_is_a_command(text):
    assert refused_by_latex(to_latex(filled(text))) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_citations_keep_their_form(fake_report, text):
    figure = replace(
        fake_report.figures["starfish"], caption=filled(text), alt=filled(text), title=f"Of {filled(text)}"
    )
    for name in FORMATS:
        citation = re.sub(r"(?m)^%.*\n", "", cite(figure, name, PUBLICATION))
        if name in ("bibtex", "biblatex", "latex"):
            assert citation.count("{") == citation.count("}")
            plain = cite(replace(figure, caption="From x.", alt="From x.", title="Of x"), name, PUBLICATION)
            assert len(citation.splitlines()) == len(re.sub(r"(?m)^%.*\n", "", plain).splitlines())
            assert r"\input{" not in citation
        elif name == "csl":
            assert json.loads(citation)[0]["abstract"] == to_plain(filled(text))
        elif name == "markdown":
            seen = Seen(Markdown().convert(citation))
            assert {tag for tag, _ in seen.elements} == {"p", "a", "img", "strong", "em", "code"}


@pytest.mark.parametrize("text", HOSTILE)
def test_metadata_keep_their_form(fake_report, text):
    figure = replace(fake_report.figures["starfish"], caption=filled(text), alt=filled(text), title=filled(text))
    (element,) = Seen(coins(figure, PUBLICATION)).elements
    assert element == ("span", ("class", "title"))
    (title,) = Seen(coins(figure, PUBLICATION)).titles
    assert parse_qs(title)["rft.description"] == [to_plain(filled(text))]
    front = yaml.safe_load(str(_front_matter(figure, PUBLICATION)))
    assert front["description"] == to_plain(filled(text))
    script = in_script(json.dumps({"name": text}))
    assert json.loads(script) == {"name": text}
    assert not set("<>&") & set(script)


@pytest.mark.parametrize("text", HOSTILE)
def test_on_a_page_it_changes_no_element(fake_report, text):
    def page(word: str) -> Seen:
        figure = replace(fake_report.figures["starfish"], caption=filled(word), alt=filled(word))
        number = replace(exact(1.0), method=word)
        absent = {"gone": f"file.py: run raised ValueError: {word}"}
        report = replace(fake_report, figures={"starfish": figure}, quantities={"a.number": number}, absent=absent)
        macros = Macros(Blocks(report, (), PUBLICATION, {}), Page("page.md", ""))
        calls = [macros.q("a.number"), macros.ref("gone"), macros.q("gone.number"), macros.claim("gone")]
        lines = ["# Page", macros.figure("starfish"), f"Words {calls[0]} and `code` {calls[1]} $x$ {calls[2]} `end`."]
        extensions = ["attr_list", "md_in_html", "tables", "site_builder.text.math_extension"]
        return Seen(Markdown(extensions=extensions).convert("\n\n".join([*lines, calls[3], "The last line."])))

    seen, harmless = page(text), page("harmless")
    assert seen.elements == harmless.elements
    assert seen.words.endswith("The last line.")
    assert f"run raised ValueError: {shown(text)}".strip() in shown(" ".join(seen.titles))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_names_of_numbers_are_comments_of_one_line_in_latex(fake_report, text):
    lines = numbers_tex(replace(fake_report, quantities={f"a.{text}": exact(1.0)}, claims={})).splitlines()
    assert [line for line in lines if not line.startswith(("%", r"\newcommand{\q"))] == []


@pytest.mark.parametrize("text", [each for each in HOSTILE if each == printable(each)])
def test_the_name_of_an_svg_is_its_text(text):
    svg = compact('<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>', text)
    assert ElementTree.fromstring(svg)[0].text == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_drawn_word_is_no_formula_and_has_a_shape_for_every_sign(text, recwarn):
    figure = Figure(figsize=(1, 1))
    figure.text(0, 0.5, verbatim(text))
    FigureCanvasAgg(figure).draw()
    assert len(recwarn) == 0


def test_signs_that_the_font_lacks_are_drawn_as_code_points():
    assert verbatim("a$b 中") == r"a\$b U+4E2D"
