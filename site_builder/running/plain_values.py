"""Plain values to bytes and back, for the pieces that travel between workers: no pickles, and a digest in front.

What can travel are numbers, words, arrays, tuples, lists, dictionaries by words, and dataclasses of the experiments
made of such. Arrays keep their type and memory order, which decides how products round. An object that is there twice
travels once.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError

LARGEST = 1 << 28
"""Bytes of what travels at once; a larger thing is done where it is."""

HOME = "experiments."
"""Where the dataclasses and functions lie that may be named."""

STRUCTURE = "value.json"


class NotPlain(ReportError):
    """Something that cannot travel."""


class Damaged(ReportError):
    """Bytes that are not what was sent."""


def packed(value: Any) -> bytes:
    """Return `value` as bytes; raises NotPlain."""
    packing = _Packing()
    structure = packing.plain(value)
    if sum(each.nbytes for each in packing.arrays) > LARGEST:
        raise NotPlain(f"arrays of more than {LARGEST >> 20} MB do not travel")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(STRUCTURE, json.dumps({"value": structure, "objects": packing.objects}))
        for number, array in enumerate(packing.arrays):
            with archive.open(f"{number}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    content = stream.getvalue()
    return hashlib.sha256(content).digest() + content


def unpacked(sent: bytes) -> Any:
    """Return what `packed` made bytes of; raises Damaged."""
    digest, content = sent[:32], sent[32:]
    if hashlib.sha256(content).digest() != digest:
        raise Damaged("what came does not have its digest")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = json.loads(archive.read(STRUCTURE))
        arrays = [
            np.lib.format.read_array(io.BytesIO(archive.read(f"{number}.npy")), allow_pickle=False)
            for number in range(len(archive.namelist()) - 1)
        ]
    return _Unpacking(arrays, found["objects"]).value(found["value"])


def name_of(definition: Any) -> str:
    """Return the name of a function or class of the experiments; raises NotPlain for any other."""
    module, name = getattr(definition, "__module__", ""), getattr(definition, "__qualname__", "")
    if not module.startswith(HOME) or not name.isidentifier():
        raise NotPlain(f"{name or definition!r} of {module or 'nowhere'} is no definition of the experiments")
    return f"{module}:{name}"


def named(name: str) -> Callable[..., Any]:
    """Return the function or class with that name."""
    module, _, own = name.partition(":")
    if not module.startswith(HOME):
        raise Damaged(f"{name} is no definition of the experiments")
    found: Callable[..., Any] = getattr(import_module(module), own)
    return found


class _Packing:
    """Takes arrays and dataclasses aside, each once."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[Any]] = []
        self.objects: list[dict[str, Any]] = []
        self.seen: dict[int, tuple[Any, dict[str, int]]] = {}

    def plain(self, value: Any) -> Any:
        """Return `value` in words of JSON."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return {"float": value.hex()}
        if type(value) in (tuple, list):
            return {type(value).__name__: [self.plain(each) for each in value]}
        if type(value) is dict and all(type(key) is str for key in value):
            return {"dict": {key: self.plain(each) for key, each in value.items()}}
        if id(value) not in self.seen:
            self.seen[id(value)] = value, self._taken(value)
        return self.seen[id(value)][1]

    def _taken(self, value: Any) -> dict[str, int]:
        if type(value) is np.ndarray or isinstance(value, np.generic):
            array = np.asarray(value)
            if array.dtype.hasobject:
                raise NotPlain("an array of objects does not travel")
            self.arrays.append(array)
            return {"array" if type(value) is np.ndarray else "number": len(self.arrays) - 1}
        if not is_dataclass(value) or not all(each.init for each in fields(value)):
            raise NotPlain(f"a {type(value).__name__} does not travel")
        content = {each.name: self.plain(getattr(value, each.name)) for each in fields(value)}
        self.objects.append({"class": name_of(type(value)), "fields": content})
        return {"object": len(self.objects) - 1}


class _Unpacking:
    """Puts values together; what a dataclass holds lies before it among the objects."""

    def __init__(self, arrays: list[NDArray[Any]], objects: list[dict[str, Any]]) -> None:
        self.arrays = arrays
        self.objects: list[Any] = []
        for each in objects:
            content = {name: self.value(plain) for name, plain in each["fields"].items()}
            kind = named(each["class"])
            if not is_dataclass(kind):
                raise Damaged(f"{each['class']} is no dataclass")
            self.objects.append(kind(**content))

    def value(self, plain: Any) -> Any:
        """Return the value that `plain` describes."""
        if not isinstance(plain, dict):
            return plain
        ((kind, content),) = plain.items()
        if kind == "float":
            return float.fromhex(content)
        if kind in ("tuple", "list"):
            values = [self.value(each) for each in content]
            return tuple(values) if kind == "tuple" else values
        if kind == "dict":
            return {key: self.value(each) for key, each in content.items()}
        if kind == "number":
            return self.arrays[content][()]
        return (self.arrays if kind == "array" else self.objects)[content]
