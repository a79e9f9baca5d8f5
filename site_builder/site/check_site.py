"""Reads the built site as a browser would and reports what would not work: dead links, figures without words,
requests to other hosts, and pages that are too heavy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from site_builder.store.records import Problem

MAX_BYTES = 1_000_000
"""What a page may load before it is read: itself, styles, scripts, fonts, search, the pictures of one colour scheme."""

LAZY_AHEAD = 4
"""Pictures marked as lazy that count: a browser fetches at once those within about three screens of the window, where
there is room for four figures and their text; the others are fetched as a reader scrolls to them."""

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
class _Image:
    """One image of a page; `in_figure` where it is content that needs describing, not decoration."""

    source: str
    alt: str | None
    classes: frozenset[str]
    in_figure: bool
    lazy: bool
    line: int

    @property
    def is_described(self) -> bool:
        alt = (self.alt or "").strip()
        if self.alt is None or USELESS_ALT.match(alt):
            return False
        return len(alt) >= MIN_ALT or not self.in_figure


@dataclass
class _Page:
    """What one built page refers to."""

    path: Path
    text: str
    links: list[tuple[str, int]] = field(default_factory=list)
    loaded: list[tuple[str, int]] = field(default_factory=list)
    images: list["_Image"] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    crossed: list[tuple[str, int]] = field(default_factory=list)
    styles: str = ""
    scripts: str = ""


class _Reader(HTMLParser):
    def __init__(self, page: _Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.inside = ""
        self.figures = 0
        self.open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        self.page.ids |= {values[name] for name in ("id", "name") if name in values and (name == "id" or tag == "a")}
        self.page.styles += values.get("style", "")
        if tag == "a" and "href" in values:
            self.page.links.append((values["href"], line))
        if tag == "link" and "href" in values:
            loads = _LOADING_RELS & set(values.get("rel", "").lower().split())
            (self.page.loaded if loads else self.page.links).append((values["href"], line))
        for candidate in values.get("srcset", "").split(","):
            if candidate.strip():
                self.page.loaded.append((candidate.split()[0], line))
        if tag == "img":
            classes = frozenset(values.get("class", "").split())
            in_figure = self.figures > 0 or bool(classes & {"only-light", "only-dark"})
            lazy = values.get("loading") == "lazy"
            self.page.images.append(_Image(values.get("src", ""), values.get("alt"), classes, in_figure, lazy, line))
        elif values.get(_LOADING.get(tag, ""), ""):
            self.page.loaded.append((values[_LOADING[tag]], line))
        self.figures += tag == "figure"
        if tag in _NESTING:
            self.open.append((tag, line))
        self.inside = tag if tag in ("style", "script") else self.inside

    def handle_endtag(self, tag: str) -> None:
        self.figures -= tag == "figure"
        if tag in _NESTING:
            opened, line = self.open.pop() if self.open else ("", 0)
            if opened != tag:
                what = f"the {opened} of line {line}" if opened else "nothing"
                self.page.crossed.append((f"a </{tag}> closes {what}", self.getpos()[0]))
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.page.styles += data
        elif self.inside == "script":
            self.page.scripts += data


def check(site: Path) -> list[Problem]:
    """Return everything that is wrong with the built site, page by page."""
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    problems: list[Problem] = []
    for page in pages.values():
        where = page.path.relative_to(site).as_posix()
        problems += [Problem(f"{where}:{line}", sentence) for sentence, line in _wrong(page, pages, site)]
    for asset in sorted([*site.rglob("*.css"), *site.rglob("*.js")]):
        where = asset.relative_to(site).as_posix()
        problems += [Problem(where, sentence) for sentence in _wrong_asset(asset, site)]
    return problems


def weight(page: Path, site: Path) -> int:
    """Return the bytes that the first visit to a built page loads, in the heavier of the two colour schemes."""
    return _weight(_read(page), site)


def _read(path: Path) -> _Page:
    page = _Page(path, path.read_text(encoding="utf-8"))
    _Reader(page).feed(page.text)
    return page


def _wrong(page: _Page, pages: dict[Path, _Page], site: Path) -> Iterator[tuple[str, int]]:
    for address, line in page.links:
        sentence = _dead(address, page, pages, site)
        if sentence:
            yield sentence, line
    for address, line in [*page.loaded, *((image.source, image.line) for image in page.images)]:
        if _elsewhere(address):
            yield f"loads {address} from another host; the site must work offline", line
        else:
            sentence = _dead(address, page, pages, site)
            if sentence:
                yield sentence, line
    for address in [*_css_addresses(page.styles), *_FETCH.findall(page.scripts)]:
        if _elsewhere(address):
            yield f"loads {address} from another host; the site must work offline", 1
    for image in page.images:
        if not image.is_described:
            yield (
                f"the image {image.source[:80]!r} has no text that describes it (its alt is {image.alt!r})",
                image.line,
            )
    for sentence, line in page.crossed[:1]:  # the others follow from the first
        yield f"{sentence}, so the page falls apart", line
    bytes_loaded = _weight(page, site)
    if bytes_loaded > MAX_BYTES:
        yield f"loads {bytes_loaded / 1e6:.2f} MB on first visit; {MAX_BYTES / 1e6:.0f} MB is the limit", 1


def _elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ws", "wss")


def _dead(address: str, page: _Page, pages: dict[Path, _Page], site: Path) -> str | None:
    """Return what is wrong with an address within the site, or None."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address:
        return None if address else "an empty address"
    target = _target(parts.path, page.path, site)
    if target is None or not target.is_file():
        return f"links to {address!r}, which does not exist"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].ids and not fragment.startswith(":~:"):
        return f"links to {address!r}, but {target.relative_to(site).as_posix()} has nothing with that id"
    return None


