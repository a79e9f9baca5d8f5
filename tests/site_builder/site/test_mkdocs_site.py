"""What MkDocs complains about becomes a problem with a page and a line."""

import pytest

from site_builder.site.mkdocs_site import build_site


@pytest.fixture
def build(tmp_path):
    """Return a function that builds a site of the given pages and returns the problems as (where, message)."""

    def problems(nav: str = "", **pages: str) -> list[tuple[str, str]]:
        for folder in ("docs", "pages"):
            (tmp_path / folder).mkdir()
            for name, text in pages.items():
                (tmp_path / folder / f"{name}.md").write_text(text)
        (tmp_path / "mkdocs.yml").write_text(
            "site_name: A site\ntheme: {name: null, custom_dir: theme}\nplugins: []\n"
            f"validation: {{links: {{anchors: warn}}}}\n{nav}"
        )
        (tmp_path / "theme").mkdir()
        (tmp_path / "theme" / "main.html").write_text("{{ page.content }}")
        found = build_site(tmp_path / "mkdocs.yml", tmp_path / "pages", tmp_path / "docs", tmp_path / "site")
        return [(problem.where, problem.message) for problem in found]

    return problems


def test_a_sound_site_has_no_problems(build, tmp_path):
    assert build(index="# Home\n\n[other](other.md)", other="# Other") == []
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.parametrize("target", ["nowhere.md", "other.md#nowhere", "missing.png"])
def test_a_dead_link_is_told_with_its_page_and_line(build, target):
    ((where, message),) = build(index=f"# Home\n\n\n[other]({target})", other="# Other")
    assert where == "docs/index.md:4"
    assert target.partition("#")[0] in message


def test_all_dead_links_are_told_and_not_the_first_alone(build):
    assert len(build(index="[a](a.md)\n\n[b](b.md)", other="[c](c.md)")) == 3


def test_a_configuration_that_cannot_be_read_is_a_problem_of_mkdocs_yml(build):
    ((where, message),) = build(nav="plugins: [no-such-plugin]\n", index="# Home")
    assert where == "mkdocs.yml"
    assert "no-such-plugin" in message
