"""Imports what nearly every experiment and figure needs, once for all processes that come from the fork server.

What cannot be imported here is told where it is used: an error here would end the server.
"""

from contextlib import suppress
from importlib import import_module

LIBRARIES = (
    "scipy.optimize",
    "sklearn",
    "torch",
    "experiments.core.training",
    "experiments.core.autoencoders",
    "site_builder.figures.figure_files",
)

for name in LIBRARIES:
    with suppress(Exception):
        import_module(name)
