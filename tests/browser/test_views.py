"""What a reader can move: solids turn under pointer and keys, frames follow the slider, nothing moves by itself."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser

PICTURES = "view => [...view.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())"


def pictures(view: Any) -> list[str]:
    """Return what each canvas of a view shows."""
    return view.evaluate(PICTURES)


@pytest.fixture
def opened(site, reader) -> Any:
    """Open the page with both views, and return the tab and the view asked for."""

    def open_view(name: str, **options: Any) -> tuple[Any, Any]:
        tab = reader(**options)
        tab.open(site.file("first_runs.html"))
        view = tab.page.locator(name).first
        if not view.count():
            pytest.skip(f"this site's page has no {name}")
        view.scroll_into_view_if_needed()
        tab.page.wait_for_timeout(100)
        return tab, view

    return open_view


def test_arrow_keys_turn_a_solid_and_home_brings_it_back(opened) -> None:
    tab, view = opened("solid-view")
    view.locator("canvas").focus()
    shown = [pictures(view)]
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        tab.page.keyboard.press(key)
        shown.append(pictures(view))
    assert len({picture for (picture,) in shown}) == 4
    tab.page.keyboard.press("Home")
    assert pictures(view) == shown[0]
    assert tab.complaints == []


def test_a_solid_has_a_name_and_shows_its_focus(opened) -> None:
    tab, view = opened("solid-view")
    canvas = view.locator("canvas")
    assert "arrow keys" in canvas.get_attribute("aria-label")
    tab.page.keyboard.press("Tab")  # focus that comes by the keyboard is the one to show
    canvas.focus()
    assert canvas.evaluate("canvas => getComputedStyle(canvas).outlineStyle") != "none"


def test_dragging_turns_a_solid_and_reset_brings_it_back(opened) -> None:
    tab, view = opened("solid-view")
    before = pictures(view)
    box = view.locator("canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(*middle)
    assert pictures(view) == before  # a pointer that only passes turns nothing
    tab.page.mouse.down()
    tab.page.mouse.move(middle[0] + 60, middle[1] + 20, steps=3)
    tab.page.mouse.up()
    assert pictures(view) != before
    view.get_by_role("button", name="Reset").click()
    assert pictures(view) == before


def test_a_finger_moving_up_and_down_scrolls_the_page(opened) -> None:
    _, view = opened("solid-view")
    assert view.locator("canvas").evaluate("canvas => getComputedStyle(canvas).touchAction") == "pan-y"


def test_a_button_chooses_each_solid(opened) -> None:
    _, view = opened("solid-view")
    before = pictures(view)
    view.get_by_role("button", name="wires").click()
    assert pictures(view) != before
    assert view.get_by_role("button", name="wires").get_attribute("aria-pressed") == "true"
    assert view.get_by_role("button", name="tetrahedron").get_attribute("aria-pressed") == "false"


def test_the_slider_moves_every_panel_and_says_where_it_is(opened) -> None:
    tab, view = opened("frames-view")
    slider = view.get_by_role("slider")
    last = pictures(view)
    assert slider.get_attribute("aria-valuetext") == "step 4, loss 0"
    slider.focus()
    tab.page.keyboard.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "step 3, loss 1"
    assert view.get_by_text("step 3, loss 1").is_visible()
    assert all(old != new for old, new in zip(last, pictures(view), strict=True))
    view.get_by_role("button", name="Next frame").click()
    assert pictures(view) == last


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_nothing_moves_until_it_is_told_to(opened, motion: str) -> None:
    tab, view = opened("frames-view", reduced_motion=motion)
    before = pictures(view)
    tab.page.wait_for_timeout(600)
    assert pictures(view) == before


def test_frames_play_from_the_start_and_stop_at_the_end(opened) -> None:
    tab, view = opened("frames-view")
    view.get_by_role("button", name="Play").click()
    assert view.get_by_role("slider").get_attribute("aria-valuetext") == "step 0, loss 4"
    view.get_by_role("button", name="Pause").click()
    stopped = pictures(view)
    tab.page.wait_for_timeout(400)
    assert pictures(view) == stopped
    view.get_by_role("button", name="Play").click()
    tab.page.wait_for_timeout(900)
    assert view.get_by_role("slider").get_attribute("aria-valuetext") == "step 4, loss 0"
    assert view.get_by_role("button", name="Play").is_visible()


def test_arrow_keys_turn_a_cloud_in_space(opened) -> None:
    tab, view = opened("frames-view")
    before = pictures(view)
    view.locator("canvas").nth(1).focus()
    tab.page.keyboard.press("ArrowRight")
    after = pictures(view)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]


@pytest.mark.parametrize("name", ["solid-view", "frames-view"])
def test_views_follow_the_colour_scheme(opened, name: str) -> None:
    tab, view = opened(name, color_scheme="light")
    light = pictures(view)
    tab.page.locator("label.md-header__button[for^=__palette]:not([hidden])").click()
    tab.page.wait_for_timeout(200)
    dark = pictures(view)
    assert all(one != other for one, other in zip(light, dark, strict=True))


@pytest.mark.parametrize("name", ["solid-view", "frames-view"])
def test_without_scripts_and_on_paper_the_static_figure_stands_alone(site, reader, opened, name: str) -> None:
    tab, view = opened(name)
    tab.page.emulate_media(media="print")
    assert not view.is_visible()
    assert tab.page.locator(".figure img").first.is_visible()
    plain = reader(java_script_enabled=False)
    plain.page.goto(site.file("first_runs.html"))
    assert plain.page.locator(f"{name}:visible").count() == 0
    assert plain.page.locator(".figure img:visible").count() > 0
