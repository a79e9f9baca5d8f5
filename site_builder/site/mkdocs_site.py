"""Runs MkDocs in this process and turns what it complains about into problems with a page and a line."""

import logging
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from site_builder.citing.publication import LATEST
from site_builder.pages.page_files import names_every_page, url_of
from site_builder.site.kept_pages import PAGES, Earlier, Kept, link
from site_builder.store.records import Problem

_NAMED = re.compile(r"(?:Doc file|page|file)s? '(?P<page>[^']+\.(?:md|ipynb))'")
_PARTIAL = "A 'dirty' build is being performed"
"""How the engine warns of a build of some pages; what it warns of is looked after by `kept_pages`."""

_QUOTED = re.compile(r"'([^']+)'")


TOLD = {
    "NO_MKDOCS_2_WARNING": "1",  # that another version will come is nothing to warn the reader of a report of
    "NBCONVERT_DISABLE_CONFIG_EXPORTERS": "1",  # else it tries all of them when it is imported, to list their names
}
"""What the engine and its plugins read from the environment."""


def _tell_engine() -> None:
    for name, value in TOLD.items():
        os.environ.setdefault(name, value)


def import_engine() -> None:
    """Import what a site is built with, which takes a second; where that fails, building says so."""
    _tell_engine()
    for name in ("mkdocs.commands.build", "mkdocs_jupyter.plugin", "material.plugins.search.plugin"):
        with suppress(Exception):
            import_module(name)


class Others(Protocol):
    """Where the pages come from that are not built."""

    def take_over(self, names: Sequence[str], pages: Path, site: Path) -> None:
        """Put these pages into `site`, newer than their text, or what keeps a place for them."""

    def complete_search(self, site: Path, names: Sequence[str], order: Sequence[str]) -> None:
        """Add the entries of these pages to the search of `site`, in the order of the pages' names."""


class Helper(Protocol):
    """Another process, see `running.aside`."""

    def do(self, work: Callable[..., Any], *arguments: Any) -> None: ...

    def result(self) -> Any: ...


def build_site(
    config: Path,
    pages: Path,
    docs: Path,
    site: Path,
    before: Earlier | None = None,
    helper: Helper | None = None,
) -> list[Problem]:
    """Build the rendered `pages` into `site`, strictly; the problems name the page in `docs` they come from.

    Pages that the site `before` has as they would be built are taken over from it; where there are none, a `helper`
    builds half of them. Where there is a problem then, all pages are built, so that each is told as it always is.
    """
    names = before.unchanged(pages) if before else []
    if before and names:
        wrong = bool(_problems(config, pages, docs, site, names, before))
    elif helper and names_every_page(config):
        wrong = not _built_in_two(config, pages, docs, site, helper)
    else:
        return _problems(config, pages, docs, site)
    if not wrong:
        return []
    shutil.rmtree(site, ignore_errors=True)
    return _problems(config, pages, docs, site)


def _built_in_two(config: Path, pages: Path, docs: Path, site: Path, helper: Helper) -> bool:
    """Build half of the pages here and half of them in another process; return whether all went well."""
    mine, others = _halves(pages)
    half = _Half(helper, pages, site.with_name(f"{site.name}.half"))
    try:
        helper.do(_problems, config, pages, docs, half.site, mine, _Elsewhere())
        if _problems(config, pages, docs, site, others, half):
            helper.result()  # nobody writes any more into what is removed
        return half.is_right
    finally:
        shutil.rmtree(half.site, ignore_errors=True)


def _halves(pages: Path) -> tuple[list[str], list[str]]:
    """Return the names of all pages in two lists that take equally long, judged by the pages' lengths.

    Notebooks are in the first one: whether they become pages is for the configuration to say.
    """
    sizes = {path: path.stat().st_size for path in sorted(pages.rglob("*")) if path.suffix in PAGES}
    halves: tuple[list[str], list[str]] = [], []
    weights = [0, 0]
    for path in sorted(sizes, key=lambda path: (path.suffix == ".md", -sizes[path])):
        half = int(weights[1] < weights[0]) if path.suffix == ".md" else 0
        halves[half].append(path.relative_to(pages).as_posix())
        weights[half] += sizes[path]
    return halves


class _Elsewhere:
    """Pages that somebody else builds: an empty file keeps the place of each."""

    def take_over(self, names: Sequence[str], pages: Path, site: Path) -> None:
        for name in names:
            place = site / url_of(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()

    def complete_search(self, site: Path, names: Sequence[str], order: Sequence[str]) -> None:
        """Leave the search to who puts the pages together."""


class _Half(_Elsewhere):
    """Pages that a helper builds into a site of its own, and that take their places when both are done."""

    def __init__(self, helper: Helper, pages: Path, site: Path) -> None:
        self.helper, self.pages, self.site = helper, pages, site
        self.is_right = False

    def complete_search(self, site: Path, names: Sequence[str], order: Sequence[str]) -> None:
        self.is_right = self.helper.result() == []
        if self.is_right:
            finished = Earlier(self.site, Kept(""), "")
            finished.take_over(names, self.pages, site)
            finished.complete_search(site, names, order)


def _problems(
    config: Path, pages: Path, docs: Path, site: Path, names: Sequence[str] = (), others: Others | None = None
) -> list[Problem]:
    """Build `pages` but for those with these names, which come from `others`."""
    _tell_engine()
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException
    from mkdocs.structure.files import get_files

    heard = _Complaints()
    logger = logging.getLogger("mkdocs")
    logger.addHandler(heard)
    try:
        loaded = load_config(str(config), strict=not others, docs_dir=str(pages), site_dir=str(site))
        if loaded.site_url:
            # Where search engines are to find a page, whatever its version.
            loaded.site_url = f"{loaded.site_url.rstrip('/')}/{LATEST}"
        if others:
            _link_files(pages, site)
            others.take_over(names, pages, site)
        build(loaded, dirty=bool(others))
        if others and not heard.messages:
            others.complete_search(site, names, [file.src_uri for file in get_files(loaded)])
    except MkDocsException as error:
        if not heard.messages:
            heard.messages.append(str(error))
    finally:
        logger.removeHandler(heard)
    return [_problem(message, docs) for message in heard.messages]


def _link_files(pages: Path, site: Path) -> None:
    """Put into `site` what the engine would copy there as it is: a thousand files of figures.

    What is rendered again is a new file, so that no page that is being written shows in a finished site.
    """
    for path in sorted(pages.rglob("*")):
        name = path.relative_to(pages)
        ours = path.suffix not in PAGES and not any(part.startswith(".") for part in name.parts)
        if ours and name.parts[0] != "templates" and path.is_file() and not path.is_symlink():
            link(path, site / name)


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith(_PARTIAL):
            self.messages.append(record.getMessage())


def _problem(message: str, docs: Path) -> Problem:
    sentence = " ".join(message.split())
    named = _NAMED.search(sentence)
    if not named:
        return Problem("mkdocs.yml", sentence)
    page = docs / named["page"]
    others = [quoted for quoted in _QUOTED.findall(sentence) if quoted != named["page"]]
    line = _line_of(page, others)
    return Problem(f"docs/{named['page']}" + (f":{line}" if line else ""), sentence)


def _line_of(page: Path, quoted: list[str]) -> int | None:
    """Return the first line of `page` that holds something the message quotes."""
    lines = page.read_text("utf-8").splitlines() if page.is_file() else []
    return next((number for text in quoted for number, line in enumerate(lines, 1) if text in line), None)
