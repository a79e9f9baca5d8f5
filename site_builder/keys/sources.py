"""First-party modules as parsed source: which names each defines, imports, and what it does when imported.

The form kept is *canonical*: docstrings, comments, layout, annotations of functions and the decorators
that register a function with an `Experiment` are gone, so that editing them changes no key. What the errors say
and the types of a class's fields are set aside: they count only where code looks at them.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError

FIRST_PARTY = ("experiments", "site_builder")


@dataclass(frozen=True)
class Import:
    """What an imported name stands for: `module`, or the thing called `name` inside it."""

    module: str
    name: str | None = None


@dataclass
class Module:
    """A parsed module: `definitions` maps a name to every statement that binds or mutates it.

    `effects` are the statements that do something on import beyond binding names, and
    `effect_imports` the imports whose names are never used (made for what they do).
    `facts` and `bare` keep what is found out about a statement, by its identity. `messages` and `types` hold what was
    set aside, by the identity of the node it belongs to, which `tree` keeps alive.
    """

    name: str
    is_package: bool
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    effects: list[ast.stmt] = field(default_factory=list)
    effect_imports: list[Import] = field(default_factory=list)
    facts: dict[Any, Any] = field(default_factory=dict)
    messages: dict[int, list[ast.AST]] = field(default_factory=dict)
    types: dict[int, list[ast.AST]] = field(default_factory=dict)
    tree: ast.AST | None = None
    bare: dict[int, ast.ClassDef] = field(default_factory=dict)


class Sources:
    """Finds and parses first-party modules below `roots`; the first root that has a module wins."""

    def __init__(self, roots: Sequence[Path], packages: tuple[str, ...] = FIRST_PARTY) -> None:
        self.roots = tuple(roots)
        self.packages = packages
        self._modules: dict[str, Module | None] = {}
        self.kept: dict[Any, Any] = {}
        """What is found out about these sources once, by what it is about."""

    def module(self, name: str) -> Module | None:
        """Return the parsed module, or None when `name` is no first-party module."""
        if name not in self._modules:
            path = self.path(name)
            self._modules[name] = parse(name, path) if path else None
        return self._modules[name]

    def path(self, name: str) -> Path | None:
        """Return the file of first-party module `name`."""
        if name.partition(".")[0] not in self.packages:
            return None
        stem = Path(*name.split("."))
        candidates = (root / stem / "__init__.py" for root in self.roots)
        files = (root / stem.with_suffix(".py") for root in self.roots)
        return next((path for pair in zip(candidates, files, strict=True) for path in pair if path.is_file()), None)

    def below(self, prefix: str) -> Iterator[str]:
        """Yield the names of all first-party modules whose dotted name starts with `prefix`."""
        package = prefix.rpartition(".")[0]
        for root in self.roots:
            for path in sorted((root / Path(*package.split("."))).glob("*")):
                name = f"{package}.{path.stem}"
                if name.startswith(prefix) and path.stem.isidentifier() and self.path(name):
                    yield name


def parse(name: str, path: Path) -> Module:
    """Read the module at `path` into its canonical form."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise ReportError(f"{path}, line {error.lineno}: {error.msg}; mend the syntax and run again") from error
    experiments = _experiment_names(tree)
    module = Module(name, is_package=path.name == "__init__.py")
    module.tree = tree = _Canonical(experiments, module).visit(tree)
    for statement in tree.body:
        _enter(module, statement, experiments)
    aside = [each for kept in (module.messages, module.types) for nodes in kept.values() for each in nodes]
    used = {node.id for top in (tree, *aside) for node in walk(top) if isinstance(node, ast.Name)}
    unused = [target for bound, target in module.imports.items() if module.is_package or bound not in used]
    module.effect_imports = unused + _dotted_imports(tree)
    return module


