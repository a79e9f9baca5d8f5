"""How to cite a figure or the whole report, in the formats that people paste.

A figure is identified by its slug and by the digest of what it plots. Its number is not part of a citation, since
it changes when pages are rearranged. A build with uncommitted changes says so and names no commit.
"""

import json
from collections.abc import Callable
from typing import Any

from experiments.core.errors import ReportError, did_you_mean
from site_builder.citing.metadata import coins, highwire, json_ld, report_coins, report_json_ld
from site_builder.citing.publication import (
    KEY_PREFIX,
    SHORT,
    Publication,
    citation_key,
    file_path,
    page_path,
    script_address,
)
from site_builder.store.records import FigureRecord
from site_builder.text.markup import escape_latex, escape_markdown, one_line, to_latex, to_plain

__all__ = [
    "FORMATS",
    "REPORT_FORMATS",
    "cite",
    "cite_report",
    "coins",
    "highwire",
    "json_ld",
    "report_coins",
    "report_json_ld",
    "script_address",
]


def cite(figure: FigureRecord, format: str, publication: Publication) -> str:
    """Return the citation of `figure` as "bibtex", "biblatex", "csl", "markdown", "latex" or "text"."""
    if format not in FORMATS:
        raise ReportError(f"no citation format {format!r}{did_you_mean(format, FORMATS)} ({', '.join(FORMATS)})")
    return FORMATS[format](figure, publication)


def cite_report(format: str, publication: Publication) -> str:
    """Return the citation of the report as a whole as "bibtex", "biblatex", "csl" or "text"."""
    if format not in REPORT_FORMATS:
        known = ", ".join(REPORT_FORMATS)
        raise ReportError(
            f"no citation format {format!r} for the report{did_you_mean(format, REPORT_FORMATS)} ({known})"
        )
    return REPORT_FORMATS[format](publication)


def _report_bibtex(publication: Publication) -> str:
    return _report_entry(
        "techreport", publication, {"year": publication.year, "note": escape_latex(_version(publication))}
    )


def _report_biblatex(publication: Publication) -> str:
    about = {"type": "techreport", "date": publication.date, "version": publication.version}
    return _report_entry("report", publication, about)


def _report_entry(kind: str, publication: Publication, about: dict[str, str]) -> str:
    """Write the report's entry: what both dialects of BibTeX share, and `about` in the words of one."""
    authors = _bib_authors(publication)
    title = f"{{{escape_latex(publication.title)}}}"
    return _entry(kind, KEY_PREFIX, author=authors, title=title, institution=authors, **about, url=publication.address)


def _report_csl(publication: Publication) -> str:
    item = {
        "id": KEY_PREFIX,
        "type": "report",
        "title": publication.title,
        "author": [{"literal": author} for author in publication.authors],
        "version": publication.version,
        "URL": publication.address,
        "issued": _issued(publication),
    }
    return json.dumps([{name: value for name, value in item.items() if value}], indent=2, ensure_ascii=False) + "\n"


def _report_text(publication: Publication) -> str:
    version = f"{_version(publication)}." if publication.version else ""
    parts = [f"{_who_and_when(publication)}. {_sentence(publication.title)}", version, publication.address]
    return " ".join(part for part in parts if part) + "\n"


def _version(publication: Publication) -> str:
    return f"Version {publication.version}" if publication.version else ""


def _issued(publication: Publication) -> dict[str, list[list[int]]]:
    return {"date-parts": [[int(part) for part in publication.date.split("-")]]} if publication.date else {}


def _bibtex(figure: FigureRecord, publication: Publication) -> str:
    address = publication.at(page_path(figure))
    return _entry(
        "misc",
        citation_key(figure),
        author=_bib_authors(publication),
        title=f"{{{to_latex(figure.title)}}}",
        year=publication.year,
        howpublished=rf"\url{{{address}}}" if publication.url else "",
        url=address if publication.url else "",
        note=f"Figure in {escape_latex(publication.title)}; {escape_latex(_identity(figure))}",
    )


