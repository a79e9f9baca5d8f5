"""Reads what a built page refers to: its links, pictures, styles and scripts, its ids, and elements that cross.

Reading a page takes longer than judging it, so what was read is kept by the digest of the page's text; and where
nothing changed that pages refer to, a page that was right is right.
"""

import hashlib
import re
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

from site_builder.store.entries import read_stamp, sha256, write_stamp

MIN_ALT = 20
"""A shorter text cannot describe a figure."""

USELESS_ALT = re.compile(r"^(no description|image|figure|plot|png|svg|untitled)\b.{0,50}$", re.IGNORECASE)

_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
            "embed": "src", "object": "data", "track": "src", "input": "src"}  # fmt: skip
"""Attributes that make a browser fetch something, by element; `link` depends on its `rel`."""

_LOADING_RELS = {"stylesheet", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "icon", "manifest",
                 "shortcut", "apple-touch-icon", "prerender"}  # fmt: skip

_NESTING = {"div", "figure", "figcaption", "article", "section", "main", "table", "details", "dl", "blockquote"}
"""Elements that must close in the order in which they open, or the rest of the page falls out of its place."""

_CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)["']?\s*\)|@import\s+["']([^"']+)["']""")
_SEARCH_WORKER = re.compile(r'"search":\s*"([^"]+)"')
_FETCH = re.compile(
    r"""\b(?:fetch|import|importScripts|Worker|EventSource|WebSocket)\(\s*["'`]((?:https?:|wss?:)?//[^"'`]+)"""
)


@dataclass(frozen=True)
class Image:
    """One image of a page; `in_figure` where it is content that needs describing, not decoration."""

    source: str
    alt: str | None
    classes: list[str]
    in_figure: bool
    lazy: bool
    line: int

    @property
    def is_described(self) -> bool:
        """True where the text in place of the image says what it shows."""
        alt = (self.alt or "").strip()
        if self.alt is None or USELESS_ALT.match(alt):
            return False
        return len(alt) >= MIN_ALT or not self.in_figure


