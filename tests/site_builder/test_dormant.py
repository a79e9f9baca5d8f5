"""An experiment that wants a file nobody gave is left out, and pages say what it takes."""

import pytest

from site_builder.base.options import Options, WrongOption
from site_builder.discovery.registry import discover
from site_builder.keys.build_stamp import state_of
from site_builder.pages.render import render

COSINE = "experiments/waves/cosine.py"
PAGE = """# Waves

{% if measured("cosine") %}
{{ figure("cosine-start") }}

It starts at {{ q("cosine.start") }}.
{% else %}
Give a file.
{% endif %}
"""


@pytest.fixture
def dormant(tiny):
    tiny.edit(COSINE, 'title="A cosine", ', 'title="A cosine", dormant="no file was given", ')
    for page in (tiny.root / "docs").glob("*.md"):
        if "cosine" in page.read_text("utf-8"):
            page.write_text(PAGE, "utf-8")
    return tiny


def test_a_dormant_experiment_is_not_run_and_is_no_problem(dormant):
    report = dormant.gather()
    assert dormant.heard.runs == ["waves.sine"]
    assert report.problems == ()
    assert report.absent == {}
    assert report.dormant["cosine-start"] == "no file was given"


def test_a_page_shows_what_to_do_in_its_place(dormant):
    report = render(dormant.gather(), dormant.project.docs, dormant.project.pages, draft=False)
    text = "".join(page.read_text("utf-8") for page in dormant.project.pages.glob("*.md"))
    assert not [problem for problem in report.problems if "cosine" in problem.message]
    assert "Give a file." in text
    assert "It starts at" not in text


def test_a_page_shows_the_experiment_when_it_ran(tiny):
    page = next(page for page in (tiny.root / "docs").glob("*.md") if "cosine" in page.read_text("utf-8"))
    page.write_text(PAGE, "utf-8")
    render(tiny.gather(), tiny.project.docs, tiny.project.pages, draft=True)
    assert "It starts at" in (tiny.project.pages / page.name).read_text("utf-8")


def test_asking_for_it_alone_says_why_there_is_nothing_to_run(dormant):
    with pytest.raises(WrongOption, match="'cosine' has nothing to run: no file was given"):
        discover(dormant.project.experiments).select("cosine")


def test_giving_a_file_is_a_change(tiny, monkeypatch):
    monkeypatch.delenv("WORD_VECTORS", raising=False)
    before = state_of(tiny.project, Options())
    monkeypatch.setenv("WORD_VECTORS", "vectors.txt")
    assert state_of(tiny.project, Options()) != before
