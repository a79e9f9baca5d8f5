"""Words written in Markdown with `$formulas$`, as LaTeX and as plain text.

Text that nobody wrote as Markdown (from a file, a file's name, a result, an error) is data: `escape_markdown` lets it
stand in Markdown and in HTML, and every function here turns it back into the same signs.
"""

import re
import unicodedata
from collections.abc import Callable
from html import unescape

_FORMULA = re.compile(r"(?<!\\)\$(?!\s)((?:\\.|[^$\\])+?)(?<!\s)\$")
_MARKS = re.compile(
    r"`(?P<code>[^`]+)`"
    r"|\*\*(?P<strong>[^*]+)\*\*"
    r"|(?<!\w)[*_](?P<emphasis>[^*_\s](?:[^*_]*[^*_\s])?)[*_](?!\w)"
    r"|\[(?P<link>[^\]]+)\]\([^)]*\)"
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # BibTeX counts braces, behind a backslash as well
    "}": r"\textbraceright{}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{MIDDLE DOT}": r"\ensuremath{\cdot}",
    "\N{PLUS-MINUS SIGN}": r"\ensuremath{\pm}",
    "\N{DEGREE SIGN}": r"\ensuremath{^\circ}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\le}",
    "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\ge}",
    "\N{ALMOST EQUAL TO}": r"\ensuremath{\approx}",
    "\N{INFINITY}": r"\ensuremath{\infty}",
    "\N{MUCH LESS-THAN}": r"\ensuremath{\ll}",
    "\N{MUCH GREATER-THAN}": r"\ensuremath{\gg}",
    "\N{NOT EQUAL TO}": r"\ensuremath{\ne}",
    "\N{ELEMENT OF}": r"\ensuremath{\in}",
    "\N{PROPORTIONAL TO}": r"\ensuremath{\propto}",
    "\N{UP TACK}": r"\ensuremath{\perp}",
    "\N{PRIME}": r"\ensuremath{'}",
    "\N{DOT OPERATOR}": r"\ensuremath{\cdot}",
    "\N{DOUBLE VERTICAL LINE}": r"\ensuremath{\Vert}",
    "\N{VULGAR FRACTION ONE HALF}": r"\ensuremath{\frac{1}{2}}",
    "\N{N-ARY SUMMATION}": r"\ensuremath{\sum}",
    "\N{MATHEMATICAL LEFT ANGLE BRACKET}": r"\ensuremath{\langle}",
    "\N{MATHEMATICAL RIGHT ANGLE BRACKET}": r"\ensuremath{\rangle}",
    "\N{LATIN SUBSCRIPT SMALL LETTER J}": r"\ensuremath{_{j}}",
    "\N{SQUARE ROOT}": r"\ensuremath{\surd}",
    "\N{RIGHTWARDS ARROW}": r"\ensuremath{\to}",
    "\N{LATIN SMALL LETTER SHARP S}": r"{\ss}",
    "\N{LATIN SMALL LETTER O WITH STROKE}": r"{\o}",
    "\N{LATIN SMALL LETTER AE}": r"{\ae}",
    "\N{LATIN SMALL LETTER L WITH STROKE}": r"{\l}",
}
_ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
    "\N{COMBINING RING ABOVE}": "r",
}


_ACTIVE = re.compile(r"""[\\`*_{}\[\]<>#!|~$&"']|^[-+=](?=\s|$)|^(?<!\d)\d+(?=[.)]\s)""")
"""What means something to Markdown, to HTML or to the extension for formulas; some of it only as a first sign."""


def escape_markdown(text: str) -> str:
    """Return plain `text` so that Markdown and HTML show it, sign by sign, in a line or in an attribute."""
    return _ACTIVE.sub(lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), printable(text).strip())


def one_line(text: str) -> str:
    """Return text with single spaces in place of line breaks and of any other run of white space."""
    return " ".join(text.split())


def printable(text: str) -> str:
    """Return text in one line: what breaks lines becomes a space, what cannot be shown the sign for that."""
    text = re.sub(r"[\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)  # turns of direction
    return "".join(" " if unicodedata.category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)


def escape_latex(text: str) -> str:
    """Return plain `text` so that LaTeX prints it; letters of other scripts stay, for UTF-8 input."""
    return "".join(_latex_letter(letter) for letter in unicodedata.normalize("NFC", printable(text)))


def to_latex(text: str) -> str:
    """Return Markdown `text` as LaTeX: formulas as they are, emphasis and code as commands, links as their words."""

    def words(plain: str) -> str:
        return _replace_marks(plain, {"code": "texttt", "strong": "textbf", "emphasis": "emph"})

    return _outside_formulas(text, words, lambda formula: f"${formula}$")


def to_plain(text: str) -> str:
    """Return Markdown `text` without its marks; formulas keep their source without dollar signs."""

    def words(plain: str) -> str:
        return unescape(_MARKS.sub(lambda match: next(group for group in match.groups() if group is not None), plain))

    return " ".join(_outside_formulas(text, words, str).split())


def id_word(id: str) -> str:
    """Return an id as one word of the search, which parts words at hyphens (docs/assets/js/search-on-demand.js)."""
    return f"id_{id.replace('-', '_')}"


def _outside_formulas(text: str, words: Callable[[str], str], formula: Callable[[str], str]) -> str:
    parts = _FORMULA.split(text)
    return "".join(formula(part) if place % 2 else words(part) for place, part in enumerate(parts))


def _replace_marks(text: str, commands: dict[str, str]) -> str:
    result, end = "", 0
    for match in _MARKS.finditer(text):
        kind = str(match.lastgroup)
        inner = escape_latex(unescape(match.group(kind)))
        result += escape_latex(unescape(text[end : match.start()]))
        result += rf"\{commands[kind]}{{{inner}}}" if kind in commands else inner
        end = match.end()
    return result + escape_latex(unescape(text[end:]))


def _latex_letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isascii():
        return letter
    return _accented(letter) or _raised_or_lowered(letter) or _greek(letter) or letter


def _accented(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) != 2 or not parts[0].isascii() or parts[1] not in _ACCENTS:
        return ""
    base = rf"\{parts[0]}" if parts[0] in "ij" else parts[0]
    return rf"{{\{_ACCENTS[parts[1]]}{{{base}}}}}"


def _raised_or_lowered(letter: str) -> str:
    """Return a superscript or subscript letter or digit as one."""
    kind, _, base = unicodedata.decomposition(letter).partition(" ")
    signs = {"<super>": "^", "<sub>": "_"}
    if kind not in signs:
        return ""
    inner = "-" if base == "2212" else _greek(chr(int(base, 16)), bare=True) or chr(int(base, 16))
    return rf"\ensuremath{{{signs[kind]}{{{inner}}}}}"


def _greek(letter: str, *, bare: bool = False) -> str:
    """Return a Greek letter as a formula, or as what stands inside one; those like Latin letters as those."""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(letter, ""))
    if not found:
        return ""
    name = {"LAMDA": "lambda"}.get(found[2], found[2].lower())
    if found[1] == "CAPITAL":
        name = _LIKE_LATIN.get(name) or rf"\{name.capitalize()}"
    else:
        name = "o" if name == "omicron" else rf"\{name}"
    return name if bare else rf"\ensuremath{{{name}}}"


_LIKE_LATIN = {
    name: rf"\mathrm{{{capital}}}"
    for name, capital in zip(
        ("alpha", "beta", "epsilon", "zeta", "eta", "iota", "kappa", "mu", "nu", "omicron", "rho", "tau", "chi"),
        "ABEZHIKMNOPTX",
        strict=True,
    )
}
"""Greek capitals without a command of their own."""
