"""Code is changed where a run executes it; its key must change, and an independent tracer says what is executed."""

import ast
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from experiments.core.threads import undisturbed
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import load
from site_builder.keys.closure import CHANGES_NO_NUMBER
from site_builder.keys.sources import Sources
from site_builder.results.runs import config_of, key_of
from tests.torture.tracer import Executed, executed

QUICK = Options("quick")

EXPERIMENTS = (
    "correlation.one_pair",
    "linear_representation.nonlinear_code",
    "mixtures.forward_time",
    "speed.throughput",
)
"""Experiments that take a second or two at the scale quick."""


def mutations(root: Path, folder: Path, rng: random.Random) -> Iterator[str]:
    """A constant or an operator is changed in a function that a run executed: does the run's key change?"""
    tree = folder / "mutated"
    shutil.copytree(
        root / "experiments", tree / "experiments", ignore=shutil.ignore_patterns("published", "__pycache__")
    )
    ran = {id: _executed(id, root) for id in EXPERIMENTS}
    sources = Sources([tree])
    keys = {id: _key(id, tree, sources) for id in EXPERIMENTS}
    while True:
        id = rng.choice(EXPERIMENTS)
        file, line, name = rng.choice(sorted(ran[id]))
        copy = tree / file.relative_to(root)
        text = copy.read_text("utf-8")
        changed = _changed(text, line, rng)
        if changed is None:
            continue
        copy.write_text(changed, "utf-8")
        module = ".".join(file.relative_to(root).with_suffix("").parts)
        same = _key(id, tree, _Changed(sources, module)) == keys[id]
        copy.write_text(text, "utf-8")
        yield f"{id} keeps its key although {name} in {file.name} changed" if same else ""


def _executed(id: str, root: Path) -> Executed:
    experiment = load(f"experiments.{id}", id)
    compute, config = experiment.compute, config_of(experiment, QUICK)
    assert compute is not None
    neutral = {root.joinpath(*name.split(".")).with_suffix(".py") for name in CHANGES_NO_NUMBER}
    with undisturbed():
        ran = executed(lambda: compute(config, "cpu"), root / "experiments")
    return {each for each in ran if each[0] not in neutral}


class _Changed(Sources):
    """Sources of which one module is read again: reading all takes a second."""

    def __init__(self, before: Sources, changed: str) -> None:
        super().__init__(before.roots)
        self._modules = {name: module for name, module in before._modules.items() if name != changed}


def _key(id: str, tree: Path, sources: Sources) -> str:
    return key_of(Project(tree), sources, load(f"experiments.{id}", id), QUICK).digest


def _changed(text: str, line: int, rng: random.Random) -> str | None:
    """Return the file with a statement added to the function that begins on a line, or None if there is none."""
    tree = ast.parse(text)
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and _first(each) == line]
    if not functions:
        return None
    numbers = [each for each in ast.walk(functions[0]) if isinstance(each, ast.Constant) and type(each.value) is int]
    inside = [each for each in numbers if each.lineno > functions[0].lineno]
    if inside:
        rng.choice(inside).value += 1  # type: ignore[operator]
    else:
        functions[0].body.insert(0, ast.parse("assert 1 + 1 == 2").body[0])
    return ast.unparse(ast.fix_missing_locations(tree))


def _first(function: ast.FunctionDef) -> int:
    return min([function.lineno, *(each.lineno for each in function.decorator_list)])
