"""Gives each claim an entry of its own in the index of the search: its title, its criterion and its id, at its card.

The index of the site engine has one entry a section of a page, which may hold ten claims. The entries here follow from
the report alone, so that they are the same whichever pages were built and whichever were taken over.
"""

import json
from html import escape
from pathlib import Path
from typing import Any

from site_builder.site.kept_pages import SEARCH
from site_builder.store.records import ClaimRecord, Report
from site_builder.text.markup import id_word, to_plain

ANCHOR = "#claim-"
"""How the address of a claim's card goes on after the page."""


def index_claims(report: Report, site: Path) -> None:
    """Write the claims of `report` into the index of the search of `site`, in place of those it has."""
    path = site / SEARCH
    if not path.exists():
        return
    index = json.loads(path.read_text("utf-8"))
    pages = {entry["location"] for entry in index["docs"]}
    kept = [entry for entry in index["docs"] if ANCHOR not in entry["location"]]
    claims = sorted(report.claims.values(), key=lambda claim: (claim.page, claim.id))
    index["docs"] = kept + [search_entry(claim) for claim in claims if claim.page in pages]
    text = json.dumps(index, separators=(",", ":"))
    path.write_text(text, "utf-8")
    path.with_suffix(".js").write_text(f"var __index = {text}", "utf-8")  # for a site read from disk


def search_entry(claim: ClaimRecord) -> dict[str, Any]:
    """Return what the search knows of a claim; the id is one word, a tag (docs/assets/js/search-on-demand.js)."""
    sentences = (f"Verdict: {claim.verdict.value}. {claim.criterion}", claim.test, claim.id)
    return {
        "location": f"{claim.page}{ANCHOR}{claim.id}",
        "title": escape(to_plain(claim.title)),
        "text": "".join(f"<p>{escape(to_plain(text))}</p>" for text in sentences if text),
        "tags": [id_word(claim.id)],
    }
