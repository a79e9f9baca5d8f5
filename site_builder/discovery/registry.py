"""Finds experiments by listing `experiments/<part>/*.py`, and says in one sentence what is wrong with a broken one."""

import dataclasses
import importlib
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_type_hints

from experiments.core.contract import ClaimSpec, Experiment, FigureSpec
from experiments.core.criteria import Criterion
from experiments.core.errors import ReportError, did_you_mean
from site_builder.base import guarded, interruptions
from site_builder.base.options import WrongOption
from site_builder.base.project import file_of
from site_builder.discovery.process_state import process_state, restored
from site_builder.store.records import Problem

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

_REGISTERED = re.compile(r"@experiment\.(?:figure|claim)\(\s*[\"']([^\"']+)[\"']")


@dataclass
class Registry:
    """All sound experiments by id ("first_runs.starfish"), and what is wrong with the others.

    `unreadable` maps what pages may call of a broken experiment to the reason why it is not there, `dormant` does so
    for experiments that have nothing to run.
    """

    experiments: dict[str, Experiment] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    broken: dict[str, Problem] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    dormant: dict[str, str] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, tuple[Experiment, FigureSpec]]:
        return {
            spec.id: (experiment, spec)
            for experiment in self.experiments.values()
            for spec in experiment.figures.values()
        }

    @property
    def claims(self) -> dict[str, tuple[Experiment, ClaimSpec]]:
        return {
            spec.id: (experiment, spec)
            for experiment in self.experiments.values()
            for spec in experiment.claims.values()
        }

    def select(self, pattern: str | None) -> list[Experiment]:
        """Return the experiments that `pattern` names: an id, a file stem, a part, or a glob over ids; None is all."""
        if not pattern:
            return list(self.experiments.values())
        chosen = [each for each in self.experiments.values() if _matches(each.id, pattern)]
        if chosen:
            return chosen
        if any(_matches(each, pattern) for each in self.broken):
            return []
        if stem(pattern) in self.dormant:
            raise WrongOption(f"ONLY: {pattern!r} has nothing to run: {self.dormant[stem(pattern)]}")
        known = [name for each in self.experiments for name in (each, stem(each))]
        raise WrongOption(f"ONLY: no experiment is called {pattern!r}{did_you_mean(pattern, known) or _listing(known)}")


def _listing(known: list[str]) -> str:
    return "; `python -m site_builder list` shows all" if known else "; experiments/ holds none"


def _matches(id: str, pattern: str) -> bool:
    return fnmatchcase(id, pattern) or fnmatchcase(stem(id), pattern) or id.startswith(f"{pattern}.")


def stem(id: str) -> str:
    """Return the file stem of an experiment's id, the first part of its quantities' names."""
    return id.rpartition(".")[2]


def discover(folder: Path) -> Registry:
    """Import and check every experiment file below `folder` (the `experiments` package).

    Where two files want one name, the one that was published or ran here before the other keeps it.
    """
    registry = Registry()
    for path in sorted(experiment_files(folder), key=lambda path: _newness(folder, path)):
        id = f"{path.parent.name}.{path.stem}"
        where = f"experiments/{path.parent.name}/{path.name}"
        try:
            with guarded.at(f"importing {where}"):
                experiment = load(f"experiments.{id}", where)
            _refuse_duplicates(registry, experiment, where)
        except ReportError as error:
            problem = Problem(where, str(error))
            registry.broken[id] = problem
            registry.problems.append(problem)
            registry.unreadable |= dict.fromkeys([stem(id), *_names_in(path)], f"{where}: {error}")
        else:
            if experiment.dormant:
                names = [stem(id), *experiment.figures, *experiment.claims]
                registry.dormant |= dict.fromkeys(names, experiment.dormant)
            else:
                registry.experiments[id] = experiment
    registry.experiments = dict(sorted(registry.experiments.items()))
    registry.problems += _unknown_figures(registry)
    return registry


def _newness(folder: Path, path: Path) -> int:
    """Return 0 for an experiment that was published, 1 for one that ran here, 2 for a new one."""
    id = f"{path.parent.name}.{path.stem}"
    if (folder / "published" / f"{id}.json").is_file():
        return 0
    return 1 if (folder.parent / "build" / "results" / id).is_dir() else 2


def experiment_files(folder: Path) -> list[Path]:
    """Return the experiment files below `folder`, by part and name."""
    return sorted(
        path
        for path in folder.glob("*/*.py")
        if path.parent.name != "core" and not path.name.startswith("_") and not path.parent.name.startswith((".", "_"))
    )


def _names_in(path: Path) -> list[str]:
    """Return the ids of figures and claims that a file registers, read off its text, for it cannot be imported."""
    return _REGISTERED.findall(path.read_text("utf-8", errors="replace"))


