"""What a reader meets who browses a collection: search, order, a way back, numbers beside shades, both schemes."""

import re

import pytest

pytestmark = pytest.mark.browser

ROWS = ".browse-index tbody tr:visible"


@pytest.fixture
def index(site) -> str:
    if not site.browsed:
        pytest.skip("this site has nothing to browse")
    return site.browsed[0]


def column(tab, number: int) -> list[str]:
    return tab.page.evaluate(
        "number => [...document.querySelectorAll('.browse-index tbody tr')].map(row => row.cells[number].textContent)",
        number,
    )


def test_the_page_of_the_figure_leads_to_the_index_and_back(site, reader, index: str) -> None:
    tab = reader()
    figure = index.split("/")[1]
    tab.open(site.file(f"figures/{figure}.html"))
    tab.page.get_by_role("link", name=re.compile("^Browse all")).click()
    tab.page.wait_for_load_state()
    assert tab.page.url.endswith(index)
    tab.page.locator(ROWS).first.get_by_role("link").click()
    tab.page.wait_for_load_state()
    tab.page.get_by_role("link", name=re.compile("^All ")).click()
    tab.page.wait_for_load_state()
    tab.page.get_by_role("link", name=re.compile("^Figure")).click()
    tab.page.wait_for_load_state()
    assert f"figure-{figure}" in tab.page.url
    assert tab.complaints == []


def test_the_index_is_searched_by_words(site, reader, index: str) -> None:
    tab = reader()
    tab.open(site.file(index))
    every = tab.page.locator(ROWS).count()
    title = tab.page.locator(ROWS).nth(1).locator("th").text_content()
    tab.page.get_by_role("searchbox").fill(title)
    assert 1 <= tab.page.locator(ROWS).count() < every
    tab.page.get_by_role("searchbox").fill("no entry has such words")
    assert tab.page.locator(ROWS).count() == 0
    assert tab.page.get_by_role("status").first.text_content().startswith(f"0 of {every}")


def test_columns_sort_both_ways_and_what_is_undefined_stands_last(site, reader, index: str) -> None:
    tab = reader()
    tab.open(site.file(index))
    heads = tab.page.locator(".browse-index thead th")
    number = next(k for k in range(heads.count()) if heads.nth(k).get_attribute("data-number") is not None)
    heads.nth(number).get_by_role("button").click()
    assert heads.nth(number).get_attribute("aria-sort") == "descending"
    keys = "n => [...document.querySelectorAll('.browse-index tbody tr')].map(row => row.cells[n].dataset.value)"
    falling = [float(value) for value in tab.page.evaluate(keys, number) if value]
    assert falling == sorted(falling, reverse=True)
    heads.nth(number).get_by_role("button").click()
    assert heads.nth(number).get_attribute("aria-sort") == "ascending"
    words = column(tab, number)
    assert "–" not in words[: len(words) - words.count("–")]


def test_going_back_finds_search_and_order_again(site, reader, index: str) -> None:
    tab = reader()
    tab.open(site.file(index))
    tab.page.locator(".browse-index thead th").nth(1).get_by_role("button").click()
    tab.page.get_by_role("searchbox").fill("1")
    before = column(tab, 0)
    shown = tab.page.locator(ROWS).count()
    tab.page.locator(ROWS).first.get_by_role("link").click()
    tab.page.wait_for_load_state()
    tab.page.go_back()
    tab.page.wait_for_timeout(300)
    assert tab.page.get_by_role("searchbox").input_value() == "1"
    assert column(tab, 0) == before
    assert tab.page.locator(ROWS).count() == shown


def test_strengths_are_shown_as_numbers_on_request(site, reader, index: str) -> None:
    tab = reader()
    tab.open(site.file(site.browsed[1]))
    content = "getComputedStyle(document.querySelector('.passage mark[data-strength]'), '::after').content"
    assert tab.page.evaluate(content) == "none"
    tab.page.get_by_role("checkbox").check()
    strength = tab.page.locator(".passage mark[data-strength]").first.get_attribute("data-strength")
    assert tab.page.evaluate(content).strip('"') in (strength, "attr(data-strength)")


def test_a_mark_is_more_than_a_shade(site, reader, index: str) -> None:
    tab = reader()
    tab.open(site.file(site.browsed[1]))
    widths = tab.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".passage mark[data-strength]")].map(mark =>
            [mark.className.match(/m(\\d)/)[1], parseFloat(getComputedStyle(mark).borderBottomWidth)]))"""
    )
    ordered = [widths[level] for level in sorted(widths)]
    assert len(ordered) > 1
    assert min(ordered) > 0
    assert ordered == sorted(ordered)
    assert ordered[-1] > ordered[0]


def test_the_scheme_is_the_one_chosen_elsewhere_on_the_site(site, reader, server: str, index: str) -> None:
    tab = reader(color_scheme="light")
    tab.open(f"{server}/{site.shown['page']}")
    tab.page.locator("label.md-header__button[for^=__palette]:not([hidden])").click()
    tab.page.wait_for_timeout(100)
    tab.open(f"{server}/{index}")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = tab.page.evaluate(background)
    tab.page.get_by_role("button", name="Light scheme").click()
    assert tab.page.evaluate(background) != dark
    tab.open(f"{server}/{site.shown['page']}")
    assert tab.page.evaluate("document.body.dataset.mdColorScheme") == "default"


@pytest.mark.parametrize(("scheme", "expected"), [("light", "default"), ("dark", "slate")])
def test_without_a_choice_the_system_decides(site, reader, index: str, scheme: str, expected: str) -> None:
    tab = reader(color_scheme=scheme)
    tab.open(site.file(index))
    assert tab.page.evaluate("document.documentElement.dataset.mdColorScheme") == expected


def test_without_scripts_every_entry_is_there(site, reader, index: str) -> None:
    tab = reader(java_script_enabled=False)
    tab.page.goto(site.file(index))
    entries = [path for path in (site.root / index).parent.glob("*.html") if path.name != "index.html"]
    assert tab.page.locator(ROWS).count() == len(entries)
