"""Files that whoever makes the report may give, each named by a variable of the environment."""

import hashlib
import os
from pathlib import Path

from experiments.core.errors import ReportError

GIVEN_FILES = ("WORD_VECTORS",)
"""All such variables; `make report WORD_VECTORS=glove.6B.300d.txt` sets one."""


def given_file(name: str) -> Path | None:
    """Return the file that the variable `name` (one of `GIVEN_FILES`) gives, or None; one that is not there is an
    error, a `ReportError`."""
    if name not in GIVEN_FILES:
        raise ValueError(f"{name!r} is none of {GIVEN_FILES}")
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise ReportError(f"{name} names {text!r}, which is no file; correct the path or leave {name} out")
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
