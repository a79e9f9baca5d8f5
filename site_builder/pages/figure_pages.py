"""The page of each figure: the picture, how it was made, what rests on it, and how to cite it."""

from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from site_builder.citing import citations
from site_builder.citing.publication import Publication, file_path
from site_builder.figures.for_print import picture_dpi
from site_builder.pages.data_tables import data_tables
from site_builder.pages.macros import Blocks, Macros
from site_builder.pages.page_files import Page
from site_builder.store.records import REPLICATES, FigureRecord
from site_builder.text.markup import to_plain

FORMATS = {
    "bibtex": "BibTeX",
    "biblatex": "BibLaTeX",
    "csl": "CSL-JSON",
    "latex": "LaTeX figure",
    "markdown": "Markdown",
    "text": "Text",
}
"""The formats of the cite box, in the order of its tabs."""

KINDS = {
    "pdf": ("PDF", "vector, embedded fonts"),
    "png": ("PNG", ""),
    "light.svg": ("SVG", "light"),
    "dark.svg": ("SVG", "dark"),
    "csv": ("CSV", "the plotted data"),
    "json": ("JSON", "the plotted data"),
    "view.json": ("JSON", "the view that can be moved"),
    "collection.json": ("JSON", "what can be browsed"),
}
"""What each kind of file is, in words."""

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""What writes YAML: in C where the package has it, at ten times the speed."""

WRITTEN_LAST = {
    "record.json": ("Record", "all that is known of the figure"),
    "bib": ("BibTeX", "an entry"),
    "tex": ("LaTeX", "a figure environment"),
}
"""Files beside them that are written into the built site."""


def figure_page(
    blocks: Blocks, figure: FigureRecord, shown: list[tuple[str, str]], root: Path, plotted: str = ""
) -> Page:
    """Return the page of one figure, as Markdown.

    `shown` are the pages that show it (address, title), `root` the repository the script is read from, `plotted` the
    text of its data file ("" where it has none).
    """
    page = Page(f"figures/{figure.id}.md", "")
    macros = Macros(blocks, page)
    tables = data_tables(plotted)
    claims = [claim.id for claim in blocks.claims() if figure.id in claim.figures]
    text = blocks.env.get_template("figure_page.md.jinja").render(
        figure=figure,
        front=_front_matter(figure, blocks.publication),
        block=blocks.block("figure.html.jinja", page, figure=figure, own_page=True),
        cite=blocks.block("cite.html.jinja", page, figure=figure, citations=_citations(figure, blocks.publication)),
        downloads=blocks.block("figure_downloads.html.jinja", page, files=_files(figure)),
        tables=blocks.block("data_tables.html.jinja", page, tables=tables, whole=file_path(figure, "csv"))
        if tables
        else "",
        claims=claims,
        findings=macros.findings(*claims) if claims else "",
        facts=blocks.block(
            "figure_facts.html.jinja",
            page,
            figure=figure,
            shown=shown,
            replicates=REPLICATES,
            script=citations.script_address(figure, blocks.publication),
        ),
        parameters=macros.parameters(figure.experiment),
        code=_source(figure, root),
        neighbours=_neighbours(blocks, figure, page),
    )
    return Page(page.name, text)


def _front_matter(figure: FigureRecord, publication: Publication) -> Markup:
    data: dict[str, Any] = {
        "title": f"Figure {figure.number}. {to_plain(figure.title)}",
        "description": to_plain(figure.alt),
        "figure": {
            "highwire": citations.highwire(figure, publication),
            "json_ld": citations.json_ld(figure, publication),
        },
        "hide": ["navigation", "toc"],
        "search": {"exclude": True},  # its entry is made from its record
    }
    text: str = yaml.dump(data, Dumper=DUMPER, allow_unicode=True, sort_keys=False, width=10_000)
    return Markup(text.strip())


def _citations(figure: FigureRecord, publication: Publication) -> list[tuple[str, str, str]]:
    return [(name, label, citations.cite(figure, name, publication).strip()) for name, label in FORMATS.items()]


def _files(figure: FigureRecord) -> list[tuple[str, str, str, int | None]]:
    """Return name, words, path in the site and size of each file to download; what is written last has no size yet."""
    words = KINDS | {"png": ("PNG", f"{picture_dpi(figure.run.scale)} dpi")}
    drawn = [
        (*words[kind], file_path(figure, kind), figure.files[kind].bytes) for kind in words if kind in figure.files
    ]
    return drawn + [(*words, file_path(figure, kind), None) for kind, words in WRITTEN_LAST.items()]


def _source(figure: FigureRecord, root: Path) -> Markup:
    """Return the lines of the drawing code, or "" where the script is not to be found."""
    path = root / figure.source.path
    if not path.is_file():
        return Markup("")
    lines = path.read_text(encoding="utf-8").splitlines()
    return Markup("\n".join(lines[figure.source.first_line - 1 : figure.source.last_line]))


def _neighbours(blocks: Blocks, figure: FigureRecord, page: Page) -> Markup:
    figures = blocks.figures()
    place = figures.index(figure)
    before = figures[place - 1] if place else None
    after = figures[place + 1] if place + 1 < len(figures) else None
    return blocks.block("figure_neighbours.html.jinja", page, before=before, after=after)
