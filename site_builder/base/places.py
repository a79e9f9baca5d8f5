"""Where the libraries keep files of their own: in the user's home, or below `build/` where that cannot be written.

What is compiled lies below `build/kernels/` in any case: numba's kernels by `experiments.core.compiled`, triton's here.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

from experiments.core.compiled import writable

COMPILED = {"TRITON_CACHE_DIR": "triton"}
AT_HOME = {
    "MPLCONFIGDIR": "matplotlib",
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
    "JUPYTER_DATA_DIR": "jupyter",
    "JUPYTER_RUNTIME_DIR": "jupyter",
}
"""The variable that tells each library its place, and the folder it gets."""


def give_places(build: Path, variables: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that keep libraries below `build`, for this process and all that it starts.

    A user's own choice stands. Where `build` cannot be written, a folder for temporary files that is this user's own
    takes its place.
    """
    wanted = {"kernels": COMPILED} | ({} if _has_home(variables) else {"libraries": AT_HOME})
    for folder, places in wanted.items():
        left = {name: place for name, place in places.items() if name not in variables}
        if left:
            below = writable(build / folder)
            variables.update({name: str(below / place) for name, place in left.items()})


def _has_home(variables: MutableMapping[str, str]) -> bool:
    """True where the user has a home in which libraries may make folders."""
    home = variables.get("HOME") or os.path.expanduser("~")
    return os.access(home, os.W_OK | os.X_OK)
