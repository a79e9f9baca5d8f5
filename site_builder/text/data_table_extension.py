"""Keeps tables of plotted data out of the sight of Markdown: they are HTML already, and most of a figure's page.

Python-Markdown reads HTML tag by tag, to find Markdown in it. The tables of a hundred figures have ninety thousand tags
and no Markdown.
"""

import re

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor

OPENING = '<details class="data"'
"""How the line begins that holds the tables of a figure, all of them (see `data_tables.html.jinja`)."""

_TABLES = re.compile(rf"{re.escape(OPENING)}[^>]*>.*</details>\s*")


class _Tables(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return [part for line in lines for part in self._kept(line)]

    def _kept(self, line: str) -> list[str]:
        """Return the line, or in place of tables what Markdown puts them back for when it is done."""
        if not (line.startswith(OPENING) and _TABLES.fullmatch(line)):
            return [line]
        return ["", self.md.htmlStash.store(line.strip()), ""]


class DataTableExtension(Extension):
    """The Python-Markdown extension; `mkdocs.yml` names it by its module."""

    def extendMarkdown(self, md: Markdown) -> None:
        # After fences (25), inside which nothing is HTML, before HTML (20).
        md.preprocessors.register(_Tables(md), "data-tables", 22)


def makeExtension(**options: object) -> DataTableExtension:
    """Return the extension; Python-Markdown looks this name up."""
    return DataTableExtension(**options)
