"""The rules of the architecture page, read from the code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted([*ROOT.glob("experiments/**/*.py"), *ROOT.glob("site_builder/**/*.py")])


def imported_modules(path: Path) -> set[str]:
    """Return the dotted names of all modules that the file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_experiments_never_import_the_site_builder():
    guilty = [
        path
        for path in MODULES
        if path.is_relative_to(ROOT / "experiments")
        and any(name.split(".")[0] == "site_builder" for name in imported_modules(path))
    ]
    assert guilty == []


@pytest.mark.parametrize("path", [p for p in MODULES if p.is_relative_to(ROOT / "experiments")], ids=str)
def test_an_experiment_imports_the_core_and_what_its_own_part_shares(path):
    part = path.relative_to(ROOT / "experiments").parts[0]
    allowed = ("experiments.core",) if part == "core" else ("experiments.core", f"experiments.{part}.shared")
    ours = {name for name in imported_modules(path) if name.split(".")[0] == "experiments"}
    foreign = {name for name in ours if not f"{name}.".startswith(tuple(f"{each}." for each in allowed))}
    assert foreign <= {"experiments"}


def test_only_the_command_line_prints():
    guilty = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES
        if path.name not in {"cli.py", "endings.py", "console.py", "guarded.py", "__main__.py"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "exit"}
    ]
    assert guilty == []


def test_every_module_says_what_it_is_for():
    assert [p for p in MODULES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))] == []
