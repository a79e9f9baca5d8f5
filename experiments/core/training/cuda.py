"""The CUDA backend: fused Triton kernels where a model fits on chip, a captured graph where it does not.

Either path draws with the same kernels from the same counters, so they train on the same batches. Numbers do
not depend on how steps are cut into launches; those of the fused path depend on no other instance either, while
a batched product may sum in another order for another number of instances, as in the reference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from experiments.core import progress
from experiments.core.training.cuda_inputs import Visits
from experiments.core.training.problem import Problem
from experiments.core.training.reference import Parameters, to_parameters, to_weights
from experiments.core.training.specification import Trained, Weights

REGISTER_WEIGHTS = 32
"""Most weights of a model whose whole state one warp keeps in registers (255 per thread) without spilling."""
LAUNCH_STEPS = 1000
"""Most steps of one launch, so that progress shows."""
LAUNCH_ROWS = 2**26
"""Most row numbers of data sets, over all instances, that one launch is given (256 MB)."""


@dataclass
class State:
    """Weights and Adam's moments on the device, changed in place.

    `stopped` (instance,) int32 holds the steps done when an instance diverged, -1 while it is healthy.
    """

    weights: Parameters
    first: Parameters
    second: Parameters
    stopped: Tensor

    @classmethod
    def start(cls, problem: Problem, device: str) -> "State":
        """Return the state before the first step."""
        weights = to_parameters(problem.start, device)
        first, second = ({name: torch.zeros_like(value) for name, value in weights.items()} for _ in range(2))
        return cls(weights, first, second, torch.full((problem.instances,), -1, dtype=torch.int32, device=device))


class Stepper(Protocol):
    """A way to take steps: `advance(first, last)` takes steps `first` to `last`, each call going on from the last."""

    def advance(self, first: int, last: int) -> None: ...


def fits_on_chip(problem: Problem) -> bool:
    """Return whether one program can keep a whole model in registers and the fused kernel covers its options."""
    model = problem.model
    covered = problem.plain and model.target != "relu"
    return covered and model.features * model.hidden <= REGISTER_WEIGHTS


def train_cuda(problem: Problem, device: str) -> Trained:
    """Train every instance on `device` (a CPU device works in Triton's interpreter mode, for tests)."""
    state = State.start(problem, device)
    stepper = _stepper(problem, state, device)
    kept: dict[int, Weights] = {}
    recipe = problem.recipe
    for first, last in launches(problem):
        if first in recipe.snapshots:
            kept[first] = to_weights(state.weights)
        stepper.advance(first, last)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        progress.advance("training", last / recipe.steps)
    kept[recipe.steps] = to_weights(state.weights)
    stopped = state.stopped.cpu().numpy().astype(np.int64)
    return Trained(
        weights=kept[recipe.steps],
        steps=tuple(recipe.snapshots),
        snapshots=tuple(kept[step] for step in recipe.snapshots),
        diverged=stopped >= 0,
        stopped_at=np.where(stopped >= 0, stopped, recipe.steps),
        backend="cuda",
        device=device,
        threads=1,
    )


def launches(problem: Problem) -> Iterator[tuple[int, int]]:
    """Yield (first, last) steps of every launch: cut at snapshots and after a bounded amount of work."""
    recipe = problem.recipe
    most = LAUNCH_STEPS
    if problem.samples_per_epoch is not None and problem.data.shuffle:
        most = min(most, max(1, LAUNCH_ROWS // (problem.instances * recipe.batch)))
    cuts = sorted({*recipe.snapshots, *range(0, recipe.steps, most), 0, recipe.steps})
    yield from pairwise(cuts)


def _stepper(problem: Problem, state: State, device: str) -> Stepper:
    # Imported late: triton is there only where the CUDA build of torch brought it.
    from experiments.core.training.cuda_batched import Batched
    from experiments.core.training.cuda_fused import Fused

    visits = Visits(problem, device)
    if fits_on_chip(problem):
        return Fused(problem, state, visits, device)
    return Batched(problem, state, visits, device)
