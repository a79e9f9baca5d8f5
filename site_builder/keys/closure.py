"""Which first-party code a function depends on, symbol by symbol.

From a function, follow every name it mentions to the top-level definition behind it, through imports
and re-exports and into functions and classes in turn. What comes out is a digest per symbol, so a
changed helper reruns exactly what uses it. Where a name cannot be followed, more is included, not less:
a module used as a value brings all it defines, and a module whose symbol is used brings the statements
that act on import.
"""

import ast
import builtins
import hashlib
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from site_builder.keys.sources import Import, Module, Sources, imports_in, root_name

Chain = tuple[str, ...]
"""A dotted mention of a name: `metrics.represented` is `("metrics", "represented")`."""


CHANGES_NO_NUMBER = frozenset(f"experiments.core.{name}" for name in ("compiled", "instructions", "progress"))
"""Modules that no result depends on: where kernels lie, who hears how far a run is. What `instructions` chooses stands
in the run key itself."""


@dataclass
class Closure:
    """Digests of the symbols reached, by qualified name, and the third-party packages they use."""

    symbols: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)


def closure_of(sources: Sources, *functions: Callable[..., Any], fields_of: type | None = None) -> Closure:
    """Return the closure of `functions` (or classes).

    `fields_of` is a configuration class whose values are known elsewhere: it enters without the
    defaults of its fields, so that a new default changes only the configurations that use it.
    """
    walk = _Walk(sources)
    for function in functions:
        walk.add_function(function)
    if fields_of is not None:
        walk.add_fields(fields_of)
    return walk.closure


class _Walk:
    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.closure = Closure()
        self.seen: set[tuple[str, Chain]] = set()
        self.included: set[tuple[str, int]] = set()
        self.touched: set[str] = set()

    def add_function(self, function: Callable[..., Any]) -> None:
        """Enter a live function or class; one made inside another cannot be told apart, so its module enters whole."""
        module, name = function.__module__, function.__qualname__
        if "<" in name or not self._defines(module, name.partition(".")[0]):
            self.follow(module, ())
        else:
            self.follow(module, (name.partition(".")[0],))

    def add_fields(self, configuration: type) -> None:
        module = self.sources.module(configuration.__module__)
        for statement in module.definitions.get(configuration.__qualname__, []) if module else []:
            if module and isinstance(statement, ast.ClassDef):
                bare = module.bare.setdefault(id(statement), _without_defaults(statement))
                self._include(module, f"{configuration.__qualname__} (fields)", bare)

    def follow(self, module_name: str, chain: Chain) -> None:
        """Include what `module_name.chain` stands for; the whole module when the chain is empty or leads nowhere."""
        if (module_name, chain) in self.seen:
            return
        self.seen.add((module_name, chain))
        if module_name in CHANGES_NO_NUMBER:
            return
        module = self.sources.module(module_name)
        if module is None:
            self._third_party(module_name)
        elif not chain or not self._follow_name(module, chain):
            self._whole(module)

    def _follow_name(self, module: Module, chain: Chain) -> bool:
        """Include the top-level name `chain[0]` of `module`; False when it has no such name."""
        name = chain[0]
        if name in module.imports:
            self._follow_import(module.imports[name], chain[1:])
        for statement in module.definitions.get(name, []):
            self._include(module, name, statement)
        if name in module.imports or name in module.definitions:
            return True
        submodule = f"{module.name}.{name}"
        if self.sources.module(submodule):
            self.follow(submodule, chain[1:])
            return True
        return self._follow_stars(module, chain)

    def _follow_import(self, target: Import, rest: Chain) -> None:
        self.follow(target.module, rest if target.name is None else (target.name, *rest))

    def _follow_stars(self, module: Module, chain: Chain) -> bool:
        for star in module.stars:
            if self.sources.module(star) is None:
                self._third_party(star)
            elif self._defines(star, chain[0]):
                self.follow(star, chain)
                return True
        return False

    def _defines(self, module_name: str, name: str) -> bool:
        module = self.sources.module(module_name)
        if module is None:
            return False
        return (
            name in module.definitions
            or name in module.imports
            or any(self._defines(star, name) for star in module.stars)
        )

    def _whole(self, module: Module) -> None:
        for name in (*module.definitions, *module.imports):
            self.follow(module.name, (name,))
        self._touch(module.name)

    def _include(self, module: Module, name: str, statement: ast.stmt) -> None:
        """Add one statement to the closure under its symbol and follow what it mentions."""
        symbol = f"{module.name}.{name}"
        if (symbol, id(statement)) in self.included:
            return
        self.included.add((symbol, id(statement)))
        facts = _facts(module, statement)
        before = self.closure.symbols.get(symbol, "")
        self.closure.symbols[symbol] = hashlib.sha256((before + facts.text).encode()).hexdigest()
        self._touch(module.name)
        self._follow_mentions(module, facts)

    def _follow_mentions(self, module: Module, facts: "_Facts") -> None:
        for chain in facts.mentions:
            if chain[0] in facts.imports:
                self._follow_import(facts.imports[chain[0]], chain[1:])
            elif chain[0] in module.definitions or chain[0] in module.imports:
                self.follow(module.name, chain)
            elif not hasattr(builtins, chain[0]):
                self._follow_stars(module, chain)
        for star in facts.stars:
            self.follow(star, ())
        for target in facts.imports.values():
            self._touch(target.module)
        for prefix, exact in facts.loads:
            for name in [prefix] if exact else list(self.sources.below(prefix)):
                self.follow(name, ())

    def _touch(self, module_name: str) -> None:
        """Include what importing the module does, as its packages do and the imports made only for their effect."""
        if module_name in self.touched or module_name in CHANGES_NO_NUMBER:
            return
        self.touched.add(module_name)
        module = self.sources.module(module_name)
        if module is None:
            return
        if "." in module_name:
            self._touch(module_name.rpartition(".")[0])
        for statement in [*module.effects, *self._registrations(module)]:
            self._include(module, "(on import)", statement)
        for target in module.effect_imports:
            self._touch(target.module)
            if target.name:
                self._touch(f"{target.module}.{target.name}")

    def _registrations(self, module: Module) -> list[ast.stmt]:
        """Return the definitions decorated by first-party code, which may register them somewhere."""
        return [
            statement
            for statements in module.definitions.values()
            for statement in statements
            for decorator in getattr(statement, "decorator_list", [])
            if self._is_first_party(module, root_name(decorator))
        ]

    def _is_first_party(self, module: Module, name: str | None) -> bool:
        if name in module.imports:
            return self.sources.module(module.imports[name].module) is not None
        return name in module.definitions

    def _third_party(self, module_name: str) -> None:
        root = module_name.partition(".")[0]
        if root and root not in sys.stdlib_module_names and root not in self.sources.packages:
            self.closure.packages.add(root)


