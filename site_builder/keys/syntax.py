"""Goes through syntax trees as `ast` does, two to three times as fast: keys are made from a million nodes of code."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

_NOTHING = object()


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, in no order."""
    left = [node]
    while left:
        node = left.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [each for each in value if isinstance(each, ast.AST)]


def dump(node: ast.AST) -> str:
    """Return the tree as text, as `ast.dump` of Python 3.11 does."""
    kind: Any = node.__class__
    name, fields = _form(kind)
    values, parts = vars(node), []
    for field, label, optional in fields:
        value = values.get(field, _NOTHING)
        if value is _NOTHING:
            value = getattr(node, field, _NOTHING)
        if value is _NOTHING or (optional and value is None):
            continue
        if isinstance(value, ast.AST):
            text = dump(value)
        elif isinstance(value, list):
            text = f"[{', '.join([dump(each) if isinstance(each, ast.AST) else repr(each) for each in value])}]"
        else:
            text = repr(value)
        parts.append(label + text)
    return f"{name}({', '.join(parts)})"


@cache
def _form(kind: type[ast.AST]) -> tuple[str, tuple[tuple[str, str, bool], ...]]:
    """Return the name of a kind of node, and for each field its name, how it is labelled, whether None says nothing."""
    return kind.__name__, tuple((field, f"{field}=", getattr(kind, field, ...) is None) for field in kind._fields)


class Transformer(ast.NodeTransformer):
    """An `ast.NodeTransformer`; methods must not add fields to the node they visit."""

    def __init__(self) -> None:
        self._visitors: dict[type[ast.AST], Callable[[Any], Any]] = {}

    def visit(self, node: ast.AST) -> Any:
        kind = node.__class__
        visitor = self._visitors.get(kind)
        if visitor is None:
            visitor = self._visitors[kind] = getattr(self, f"visit_{kind.__name__}", self.generic_visit)
        return visitor(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field, value in list(vars(node).items()):
            if isinstance(value, ast.AST):
                new = self.visit(value)
                if new is None:
                    delattr(node, field)
                elif new is not value:
                    setattr(node, field, new)
            elif isinstance(value, list):
                value[:] = self._visited(value)
        return node

    def _visited(self, values: list[Any]) -> Iterator[Any]:
        for value in values:
            new = self.visit(value) if isinstance(value, ast.AST) else value
            if isinstance(new, list):
                yield from new
            elif new is not None or value is None:
                yield new
