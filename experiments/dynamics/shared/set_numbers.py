"""What a page quotes of the ways of two sets of three features into three dimensions, from the courses of all seeds."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.core.quantities import Quantity, bootstrap, exact, median, share
from experiments.dynamics.shared.courses import runs_of
from experiments.dynamics.shared.set_stages import STAGES, USED, at_stage, levels_of, stay, told

Array = NDArray[Any]


@dataclass(frozen=True)
class Numbers:
    """Shares of seeds by what happens on their way, medians over seeds, and exact losses of models held at each stage
    (`level_*`, in thousandths)."""

    octahedron: Quantity
    near_best: Quantity
    plateaus: Quantity
    three_plateaus: Quantity
    rank_in_order: Quantity
    rank_one: Quantity
    overlap: Quantity
    paths: Quantity
    all_paths: Quantity
    most_frequent: Quantity
    one_axis: Quantity
    two_lines: Quantity
    early_same_side: Quantity
    early_opposite: Quantity
    early_one_set: Quantity
    level_nothing: Quantity
    level_same_side: Quantity
    level_line: Quantity
    level_lines: Quantity
    level_split: Quantity
    level_octahedron: Quantity
    lines_error: Quantity
    seeds: Quantity


class Courses(NamedTuple):
    """Courses of all seeds, as in the result, in float64."""

    steps: NDArray[np.int64]
    loss: Array
    singular: Array
    stage: NDArray[np.int64]
    overlap: Array

    def stayed(self, stage: int) -> NDArray[np.bool_]:
        """Return whether each seed is in a stage for at least a tenth of a decade, (seed,)."""
        return np.asarray((self.stage == stage).sum(1) >= stay(self.steps))


def numbers_of(courses: Courses, paths: list[tuple[int, ...]], levels: dict[str, float]) -> Numbers:
    """Return all that the page quotes; `paths` (seed,) are the stages of each seed in order."""
    kinds, taken = np.unique([told(path) for path in paths], return_inverse=True)
    counts = np.bincount(taken)
    steps, loss = courses.steps, courses.loss
    flat = np.array([levels_of(np.log(row), np.log10(steps)) for row in loss])
    ranks = [runs_of(row, stay(steps)) for row in (courses.singular > USED).sum(-1)]
    lines_error = np.abs(at_stage(loss, courses.stage, 4) / levels["a line for each set"] - 1)
    return Numbers(
        octahedron=share(courses.stage[:, -1] == len(STAGES) - 1),
        near_best=share(loss[:, -1] < 1.02 * levels["octahedron"]),
        plateaus=median(flat),
        three_plateaus=share(flat >= 3),
        rank_in_order=share([rank == (0, 1, 2, 3) for rank in ranks]),
        rank_one=share([1 in rank for rank in ranks]),
        overlap=median(courses.overlap),
        paths=exact(int((counts >= 0.05 * len(loss)).sum()), method="paths of at least 5 % of seeds"),
        all_paths=exact(len(kinds), method="a count"),
        most_frequent=bootstrap(lambda k: float(np.bincount(taken[k]).max() / len(k)), len(loss)),
        one_axis=share(courses.stayed(6)),
        two_lines=share(courses.stayed(4)),
        early_same_side=share(courses.stayed(1)),
        early_opposite=share(courses.stayed(2)),
        early_one_set=share(courses.stayed(3)),
        level_nothing=exact(1e3 * levels["nothing"]),
        level_same_side=exact(1e3 * levels["one line, same side"]),
        level_line=exact(1e3 * levels["one line"]),
        level_lines=exact(1e3 * levels["a line for each set"]),
        level_split=exact(1e3 * levels["one split off"]),
        level_octahedron=exact(1e3 * levels["octahedron"]),
        lines_error=median(lines_error),
        seeds=exact(len(loss), method="set-up"),
    )
