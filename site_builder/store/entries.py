"""Folders that are either complete or absent.

An entry is filled under a temporary name, gets a marker with the digest of every file, reaches the disk,
and only then takes its name by one rename. Whoever is killed leaves a temporary folder that nobody
mistakes for an entry; two reports that compute one entry both succeed, and the first to finish counts.
"""

import errno
import hashlib
import json
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from experiments.core.errors import ReportError
from site_builder.base.refusals import refusal
from site_builder.store.codec import to_json

MARKER = "complete.json"
_TEMPORARY = ".unfinished-"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `folder`, by relative path, leaving out the marker."""
    paths = {name: path for name, path in files_below(folder).items() if name != MARKER}
    return {name: sha256(Path(path)) for name, path in paths.items() if os.path.isfile(path)}


def files_below(folder: Path) -> dict[str, str]:
    """Return the path of every file below `folder` by its name there, in the order of the parts of the names."""
    start = len(str(folder)) + 1
    paths = [f"{place}{os.sep}{name}" for place, _, names in os.walk(folder) for name in names]
    return {path[start:].replace(os.sep, "/"): path for path in sorted(paths, key=lambda path: path.split(os.sep))}


def is_complete(folder: Path) -> bool:
    """True when an entry was finished; says nothing about what happened to its files since."""
    return (folder / MARKER).is_file()


def damage(folder: Path) -> str:
    """Return which files of a finished entry no longer have their recorded digest, or an empty string."""
    try:
        recorded = json.loads((folder / MARKER).read_text("utf-8"))["files"]
        wrong = [name for name, digest in recorded.items() if _digest_or_none(folder / name) != digest]
        wrong = wrong if recorded else [MARKER]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        wrong = [MARKER]
    return ", ".join(wrong)


def _digest_or_none(path: Path) -> str | None:
    try:
        return sha256(path) if path.is_file() else None
    except OSError:
        return None


def write_entry(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make `folder` a finished entry holding what `fill` writes; replaces a damaged one, keeps a sound one."""
    with said_by_disk(folder):
        make_folder(folder.parent)
        temporary = temporary_beside(folder)
        temporary.mkdir()
        try:
            fill(temporary)
            finish(temporary)
            _take_name(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def finish(folder: Path) -> None:
    """Write the marker of `folder`, after everything else is on the disk."""
    files = digests(folder)
    for name in files:
        _to_disk(folder / name)
    (folder / MARKER).write_text(to_json({"files": files}), "utf-8")
    _to_disk(folder / MARKER)
    _to_disk(folder)


def swap(new: Path, folder: Path) -> None:
    """Put the folder `new` in the place of `folder`, which is never seen half old and half new."""
    old = temporary_beside(folder)
    if os.path.lexists(folder):
        folder.rename(old)
    new.rename(folder)
    _discard(old)


def write_file(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write a file that is seen whole or not at all; one that is easily made again need not be `durable`."""
    with said_by_disk(path):
        make_folder(path.parent)
        temporary = temporary_beside(path)
        try:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
            if durable:
                _to_disk(temporary)
            if path.is_dir():
                swap(temporary, path)
            else:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_stamp(path: Path, content: Any) -> None:
    """Write JSON with its own digest, for `read_stamp`."""
    text = json.dumps(content)
    write_file(path, json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "content": text}))


def read_stamp(path: Path) -> Any:
    """Return what `write_stamp` wrote, or None if the file is missing, cannot be read or is not as it was written."""
    try:
        found = json.loads(path.read_text("utf-8"))
        text = found["content"]
        return json.loads(text) if hashlib.sha256(text.encode()).hexdigest() == found["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def make_folder(path: Path) -> None:
    """Make a folder with its parents; a file or a link to nowhere that stands in its way is removed."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTDIR, errno.ELOOP):
            raise
        ways = [*reversed(path.parents), path]
        _discard(next(way for way in ways if os.path.lexists(way) and not way.is_dir()))
        path.mkdir(parents=True, exist_ok=True)


def temporary_beside(path: Path) -> Path:
    """Return a fresh name beside `path` that tells which process made it."""
    return path.parent / f"{_TEMPORARY}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def clear_unfinished(root: Path) -> int:
    """Remove what killed processes of this machine left below `root`, and return how many things that were."""
    left = [path for path in root.rglob(f"{_TEMPORARY}*") if _is_orphan(path)]
    for path in left:
        _discard(path)
    return len(left)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove(path: Path) -> bool:
    """Remove a file, a link or a folder; False where there is none. Raises ReportError if something stays."""
    if not os.path.lexists(path):
        return False
    with said_by_disk(path):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return True


def _is_orphan(path: Path) -> bool:
    host, _, process = path.name.removeprefix(_TEMPORARY).rpartition("-")[0].rpartition("-")
    if host != socket.gethostname() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(int(process))


def _is_zombie(process: int) -> bool:
    """True for a process that ended and whose parent, as in a container without init, has not asked after it."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except (OSError, IndexError):
        return False


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file `path`, calling `waiting` once if another process has it; a killed holder frees it."""
    with said_by_disk(path):
        make_folder(path.parent)
        if path.is_symlink() or path.is_dir():
            _discard(path)
        lock = FileLock(path)
        if not _try(lock):
            waiting()
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _try(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        return False
    return True


@contextmanager
def said_by_disk(path: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into one sentence."""
    try:
        yield
    except OSError as error:
        if Path(str(error.filename)).name.startswith(_TEMPORARY):
            error.filename = None  # a name that only this process knows
        sentence = refusal(error, path)
        if sentence is None:
            raise
        raise ReportError(sentence) from error


def _take_name(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        if not is_complete(folder) or damage(folder):
            swap(temporary, folder)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
