"""Pages are rendered from the report; the pages decide numbers; mistakes are named with page and line."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from site_builder.pages.render import render
from site_builder.store.records import FileRecord, Report

STATEMENTS = """
[[part]]
id = "A"
title = "First"
pages = ["first.md"]
[[part]]
id = "B"
title = "Later"
[[statement]]
id = "A1"
kind = "C"
text = "It happens."
[[statement]]
id = "B1"
kind = "S"
text = "It is so."
"""

FIRST = '# First\n\n{{ statement("A1") }}\n\n{{ figure("starfish") }}\n\n{{ claim("starfish-holds") }}\n'


@dataclass
class Docs:
    """The pages of a tiny report: write some, render them, look at what came out."""

    root: Path
    report: Report

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.root / "docs" / f"{name}.md").write_text(text, "utf-8")

    def render(self, *, draft: bool = False) -> Report:
        return render(self.report, self.root / "docs", self.root / "build" / "pages", draft=draft)

    def problems(self, **texts: str) -> list[str]:
        self.write(**texts)
        return [f"{problem.where} {problem.message}" for problem in self.render().problems]

    def page(self, name: str) -> str:
        return (self.root / "build" / "pages" / name).read_text("utf-8")


@pytest.fixture
def docs(tmp_path: Path, fake_report: Report) -> Docs:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "statements.toml").write_text(STATEMENTS, "utf-8")
    (tmp_path / "mkdocs.yml").write_text("nav:\n  - index.md\n  - first.md\n  - claims.md\n", "utf-8")
    tiny = Docs(tmp_path, fake_report)
    tiny.write(index="# Home\n\n{{ not_measured() }}\n", first=FIRST, claims="# Claims\n\n{{ claims_table() }}\n")
    return tiny


def test_a_right_report_has_no_problem(docs: Docs) -> None:
    assert docs.render().problems == ()


def test_figures_are_numbered_as_pages_show_them(docs: Docs) -> None:
    docs.write(index='# Home\n\n{{ figure("loss-over-p") }}\n')
    report = docs.render()
    assert {id: (figure.number, figure.page) for id, figure in report.figures.items()} == {
        "starfish": (1, "first.html"),
        "loss-over-p": (2, "index.html"),
    }


def test_a_figure_that_the_home_page_shows_too_belongs_to_the_page_about_it(docs: Docs) -> None:
    docs.write(index='# Home\n\n{{ figure("starfish") }}\n')
    assert docs.render().figures["starfish"].page == "first.html"


def test_a_figure_that_no_page_shows_is_numbered_last_and_has_its_own_page(docs: Docs) -> None:
    figure = docs.render().figures["loss-over-p"]
    assert (figure.number, figure.page) == (2, "figures/loss-over-p.html")


def test_a_claim_belongs_to_the_page_that_shows_it_or_to_the_scoreboard(docs: Docs) -> None:
    claims = docs.render().claims
    assert claims["starfish-holds"].page == "first.html"
    assert claims["triangle"].page == "claims.html"


def test_a_number_is_quoted_with_what_it_rests_on(docs: Docs) -> None:
    docs.write(
        index='# Home\n\n{{ q("starfish.share_five", "% value") }} of runs, {{ q("starfish.share_five", "count") }}\n'
    )
    docs.render()
    assert '">59\N{NARROW NO-BREAK SPACE}%</data> of runs' in docs.page("index.md")
    assert 'title="interval 59 % &#91;53 %, 65 %&#93;; n = 256; Wilson score interval, 95 %"' in docs.page("index.md")
    assert ">151 of 256</data>" in docs.page("index.md")


def test_a_statement_shows_the_verdicts_of_its_claims(docs: Docs) -> None:
    docs.render()
    block = docs.page("first.md").split("<figure")[0]
    assert 'id="A1"' in block
    assert "verdict--supported" in block


def test_statements_without_a_page_are_listed_as_not_measured(docs: Docs) -> None:
    docs.render()
    assert 'id="B1"' in docs.page("index.md")
    assert 'id="A1"' not in docs.page("index.md")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{{ figure("starfich") }}', "docs/index.md:3 no figure is named 'starfich'; did you mean 'starfish'?"),
        ('{{ claim("triangl") }}', "docs/index.md:3 no claim is named 'triangl'; did you mean 'triangle'?"),
        ('{{ q("starfish.los") }}', "docs/index.md:3 no number is named 'starfish.los'; did you mean 'starfish.loss'?"),
        ('{{ statement("A9") }}', "docs/index.md:3 no statement is named 'A9'; did you mean 'A1'?"),
        ('{{ figur("starfish") }}', "docs/index.md:3 no macro is named 'figur'; did you mean 'figure'?"),
        ('{{ figure("star" ~ "fish" ~ x) }}', "docs/index.md:3 figure() wants the name of a figure in quotes, not an"),
        ('{{ q("starfish.loss", "count") }}', None),
        ('{{ q("starfish.loss", "zz") }}', "docs/index.md:3 q('starfish.loss', 'zz') cannot be written"),
        ('{{ figure("starfish" }}', "docs/index.md:3 "),
        ("It is 0.93.", "docs/index.md:3 the number 0.93 is typed into prose"),
        ('{{ given("0.9", "") }}', "docs/index.md:3 given('0.9') says not where the value comes from"),
        (r"It is $\nonsense$.", r"docs/index.md:3 the formula $\nonsense$ cannot be set"),
        ("{{ 1 / 0 }}", "docs/index.md:3 division by zero"),
        ('{{ q("starfish." ~ "los") }}', "docs/index.md:3 no number is named 'starfish.los'"),
        ('{% for x in ["los"] %}{{ q("starfish." ~ x) }}{% endfor %}', "docs/index.md nothing is named 'starfish.los'"),
    ],
)
def test_a_mistake_names_page_line_and_the_nearest_name(docs: Docs, text: str, problem: str | None) -> None:
    found = docs.problems(index=f"# Home\n\n{text}\n")
    if problem is None:
        assert found == []
    else:
        assert any(each.startswith(problem) for each in found), found


def test_all_mistakes_are_listed_together(docs: Docs) -> None:
    found = docs.problems(index='{{ figure("a") }}\n{{ claim("b") }}', first='{{ q("c") }}\n\n{{ statement("A1") }}')
    assert [each.split()[0] for each in found] == ["docs/index.md:1", "docs/index.md:2", "docs/first.md:1"]


def test_a_statement_of_a_measured_part_that_stands_on_no_page_is_a_problem(docs: Docs) -> None:
    found = docs.problems(first="# First\n")
    assert found == ['docs/first.md statement A1 stands on no page; show it with statement("A1")']


def test_what_failed_is_a_card_in_a_draft_and_a_problem_otherwise(docs: Docs) -> None:
    figures = {"loss-over-p": docs.report.figures["loss-over-p"]}
    docs.report = replace(docs.report, figures=figures, absent={"starfish": "starfish.py: it raised ValueError"})
    assert docs.render(draft=True).problems == ()
    assert "starfish.py: it raised ValueError" in docs.page("first.md")
    (problem,) = docs.render(draft=False).problems
    assert problem.where == "docs/first.md:5"
    assert "has no result in this build" in problem.message


def test_a_scale_that_is_not_published_is_said_on_each_page(docs: Docs) -> None:
    docs.report = replace(docs.report, scale="quick")
    docs.render()
    assert "A quick run." in docs.page("claims.md")


def test_figure_files_are_published_under_names_that_last(docs: Docs) -> None:
    docs.render()
    published = {path.name for path in (docs.root / "build" / "pages" / "figures").iterdir()}
    assert {"starfish.light.svg", "starfish.dark.svg", "starfish.png", "starfish.pdf", "starfish.csv"} <= published


def test_a_view_stands_in_the_page_where_nothing_in_it_can_end_the_script(docs: Docs) -> None:
    text = '{"kind":"solids","label":"</script><b>&amp;"}'
    (docs.root / "build" / "figures" / "starfish" / "view").write_text(text, "utf-8")
    figure = docs.report.figures["starfish"]
    figure = replace(figure, files=figure.files | {"view.json": FileRecord("starfish/view", "0" * 64, len(text))})
    docs.report = replace(docs.report, figures=docs.report.figures | {"starfish": figure})
    assert docs.render().problems == ()
    found = re.search(
        r'<solid-view class="view"[^>]*><script type="application/json">(.*?)</script>', docs.page("first.md")
    )
    assert found
    assert json.loads(found[1]) == json.loads(text)
    assert "<" not in found[1]
    assert "&" not in found[1]


def test_a_figure_with_a_collection_leads_to_it_from_its_page_and_where_it_is_shown(docs: Docs) -> None:
    text = json.dumps({"nouns": "latents", "entries": [{}] * 1024})
    (docs.root / "build" / "figures" / "starfish" / "collection").write_text(text, "utf-8")
    figure = docs.report.figures["starfish"]
    files = figure.files | {"collection.json": FileRecord("starfish/collection", "0" * 64, len(text))}
    docs.report = replace(docs.report, figures=docs.report.figures | {"starfish": replace(figure, files=files)})
    assert docs.render().problems == ()
    assert docs.page("first.md").count('href="browse/starfish/index.html">Browse all 1,024 latents</a>') == 1
    assert 'href="../browse/starfish/index.html"' in docs.page("figures/starfish.md")
    others = [page for page in (docs.root / "build" / "pages" / "figures").glob("*.md") if page.stem != "starfish"]
    assert others
    assert not [page for page in others if "Browse all" in page.read_text("utf-8")]


def test_a_figure_without_a_view_has_no_element_for_one(docs: Docs) -> None:
    docs.render()
    assert "-view" not in docs.page("first.md")


def test_rendering_again_touches_nothing_and_removes_what_is_gone(docs: Docs) -> None:
    docs.write(old="# Old\n")
    docs.render()
    pages = docs.root / "build" / "pages"
    (pages / "by-others.txt").write_text("kept", "utf-8")
    before = {path: path.stat().st_mtime_ns for path in pages.rglob("*") if path.is_file()}
    (docs.root / "docs" / "old.md").unlink()
    docs.render()
    after = {path: path.stat().st_mtime_ns for path in pages.rglob("*") if path.is_file()}
    gone = pages / "old.md"
    manifest = pages / ".rendered.json"
    assert before.keys() - after.keys() == {gone}
    assert all(before[path] == after[path] for path in after if path != manifest)


def test_a_page_of_a_figure_tells_all_that_a_citation_needs(docs: Docs) -> None:
    docs.render()
    text = docs.page("figures/starfish.md")
    for said in (
        "256 seeds, seed 0",
        "2 threads",
        "1 min 23 s",
        "torch&nbsp;2.13.0",
        "contract.py</code>, lines 1–24",
        docs.report.figures["starfish"].digest,
        "starfish.csv",
        "@misc{",
        "Most runs find the pentagon",
        "Wilson score intervals over 256 seeds",
    ):
        assert said in text
    assert '<a href="../first.html#figure-starfish">First</a>' in text


def test_reference_managers_find_the_report_first_and_then_each_figure(docs: Docs) -> None:
    docs.render()
    assert docs.page("index.md").count('class="Z3988"') == 1
    assert '"@type": "Report"' in docs.page("index.md")
    assert docs.page("first.md").count('class="Z3988"') == docs.page("figures/starfish.md").count('class="Z3988"') == 1


def test_a_block_stays_whole_inside_an_indented_block(docs: Docs) -> None:
    docs.write(index='# Home\n\n??? info "Configuration"\n\n    {{ parameters("starfish") }}\n\n    Text.\n')
    docs.render()
    indented = docs.page("index.md").split('Configuration"\n\n')[1].split("Text.")[0].rstrip()
    assert indented.startswith("    <div")
    assert indented.endswith("</div>")
    assert "\n" not in indented


def test_a_part_of_a_configuration_gets_a_row_per_field(docs: Docs) -> None:
    run = next(iter(docs.report.runs.values()))
    run.config["training"] = {"steps": 500, "batches": [[0.1, 64], [0.0, 256]]}
    docs.write(index='# Home\n\n{{ parameters("starfish") }}\n')
    docs.render()
    text = docs.page("index.md")
    assert "<code>training.steps</code></th><td>500</td>" in text
    assert "<code>training.batches</code></th><td>[0.1, 64], [0.0, 256]</td>" in text
