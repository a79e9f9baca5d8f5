"""The names that numbers of a result will have, read off its declaration before anything runs."""

import dataclasses
import types
from collections.abc import Iterator
from string import Formatter
from typing import Any, Union, get_args, get_origin, get_type_hints

from experiments.core.contract import Experiment
from experiments.core.errors import did_you_mean
from experiments.core.quantities import Quantity
from site_builder.discovery.registry import result_type

SCALARS = (Quantity, int, float, str, bool)


def declared_names(experiment: Experiment, config: Any) -> dict[str, bool]:
    """Return the path of every number of the result ("numbers.error", "by_density.0.1.error") and if it is a Quantity.

    A dictionary without `keyed` names cannot be known beforehand and stands as "<field>.*".
    """
    return dict(_names(result_type(experiment), "", config))


def is_declared(name: str, names: dict[str, bool]) -> bool:
    """Return whether a path is among the declared names."""
    return name in names or any(each.endswith(".*") and name.startswith(each[:-1]) for each in names)


def unknown_names(text: str, names: dict[str, bool]) -> list[str]:
    """Return a sentence for every `{name}` in a caption or alternative text that the result will not have."""
    try:
        used = [name for _, name, _, _ in Formatter().parse(text) if name]
    except ValueError as error:
        return [f"cannot be filled in ({error}); write a literal brace twice"]
    return [
        f"names {name!r}, which the result does not have{did_you_mean(name, names)}"
        for name in used
        if not is_declared(name, names)
    ]


def _names(kind: type, prefix: str, config: Any) -> Iterator[tuple[str, bool]]:
    hints = get_type_hints(kind)
    for field in dataclasses.fields(kind):
        yield from _named(hints[field.name], f"{prefix}{field.name}", field.metadata.get("keys"), config)


def _named(hint: Any, name: str, keys: Any, config: Any) -> Iterator[tuple[str, bool]]:
    hint = _without_none(hint)
    if get_origin(hint) is dict:
        inner = get_args(hint)[1]
        for key in ["*"] if keys is None else keys(config):
            yield from [(f"{name}.*", True)] if key == "*" else _named(inner, f"{name}.{key}", None, config)
    elif isinstance(hint, type) and issubclass(hint, SCALARS):
        yield name, hint is Quantity
    elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield from _names(hint, f"{name}.", config)


def _without_none(hint: Any) -> Any:
    """Return the type of an optional value."""
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [each for each in get_args(hint) if each is not type(None)]
        return kinds[0] if len(kinds) == 1 else hint
    return hint
