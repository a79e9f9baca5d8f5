"""The search has one entry for each claim, at its card; writing them again changes nothing."""

import json
from dataclasses import replace

import pytest

from site_builder.site.claim_search import index_claims
from site_builder.site.kept_pages import SEARCH

CARDS = "first_runs.html"
PAGES = [{"location": page, "title": page, "text": ""} for page in (CARDS, "claims.html")]


@pytest.fixture
def report(drawn_report):
    """A report with the cards of all claims but one on a page of the site, and that one on a page that is not built."""
    claims = {id: replace(claim, page=CARDS) for id, claim in drawn_report[0].claims.items()}
    last = list(claims)[-1]
    return replace(drawn_report[0], claims=claims | {last: replace(claims[last], page="elsewhere.html")})


@pytest.fixture
def site(tmp_path):
    """A site whose search knows two pages."""
    (tmp_path / "search").mkdir()
    (tmp_path / SEARCH).write_text(json.dumps({"config": {}, "docs": PAGES}), "utf-8")
    return tmp_path


def entries(site):
    """Return what the search of the site knows, the claims apart from the rest."""
    docs = json.loads((site / SEARCH).read_text("utf-8"))["docs"]
    return [entry for entry in docs if "tags" not in entry], [entry for entry in docs if "tags" in entry]


def test_each_claim_of_a_built_page_is_found_at_its_card_by_its_id_as_one_word(report, site):
    index_claims(report, site)
    pages, claims = entries(site)
    assert pages == PAGES
    assert [entry["location"] for entry in claims] == [f"{CARDS}#claim-{id}" for id in sorted(list(report.claims)[:-1])]
    for entry in claims:
        claim = report.claims[entry["location"].partition("#claim-")[2]]
        assert entry["tags"] == [f"id_{claim.id.replace('-', '_')}"]
        assert claim.id in entry["text"]
        assert str(claim.verdict) in entry["text"]


def test_claims_indexed_again_leave_the_index_as_it_is(report, site):
    index_claims(report, site)
    first = (site / SEARCH).read_bytes()
    index_claims(report, site)
    assert (site / SEARCH).read_bytes() == first
    assert (site / SEARCH).with_suffix(".js").read_bytes() == b"var __index = " + first


def test_a_site_without_a_search_stays_without(report, tmp_path):
    index_claims(report, tmp_path)
    assert not (tmp_path / SEARCH).exists()
