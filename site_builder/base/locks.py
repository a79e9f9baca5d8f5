"""The lock files: which version of every package was pinned.

`requirements.lock` holds digests of all files of each version, which pip compares. `torch` has a file of its own
without them, for every index has its own builds of one version, for processors and for GPUs.
"""

import re
from pathlib import Path

RUNTIME = ("requirements.lock", "requirements-torch.lock")
"""The files that say what a report runs with."""


def runtime(root: Path) -> dict[str, str]:
    """Return the pinned version of every package that a report in `root` runs with; {} where nothing is pinned."""
    return {name: version for lock in RUNTIME for name, version in locked(root / lock).items()}


def locked(lock: Path) -> dict[str, str]:
    """Return the pinned version of every package in a lock file; {} if there is no such file."""
    lines = lock.read_text("utf-8").splitlines() if lock.is_file() else []
    pins = [line.partition("==") for line in lines if "==" in line and line[0] not in "# "]
    return {normal(name.partition("[")[0]): version.split()[0].rstrip("; \\") for name, _, version in pins}


def normal(name: str) -> str:
    """Return the name of a package in the one form that indexes compare."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