def _biblatex(figure: FigureRecord, publication: Publication) -> str:
    return _entry(
        "online",
        citation_key(figure),
        author=_bib_authors(publication),
        title=f"{{{to_latex(figure.title)}}}",
        date=publication.date,
        organization=f"{{{escape_latex(publication.title)}}}",
        url=publication.at(page_path(figure)),
        note=f"Figure; {escape_latex(_identity(figure))}",
    )


def _csl(figure: FigureRecord, publication: Publication) -> str:
    item: dict[str, Any] = {
        "id": citation_key(figure),
        "type": "figure",
        "title": to_plain(figure.title),
        "author": [{"literal": author} for author in publication.authors],
        "container-title": publication.title,
        "URL": publication.at(page_path(figure)),
        "note": _identity(figure),
        "abstract": to_plain(figure.caption),
    }
    if publication.date:
        item["issued"] = _issued(publication)
    if not figure.run.dirty and figure.run.commit:
        item["version"] = figure.run.commit[:SHORT]
    return json.dumps([item], indent=2, ensure_ascii=False) + "\n"


def _markdown(figure: FigureRecord, publication: Publication) -> str:
    page = publication.at(page_path(figure))
    picture = publication.at(file_path(figure, "png"))
    alt = escape_markdown(to_plain(figure.alt))
    return (
        f"[![{alt}]({picture})]({page})\n\n"
        f"**{_sentence(figure.title)}** {_sentence(figure.caption)} "
        f"*{publication.title}*, {_who_and_when(publication)}. [Figure `{figure.id}`]({page}); {_identity(figure)}.\n"
    )


def _latex(figure: FigureRecord, publication: Publication) -> str:
    caption = rf"\textbf{{{to_latex(_sentence(figure.title))}}} {to_latex(_sentence(figure.caption))}"
    kind = "pdf" if "pdf" in figure.files else "png"  # a quick run has no PDF
    return (
        f"% {one_line(publication.at(file_path(figure, kind)))} ({_identity(figure)})\n"
        f"% Alternative text: {one_line(to_plain(figure.alt))}\n"
        "\\begin{figure}\n"
        "  \\centering\n"
        f"  \\includegraphics[width=\\linewidth]{{{figure.id}.{kind}}}\n"
        f"  \\caption{{{caption} From~\\cite{{{citation_key(figure)}}}.}}\n"
        f"  \\label{{fig:{figure.id}}}\n"
        "\\end{figure}\n"
    )


def _text(figure: FigureRecord, publication: Publication) -> str:
    address = publication.at(page_path(figure))
    title = _sentence(to_plain(figure.title))
    return (
        f"{_who_and_when(publication)}. {title} Figure “{figure.id}” in {publication.title}. "
        f"{address} ({_identity(figure)}).\n"
    )


FORMATS: dict[str, Callable[[FigureRecord, Publication], str]] = {
    "bibtex": _bibtex,
    "biblatex": _biblatex,
    "csl": _csl,
    "latex": _latex,
    "markdown": _markdown,
    "text": _text,
}


REPORT_FORMATS: dict[str, Callable[[Publication], str]] = {
    "bibtex": _report_bibtex,
    "biblatex": _report_biblatex,
    "csl": _report_csl,
    "text": _report_text,
}


def _identity(figure: FigureRecord) -> str:
    """Return which figure and which data: the slug, the digest of the data, and the commit if there is a clean one."""
    commit = f"commit {figure.run.commit[:SHORT]}" if figure.run.commit else "no commit"
    state = "built from uncommitted changes" if figure.run.dirty else commit
    return f"id {figure.id}, data sha256 {figure.digest[:SHORT]}, {state}"


def _entry(kind: str, key: str, **fields: str) -> str:
    """Write a bibliography entry; fields without a value are left out."""
    given = {name: value for name, value in fields.items() if value}
    width = max(len(name) for name in given)
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in given.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"]) + "\n"


def _bib_authors(publication: Publication) -> str:
    """Return the authors, each in braces, so that "and", commas and initials in a name are left alone."""
    return " and ".join(f"{{{escape_latex(author)}}}" for author in publication.authors)


def _who_and_when(publication: Publication) -> str:
    return f"{', '.join(publication.authors)} ({publication.year or 'n.d.'})"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."
