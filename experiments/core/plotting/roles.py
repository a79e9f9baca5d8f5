"""What an artist on a figure is: data, decoration, or data under better names than its coordinates.

The plotted data of every figure are read off the figure itself. An artist says here when it is no data
(a unit circle), or when its coordinates are not the numbers it stands for (points spread out sideways
so that they do not hide each other).
"""

from collections.abc import Mapping
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.artist import Artist
from numpy.typing import ArrayLike, NDArray

A = TypeVar("A", bound=Artist)

_decorations: WeakKeyDictionary[Artist, bool] = WeakKeyDictionary()
_columns: WeakKeyDictionary[Artist, dict[str, NDArray[np.generic]]] = WeakKeyDictionary()


def decoration(artist: A) -> A:
    """Mark an artist (a guide line, a unit circle, a frame) as no data, and return it."""
    _decorations[artist] = True
    return artist


def is_decoration(artist: Artist) -> bool:
    """Return whether the artist was marked as no data."""
    return artist in _decorations


def represents(artist: A, columns: Mapping[str, ArrayLike]) -> A:
    """Say which columns, equally long, the artist shows, in place of those read off its coordinates; return it."""
    arrays = {name: np.atleast_1d(np.asarray(values)) for name, values in columns.items()}
    if len({array.shape for array in arrays.values()}) != 1:
        raise ValueError(f"columns differ in shape: { {name: array.shape for name, array in arrays.items()} }")
    _columns[artist] = arrays
    return artist


def represented(artist: Artist) -> dict[str, NDArray[np.generic]] | None:
    """Return the columns given to `represents`, or None."""
    return _columns.get(artist)
