"""The search has one entry for each claim, at its card, and for each figure; writing them again changes nothing."""

import json
from dataclasses import replace
from html import unescape

import pytest

from site_builder.site.kept_pages import SEARCH
from site_builder.site.search_entries import index_report
from site_builder.text.markup import to_plain

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
    """Return what the search of the site knows: of pages, of claims, of figures."""
    docs = json.loads((site / SEARCH).read_text("utf-8"))["docs"]
    ours = [entry for entry in docs if "tags" in entry]
    claims = [entry for entry in ours if "#claim-" in entry["location"]]
    return [entry for entry in docs if "tags" not in entry], claims, [each for each in ours if each not in claims]


def test_each_claim_of_a_built_page_is_found_at_its_card_by_its_id_as_one_word(report, site):
    index_report(report, site)
    pages, claims, _ = entries(site)
    assert pages == PAGES
    assert [entry["location"] for entry in claims] == [f"{CARDS}#claim-{id}" for id in sorted(list(report.claims)[:-1])]
    for entry in claims:
        claim = report.claims[entry["location"].partition("#claim-")[2]]
        assert entry["tags"] == [f"id_{claim.id.replace('-', '_')}"]
        assert claim.id in entry["text"]
        assert str(claim.verdict) in entry["text"]


def test_each_figure_that_has_a_page_is_found_there_by_its_caption_and_its_id_as_one_word(report, site):
    first, *rest = sorted(report.figures)
    (site / "figures").mkdir()
    (site / "figures" / f"{first}.html").touch()
    assert rest, "a figure whose page is not built has no entry"
    index_report(report, site)
    (found,) = entries(site)[2]
    assert found["location"] == f"figures/{first}.html"
    assert found["tags"] == [f"id_{first.replace('-', '_')}"]
    assert found["title"] == f"Figure {report.figures[first].number}. {to_plain(report.figures[first].title)}"
    assert to_plain(report.figures[first].caption) in unescape(found["text"])


def test_claims_indexed_again_leave_the_index_as_it_is(report, site):
    index_report(report, site)
    first = (site / SEARCH).read_bytes()
    index_report(report, site)
    assert (site / SEARCH).read_bytes() == first
    assert (site / SEARCH).with_suffix(".js").read_bytes() == b"var __index = " + first


def test_a_site_without_a_search_stays_without(report, tmp_path):
    index_report(report, tmp_path)
    assert not (tmp_path / SEARCH).exists()
