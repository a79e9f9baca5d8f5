"""Pages with macros in, plain Markdown out: numbering, checking, rendering, and all files the site engine reads."""

import json
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2

from experiments.core.errors import ReportError, did_you_mean
from site_builder.citing import citations
from site_builder.citing.publication import Publication, file_path, read_publication
from site_builder.figures import view_files
from site_builder.pages import glossary, references, statements
from site_builder.pages import page_files as pages
from site_builder.pages.answers import answered
from site_builder.pages.figure_pages import figure_page
from site_builder.pages.glossary import Term
from site_builder.pages.kept_calls import KeptCalls
from site_builder.pages.kept_texts import KeptTexts, frame_of
from site_builder.pages.live import FILE as LIVE
from site_builder.pages.live import live_data
from site_builder.pages.macros import SIZE, Blocks, Macros
from site_builder.pages.page_check import check
from site_builder.pages.page_files import Call, Page
from site_builder.pages.references import Reference
from site_builder.pages.statements import Part
from site_builder.store.entries import read_stamp, remove, write_file, write_stamp
from site_builder.store.records import AnswerRecord, FigureRecord, Problem, Report

MANIFEST = ".rendered.json"
"""Lists, inside the folder of rendered pages, what the last rendering wrote."""

HOME = "index.html"
"""The page that shows what other pages are about; a figure belongs to it only if no other page shows it."""

GLOSSARY = "glossary.md"
"""The page that lists all terms, and therefore marks none."""

NOT_PUBLISHED = ("theme/", "statements.toml", "glossary.toml", "references.toml", "torture.json", LIVE, "notebooks/")
"""Below `docs/`, but no part of the site: read by the site engine, by this module, or executed first."""


def render(report: Report, docs: Path, out: Path, *, draft: bool, code: str | None = None) -> Report:
    """Render every page of `docs` and one page per figure into `out`, and return the report with what pages decide.

    The pages decide, in the order of the navigation, each figure's number and page, and each claim's page. Problems
    name page and line. What is absent from the report gets a card that says why; without `draft` it is a problem
    too. Figure files are taken from `figures/` beside `out`. Files that did not change are not touched. With the
    digest of all code and of what is installed, pages that would be as they were are not rendered again.
    """
    try:
        parts = statements.load(docs / "statements.toml")
        terms = glossary.load(docs / "glossary.toml")
        cited = references.load(docs / "references.toml")
        publication = read_publication(docs.parent)
        written = pages.read(docs, pages.nav(docs.parent / "mkdocs.yml"))
    except ReportError as error:
        return replace(report, problems=(*report.problems, Problem("site", str(error))))
    site = _Site(report, docs, out, written, parts, terms, cited, publication, draft, code)
    return site.render()


