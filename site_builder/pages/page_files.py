"""The pages as they are written: reading them in the order of the navigation, and what they call by name.

A page is Markdown with Jinja expressions (`{{ figure("starfish") }}`). Jinja's comments are written
`<!--# ... #-->`, so that a heading may carry `{#its-id}`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes
from mkdocs.utils.yaml import yaml_load

from experiments.core.errors import ReportError
from site_builder.citing.publication import config_loader


@dataclass(frozen=True)
class Page:
    """One page. `name` is its path below `docs/` ("first_runs.md"), `text` as it is written."""

    name: str
    text: str

    @property
    def where(self) -> str:
        """Return the page's path in the repository, for messages."""
        return f"docs/{self.name}"

    @property
    def url(self) -> str:
        """Return the path of the built page below the site's root ("first_runs.html")."""
        return url_of(self.name)

    @property
    def root(self) -> str:
        """Return what leads from the built page to the site's root: "" or "../" once per folder."""
        return "../" * self.name.count("/")


@dataclass(frozen=True)
class Call:
    """One macro called in a page: its name, its arguments (None for one that is not a constant), the line, and the
    arguments that are given by name."""

    macro: str
    arguments: tuple[Any, ...]
    line: int
    named: tuple[tuple[str, Any], ...] = ()


def url_of(name: str) -> str:
    """Return the path of the page built from `name`, a Markdown file or a notebook."""
    return re.sub(r"\.(md|py|ipynb)$", ".html", name)


def environment() -> jinja2.Environment:
    """Return the Jinja environment of the pages."""
    return jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        comment_start_string="<!--#",
        comment_end_string="#-->",
        keep_trailing_newline=True,
        autoescape=False,
    )


def nav(config: Path) -> list[str]:
    """Return the files that the navigation of `mkdocs.yml` lists, in reading order."""
    return list(_leaves(_nav_tree(config)))


def names_every_page(config: Path) -> bool:
    """True where `mkdocs.yml` has a navigation that gives every page in it a title, so that no page decides its own."""
    tree = _nav_tree(config)
    return bool(tree) and _is_titled(tree)


def _nav_tree(config: Path) -> Any:
    try:
        with config.open(encoding="utf-8") as stream:
            loaded = yaml_load(stream, loader=config_loader())
    except OSError as error:
        raise ReportError(f"{config.name}: the navigation cannot be read ({error.strerror})") from error
    return loaded.get("nav") or []


def _is_titled(tree: Any) -> bool:
    branches = tree.values() if isinstance(tree, dict) else tree
    inside = [each for each in branches if not isinstance(each, str)]
    return (isinstance(tree, dict) or len(inside) == len(tree)) and all(map(_is_titled, inside))


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)


def read(docs: Path, order: list[str]) -> list[Page]:
    """Return every Markdown page below `docs`, those in `order` first and in that order."""
    names = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    names = [name for name in names if not name.startswith("theme/")]
    listed = [name for name in order if name in names]
    return [
        Page(name, (docs / name).read_text(encoding="utf-8"))
        for name in listed + [name for name in names if name not in listed]
    ]


def calls(page: Page, env: jinja2.Environment) -> list[Call]:
    """Return the macros that a page calls, in order; a `ReportError` names the line of a syntax error."""
    try:
        tree = env.parse(page.text)
    except jinja2.TemplateSyntaxError as error:
        raise ReportError(f"{page.where}:{error.lineno}: {error.message}") from error
    found = [
        Call(
            node.node.name,
            tuple(_constant(argument) for argument in node.args),
            node.lineno,
            tuple((argument.key, _constant(argument.value)) for argument in node.kwargs),
        )
        for node in tree.find_all(nodes.Call)
        if isinstance(node.node, nodes.Name)
    ]
    return sorted(found, key=lambda call: call.line)


def names(page: Page, env: jinja2.Environment) -> list[tuple[str, int]]:
    """Return every name a page uses that it does not define itself, with the line."""
    tree = env.parse(page.text)
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"} | {"loop"}
    return [(node.name, node.lineno) for node in tree.find_all(nodes.Name) if node.name not in own]


def _constant(node: nodes.Expr) -> Any:
    try:
        return node.as_const()
    except nodes.Impossible:
        return None
