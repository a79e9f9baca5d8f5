"""The solids and polygons that features form, each as directions to compare with and as a family to minimise in.

A shape is a union of *orbits*: sets of vertices that its symmetry carries into each other. Each orbit is linear in a
few coordinates (a ring's radius, the height at which two rings lie), so that the models with this symmetry are a
`Family` whose best lengths, heights and biases follow from the exact loss. Where symmetry leaves the directions
free, those of reference are the ones of least Coulomb energy with that symmetry; a test minimises it.

Source of the shapes: Elhage et al. 2022, "The geometry of superposition".
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from experiments.core.losses.optimum import Family

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Orbit:
    """Vertices `sum of coordinate * pattern`.

    `patterns` (coordinate, hidden, count); `at` (coordinate,) are the coordinates of reference.
    """

    patterns: Array
    at: Array

    @property
    def count(self) -> int:
        return int(self.patterns.shape[-1])


@dataclass(frozen=True, eq=False)
class Solid:
    """A named arrangement of `count` directions in `hidden` dimensions; `parts` says in words what it is made of."""

    name: str
    parts: str
    orbits: tuple[Orbit, ...]

    @property
    def hidden(self) -> int:
        return int(self.orbits[0].patterns.shape[1])

    @property
    def count(self) -> int:
        return sum(orbit.count for orbit in self.orbits)

    @cached_property
    def directions(self) -> Array:
        """Unit columns (hidden, count) of reference."""
        return np.concatenate([np.tensordot(orbit.at, orbit.patterns, 1) for orbit in self.orbits], axis=1)

    @cached_property
    def orbit_of(self) -> NDArray[np.int64]:
        """The number of the orbit that each vertex belongs to, (count,)."""
        return np.repeat(np.arange(len(self.orbits)), [orbit.count for orbit in self.orbits])

    def family(self, features: int | None = None) -> Family:
        """Return all models with this symmetry: each orbit has its own coordinates and one bias.

        Features beyond `count` are absent and share a bias. Parameters are the coordinates of all orbits in order,
        then the orbits' biases, then the absent one (if any feature is absent).
        """
        n = features or self.count
        orbit_of = np.concatenate([self.orbit_of, np.full(n - self.count, len(self.orbits))])
        coordinates = [_placed(orbit, int(np.argmax(orbit_of == k)), n) for k, orbit in enumerate(self.orbits)]
        biases = np.zeros((int(orbit_of.max()) + 1, self.hidden + 1, n))
        biases[orbit_of, self.hidden, np.arange(n)] = 1.0
        basis = np.concatenate([*coordinates, biases]).reshape(-1, (self.hidden + 1) * n)
        at = np.concatenate([orbit.at for orbit in self.orbits])
        return Family(self.name, self.hidden, n, basis, np.concatenate([at, np.zeros(len(biases))]))


def _placed(orbit: Orbit, first: int, features: int) -> Array:
    """Return the orbit's patterns among all features, with an empty row for the bias."""
    rows = np.zeros((len(orbit.patterns), orbit.patterns.shape[1] + 1, features))
    rows[:, :-1, first : first + orbit.count] = orbit.patterns
    return rows


def _around(count: int, turn: float) -> Array:
    """Return `count` unit columns (2, count) evenly around a circle, the first at `turn` degrees."""
    angle = np.radians(turn + 360.0 * np.arange(count) / count)
    return np.stack([np.cos(angle), np.sin(angle)])


def _in_space(plane: Array) -> Array:
    return np.concatenate([plane, np.zeros((1, plane.shape[1]))])


def _at_height(count: int, height: float = 1.0) -> Array:
    columns: Array = np.repeat([[0.0], [0.0], [height]], count, axis=1)
    return columns


def equator(count: int, turn: float = 0.0) -> Orbit:
    """Return a ring of `count` vertices at right angles to the axis; its coordinate is the radius."""
    return Orbit(_in_space(_around(count, turn))[None], np.ones(1))


