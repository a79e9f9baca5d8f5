"""Captions and alternative texts with a result's numbers filled in, and the names those numbers have on pages."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from string import Formatter
from typing import Any

from experiments.core.errors import ReportError, did_you_mean
from experiments.core.quantities import Quantity
from experiments.core.quantity_words import power_of_ten
from site_builder.text.markup import escape_markdown
from site_builder.text.quantity_text import written


def quantities_of(result: Any) -> dict[str, Quantity]:
    """Return the quantities of a result by the path that pages use: "<field>" or "<field>.<field>"."""
    return {name: value for name, value in _named_values(result) if isinstance(value, Quantity)}


def fill(text: str, result: Any, where: str) -> str:
    """Put numbers into `{field}`, `{field.name}` or `{field:spec}`; raises ReportError for an unknown name.

    `text` is Markdown; a string of the result is data, and shown as it is.
    """
    names = dict(_named_values(result))
    try:
        return _Names(where).vformat(text, (), names)
    except (ValueError, IndexError, TypeError) as error:
        raise ReportError(f"{where} cannot be filled in ({error}); write a literal brace twice") from error


class _Names(Formatter):
    """Looks a whole dotted name up, so that names may hold any sign but `:`, `!`, `{` and `}`."""

    def __init__(self, where: str) -> None:
        self.where = where

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if field_name not in kwargs:
            hint = did_you_mean(field_name, kwargs) or "; use a quantity or a plain number of the result"
            raise ReportError(f"{self.where} names {field_name!r}, which the result does not have{hint}")
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Quantity):
            return written(value, format_spec)
        text = str(super().format_field(value, format_spec))
        return escape_markdown(text) if isinstance(value, str) else text


def _named_values(result: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every number and string of a result with its path, through nested dataclasses and dictionaries."""
    for field in dataclasses.fields(result):
        yield from _named(f"{prefix}{field.name}", getattr(result, field.name))


def _named(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Quantity | int | float | str):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _named(f"{name}.{key}", each)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from _named_values(value, f"{name}.")


def with_set_numbers(text: str) -> str:
    """Return the text with its numbers set as in print: "below −0.05" for "-0.05", "10⁻⁹" for "1e-09"."""
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)\b", _with_power, text)
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def _with_power(match: re.Match[str]) -> str:
    power = power_of_ten(int(match[2]))
    return power if float(match[1]) == 1 else f"{match[1]} × {power}"