@dataclass
class _Site:
    """One rendering."""

    report: Report
    docs: Path
    out: Path
    pages: list[Page]
    parts: tuple[Part, ...]
    terms: tuple[Term, ...]
    references: tuple[Reference, ...]
    publication: Publication
    draft: bool
    code: str | None

    def render(self) -> Report:
        self.env = pages.environment()
        self.calls = dict(self._calls())
        self.report = numbered(self.report, self.pages, self.calls)
        shown = _first_pages(self.calls, "statement")
        self.report = replace(self.report, answers=tuple(self._answers(shown)))
        blocks = self._blocks(shown)
        self.kept = self._kept(blocks)
        texts = {page.name: text for page in self.calls if (text := self.kept.text(page.name, page.text)) is not None}
        problems = [*self._broken, *check(self.report, self.pages, self.calls, self.parts, texts, draft=self.draft)]
        for page in self.calls:
            if page.name not in texts:
                texts[page.name], found = self._rendered(page, Macros(blocks, page))
                self.kept.remember(page.name, page.text, texts[page.name])
                problems += found
        try:
            texts |= dict(self._figure_pages(blocks))
        except ReportError as error:
            problems.append(Problem("figure pages", str(error)))
        write(self.out, texts | self._other_files() | self._figure_files())
        self.kept.save({problem.where.partition(":")[0].removeprefix("docs/") for problem in problems})
        known = {(problem.where, problem.message) for problem in self.report.problems}
        new = tuple(problem for problem in problems if (problem.where, problem.message) not in known)
        return replace(self.report, problems=(*self.report.problems, *new))

    def _blocks(self, shown: dict[str, str]) -> Blocks:
        return Blocks(
            self.report,
            self.parts,
            self.publication,
            self._sizes(),
            self._views(),
            shown,
            self.docs.parent,
            self.terms,
            self._browsed(),
            self._live(),
            self.references,
        )

    def _kept(self, blocks: Blocks) -> KeptTexts:
        """Return what is remembered of pages that were rendered within the same frame."""
        if self.code is None:
            return KeptTexts(None, self.out, "")
        quoted = (blocks.sizes, blocks.views, blocks.statement_pages, blocks.browsed, blocks.live)
        frame = frame_of(
            self.code, self.report, self.parts, self.terms, self.references, self.publication, quoted, self.draft
        )
        return KeptTexts(self.out.parent / f"{self.out.name}.kept.json", self.out, frame)

    def _answers(self, shown: dict[str, str]) -> Iterator[AnswerRecord]:
        for part in self.parts:
            for statement in part.statements:
                page = shown.get(statement.id, HOME) if statement in part.measured else HOME
                yield answered(statement, self.report, page)

    def _calls(self) -> Iterator[tuple[Page, list[Call]]]:
        self._broken: list[Problem] = []
        kept = KeptCalls(self.out.parent / f"{self.out.name}.calls.json", self.code)
        for page in self.pages:
            try:
                yield page, kept.calls(page, self.env)
            except ReportError as error:
                self._broken.append(Problem(*str(error).split(": ", 1)))
        kept.save()

    def _rendered(self, page: Page, macros: Macros) -> tuple[str, list[Problem]]:
        """Return the page as plain Markdown, and what is wrong with it beyond what `check` saw."""
        try:
            text = self.env.from_string(page.text).render(macros.all())
        except jinja2.UndefinedError:  # an unknown macro, which `check` names
            return "", []
        except Exception as error:  # whatever an expression on a page can raise
            sentence = " ".join(str(error).split()) or type(error).__name__
            return "", [Problem(f"{page.where}:{_line(error)}", sentence)]
        text = _with_notice(text, self.report.scale)
        if page.name != GLOSSARY:
            text += glossary.definitions(text, self.terms)
        return text + self._about_the_report() if page.name == "index.md" else text, self._computed_names(page, macros)

    def _about_the_report(self) -> str:
        """Return what reference managers and search engines read on the first page: the report as a whole."""
        about = citations.report_json_ld(self.publication)
        linked = json.dumps(about, ensure_ascii=False).replace("<", "\\u003c")
        return (
            f'\n\n{citations.report_coins(self.publication)}\n\n<script type="application/ld+json">{linked}</script>\n'
        )

    def _computed_names(self, page: Page, macros: Macros) -> list[Problem]:
        """Return the names that an expression on the page computed and nothing has; `check` saw the others."""
        written = {name for call in self.calls[page] for name in call.arguments}
        computed = dict.fromkeys(name for name in macros.unknown if name not in written)
        return [
            Problem(page.where, f"nothing is named {name!r}{did_you_mean(name, self.report.quantities)}")
            for name in computed
        ]

    def _figure_pages(self, blocks: Blocks) -> Iterator[tuple[str, str]]:
        shown_on: dict[str, dict[str, str]] = {}
        for page, calls in self.calls.items():
            for call in calls:
                id = call.arguments[0] if call.macro == "figure" and call.arguments else None
                if isinstance(id, str):
                    shown_on.setdefault(id, {})[page.url] = _title(page)
        for figure in self.report.figures.values():
            shown = list(shown_on.get(figure.id, {}).items())
            name, source = f"figures/{figure.id}.md", json.dumps(shown)
            text = self.kept.text(name, source)
            if text is None:
                text = figure_page(blocks, figure, shown, self.docs.parent, self._plotted(figure)).text
                self.kept.remember(name, source, text)
            yield name, text

    def _other_files(self) -> dict[str, str | Path]:
        """Return the files of `docs` that are published as they are."""
        names = {path.relative_to(self.docs).as_posix(): path for path in self.docs.rglob("*") if path.is_file()}
        return {
            name: path
            for name, path in names.items()
            if not name.startswith(NOT_PUBLISHED) and path.suffix != ".md" and not path.name.startswith(".")
        }

    def _figure_files(self) -> dict[str, str | Path]:
        return {
            file_path(figure, kind): self.out.parent / "figures" / file.path
            for figure in self.report.figures.values()
            for kind, file in figure.files.items()
        }

    def _sizes(self) -> dict[str, tuple[int, int]]:
        """Return the natural width and height of each figure, in CSS pixels."""
        files = {id: figure.files["light.svg"] for id, figure in self.report.figures.items()}
        sizes = {id: _natural_size(self.out.parent / "figures" / file.path) for id, file in files.items()}
        return {id: size for id, size in sizes.items() if size}

    def _views(self) -> dict[str, str]:
        """Return the data of the figures that a reader can move by hand."""
        files = {id: figure.files.get(view_files.KIND) for id, figure in self.report.figures.items()}
        return {id: (self.out.parent / "figures" / file.path).read_text("utf-8") for id, file in files.items() if file}

    def _live(self) -> str:
        """Return what the live toy model is told of published figures, as JSON."""
        try:
            return live_data(self.docs / LIVE, self.report.figures, self._plotted)
        except ReportError as error:
            self._broken.append(Problem("docs/live.toml", str(error)))
            return ""

    def _plotted(self, figure: FigureRecord) -> str:
        """Return what a figure shows, as JSON; "" where it has no such file."""
        file = figure.files.get("json")
        return (self.out.parent / "figures" / file.path).read_text("utf-8") if file else ""

    def _browsed(self) -> dict[str, str]:
        """Return what can be browsed beside a figure, in words ("all 512 latents")."""
        files = {id: figure.files.get(view_files.COLLECTION) for id, figure in self.report.figures.items()}
        texts = {id: self.out.parent / "figures" / file.path for id, file in files.items() if file}
        found = {id: json.loads(path.read_text("utf-8")) for id, path in texts.items()}
        return {id: f"all {len(each['entries']):,} {each['nouns']}" for id, each in found.items()}


