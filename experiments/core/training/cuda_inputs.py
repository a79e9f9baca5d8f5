"""A problem as the tensors the CUDA kernels read: thresholds of the draws, step tables, orders of a data set."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.core.training.problem import CORRELATED, UNCOUPLED, Problem
from experiments.core.training.sampling import fixed_data_sets
from experiments.core.training.seeds import DATA, SHUFFLE, stream, stream_key

WORDS = 2.0**32
"""Number of values of a 32-bit random word."""


@dataclass(frozen=True)
class Draws:
    """How random words become features; see `cuda_kernels.sparse`. Words are held as int32 bit patterns.

    `key` (instance,) int64. A feature is present if its word is at most `threshold` (instance, feature),
    and its value is word * scale + offset. In group `group_of[feature]` (-1: none) and if the group's
    word is at most `reach` (instance,), the group is coupled: then a feature is present if the group's
    word lies in [low, high] (instance, feature), an empty interval where low > high.
    """

    key: Tensor
    threshold: Tensor
    scale: Tensor
    offset: Tensor
    low: Tensor
    high: Tensor
    reach: Tensor
    group_of: tuple[int, ...]
    signed: bool

    @property
    def groups(self) -> int:
        """Number of groups."""
        return max(self.group_of, default=-1) + 1


def draws(problem: Problem, device: str) -> Draws:
    """Return the tables of a problem's fresh draws on `device`."""
    below = np.ceil(problem.density.astype(np.float64) * WORDS)
    low, high, group_of = _intervals(problem)
    values = np.where(below > 0, (2.0 if problem.data.signed else 1.0) / np.maximum(below, 1), 0.0)
    offset = np.where((below > 0) & problem.data.signed, -1.0, 0.0)
    keys = np.array([stream_key(seed, DATA) for seed in problem.seeds], dtype=np.uint64)
    return Draws(
        key=torch.from_numpy(keys.view(np.int64)).to(device),
        threshold=_last_word(below, device),
        scale=torch.tensor(values, dtype=torch.float32, device=device),
        offset=torch.tensor(offset, dtype=torch.float32, device=device),
        low=_word(low, device),
        high=_word(high, device),
        reach=_last_word(np.ceil(problem.strength.astype(np.float64) * WORDS), device),
        group_of=group_of,
        signed=problem.data.signed,
    )


def _intervals(problem: Problem) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, ...]]:
    """Return first and last word (instance, feature) of each member's share of its group's word, and the groups.

    The group's word is at most `reach` when it is coupled, so the shares are laid out in [0, strength).
    """
    first, end = (np.zeros(problem.density.shape) for _ in range(2))
    group_of = np.full(problem.model.features, -1)
    if problem.coupling != UNCOUPLED:
        for number, begin in enumerate(problem.group_starts[:-1]):
            members = problem.group_members[begin : problem.group_starts[number + 1]]
            group_of[members] = number
            place = np.zeros(1) if problem.coupling == CORRELATED else np.arange(len(members))
            width = (problem.density[:, members] * problem.strength[:, None]).astype(np.float64) * WORDS
            first[:, members], end[:, members] = np.ceil(place * width), np.ceil((place + 1) * width)
    empty = end <= first
    return np.where(empty, 1.0, first), np.where(empty, 0.0, end - 1), tuple(int(g) for g in group_of)


def _last_word(below: NDArray[np.float64], device: str) -> Tensor:
    """Return the last of the first `below` words; the word 0 where there is none."""
    return _word(below - 1, device)


def _word(value: NDArray[np.float64], device: str) -> Tensor:
    words = np.clip(value, 0, WORDS - 1).astype(np.uint32)
    return torch.from_numpy(np.ascontiguousarray(words).view(np.int32)).to(device)


def step_factors(problem: Problem) -> NDArray[np.float32]:
    """Return per step the rate factor r, r / (1 - beta1^t) and 1 / sqrt(1 - beta2^t), t from 1: (step, 3)."""
    t = np.arange(1, problem.recipe.steps + 1, dtype=np.float64)
    first, second = 1 - problem.recipe.beta1**t, 1 - problem.recipe.beta2**t
    return np.stack([problem.rates, problem.rates / first, 1 / np.sqrt(second)], axis=1).astype(np.float32)


@dataclass(frozen=True)
class Rows:
    """Which rows of a data set the steps of one launch visit.

    `order` (instance or 1, row) int32 numbers the samples to visit one after the other; step k of the
    launch takes `spans[k] = (first row, number of rows)` of it. Fresh batches need only the number.
    """

    order: Tensor
    spans: Tensor


class Visits:
    """Orders of a finite data set, the same as the reference backend's; consecutive steps only."""

    def __init__(self, problem: Problem, device: str) -> None:
        self._device = device
        self._batch = problem.recipe.batch
        self._count = problem.samples_per_epoch
        self._shuffled = problem.data.shuffle
        self._generators = [stream(seed, SHUFFLE) for seed in problem.seeds] if self._count else []
        self._epoch = -1
        self._current: NDArray[np.int32] = np.empty((1, 0), np.int32)

    @property
    def steps_per_epoch(self) -> int | None:
        """Steps that visit the whole data set once, or `None` when every batch is fresh."""
        return None if self._count is None else -(-self._count // self._batch)

    def rows(self, first: int, last: int) -> Rows:
        """Return the rows of steps `first` to `last`; each call starts where the one before ended."""
        if self._count is None or self.steps_per_epoch is None:
            spans = np.tile(np.array([[0, self._batch]], np.int32), (last - first, 1))
            return self._on_device(np.zeros((1, 1), np.int32), spans)
        epoch, place = np.divmod(np.arange(first, last), self.steps_per_epoch)
        epochs = range(int(epoch[0]), int(epoch[-1]) + 1)
        orders = np.concatenate([self._order(number, self._count) for number in epochs], axis=1)
        starts = (epoch - epoch[0]) * self._count + place * self._batch
        sizes = np.minimum(self._batch, self._count - place * self._batch)
        spans = np.stack([starts - starts[0], sizes], axis=1).astype(np.int32)
        return self._on_device(orders[:, starts[0] : starts[-1] + sizes[-1]], spans)

    def _order(self, epoch: int, count: int) -> NDArray[np.int32]:
        if not self._shuffled:
            return np.arange(count, dtype=np.int32)[None]
        if epoch > self._epoch:
            orders = [generator.permutation(count) for generator in self._generators]
            self._current, self._epoch = np.stack(orders).astype(np.int32), epoch
        return self._current

    def _on_device(self, order: NDArray[np.int32], spans: NDArray[np.int32]) -> Rows:
        order, spans = np.ascontiguousarray(order), np.ascontiguousarray(spans)
        return Rows(torch.from_numpy(order).to(self._device), torch.from_numpy(spans).to(self._device))


def data_set(problem: Problem, device: str) -> Tensor:
    """Return the finite data set (instance or 1, sample, feature); a single 0 when every batch is fresh."""
    if problem.samples is not None:
        return torch.from_numpy(problem.samples[None].copy()).to(device)
    if problem.data.fixed_samples is None:
        return torch.zeros((1, 1, 1), device=device)
    return torch.from_numpy(fixed_data_sets(problem, np.arange(problem.instances))).to(device)
