"""A built site and a headless browser to read it with.

The site is that of a report that never ran; `REPORT_SITE=build/site pytest tests/browser` reads a real one instead.
"""

import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest

from experiments.core.browsing import Bars, Collection, Column, Entry, Histogram, Passage, Passages, Row
from site_builder.citing.publication import read_publication
from site_builder.figures.view_files import COLLECTION, to_json
from site_builder.pages.render import render
from site_builder.site.check_site import check
from site_builder.site.collection_pages import write_collections
from site_builder.site.mkdocs_site import build_site
from site_builder.site.outputs import write_outputs
from site_builder.site.search_entries import index_report
from site_builder.store.records import FileRecord, Report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

REPOSITORY = Path(__file__).parents[2]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

FIRST_PAGE = """# The first run

{{ statement("A1") }}

{{ figure("starfish") }}

The pentagon appears in {{ q("starfish.share_five", "%") }} of runs of $W^T W$; {{ ref("loss-over-p") }} has the loss.

$$ y = \\operatorname{ReLU}(W^T W x + b) $$

{{ claim("starfish-holds") }}

{{ figure("loss-over-p") }}

{{ claim("pairs-are-exact") }}

{{ claim("loss-over-p-holds") }}

{{ parameters("starfish") }}

{{ live_model("A1", "starfish") }}

```python
def loss(W, b, x):
    return ((relu(W.T @ W @ x + b) - x) ** 2).mean()  # a line long enough that it has to be scrolled sideways
```
"""

INDEX = (
    "# A report that never ran\n\n{{ findings() }}\n\n{{ gallery() }}\n\n## Not measured yet\n\n{{ not_measured() }}\n"
)

NAV = (
    "[Report: index.md, Runs: [First: first_runs.md, Steps: notebooks/first_run.ipynb], "
    "Claims: claims.md, Figures: figures.md, Method: method.md, Citing: citing.md]"
)

STATEMENTS = """
[[part]]
id = "A"
title = "The reader's own experiments"
pages = ["first_runs.md"]
[[part]]
id = "B"
title = "Linear representation"
[[statement]]
id = "A1"
kind = "Q"
text = "Five features in two dimensions: what does the first run give?"
[[statement]]
id = "B1"
kind = "S"
text = "A feature is a direction that means something."
"""


@dataclass
class Site:
    """A built site: where it lies, and what its own index of figures says."""

    root: Path
    figures: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.figures = json.loads((self.root / "figures.json").read_text("utf-8"))["figures"]

    def file(self, page: str) -> str:
        """Return the address of a page on disk."""
        return (self.root / page).as_uri()

    @property
    def shown(self) -> dict[str, Any]:
        """Return a figure that a page of prose shows."""
        return next(figure for figure in self.figures if not figure["page"].startswith("figures/"))

    @property
    def pages(self) -> list[str]:
        """Return one page of each kind."""
        notebooks = [path.relative_to(self.root).as_posix() for path in self.root.glob("notebooks/*.html")]
        kinds = ["index.html", self.shown["page"], "claims.html", "figures.html", f"figures/{self.shown['id']}.html"]
        return [*kinds, *notebooks[:1], *self.browsed]

    @property
    def browsed(self) -> list[str]:
        """Return the index of a collection and one of its entries, where there is one."""
        entries = sorted(path for path in self.root.glob("browse/*/*.html") if path.name != "index.html")
        found = [entries[0].with_name("index.html"), entries[0]] if entries else []
        return [path.relative_to(self.root).as_posix() for path in found]


def with_collection(report: Report, figures: Path) -> Report:
    """Return the report with something to browse beside its second figure, its file below `figures`."""
    figure = report.figures["loss-over-p"]
    text = to_json(figure.id, latents())
    path = figures / figure.id / COLLECTION
    path.write_text(text, "utf-8")
    record = FileRecord(f"{figure.id}/{COLLECTION}", hashlib.sha256(text.encode()).hexdigest(), len(text))
    changed = replace(figure, files=figure.files | {COLLECTION: record})
    return replace(report, figures=report.figures | {figure.id: changed})


def latents() -> Collection:
    """Return a collection of as many entries as a dictionary has latents, with tokens that are no plain words."""
    columns = (
        Column("density", "Share of tokens on which it is active.", ".2%"),
        Column("label", "The label it fits best."),
        Column("F1", "How well it fits.", ".2f"),
    )
    return Collection(
        "Latents that never were", "latent", "latents", "Made for a test.", columns, tuple(map(latent, range(600)))
    )


