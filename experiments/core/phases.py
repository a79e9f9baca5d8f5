"""Phases of the two smallest models that have to choose: two features in one dimension, three in two.

All features are present with density `p`; the last one, the *extra* feature, has importance `r` (the *ratio*) and
the others, the *normal* ones, have importance 1. There is one dimension fewer than features, so something has to
give: a feature is ignored, or two share a dimension as an antipodal pair. With `E x^2 = p/3`, `Var x = p/3 - p^2/4`
and, for two features that are both present, `E min(x_1, x_2)^2 = 1/6`, the expected losses (times the number of
features) of the ideal solutions are

    extra ignored, its output the constant p/2                   r (p/3 - p^2/4)
    a normal feature ignored                                       (p/3 - p^2/4)
    extra feature in an antipodal pair with a normal one     (1 + r) p^2/6
    two normal features in an antipodal pair                       2 p^2/6

where a pair has unit norms and no bias: it errs, by min(x_1, x_2) on both sides, only when both are present. Two of
these are equal on the boundaries `boundary`. Free norms and biases do better; `phase_sweep` finds how much.

Sources: Elhage et al. 2022, "Superposition as a phase change"; the four ideal solutions are those of its public theory
notebook. Losses here are means over features, as everywhere in the report.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.core.metrics import REPRESENTED_NORM, cosines, norms

Array = NDArray[np.float64]

IGNORED = "ignored"
SUPERPOSED = "superposed"
DEDICATED = "dedicated"
NORMAL_PAIR = "normal pair"
CONFUSED = "confused"
TRIANGLE = "triangle"
PARTIAL = "partial"
OTHER = "other"

ABSENT_NORM = 0.3
"""A column shorter than this is ignored; one between it and `REPRESENTED_NORM` is partly represented."""

ANTIPODAL, ORTHOGONAL = -0.8, 0.3
"""Two represented features are a pair when their cosine is below the first, orthogonal when |cos| is below the next."""

TRIPLE_POINT = (1.0, 4 / 7)
"""Ratio and density at which the three ideal solutions of two features have equal loss."""


@dataclass(frozen=True)
class Setting:
    """`features` in one dimension fewer, and the phases that are told apart there, `OTHER` last.

    `ideal` are the phases for which there is an ideal solution with a closed form; `words` are the
    phases in a legend's words.
    """

    features: int
    phases: tuple[str, ...]
    ideal: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def hidden(self) -> int:
        return self.features - 1

    def index(self, phase: str) -> int:
        """Return the number by which arrays refer to a phase."""
        return self.phases.index(phase)


TWO_FEATURES = Setting(
    features=2,
    phases=(IGNORED, SUPERPOSED, DEDICATED, CONFUSED, PARTIAL, OTHER),
    ideal=(IGNORED, SUPERPOSED, DEDICATED),
    words=(
        "2nd feature ignored",
        "superposed",
        "2nd feature alone",
        "same direction",
        "partly represented",
        "other",
    ),
)
THREE_FEATURES = Setting(
    features=3,
    phases=(IGNORED, SUPERPOSED, DEDICATED, NORMAL_PAIR, TRIANGLE, CONFUSED, PARTIAL, OTHER),
    ideal=(IGNORED, SUPERPOSED, DEDICATED, NORMAL_PAIR),
    words=(
        "extra ignored",
        "extra one shares",
        "a normal one ignored",
        "normal ones share",
        "triangle",
        "same direction",
        "partly represented",
        "other",
    ),
)


def importances(setting: Setting, ratio: ArrayLike) -> Array:
    """Return the importance of every feature (..., feature): 1, and `ratio` (...) for the last."""
    last = np.asarray(ratio, dtype=np.float64)[..., None]
    return np.concatenate([np.ones((*last.shape[:-1], setting.features - 1)), last], axis=-1)


def ideal_losses(setting: Setting, ratio: ArrayLike, density: ArrayLike) -> Array:
    """Return the losses of the ideal solutions (phase, ...), in the order of `setting.ideal`, mean over features."""
    r, p = np.broadcast_arrays(np.asarray(ratio, dtype=np.float64), np.asarray(density, dtype=np.float64))
    unknown, both = p / 3 - p**2 / 4, p**2 / 6
    total = {IGNORED: r * unknown, DEDICATED: unknown, SUPERPOSED: (1 + r) * both, NORMAL_PAIR: 2 * both}
    return np.stack([total[phase] for phase in setting.ideal]) / setting.features


def ideal_model(setting: Setting, phase: str, density: ArrayLike) -> tuple[Array, Array]:
    """Return `W` (..., hidden, feature) and `b` (..., feature) of an ideal solution; an ignored feature has b = p/2."""
    p = np.asarray(density, dtype=np.float64)
    columns = _COLUMNS[setting.features][phase]
    W = np.broadcast_to(columns, (*p.shape, *columns.shape)).copy()
    return W, np.where(np.abs(columns).sum(axis=0) > 0, 0.0, p[..., None] / 2)


_COLUMNS = {
    2: {
        IGNORED: np.array([[1.0, 0.0]]),
        DEDICATED: np.array([[0.0, 1.0]]),
        SUPERPOSED: np.array([[1.0, -1.0]]),
    },
    3: {
        IGNORED: np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        DEDICATED: np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
        SUPERPOSED: np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
        NORMAL_PAIR: np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]),
    },
}


def predicted(setting: Setting, ratio: ArrayLike, density: ArrayLike) -> NDArray[np.int64]:
    """Return the number of the phase whose ideal solution has the lowest loss (...)."""
    numbers = np.array([setting.index(phase) for phase in setting.ideal])
    chosen: NDArray[np.int64] = numbers[ideal_losses(setting, ratio, density).argmin(axis=0)]
    return chosen


def boundary(setting: Setting, ratio: ArrayLike) -> Array:
    """Return the density below which all features share the dimensions, by the closed forms (...).

    `r (1/3 - p/4) = (1 + r) p/6` gives `p = 4r / (5r + 2)` for r <= 1. Beyond, one dimension fewer is left for the
    normal features: `1/3 - p/4 = (1 + r) p/6` gives `4 / (5 + 2r)` with two features, and with three
    `1/3 - p/4 = p/3` gives 4/7, because two normal features can pair up. All meet at r = 1, p = 4/7.
    """
    r = np.asarray(ratio, dtype=np.float64)
    beyond = 4 / (5 + 2 * r) if setting.features == 2 else np.full(r.shape, TRIPLE_POINT[1])
    return np.asarray(np.where(r <= 1, 4 * r / (5 * r + 2), beyond))


def stability_limit(density: ArrayLike) -> Array:
    """Return the ratio up to which ignoring the extra feature is a local minimum, with two features (...).

    Let the ignored feature in as `W = (1 + delta, -epsilon)` and let the other output's bias follow as `beta epsilon`.
    To second order in epsilon its own output gains `r V`, `V = p/3 - p^2/4`, and the other one loses

        c = p [V + (beta - p/2)^2 / 4] + (1 - p) [(1 - p) beta^2 + p beta^3 / 3],

    delta being at its best; the last bracket is what the ReLU lets through when feature 1 is absent. The best beta
    solves `p (1 - p) beta^2 + [p/2 + 2 (1 - p)^2] beta = p^2/4`. The solution is stable for `r < c / V`, which is 1 at
    p = 1 and tends to p for rare features.
    """
    p = np.asarray(density, dtype=np.float64)
    square, slope = p * (1 - p), p / 2 + 2 * (1 - p) ** 2
    # The root that stays finite as the square term vanishes.
    beta = (p**2 / 2) / (slope + np.sqrt(slope**2 + square * p**2))
    V = p / 3 - p**2 / 4
    cost = p * (V + (beta - p / 2) ** 2 / 4) + (1 - p) * ((1 - p) * beta**2 + p * beta**3 / 3)
    return np.asarray(cost / V)


def boundary_distance(setting: Setting, ratio: ArrayLike, density: ArrayLike, points: int = 2001) -> Array:
    """Return the distance of (ratio, density) to the nearest closed-form boundary, in decades of the log-log map (...).

    Besides `boundary` there is the line r = 1: above p = 4/7 with two features, everywhere with three.
    """
    where = np.stack(np.broadcast_arrays(np.log10(ratio), np.log10(density)), axis=-1)
    r = np.geomspace(0.01, 100, points)
    curve = np.stack([np.log10(r), np.log10(boundary(setting, r))], axis=-1)
    lowest = TRIPLE_POINT[1] if setting.features == 2 else 1e-3
    wall = np.stack([np.zeros(points), np.log10(np.geomspace(lowest, 1.0, points))], axis=-1)
    distance = np.full(where.shape[:-1], np.inf)
    for point in np.concatenate([curve, wall]):
        distance = np.minimum(distance, np.hypot(*np.moveaxis(where - point, -1, 0)))
    return distance


def classify(setting: Setting, W: ArrayLike) -> NDArray[np.int64]:
    """Return the number of the phase of each model (...), from `W` (..., hidden, feature) alone.

    A feature is ignored below `ABSENT_NORM` and represented above `REPRESENTED_NORM`. With exactly one ignored feature
    and the rest orthogonal, the phase is "ignored" if it is the extra one and "dedicated" if it is a normal one; with
    exactly one partly represented feature it is "partial". With all represented: "confused" if two point the same way,
    "triangle" if all three repel each other, and a pair is "superposed" if the extra feature is in it.
    """
    length, cosine = norms(W), cosines(W)
    represented = length > REPRESENTED_NORM
    phase = np.full(length.shape[:-1], setting.index(OTHER))
    for feature in range(setting.features):
        rest = np.delete(np.arange(setting.features), feature)
        others = represented[..., rest].all(-1) & _orthogonal(cosine, rest)
        extra = feature == setting.features - 1
        phase[others & (length[..., feature] < ABSENT_NORM)] = setting.index(IGNORED if extra else DEDICATED)
        between = (length[..., feature] >= ABSENT_NORM) & ~represented[..., feature]
        phase[represented[..., rest].all(-1) & between] = setting.index(PARTIAL)
    everything = represented.all(-1)
    for name, shape in _shapes(setting, cosine).items():
        phase[everything & shape] = setting.index(name)
    return phase


def _orthogonal(cosine: Array, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the chosen features are orthogonal to each other (...); a single one is."""
    size = np.abs(cosine[..., chosen[:, None], chosen])
    flags: NDArray[np.bool_] = np.where(np.eye(len(chosen), dtype=bool), 0.0, size).max(axis=(-1, -2)) < ORTHOGONAL
    return flags


def _shapes(setting: Setting, cosine: Array) -> dict[str, NDArray[np.bool_]]:
    """Return which models have each arrangement of represented features (...), by cosines."""
    if setting.features == 2:
        return {SUPERPOSED: cosine[..., 0, 1] < 0, CONFUSED: cosine[..., 0, 1] > 0}
    sides = np.stack([cosine[..., 0, 1], cosine[..., 0, 2], cosine[..., 1, 2]])
    pair = sides < ANTIPODAL
    orthogonal = np.abs(sides) < ORTHOGONAL
    return {
        CONFUSED: (sides > ORTHOGONAL).any(0),
        TRIANGLE: (sides < -ORTHOGONAL).all(0) & ~pair.any(0),
        NORMAL_PAIR: pair[0] & orthogonal[1] & orthogonal[2],
        SUPERPOSED: (pair[1] & orthogonal[0] & orthogonal[2]) | (pair[2] & orthogonal[0] & orthogonal[1]),
    }
