"""A site that takes pages over from the last one has the same bytes as one built whole, whatever changed in between."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from site_builder.pages.page_files import names_every_page
from site_builder.site import kept_pages
from site_builder.site.kept_pages import SEARCH
from site_builder.site.mkdocs_site import build_site
from site_builder.store.records import Problem

CONFIG = """
site_name: A site
docs_dir: pages
use_directory_urls: false
theme: {name: material, custom_dir: docs/theme, font: false}
plugins: [search, offline]
extra: {polyfills: [iframe-worker.js]}
validation: {links: {anchors: warn}}
nav:
  - Home: index.md
  - Other: other.md
  - Last:
    - Third: more/third.md
"""

PAGES = {
    "index.md": "# Home\n\n[other](other.md#there)\n",
    "other.md": "# Other\n\n## There\n\nA sentence.\n\n## Below\n\nAnother.\n",
    "more/third.md": "# Third\n\nWords to find.\n",
}


@dataclass
class Site:
    """A small site: change something, build it as a report does, see what was taken over."""

    root: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    @property
    def site(self) -> Path:
        return self.root / "site"

    def before(self, environment: str = "") -> kept_pages.Earlier:
        frame = kept_pages.frame_of(self.root / "mkdocs.yml", self.root / "pages", environment)
        return kept_pages.earlier(self.site, frame)

    def unchanged(self, environment: str = "") -> set[str]:
        return set(self.before(environment).unchanged(self.root / "pages"))

    def build(self) -> list[Problem]:
        before, new = self.before(), self.root / "new"
        problems = build_site(self.root / "mkdocs.yml", self.root / "pages", self.root / "docs", new, before)
        if not problems:
            if self.site.exists():
                self.site.rename(self.root / f"old-{os.urandom(4).hex()}")
            new.rename(self.site)
            kept_pages.keep(self.site, self.root / "pages", before.frame, {}, problems)
        return problems

    def whole(self) -> dict[str, bytes]:
        """Build everything, beside the site."""
        target = self.root / f"whole-{os.urandom(4).hex()}"
        assert build_site(self.root / "mkdocs.yml", self.root / "pages", self.root / "docs", target) == []
        return files(target)


def files(folder: Path) -> dict[str, bytes]:
    """Return what a site holds, but for the compressed map of it, which has a time inside."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gz"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = Site(tmp_path_factory.mktemp("site"))
    for name, text in PAGES.items():
        site.write(f"pages/{name}", text)
    site.write("mkdocs.yml", CONFIG)
    site.write("docs/theme/main.html", '{% extends "base.html" %}')
    assert site.build() == []
    return site.root


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Site:
    import shutil

    shutil.copytree(built, tmp_path / "copy")
    return Site(tmp_path / "copy")


def test_all_pages_are_taken_over_where_nothing_changed(site: Site) -> None:
    assert site.unchanged() == set(PAGES)


def test_an_edited_page_alone_is_built_and_the_site_is_as_if_built_whole(site: Site, monkeypatch) -> None:
    site.write("pages/other.md", PAGES["other.md"].replace("A sentence.", "Another one.\n\n### More\n\nWords."))
    assert site.unchanged() == {"index.md", "more/third.md"}
    taken: list[str] = []
    take_over = kept_pages.Earlier.take_over
    monkeypatch.setattr(
        kept_pages.Earlier, "take_over", lambda self, names, *rest: (taken.extend(names), take_over(self, names, *rest))
    )
    assert site.build() == []
    assert set(taken) == {"index.md", "more/third.md"}
    assert files(site.site) == site.whole()
    assert "Another one." in (site.site / SEARCH).read_text("utf-8")
    assert "Words to find." in (site.site / SEARCH).read_text("utf-8")


def edit_theme(site: Site) -> None:
    site.write("docs/theme/main.html", '{% extends "base.html" %}{% block extrahead %}<meta>{% endblock %}')


def edit_configuration(site: Site) -> None:
    site.write("mkdocs.yml", CONFIG.replace("A site", "Another site"))


def edit_navigation(site: Site) -> None:
    site.write(
        "mkdocs.yml", CONFIG.replace("  - Other: other.md\n", "").replace("nav:\n", "nav:\n  - Other: other.md\n")
    )


def take_title(site: Site) -> None:
    site.write("mkdocs.yml", CONFIG.replace("- Third: more/third.md", "- more/third.md"))


def add_page(site: Site) -> None:
    site.write("pages/fourth.md", "# Fourth\n")
    site.write("mkdocs.yml", CONFIG + "  - Fourth: fourth.md\n")


def add_file(site: Site) -> None:
    site.write("pages/picture.svg", "<svg/>")


@pytest.mark.parametrize("change", [edit_theme, edit_configuration, edit_navigation, take_title, add_page, add_file])
def test_what_all_pages_show_leaves_none_as_it_was(site: Site, change: Callable[[Site], None]) -> None:
    change(site)
    assert site.unchanged() == set()
    assert site.build() == []
    assert files(site.site) == site.whole()


def test_pages_that_decide_their_own_titles_are_all_built(site: Site) -> None:
    take_title(site)
    assert site.build() == []
    assert site.unchanged() == set()


def test_other_packages_leave_no_page_as_it_was(site: Site) -> None:
    assert site.unchanged("another version") == set()


@pytest.mark.parametrize("name", ["other.html", SEARCH])
@pytest.mark.parametrize("how", [lambda path: path.write_text("touched"), lambda path: path.unlink()])
def test_a_site_that_was_touched_is_not_taken_for_what_was_built(site: Site, name: str, how) -> None:
    how(site.site / name)
    assert "other.md" not in site.unchanged()
    assert site.build() == []
    assert files(site.site) == site.whole()


