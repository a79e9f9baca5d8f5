"""What pages can call: each macro takes names and returns the HTML of one thing of the report.

A macro never decides anything: names are checked before (`site_builder.pages.render`), numbers and verdicts
come from the report, and the markup stands in `templates/`.
"""

import json
import re
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from experiments.core.contract import Verdict
from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.citing.citations import cite_report, coins
from site_builder.citing.publication import Publication, file_path
from site_builder.pages import answers, previews
from site_builder.pages.filters import (
    badge,
    data,
    duration,
    figure_words,
    in_script,
    inline,
    margin,
    quantity,
    size,
    verbatim,
)
from site_builder.pages.glossary import Term
from site_builder.pages.page_files import Page
from site_builder.pages.references import PAGE as REFERENCES
from site_builder.pages.references import Reference
from site_builder.pages.rooms import drawn, read_rooms
from site_builder.pages.statements import KINDS, Part, Statement
from site_builder.published.calibration import interval
from site_builder.published.large_scale import Cost, costs
from site_builder.published.reproduction import summary
from site_builder.published.results import load
from site_builder.store.records import ClaimRecord, FigureRecord, Report, ReseededClaim
from site_builder.text.markup import to_plain

SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)(pt|px|)"[^>]*?\bheight="([\d.]+)', re.DOTALL)


def templates() -> jinja2.Environment:
    """Return the Jinja environment of the report's own blocks."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "inline": inline,
        "figure_words": figure_words,
        "quantity": quantity,
        "badge": badge,
        "duration": duration,
        "bytes": size,
        "margin": margin,
        "verbatim": verbatim,
        "plain": to_plain,
        "in_script": in_script,
    }
    return env


REPORT_FORMATS = {"bibtex": "BibTeX", "biblatex": "BibLaTeX", "csl": "CSL-JSON", "text": "Text"}
"""The formats in which the whole report is cited, in the order of their tabs."""


class Blocks:
    """Everything the macros need to know of the report; shared by all pages."""

    def __init__(
        self,
        report: Report,
        parts: tuple[Part, ...],
        publication: Publication,
        sizes: dict[str, tuple[int, int]],
        views: dict[str, str] | None = None,
        statement_pages: dict[str, str] | None = None,
        root: Path | None = None,
        terms: tuple[Term, ...] = (),
        browsed: dict[str, str] | None = None,
        live: str = "",
        references: tuple[Reference, ...] = (),
    ) -> None:
        self.report = report
        self.parts = parts
        self.statements = {statement.id: statement for part in parts for statement in part.statements}
        self.publication = publication
        self.sizes = sizes
        self.views = views or {}
        self.statement_pages = statement_pages or {}
        self.root = root
        self.terms = terms
        self.browsed = browsed or {}
        self.live = live
        self.references = {reference.key: reference for reference in references}
        self.answers = {answer.statement: answer for answer in report.answers}
        self.env = templates()

    @cached_property
    def large_costs(self) -> tuple[Cost, ...]:
        """What each published experiment would cost with SCALE=large, the dearest first; read once for all pages."""
        return tuple(costs(load(Project(self.root)), self.report.large)) if self.root else ()

    def block(self, template: str, page: Page, **values: Any) -> Markup:
        """Return a template's HTML in one line, which Markdown takes as one block, inside an indented block as well."""
        html = self.env.get_template(template).render(
            report=self.report,
            blocks=self,
            page=page,
            root=page.root,
            kinds=KINDS,
            file=file_path,
            coins=partial(coins, publication=self.publication),
            tally=answers.tally,
            figure_preview=partial(previews.of_figure, root=page.root),
            claim_preview=previews.of_claim,
            **values,
        )
        return Markup(" ".join(line.strip() for line in html.splitlines() if line.strip()))

    def claims_on(self, statement: str) -> list[ClaimRecord]:
        """Return the claims that test a statement, in the order of their ids."""
        return [claim for claim in self.claims() if statement in claim.statements]

    def answer(self, statement: Statement) -> Markup:
        """Return the sentence that answers a statement, each number with what it rests on."""
        marked, numbers = answers.apart(answers.sentence(statement, self.answers[statement.id].verdict))
        found = [self.report.quantities.get(name) for name, _ in numbers]
        filled = [
            quantity(value, spec) if value else Markup('<span class="missing" title="{}">?</span>').format(data(name))
            for value, (name, spec) in zip(found, numbers, strict=True)
        ]
        return answers.in_html(inline(marked), filled)

    def claims(self) -> list[ClaimRecord]:
        """Return all claims, in the order of the statements they test."""
        order = {id: place for place, id in enumerate(self.statements)}
        last = len(order)
        return sorted(
            self.report.claims.values(),
            key=lambda claim: (min((order.get(id, last) for id in claim.statements), default=last), claim.id),
        )

    def figures(self) -> list[FigureRecord]:
        """Return all figures, in the order of their numbers."""
        return sorted(self.report.figures.values(), key=lambda figure: (figure.number, figure.id))

    def figures_of(self, claim: ClaimRecord) -> list[FigureRecord]:
        """Return the figures a claim rests on that exist in this build."""
        return [self.report.figures[id] for id in claim.figures if id in self.report.figures]

    def reseeded(self, claim: str) -> ReseededClaim | None:
        """Return what became of a claim in runs with other seeds, where there were any."""
        found = self.report.robustness.claims if self.report.robustness else ()
        return next((each for each in found if each.id == claim), None)

    def runs(self) -> list[Any]:
        """Return all runs, in the order of their experiments' names."""
        return [self.report.runs[id] for id in sorted(self.report.runs)]

    def counts(self) -> dict[Verdict, int]:
        """Return how many claims have each verdict."""
        verdicts = [claim.verdict for claim in self.report.claims.values()]
        return {verdict: verdicts.count(verdict) for verdict in Verdict}

    def anchor(self, statement: str) -> str:
        """Return where a statement stands on the site, relative to the root."""
        part = next(part for part in self.parts if statement in {each.id for each in part.statements})
        measured = statement in {each.id for each in part.measured}
        page = self.statement_pages.get(statement) if measured else "index.html"
        return f"{page or 'index.html'}#{statement}"