@dataclass(frozen=True)
class _Facts:
    """What a statement says, found once and used by every closure that reaches it.

    `loads` are the module names given to `import_module`; False marks the constant start of a computed one.
    """

    text: str
    imports: dict[str, Import]
    stars: list[str]
    mentions: list[Chain]
    loads: list[tuple[str, bool]]


def _facts(module: Module, statement: ast.stmt) -> _Facts:
    known: _Facts | None = module.facts.get(id(statement))
    if known is None:
        imports, stars = imports_in(statement, module)
        mentions = sorted(_mentions(statement))
        known = _Facts(ast.dump(statement), imports, stars, mentions, _imported_by_name(statement))
        module.facts[id(statement)] = known
    return known


def _mentions(statement: ast.stmt) -> set[Chain]:
    """Return every dotted name a statement reads."""
    found: set[Chain] = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        chain = _chain(node)
        if chain:
            found.add(chain)
        else:
            stack.extend(ast.iter_child_nodes(node))
    return found


def _chain(node: ast.AST) -> Chain | None:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None


def _imported_by_name(statement: ast.stmt) -> list[tuple[str, bool]]:
    """Return the module names given to `import_module` or `__import__`, and whether each is the whole name."""
    found = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and node.args:
            chain = _chain(node.func) or ("",)
            argument = node.args[0]
            if chain[-1] in ("import_module", "__import__"):
                first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((first.value, first is argument))
    return found


def _without_defaults(statement: ast.ClassDef) -> ast.ClassDef:
    bare = copy(statement)
    bare.body = [_without_value(each) if isinstance(each, ast.AnnAssign) else each for each in statement.body]
    return bare


def _without_value(assignment: ast.AnnAssign) -> ast.AnnAssign:
    bare = copy(assignment)
    bare.value = None
    return bare
