"""The distribution of the data, in plain numpy: the definition that fused kernels are tested against."""

import numpy as np
from numpy.typing import NDArray

from experiments.core.training.problem import CORRELATED, UNCOUPLED, Problem
from experiments.core.training.seeds import DATA, FIXED, SHUFFLE, stream


def draw(problem: Problem, instance: int, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Return `count` fresh samples of one instance: (count, feature), 0 where a feature is absent."""
    shape = (count, problem.model.features)
    present = generator.random(shape, dtype=np.float32) < problem.density[instance]
    if problem.coupling != UNCOUPLED:
        _couple(problem, instance, present, generator)
    values = generator.random(shape, dtype=np.float32)
    if problem.data.signed:
        values = 2 * values - 1
    return np.where(present, values, np.float32(0))


def _couple(problem: Problem, instance: int, present: NDArray[np.bool_], generator: np.random.Generator) -> None:
    """Overwrite, in place, the presence of the members of every group that a sample couples."""
    for number in range(len(problem.group_starts) - 1):
        members = problem.group_members[problem.group_starts[number] : problem.group_starts[number + 1]]
        coupled = generator.random(len(present), dtype=np.float32) < problem.strength[instance]
        shared = generator.random((len(present), 1))
        density = float(problem.density[instance, members[0]])
        # Anticorrelated members own neighbouring intervals of one uniform draw, each as long as the density.
        place = np.zeros(1) if problem.coupling == CORRELATED else np.arange(len(members))
        together = (shared >= place * density) & (shared < (place + 1) * density)
        present[:, members] = np.where(coupled[:, None], together, present[:, members])


def fixed_data_sets(problem: Problem, instances: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the fixed data sets of some instances, (instance, sample, feature), the same for every backend."""
    count = problem.data.fixed_samples
    if count is None:
        raise ValueError("fixed_samples is None: this problem has no fixed data set")
    return np.stack([draw(problem, int(i), count, stream(problem.seeds[i], FIXED)) for i in instances])


class Batches:
    """The batches of all instances, step by step, as the reference backend draws them.

    Fresh batches come from each instance's own stream; a finite data set is visited in epochs, in an
    order shuffled per instance, the last batch of an epoch being smaller when the sizes do not divide.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._fresh = [stream(seed, DATA) for seed in problem.seeds]
        self._shuffle = [stream(seed, SHUFFLE) for seed in problem.seeds]
        self._sets = _finite_sets(problem)
        self._orders: list[NDArray[np.int64]] = []
        self._position = 0

    def next(self) -> NDArray[np.float32]:
        """Return the next batch of every instance: (instance, batch, feature)."""
        if self._sets is None:
            batch = self._problem.recipe.batch
            return np.stack([draw(self._problem, i, batch, g) for i, g in enumerate(self._fresh)])
        return self._next_of_epoch(self._sets)

    def _next_of_epoch(self, sets: NDArray[np.float32]) -> NDArray[np.float32]:
        count = sets.shape[1]
        if not self._orders or self._position >= count:
            shuffle = self._problem.data.shuffle
            self._orders = [g.permutation(count) if shuffle else np.arange(count) for g in self._shuffle]
            self._position = 0
        chosen = slice(self._position, self._position + self._problem.recipe.batch)
        self._position += self._problem.recipe.batch
        return np.stack([sets[i, order[chosen]] for i, order in enumerate(self._orders)])


def _finite_sets(problem: Problem) -> NDArray[np.float32] | None:
    if problem.samples is not None:
        return np.broadcast_to(problem.samples, (problem.instances, *problem.samples.shape))
    if problem.data.fixed_samples is None:
        return None
    return fixed_data_sets(problem, np.arange(problem.instances))
