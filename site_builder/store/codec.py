"""Dataclasses to plain files and back: JSON for structure, npz for arrays, no pickles, equal bytes for equal values.

Type hints decide both ways, so a value that does not fit its declared type is refused when it is
written, with the field's name. Arrays appear in the JSON as `{"array": "<name in the npz>"}` and
numbers that JSON has no words for as "nan", "inf" and "-inf".
"""

import dataclasses
import enum
import io
import json
import math
import types
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every member of an archive, so that its bytes depend on the arrays alone."""

Arrays = dict[str, NDArray[Any]]


def encode(value: Any, hint: Any, where: str, arrays: Arrays, *, undefined: bool = False) -> Any:
    """Return `value` as JSON values, putting its arrays into `arrays`.

    `where` names the value in messages. A number that is not finite is refused unless `undefined`,
    which fields declared with `undefined(why)` switch on. Raises ReportError when `value` is not what
    `hint` says.
    """
    hint = _plain(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _encode_fields(value, hint, where, arrays, undefined)
    if hint is np.ndarray:
        return _encode_array(value, where, arrays, undefined)
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _encode_union(value, choices, where, arrays, undefined)
    if origin is dict or hint is dict:
        _expect(isinstance(value, Mapping), value, "a dictionary", where)
        inner = choices[1] if choices else Any
        return {str(k): encode(v, inner, f"{where}.{k}", arrays, undefined=undefined) for k, v in value.items()}
    if origin in (tuple, list) or hint in (tuple, list):
        return _encode_sequence(value, origin or hint, choices, where, arrays, undefined)
    if origin is Literal:
        _expect(value in choices, value, f"one of {choices}", where)
        return value
    return _encode_scalar(value, hint, where, undefined)


def decode(data: Any, hint: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the value that `encode` turned into `data` and `arrays`."""
    hint = _plain(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{each.name: decode(data[each.name], hints[each.name], arrays) for each in _fields(hint)})
    if hint is np.ndarray:
        return arrays[data["array"]]
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if data is None else _decode_union(data, [c for c in choices if c is not type(None)], arrays)
    if origin is dict:
        return {key: decode(value, choices[1], arrays) for key, value in data.items()}
    if origin in (tuple, list):
        inner = choices if origin is tuple and choices[-1] is not ... else (choices[0],) * len(data)
        return origin(decode(value, each, arrays) for value, each in zip(data, inner, strict=True))
    if isinstance(hint, type) and issubclass(hint, enum.Enum | float | Path):
        return hint(data)
    return data


def to_json(data: Any) -> str:
    """Return JSON with keys in their own order, which a figure or a claim may go by: loaded is as computed."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def npz_bytes(arrays: Arrays) -> bytes:
    """Return an npz archive of `arrays`; equal arrays give equal bytes.

    Members are written whole, since Python 3.11.4 changed the headers of those that are written piece by piece.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), member.getbuffer())
    return buffer.getvalue()


def read_npz(path: Path) -> Arrays:
    """Return all arrays of an npz archive, read-only: a result is shared by all who draw from it."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def record_to_json(record: Any) -> str:
    """Return a dataclass without arrays as canonical JSON."""
    return to_json(encode(record, type(record), type(record).__name__, {}, undefined=True))


def record_from_json(text: str, record: type) -> Any:
    """Return the dataclass that `record_to_json` wrote."""
    return decode(json.loads(text), record, {})


@cache
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record)


def _fields(record: Any) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(record) if each.init]


def _plain(hint: Any) -> Any:
    """Reduce `NDArray[...]` to `np.ndarray`, and drop `Annotated`."""
    if hasattr(hint, "__metadata__"):
        return _plain(hint.__origin__)
    return np.ndarray if get_origin(hint) is np.ndarray else hint


def _expect(fits: bool, value: Any, wanted: str, where: str) -> None:
    if not fits:
        raise ReportError(f"{where} should be {wanted} and is {_name_of(value)}; return the declared type")


def _name_of(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _encode_fields(value: Any, hint: type, where: str, arrays: Arrays, undefined: bool) -> dict[str, Any]:
    _expect(isinstance(value, hint), value, f"a {hint.__name__}", where)
    return {
        each.name: encode(
            getattr(value, each.name),
            _hints(hint)[each.name],
            f"{where}.{each.name}",
            arrays,
            undefined=undefined or "undefined" in each.metadata,
        )
        for each in _fields(hint)
    }


def _encode_array(value: Any, where: str, arrays: Arrays, undefined: bool) -> dict[str, str]:
    _expect(isinstance(value, np.ndarray), value, "a numpy array", where)
    if value.dtype.kind not in "biufcSU":
        raise ReportError(f"{where} is an array of {value.dtype}; only numbers, truth values and strings can be stored")
    if value.dtype.kind in "fc" and not undefined:
        wrong = int(np.count_nonzero(~np.isfinite(value)))
        if wrong:
            raise ReportError(f"{where} holds NaN or infinity in {wrong} of {value.size} entries; {UNDEFINED_HINT}")
    name = where.partition(".")[2] or where
    arrays[name] = value
    return {"array": name}


UNDEFINED_HINT = "mend the run, or declare the field with undefined(why) if that has a meaning"


def _encode_union(value: Any, choices: tuple[Any, ...], where: str, arrays: Arrays, undefined: bool) -> Any:
    if value is None:
        _expect(type(None) in choices, value, f"one of {choices}", where)
        return None
    options = [each for each in choices if each is not type(None)]
    if len(options) == 1:
        return encode(value, options[0], where, arrays, undefined=undefined)
    for index, option in enumerate(options):
        try:
            return {"choice": index, "value": encode(value, option, where, arrays, undefined=undefined)}
        except ReportError:
            continue
    return _encode_scalar(value, choices, where, undefined)


def _decode_union(data: Any, options: list[Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    if len(options) == 1:
        return decode(data, options[0], arrays)
    return decode(data["value"], options[data["choice"]], arrays)


def _encode_sequence(
    value: Any, kind: type, choices: tuple[Any, ...], where: str, arrays: Arrays, undefined: bool
) -> list[Any]:
    _expect(isinstance(value, kind), value, f"a {kind.__name__}", where)
    inner = choices or (Any, ...)
    if kind is list or inner[-1] is ...:
        inner = (inner[0],) * len(value)
    _expect(len(inner) == len(value), value, f"a tuple of {len(inner)}", where)
    return [
        encode(each, hint, f"{where}.{index}", arrays, undefined=undefined)
        for index, (each, hint) in enumerate(zip(value, inner, strict=True))
    ]


def _encode_scalar(value: Any, hint: Any, where: str, undefined: bool) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if hint is Any:
        hint = type(value) if isinstance(value, bool | int | float | str | dict | list | tuple) else None
        if hint in (dict, list, tuple) or value is None:
            return value if value is None else encode(value, hint, where, {}, undefined=undefined)
    if not isinstance(hint, type) or not issubclass(hint, bool | int | float | str | enum.Enum | Path):
        raise ReportError(
            f"{where} is declared as {hint}, which cannot be stored; use an array, a Quantity or a plain value"
        )
    fits = isinstance(value, int | float) if hint is float else isinstance(value, hint)
    _expect(fits and (hint is bool or not isinstance(value, bool)), value, f"a {hint.__name__}", where)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        if not undefined:
            raise ReportError(f"{where} is {value}; {UNDEFINED_HINT}")
        return str(value)
    return str(value) if isinstance(value, Path) else float(value) if hint is float else value
