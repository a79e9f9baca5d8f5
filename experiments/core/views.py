"""Views that a reader moves by hand, beside the printed figure: solids to turn, frames to step through, collections.

A view is data alone. A function registered with `@experiment.view("<figure id>")` makes one from the result, purely,
as a figure function draws; `site_builder` stores it as a file of the figure and puts it on the page, where a
script shows it. The static figure stays what is cited and printed: a view may show the same numbers from another
side, or more of the course between them, never another finding.

Colours are positions in the house palette (`plotting.series`), so a view follows the reader's colour scheme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.core.browsing import Collection

PALETTE = 6
"""Colours that a view can name: as many as `plotting.series` has."""


@dataclass(frozen=True)
class Solid:
    """One solid, or any set of points in space: `vertices` (vertex, 3), centred where it is to turn about.

    `edges` are pairs and `faces` rings of indices of vertices. `labels` are written at the vertices, `colours` index
    the palette; both are empty or have one entry per vertex. A face has the colour of its first vertex. All solids of
    one view are drawn to one scale.
    """

    name: str
    vertices: NDArray[np.float64]
    edges: tuple[tuple[int, int], ...] = ()
    faces: tuple[tuple[int, ...], ...] = ()
    labels: tuple[str, ...] = ()
    colours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _expect(np.ndim(self.vertices) == 2 and self.vertices.shape[1] == 3, self.name, "vertices are no (vertex, 3)")
        _check_finite(self.name, self.vertices)
        _check_rings(self.name, len(self.vertices), (*self.edges, *self.faces))
        _check_marks(self.name, len(self.vertices), self.labels, self.colours)


@dataclass(frozen=True)
class Solids:
    """Solids to turn, one at a time. `label` says in words what they are, for a reader who does not see them."""

    label: str
    solids: tuple[Solid, ...]

    def __post_init__(self) -> None:
        names = [solid.name for solid in self.solids]
        _expect(len(names) > 0, self.label, "there is no solid")
        _expect(len(set(names)) == len(names), self.label, f"names of solids repeat: {names}")


@dataclass(frozen=True)
class Cloud:
    """Marks that move: `positions` (frame, mark, dimension) in the plane, or in space, where the reader can turn them.

    They are `shown` as arrows from the origin or as points. `limit` is the distance from the origin that fits the
    panel. `edges` join marks and `faces` fill rings of them in every frame; `labels` and `colours` are as in `Solid`.
    """

    label: str
    positions: NDArray[np.float64]
    shown: Literal["arrows", "points"] = "arrows"
    limit: float = 1.2
    edges: tuple[tuple[int, int], ...] = ()
    faces: tuple[tuple[int, ...], ...] = ()
    labels: tuple[str, ...] = ()
    colours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _expect(
            np.ndim(self.positions) == 3 and self.positions.shape[2] in (2, 3),
            self.label,
            "positions are no (frame, mark, 2 or 3)",
        )
        _check_finite(self.label, self.positions)
        _check_rings(self.label, self.positions.shape[1], (*self.edges, *self.faces))
        _check_marks(self.label, self.positions.shape[1], self.labels, self.colours)

    @property
    def frames(self) -> int:
        return int(self.positions.shape[0])


@dataclass(frozen=True)
class Curves:
    """Lines over time: at `x` (frame,), rising, the values `y` (frame, line), both in the units of the ticks.

    A frame shows the lines up to its `x` in full and the rest faintly. Ticks are pairs of a place and its words; a
    logarithmic axis is one whose `x` and ticks are logarithms. `labels` name the lines, `colours` are as in `Solid`.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    labels: tuple[str, ...] = ()
    colours: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _expect(np.ndim(self.y) == 2 and self.x.shape == self.y.shape[:1], self.label, "x and y differ in frames")
        _check_finite(self.label, self.x, self.y)
        _expect(bool(np.all(np.diff(self.x) > 0)), self.label, "x does not rise")
        _check_marks(self.label, self.y.shape[1], self.labels, self.colours)

    @property
    def frames(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Frames:
    """Panels that change together, frame by frame; `captions` (one per frame) say where one is ("step 120, loss 0.3").

    `label` says in words what is seen to happen, for a reader who does not see it.
    """

    label: str
    captions: tuple[str, ...]
    panels: tuple[Cloud | Curves, ...]

    def __post_init__(self) -> None:
        _expect(len(self.panels) > 0, self.label, "there is no panel")
        counts = [panel.frames for panel in self.panels]
        _expect(
            set(counts) == {len(self.captions)}, self.label, f"{len(self.captions)} captions, panels of {counts} frames"
        )


View = Solids | Frames | Collection
"""A collection, described in `core.browsing`, has pages of its own; the others stand below their figure."""


def _expect(holds: bool, where: str, problem: str) -> None:
    if not holds:
        raise ValueError(f"the view {where!r} cannot be shown: {problem}")


def _check_finite(where: str, *arrays: NDArray[np.float64]) -> None:
    _expect(all(bool(np.isfinite(array).all()) for array in arrays), where, "a number is not finite")


def _check_rings(where: str, count: int, rings: Sequence[Sequence[int]]) -> None:
    wrong = [index for ring in rings for index in ring if not 0 <= index < count]
    _expect(not wrong, where, f"there are {count} vertices and an edge or face names number {wrong[:1]}")


def _check_marks(where: str, count: int, labels: Sequence[str], colours: Sequence[int]) -> None:
    for name, given in (("labels", labels), ("colours", colours)):
        _expect(len(given) in (0, count), where, f"{len(given)} {name} for {count} marks")
    _expect(all(0 <= colour < PALETTE for colour in colours), where, f"colours go from 0 to {PALETTE - 1}")
