"""Which first-party code a function depends on, symbol by symbol.

From a function, follow every name it mentions to the top-level definition behind it, through imports
and re-exports and into functions and classes in turn. What comes out is a digest per symbol, so a
changed helper reruns exactly what uses it. Where a name cannot be followed, more is included, not less:
a module used as a value brings all it defines, and a module whose symbol is used brings the statements
that act on import.

What an error says belongs to a closure only if something in it looks at an error that it caught, and the types of a
class's fields only if something looks at annotations; a class whose types decide how it is stored is asked for by
`typed`.
"""

import ast
import builtins
import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Any

from site_builder.keys.looks import Chain, Looks, chain_of, looks_of
from site_builder.keys.sources import Import, Module, Sources, imports_in, root_name

CHANGES_NO_NUMBER = frozenset(f"experiments.core.{name}" for name in ("compiled", "instructions", "pieces", "progress"))
"""Modules that no result depends on: where kernels lie, who does a piece, who hears how far a run is. What
`instructions` chooses stands in the run key itself."""


@dataclass
class Closure:
    """Digests of the symbols reached, by qualified name, the third-party packages they use, what they look at."""

    symbols: dict[str, str] = field(default_factory=dict)
    packages: set[str] = field(default_factory=set)
    looks: Looks = field(default_factory=Looks)

    def __or__(self, other: "Closure") -> "Closure":
        return Closure(self.symbols | other.symbols, self.packages | other.packages, self.looks | other.looks)


def closure_of(
    sources: Sources,
    *functions: Callable[..., Any],
    typed: Sequence[Callable[..., Any]] = (),
    fields_of: type | None = None,
    without: frozenset[str] = frozenset(),
) -> Closure:
    """Return the closure of `functions` (or classes), and of the classes `typed` with the types of their fields.

    `fields_of` is a configuration class whose values are known elsewhere: it enters without the
    defaults of its fields, so that a new default changes only the configurations that use it. `without` are modules
    left out.
    """
    lean = _graph(sources, Looks(), without)
    starts = [lean.start(each) for each in functions]
    types = [lean.start(each) for each in typed]
    if fields_of is not None:
        types.append(("fields", fields_of.__module__, (fields_of.__qualname__,)))
    counted = Looks()
    while True:  # what is counted more may reach code that looks at more
        code = _graph(sources, counted, without).closure(starts)
        found = code | _graph(sources, replace(counted, types=True), without).closure(types)
        if found.looks | counted == counted:
            return found
        counted |= found.looks


def _graph(sources: Sources, counted: Looks, without: frozenset[str]) -> "_Graph":
    graph: _Graph = sources.kept.setdefault((counted, without), _Graph(sources, counted, without))
    return graph


Node = tuple[str, str, Chain]
"""Something to include: ("name", module, chain) is what the chain stands for in the module, ("symbol", module, (name,))
all statements that define a name, ("fields", module, (class,)) a class without defaults, ("import", module, ()) what
importing the module does, ("package", name, ()) a third-party package."""