def load(module: str, where: str) -> Experiment:
    """Import one experiment; raises ReportError when it fails, lacks something or changes the process for others."""
    before = process_state()
    try:
        experiment = getattr(importlib.import_module(module), "experiment", None)
    except ReportError:
        raise
    except SyntaxError as error:
        raise ReportError(f"line {error.lineno}: {error.msg}; mend the syntax and run again") from error
    except BaseException as error:
        if interruptions.heard():
            raise
        line = traceback.extract_tb(error.__traceback__)[-1]
        words = " ".join(f"{type(error).__name__}: {error}".split())
        raise ReportError(f"importing it raised {words} ({Path(line.filename).name}, line {line.lineno})") from error
    finally:
        changed = restored(before)
    if changed:
        del sys.modules[module]  # what it did is not done a second time when it is already imported
        raise ReportError(f"importing it changes {' and '.join(changed)} for every experiment; do that inside `run`")
    if not isinstance(experiment, Experiment):
        raise ReportError("it must define `experiment = Experiment(__name__, ...)`; add that or move the file")
    if experiment.module != module:
        raise ReportError(f"its experiment is registered as {experiment.module!r}; pass `__name__` to Experiment")
    _check_configurations(experiment)
    _check_functions(experiment)
    _check_slugs(experiment)
    return experiment


def result_type(experiment: Experiment) -> type:
    """Return the class that `run` is declared to return."""
    return _result_type(experiment.compute)


def _result_type(compute: Callable[..., Any] | None) -> type:
    kind = get_type_hints(compute).get("return") if compute else None
    if not (isinstance(kind, type) and _is_frozen_dataclass(kind)):
        raise ReportError("run must be annotated with what it returns; write `-> Result`, a frozen dataclass")
    return kind


def _is_frozen_dataclass(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) and bool(getattr(kind, "__dataclass_params__").frozen)  # noqa: B009


def _check_configurations(experiment: Experiment) -> None:
    kind = type(experiment.config)
    if not _is_frozen_dataclass(kind):
        raise ReportError("config must be a frozen dataclass; write `@dataclass(frozen=True) class Config`")
    if not isinstance(getattr(experiment.config, "seed", None), int):
        raise ReportError("config must have an integer field `seed`; add one, so that every draw can be repeated")
    for name in ("quick", "large"):
        other = getattr(experiment, name)
        if not isinstance(other, kind) and not (name == "large" and other is None):
            raise ReportError(f"the {name} configuration must be a {kind.__name__}, use one class for all scales")


def _check_functions(experiment: Experiment) -> None:
    if experiment.compute is None:
        raise ReportError("it needs a run; decorate `run(config, device) -> Result` with @experiment.run")
    try:
        _result_type(experiment.compute)
    except NameError as error:
        raise ReportError(f"the annotations of its run cannot be read ({error}); define Result above run") from error
    for claim in experiment.claims.values():
        if not isinstance(claim.criterion, Criterion):
            raise ReportError(
                f"claim {claim.id!r} needs a criterion such as above(0.5); see experiments/core/criteria.py"
            )
    if not experiment.figures and not experiment.claims:
        raise ReportError("it needs a figure or a claim; add one with @experiment.figure or @experiment.claim")


def _check_slugs(experiment: Experiment) -> None:
    for id in (*experiment.figures, *experiment.claims):
        if not SLUG.fullmatch(id):
            raise ReportError(f"{id!r} must be a slug: small letters, digits and hyphens, as in 'starfish-census'")


def _refuse_duplicates(registry: Registry, new: Experiment, where: str) -> None:
    for other in registry.experiments.values():
        there = file_of(other.id)
        if stem(other.id) == stem(new.id):
            raise ReportError(f"{there} has the same file name, which pages use to quote numbers; rename one")
        for kind, mine, theirs in (("figure", new.figures, other.figures), ("claim", new.claims, other.claims)):
            for id in mine.keys() & theirs.keys():
                raise ReportError(f"the {kind} id {id!r} is taken by {there}; rename the newer one")


def _unknown_figures(registry: Registry) -> Iterable[Problem]:
    """Yield a problem for every claim that rests on a figure nobody draws."""
    if registry.broken:  # the figure may be in a file that could not be read
        return
    known = registry.figures
    for experiment, claim in registry.claims.values():
        for figure in claim.figures:
            if figure not in known and figure not in registry.dormant:
                where = file_of(experiment.id)
                hint = did_you_mean(figure, known) or "; define it or remove it from the claim"
                yield Problem(
                    where, f"claim {claim.id!r} rests on the figure {figure!r}, which no experiment draws{hint}"
                )
