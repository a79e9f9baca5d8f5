"""What can be known to be wrong with pages before they are rendered: names, formats, numbers, formulas."""

import re
from collections.abc import Collection, Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError, did_you_mean
from site_builder.base.project import file_of
from site_builder.discovery.registry import Registry, stem
from site_builder.pages import page_files as pages
from site_builder.pages.answers import apart
from site_builder.pages.declared import declared_names, is_declared, unknown_names
from site_builder.pages.macros import Macros, absent_reason, dormant_reason
from site_builder.pages.page_files import Call, Page
from site_builder.pages.statements import Part, load
from site_builder.store.records import Problem, Report
from site_builder.text.math_extension import DISPLAY, INLINE, mathml
from site_builder.text.typed_numbers import prose, typed_numbers


def undeclared(registry: Registry, scale: str, docs: Path) -> list[Problem]:
    """Return every name in captions, alternative texts and pages that no experiment declares, and every macro that is
    called wrongly; nothing needs to run.

    Where an experiment cannot be read, its names cannot be known, and what names it is left to the check after a run.
    """
    numbers = {stem(each.id): declared_names(each, each.at(scale)) for each in registry.experiments.values()}
    problems = [
        Problem(file_of(experiment.id), f"figure {spec.id!r}: its {what} {sentence}")
        for experiment, spec in registry.figures.values()
        for what, text in (("caption", spec.caption), ("alternative text", spec.alt))
        for sentence in unknown_names(text, numbers[stem(experiment.id)])
    ]
    problems += _undeclared_in_answers(registry, numbers, docs / "statements.toml")
    env = pages.environment()
    for page in pages.read(docs, pages.nav(docs.parent / "mkdocs.yml")):
        made = pages.calls(page, env)
        problems += _unknown_macros(page)
        for call in made:
            sentence = misused(call) or _undeclared(call, registry, numbers)
            problems += [Problem(f"{page.where}:{call.line}", sentence)] if sentence else []
    return problems


def misused(call: Call) -> str | None:
    """Return how the arguments of a macro do not fit what it takes, in one sentence, or None."""
    macro = getattr(Macros, call.macro, None)
    if macro is None:
        return None  # told as an unknown name
    takes = list(signature(macro).parameters.values())[1:]
    try:
        given = signature(macro).bind(None, *call.arguments, **dict(call.named)).arguments
    except TypeError as error:
        return f"{_usage(call.macro, takes)} is called with other arguments: {error}"
    for each in takes:
        value = given.get(each.name)
        for one in value if each.kind is Parameter.VAR_POSITIONAL and value else [value]:
            if one is not None and not isinstance(one, each.annotation):
                return f"{_usage(call.macro, takes)} wants {each.name} as {_KINDS[each.annotation]}, not {one!r}"
    if call.macro == "given" and given["why"] is not None and not given["why"].strip():
        return f"{_usage(call.macro, takes)} wants to know where the value comes from"
    return None


_KINDS = {str: "text in quotes", bool: "true or false"}


def _usage(macro: str, takes: list[Parameter]) -> str:
    names = [f"*{each.name}" if each.kind is Parameter.VAR_POSITIONAL else each.name for each in takes]
    return f"{macro}({', '.join(names)})"


def _undeclared(call: Call, registry: Registry, numbers: dict[str, dict[str, bool]]) -> str | None:
    """Return what is wrong with a number, figure or claim that a page names, in one sentence, or None."""
    known: dict[str, tuple[str, Collection[str]]] = {
        "figure": ("figure", registry.figures),
        "ref": ("figure", registry.figures),
        "gallery": ("figure", registry.figures),
        "claim": ("claim", registry.claims),
        "verdict": ("claim", registry.claims),
        "findings": ("claim", registry.claims),
    }
    several = call.macro in ("gallery", "findings")
    names = [name for name in call.arguments[: None if several else 1] if isinstance(name, str)]
    unreadable = {*registry.unreadable, *registry.dormant}
    if call.macro == "q" and names:
        return _undeclared_number(names[0], unreadable, numbers)
    if call.macro in known:
        what, there = known[call.macro]
        for name in names:
            if name not in there and name not in unreadable:
                return f"no {what} is named {name!r}{did_you_mean(name, there)}"
    return None


def _undeclared_number(name: str, unreadable: Collection[str], numbers: dict[str, dict[str, bool]]) -> str | None:
    file, _, path = name.partition(".")
    if file in unreadable or (file in numbers and is_declared(path, numbers[file])):
        return None
    everything = [f"{each}.{inner}" for each, names in numbers.items() for inner in names]
    return f"no number is named {name!r}{did_you_mean(name, everything)}"