class Macros:
    """The macros as one page sees them: links are relative to it. `unknown` collects names that nothing has."""

    def __init__(self, blocks: Blocks, page: Page) -> None:
        self.blocks = blocks
        self.report = blocks.report
        self.page = page
        self.unknown: list[str] = []

    def all(self) -> dict[str, Callable[..., str]]:
        """Return every macro by the name pages use."""
        return {
            name.removesuffix("_"): getattr(self, name)
            for name, value in vars(Macros).items()
            if callable(value) and not name.startswith("_") and name != "all"
        }

    def figure(self, id: str) -> str:
        """Show a figure with its number, caption and the way to its own page."""
        if id not in self.report.figures:
            return self._missing(f"figure {id}", id)
        return self._block("figure.html.jinja", figure=self.report.figures[id])

    def ref(self, id: str) -> str:
        """Link to a figure by its number: "Figure 3"."""
        if id not in self.report.figures:
            return self._missing_word(f"figure {id}", id)
        figure = self.report.figures[id]
        page = "" if figure.page == self.page.url else self.page.root + figure.page
        shown = previews.of_figure(figure, self.page.root)
        return Markup('<a class="ref" href="{}#figure-{}"{}>Figure&nbsp;{}</a>').format(page, id, shown, figure.number)

    def claim(self, id: str) -> str:
        """Show what was tested, the criterion, the measured value and the verdict."""
        if id not in self.report.claims:
            return self._missing(f"claim {id}", id)
        return self._block("claim.html.jinja", claim=self.report.claims[id])

    def verdict(self, id: str) -> str:
        """Show a claim's verdict alone, linked to the claim."""
        if id not in self.report.claims:
            return self._missing_word(f"claim {id}", id)
        claim = self.report.claims[id]
        page = "" if claim.page == self.page.url else self.page.root + claim.page
        return Markup('<a class="verdict-link" href="{}#claim-{}"{}>{}</a>').format(
            page, id, previews.of_claim(claim), badge(claim.verdict)
        )

    def q(self, name: str, spec: str = "") -> str:
        """Quote a number of a result."""
        if name not in self.report.quantities:
            return self._missing_word(name, name)
        return quantity(self.report.quantities[name], spec)

    def given(self, value: str, why: str) -> str:
        """Show a value of the set-up, which no result could change, and say where it comes from."""
        if not why.strip():
            raise ReportError(f"given({value!r}) says not where the value comes from; its second argument does")
        text = value.replace(" %", "\N{NARROW NO-BREAK SPACE}%")
        return Markup('<data class="given" value="{}" title="{}">{}</data>').format(value.rstrip(" %"), data(why), text)

    def measured(self, name: str) -> bool:
        """Say whether an experiment, named by its file, can run here; one that wants a file not given cannot.

        A page shows it inside `{% if measured("name") %}`, and otherwise what it takes.
        """
        return dormant_reason(self.report, name) is None

    def statement(self, id: str) -> str:
        """Show a statement of the notes, with the verdicts of the claims that test it."""
        return self._block("statement.html.jinja", statement=self.blocks.statements[id])

    def parameters(self, name: str) -> str:
        """Show an experiment's configuration."""
        run = run_named(self.report, name)
        return self._block("parameters.html.jinja", run=run) if run else self._missing(f"run of {name}", name)

    def runs(self) -> str:
        """Show every run with its time and machine."""
        return self._block("runs.html.jinja")

    def reproduction(self) -> str:
        """Compare the claims and numbers of this build with the published ones."""
        return self._block("reproduction.html.jinja", summary=summary)

    def robustness(self) -> str:
        """Show which claims keep their verdict, and whether intervals cover, in runs with other seeds."""
        return self._block("robustness.html.jinja", found=self.blocks.report.robustness, interval=interval)

    def cite_report(self) -> str:
        """Show how to cite the report as a whole, in several formats."""
        publication = self.blocks.publication
        citations = [(name, label, cite_report(name, publication).strip()) for name, label in REPORT_FORMATS.items()]
        return self._block("cite.html.jinja", citations=citations)

    def revisions(self) -> str:
        """List what became of published verdicts, the latest first."""
        return self._block("revisions.html.jinja")

    def glossary(self) -> str:
        """List all terms with their definitions."""
        return self._block("glossary.html.jinja", terms=self.blocks.terms)

    def cite(self, key: str) -> str:
        """Name a work that the page rests on, linked to its entry in the list of references."""
        found = self.blocks.references.get(key)
        if found is None:
            return self._missing_word(f"reference {key}", key)
        page = "" if self.page.url == REFERENCES else self.page.root + REFERENCES
        return Markup('<a class="cite-link" href="{}#{}"{}>{} ({})</a>').format(
            page, found.anchor, previews.of_reference(found), found.short, found.year
        )

    def references(self) -> str:
        """List all works of `docs/references.toml`."""
        return self._block("references.html.jinja", references=self.blocks.references.values())

    def claims_table(self) -> str:
        """Show the scoreboard of claims."""
        return self._block("claims_table.html.jinja")

    def gallery(self, *ids: str) -> str:
        """Show small pictures of the figures named, or of all."""
        figures = [self.report.figures[id] for id in ids if id in self.report.figures] if ids else self.blocks.figures()
        return self._block("gallery.html.jinja", figures=figures, everything=not ids)

    def findings(self, *ids: str) -> str:
        """Show verdict, title and measured value of the claims named, or of all."""
        claims = [self.report.claims[id] for id in ids if id in self.report.claims] if ids else self.blocks.claims()
        return self._block("findings.html.jinja", claims=claims)

    def answers(self, part: str = "") -> str:
        """List the statements that are measured, of one part or of all, each with its answer and verdict."""
        parts = [each for each in self.blocks.parts if each.measured and part in ("", each.id)]
        return self._block("answers.html.jinja", parts=parts, short=bool(part), rule=answers.RULE)

    def not_measured(self) -> str:
        """List the statements that no page measures yet."""
        return self._block("not_measured.html.jinja", parts=[part for part in self.blocks.parts if part.not_measured])

    def torture(self) -> str:
        """Show how the last campaign of `make torture` ended, which writes `docs/torture.json`."""
        if self.blocks.root is None:
            raise ReportError("torture() needs the project's files, which this rendering was not told of")
        path = self.blocks.root / "docs" / "torture.json"
        return self._block("torture.html.jinja", found=json.loads(path.read_text("utf-8")) if path.is_file() else None)

    def rooms(self) -> str:
        """Draw the packages of the project and their imports, as they are in the code."""
        if self.blocks.root is None:
            raise ReportError("rooms() needs the project's code, which this rendering was not told of")
        return drawn(read_rooms(self.blocks.root))

    def large_costs(self) -> str:
        """List what each experiment would cost with SCALE=large, in hours of one core."""
        return self._block("large_costs.html.jinja", costs=self.blocks.large_costs)

    def large_hours(self, experiment: str = "") -> str:
        """Quote the hours of one core that an experiment, or all of them, may take with SCALE=large."""
        hours = sum(cost.core_hours for cost in self.blocks.large_costs if experiment in ("", cost.name))
        return f"{hours:.2g}" if hours < 10 else f"{hours:.0f}"

    def large_cores(self, experiment: str) -> str:
        """Quote how many cores would take as long for all of SCALE=large as one core for an experiment of it."""
        hours = {cost.name: cost.core_hours for cost in self.blocks.large_costs}
        return f"{sum(hours.values()) / hours[experiment]:.0f}" if experiment in hours else "?"

    def live_model(self, preset: str, picture: str, *, compact: bool = False) -> str:
        """Show the toy model that trains in the browser, ready for the preset of a statement.

        Without scripts the figure `picture` stands in its place, small. `compact` folds settings and details.
        """
        if not self.blocks.live or picture not in self.report.figures:
            return self._missing("the live toy model", picture)
        figure = self.report.figures[picture]
        return self._block("live_model.html.jinja", preset=preset, figure=figure, compact=compact)

    def _block(self, template: str, **values: Any) -> str:
        return self.blocks.block(template, self.page, **values)

    def _missing(self, what: str, name: str) -> str:
        return self._block("missing.html.jinja", what=what, reason=self._reason(name))

    def _missing_word(self, what: str, name: str) -> str:
        return Markup('<span class="missing" title="{}">{}?</span>').format(data(self._reason(name)), data(what))

    def _reason(self, name: str) -> str:
        reason = absent_reason(self.report, name)
        if reason is None:
            self.unknown.append(name)
        return reason or "nothing has this name"


def absent_reason(report: Report, name: str) -> str | None:
    """Return why a name has no result in this build, or None for a name nobody knows."""
    return report.absent.get(name) or report.absent.get(name.split(".")[0])


def dormant_reason(report: Report, name: str) -> str | None:
    """Return why a name has nothing to run in this build, or None."""
    return report.dormant.get(name) or report.dormant.get(name.split(".")[0])


def run_named(report: Report, name: str) -> Any:
    """Return the run of an experiment, given its file's name or its whole id, or None."""
    return next((run for id, run in report.runs.items() if name in (id, id.rsplit(".", 1)[-1])), None)
