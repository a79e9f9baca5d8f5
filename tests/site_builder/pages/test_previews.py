"""What links show before they are followed survives Markdown and HTML sign by sign, and adds no markup."""

from html.parser import HTMLParser

from markdown import Markdown

from site_builder.pages.previews import of_reference
from site_builder.pages.references import Reference

HOSTILE = 'A "quoted" <b>title</b> with [a link](x), `code`, *stars*, $x_i$, | and {{ braces }} & more'


class Links(HTMLParser):
    """Collects the tags of a page and the attributes of its links."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attrs))


def test_a_title_of_any_signs_stays_an_attribute() -> None:
    reference = Reference("key", "A", "A B", 2000, HOSTILE, "https://example.org", "Finds something.")
    text = f"A word, <a href='#x'{of_reference(reference)}>a link</a>, and `code`."
    page = Links()
    page.feed(Markdown(extensions=["abbr", "attr_list", "tables"]).convert(text))
    assert page.tags == ["p", "a", "code"]
    [link] = page.links
    assert link["data-preview-kind"] == "reference"
    assert link["data-preview-title"] == HOSTILE
    assert link["data-preview-text"] == "A B (2000). Finds something."