def _dotted_imports(tree: ast.Module) -> list[Import]:
    """Return what `import a.b` loads at the top level: it binds `a` alone, so using `a` says nothing of `a.b`."""
    plain = [statement for statement in tree.body if isinstance(statement, ast.Import)]
    return [Import(alias.name) for statement in plain for alias in statement.names if not alias.asname]


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, in no order; `ast.walk` takes twice as long."""
    left = [node]
    while left:
        node = left.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [each for each in value if isinstance(each, ast.AST)]


def imports_in(node: ast.AST, module: Module) -> tuple[dict[str, Import], list[str]]:
    """Return the names that import statements inside `node` bind, and the modules they star-import."""
    bound: dict[str, Import] = {}
    stars: list[str] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            for alias in part.names:
                target = alias.name if alias.asname else alias.name.partition(".")[0]
                bound[alias.asname or target] = Import(target)
        elif isinstance(part, ast.ImportFrom):
            source = _absolute(part, module)
            for alias in part.names:
                if alias.name == "*":
                    stars.append(source)
                else:
                    bound[alias.asname or alias.name] = Import(source, alias.name)
    return bound, stars


def _absolute(node: ast.ImportFrom, module: Module) -> str:
    """Return the absolute name of the module a `from` import reads, resolving leading dots."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _experiment_names(tree: ast.Module) -> set[str]:
    """Return the module-level names bound to a call of `Experiment`."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            function = statement.value.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if called == "Experiment":
                names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names


def root_name(node: ast.AST) -> str | None:
    """Return the variable at the root of `a.b[c](...).d`, here `a`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _enter(module: Module, statement: ast.stmt, experiments: set[str]) -> None:
    """Sort one top-level statement into the module's definitions, imports and effects."""
    bound, stars = imports_in(statement, module) if not _is_definition(statement) else ({}, [])
    module.imports |= bound
    module.stars += stars
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass) or _is_guard(statement):
        return
    names = set(_bound_by(statement, module))
    for name in names:
        module.definitions.setdefault(name, []).append(statement)
    is_registration = isinstance(statement, ast.Expr) and root_name(statement.value) in experiments
    if not is_registration and _does_something(statement, names):
        module.effects.append(statement)


def _is_definition(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _is_guard(statement: ast.stmt) -> bool:
    """True for `if TYPE_CHECKING:` and `if __name__ == "__main__":`, whose bodies no run executes."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    names = {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(statement.test)}
    return bool(names & {"TYPE_CHECKING", "__name__"})


def _bound_by(statement: ast.stmt, module: Module) -> Iterator[str]:
    """Yield the module-level names that a statement binds or, for names defined here, mutates."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
        return
    for node in _walk_outside_functions(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            root = root_name(node)
            if root in module.definitions:
                yield root


def _walk_outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _walk_outside_functions(child)


def _does_something(statement: ast.stmt, names: set[str]) -> bool:
    """True when importing runs more than a binding: a bare call, a loop, a deletion, a change of another module."""
    if _is_definition(statement):
        return False
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return any(isinstance(target, ast.Attribute | ast.Subscript) and root_name(target) not in names
                   for target in targets)  # fmt: skip
    if isinstance(statement, ast.If | ast.Try | ast.With):
        return any(_does_something(inner, names) for inner in _inner(statement))
    return not isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)


def _inner(statement: ast.stmt) -> Iterable[ast.stmt]:
    return [node for node in ast.iter_child_nodes(statement) if isinstance(node, ast.stmt)] + [
        node
        for handler in getattr(statement, "handlers", [])
        for node in ast.iter_child_nodes(handler)
        if isinstance(node, ast.stmt)
    ]


_WITH_A_MEANING = ("ClassVar", "InitVar", "KW_ONLY")
"""Annotations that dataclasses act upon."""


class _Canonical(ast.NodeTransformer):
    """Drops what cannot change a number: docstrings, annotations of functions, registration, reasons of `undefined`;
    sets aside what errors say and the types of fields."""

    def __init__(self, experiments: set[str], module: Module) -> None:
        self.experiments = experiments
        self.module = module
        self.in_class = False

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = [each for each in node.decorator_list if root_name(each) not in self.experiments]
        node.returns = None
        arguments = node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            argument.annotation = None
        for variadic in (arguments.vararg, arguments.kwarg):
            if variadic:
                variadic.annotation = None
        outer, self.in_class = self.in_class, False
        self.generic_visit(node)
        self.in_class = outer
        return _without_passes(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outer, self.in_class = self.in_class, True
        self.generic_visit(node)
        self.in_class = outer
        return _without_passes(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if self.in_class:  # a field: that it is annotated has a meaning at run time, mostly not with which type
            if not set(_WITH_A_MEANING) & set(re.findall(r"\w+", ast.unparse(node.annotation))):
                self.module.types[id(node)] = [node.annotation]
                node.annotation = ast.Constant(None)
            return self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        node = self.generic_visit(node)  # type: ignore[assignment]
        if isinstance(node.exc, ast.Call):
            self.module.messages[id(node)] = [*node.exc.args, *node.exc.keywords]
            node.exc.args, node.exc.keywords = [], []
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        node = self.generic_visit(node)  # type: ignore[assignment]
        if node.msg is not None:
            self.module.messages[id(node)] = [node.msg]
            node.msg = None
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "undefined":
            node.args, node.keywords = [], []
        return self.generic_visit(node)


def _without_passes(node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
    node.body = [each for each in node.body if not isinstance(each, ast.Pass)] or [ast.Pass()]
    return node
