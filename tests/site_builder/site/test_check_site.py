"""The checker finds what would not work in a browser, and passes what would."""

from pathlib import Path

import pytest

from site_builder.site import check_site

GOOD = """<!doctype html><html><head><link rel="stylesheet" href="style.css"><link rel="canonical" href="https://a.org/">
</head><body><p id="here">x</p><a href="#here">a</a><a href="sub/b.html#there">b</a><a href="https://example.org">c</a>
<figure><img src="a.svg" alt="Three arrows that start in one point."></figure></body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(GOOD, "utf-8")
    (tmp_path / "sub" / "b.html").write_text(
        '<h1 id="there">t</h1><a href="../a.html">a</a><img src="../a.svg" alt="">', "utf-8"
    )
    (tmp_path / "a.svg").write_text("<svg/>", "utf-8")
    (tmp_path / "style.css").write_text("@font-face { src: url(f.woff2) } b { background: url('data:,x') }", "utf-8")
    (tmp_path / "f.woff2").write_bytes(b"x" * 1000)
    (tmp_path / "code.js").write_text('const hosts = "https://example.org"', "utf-8")
    return tmp_path


def found(site: Path) -> list[str]:
    return [f"{problem.where} {problem.message}" for problem in check_site.check(site)]


def test_a_site_in_which_all_resolves_passes(site: Path) -> None:
    assert found(site) == []


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ('<a href="gone.html">x</a>', "links to 'gone.html', which does not exist"),
        ('<a href="a.html#gone">x</a>', "a.html has nothing with that id"),
        ('<a href="#gone">x</a>', "c.html has nothing with that id"),
        ('<a href="../../outside.html">x</a>', "which does not exist"),
        ('<img src="gone.png" alt="A picture of a thing.">', "links to 'gone.png', which does not exist"),
        ('<img src="a.svg">', "has no text that describes it"),
        ('<figure><img src="a.svg" alt=""></figure>', "has no text that describes it"),
        ('<figure><img src="a.svg" alt="Figure 1"></figure>', "has no text that describes it"),
        ('<img src="a.svg" alt="No description has been provided for this image">', "has no text that describes it"),
        ('<script src="https://cdn.example.org/x.js"></script>', "from another host"),
        ('<script>fetch("https://api.example.org/x")</script>', "from another host"),
        ('<script type="module">import("//cdn.example.org/m.js")</script>', "from another host"),
        ('<link rel="preconnect" href="https://fonts.example.org">', "from another host"),
        ('<link rel="prefetch" href="//example.org/x">', "from another host"),
        ("<style>b { background: url(https://example.org/x.png) }</style>", "from another host"),
        ('<p style="background: url(https://example.org/x.png)">x</p>', "from another host"),
        ('<img srcset="https://example.org/x.png 2x" src="a.svg" alt="Three arrows in a plane.">', "from another host"),
        ('<iframe src="https://example.org"></iframe>', "from another host"),
        ("<article><div></article></div>", "a </article> closes the div of line 2"),
        ("<p>x</p></div>", "a </div> closes nothing"),
    ],
)
def test_what_would_not_work_is_found_with_page_and_line(site: Path, html: str, problem: str) -> None:
    (site / "c.html").write_text(f"<p>first line</p>\n{html}\n", "utf-8")
    messages = found(site)
    assert len(messages) == 1
    assert problem in messages[0]
    assert messages[0].startswith("c.html:")


def test_a_style_sheet_that_loads_from_elsewhere_is_found(site: Path) -> None:
    (site / "style.css").write_text('@import "https://example.org/a.css"; b { src: url(gone.woff2) }', "utf-8")
    assert found(site) == [
        "style.css loads https://example.org/a.css from another host; the site must work offline",
        "style.css loads 'gone.woff2', which does not exist",
    ]


def test_the_weight_of_a_page_counts_fonts_and_the_pictures_of_one_scheme(site: Path) -> None:
    (site / "light.svg").write_bytes(b"x" * 5000)
    (site / "dark.svg").write_bytes(b"x" * 7000)
    page = site / "c.html"
    html = '<link rel="stylesheet" href="style.css"><img class="only-{0}" src="{0}.svg" alt="Some arrows in a plane.">'
    page.write_text(html.format("light") + html.format("dark"), "utf-8")
    rest = page.stat().st_size + (site / "style.css").stat().st_size + 1000
    assert check_site.weight(page, site) == rest + 7000


def test_lazy_pictures_far_down_the_page_do_not_count(site: Path) -> None:
    for number in range(check_site.LAZY_AHEAD + 2):
        (site / f"{number}.svg").write_bytes(b"x" * 1000)
    page = site / "c.html"
    images = [f'<img loading="lazy" src="{number}.svg" alt="">' for number in range(check_site.LAZY_AHEAD + 2)]
    page.write_text("".join(images), "utf-8")
    assert check_site.weight(page, site) == page.stat().st_size + 1000 * check_site.LAZY_AHEAD


def test_a_page_that_is_too_heavy_is_found(site: Path) -> None:
    (site / "f.woff2").write_bytes(b"x" * check_site.MAX_BYTES)
    assert [message for message in found(site) if "MB is the limit" in message] == found(site) != []


def test_the_worker_of_the_search_counts_and_its_index_does_not_since_it_loads_when_wanted(site: Path) -> None:
    (site / "worker.js").write_bytes(b"x" * 300)
    (site / "search").mkdir()
    (site / "search" / "search_index.json").write_bytes(b"x" * 4000)
    page = site / "c.html"
    page.write_text('<script type="application/json">{"search": "worker.js"}</script>', "utf-8")
    assert check_site.weight(page, site) == page.stat().st_size + 300


def drop_target(site: Path) -> None:
    (site / "sub" / "b.html").unlink()


def rename_id(site: Path) -> None:
    page = site / "sub" / "b.html"
    page.write_text(page.read_text("utf-8").replace('id="there"', 'id="elsewhere"'), "utf-8")


def swell_font(site: Path) -> None:
    (site / "f.woff2").write_bytes(b"x" * check_site.MAX_BYTES)


def load_another_font(site: Path) -> None:
    style = site / "style.css"
    style.write_text(style.read_text("utf-8").replace("f.woff2", "g.woff2"), "utf-8")


def spoil_page(site: Path) -> None:
    (site / "a.html").write_text(GOOD.replace("sub/b.html", "sub/c.html"), "utf-8")


def move_page(site: Path) -> None:
    (site / "sub" / "a.html").write_text(GOOD, "utf-8")


@pytest.mark.parametrize("change", [drop_target, rename_id, swell_font, load_another_font, spoil_page, move_page])
def test_what_is_remembered_of_a_check_changes_no_answer(site: Path, tmp_path_factory, change) -> None:
    kept = tmp_path_factory.mktemp("kept") / "checked.json"
    (site / "g.woff2").write_bytes(b"x" * check_site.MAX_BYTES)
    assert check_site.check(site, kept) == check_site.check(site, kept) == []
    change(site)
    wrong = check_site.check(site)
    assert wrong
    assert check_site.check(site, kept) == check_site.check(site, kept) == wrong


def test_an_edited_page_alone_is_judged_again(site: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path_factory.mktemp("kept") / "checked.json"
    judged: list[str] = []
    wrong = check_site._wrong
    monkeypatch.setattr(check_site, "_wrong", lambda name, *rest: (judged.append(name), wrong(name, *rest))[1])
    check_site.check(site, kept)
    assert judged == ["a.html", "sub/b.html"]
    (site / "a.html").write_text(GOOD.replace(">x<", ">another word<"), "utf-8")
    (site / "search").mkdir()
    check_site.check(site, kept)
    assert judged == ["a.html", "sub/b.html", "a.html"]
