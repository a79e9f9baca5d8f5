"""Links tell what they lead to: a card for mouse and keyboard, none for touch, never on the link, gone with Escape."""

import pytest

pytestmark = pytest.mark.browser

CARD = "#link-preview"
KINDS = ("figure", "claim")


def link(tab, kind: str):
    """Return the first visible link of a kind, in the middle of the window."""
    tab.page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")
    found = tab.page.locator(f"main a[data-preview-kind={kind}]:visible").first
    found.evaluate("link => link.scrollIntoView({block: 'center', behavior: 'instant'})")
    tab.page.wait_for_timeout(100)
    return found


@pytest.fixture
def page_of(site):
    """Return an address of a page with links of each kind; behind an answer stand the claims that decide it."""
    return {"figure": site.file("claims.html"), "claim": site.file(site.shown["page"])}


@pytest.mark.parametrize("kind", KINDS)
def test_a_mouse_that_rests_on_a_link_shows_the_card_beside_it(page_of, reader, kind: str) -> None:
    tab = reader()
    tab.open(page_of[kind])
    found = link(tab, kind)
    found.hover()
    card = tab.page.locator(CARD)
    card.wait_for(state="visible", timeout=3000)
    assert found.get_attribute("data-preview-title") in card.text_content()
    assert found.get_attribute("aria-describedby") == "link-preview"
    box, own = card.bounding_box(), found.bounding_box()
    assert box["y"] >= own["y"] + own["height"] or box["y"] + box["height"] <= own["y"]
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1280
    assert tab.complaints == []
    assert tab.outside == []


def test_the_card_stays_while_the_mouse_is_on_it_and_goes_when_it_leaves(page_of, reader) -> None:
    tab = reader()
    tab.open(page_of["figure"])
    link(tab, "figure").hover()
    card = tab.page.locator(CARD)
    card.wait_for(state="visible", timeout=3000)
    card.hover()
    tab.page.wait_for_timeout(500)
    assert card.is_visible()
    tab.page.mouse.move(2, 2)
    card.wait_for(state="hidden", timeout=3000)
    assert tab.page.locator("[aria-describedby=link-preview]").count() == 0


@pytest.mark.parametrize(("scheme", "name"), [("light", "light"), ("dark", "dark")])
def test_the_card_of_a_figure_has_its_picture_in_the_colour_scheme(page_of, reader, scheme: str, name: str) -> None:
    tab = reader(color_scheme=scheme)
    tab.open(page_of["figure"])
    link(tab, "figure").hover()
    image = tab.page.locator(f"{CARD} img")
    image.wait_for(state="visible", timeout=3000)
    tab.page.wait_for_function("() => document.querySelector('#link-preview img').naturalWidth > 0", timeout=3000)
    assert image.get_attribute("src").endswith(f".{name}.small.png")
    assert tab.complaints == []


def test_the_card_of_a_claim_has_its_verdict_and_value(page_of, reader) -> None:
    tab = reader()
    tab.open(page_of["claim"])
    found = link(tab, "claim")
    found.hover()
    card = tab.page.locator(CARD)
    card.wait_for(state="visible", timeout=3000)
    assert card.locator(".verdict").text_content() == found.get_attribute("data-preview-verdict")
    assert found.get_attribute("data-preview-text") in card.text_content()


def test_the_keyboard_shows_the_card_at_once_and_escape_dismisses_it(page_of, reader) -> None:
    tab = reader()
    tab.open(page_of["figure"])
    found = link(tab, "figure")
    found.evaluate("link => { link.focus({focusVisible: true}) }")
    card = tab.page.locator(CARD)
    assert card.is_visible()
    tab.page.keyboard.press("Escape")
    assert card.is_hidden()
    assert found.evaluate("link => document.activeElement === link")
    assert found.get_attribute("aria-describedby") is None


def test_a_finger_follows_the_link_without_a_card(page_of, reader) -> None:
    tab = reader(has_touch=True, viewport={"width": 390, "height": 800})
    tab.open(page_of["figure"])
    found = link(tab, "figure")
    found.evaluate("link => link.addEventListener('click', event => event.preventDefault())")
    found.tap()
    tab.page.wait_for_timeout(700)
    assert tab.page.locator(f"{CARD}:visible").count() == 0


@pytest.mark.parametrize(("motion", "animated"), [("reduce", False), ("no-preference", True)])
def test_the_card_moves_only_for_those_who_do_not_mind(page_of, reader, motion: str, animated: bool) -> None:
    tab = reader(reduced_motion=motion)
    tab.open(page_of["figure"])
    link(tab, "figure").hover()
    tab.page.locator(CARD).wait_for(state="visible", timeout=3000)
    name = tab.page.evaluate("getComputedStyle(document.querySelector('#link-preview')).animationName")
    assert (name != "none") == animated