def numbered(report: Report, written: list[Page], calls: dict[Page, list[Call]]) -> Report:
    """Return the report with figures numbered in the order in which pages show them, and pages of claims filled in.

    A figure that no page shows is numbered after the others and belongs to the gallery; a claim that no page
    shows belongs to the scoreboard.
    """
    figure_pages, claim_pages = _first_pages(calls, "figure"), _first_pages(calls, "claim")
    order = [id for id in figure_pages if id in report.figures]
    order += sorted(report.figures.keys() - set(order))
    figures: dict[str, FigureRecord] = {}
    for number, id in enumerate(order, start=1):
        figures[id] = replace(report.figures[id], number=number, page=figure_pages.get(id, f"figures/{id}.html"))
    claims = {id: replace(claim, page=claim_pages.get(id, "claims.html")) for id, claim in report.claims.items()}
    return replace(report, figures=figures, claims=claims)


def _first_pages(calls: dict[Page, list[Call]], macro: str) -> dict[str, str]:
    """Return, for each thing shown with `macro`, the first page that shows it, in reading order; home comes last."""
    found: dict[str, str] = {}
    for page, made in sorted(calls.items(), key=lambda entry: entry[0].url == HOME):
        for call in made:
            if call.macro == macro and call.arguments:
                found.setdefault(str(call.arguments[0]), page.url)
    return found


def _line(error: BaseException) -> int:
    """Return the line of the page that an error rose from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<template>"]
    return frames[-1].lineno or 1 if frames else 1


def _with_notice(text: str, scale: str) -> str:
    """Say below the page's title that the numbers are not the published ones, where they are not."""
    if scale == "full":
        return text
    notice = (
        f'<p class="notice"><strong>A {scale} run.</strong> Numbers and verdicts on this page are those of the '
        f"{scale} configuration, not the published ones.</p>"
    )
    return re.sub(r"(?m)^# .+$", lambda title: f"{title[0]}\n\n{notice}\n", text, count=1)


def _title(page: Page) -> str:
    found = re.search(r"^# +(.+?)(?: *\{[^}]*\})?$", page.text, re.MULTILINE)
    return found[1] if found else page.name


def _natural_size(path: Path) -> tuple[int, int] | None:
    try:
        with path.open(encoding="utf-8") as stream:
            found = SIZE.search(stream.read(4096))
    except OSError:
        return None
    if not found:
        return None
    factor = 4 / 3 if found[2] == "pt" else 1.0
    return round(float(found[1]) * factor), round(float(found[3]) * factor)


def write(out: Path, files: dict[str, str | Path]) -> None:
    """Bring `out` to hold `files` (text, or a file to copy), touching only what differs.

    What an earlier call wrote and this one does not is removed; what others wrote stays.
    """
    manifest = out / MANIFEST
    before = read_stamp(manifest)
    if not isinstance(before, list):  # nobody knows what is ours
        before = [path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir() or path.is_symlink()]
        before = [name for name in before if not name.startswith(NOT_PUBLISHED)]
    for name in set(before) - files.keys():
        remove(out / name)
    for name, content in files.items():
        _place(out / name, content)
    write_stamp(manifest, sorted(files))


def _place(path: Path, content: str | Path) -> None:
    new = content.read_bytes() if isinstance(content, Path) else content.encode()
    if path.is_symlink() or not path.is_file() or path.read_bytes() != new:
        write_file(path, new, durable=False)