def latent(number: int) -> Entry:
    words = ("def", " the", "\n    ", "<script>alert(1)</script>", "\u202e", " whose", " name", str(number))
    strengths = tuple((k * 7 + number) % 11 / 10 for k in range(8))
    passages = tuple(Passage(words * 4, strengths * 4, peak, f"speech {peak}", "1.25") for peak in range(12))
    near = (Row(f"latent {(number + 1) % 600}", 0.9, f"latent-{(number + 1) % 600}"), Row("elsewhere", -0.4))
    sections = (
        Passages("Snippets: strongest", "Text around the peak.", passages),
        Histogram("Activations", "How often.", "activation", (0.1, 1.0, 10.0, 100.0), (90, number, 3)),
        Bars("Promoted tokens", "Logits.", tuple(Row(word, 1.0 - k / 4) for k, word in enumerate(words)), is_text=True),
        Bars("Neighbours", "Cosine.", near, ".2f"),
        Bars("Parents", "None here.", ()),
    )
    score = None if number % 7 == 0 else number / 600
    label = ("comment", "string", "keyword")[number % 3]
    return Entry(
        f"latent-{number}", f"Latent {number}", "Active on “def”.", (0.5 / (1 + number), label, score), sections
    )


def write_notebook(path: Path) -> None:
    """Write a notebook as if it had been executed, with an output that is wider than a page."""
    outputs = [nbformat.v4.new_output("stream", text="0.123 " * 80)]
    cells = [
        nbformat.v4.new_markdown_cell("# Step by step", id="title"),
        nbformat.v4.new_code_cell("print(weights)", outputs=outputs, id="code"),
    ]
    path.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture(scope="session")
def site(drawn_report: tuple[Report, Path], tmp_path_factory: pytest.TempPathFactory) -> Site:
    given = os.environ.get("REPORT_SITE")
    if given:
        return Site(Path(given).resolve())
    report, figures = drawn_report
    root = tmp_path_factory.mktemp("report")
    for folder in ("theme", "assets"):
        shutil.copytree(REPOSITORY / "docs" / folder, root / "docs" / folder)
    pages = {"index": INDEX, "first_runs": FIRST_PAGE, "method": "# Method\n\n## Verdicts\n\n{{ runs() }}\n"}
    pages |= {name: (REPOSITORY / "docs" / f"{name}.md").read_text("utf-8") for name in ("claims", "figures", "citing")}
    for name, text in pages.items():
        (root / "docs" / f"{name}.md").write_text(text, "utf-8")
    (root / "docs" / "statements.toml").write_text(STATEMENTS, "utf-8")
    shutil.copy(REPOSITORY / "docs" / "live.toml", root / "docs" / "live.toml")
    config = re.sub(r"(?ms)^nav:\n.*?\n\n", f"nav: {NAV}\n\n", (REPOSITORY / "mkdocs.yml").read_text("utf-8"))
    (root / "mkdocs.yml").write_text(config, "utf-8")
    shutil.copytree(figures, root / "build" / "figures")
    report = with_collection(report, root / "build" / "figures")
    write_notebook(root / "build" / "pages" / "notebooks" / "first_run.ipynb")
    rendered = render(report, root / "docs", root / "build" / "pages", draft=False)
    assert rendered.problems == ()
    assert build_site(root / "mkdocs.yml", root / "build" / "pages", root / "docs", root / "site") == []
    write_outputs(rendered, root / "site", read_publication(root))
    index_report(rendered, root / "site")
    assert write_collections(rendered, root / "site", "A report") == []
    assert check(root / "site") == []
    return Site(root / "site")


@pytest.fixture(scope="session")
def server(site: Site) -> Iterator[str]:
    """The address of the site on a server of this machine, where it works as it does when published."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.root))) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(BROWSERS)})")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@dataclass
class Reader:
    """A browser tab that remembers what went wrong and what was asked of whom."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _failed(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the next page was opened while this one still loaded
            self.complaints.append(f"failed: {request.url}")

    def open(self, address: str) -> None:
        self.page.goto(address, wait_until="load")
        self.page.wait_for_timeout(150)  # for scripts that run after loading

    @property
    def outside(self) -> list[str]:
        """Return the requests that left this machine."""
        return [url for url in self.requests if urlsplit(url).hostname not in (None, "127.0.0.1")]


@pytest.fixture
def reader(browser: Any) -> Iterator[Any]:
    """Open a tab: `reader(color_scheme="dark", viewport={...})`; all are closed after the test."""
    contexts = []

    def opened(**options: Any) -> Reader:
        context = browser.new_context(
            **({"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"} | options)
        )
        contexts.append(context)
        return Reader(context.new_page())

    yield opened
    for context in contexts:
        context.close()