def _target(path: str, page: Path, site: Path) -> Path | None:
    """Return the file that a path leads to from `page`, or None where it leaves the site."""
    if not path:
        return page
    base = site if path.startswith("/") or page.name == "404.html" else page.parent
    target = Path(_normal((base / unquote(path).lstrip("/")).as_posix()))
    if not target.is_relative_to(site):
        return None
    return target / "index.html" if target.is_dir() else target


@lru_cache(maxsize=65536)
def _normal(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept)


def _wrong_asset(asset: Path, site: Path) -> Iterator[str]:
    text = asset.read_text(encoding="utf-8", errors="replace")
    if asset.suffix == ".js":
        # A bundle names hosts it contacts only when asked to; a literal call is what loads without being asked.
        yield from (f"fetches {address} from another host" for address in _FETCH.findall(text))
        return
    for address in _css_addresses(text):
        target = _target(urlsplit(address).path, asset, site)
        if _elsewhere(address):
            yield f"loads {address} from another host; the site must work offline"
        elif not address.startswith(("data:", "#")) and (target is None or not target.is_file()):
            yield f"loads {address!r}, which does not exist"


def _css_addresses(text: str) -> list[str]:
    return [first or second for first, second in _CSS_URL.findall(text) if not (first or second).startswith("data:")]


def _weight(page: _Page, site: Path) -> int:
    """Add up the page, its styles with their fonts, its scripts, search, and the pictures of the heavier scheme.

    The index of the search loads when a reader goes to the search field, so it does not count.
    """
    files = {_target(urlsplit(address).path, page.path, site) for address, _ in page.loaded if not _elsewhere(address)}
    styles = [file for file in files if file and file.suffix == ".css" and file.is_file()]
    for style in styles:
        files |= {_target(urlsplit(each).path, style, site) for each in _css_addresses(style.read_text("utf-8"))}
    worker = _SEARCH_WORKER.search(page.scripts)
    if worker:
        files.add(_target(worker[1], page.path, site))
    schemes = [
        sum(_size(_target(urlsplit(source).path, page.path, site)) for source in sources) for sources in _pictures(page)
    ]
    return len(page.text.encode()) + sum(_size(file) for file in files) + max(schemes)


def _pictures(page: _Page) -> list[set[str]]:
    """Return the pictures that each of the two schemes fetches before a reader scrolls."""
    schemes = []
    for other in ("only-dark", "only-light"):
        shown = [image for image in page.images if other not in image.classes and not image.source.startswith("data:")]
        lazy = [image.source for image in shown if image.lazy][:LAZY_AHEAD]
        schemes.append({image.source for image in shown if not image.lazy} | set(lazy))
    return schemes


def _size(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.is_file() else 0
