"""Where compiled kernels are kept on disk, so that each is compiled once.

numba renews a cached kernel when the file that defines it changes, not when a function it calls in another
file does. One folder per state of all kernel sources makes a stale kernel impossible.
"""

import os
from hashlib import sha256
from pathlib import Path

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
    os.environ.setdefault("NUMBA_CACHE_DIR", str(HERE / "__pycache__" / f"numba-{kernel_digest()}"))