def ring(count: int, polar: float, turn: float = 0.0) -> Orbit:
    """Return a ring of any radius and height (the coordinates); of reference, `polar` degrees from the axis."""
    return Orbit(np.stack([_in_space(_around(count, turn)), _at_height(count)]), _sine_cosine(polar))


def two_rings(count: int, polar: float, upper: float, lower: float) -> Orbit:
    """Return equal rings above and below, their first vertices turned to `upper` and `lower` degrees."""
    radial = _in_space(np.concatenate([_around(count, upper), _around(count, lower)], axis=1))
    height = np.concatenate([_at_height(count), _at_height(count, -1.0)], axis=1)
    return Orbit(np.stack([radial, height]), _sine_cosine(polar))


def rectangle(polar: float, azimuth: float) -> Orbit:
    """Return four vertices of equal height that two mirrors carry into each other; coordinates are x, y and z."""
    signs = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, 1.0, 1.0]])
    radius, height = _sine_cosine(polar)
    at = np.array([radius * np.cos(np.radians(azimuth)), radius * np.sin(np.radians(azimuth)), height])
    return Orbit(np.eye(3)[:, :, None] * signs, at)


def poles(*heights: float) -> Orbit:
    """Return one vertex (`poles(1)`) or two (`poles(1, -1)`) on the axis; the coordinate is their length."""
    columns = np.concatenate([_at_height(1, height) for height in heights], axis=1)
    return Orbit(columns[None], np.ones(1))


def _rigid(columns: Array) -> Orbit:
    """Return an orbit of fixed directions with one length."""
    return Orbit(columns[None], np.ones(1))


def _sine_cosine(polar: float) -> Array:
    return np.array([np.sin(np.radians(polar)), np.cos(np.radians(polar))])


def _icosahedron() -> Array:
    golden = (1 + np.sqrt(5)) / 2
    corners = np.array([(a, b * golden, 0.0) for a in (1, -1) for b in (1, -1)])
    return np.asarray(np.concatenate([np.roll(corners, shift, axis=1) for shift in range(3)]).T / np.hypot(1, golden))


def polygon_solid(name: str, count: int) -> Solid:
    """Return the regular `count`-gon in the plane."""
    return Solid(name, f"{count} around a circle", (_rigid(_around(count, 0.0)),))


TWO_DIRECTIONS = Solid("two directions", "two at right angles", (_rigid(np.eye(2)),))
DIGON_AND_ONE = Solid(
    "digon + one", "an antipodal pair and one across", (_rigid(_around(2, 0.0)), _rigid(np.array([[0.0], [1.0]])))
)
TRIANGLE = polygon_solid("triangle", 3)
TWO_DIGONS = Solid("two digons", "two antipodal pairs at right angles", (_rigid(_around(4, 0.0)),))
PENTAGON = polygon_solid("pentagon", 5)
HEXAGON = polygon_solid("hexagon", 6)
HEPTAGON = polygon_solid("heptagon", 7)

POLYGONS = (TWO_DIRECTIONS, TRIANGLE, DIGON_AND_ONE, TWO_DIGONS, PENTAGON, HEXAGON, HEPTAGON)
"""Shapes of the plane, in order of vertices."""

