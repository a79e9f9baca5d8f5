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
from collections.abc import Callable, Mapping
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every member of an archive, so that its bytes depend on the arrays alone."""

Arrays = dict[str, NDArray[Any]]

Encoder = Callable[[Any, str, Arrays, bool], Any]
"""Turns a value, its name in messages, a place for its arrays and whether it may be undefined into JSON values."""

Decoder = Callable[[Any, Mapping[str, NDArray[Any]]], Any]
"""Turns JSON values and arrays into a value."""


def encode(value: Any, hint: Any, where: str, arrays: Arrays, *, undefined: bool = False) -> Any:
    """Return `value` as JSON values, putting its arrays into `arrays`.

    `where` names the value in messages. A number that is not finite is refused unless `undefined`,
    which fields declared with `undefined(why)` switch on. Raises ReportError when `value` is not what
    `hint` says.
    """
    return _encoder(hint)(value, where, arrays, undefined)


def decode(data: Any, hint: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the value that `encode` turned into `data` and `arrays`."""
    return _decoder(hint)(data, arrays)


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


@cache
def _fields(record: Any) -> list[dataclasses.Field[Any]]:
    return [each for each in dataclasses.fields(record) if each.init]


@cache
def _decoder(hint: Any) -> Decoder:
    """Return what decodes values of a type: a report has tens of thousands of values of few types."""
    hint = _plain(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _decode_fields(hint)
    if hint is np.ndarray:
        return lambda data, arrays: arrays[data["array"]]
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _decode_union([_decoder(choice) for choice in choices if choice is not type(None)])
    if origin is dict:
        inner = _decoder(choices[1])
        return lambda data, arrays: {key: inner(value, arrays) for key, value in data.items()}
    if origin in (tuple, list):
        return _decode_sequence(origin, choices)
    if isinstance(hint, type) and issubclass(hint, enum.Enum | float | Path):
        return lambda data, arrays: hint(data)
    return lambda data, arrays: data


def _decode_fields(record: type) -> Decoder:
    decoders: dict[str, Decoder] = {}

    def decoded(data: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
        if not decoders:  # found when first needed, since a record may hold others of its kind
            decoders.update({each.name: _decoder(_hints(record)[each.name]) for each in _fields(record)})
        return record(**{name: decoder(data[name], arrays) for name, decoder in decoders.items()})

    return decoded


def _decode_union(options: list[Decoder]) -> Decoder:
    def decoded(data: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
        if data is None:
            return None
        if len(options) == 1:
            return options[0](data, arrays)
        return options[data["choice"]](data["value"], arrays)

    return decoded


def _decode_sequence(kind: type, choices: tuple[Any, ...]) -> Decoder:
    if kind is tuple and choices[-1] is not ...:
        each = [_decoder(choice) for choice in choices]
        return lambda data, arrays: kind(one(value, arrays) for value, one in zip(data, each, strict=True))
    inner = _decoder(choices[0])
    return lambda data, arrays: kind([inner(value, arrays) for value in data])


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


@cache
def _encoder(hint: Any) -> Encoder:
    """Return what encodes values of a type."""
    hint = _plain(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _encode_fields(hint)
    if hint is np.ndarray:
        return _encode_array
    origin, choices = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _encode_union(choices)
    if origin is dict or hint is dict:
        return _encode_dictionary(choices[1] if choices else Any)
    if origin in (tuple, list) or hint in (tuple, list):
        return _encode_sequence(origin or hint, choices)
    if origin is Literal:
        return _encode_literal(choices)
    return lambda value, where, arrays, undefined: _encode_scalar(value, hint, where, undefined)


def _encode_fields(record: type) -> Encoder:
    encoders: list[tuple[str, Encoder, bool]] = []

    def encoded(value: Any, where: str, arrays: Arrays, undefined: bool) -> dict[str, Any]:
        _expect(isinstance(value, record), value, f"a {record.__name__}", where)
        if not encoders:  # found when first needed, since a record may hold others of its kind
            hints = _hints(record)
            encoders.extend((e.name, _encoder(hints[e.name]), "undefined" in e.metadata) for e in _fields(record))
        return {
            name: encoder(getattr(value, name), f"{where}.{name}", arrays, undefined or declared)
            for name, encoder, declared in encoders
        }

    return encoded


def _encode_dictionary(inner: Any) -> Encoder:
    encoder = _encoder(inner)

    def encoded(value: Any, where: str, arrays: Arrays, undefined: bool) -> dict[str, Any]:
        _expect(isinstance(value, Mapping), value, "a dictionary", where)
        return {str(key): encoder(each, f"{where}.{key}", arrays, undefined) for key, each in value.items()}

    return encoded


def _encode_literal(choices: tuple[Any, ...]) -> Encoder:
    def encoded(value: Any, where: str, arrays: Arrays, undefined: bool) -> Any:
        _expect(value in choices, value, f"one of {choices}", where)
        return value

    return encoded


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


def _encode_union(choices: tuple[Any, ...]) -> Encoder:
    options = [_encoder(each) for each in choices if each is not type(None)]

    def encoded(value: Any, where: str, arrays: Arrays, undefined: bool) -> Any:
        if value is None:
            _expect(type(None) in choices, value, f"one of {choices}", where)
            return None
        if len(options) == 1:
            return options[0](value, where, arrays, undefined)
        for index, option in enumerate(options):
            try:
                return {"choice": index, "value": option(value, where, arrays, undefined)}
            except ReportError:
                continue
        return _encode_scalar(value, choices, where, undefined)

    return encoded


def _encode_sequence(kind: type, choices: tuple[Any, ...]) -> Encoder:
    inner = choices or (Any, ...)
    repeated = kind is list or inner[-1] is ...
    encoders = [_encoder(each) for each in inner if each is not ...]

    def encoded(value: Any, where: str, arrays: Arrays, undefined: bool) -> list[Any]:
        _expect(isinstance(value, kind), value, f"a {kind.__name__}", where)
        each = repeat(encoders[0], len(value)) if repeated else encoders
        _expect(repeated or len(encoders) == len(value), value, f"a tuple of {len(encoders)}", where)
        return [
            encoder(one, f"{where}.{index}", arrays, undefined)
            for index, (one, encoder) in enumerate(zip(value, each, strict=True))
        ]

    return encoded


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
