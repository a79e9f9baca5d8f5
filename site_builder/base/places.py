"""Where the libraries keep files of their own, so that a report writes below `build/` alone.

Kernels lie below `build/kernels/`: numba's by `experiments.core.compiled`, triton's here. A notebook's kernel does not
start where its folders cannot be written, as on a full disk. matplotlib's list of fonts takes a second to make and is
shared with other programs of the user, where the home can be written.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

from experiments.core.compiled import writable

KERNELS = {"TRITON_CACHE_DIR": "triton"}
NOTEBOOKS = {
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
    "JUPYTER_DATA_DIR": "jupyter",
    "JUPYTER_RUNTIME_DIR": "jupyter",
}
FONTS = {"MPLCONFIGDIR": "matplotlib"}
"""The variable that tells each library its place, and the folder it gets."""


def give_places(build: Path, variables: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables that keep libraries below `build`, for this process and all that it starts.

    A user's own choice stands. Where `build` cannot be written, a folder for temporary files that is this user's own
    takes its place.
    """
    libraries = NOTEBOOKS if _has_home(variables) else NOTEBOOKS | FONTS
    for folder, places in (("kernels", KERNELS), ("libraries", libraries)):
        left = {name: place for name, place in places.items() if name not in variables}
        if left:
            below = writable(build / folder)
            variables.update({name: str(below / place) for name, place in left.items()})


def _has_home(variables: MutableMapping[str, str]) -> bool:
    """True where the user has a home in which libraries may make folders."""
    home = variables.get("HOME") or os.path.expanduser("~")
    return os.access(home, os.W_OK | os.X_OK)
