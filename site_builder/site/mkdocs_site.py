"""Runs MkDocs in this process and turns what it complains about into problems with a page and a line."""

import logging
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from site_builder.citing.publication import LATEST
from site_builder.site.kept_pages import PAGES, Earlier, link
from site_builder.store.records import Problem

_NAMED = re.compile(r"(?:Doc file|page|file)s? '(?P<page>[^']+\.(?:md|ipynb))'")
_PARTIAL = "A 'dirty' build is being performed"
"""How the engine warns of a build of some pages; what it warns of is looked after by `kept_pages`."""

_QUOTED = re.compile(r"'([^']+)'")


def import_engine() -> None:
    """Import what a site is built with, which takes a second; where that fails, building says so."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    for name in ("mkdocs.commands.build", "mkdocs_jupyter.plugin", "material.plugins.search.plugin"):
        with suppress(Exception):
            import_module(name)


def build_site(config: Path, pages: Path, docs: Path, site: Path, before: Earlier | None = None) -> list[Problem]:
    """Build the rendered `pages` into `site`, strictly; the problems name the page in `docs` they come from.

    Pages that the site `before` has as they would be built are taken over from it. Where there is a problem then,
    all pages are built, so that each problem is told as it always is.
    """
    names = before.unchanged(pages) if before else []
    if before and names:
        if not _problems(config, pages, docs, site, before, names):
            return []
        shutil.rmtree(site, ignore_errors=True)
    return _problems(config, pages, docs, site)


def _problems(
    config: Path, pages: Path, docs: Path, site: Path, before: Earlier | None = None, names: Sequence[str] = ()
) -> list[Problem]:
    """Build `pages` but for those with these names, which `before` has."""
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException
    from mkdocs.structure.files import get_files

    heard = _Complaints()
    logger = logging.getLogger("mkdocs")
    logger.addHandler(heard)
    try:
        loaded = load_config(str(config), strict=not names, docs_dir=str(pages), site_dir=str(site))
        if loaded.site_url:
            # Where search engines are to find a page, whatever its version.
            loaded.site_url = f"{loaded.site_url.rstrip('/')}/{LATEST}"
        if before and names:
            _link_files(pages, site)
            before.take_over(names, pages, site)
        build(loaded, dirty=bool(names))
        if before and names and not heard.messages:
            before.complete_search(site, names, [file.src_uri for file in get_files(loaded)])
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
