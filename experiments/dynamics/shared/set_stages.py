"""Stages on the way of two sets of three correlated features into three dimensions, read off the weights alone.

`W` is (..., 3, 6), features 0 to 2 are one set and 3 to 5 the other; `singular` (..., 3) are its singular values.
The stages are those of Elhage et al. 2022, "Superposition and Learning Dynamics":
the principal plane first, then the third dimension.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.core.losses.optimum import Family, minimise
from experiments.core.metrics import cosines
from experiments.dynamics.shared.courses import plateaus

Array = NDArray[Any]

SETS = ((0, 1, 2), (3, 4, 5))
"""The two sets; members of one are present together."""

USED = 0.5
"""A direction is in use when its singular value exceeds this: a third of its final value, the square root of two."""

SAME_LINE = 0.5
"""The two sets share a line when the cosine between their sums exceeds this in magnitude."""

ANTIPODAL = -0.95
"""Cosine below which two features are antipodal."""

FLAT = 0.3
"""Greatest slope of ln(loss) per decade of steps on a plateau; the whole fall has about 1.5 per decade."""

STAGES = (
    "nothing learned",
    "one line, same side",
    "one line, opposite sides",
    "one set alone",
    "a line for each set",
    "twisted triangles",
    "one axis",
    "octahedron",
)
"""What a model can be at a step, as numbered in `stages_of`.

From the third dimension on each set is a triangle; "one axis" has one antipodal pair of features, or two.
"""

SHORT = ("nothing", "same side", "opposite", "one set", "two lines", "twisted", "one axis", "octahedron")
"""The same for labels in a figure."""

OTHER_LEVEL = 0.1
"""Two plateaus count as one when their losses differ by less than this share: noise interrupts a plateau."""


def stages_of(W: Array, singular: Array) -> NDArray[np.int64]:
    """Return the number of the stage (...) in `STAGES` of models W (..., 3, 6) with these singular values (..., 3)."""
    used = (singular > USED).sum(-1)
    sums = np.stack([W[..., list(members)].sum(-1) for members in SETS], axis=-1)
    line = cosines(sums)[..., 0, 1]
    one = np.where(line > SAME_LINE, 1, np.where(line < -SAME_LINE, 2, 3))
    pairs = antipodal_pairs(W)
    return np.asarray(np.select([used == 0, used == 1, used == 2, pairs == 0, pairs < 3], [0, one, 4, 5, 6], 7))


def antipodal_pairs(W: Array) -> NDArray[np.int64]:
    """Return how many features of the first set are antipodal to one of the second (...), for W (..., 3, 6)."""
    across = cosines(W)[..., :3, 3:]
    return np.asarray((across < ANTIPODAL).any(-1).sum(-1))


def principal_overlap(W: Array, singular: Array, steps: NDArray[np.int64]) -> Array:
    """Return, per seed, how much of the model's row space lies in the plane of the data's two principal components.

    Those are the sums of the two sets. The row space is that of the directions in use, midway in log(step) between
    the first and the third coming into use; 1 when it lies in the plane, 1/3 on average for a random direction.
    """
    plane = np.zeros((6, 2))
    for column, members in enumerate(SETS):
        plane[list(members), column] = 1 / np.sqrt(3)
    found = []
    for model, values in zip(W, singular, strict=True):
        first, third = (int(np.argmax(values[:, k] > USED)) for k in (0, 2))
        middle = int(np.searchsorted(steps, np.sqrt(float(steps[first]) * float(steps[third]))))
        rows = np.linalg.svd(model[middle], full_matrices=False)[2][values[middle] > USED]
        found.append(float(((rows @ plane) ** 2).sum() / max(len(rows), 1)))
    return np.array(found)


def constrained_minima(sets: Array) -> dict[str, float]:
    """Return the least exact loss of a model held at each stage: within families linear in one length and one bias."""
    one, none, two, last = np.ones(3), np.zeros(3), np.array([1, 1, 0]) / np.sqrt(2), np.array([0, 0, 1])
    shapes = {
        "nothing": np.zeros((3, 6)),
        "one line, same side": np.stack([np.r_[one, one], np.r_[none, none], np.r_[none, none]]),
        "one line": np.stack([np.r_[one, -one], np.r_[none, none], np.r_[none, none]]),
        "a line for each set": np.stack([np.r_[one, none], np.r_[none, one], np.r_[none, none]]),
        "one split off": np.stack([np.r_[two, none], np.r_[none, two], np.r_[last, -last]]),
        "octahedron": np.concatenate([np.eye(3), -np.eye(3)], axis=1),
    }
    found = {}
    for name, columns in shapes.items():
        basis = np.stack([np.r_[columns.ravel(), np.zeros(6)], np.r_[np.zeros(18), np.ones(6)]])
        found[name] = float(minimise(Family(name, 3, 6, basis, np.array([0.6, 0.0])), sets=sets[None]).loss[0])
    return found


def stay(steps: NDArray[np.int64]) -> int:
    """Return how many snapshots make a tenth of a decade, the least that counts as a stay."""
    late = np.log10(steps[-1] / steps[-2])
    return max(2, round(0.1 / float(late)))


def told(path: tuple[int, ...]) -> str:
    """Return a sequence of stages in words, without the one in which nothing is learned."""
    return " \u2192 ".join(SHORT[stage] for stage in path if stage)


def standing(W: Array) -> Array:
    """Return W (time, 3, 6) turned, the same at all times, so that the last one stands on the axes as far as it can."""
    directions = np.concatenate([np.eye(3), -np.eye(3)], axis=1)
    across = cosines(W[-1])[:3, 3:]
    target = np.concatenate([np.eye(3), -np.eye(3)[:, np.argmin(across, axis=0)]], axis=1)
    left, _, right = np.linalg.svd((target if len(set(np.argmin(across, axis=0))) == 3 else directions) @ W[-1].T)
    return np.asarray(left @ right @ W)


def at_stage(loss: Array, stage: NDArray[np.int64], number: int) -> Array:
    """Return, for each seed that was in a stage, its loss midway through it."""
    places = [np.flatnonzero(row == number) for row in stage]
    return np.array([row[at[len(at) // 2]] for row, at in zip(loss, places, strict=True) if len(at)])


def levels_of(log_loss: Array, time: Array) -> int:
    """Return how many different levels the plateaus of one course have, the untrained and the final one included."""
    heights = [log_loss[first : last + 1].mean() for first, last in plateaus(log_loss, time, FLAT, 0.1)]
    return int(bool(heights)) + int((np.diff(heights) < -OTHER_LEVEL).sum())
