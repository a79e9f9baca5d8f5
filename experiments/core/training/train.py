"""The one way to train toy models, whichever backend does the work."""

from dataclasses import replace
from time import perf_counter
from typing import Literal

import torch

from experiments.core import pieces, progress
from experiments.core.errors import did_you_mean
from experiments.core.training.checks import SpecificationError
from experiments.core.training.divergence import refuse_diverged
from experiments.core.training.problem import Problem, resolve
from experiments.core.training.specification import Data, Model, Recipe, Trained

BACKENDS = ("auto", "reference", "cpu", "cuda")


def train(
    data: Data,
    model: Model,
    recipe: Recipe,
    instances: int | None = None,
    device: str = "cpu",
    backend: str = "auto",
    diverged: Literal["raise", "keep"] = "raise",
) -> Trained:
    """Train a batch of toy models and return their weights, one entry per instance.

    The number of instances follows from whatever has an instance axis (density, importance, strength,
    learning rate, start scale, seeds, given weights) or is asked for. `device` is "cpu" or "cuda";
    `backend="auto"` takes the fused kernel of the device, "reference" the plain definition.

    Raises `SpecificationError` (a `ValueError`) naming a field and its value before any work starts, and
    `DivergedError` when a model met a non-finite number. `diverged="keep"` returns such models marked: leave them
    out of every statistic and report how many there were. The result records the backend; so do the notes of the run.
    """
    chosen = choose_backend(device, backend)
    if diverged not in ("raise", "keep"):
        raise SpecificationError(f"diverged is {diverged!r}; known are raise, keep")
    problem = resolve(data, model, recipe, instances)
    progress.note("backend", chosen)
    began = perf_counter()
    trained = _run(problem, device, chosen)
    if diverged == "raise":
        refuse_diverged(problem, trained)
    return replace(trained, seconds=perf_counter() - began)


def choose_backend(device: str, backend: str) -> str:
    """Return the backend that will run: the fused kernel of the device unless one is named."""
    if backend not in BACKENDS:
        raise SpecificationError(f"no backend {backend!r}; known are {BACKENDS}{did_you_mean(backend, BACKENDS)}")
    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise SpecificationError(f"device is {device!r}; known are cpu and cuda")
    if kind == "cuda" and not torch.cuda.is_available():
        raise SpecificationError(f"device is {device!r}, but torch finds no CUDA device here; use 'cpu'")
    if backend == "cpu" and kind == "cuda":
        raise SpecificationError(f"backend 'cpu' cannot use device {device!r}; use backend 'auto'")
    if backend == "auto":
        return "cuda" if kind == "cuda" else "cpu"
    return backend


def _run(problem: Problem, device: str, backend: str) -> Trained:
    # Imported late: the fused backends pull in numba and Triton, which cost time and may be absent.
    if backend == "cpu":
        return _train_cpu(problem)
    if backend == "cuda":
        from experiments.core.training.cuda import train_cuda

        return train_cuda(problem, device)
    from experiments.core.training.reference import train_reference

    return train_reference(problem, device)


def _train_cpu(problem: Problem) -> Trained:
    """Train here, or in pieces where there is help; the bytes are the same."""
    from experiments.core.training import cut
    from experiments.core.training.cpu import train_cpu

    costs = cut.multiply_adds(problem)
    chosen = pieces.shares(costs)
    if len(chosen) == 1:
        return train_cpu(problem)
    given = [cut.cut(problem, each) for each in chosen]
    return cut.joined(problem, chosen, pieces.done(train_piece, given, [costs[each].sum() for each in chosen]))


def train_piece(data: Data, model: Model, recipe: Recipe) -> Trained:
    """Train a piece of a problem; it is for the whole to say what diverged."""
    return train(data, model, recipe, backend="cpu", diverged="keep")
