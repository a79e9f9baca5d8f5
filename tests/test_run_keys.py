"""What an experiment executes is in its run key, and what only words is not: read off quick runs by a tracer."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

from experiments.core.threads import undisturbed
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import load
from site_builder.keys.sources import Sources
from site_builder.results.runs import config_of, key_of, sources_of
from tests.torture.tracer import executed, outside

ROOT = Path(__file__).parents[1]
QUICK = Options("quick")

TRAINED, PAIR, CODE, TIME, SPEED = EXPERIMENTS = (
    "phase_change.one_dimension",
    "correlation.one_pair",
    "linear_representation.nonlinear_code",
    "mixtures.forward_time",
    "speed.throughput",
)
"""Experiments that take seconds at the scale quick: they train models, find optima, build codes, read measurements."""


@pytest.fixture(scope="module")
def sources():
    return sources_of(Project(ROOT))


@pytest.fixture(scope="module")
def ran():
    """What the quick run of each experiment executes."""

    def of(id):
        experiment = load(f"experiments.{id}", id)
        config = config_of(experiment, QUICK)
        with undisturbed():
            return executed(lambda: experiment.compute(config, "cpu"), ROOT / "experiments")

    return {id: of(id) for id in EXPERIMENTS}


def key(sources, id):
    return key_of(Project(ROOT), sources, load(f"experiments.{id}", id), QUICK)


@pytest.mark.parametrize("id", EXPERIMENTS)
def test_every_function_that_a_run_executes_is_in_its_key(sources, ran, id):
    symbols = {name.removeprefix("code ") for name in key(sources, id).parts if name.startswith("code ")}
    assert len(ran[id]) >= 3, "the tracer saw the run"
    assert outside(ran[id], symbols, ROOT) == []


@dataclass(frozen=True)
class Mutation:
    """A change of one file below experiments/, and which experiments it must run again.

    What an error would say may stand in a function that executes (`is_said`).
    """

    file: str
    old: str
    new: str
    reruns: frozenset[str] = frozenset()
    is_said: bool = False


def mutation(file, old, new, *reruns, is_said=False):
    return pytest.param(Mutation(file, old, new, frozenset(reruns), is_said), id=f"{file}: {new}")


MUTATIONS = [
    # how numbers are written
    mutation("core/quantity_words.py", "digits - 1", "digits - 0"),
    mutation("core/quantity_words.py", "{places}f", "{places}g"),
    # what errors say
    mutation("core/errors.py", "cutoff=0.5", "cutoff=0.6"),
    mutation("core/training/divergence.py", "LISTED = 3", "LISTED = 4"),
    mutation("core/training/divergence.py", "models diverged (", "models went astray ("),
    mutation("core/training/checks.py", "a model needs at least 1", "a model needs one", is_said=True),
    # types
    mutation("core/training/specification.py", 'Start = Literal["xavier",', 'Start = Literal["other", "xavier",'),
    mutation("core/training/reference.py", "Parameters = dict[str, Tensor]", "Parameters = dict[str, object]"),
    mutation("core/training/specification.py", "hidden: int", "hidden: int | None"),
    # names of files and of progress, where compiled kernels lie
    mutation("core/compiled.py", "hexdigest()[:16]", "hexdigest()[:20]"),
    # criteria, captions and claims
    mutation("core/conditions.py", "import", "import sys\nimport"),
    # what is computed
    mutation("core/training/checks.py", "if size < 1", "if size < 2", TRAINED),
    mutation("core/training/cpu_kernel.py", "def adam(", "def adam(extra, ", TRAINED),
    mutation("core/training/seeds.py", "0xBF58476D1CE4E5B9", "0xBF58476D1CE4E5B7", TRAINED),
    mutation("core/quantities.py", "CONFIDENCE = 0.95", "CONFIDENCE = 0.9", TRAINED, TIME, SPEED),
    mutation("correlation/one_pair.py", "+ 0.5) / count", "+ 0.4) / count", PAIR),
]


class Edited(Sources):
    """Sources of which one module is read from another file."""

    def __init__(self, before, module, file):
        super().__init__(before.roots)
        self._modules = {name: found for name, found in before._modules.items() if name != module}
        self.module_name, self.file = module, file

    def path(self, name):
        return self.file if name == self.module_name else super().path(name)


@pytest.mark.parametrize("change", MUTATIONS)
def test_a_change_runs_again_what_computes_with_it_and_nothing_else(sources, ran, tmp_path, change):
    original = ROOT / "experiments" / change.file
    text = original.read_text("utf-8")
    assert change.old in text
    edited = tmp_path / original.name
    edited.write_text(text.replace(change.old, change.new, 1), "utf-8")
    module = ".".join(("experiments", *Path(change.file).with_suffix("").parts))
    after = Edited(sources, module, edited)
    rerun = {id for id in EXPERIMENTS if key(after, id) != key(sources, id)}
    assert rerun == change.reruns

    line = text[: text.index(change.old)].count("\n") + 1
    executing = {
        id for id in EXPERIMENTS for first in _functions_at(text, line) if (original, first) in _places(ran[id])
    }
    if original.name != "compiled.py" and not change.is_said:
        assert executing <= rerun, "an independent tracer saw these execute the changed function"


def _functions_at(text, line):
    """Return the first lines of the functions around a line."""
    return {
        min([node.lineno, *(each.lineno for each in node.decorator_list)])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= node.end_lineno
    }


def _places(seen):
    return {(file, first) for file, first, _ in seen}