def _undeclared_in_answers(registry: Registry, numbers: dict[str, dict[str, bool]], path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the answers to statements: names that nothing declares, and numbers typed."""
    unreadable = {*registry.unreadable, *registry.dormant}
    try:
        statements = [statement for part in load(path) for statement in part.statements]
    except ReportError as error:
        yield Problem("docs/statements.toml", str(error))
        return
    for statement in statements:
        said = [
            f"is decided by {id!r}, which is no claim{did_you_mean(id, registry.claims)}"
            for id in statement.decided_by
            if id not in registry.claims and id not in unreadable
        ]
        for text in statement.sentences:
            marked, quoted = apart(text)
            said += [f"types the number {typed.text}; quote a result instead" for typed in typed_numbers(marked)]
            said += [wrong for name, _ in quoted if (wrong := _undeclared_number(name, unreadable, numbers))]
        yield from (Problem("docs/statements.toml", f"the answer to {statement.id}: {each}") for each in said)


EXPRESSIONS = ("q", "ref", "verdict", "parameters")
"""Macros whose name may be computed; the others decide numbers and pages, which must be known before rendering."""


def check(
    report: Report,
    written: list[Page],
    calls: dict[Page, list[Call]],
    parts: tuple[Part, ...],
    right: Collection[str] = (),
    *,
    draft: bool,
) -> list[Problem]:
    """Return everything that can be known to be wrong before a page is rendered; `right` pages have nothing wrong."""
    problems = _missing_statements(parts, calls, {page.name for page in written})
    problems += _wrong_answers(report, parts, draft=draft)
    for page, made in ((page, made) for page, made in calls.items() if page.name not in right):
        problems += _unknown_macros(page)
        for call in made:
            sentence = _wrong(call, report, parts, draft=draft)
            problems += [Problem(f"{page.where}:{call.line}", sentence)] if sentence else []
        problems += [
            Problem(
                f"{page.where}:{number.line}",
                f"the number {number.text} is typed into prose; quote a result with q(), or a value of the set-up "
                "with given()",
            )
            for number in typed_numbers(page.text)
        ]
        problems += _wrong_formulas(page)
    return problems


def _unknown_macros(page: Page) -> list[Problem]:
    known = {name for name in vars(Macros) if not name.startswith("_") and name != "all"}
    return [
        Problem(f"{page.where}:{line}", f"no macro is named {name!r}{did_you_mean(name, known)}")
        for name, line in pages.names(page, pages.environment())
        if name not in known
    ]


def _wrong(call: Call, report: Report, parts: tuple[Part, ...], *, draft: bool) -> str | None:
    """Return what is wrong with a macro's arguments, in one sentence, or None."""
    known: dict[str, tuple[str, Any]] = {
        "figure": ("figure", report.figures),
        "ref": ("figure", report.figures),
        "gallery": ("figure", report.figures),
        "claim": ("claim", report.claims),
        "verdict": ("claim", report.claims),
        "findings": ("claim", report.claims),
        "q": ("number", report.quantities),
        "answers": ("part", [part.id for part in parts]),
        "statement": ("statement", [statement.id for part in parts for statement in part.statements]),
        "parameters": ("experiment", [*report.runs, *(id.rsplit(".", 1)[-1] for id in report.runs)]),
    }
    if call.macro not in known:
        return None
    what, there = known[call.macro]
    several = call.macro in ("gallery", "findings", "answers")
    if not call.arguments and not several:
        return f"{call.macro}() wants the name of a {what} in quotes"
    for name in call.arguments if several else call.arguments[:1]:
        if name is None and call.macro in EXPRESSIONS:
            continue  # looked up when the page is rendered
        if not isinstance(name, str):
            return f"{call.macro}() wants the name of a {what} in quotes, not an expression"
        if dormant_reason(report, name) is not None:
            continue  # shown only if `measured()`; the page decides
        reason = absent_reason(report, name)
        if name not in there and reason is None:
            return f"no {what} is named {name!r}{did_you_mean(name, there)}"
        if name not in there and not draft:
            return f"the {what} {name!r} has no result in this build ({reason})"
    return _wrong_format(call, report) if call.macro == "q" else None


def _wrong_format(call: Call, report: Report) -> str | None:
    name, spec = call.arguments[0], call.arguments[1] if len(call.arguments) > 1 else ""
    if name not in report.quantities or not isinstance(spec, str):
        return None
    try:
        format(report.quantities[name], spec)
    except (ValueError, TypeError) as error:
        return f"q({name!r}, {spec!r}) cannot be written ({error})"
    return None


def _missing_statements(parts: tuple[Part, ...], calls: dict[Page, list[Call]], names: set[str]) -> list[Problem]:
    shown = {
        call.arguments[0] for made in calls.values() for call in made if call.macro == "statement" and call.arguments
    }
    no_page = [
        Problem("docs/statements.toml", f"part {part.id} names the page {page!r}, which is not there")
        for part in parts
        for page in part.pages
        if page not in names
    ]
    return no_page + [
        Problem(
            f"docs/{part.pages[0]}",
            f'statement {statement.id} stands on no page; show it with statement("{statement.id}")',
        )
        for part in parts
        for statement in part.measured
        if statement.id not in shown
    ]


def _wrong_answers(report: Report, parts: tuple[Part, ...], *, draft: bool) -> Iterator[Problem]:
    for statement in (each for part in parts for each in part.measured):
        for text in statement.sentences:
            for name, spec in apart(text)[1]:
                sentence = _wrong(Call("q", (name, spec), 0), report, parts, draft=draft)
                if sentence:
                    yield Problem("docs/statements.toml", f"the answer to {statement.id}: {sentence}")


def _wrong_formulas(page: Page) -> list[Problem]:
    problems = []
    text = prose(page.text)
    for pattern, flags in ((DISPLAY, re.DOTALL), (INLINE, 0)):
        for found in re.finditer(pattern, text, flags):
            try:
                mathml(found[1], display=pattern is DISPLAY)
            except ReportError as error:
                line = text.count("\n", 0, found.start()) + 1
                problems.append(Problem(f"{page.where}:{line}", str(error)))
        text = re.sub(pattern, lambda formula: "\n" * formula[0].count("\n"), text, flags=flags)
    return problems
