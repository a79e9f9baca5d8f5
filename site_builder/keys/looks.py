"""What code looks at that mostly has no meaning at run time: what an error says, the types of a class's fields."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from site_builder.keys.sources import Import, walk

Chain = tuple[str, ...]
"""A dotted mention of a name: `metrics.represented` is `("metrics", "represented")`."""


SHOWS_ERRORS = frozenset({
    "exc_info", "exception", "format_exc", "print_exc", "__exit__", "__aexit__", "__context__", "__cause__",
})  # fmt: skip
"""Names of what shows an error that was raised."""

SHOWS_TYPES = frozenset({"get_type_hints", "get_annotations", "__annotations__", "__dataclass_fields__"})
"""Names of what shows the annotations of a class; `dataclasses.fields` shows them as the types of the fields."""

SHOWS_NO_TYPE = frozenset({"name", "default", "default_factory", "init", "repr", "hash", "compare", "kw_only"})
"""What code may ask each of the `dataclasses.fields` for without looking at its type."""


@dataclass(frozen=True)
class Looks:
    """What code looks at that mostly has no meaning at run time: errors that it caught, annotations."""

    errors: bool = False
    types: bool = False

    def __or__(self, other: "Looks") -> "Looks":
        return Looks(self.errors or other.errors, self.types or other.types)


def looks_of(statement: ast.stmt, text: str, mentions: Iterable[Chain], imports: dict[str, Import]) -> Looks:
    """Return what a statement looks at; `text` is its dump with all that counts beside it."""
    mentioned = any(_is_fields(chain, imports) for chain in mentions)
    return Looks(
        errors=_names_any(SHOWS_ERRORS, text)
        or ("ExceptHandler(" in text and any(_is_read(node) for node in walk(statement))),
        types=_names_any(SHOWS_TYPES, text) or (mentioned and _shows_types_of_fields(statement, imports)),
    )


def _names_any(names: frozenset[str], text: str) -> bool:
    return any(f"'{name}'" in text for name in names)


def _shows_types_of_fields(statement: ast.stmt, imports: dict[str, Import]) -> bool:
    """True where `dataclasses.fields` is used for more than to go through the fields and ask each for its name."""
    mentioned = {id(node) for node in ast.walk(statement) if _is_fields(chain_of(node) or ("",), imports)}
    innocent = set()
    for node in ast.walk(statement):
        if (
            isinstance(node, ast.For | ast.comprehension)
            and isinstance(node.iter, ast.Call)
            and isinstance(node.target, ast.Name)
            and _is_asked_no_type(statement, node.target.id)
        ):
            innocent.add(id(node.iter.func))
    return not mentioned <= innocent


def _is_asked_no_type(statement: ast.stmt, name: str) -> bool:
    """True when all that a statement does with the variable `name` is to read what shows no type of a field."""
    asked = {
        id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute) and node.attr in SHOWS_NO_TYPE
    }
    read = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id == name]
    return all(isinstance(node.ctx, ast.Store) or id(node) in asked for node in read)


def _is_fields(chain: Chain, imports: dict[str, Import]) -> bool:
    """True for `dataclasses.fields`, which shows the types of fields."""
    target = imports.get(chain[0])
    return target == Import("dataclasses", "fields") or (target == Import("dataclasses") and "fields" in chain)


def _is_read(handler: ast.AST) -> bool:
    """True for a handler that does more with the error it names than to raise another from it."""
    if not isinstance(handler, ast.ExceptHandler):
        return False
    raised = {id(part) for node in ast.walk(handler) if isinstance(node, ast.Raise) for part in (node.exc, node.cause)}
    return any(
        isinstance(node, ast.Name) and node.id == handler.name and id(node) not in raised for node in ast.walk(handler)
    )


def chain_of(node: ast.AST) -> Chain | None:
    """Return the dotted name that an expression is, if it is one."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None
