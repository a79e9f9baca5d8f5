"""The machine and the repository a result comes from."""

import ctypes
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from site_builder.base.locks import RUNTIME
from site_builder.base.options import DEVICES, WrongOption, chosen

SOURCE_PATHS = ("experiments", "site_builder", "docs", "mkdocs.yml", "CITATION.cff", *RUNTIME)
"""What a published number can depend on; a change elsewhere does not make the work tree dirty."""

PAGE_PATHS = ("docs/", "mkdocs.yml")
"""Those of them that hold words alone: they change no result and no figure."""


@dataclass(frozen=True)
class Commit:
    """The commit that is checked out ("" without one), whether anything published differs from it, whether something
    does that is no page, and why there is no commit, in git's own words where git refuses."""

    id: str
    dirty: bool
    why: str = field(default="", compare=False)
    code_dirty: bool = True


def device_class(device: str) -> str:
    """Return "cpu" or "cuda" for "auto", "cpu" or "cuda"; raises WrongOption for CUDA where there is none."""
    chosen(device, DEVICES, "DEVICE")
    if device == "cpu" or (device == "auto" and not cuda_is_there()):
        return "cpu"
    if device == "cuda" and not cuda_is_there():
        raise WrongOption("DEVICE=cuda: this machine offers no CUDA device to torch; use DEVICE=auto or DEVICE=cpu")
    return "cuda"


def jobs_asked(value: str, device: str) -> int:
    """Return how many experiments run side by side: "auto" is one per core, and one alone on a GPU."""
    if value == "auto":
        return 1 if device == "cuda" else usable_cores()
    if not (value.isdecimal() and int(value) > 0):
        raise WrongOption(f"JOBS: {value!r} is no number of experiments to run at once; give one from 1 on, or auto")
    return int(value)


@cache
def cuda_is_there() -> bool:
    """True when a driver, a device and a torch built for CUDA are there; imports torch only if the driver answers."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int(0)
        found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
    except (OSError, AttributeError):
        return False
    if not found:
        return False
    import torch

    return torch.cuda.is_available()


def hardware(device: str) -> str:
    """Return the name of the processor or GPU that `device` means."""
    if device == "cuda":
        import torch

        return str(torch.cuda.get_device_name(0))
    return f"{_processor()}, {usable_cores()} cores"


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Return the number of threads that the numerical libraries in use work with."""
    torch, numba = sys.modules.get("torch"), sys.modules.get("numba")
    counts = [torch.get_num_threads()] if torch else []
    counts += [numba.get_num_threads()] if numba else []
    return max(counts, default=usable_cores())


def versions(packages: set[str]) -> dict[str, str]:
    """Return the installed versions of third-party packages, given by import name; "absent" without one."""
    return {package: _version(package) for package in sorted(packages)}


@cache
def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        if find_spec(package) is None:
            return "absent"
    # The distribution has another name than the package; looking through all of them takes a second.
    return next((metadata.version(name) for name in _distributions().get(package, [])), "unknown")


@cache
def _distributions() -> dict[str, list[str]]:
    return {package: list(names) for package, names in metadata.packages_distributions().items()}


def python_minor() -> str:
    """Return the version of Python as far as it can change a number: "3.12"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def commit_of(root: Path) -> Commit:
    """Return the commit checked out at `root`, the top of its repository.

    Anywhere else nothing vouches for the code, so it is dirty: an archive unpacked inside another repository is none of
    that repository's commits.
    """
    top = git(root, "rev-parse", "--show-toplevel")
    if top is None:
        return Commit("", dirty=True, why=f"git is not installed or does not answer; {root} has no commit without it")
    if top.returncode != 0:
        return Commit("", dirty=True, why=_refusal(root, top.stderr))
    if Path(top.stdout.rstrip("\n")).resolve() != root.resolve():
        there = top.stdout.strip()
        return Commit(
            "", dirty=True, why=f"{root} lies inside the repository {there} and is none itself; clone the report"
        )
    head = git(root, "rev-parse", "--verify", "HEAD")
    if head is None or head.returncode != 0:
        return Commit("", dirty=True, why=f"{root} is a git repository without a commit; commit first")
    id, changes = head.stdout.strip(), git(root, "status", "--porcelain", "--untracked-files=all", "--", *SOURCE_PATHS)
    if changes is None or changes.returncode != 0:
        return Commit(id, dirty=True)
    changed = [line[3:].strip('"') for line in changes.stdout.splitlines()]  # each begins with two letters
    return Commit(id, dirty=bool(changed), code_dirty=not all(path.startswith(PAGE_PATHS) for path in changed))


def _refusal(root: Path, words: str) -> str:
    sentence = " ".join(words.split()).removeprefix("fatal: ")
    if "not a git repository" in sentence:
        return f"{root} is no git repository with a commit; clone the report instead of unpacking it"
    remedy = re.sub(r" To add an exception for this directory, call: (.*)", r"; if you trust it, call `\1`", sentence)
    return f"git refuses to read {root}: {remedy}"


def git(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str] | None":
    """Return what git answers about the repository that `root` lies in; None if there is no git or it hangs.

    Variables such as GIT_DIR, which hooks and other tools set, would have it answer for another repository.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=root,
            env=without_git(os.environ),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def without_git(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that point git at no certain repository; messages are in English."""
    pointing = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE")
    kept = {name: value for name, value in variables.items() if name not in (*pointing, "GIT_PREFIX")}
    return kept | {"LC_ALL": "C"}