class _Graph:
    """What including a thing brings with it; found once and used by every closure over the same sources.

    Beside the statements, what errors say and the types of fields count where `counted` says so; the modules `without`
    do not.
    """

    def __init__(self, sources: Sources, counted: Looks, without: frozenset[str]) -> None:
        self.sources = sources
        self.counted = counted
        self.without = CHANGES_NO_NUMBER | without
        self.looking: dict[Node, Looks] = {}
        self.leads: dict[Node, list[Node]] = {}
        self.digests: dict[Node, str] = {}

    def closure(self, starts: list[Node]) -> Closure:
        """Return all that is reached from `starts`."""
        reached, left = set(starts), list(starts)
        while left:
            node = left.pop()
            if node not in self.leads:
                self.leads[node] = list(dict.fromkeys(self._led_to(node)))
            new = [each for each in self.leads[node] if each not in reached]
            reached.update(new)
            left += new
        symbols = {_symbol(node): self.digests[node] for node in sorted(reached) if node in self.digests}
        packages = {name for kind, name, _ in reached if kind == "package"}
        looks = [found for node, found in self.looking.items() if node in reached]
        return Closure(symbols, packages, reduce(or_, looks, Looks()))

    def start(self, function: Callable[..., Any]) -> Node:
        """Return where a live function or class is; one made inside another cannot be told apart from its module."""
        module, name = function.__module__, function.__qualname__
        if "<" in name or not self._defines(module, name.partition(".")[0]):
            return "name", module, ()
        return "name", module, (name.partition(".")[0],)

    def _led_to(self, node: Node) -> Iterator[Node]:
        kind, name, chain = node
        module = None if kind == "package" else self.sources.module(name)
        if kind == "name":
            yield from self._named(name, chain)
        elif kind == "import":
            yield from self._imported(node, module)
        elif module is not None:
            statements = module.definitions.get(chain[0], [])
            if kind == "fields":
                classes = [each for each in statements if isinstance(each, ast.ClassDef)]
                statements = [_without_defaults(each, module) for each in classes]
            yield from self._included(node, module, statements)

    def _named(self, module_name: str, chain: Chain) -> Iterator[Node]:
        """Yield what `module_name.chain` stands for; the whole module when the chain is empty or leads nowhere."""
        if module_name in self.without:
            return
        module = self.sources.module(module_name)
        if module is None:
            yield from self._third_party(module_name)
            return
        found = list(self._name(module, chain)) if chain else []
        yield from found
        if not any(kind != "package" for kind, _, _ in found) and not (chain and chain[0] in module.imports):
            yield from (("name", module.name, (name,)) for name in (*module.definitions, *module.imports))
            yield "import", module.name, ()

    def _name(self, module: Module, chain: Chain) -> Iterator[Node]:
        """Yield what the top-level name `chain[0]` of `module` stands for."""
        name = chain[0]
        if name in module.imports:
            yield _target(module.imports[name], chain[1:])
        if name in module.definitions:
            yield "symbol", module.name, (name,)
        if name in module.imports or name in module.definitions:
            return
        submodule = f"{module.name}.{name}"
        if self.sources.module(submodule):
            yield "name", submodule, chain[1:]
        else:
            yield from self._starred(module, chain)

    def _starred(self, module: Module, chain: Chain) -> Iterator[Node]:
        for star in module.stars:
            if self.sources.module(star) is None:
                yield from self._third_party(star)
            elif self._defines(star, chain[0]):
                yield "name", star, chain
                return

    def _defines(self, module_name: str, name: str) -> bool:
        module = self.sources.module(module_name)
        if module is None:
            return False
        return (
            name in module.definitions
            or name in module.imports
            or any(self._defines(star, name) for star in module.stars)
        )

    def _included(self, node: Node, module: Module, statements: list[Any]) -> Iterator[Node]:
        """Take the digest of the statements behind a symbol, and yield what they mention."""
        digest = ""
        for statement in {id(each): each for each in statements}.values():
            facts = _facts(module, statement, self.counted)
            self.looking[node] = self.looking.get(node, Looks()) | facts.looks
            digest = hashlib.sha256((digest + facts.text).encode()).hexdigest()
            yield from self._mentioned(module, facts)
        if digest:
            self.digests[node] = digest
            yield "import", module.name, ()

    def _mentioned(self, module: Module, facts: "_Facts") -> Iterator[Node]:
        for chain in facts.mentions:
            if chain[0] in facts.imports:
                yield _target(facts.imports[chain[0]], chain[1:])
            elif chain[0] in module.definitions or chain[0] in module.imports:
                yield "name", module.name, chain
            elif not hasattr(builtins, chain[0]):
                yield from self._starred(module, chain)
        yield from (("name", star, ()) for star in facts.stars)
        yield from (("import", target.module, ()) for target in facts.imports.values())
        for prefix, exact in facts.loads:
            yield from (("name", name, ()) for name in ([prefix] if exact else self.sources.below(prefix)))

    def _imported(self, node: Node, module: Module | None) -> Iterator[Node]:
        """Yield what importing a module does, as its packages do and the imports made only for their effect."""
        if module is None or module.name in self.without:
            return
        if "." in module.name:
            yield "import", module.name.rpartition(".")[0], ()
        yield from self._included(node, module, [*module.effects, *self._registrations(module)])
        for target in module.effect_imports:
            yield "import", target.module, ()
            if target.name:
                yield "import", f"{target.module}.{target.name}", ()

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

    def _third_party(self, module_name: str) -> Iterator[Node]:
        root = module_name.partition(".")[0]
        if root and root not in sys.stdlib_module_names and root not in self.sources.packages:
            yield "package", root, ()


def _target(target: Import, rest: Chain) -> Node:
    return "name", target.module, rest if target.name is None else (target.name, *rest)


def _symbol(node: Node) -> str:
    """Return the qualified name under which statements enter a closure."""
    kind, module, chain = node
    words = {"symbol": ".".join(chain), "fields": f"{'.'.join(chain)} (fields)", "import": "(on import)"}
    return f"{module}.{words[kind]}"


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
    looks: Looks


def _facts(module: Module, statement: ast.stmt, counted: Looks) -> _Facts:
    about = (id(statement), counted)
    if about not in module.facts:
        module.facts[about] = _found(module, statement, counted)
    known: _Facts = module.facts[about]
    return known


def _found(module: Module, statement: ast.stmt, counted: Looks) -> _Facts:
    mentions: set[Chain] = set()
    loads: list[tuple[str, bool]] = []
    has_imports = False
    text = [ast.dump(statement)]
    left: list[ast.AST] = [statement]
    while left:
        node = left.pop()
        chain = chain_of(node)
        if chain:
            mentions.add(chain)
            continue
        if isinstance(node, ast.Call) and node.args:
            loads += _imported_by_name(node)
        has_imports |= isinstance(node, ast.Import | ast.ImportFrom)
        aside = module.types.get(id(node), []) if counted.types else []
        aside = aside + module.messages.get(id(node), []) if counted.errors else aside
        text += [ast.dump(each) for each in aside]
        left += aside
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                left.append(value)
            elif isinstance(value, list):
                left += [each for each in value if isinstance(each, ast.AST)]
    imports, stars = imports_in(statement, module) if has_imports else ({}, [])
    whole = "".join(text)
    looks = looks_of(statement, whole, mentions, module.imports | imports)
    return _Facts(whole, imports, stars, sorted(mentions), loads, looks)


def _imported_by_name(call: ast.Call) -> Iterator[tuple[str, bool]]:
    """Yield the module name given to `import_module` or `__import__`, and whether it is the whole name."""
    argument = call.args[0]
    if (chain_of(call.func) or ("",))[-1] in ("import_module", "__import__"):
        first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, first is argument


def _without_defaults(statement: ast.ClassDef, module: Module) -> ast.ClassDef:
    if id(statement) not in module.bare:
        bare = module.bare[id(statement)] = copy(statement)
        bare.body = [_without_value(each, module) if isinstance(each, ast.AnnAssign) else each for each in bare.body]
    return module.bare[id(statement)]


def _without_value(assignment: ast.AnnAssign, module: Module) -> ast.AnnAssign:
    bare = copy(assignment)
    bare.value = None
    if id(assignment) in module.types:
        module.types[id(bare)] = module.types[id(assignment)]
    return bare
