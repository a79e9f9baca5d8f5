"""Where training stands, on disk, so that it goes on after a kill and one training serves several experiments.

A checkpoint is a file of arrays below `build/checkpoints/`, in a folder named by a digest of all that decides them:
the settings, the source of the modules that train, the text, the versions of the libraries and the instruction set. So
a checkpoint that no longer fits is never found. Training gives the same bytes with checkpoints and without; what an
experiment computes does not depend on whether some were there.
"""

import ast
import hashlib
import inspect
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

import filelock
import numba
import numpy as np
from numpy.typing import NDArray

from experiments.core.compiled import writable
from experiments.core.instructions import instructions

Arrays = dict[str, NDArray[np.generic]]

ROOT = Path(__file__).parents[3] / "build" / "checkpoints"

_ALONE = threading.Lock()
"""Held while Python is parsed, which numpy does too as it reads the header of an array.

Python 3.11 may fail with a SystemError where two threads parse at once (CPython's gh-106905).
"""


class Checkpoint:
    """One file of arrays; `save` replaces it whole or not at all, and `load` returns None for a missing or torn one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Arrays | None:
        """Return the arrays that were saved last."""
        try:
            with _ALONE, self.path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def save(self, arrays: Arrays) -> None:
        """Write the arrays to a temporary file, then rename it."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, **arrays)  # type: ignore[arg-type]
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def held(self, wait: bool = True) -> Iterator[bool]:
        """Keep others from the same work, another process of the same report among them.

        Where somebody else is at it, wait for them, or without `wait` give False at once.
        """
        lock = filelock.FileLock(f"{self.path}.lock")
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except filelock.Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


def checkpoint(name: str, settings: object, modules: tuple[ModuleType, ...], files: tuple[Path, ...]) -> Checkpoint:
    """Return the checkpoint of `name` for these settings, the source of these modules and these files."""
    digest = hashlib.sha256(repr((settings, np.__version__, numba.__version__, instructions())).encode())
    with _ALONE:
        for module in modules:
            digest.update(_code(module).encode())
    for path in files:
        digest.update(path.read_bytes())
    folder = writable(ROOT) / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return Checkpoint(folder / f"{name}.npz")


@cache
def _code(module: ModuleType) -> str:
    """Return the code of a module without comments and docstrings, in which training does not lie."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
