"""Formulas as MathML, made when the site is built: no script, no picture, and it works from disk and in print.

`$W^T W$` is a formula in the text; `$$ ... $$` in a paragraph of its own is a displayed one. A dollar
sign that opens a formula is followed by something other than a space, one that closes it is preceded by
something other than a space and not followed by a digit; write `\\$` for the sign itself.
"""

import re
import xml.etree.ElementTree as etree
from functools import lru_cache

from latex2mathml.converter import convert
from markdown import Extension, Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.inlinepatterns import InlineProcessor

from experiments.core.errors import ReportError

INLINE = r"(?<![\\$])\$(?![\s$])((?:\\.|[^$\\\n]|\n(?!\n))+?)(?<!\s)\$(?![\d$])"
"""A formula in the text; its group is the LaTeX between the dollar signs."""

DISPLAY = r"\$\$(.+?)\$\$"
"""A displayed formula (to be matched with `re.DOTALL`)."""

_TAG = re.compile(r"</?data\b[^>]*>")


@lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = False) -> str:
    """Return the MathML of a formula, or raise a `ReportError` that names it."""
    source = _TAG.sub("", latex).replace(" %", r"\,\%").strip()
    if "<data" in latex:
        source = re.sub(r"(?<!\\)%", r"\\%", source)
    try:
        if re.sub(r"\\[{}]", "", source).count("{") != re.sub(r"\\[{}]", "", source).count("}"):
            raise ValueError("its braces do not match")
        result = _tidied(convert(source, display="block" if display else "inline"))
        _refuse_leftovers(result)
        if "minsize" in result:
            result = _with_whole_brackets(result)
    except Exception as error:  # latex2mathml raises many kinds, without words
        reason = str(error) or type(error).__name__
        raise ReportError(f"the formula ${source}$ cannot be set ({reason})") from error
    return result.replace("<math ", '<math class="display" ' if display else "<math ", 1)


_NAMESPACE = ' xmlns="http://www.w3.org/1998/Math/MathML"'

_SCRIPTS = {"msub", "msup", "msubsup"}

_NO_SPACE = ' lspace="0" rspace="0"'

_PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
"""How many parts an element of MathML has that cannot have any number of them."""


def _tidied(result: str) -> str:
    """Set names of functions and distributions as upright words, and bars and tall brackets close to what they hold."""
    result = re.sub(
        r'(?:<mi mathvariant="normal">\w</mi>){2,}',
        lambda letters: f"<mi>{''.join(re.findall(r'>(.)<', letters[0]))}</mi>",
        result,
    )
    result = result.replace("<mi>&#x0007E;</mi>", "<mo>\N{TILDE OPERATOR}</mo>")  # the converter has an identifier
    result = result.replace("<mo>&#x02205;</mo>", "<mi>\N{EMPTY SET}</mi>")  # and here an operator
    result = re.sub(r"<mo>([A-Za-z]{2,})</mo>", r"<mi>\1</mi>", result)
    result = re.sub(
        r'<mo(?: fence="false")?(?: stretchy="false")?>(&#x02016;|&#x0007C;)</mo>',
        rf'<mo stretchy="false"{_NO_SPACE}>\1</mo>',
        result,
    )
    result = result.replace('<mo stretchy="true" fence="true" minsize', f'<mo stretchy="true"{_NO_SPACE} minsize')
    return re.sub(f"({_NAME}|{_NAME_WITH_SCRIPTS})(?=<m(?:i|n|sub|sup|subsup|row|frac)>)", rf"\1{_THIN_SPACE}", result)


_NAME = "".join(f"(?<!<{tag}>)" for tag in sorted(_PARTS)) + "<mi>[A-Za-z]{2,}</mi>"
"""The name of a function on its own, to be matched outside what has a set number of parts."""

_NAME_WITH_SCRIPTS = r"<(m(?:sub|sup|subsup|under))><mi>[A-Za-z]{2,}</mi>(?:(?!<\2>).)*?</\2>"

_THIN_SPACE = '<mspace width="0.17em" />'


def _with_whole_brackets(result: str) -> str:
    """Let a power or a subscript of a closing tall bracket belong to the pair; a browser makes its lone base small."""
    root = etree.fromstring(result.replace(_NAMESPACE, "", 1))
    for row in list(root.iter()):
        opened: list[etree.Element] = []
        for child in list(row):
            ending = child[0] if child.tag in _SCRIPTS and len(child) else child
            if not ending.get("minsize"):
                continue
            if ending is child and (ending.text or " ") in "([":
                opened.append(child)
            elif (ending.text or " ") in ")]" and opened:
                start = opened.pop()
                if ending is not child:
                    _draw_in(row, start, child)
    return etree.tostring(root, encoding="unicode").replace("<math", f"<math{_NAMESPACE}", 1)


def _draw_in(row: etree.Element, start: etree.Element, script: etree.Element) -> None:
    """Move what stands in the row from `start` on up to the script into a row of its own, with the script's base."""
    whole = etree.Element("mrow")
    between = list(row)[list(row).index(start) : list(row).index(script)]
    for each in between:
        row.remove(each)
        whole.append(each)
    whole.append(script[0])
    script.remove(script[0])
    script.insert(0, whole)


def _refuse_leftovers(result: str) -> None:
    """Raise if the converter passed on what it did not understand, as it does with unknown commands.

    Raises also for an element with other parts than it must have: a browser sets all of them in one row.
    """
    try:
        root = etree.fromstring(result)
    except etree.ParseError as error:
        raise ValueError("it uses an environment that is not known, or a stray '&'") from error
    unknown = re.search(r"\\[A-Za-z]+", " ".join(root.itertext()))
    if unknown:
        raise ValueError(f"unknown command {unknown.group()}")
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        if len(element) != _PARTS.get(tag, len(element)):
            raise ValueError(f"its {tag} has {len(element)} parts")


class _Inline(InlineProcessor):
    def handleMatch(self, m: re.Match[str], data: str) -> tuple[str, int, int]:  # type: ignore[override]
        return self.md.htmlStash.store(mathml(m.group(1))), m.start(0), m.end(0)


class _Display(BlockProcessor):
    def test(self, parent: etree.Element, block: str) -> bool:
        return block.startswith("$$")

    def run(self, parent: etree.Element, blocks: list[str]) -> bool:
        text = "\n\n".join(blocks)
        found = re.match(DISPLAY + r"[ \t]*(?:\n|$)", text, re.DOTALL)
        if not found:
            return False
        box = etree.SubElement(parent, "div", {"class": "formula", "tabindex": "0", "data-search-exclude": ""})
        box.text = self.parser.md.htmlStash.store(mathml(found.group(1), display=True))
        rest = text[found.end() :].lstrip("\n")
        blocks[:] = rest.split("\n\n") if rest else []
        return True


class MathExtension(Extension):
    """The Python-Markdown extension; `mkdocs.yml` names it by its module."""

    def extendMarkdown(self, md: Markdown) -> None:
        # After code spans (190), before backslash escapes (180), which would eat LaTeX commands.
        md.inlinePatterns.register(_Inline(INLINE, md), "math", 185)
        md.parser.blockprocessors.register(_Display(md.parser), "math-display", 75)


def makeExtension(**options: object) -> MathExtension:
    """Return the extension; Python-Markdown looks this name up."""
    return MathExtension(**options)
