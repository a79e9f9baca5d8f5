"""The machine and the repository a result comes from."""

import ctypes
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from site_builder.base.options import DEVICES, WrongOption, chosen

SOURCE_PATHS = ("experiments", "site_builder", "docs", "mkdocs.yml", "CITATION.cff", "requirements.lock")
"""What a published number can depend on; a change elsewhere does not make the work tree dirty."""


@dataclass(frozen=True)
class Commit:
    """The commit that is checked out ("" outside a repository), and whether anything published differs from it."""

    id: str
    dirty: bool


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
    """Return the commit checked out at `root`; outside a repository nothing vouches for the code, so it is dirty."""
    head = _git(root, "rev-parse", "HEAD")
    if not head:
        return Commit("", dirty=True)
    changes = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *SOURCE_PATHS)
    return Commit(head, dirty=changes != "")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
