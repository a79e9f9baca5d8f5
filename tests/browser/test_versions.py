"""Published versions: each knows the others, and an older one says that it is."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from site_builder.base.project import Project
from site_builder.citing.publication import Publication
from site_builder.site.versions import add_version

pytestmark = pytest.mark.browser

BOOK = Publication("A report", ("The Authors",), version="0.1", date="2026-01-01")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def published(site, tmp_path_factory) -> Iterator[str]:
    """The address of a published site with two versions."""
    root = tmp_path_factory.mktemp("published")
    (root / "project" / "build").mkdir(parents=True)
    (root / "project" / "build" / "site").symlink_to(site.root)
    pages = root / "pages"
    pages.mkdir()
    for version in ("0.1", "0.2"):
        add_version(Project(root / "project"), replace(BOOK, version=version), "abc", pages)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(pages))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


def test_the_address_of_the_report_leads_to_the_latest_version(published, reader) -> None:
    tab = reader()
    tab.open(published)
    tab.page.wait_for_url("**/latest/")
    assert tab.complaints == []


def test_the_page_that_leads_there_names_an_icon_that_exists(published) -> None:
    """A browser that finds no icon named may ask for `favicon.ico` before it leaves the page."""
    with urlopen(published) as page:
        (icon,) = re.findall(r'<link rel="icon" href="([^"]+)">', page.read().decode())
    with urlopen(published + icon) as found:
        assert found.headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("page", ["claims.html", "index.html"])
def test_an_older_version_leads_to_the_same_page_of_the_newest(published, reader, page: str) -> None:
    tab = reader()
    tab.open(f"{published}v/0.1/{page}")
    note = tab.page.locator("aside.older")
    note.wait_for()
    assert "This is version 0.1." in note.inner_text()
    note.get_by_role("link", name="Version 0.2").click()
    tab.page.wait_for_url(f"**/latest/{page}")
    assert tab.page.locator("aside.older").count() == 0
    assert tab.complaints == []
    assert tab.outside == []


def test_every_page_lists_the_versions_and_marks_its_own(published, reader) -> None:
    tab = reader()
    tab.open(f"{published}latest/claims.html")
    links = tab.page.locator(".versions a")
    links.first.wait_for()
    assert [link.inner_text() for link in links.all()] == ["0.2", "0.1"]
    assert tab.page.locator(".versions a[aria-current]").all_inner_texts() == ["0.2"]
    links.last.click()
    tab.page.wait_for_url("**/v/0.1/claims.html")


def test_a_site_on_disk_shows_no_versions_and_asks_for_none(site, reader) -> None:
    tab = reader()
    tab.open(Path(site.root / "claims.html").as_uri())
    assert tab.page.locator(".versions").count() == 0
    assert not [url for url in tab.requests if "versions.json" in url]
