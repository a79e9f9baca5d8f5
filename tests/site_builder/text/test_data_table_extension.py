"""Tables of plotted data pass through Markdown as they are, and nothing else does."""

from markdown import markdown

TABLE = '<details class="data" data-search-exclude><summary>Data</summary><table><td>a *b* _c_</td></table></details>'
EXTENSIONS = ["attr_list", "md_in_html", "tables", "pymdownx.superfences"]


def html(text: str, *more: str) -> str:
    return markdown(text, extensions=[*EXTENSIONS, *more])


def with_tables(text: str) -> str:
    return html(text, "site_builder.text.data_table_extension")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_a_page_is_the_same_with_its_tables_out_of_sight() -> None:
    page = f"# Title\n\nBefore *it*.\n\n{TABLE}\n\nAfter <b>it</b>.\n\n<div markdown>\n\n**in**\n\n</div>\n"
    assert lines(with_tables(page)) == lines(html(page))
    assert TABLE in with_tables(page)


def test_the_tables_are_not_read_tag_by_tag(monkeypatch) -> None:
    from markdown.htmlparser import HTMLExtractor

    read: list[str] = []
    feed = HTMLExtractor.feed
    monkeypatch.setattr(HTMLExtractor, "feed", lambda self, text: (read.append(text), feed(self, text))[1])
    with_tables(f"Before.\n\n{TABLE}\n\nAfter.")
    assert read
    assert not any("<td>" in text for text in read)


def test_what_follows_tables_on_their_line_is_markdown_as_ever() -> None:
    assert lines(with_tables(f"{TABLE} and *more*")) == lines(html(f"{TABLE} and *more*"))


def test_tables_that_are_shown_as_code_stay_code() -> None:
    assert '&lt;details class="data"' in with_tables(f"```\n{TABLE}\n```")