@dataclass(frozen=True)
class BuiltPage:
    """What one built page refers to; links, things loaded and elements that cross stand with their lines.

    `fetched` are the addresses in its own styles and scripts, `worker` the script that searches, "" without one.
    """

    bytes: int
    links: list[tuple[str, int]] = field(default_factory=list)
    loaded: list[tuple[str, int]] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    crossed: list[tuple[str, int]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    worker: str = ""


_MARKUP = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<tag>[a-z][^\s/>]*)(?P<values>(?:[^>"']|"[^"]*"|'[^']*')*)>""",
    re.DOTALL | re.IGNORECASE,
)
_VALUE = re.compile(r"""([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
_RAW = {tag: re.compile(rf"</{tag}\b", re.IGNORECASE) for tag in ("script", "style")}


_ASKED = _NESTING | {"a", "link", "img", "figure"} | set(_LOADING) | set(_RAW)
"""Elements that are looked at, whatever their attributes."""

_ANYWHERE = re.compile(r"\b(?:id|style|srcset)\s*=", re.IGNORECASE)
"""Attributes for which any element is looked at."""


class _Reader:
    """Goes through the elements of a page; a parser of the standard library would take five times as long."""

    def __init__(self, page: BuiltPage) -> None:
        self.page = page
        self.figures = 0
        self.open: list[tuple[str, int]] = []
        self.styles: list[str] = []
        self.scripts: list[str] = []

    def read(self, text: str) -> None:
        """Take in all of a page."""
        line, place, raw_until = 1, 0, 0
        for found in _MARKUP.finditer(text):
            tag, values = found["tag"], found["values"]
            if tag is None or found.start() < raw_until:
                continue
            tag = tag.lower()
            if tag not in _ASKED and not _ANYWHERE.search(values):
                continue
            line += text.count("\n", place, found.start())
            place = found.start()
            if found["end"]:
                self.ended(tag, line)
                continue
            self.started(tag, _values(values), line)
            if tag in _RAW:
                end = _RAW[tag].search(text, found.end())
                raw_until = end.start() if end else len(text)
                (self.styles if tag == "style" else self.scripts).append(text[found.end() : raw_until])

    def started(self, tag: str, values: dict[str, str], line: int) -> None:
        page = self.page
        page.ids.extend(values[name] for name in ("id", "name") if name in values and (name == "id" or tag == "a"))
        if "style" in values:
            self.styles.append(values["style"])
        if tag == "a" and "href" in values:
            page.links.append((values["href"], line))
        if tag == "link" and "href" in values:
            loads = _LOADING_RELS & set(values.get("rel", "").lower().split())
            (page.loaded if loads else page.links).append((values["href"], line))
        for candidate in values.get("srcset", "").split(","):
            if candidate.strip():
                page.loaded.append((candidate.split()[0], line))
        if tag == "img":
            page.images.append(self._image(values, line))
        elif values.get(_LOADING.get(tag, ""), ""):
            page.loaded.append((values[_LOADING[tag]], line))
        self.figures += tag == "figure"
        if tag in _NESTING:
            self.open.append((tag, line))

    def _image(self, values: dict[str, str], line: int) -> Image:
        classes = values.get("class", "").split()
        in_figure = self.figures > 0 or bool({"only-light", "only-dark"} & set(classes))
        lazy = values.get("loading") == "lazy"
        return Image(values.get("src", ""), values.get("alt"), classes, in_figure, lazy, line)

    def ended(self, tag: str, line: int) -> None:
        self.figures -= tag == "figure"
        if tag in _NESTING:
            opened, opening = self.open.pop() if self.open else ("", 0)
            if opened != tag:
                what = f"the {opened} of line {opening}" if opened else "nothing"
                self.page.crossed.append((f"a </{tag}> closes {what}", line))


def _values(text: str) -> dict[str, str]:
    """Return what an element's start says of it."""
    found: dict[str, str] = {}
    for name, double, single, bare in _VALUE.findall(text):
        found[name.lower()] = unescape(double or single or bare)
    return found


def read(text: str) -> BuiltPage:
    """Return what the text of a built page refers to."""
    page = BuiltPage(len(text.encode()))
    reader = _Reader(page)
    reader.read(text)
    scripts = "".join(reader.scripts)
    page.fetched.extend([*css_addresses("".join(reader.styles)), *fetched_by(scripts)])
    worker = _SEARCH_WORKER.search(scripts)
    return replace(page, worker=worker[1] if worker else "")


def css_addresses(text: str) -> list[str]:
    """Return the addresses that styles load, but for what they hold themselves."""
    return [first or second for first, second in _CSS_URL.findall(text) if not (first or second).startswith("data:")]


def fetched_by(script: str) -> list[str]:
    """Return the addresses of other hosts that a script fetches by name."""
    return _FETCH.findall(script)


@dataclass
class Checked:
    """What was read of the pages of a site, and which of them were right; kept in a file from one check to the next.

    `pages` are those whose text was the same before, by its digest. `right` names the pages in which nothing was wrong,
    each with its digest; this holds for as long as `world` does, the digest of all that pages refer to.
    """

    pages: dict[str, BuiltPage] = field(default_factory=dict)
    right: frozenset[str] = frozenset()
    world: str = ""

    def is_right(self, page: str, world: str) -> bool:
        """True where a page, named with its digest, was right when it referred to the same things."""
        return world == self.world and page in self.right


def checked(path: Path | None) -> Checked:
    """Return what the file has of the last check; nothing where the code that reads and checks changed since."""
    found = read_stamp(path) if path else None
    if not isinstance(found, dict) or found.get("code") != _CODE:
        return Checked()
    pages = {digest: _page(page) for digest, page in found["pages"].items()}
    return Checked(pages, frozenset(found["right"]), found["world"])


def keep(path: Path, now: Checked) -> None:
    """Write what is known after a check."""
    plain = {digest: _plain(page) for digest, page in now.pages.items()}
    write_stamp(path, {"code": _CODE, "world": now.world, "right": sorted(now.right), "pages": plain})


def read_all(paths: list[Path], before: Checked) -> tuple[dict[Path, BuiltPage], dict[Path, str]]:
    """Return what each page refers to, and the digest of its text; a text that was read before is not read again."""
    pages: dict[Path, BuiltPage] = {}
    digests: dict[Path, str] = {}
    for path in paths:
        content = path.read_bytes()
        digests[path] = digest = hashlib.sha256(content).hexdigest()
        pages[path] = before.pages.get(digest) or read(content.decode("utf-8"))
    return pages, digests


_CODE = [sha256(Path(__file__).with_name(name)) for name in ("built_pages.py", "check_site.py")]


def _plain(page: BuiltPage) -> dict[str, Any]:
    return vars(page) | {"images": [vars(image) for image in page.images]}


def _page(found: dict[str, Any]) -> BuiltPage:
    return BuiltPage(**found | {"images": [Image(**image) for image in found["images"]]})
