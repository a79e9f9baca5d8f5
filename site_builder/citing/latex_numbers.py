r"""Every number of the report as a LaTeX macro, to be read into a paper with `\input{numbers.tex}`.

The name of a macro is `\q` and the words of the number's name on pages in capitals and small letters; digits are
spelled out, since TeX allows letters only: `starfish.share.0.1` becomes `\qStarfishShareZeroPointOne`. Each number
has the value with its interval under that name, and with these endings:

`Value` the value alone · `Interval` "[low, high]" if it has one · `N` its n if it has one ·
`Percent` and `PercentValue` the same in percent if it has no unit · for a claim, `\qClaim<Id>` its statistic and
`\qClaim<Id>Verdict` its verdict.
"""

import re
from collections.abc import Iterator

from experiments.core.quantities import Quantity
from site_builder.store.records import Report
from site_builder.text.markup import escape_latex, printable
from site_builder.text.quantity_text import written

_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


def numbers_tex(report: Report) -> str:
    """Return the file: one `\\newcommand` per macro, ordered by the numbers' names on pages."""
    lines = [
        "% Numbers of the report; made by the build, do not edit. Read it with \\input{numbers.tex}.",
        "% Endings: none value with its 95 % interval, Value, Interval, N, Percent, PercentValue; Verdict for claims.",
        f"% Scale of the runs: {report.scale}.",
    ]
    taken: set[str] = set()
    for source, ending_texts in _all_macros(report):
        lines.append(f"% {printable(source)}")
        base = _free_name(macro_name(source), set(ending_texts), taken)
        for ending, text in ending_texts.items():
            lines.append(rf"\newcommand{{\{base}{ending}}}{{{text}}}")
            taken.add(base + ending)
    return "\n".join(lines) + "\n"


def macro_name(name: str) -> str:
    """Return the macro's name, without backslash: `q`, then letters only."""
    spelled = re.sub(r"(?<=\d)\.(?=\d)", " point ", name)
    spelled = re.sub(r"(?<![\w])-(?=\d)", " minus ", spelled)
    spelled = re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit.group())]} ", spelled)
    words = re.findall(r"[A-Za-z]+", spelled)
    return "q" + "".join(word[0].upper() + word[1:] for word in words)


def _all_macros(report: Report) -> Iterator[tuple[str, dict[str, str]]]:
    for name in sorted(report.quantities):
        yield name, _forms(report.quantities[name])
    for id in sorted(report.claims):
        claim = report.claims[id]
        yield f"claim.{id}", _forms(claim.statistic) | {"Verdict": str(claim.verdict)}


def _forms(quantity: Quantity) -> dict[str, str]:
    """Return the text of a number under each ending that makes sense for it."""
    forms = {"": f"{quantity}", "Value": f"{quantity:value}"}
    if quantity.low is not None and quantity.high is not None:
        forms["Interval"] = re.sub(r"^[^\[]*(\[[^\]]*\]).*$", r"\1", f"{quantity}")
    if quantity.n is not None:
        forms["N"] = str(quantity.n)
    if not quantity.unit:
        forms |= {"Percent": written(quantity, "%"), "PercentValue": written(quantity, "% value")}
    return {ending: escape_latex(text) for ending, text in forms.items()}


def _free_name(base: str, endings: set[str], taken: set[str]) -> str:
    """Return `base`, with `Alt` as often as it takes for names that differ only in signs TeX cannot hold."""
    while any(base + ending in taken for ending in endings):
        base += "Alt"
    return base
