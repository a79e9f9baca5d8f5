"""The fused path of the CUDA backend: one launch takes many steps, one warp per model."""

from typing import Any

import torch

from experiments.core.training import cuda_kernels
from experiments.core.training.cuda_inputs import Visits, data_set, draws, step_factors
from experiments.core.training.problem import Problem

TILE = 32
"""Samples a warp takes at once: one per thread, four times over in fresh batches (one per word of a draw)."""


class Fused:
    """Steps of `cuda_kernels.train` on a state (see `cuda.State`)."""

    def __init__(self, problem: Problem, state: Any, visits: Visits, device: str) -> None:
        self._problem, self._state, self._visits = problem, state, visits
        self._draws = draws(problem, device)
        self._samples = data_set(problem, device)
        self._factors = torch.from_numpy(step_factors(problem)).to(device)
        self._importance, self._rate = (
            torch.tensor(array, device=device) for array in (problem.importance, problem.learning_rate)
        )

    def advance(self, first: int, last: int) -> None:
        """Take steps `first` to `last` in one launch."""
        rows = self._visits.rows(first, last)
        state, draw, recipe = self._state, self._draws, self._problem.recipe
        moments = (values[name] for name in "Wb" for values in (state.weights, state.first, state.second))
        words = (draw.key, draw.threshold, draw.scale, draw.offset, draw.low, draw.high, draw.reach)
        cuda_kernels.train[(self._problem.instances,)](
            *moments, state.stopped, self._importance, self._rate, *words,
            self._samples, self._samples.stride(0) if len(self._samples) > 1 else 0,
            rows.order, rows.order.stride(0) if len(rows.order) > 1 else 0, rows.spans,
            self._factors, first, last - first,
            recipe.beta1, recipe.beta2, 1 - recipe.beta1, 1 - recipe.beta2, recipe.epsilon, recipe.weight_decay,
            num_warps=1, **self._constants(),
        )  # fmt: skip

    def _constants(self) -> dict[str, Any]:
        """Return what the kernel is compiled for."""
        model = self._problem.model
        fresh = self._problem.samples_per_epoch is None
        return {
            "N": model.features,
            "D": model.hidden,
            "TILE": TILE,
            "FRESH": fresh,
            "GROUP_OF": self._draws.group_of,
            "GROUP_COUNT": self._draws.groups,
            "SIGNED": self._draws.signed,
            "RELU": model.output == "relu",
            "ABSOLUTE": model.target == "absolute",
            "MASKED": not fresh or self._problem.recipe.batch % (4 * TILE) != 0,
        }
