"""A lint for numbers typed into prose, which nothing would notice when a result changes.

Found are decimal numbers ("0.93") and percentages ("53 %"). Allowed is what cannot be a result or
says where it comes from: code, formulas (unless the number is all there is in one), addresses, macros,
`{{ given("0.9", "why") }}` for a value of the set-up, versions with three parts, and numbers of sections,
equations and preprints.
"""

import re
from dataclasses import dataclass

from site_builder.text.math_extension import DISPLAY, INLINE

_NUMBER = re.compile(r"(?<![\w.,/])[-+−]?(?:\d+(?:\.\d+)?\s?[%‰]|\d+\.\d+)(?!\d|[.,]\d)")
_ALONE = re.compile(r"\s*[-+−]?\d+(?:\.\d+)?\s*\\?%?\s*")

_NO_PROSE = [
    re.compile(r"\A---\n.*?\n---\n", re.DOTALL),  # front matter
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"^([ \t]*)(`{3,}|~{3,}).*?^\1\2", re.DOTALL | re.MULTILINE),
    re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL),
    re.compile(r"<(script|style|pre|code)\b.*?</\1>", re.DOTALL),
    re.compile(r"<[a-zA-Z/][^>]*>", re.DOTALL),
    re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL),
    re.compile(r"\]\([^)]*\)|^\[[^\]]+\]:.*$|\bhttps?://\S+", re.MULTILINE),
    re.compile(r"\{#[\w-]+\}"),
]
_NUMBERED = [
    re.compile(r"(?:§|\b(?:section|sec\.|chapter|appendix|equation|eq\.|arxiv:))\s?\d+(?:\.\d+)*", re.IGNORECASE),
    re.compile(r"^#+ +\d+(?:\.\d+)*\.? ", re.MULTILINE),  # a numbered heading
]
_FORMULAS = [re.compile(DISPLAY, re.DOTALL), re.compile(INLINE)]


@dataclass(frozen=True)
class TypedNumber:
    """A number typed into prose: the line it stands on, and its text."""

    line: int
    text: str


def typed_numbers(text: str) -> list[TypedNumber]:
    """Return the decimals and percentages typed into the prose of a page, in order."""
    text = prose(text)
    for pattern in _NUMBERED:
        text = pattern.sub(_blank, text)
    for pattern in _FORMULAS:
        text = pattern.sub(lambda formula: formula[0] if _ALONE.fullmatch(formula[1]) else _blank(formula), text)
    return [TypedNumber(text.count("\n", 0, hit.start()) + 1, hit[0].strip()) for hit in _NUMBER.finditer(text)]


def prose(text: str) -> str:
    """Return a page without code, markup, addresses and macros, line for line; formulas stay."""
    for pattern in _NO_PROSE:
        text = pattern.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    """Replace a match by as many lines, so that line numbers stay right."""
    return " " + "\n" * match[0].count("\n")
