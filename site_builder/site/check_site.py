"""Reads the built site as a browser would and reports what would not work: dead links, figures without words,
requests to other hosts, and pages that are too heavy."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from site_builder.site.built_pages import BuiltPage, Checked, checked, css_addresses, fetched_by, keep, read, read_all
from site_builder.store.entries import files_below, sha256
from site_builder.store.records import Problem

MAX_BYTES = 1_000_000
"""What a page may load before it is read: itself, styles, scripts, fonts, search, the pictures of one colour scheme."""

LAZY_AHEAD = 4
"""Pictures marked as lazy that count: a browser fetches at once those within about three screens of the window, where
there is room for four figures and their text; the others are fetched as a reader scrolls to them."""


_NOT_LOADED = (".html", ".json", ".xml", ".gz", "search/search_index.js")
"""Ends of the names of files that no page loads before it is read."""


def check(site: Path, kept: Path | None = None) -> list[Problem]:
    """Return everything that is wrong with the built site, page by page.

    What pages refer to is kept in the file `kept` by the digest of their text, so that a page is read once; it is
    judged again where a file or an id came or went that it may refer to, or what it loads has another size.
    """
    found, before = _Site(site), checked(kept)
    pages, digests = read_all([site / name for name in found.sizes if name.endswith(".html")], before)
    found.ids = {path.relative_to(site).as_posix(): set(page.ids) for path, page in pages.items()}
    world, right = found.digest(), set()
    problems: list[Problem] = []
    for path, page in pages.items():
        where = path.relative_to(site).as_posix()
        name = f"{where} {digests[path]}"
        wrong = [] if before.is_right(name, world) else list(_wrong(where, page, found))
        problems += [Problem(f"{where}:{line}", sentence) for sentence, line in wrong]
        if not wrong:
            right.add(name)
    for suffix in (".css", ".js"):
        for where in (name for name in found.sizes if name.endswith(suffix)):
            problems += [Problem(where, sentence) for sentence in _wrong_asset(where, found)]
    if kept and (world != before.world or right != before.right):
        keep(kept, Checked({digests[path]: page for path, page in pages.items()}, frozenset(right), world))
    return problems


def weight(page: Path, site: Path) -> int:
    """Return the bytes that the first visit to a built page loads, in the heavier of the two colour schemes."""
    return _weight(page.relative_to(site).as_posix(), read(page.read_text("utf-8")), _Site(site))


@dataclass
class _Site:
    """The built site; files are named by their path below `root`, and `ids` has what each page can be linked at."""

    root: Path
    ids: dict[str, set[str]] = field(default_factory=dict)
    dead: dict[tuple[str, str], str | None] = field(default_factory=dict)
    styles: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """The bytes of every file, in the order of their names."""
        return {name: os.stat(path).st_size for name, path in files_below(self.root).items()}

    def digest(self) -> str:
        """Return the digest of what pages refer to: which files there are, what those weigh that load, and all ids."""
        sizes = {name: 0 if name.endswith(_NOT_LOADED) else size for name, size in self.sizes.items()}
        styles = {name: sha256(self.root / name) for name in self.sizes if name.endswith(".css")}
        ids = {page: sorted(found) for page, found in self.ids.items()}
        return hashlib.sha256(json.dumps([sizes, styles, ids]).encode()).hexdigest()

    def size(self, name: str | None) -> int:
        return self.sizes.get(name or "", 0)

    def addresses_in(self, style: str) -> list[str]:
        """Return what a file of styles loads."""
        if style not in self.styles:
            self.styles[style] = css_addresses((self.root / style).read_text("utf-8"))
        return self.styles[style]


def _wrong(name: str, page: BuiltPage, site: _Site) -> Iterator[tuple[str, int]]:
    for address, line in page.links:
        sentence = _dead(address, name, site)
        if sentence:
            yield sentence, line
    for address, line in [*page.loaded, *((image.source, image.line) for image in page.images)]:
        if _elsewhere(address):
            yield f"loads {address} from another host; the site must work offline", line
        else:
            sentence = _dead(address, name, site)
            if sentence:
                yield sentence, line
    for address in page.fetched:
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
    bytes_loaded = _weight(name, page, site)
    if bytes_loaded > MAX_BYTES:
        yield f"loads {bytes_loaded / 1e6:.2f} MB on first visit; {MAX_BYTES / 1e6:.0f} MB is the limit", 1


@lru_cache(maxsize=65536)
def _elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ws", "wss")


def _dead(address: str, page: str, site: _Site) -> str | None:
    """Return what is wrong with an address within the site, or None; pages of one folder share the answer."""
    if address[:1] in ("", "#") or page == "404.html":
        return _found_dead(address, page, site)
    place = page.rpartition("/")[0], address
    if place not in site.dead:
        site.dead[place] = _found_dead(address, page, site)
    return site.dead[place]


def _found_dead(address: str, page: str, site: _Site) -> str | None:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address:
        return None if address else "an empty address"
    target = _target(parts.path, page, site)
    if target not in site.sizes:
        return f"links to {address!r}, which does not exist"
    fragment = unquote(parts.fragment)
    if fragment and target in site.ids and fragment not in site.ids[target] and not fragment.startswith(":~:"):
        return f"links to {address!r}, but {target} has nothing with that id"
    return None


def _target(path: str, page: str, site: _Site) -> str:
    """Return the file that a path leads to from `page`, or "" where it leaves the site."""
    if not path:
        return page
    folder = "" if path.startswith("/") or page == "404.html" else page.rpartition("/")[0]
    kept: list[str] = []
    for part in f"{folder}/{unquote(path).lstrip('/')}".split("/"):
        if part == ".." and not kept:
            return ""
        if part == "..":
            kept.pop()
        elif part not in ("", "."):
            kept.append(part)
    target = "/".join(kept)
    return target if target in site.sizes else f"{target}/index.html".lstrip("/")


def _wrong_asset(asset: str, site: _Site) -> Iterator[str]:
    text = (site.root / asset).read_text(encoding="utf-8", errors="replace")
    if asset.endswith(".js"):
        # A bundle names hosts it contacts only when asked to; a literal call is what loads without being asked.
        yield from (f"fetches {address} from another host" for address in fetched_by(text))
        return
    for address in css_addresses(text):
        if _elsewhere(address):
            yield f"loads {address} from another host; the site must work offline"
        elif not address.startswith(("data:", "#")) and (
            _target(urlsplit(address).path, asset, site) not in site.sizes
        ):
            yield f"loads {address!r}, which does not exist"


def _weight(name: str, page: BuiltPage, site: _Site) -> int:
    """Add up the page, its styles with their fonts, its scripts, search, and the pictures of the heavier scheme.

    The index of the search loads when a reader goes to the search field, so it does not count.
    """
    files = {_target(urlsplit(address).path, name, site) for address, _ in page.loaded if not _elsewhere(address)}
    for style in [file for file in files if file.endswith(".css") and file in site.sizes]:
        files |= {_target(urlsplit(each).path, style, site) for each in site.addresses_in(style)}
    if page.worker:
        files.add(_target(page.worker, name, site))
    schemes = [
        sum(site.size(_target(urlsplit(source).path, name, site)) for source in sources) for sources in _pictures(page)
    ]
    return page.bytes + sum(site.size(file) for file in files) + max(schemes)


def _pictures(page: BuiltPage) -> list[set[str]]:
    """Return the pictures that each of the two schemes fetches before a reader scrolls."""
    schemes = []
    for other in ("only-dark", "only-light"):
        shown = [image for image in page.images if other not in image.classes and not image.source.startswith("data:")]
        lazy = [image.source for image in shown if image.lazy][:LAZY_AHEAD]
        schemes.append({image.source for image in shown if not image.lazy} | set(lazy))
    return schemes
