"""What a reader meets: no error, no request to anyone, figures in the right colours, search, citations, keyboard."""

import json
import re
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 800}

VISIBLE_PICTURES = """() => [...document.querySelectorAll("img[class^=only-]")]
    .filter(image => image.offsetParent !== null).map(image => image.className)"""

NUMBER_THE_CONTROLS = """() => {
    const controls = ".md-content :is(a[href], button, input, summary), .md-tabs a, .md-search__input"
    const all = [...document.querySelectorAll(controls)]
    window.expected = all.filter(each => each.checkVisibility() && each.tabIndex >= 0)
    window.expected.forEach((each, number) => (each.dataset.number = number))
}"""

FOCUSED = """() => {
    const focused = document.activeElement
    return [focused.dataset.number ?? null, getComputedStyle(focused).outlineStyle, focused.textContent]
}"""


def press_toggle(page: Any) -> None:
    page.locator("label.md-header__button[for^=__palette]:not([hidden])").click()
    page.wait_for_timeout(100)


def address_of(page: Any) -> str:
    """Return the address as the page has it; the driver hears of a change that a script made some time later."""
    return str(page.evaluate("location.href"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_complains_or_asks_another_host(site, reader, scheme: str) -> None:
    tab = reader(color_scheme=scheme)
    for page in site.pages:
        tab.open(site.file(page))
        tab.page.mouse.wheel(0, 20_000)  # whatever loads late
        tab.page.wait_for_timeout(100)
    assert tab.complaints == []
    assert tab.outside == []


def test_the_published_site_works_the_same_from_a_server(site, reader, server: str) -> None:
    tab = reader()
    for page in site.pages:
        tab.open(f"{server}/{page}")
    assert tab.complaints == []
    assert tab.outside == []


def test_figures_follow_the_colour_scheme_and_the_hidden_ones_are_not_loaded(site, reader) -> None:
    tab = reader(color_scheme="light")
    tab.open(site.file(site.shown["page"]))
    tab.page.locator(".figure").first.scroll_into_view_if_needed()
    assert set(tab.page.evaluate(VISIBLE_PICTURES)) == {"only-light"}
    assert not [url for url in tab.requests if url.endswith(".dark.svg")]
    press_toggle(tab.page)
    assert set(tab.page.evaluate(VISIBLE_PICTURES)) == {"only-dark"}
    tab.page.wait_for_timeout(200)
    assert [url for url in tab.requests if url.endswith(".dark.svg")]


def test_a_reader_who_prefers_dark_gets_dark_figures(site, reader) -> None:
    tab = reader(color_scheme="dark")
    tab.open(site.file(site.shown["page"]))
    assert set(tab.page.evaluate(VISIBLE_PICTURES)) == {"only-dark"}


def test_on_paper_figures_are_light(site, reader) -> None:
    tab = reader(color_scheme="dark")
    tab.open(site.file(site.shown["page"]))
    tab.page.emulate_media(media="print")
    assert set(tab.page.evaluate(VISIBLE_PICTURES)) == {"only-light"}


def test_every_citation_is_copied_as_it_stands(site, reader) -> None:
    tab = reader(permissions=["clipboard-read", "clipboard-write"])
    tab.open(site.file(f"figures/{site.shown['id']}.html"))
    tabs = tab.page.get_by_role("tab")
    copied = []
    for number in range(tabs.count()):
        tabs.nth(number).click()
        tab.page.get_by_role("button", name="Copy", exact=True).or_(
            tab.page.get_by_role("button", name="Copied", exact=True)
        ).click()
        tab.page.wait_for_timeout(50)
        copied.append(tab.page.evaluate("navigator.clipboard.readText()"))
        assert copied[-1] == tab.page.locator(".cite__format:visible code").text_content()
    assert len(set(copied)) == 6
    assert copied[0].startswith("@misc{")


def test_tabs_of_the_cite_box_move_with_the_arrow_keys(site, reader) -> None:
    tab = reader()
    tab.open(site.file(f"figures/{site.shown['id']}.html"))
    tab.page.get_by_role("tab", name="BibTeX").focus()
    tab.page.keyboard.press("ArrowRight")
    assert tab.page.evaluate("document.activeElement.textContent") == "BibLaTeX"
    assert tab.page.locator(".cite__format:visible code").text_content().startswith("@online{")


@pytest.mark.parametrize("from_disk", [True, False])
def test_the_index_of_the_search_loads_when_it_is_wanted(site, reader, server: str, from_disk: bool) -> None:
    tab = reader()
    fetched: list[str] = []
    tab.page.on("request", lambda request: fetched.append(request.url))
    tab.open(site.file("index.html") if from_disk else f"{server}/index.html")
    tab.page.wait_for_timeout(500)
    assert not any("search_index" in url for url in fetched)
    tab.page.locator(".md-search__input").click()
    tab.page.wait_for_timeout(1000)
    assert any("search_index" in url for url in fetched)


@pytest.mark.parametrize("from_disk", [True, False])
def test_search_finds_a_figure(site, reader, server: str, from_disk: bool) -> None:
    tab = reader()
    tab.open(site.file("index.html") if from_disk else f"{server}/index.html")
    tab.page.locator(".md-search__input").click()
    tab.page.keyboard.type(site.shown["title"])
    found = tab.page.locator(f".md-search-result__link[href*='figures/{quote(site.shown['id'])}.html']").first
    found.wait_for(state="visible", timeout=10_000)
    assert tab.complaints == []
    assert tab.outside == []


def test_the_data_of_a_figure_are_tables_one_click_from_its_card(site, reader) -> None:
    tab = reader()
    tab.open(site.file(site.shown["page"]))
    tab.page.locator(".figure__tools a[href$='#data']").first.click()
    tab.page.locator("details.data > summary").click()
    table = tab.page.locator(".data__table").first
    assert table.is_visible()
    assert "row" in table.locator("caption").inner_text()
    assert table.locator("tbody th[scope=row]").count() == table.locator("tbody tr").count() > 0
    found = axe.Axe().run(tab.page, context="details.data").response["violations"]
    assert [violation["id"] for violation in found if violation["impact"] in ("serious", "critical")] == []


def test_the_gallery_is_searchable(site, reader) -> None:
    tab = reader()
    tab.open(site.file("figures.html"))
    box = tab.page.get_by_label("Search the figures")
    box.fill(site.shown["title"])
    shown = tab.page.locator(".gallery > li:visible")
    assert 1 <= shown.count() < len(site.figures)
    box.fill("no figure has such words")
    assert shown.count() == 0
    assert tab.page.get_by_text(f"0 of {len(site.figures)} figures").is_visible()


def test_claims_are_filtered_by_words_and_by_verdict(site, reader) -> None:
    tab = reader()
    tab.open(site.file("claims.html"))
    rows = tab.page.locator(".claims-table tbody tr:visible")
    everything = rows.count()
    first = tab.page.locator(".filter__facets button").first
    first.click()
    assert first.get_attribute("aria-pressed") == "true"
    assert 1 <= rows.count() < everything
    assert {row.get_attribute("data-verdict") for row in rows.all()} == {first.text_content()}
    first.click()
    assert rows.count() == everything


@pytest.mark.parametrize("from_disk", [True, False])
def test_an_address_keeps_the_filter_of_claims(site, reader, server: str, from_disk: bool) -> None:
    tab = reader()
    tab.open(site.file("claims.html") if from_disk else f"{server}/claims.html")
    word = tab.page.locator(".claims-table tbody tr").first.get_attribute("id").removeprefix("row-")
    tab.page.get_by_label("Filter the claims").fill(word)
    shown = tab.page.locator(".claims-table tbody tr:visible")
    verdict = shown.first.get_attribute("data-verdict")
    tab.page.locator(f".filter__facets button[data-value={verdict}]").click()
    found = [row.get_attribute("id") for row in shown.all()]
    assert f"row-{word}" in found
    address = address_of(tab.page)
    assert f"filter={word}&verdict={verdict}" in address
    other = reader()
    other.open(address)
    assert other.page.get_by_label("Filter the claims").input_value() == word
    assert [row.get_attribute("id") for row in other.page.locator(".claims-table tbody tr:visible").all()] == found
    assert other.page.locator(f".filter__facets button[data-value={verdict}]").get_attribute("aria-pressed") == "true"
    other.page.get_by_label("Filter the claims").fill("")
    other.page.locator(f".filter__facets button[data-value={verdict}]").click()
    assert "?" not in address_of(other.page)
    assert tab.complaints == other.complaints == []


def test_an_address_keeps_the_search_of_figures_and_its_anchor(site, reader) -> None:
    tab = reader()
    tab.open(site.file("figures.html") + f"?filter={quote(site.shown['title'])}#somewhere")
    assert tab.page.get_by_label("Search the figures").input_value() == site.shown["title"]
    assert 1 <= tab.page.locator(".gallery > li:visible").count() < len(site.figures)
    tab.page.get_by_label("Search the figures").fill("a b")
    assert address_of(tab.page).endswith("figures.html?filter=a+b#somewhere")


@pytest.mark.parametrize("kind", ["figures", "claims"])
def test_search_finds_what_has_an_id(site, reader, server: str, kind: str) -> None:
    record = json.loads((site.root / f"{kind}.json").read_text("utf-8"))[kind][0]
    found = record["id"]
    tab = reader()
    tab.open(f"{server}/index.html")
    tab.page.locator(".md-search__input").click()
    tab.page.keyboard.type(found)
    place = f"figures/{found}.html" if kind == "figures" else f"{record['page']}#claim-{found}"
    page, _, anchor = place.partition("#")
    first = tab.page.locator(".md-search-result__item").first.locator(".md-search-result__link")
    # While an id is typed, what has the letters so far comes first.
    expect(first.first).to_have_attribute("href", re.compile(rf"/{re.escape(page)}(?:[?#]|$)"), timeout=10_000)
    assert not anchor or any(link.get_attribute("href").endswith(f"#{anchor}") for link in first.all()[:2])
    assert tab.complaints == []


def test_without_scripts_all_is_there(site, reader) -> None:
    tab = reader(java_script_enabled=False)
    tab.page.goto(site.file("claims.html"))
    assert tab.page.locator(".claims-table tbody tr:visible").count() > 0
    assert tab.page.locator("filter-list:visible").count() == 0
    tab.page.goto(site.file(f"figures/{site.shown['id']}.html"))
    assert tab.page.locator(".cite__format:visible").count() == 6


def test_the_keyboard_reaches_everything_and_shows_where_it_is(site, reader) -> None:
    tab = reader()
    tab.open(site.file(f"figures/{site.shown['id']}.html"))
    tab.page.evaluate(NUMBER_THE_CONTROLS)
    expected = tab.page.evaluate("expected.length")
    reached: set[str] = set()
    unmarked = []
    for _ in range(expected + 60):
        tab.page.keyboard.press("Tab")
        number, outline, text = tab.page.evaluate(FOCUSED)
        if number is not None:
            reached.add(number)
            unmarked += [text] if outline == "none" else []
    assert reached == {str(number) for number in range(expected)}
    assert unmarked == []


def test_the_first_tab_stop_skips_to_the_content(site, reader) -> None:
    tab = reader()
    tab.open(site.file(site.shown["page"]))
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.classList.contains('md-skip')")


def test_no_page_loads_a_megabyte_before_it_is_scrolled(site, reader, server: str) -> None:
    for page in site.pages:
        tab = reader(viewport=PHONE)  # a fresh cache
        tab.open(f"{server}/{page}")
        tab.page.wait_for_timeout(300)
        paths = {urlsplit(url).path.lstrip("/") for url in tab.requests if url.startswith(server)}
        assert sum((site.root / path).stat().st_size for path in paths) < 1_000_000, page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site, reader, scheme: str) -> None:
    tab = reader(color_scheme=scheme, reduced_motion="reduce")
    found = []
    for page in site.pages:
        tab.open(site.file(page))
        for violation in axe.Axe().run(tab.page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:160] + " " + node["failureSummary"][:200] for node in violation["nodes"][:3]]
                found.append((page, violation["id"], nodes))
    assert found == []


def test_no_page_is_wider_than_a_phone(site, reader) -> None:
    tab = reader(viewport=PHONE)
    widths = {}
    for page in site.pages:
        tab.open(site.file(page))
        widths[page] = tab.page.evaluate("document.documentElement.scrollWidth")
    assert widths == dict.fromkeys(site.pages, PHONE["width"])
