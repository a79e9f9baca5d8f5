"""Which first-party code a run executes, seen by the interpreter: a check of run keys that shares no code with them.

Compiled kernels run out of sight; the Python function that calls one, and its compilation, are seen.
"""

import ast
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from site_builder.keys.closure import CHANGES_NO_NUMBER

Executed = set[tuple[Path, int, str]]
"""File, first line and name of each function that was called."""


def executed(call: Callable[[], Any], root: Path) -> Executed:
    """Return every function defined below `root` that ran while `call` did, in any thread."""
    seen: set[CodeType] = set()

    def listen(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.add(frame.f_code)

    threading.setprofile(listen)
    sys.setprofile(listen)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    inside = str(root.resolve())
    return {
        (Path(code.co_filename), code.co_firstlineno, code.co_name)
        for code in seen
        if code.co_filename.startswith(inside) and code.co_name != "<module>"
    }


def outside(ran: Executed, symbols: set[str], root: Path) -> list[str]:
    """Return what ran below `root` and is no part of `symbols` ("experiments.core.metrics.share"), in words."""
    wrong = []
    for file, line, name in sorted(ran):
        module = ".".join(file.relative_to(root.resolve()).with_suffix("").parts).removesuffix(".__init__")
        if module in CHANGES_NO_NUMBER:
            continue
        owners = _owners(file, line)
        known = {f"{module}.{owner}{ending}" for owner in owners for ending in ("", " (fields)")}
        if not known & symbols:
            wrong.append(f"{module}:{line} {name}")
    return wrong


def _owners(file: Path, line: int) -> set[str]:
    """Return the names that the top-level statement around a line defines."""
    names: set[str] = set()
    for statement in ast.parse(file.read_text("utf-8")).body:
        decorators = [each.lineno for each in getattr(statement, "decorator_list", [])]
        if not min([statement.lineno, *decorators]) <= line <= (statement.end_lineno or statement.lineno):
            continue
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(statement.name)
        names |= {
            each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    return names
