"""Where compiled kernels are kept on disk, so that each is compiled once.

numba renews a cached kernel when the file that defines it changes, not when a function it calls in another
file does. One folder per state of all kernel sources makes a stale kernel impossible.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from experiments.core.instructions import instructions

HERE = Path(__file__).parents[1]


def kernel_digest(root: Path = HERE) -> str:
    """Return a digest of every source file below `root` that compiles something."""
    digest = sha256()
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + source + b"\0")
    return digest.hexdigest()[:16]


def keep_compiled() -> None:
    """Tell numba, before it is first imported, where to keep kernels; a user's own choice stands."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        name = f"{instructions().replace(' ', '-')}-{kernel_digest()}"
        os.environ["NUMBA_CACHE_DIR"] = str(writable(HERE.parent / "build" / "kernels") / name)


def writable(folder: Path) -> Path:
    """Return `folder`, or where nothing can be written there, a folder of this user's own for temporary files."""
    if _can_write(folder):
        return folder
    own = Path(tempfile.gettempdir()) / f"superposition-report-{os.getuid() if hasattr(os, 'getuid') else 0}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
        status = own.lstat()
        is_own = own.is_dir() and not own.is_symlink() and not status.st_mode & 0o022 and status.st_uid == os.getuid()
    except (OSError, AttributeError):
        is_own = False
    # Kernels are code: a folder that somebody else could write to is not used.
    return own if is_own and _can_write(own) else Path(tempfile.mkdtemp(prefix="superposition-report-"))


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)
