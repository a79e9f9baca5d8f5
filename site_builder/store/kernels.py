"""Compiled kernels below `build/kernels/` are as they were compiled, or are compiled again.

numba reads what it finds there without a question: an emptied file ends every run, a changed one may change a result.
"""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from site_builder.store.entries import read_stamp, remove, sha256, write_stamp

RECORD = "recorded.json"
"""Lists, in the folder of one state of all kernels, its files with their time and digest."""


def compiled_by(parts: Iterable[str], experiments: Path) -> frozenset[str]:
    """Return those parts of a run key that are functions of a module which compiles something."""
    modules = _modules(experiments)
    return frozenset(part for part in parts if part.removeprefix("code ").rpartition(".")[0] in modules)


@cache
def _modules(experiments: Path) -> frozenset[str]:
    files = [path for path in experiments.rglob("*.py") if b"numba" in path.read_bytes()]
    return frozenset(".".join(path.relative_to(experiments.parent).with_suffix("").parts) for path in files)


def drop_damaged(folder: Path, say: Callable[[str], None]) -> None:
    """Remove each folder of kernels below `folder` of which a file is not as it was recorded or no whole file."""
    if not folder.is_dir():
        return
    for state in sorted(folder.iterdir()):
        wrong = [path for path in _files(state) if not _is_sound(path, _recorded(state).get(_name(path, state)))]
        if wrong:
            say(f"{wrong[0].name} in {state} is damaged; the kernels are compiled again")
            remove(state)


def record(folder: Path) -> None:
    """Remember all kernels below `folder` as they are now."""
    for state in sorted(folder.iterdir()) if folder.is_dir() else []:
        before = _recorded(state)
        now = {_name(path, state): _entry(path, before.get(_name(path, state))) for path in _files(state)}
        if now != before and now:
            write_stamp(state / RECORD, now)


def _files(state: Path) -> list[Path]:
    return sorted(path for path in state.rglob("*.nb[ic]") if not path.is_dir())


def _name(path: Path, state: Path) -> str:
    return path.relative_to(state).as_posix()


def _recorded(state: Path) -> dict[str, list[object]]:
    found = read_stamp(state / RECORD)
    return found if isinstance(found, dict) else {}


def _entry(path: Path, before: list[object] | None) -> list[object]:
    time = path.stat().st_mtime_ns
    return before if before and before[0] == time else [time, sha256(path)]


def _is_sound(path: Path, recorded: list[object] | None) -> bool:
    """Return whether a file is as it was recorded; one that was written since is at least a whole pickle."""
    try:
        if recorded and recorded[0] == path.stat().st_mtime_ns:
            return sha256(path) == recorded[1]
        content = path.read_bytes()
    except OSError:
        return False
    return content.startswith(b"\x80") and content.endswith(b".")
