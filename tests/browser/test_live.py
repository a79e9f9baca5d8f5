"""The live toy model on a page: nothing starts unasked, the address keeps the settings, nobody else is asked."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser

PICTURES = "live => [...live.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())"
QUICK = "#live?n=3&d=2&p=0.4&seeds=3&seed=5&recipe=coupled&decay=1&ratio=1&coupling=none&output=relu&counts=shapes"
COUNT_PICTURES = """() => {
    window.drawn = 0
    const { arrows } = document.querySelector("live-model")
    const { paint } = arrows
    arrows.paint = (...where) => {
        window.drawn++
        paint(...where)
    }
}"""
DONE = "() => document.querySelector('.live__train').textContent === 'Train again'"


@pytest.fixture
def opened(site, reader) -> Any:
    """Open the page with the live model at an address from disk or from a server, and return the tab and the model."""

    def open_page(address: str = "", root: str = "", **options: Any) -> tuple[Any, Any]:
        tab = reader(**options)
        tab.open((f"{root}/first_runs.html" if root else site.file("first_runs.html")) + address)
        return tab, tab.page.locator("live-model")

    return open_page


def trained(tab: Any, live: Any) -> str:
    """Press the button, wait, and return what is said at the end."""
    live.get_by_role("button", name="Train").click()
    tab.page.wait_for_function(DONE, timeout=60_000)
    return str(live.get_by_role("status").text_content())


def test_nothing_trains_before_the_button_is_pressed(opened, server: str) -> None:
    tab, live = opened(QUICK, root=server)
    live.scroll_into_view_if_needed()
    before = live.evaluate(PICTURES)
    tab.page.wait_for_timeout(600)
    assert live.evaluate(PICTURES) == before
    assert live.get_by_role("status").text_content() == "Nothing has been trained yet."
    assert live.evaluate("live => [live.frames.length, live.querySelector('progress').value]") == [0, 0]
    assert not [worker for worker in tab.page.workers if "live" in worker.url]
    assert not [url for url in tab.requests if "live-run.js" in url][1:]  # the page's own script, and no worker's


@pytest.mark.parametrize("from_disk", [True, False])
def test_it_trains_from_disk_and_from_a_server_and_asks_nobody(opened, server: str, from_disk: bool) -> None:
    tab, live = opened(QUICK, root="" if from_disk else server)
    said = trained(tab, live)
    assert said.startswith("Of 3 runs: ")
    rows = live.locator(".live__census tbody tr")
    counts = [int(row.locator("td").first.text_content().split()[0]) for row in rows.all()]
    assert sum(counts) == 3
    assert live.evaluate("live => live.frames.at(-1).step") == 2500
    assert tab.complaints == []
    assert tab.outside == []


def test_the_same_address_gives_the_same_runs(opened, server: str) -> None:
    assert len({trained(*opened(QUICK, root=root)) for root in ("", server)}) == 1


def test_the_address_keeps_and_restores_the_settings(opened) -> None:
    tab, live = opened()
    live.locator("[data-statement=C10]").click()
    if not live.locator(".live__settings").evaluate("box => box.open"):
        live.locator(".live__settings summary").click()
    live.get_by_label("density p").fill("0.05")
    live.get_by_label("density p").press("Tab")
    kept = live.evaluate("live => live.settings")
    assert (kept["n"], kept["p"], kept["coupling"]) == (4, 0.05, "together")
    other, restored = opened("#" + tab.page.evaluate("location.hash")[1:])
    assert restored.evaluate("live => live.settings") == kept
    assert restored.evaluate("live => live.counts") == "partners"
    assert restored.locator("[data-statement=C10]").get_attribute("aria-pressed") == "true"
    assert other.page.evaluate("scrollY") > 0


def test_an_address_with_nonsense_gives_settings_that_can_be_trained(opened) -> None:
    tab, live = opened("#live?n=1e9&d=x&p=-3&recipe=nothing&coupling=apart&seeds=&ratio=NaN&counts=why")
    kept = live.evaluate("live => live.settings")
    assert (kept["n"], kept["d"], kept["p"], kept["seeds"], kept["ratio"]) == (10, 1, 0.001, 1, 1)
    assert live.evaluate("live => [live.counts, live.recipe.steps > 0]") == ["shapes", True]
    assert tab.complaints == []


def test_a_reader_who_prefers_less_motion_sees_the_end_alone(opened) -> None:
    tab, live = opened(QUICK, reduced_motion="reduce")
    tab.page.evaluate(COUNT_PICTURES)
    trained(tab, live)
    assert tab.page.evaluate("window.drawn") == 1


def test_training_stops_when_asked_and_when_settings_change(opened) -> None:
    tab, live = opened(QUICK.replace("seeds=3", "seeds=64"))
    live.get_by_role("button", name="Train").click()
    tab.page.wait_for_timeout(100)
    live.get_by_role("button", name="Stop").click()
    frames = live.evaluate("live => live.frames.length")
    tab.page.wait_for_timeout(200)
    assert live.evaluate("live => live.frames.length") == frames
    live.get_by_role("button", name="Train").click()
    live.locator("[data-statement=A5]").click()
    assert live.evaluate("live => [live.frames.length, live.halt]") == [0, None]


def test_arrow_keys_choose_a_run_and_turn_models_in_space(opened) -> None:
    tab, live = opened(QUICK.replace("d=2", "d=3"))
    trained(tab, live)
    slider = live.get_by_role("slider", name="Run shown")
    slider.focus()
    shown = slider.get_attribute("aria-valuetext")
    tab.page.keyboard.press("Home")
    tab.page.keyboard.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext").startswith("run 2: ")
    assert shown.startswith("run ")
    before = live.evaluate(PICTURES)
    live.locator("canvas.live__arrows").focus()
    tab.page.keyboard.press("ArrowRight")
    after = live.evaluate(PICTURES)
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_without_scripts_there_is_a_picture_and_one_sentence(opened) -> None:
    _, live = opened(java_script_enabled=False)
    assert live.locator("img.only-light").is_visible()
    assert "With scripts" in live.locator("figcaption").text_content()


def test_it_fits_a_phone(opened) -> None:
    tab, live = opened(viewport={"width": 360, "height": 800})
    inside = (
        "live => [...live.querySelectorAll('*')].every(each => each.getBoundingClientRect().right <= innerWidth + 1)"
    )
    assert live.evaluate(inside)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360
