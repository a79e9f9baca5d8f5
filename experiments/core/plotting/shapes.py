"""One colour for each arrangement of features, the same in every figure of the report.

Relatives share a colour where no figure shows both: antipodal pairs (digons) are the first, triangles the second,
whatever rests on a pentagon the third. Orange and olive, which a protanope can confuse, are given to shapes that
do not follow each other in any census.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from experiments.core.errors import ReportError, did_you_mean
from experiments.core.plotting.style import colour, series

OLIVE = 4
"""The series colour that a protanope can take for that of triangles: lines in it are broken."""

SHAPE_SERIES: Mapping[str, int] = MappingProxyType(
    {
        "digon": 0, "two digons": 0, "square": 0, "octahedron": 0, "two digons + one": 0,
        "triangle": 1, "ten vertices": 1,
        "pentagon": 2, "pentagonal bipyramid": 2,
        "dedicated": 3, "two directions": 3, "tricapped trigonal prism": 3,
        "hexagon": 4, "square antiprism": 4,
        "digon + one": 5, "tetrahedron": 5,
    }
)  # fmt: skip
"""Number of the series colour of each shape that has one."""

_GREY = {
    "triangular bipyramid": "null", "square pyramid": "null", "another named shape": "null",
    "other": "null", "no named shape": "faint",
}  # fmt: skip


def shape_line(name: str) -> dict[str, Any]:
    """Return how a line for a shape is drawn: its colour, and broken where colour alone might not tell it."""
    return {"color": shape_colour(name), "linestyle": "-." if SHAPE_SERIES.get(name) == OLIVE else "-"}


def shape_colour(name: str) -> str:
    """Return the current theme's colour of a shape; "other" is grey, "no named shape" a fainter grey for areas."""
    if name in SHAPE_SERIES:
        return series(SHAPE_SERIES[name])
    if name not in _GREY:
        raise ReportError(f"no shape is named {name!r}{did_you_mean(name, [*SHAPE_SERIES, *_GREY])}")
    return colour(_GREY[name])
