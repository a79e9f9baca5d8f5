"""Models that met a non-finite number: refused by default, because a mean over the others is of a selected sample."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.errors import ReportError
from experiments.core.training.problem import Problem
from experiments.core.training.specification import Trained

Array = NDArray[np.int64]

LISTED = 3
"""How many diverged models the error names."""


class DivergedError(ReportError):
    """Some models diverged: says how many, at which settings, and what to do."""


def refuse_diverged(problem: Problem, trained: Trained) -> None:
    """Raise `DivergedError` if any model diverged."""
    numbers = np.flatnonzero(trained.diverged)
    if not numbers.size:
        return
    raise DivergedError(_message(problem, trained, numbers))


def _message(problem: Problem, trained: Trained, numbers: Array) -> str:
    listed = "; ".join(_described(problem, trained, int(number)) for number in numbers[:LISTED])
    more = f"; and {numbers.size - LISTED} more" if numbers.size > LISTED else ""
    return (
        f"{numbers.size} of {problem.instances} models diverged ({listed}{more}); lower the learning rate or add a "
        'warmup, or pass diverged="keep" to train and report how many models are left out'
    )


def _described(problem: Problem, trained: Trained, number: int) -> str:
    density, rate = problem.density[number], problem.learning_rate[number]
    span = f"{density[0]:g}" if (density == density[0]).all() else f"{density.min():g} to {density.max():g}"
    return (
        f"instance {number} after {trained.stopped_at[number]} steps: "
        f"density {span}, learning rate {rate:g}, seed {problem.seeds[number]}"
    )
