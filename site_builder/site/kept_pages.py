"""Takes built pages over from the last site where nothing changed that they are made from.

A page is made from its rendered text, and from its frame: the configuration of the site engine, the theme, the code of
this package, the installed packages, the names of all files that a page may link to, and the titles in the navigation.
Where the frame is the same and a page's text too, the page that was built then is what would be built now. The record
of a site lies beside it and has digests of what went in and of what came out, so that a page that was touched since is
built again. A site taken over in part has the same bytes as one built whole, which a test sees to.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from site_builder.pages.page_files import names_every_page, url_of
from site_builder.store.entries import digests, read_stamp, sha256, write_stamp
from site_builder.store.records import Problem

SEARCH = "search/search_index.json"
"""The index of the search, which holds parts of every page."""

PAGES = (".md", ".ipynb")
"""What the site engine makes pages of."""


@dataclass(frozen=True)
class Kept:
    """The record of a finished site.

    `sources` has the digest of the text of each page by its name below the folder of rendered pages, `built` that of
    each page of the site and of the search index, `made` that of each file made past the site engine (those of a
    collection, those for programs), by the key of what they are made from, all by their path in the site.
    """

    frame: str
    sources: dict[str, str] = field(default_factory=dict)
    built: dict[str, str] = field(default_factory=dict)
    made: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Earlier:
    """The last site, what is known of it, and the frame of the site that is built now."""

    site: Path
    kept: Kept
    frame: str

    def unchanged(self, pages: Path) -> list[str]:
        """Return the names of the rendered pages whose built page can be taken over."""
        if (
            not self.frame
            or self.kept.frame != self.frame
            or self.kept.built.get(SEARCH) != _digest(self.site / SEARCH)
        ):
            return []
        return [
            name
            for name, digest in self.kept.sources.items()
            if (pages / name).is_file() and sha256(pages / name) == digest and self._is_sound(url_of(name))
        ]

    def take_over(self, names: Sequence[str], pages: Path, site: Path) -> None:
        """Copy the built pages of these rendered pages into `site`, newer than their text as the engine wants it."""
        for name in names:
            target = site / url_of(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.site / url_of(name), target)
            written = max(target.stat().st_mtime_ns, (pages / name).stat().st_mtime_ns)
            os.utime(target, ns=(written, written))
            if name.endswith(".ipynb"):  # whose page offers it
                shutil.copyfile(pages / name, site / name)

    def complete_search(self, site: Path, names: Sequence[str], order: Sequence[str]) -> None:
        """Add the entries of the pages taken over to the search of `site`, in the order of the pages' names."""
        if not (site / SEARCH).exists():
            return
        new = json.loads((site / SEARCH).read_text("utf-8"))
        entries = _by_page(new["docs"])
        before = _by_page(json.loads((self.site / SEARCH).read_text("utf-8"))["docs"])
        entries |= {url_of(name): before.get(url_of(name), []) for name in names}
        new["docs"] = [entry for name in order for entry in entries.get(url_of(name), [])]
        write_search(site, new)

    def take_over_made(self, key: str, site: Path) -> list[str]:
        """Put into `site` the files that the last site has as they were made under this key, and return their names.

        They are links: the last site goes when the new one takes its place. Where one is missing or was touched, there
        are none.
        """
        made = self.kept.made.get(key, {})
        if any(_digest(self.site / name) != digest for name, digest in made.items()):
            return []
        for name in made:
            link(self.site / name, site / name)
        return list(made)

    def _is_sound(self, name: str) -> bool:
        digest = self.kept.built.get(name)
        return digest is not None and _digest(self.site / name) == digest


def link(source: Path, target: Path) -> None:
    """Put a file into a second place without copying what it holds, where the disk can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def write_search(site: Path, index: dict[str, Any]) -> None:
    """Write the index of the search of `site`, for a site that is served and for one that is read from disk."""
    text = json.dumps(index, separators=(",", ":"))
    (site / SEARCH).write_text(text, "utf-8")
    (site / SEARCH).with_suffix(".js").write_text(f"var __index = {text}", "utf-8")


def earlier(site: Path, frame: str) -> Earlier:
    """Return what is known of the last site at this place."""
    try:
        kept = Kept(**read_stamp(_record(site)))
    except TypeError:  # no stamp, or one of another version
        kept = Kept("")
    return Earlier(site, kept, frame)


def keep(
    site: Path, pages: Path, frame: str, made: dict[str, list[str]], problems: Iterable[Problem]
) -> dict[str, str]:
    """Record the finished `site` of the rendered `pages`, but for the pages in which there is a problem.

    `made` names the files made past the site engine by the key of what they are made from. Return the digests of all
    files of the site.
    """
    found = digests(site)
    wrong = {problem.where.partition(":")[0].removeprefix("docs/") for problem in problems}
    names = sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*") if path.suffix in PAGES)
    sound = [] if "mkdocs.yml" in wrong else [name for name in names if not {name, url_of(name)} & wrong]
    built = {name: found[name] for name in [*map(url_of, sound), SEARCH] if name in found}
    collections = {key: {name: found[name] for name in files} for key, files in made.items()}
    kept = Kept(frame, {name: sha256(pages / name) for name in sound}, built, collections)
    write_stamp(_record(site), asdict(kept))
    return found


def frame_of(config: Path, pages: Path, machinery: str) -> str:
    """Return the digest of all that decides how a text becomes a page, but for the text.

    `machinery` is the digest of code and packages, taken before the first of them is loaded. The frame is empty where
    pages decide their own titles in the navigation: then a page cannot be built without the others.
    """
    if not names_every_page(config):
        return ""
    names = sorted(path.relative_to(pages).as_posix() for path in pages.rglob("*") if path.is_file())
    theme = _digests(config.parent / "docs" / "theme")
    parts = [machinery, config.read_text("utf-8"), [name for name in names if not name.startswith(".")], theme]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def machinery_of(environment: str) -> str:
    """Return the digest of the code that takes part in building pages: this package, and the core that it uses.

    `environment` says which packages are installed and what the process was told.
    """
    package = Path(__file__).parents[1]
    parts = [environment, _digests(package), _digests(package.parent / "experiments" / "core")]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digests(folder: Path) -> list[tuple[str, str]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]
    return [(path.relative_to(folder).as_posix(), sha256(path)) for path in paths]


def _by_page(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["location"].partition("#")[0], []).append(entry)
    return found


def _digest(path: Path) -> str | None:
    return sha256(path) if path.is_file() else None


def _record(site: Path) -> Path:
    return site.parent / f"{site.name}.kept.json"
