"""The CPU backend."""

from experiments.core.training.problem import Problem
from experiments.core.training.reference import train_reference
from experiments.core.training.specification import Trained


def train_cpu(problem: Problem) -> Trained:
    """Train on the CPU."""
    return train_reference(problem, "cpu")
