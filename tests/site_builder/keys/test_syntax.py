"""The faster ways through syntax trees lead where those of `ast` lead."""

import ast
import sys
from pathlib import Path

import pytest

from site_builder.keys.syntax import Transformer, dump, walk

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "experiments" / "core" / "contract.py", ROOT / "site_builder" / "keys" / "closure.py", Path(__file__)]
ODD = (
    "def f(a, /, b=1, *c, d: int = 2, **e) -> str:\n"
    "    global g\n"
    "    x: int\n"
    "    return f'{a!r:>{b}}', b'bytes', 1j, ..., None, {**e, 'k': [*c]}, a[1:2, ::3], (yield), lambda: 0\n"
    "match f:\n"
    "    case {'a': 1, **rest} | [1, *_] if g: pass\n"
    "from . import x as y\n"
    "try: pass\n"
    "except* OSError as error: raise\n"
)

TEXTS = [pytest.param(path.read_text("utf-8"), id=path.name) for path in FILES] + [pytest.param(ODD, id="odd")]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="later versions of Python print trees in another way")
@pytest.mark.parametrize("text", TEXTS)
def test_a_tree_as_text_is_what_ast_prints(text: str) -> None:
    assert dump(ast.parse(text)) == ast.dump(ast.parse(text))


@pytest.mark.parametrize("text", TEXTS)
def test_all_nodes_are_met_once(text: str) -> None:
    tree = ast.parse(text)
    assert sorted(map(id, walk(tree))) == sorted(map(id, _all(tree)))


def _all(node: ast.AST) -> list[ast.AST]:
    return [node, *(each for child in ast.iter_child_nodes(node) for each in _all(child))]


class Changes:
    """Drops, replaces and multiplies nodes; mixed into both kinds of transformer."""

    def visit_Pass(self, node: ast.Pass) -> None:
        return None

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Name("constant", ast.Load())

    def visit_Return(self, node: ast.Return) -> list[ast.AST]:
        return [ast.Expr(node.value or ast.Constant(None)), self.generic_visit(node)]

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return self.generic_visit(node)

    def visit_Slice(self, node: ast.Slice) -> None:
        return None


class Ours(Changes, Transformer):
    pass


class Theirs(Changes, ast.NodeTransformer):
    pass


@pytest.mark.parametrize("text", TEXTS)
def test_a_tree_is_transformed_as_ast_transforms_it(text: str) -> None:
    assert ast.dump(Ours().visit(ast.parse(text))) == ast.dump(Theirs().visit(ast.parse(text)))