@pytest.mark.parametrize("record", ["", "{", "[]", '{"frame": 1, "no": 2}'])
def test_a_damaged_record_counts_as_none(site: Site, record: str) -> None:
    site.write("site.kept.json", record)
    assert site.unchanged() == set()


def test_a_link_of_an_unchanged_page_that_went_dead_is_told_by_the_checker(site: Site) -> None:
    from site_builder.site.check_site import check

    site.write("pages/other.md", PAGES["other.md"].replace("## There", "## Elsewhere"))
    assert site.build() == []
    assert any("other.html has nothing with that id" in problem.message for problem in check(site.site))


def test_problems_of_a_build_in_part_are_those_of_a_whole_one(site: Site) -> None:
    site.write("pages/other.md", PAGES["other.md"] + "\n[x](nowhere.md)\n")
    (problem,) = site.build()
    assert "nowhere.md" in problem.message
    assert site.unchanged() == {"index.md", "more/third.md"}, "the last site stays what it was"


def test_the_navigation_of_this_report_names_every_page() -> None:
    config = Path(__file__).parents[3] / "mkdocs.yml"
    assert names_every_page(config)
    assert "ignore_h1_titles: true" in config.read_text("utf-8"), "a notebook would name itself"


def test_a_page_with_a_problem_is_not_kept(site: Site) -> None:
    frame = site.before().frame
    kept_pages.keep(site.site, site.root / "pages", frame, {}, [Problem("docs/other.md:3", "wrong")])
    assert site.unchanged() == {"index.md", "more/third.md"}
    kept_pages.keep(site.site, site.root / "pages", frame, {}, [Problem("index.html:9", "wrong")])
    assert site.unchanged() == {"other.md", "more/third.md"}
    kept_pages.keep(site.site, site.root / "pages", frame, {}, [Problem("mkdocs.yml", "wrong")])
    assert site.unchanged() == set()


def test_files_made_past_the_engine_are_taken_over_while_they_are_as_they_were_made(site: Site, tmp_path: Path) -> None:
    site.write("site/numbers.tex", "1")
    site.write("site/browse/a/index.html", "<p>a</p>")
    made = {"key": ["numbers.tex", "browse/a/index.html"], "none": []}
    kept_pages.keep(site.site, site.root / "pages", site.before().frame, made, [])
    before = site.before()
    assert before.take_over_made("key", tmp_path / "new") == made["key"]
    assert (tmp_path / "new" / "browse" / "a" / "index.html").read_text("utf-8") == "<p>a</p>"
    assert before.take_over_made("another", tmp_path / "new") == before.take_over_made("none", tmp_path / "new") == []
    site.write("site/numbers.tex", "2")
    assert before.take_over_made("key", tmp_path / "newer") == []
    assert not (tmp_path / "newer").exists()


def test_a_file_that_is_rendered_again_leaves_the_finished_site_as_it_is(site: Site) -> None:
    """The site and the rendered pages share the files that are published as they are."""
    from site_builder.pages.render import write

    pages = site.root / "pages"
    site.write("pages/picture.svg", "<svg>1</svg>")
    assert site.build() == []
    site.write("pages/other.md", PAGES["other.md"] + "\nWords.\n")
    assert site.build() == []
    shared = site.site / "picture.svg"
    assert shared.samefile(pages / "picture.svg")
    write(pages, PAGES | {"picture.svg": "<svg>2</svg>"})
    assert shared.read_text("utf-8") == "<svg>1</svg>"
    assert site.build() == []
    assert (site.site / "picture.svg").read_text("utf-8") == "<svg>2</svg>"
    assert files(site.site) == site.whole()


class InTurn:
    """A helper that does its work at once, in this process; with `fails` it comes back without a result."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.built: list[Path] = []

    def do(self, work: Callable, *arguments) -> None:
        self.found = work(*arguments)
        self.built = [path for path in arguments[3].rglob("*.html") if path.stat().st_size]

    def result(self):
        return None if self.fails else self.found


def build_in_two(site: Site, helper: InTurn) -> tuple[list[Problem], dict[str, bytes]]:
    target = site.root / "two"
    config, pages, docs = site.root / "mkdocs.yml", site.root / "pages", site.root / "docs"
    return build_site(config, pages, docs, target, None, helper), files(target)


@pytest.mark.parametrize("fails", [False, True])
def test_a_site_that_two_processes_built_is_as_if_built_whole(site: Site, fails: bool) -> None:
    helper = InTurn(fails=fails)
    problems, found = build_in_two(site, helper)
    assert problems == []
    assert found == site.whole()
    by_helper = {path.name for path in helper.built} - {"404.html"}
    assert 0 < len(by_helper) < len(PAGES)
    assert not list(site.root.glob("*.half")), "what the helper built is gone"


def test_what_is_wrong_on_either_half_is_told_as_it_always_is(site: Site) -> None:
    for name in PAGES:
        site.write(f"pages/{name}", PAGES[name] + f"\n[x](nowhere-{Path(name).stem}.md)\n")
    problems, _ = build_in_two(site, InTurn())
    assert len(problems) == len(PAGES)
    whole = build_site(site.root / "mkdocs.yml", site.root / "pages", site.root / "docs", site.root / "one")
    assert problems == whole


def test_a_notebook_that_is_no_page_is_a_file_of_a_site_that_two_built(site: Site) -> None:
    """Without the plugin for notebooks the engine copies them."""
    site.write("pages/n.ipynb", "{}" * 10_000)
    problems, found = build_in_two(site, InTurn())
    assert problems == []
    assert found == site.whole()


def test_pages_that_decide_their_own_titles_are_built_by_one(site: Site) -> None:
    take_title(site)
    helper = InTurn()
    assert build_in_two(site, helper) == ([], site.whole())
    assert helper.built == []