THREE_DIRECTIONS = Solid("three directions", "three at right angles", (_rigid(np.eye(3)),))
TETRAHEDRON = Solid(
    "tetrahedron",
    "four at equal angles",
    (_rigid(np.array([[1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 3**0.5),),
)
DIGON_AND_TWO = Solid(
    "digon + two",
    "an antipodal pair and two across, all at right angles",
    (poles(1, -1), _rigid(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))),
)
SQUARE_PYRAMID = Solid("square pyramid", "a ring of four and one pole", (ring(4, 114.0), poles(1)))
"""No minimum of Coulomb's energy, so the angle is that of the model's own at p = 0.7 (a test compares)."""
TRIANGULAR_BIPYRAMID = Solid("triangular bipyramid", "triangle × digon", (equator(3), poles(1, -1)))
TWO_DIGONS_AND_ONE = Solid(
    "two digons + one", "two antipodal pairs and one across, all at right angles", (equator(4), poles(1))
)
OCTAHEDRON = Solid("octahedron", "digon × digon × digon", (_rigid(np.concatenate([np.eye(3), -np.eye(3)], axis=1)),))
TRIGONAL_PRISM = Solid("trigonal prism", "two rings of three, aligned", (two_rings(3, 51.57, 0, 0),))
PENTAGON_AND_ONE = Solid("pentagon + one", "a pentagon and one across", (equator(5), poles(1)))
PENTAGONAL_BIPYRAMID = Solid("pentagonal bipyramid", "pentagon × digon", (equator(5), poles(1, -1)))
CAPPED_OCTAHEDRON = Solid(
    "capped octahedron", "two rings of three and one pole", (ring(3, 73.28), ring(3, 128.77, 60), poles(1))
)
SQUARE_ANTIPRISM = Solid("square antiprism", "two rings of four, turned by 45°", (two_rings(4, 55.91, 0, 45),))
SNUB_DISPHENOID = Solid(
    "snub disphenoid", "two pairs of pairs, turned by 90°", (two_rings(2, 38.38, 0, 90), two_rings(2, 71.85, 90, 0))
)
CUBE = Solid("cube", "two rings of four, aligned", (two_rings(4, 54.7356, 0, 0),))
HEXAGONAL_BIPYRAMID = Solid("hexagonal bipyramid", "hexagon × digon", (equator(6), poles(1, -1)))
TRICAPPED_PRISM = Solid(
    "tricapped trigonal prism", "two rings of three, aligned, and an equator of three",
    (two_rings(3, 45.28, 0, 0), equator(3, 60)),
)  # fmt: skip
CAPPED_ANTIPRISM = Solid(
    "capped square antiprism", "two rings of four, turned by 45°, and one pole",
    (ring(4, 68.77), ring(4, 127.68, 45), poles(1)),
)  # fmt: skip
BICAPPED_ANTIPRISM = Solid(
    "bicapped square antiprism", "two rings of four, turned by 45°, and both poles",
    (two_rings(4, 65.0, 0, 45), poles(1, -1)),
)  # fmt: skip
SPHENOCORONA = Solid(
    "sphenocorona", "three pairs and a rectangle",
    (ring(2, 35.1), ring(2, 64.64, 90), rectangle(99.23, 32.45), ring(2, 147.07, 90)),
)  # fmt: skip
THREE_TRIANGLES_AND_ONE = Solid(
    "three triangles + one", "three rings of three, turned by 60° each, and one pole",
    (ring(3, 65.86), ring(3, 93.06, 60), ring(3, 138.24), poles(1)),
)  # fmt: skip
"""Like the sphenocorona no minimum of Coulomb's energy; the angles of both are those of the model at p = 0.02."""

ICOSAHEDRON = Solid("icosahedron", "twelve, each with five neighbours", (_rigid(_icosahedron()),))

SOLIDS = (
    THREE_DIRECTIONS, TETRAHEDRON, DIGON_AND_TWO, SQUARE_PYRAMID, TRIANGULAR_BIPYRAMID, TWO_DIGONS_AND_ONE,
    OCTAHEDRON, TRIGONAL_PRISM, PENTAGON_AND_ONE, PENTAGONAL_BIPYRAMID, CAPPED_OCTAHEDRON, SQUARE_ANTIPRISM,
    SNUB_DISPHENOID, CUBE, HEXAGONAL_BIPYRAMID, TRICAPPED_PRISM, CAPPED_ANTIPRISM, BICAPPED_ANTIPRISM, SPHENOCORONA,
    THREE_TRIANGLES_AND_ONE, ICOSAHEDRON,
)  # fmt: skip
"""Shapes of space, in order of vertices."""

SHAPES = {2: POLYGONS, 3: SOLIDS}
"""Known shapes by the number of hidden dimensions."""


def named(name: str) -> Solid:
    """Return the polygon or solid of this name; raises `KeyError` if there is none."""
    return {solid.name: solid for solid in (*POLYGONS, *SOLIDS)}[name]
