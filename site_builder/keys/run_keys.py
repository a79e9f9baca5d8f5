"""When is a stored result still the result? Keys made of named parts, so that a difference can be told in words.

A run key holds all that can change what a run computes: the digest of every symbol of first-party code it
reaches, the configuration value by value, the versions of the packages that code imports on this class of device,
the minor version of Python, the class of device, the processor instructions in use and the digests of declared input
files. A draw key holds the drawing code
(style included, since drawing code imports it), the digest of the result, what the files say of themselves
and the versions of matplotlib and of what else the drawing code imports. Captions and alternative texts are
words beside the picture and belong to no key.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.core.contract import Experiment, FigureSpec
from experiments.core.errors import ReportError
from experiments.core.instructions import instructions
from site_builder.base.environment import python_minor, versions
from site_builder.discovery.registry import result_type
from site_builder.keys.closure import Closure, closure_of
from site_builder.keys.sources import Sources
from site_builder.store.codec import Arrays, encode
from site_builder.store.entries import sha256

ONLY_ON_GPU = frozenset({"triton"})
"""Packages that nothing imports on a machine without a GPU, whether or not they are installed there."""

NOT_IN_A_RUN = frozenset({"experiments.core.quantity_words"})
"""Modules that refuse to work during a run, so that no result depends on them."""


@dataclass(frozen=True)
class Key:
    """A key and its parts; `short` names folders."""

    parts: dict[str, str]

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.parts, sort_keys=True).encode()).hexdigest()

    @property
    def short(self) -> str:
        return self.digest[:12]


def run_key(sources: Sources, experiment: Experiment, config: Any, device: str, root: Path) -> Key:
    """Return the key of running `experiment` with `config` on a class of device; inputs are relative to `root`."""
    assert experiment.compute is not None  # the registry refuses an experiment without one
    closure = closure_of(
        sources,
        experiment.compute,
        typed=[result_type(experiment)],
        fields_of=type(config),
        without=NOT_IN_A_RUN,
    )
    parts = _code(closure) | _settings("config", config_values(config))
    parts |= {f"version {name}": version for name, version in versions(used_on(device, closure.packages)).items()}
    parts |= {f"input {path}": _input_digest(root / path) for path in inputs_of(experiment, root)}
    return Key(parts | {"python": python_minor(), "device": device, "instructions": instructions()})


def used_on(device: str, packages: set[str]) -> set[str]:
    """Return those of the packages which code reaches that are imported on a class of device."""
    return packages if device == "cuda" else packages - ONLY_ON_GPU


def inputs_of(experiment: Experiment, root: Path) -> list[Path]:
    """Return the declared input files relative to `root`, so that a key does not depend on where the project lies."""
    return [path.relative_to(root) if path.is_relative_to(root) else path for path in experiment.inputs]


def draw_parts(
    sources: Sources,
    spec: FigureSpec,
    writer: Callable[..., Any],
    view_writer: Callable[..., Any],
    about: dict[str, str],
) -> dict[str, str]:
    """Return the parts of a draw key that no result changes.

    `writer` and `view_writer` are the code that makes the files of a figure and of its view, `about` what the files say
    of themselves; a view counts where there is one.
    """
    functions = [spec.draw, writer] if spec.view is None else [spec.draw, writer, spec.view, view_writer]
    closure = closure_of(sources, *functions)
    parts = _code(closure) | {f"version {name}": found for name, found in versions(closure.packages).items()}
    return parts | {f"about {name}": value for name, value in about.items()} | {"python": python_minor()}


def draw_key(parts: dict[str, str], result_digest: str) -> Key:
    """Return the key of drawing a figure, whose `draw_parts` are given, from a result."""
    return Key(parts | {"result": result_digest})


def config_values(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration as plain values; raises ReportError for an array among them."""
    arrays: Arrays = {}
    values: dict[str, Any] = encode(config, type(config), "config", arrays, undefined=True)
    if arrays:
        raise ReportError(f"config.{min(arrays)} is an array, which no record could show; write a tuple of numbers")
    return values


def changes(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Return in words how the parts of two keys differ."""
    told = [f"{name} is new" for name in sorted(new.keys() - old.keys())]
    told += [f"{name} is gone" for name in sorted(old.keys() - new.keys())]
    for name in sorted(name for name in old.keys() & new.keys() if old[name] != new[name]):
        is_digest = name.startswith(("code ", "input ", "result"))
        told.append(f"{name} changed" if is_digest else f"{name}: {old[name]} -> {new[name]}")
    return told


def _code(closure: Closure) -> dict[str, str]:
    return {f"code {symbol}": digest[:16] for symbol, digest in closure.symbols.items()}


def _settings(name: str, value: Any) -> dict[str, str]:
    """Flatten nested settings to one part per value."""
    if isinstance(value, dict) and value:
        return {
            part: text
            for key, inner in value.items()
            for part, text in _settings(f"{name} {key}" if name == "config" else f"{name}.{key}", inner).items()
        }
    return {name: json.dumps(value, sort_keys=True)}


def _input_digest(path: Path) -> str:
    try:
        return sha256(path)[:16]
    except OSError as error:
        raise ReportError(f"its input {path} cannot be read ({error.strerror}); restore the file") from error
