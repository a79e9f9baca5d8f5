"""What a page asks of a macro is compared with what the macro takes, before anything runs."""

from pathlib import Path

import pytest

from site_builder.pages import page_files as pages
from site_builder.pages.macros import Macros
from site_builder.pages.page_check import misused, undeclared
from site_builder.pages.page_files import Page

DOCS = Path(__file__).parents[3] / "docs"


def calls(text):
    return pages.calls(Page("page.md", text), pages.environment())


@pytest.fixture(scope="module")
def written():
    """Every macro that a page of the report calls, with where it does."""
    env = pages.environment()
    return [(f"{page.where}:{call.line}", call) for page in pages.read(DOCS, []) for call in pages.calls(page, env)]


def test_every_macro_on_every_page_is_called_with_what_it_takes(written):
    assert len(written) > 1000
    assert [f"{where}: {wrong}" for where, call in written if (wrong := misused(call))] == []


def test_every_name_on_a_page_is_a_macro(written):
    assert {call.macro for _, call in written} <= Macros.all(Macros.__new__(Macros)).keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{{ given("64") }}', "given(value, why) is called with other arguments: missing a required argument: 'why'"),
        ('{{ given("64", " ") }}', "given(value, why) wants to know where the value comes from"),
        ('{{ given(64, "Config.seeds") }}', "given(value, why) wants value as text in quotes, not 64"),
        ('{{ q("a.b", ".2f", "x") }}', "q(name, spec) is called with other arguments: too many positional arguments"),
        ("{{ q() }}", "q(name, spec) is called with other arguments: missing a required argument: 'name'"),
        ('{{ q("a.b", places=2) }}', "q(name, spec) is called with other arguments: got an unexpected keyword"),
        ('{{ gallery("a", 3) }}', "gallery(*ids) wants ids as text in quotes, not 3"),
        ('{{ runs("all") }}', "runs() is called with other arguments: too many positional arguments"),
        ('{{ live_model("F1", "picture", compact="no") }}', "wants compact as true or false, not 'no'"),
        ('{{ live_model("F1", "picture", true) }}', "live_model(preset, picture, compact) is called with other"),
    ],
)
def test_a_wrong_argument_is_told_with_what_the_macro_takes(text, said):
    (call,) = calls(text)
    assert said in misused(call)


@pytest.mark.parametrize(
    "text",
    [
        '{{ given("64", "Config.seeds") }}', '{{ given(value="64", why="Config.seeds") }}', '{{ q("a.b") }}',
        '{{ q("a." ~ name, spec=".2f") }}', "{{ gallery() }}", '{{ gallery("a", "b") }}', "{{ unheard_of(1) }}",
        '{{ live_model("F1", "picture", compact=true) }}', '{{ answers() }}',
    ],
)  # fmt: skip
def test_a_right_call_is_not_told(text):
    assert [misused(call) for call in calls(text)] == [None]


def test_a_wrong_call_and_an_unknown_macro_are_told_before_anything_runs(tiny):
    from site_builder.discovery.registry import discover

    docs = tiny.project.docs
    (docs / "more.md").write_text('# More\n\n{{ given("64") }}\n\n{{ figurs("sine-wave") }}\n')
    told = {
        (each.where, each.message.partition(";")[0])
        for each in undeclared(discover(docs.parent / "experiments"), "full", docs)
    }
    assert (
        "docs/more.md:3",
        "given(value, why) is called with other arguments: missing a required argument: 'why'",
    ) in told
    assert ("docs/more.md:5", "no macro is named 'figurs'") in told
