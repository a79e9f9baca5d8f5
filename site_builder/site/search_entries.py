"""Gives each claim and each figure an entry of its own in the index of the search.

The index of the site engine has one entry a section of a page, which may hold ten claims, and it would read every
page of a figure for the few words that the record of the figure holds. The entries here follow from the report alone,
so that they are the same whichever pages were built and whichever were taken over.
"""

import json
from html import escape
from pathlib import Path
from typing import Any

from site_builder.citing.publication import page_path
from site_builder.site.kept_pages import SEARCH, write_search
from site_builder.store.records import ClaimRecord, FigureRecord, Report
from site_builder.text.markup import id_word, to_plain

ANCHOR = "#claim-"
"""How the address of a claim's card goes on after the page."""

FIGURES = "figures/"
"""Where the pages of figures are, which tell the site engine not to index them."""


def index_report(report: Report, site: Path) -> None:
    """Write the claims and figures of `report` into the index of the search of `site`, in place of those it has."""
    path = site / SEARCH
    if not path.exists():
        return
    index = json.loads(path.read_text("utf-8"))
    kept = [entry for entry in index["docs"] if not _is_ours(entry["location"])]
    pages = {entry["location"] for entry in kept}
    claims = sorted(report.claims.values(), key=lambda claim: (claim.page, claim.id))
    figures = sorted(report.figures.values(), key=lambda figure: figure.id)
    index["docs"] = [
        *kept,
        *(claim_entry(claim) for claim in claims if claim.page in pages),
        *(figure_entry(figure) for figure in figures if (site / page_path(figure)).is_file()),
    ]
    write_search(site, index)


def _is_ours(location: str) -> bool:
    return ANCHOR in location or location.startswith(FIGURES)


def claim_entry(claim: ClaimRecord) -> dict[str, Any]:
    """Return what the search knows of a claim: title, verdict, criterion and id, at its card."""
    return _entry(
        f"{claim.page}{ANCHOR}{claim.id}",
        claim.title,
        (f"Verdict: {claim.verdict.value}. {claim.criterion}", claim.test, claim.id),
        claim.id,
    )


def figure_entry(figure: FigureRecord) -> dict[str, Any]:
    """Return what the search knows of a figure: number, title, caption and id, at its page."""
    return _entry(page_path(figure), f"Figure {figure.number}. {figure.title}", (figure.caption, figure.id), figure.id)


def _entry(location: str, title: str, sentences: tuple[str, ...], id: str) -> dict[str, Any]:
    """The id is one word for the search, a tag (docs/assets/js/search-on-demand.js)."""
    return {
        "location": location,
        "title": escape(to_plain(title)),
        "text": "".join(f"<p>{escape(to_plain(text))}</p>" for text in sentences if text),
        "tags": [id_word(id)],
    }
