"""One thread for linear algebra, so that results do not depend on how many cores there are."""

import os
import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numba
import numpy as np
import torch
from threadpoolctl import threadpool_limits

Part = TypeVar("Part")
Found = TypeVar("Found")


@contextmanager
def one_thread() -> Iterator[None]:
    """Run numpy's and torch's products in one thread each; `in_parallel` may still run several of them at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run one experiment: linear algebra in one thread, and the state of the process as every experiment finds it.

    What an experiment changes for the whole process (torch's default type, numpy's handling of errors, global
    generators, filters of warnings, the environment, the working folder) is as before when it is over, however it ends.
    """
    environment, folder = dict(os.environ), os.getcwd()
    kind, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    drawn, numpy_drawn, torch_drawn = random.getstate(), np.random.get_state(), torch.random.get_rng_state()  # noqa: NPY002
    try:
        with np.errstate(), warnings.catch_warnings(), one_thread():
            yield
    finally:
        torch.set_default_dtype(kind)
        torch.set_float32_matmul_precision(precision)
        random.setstate(drawn)
        np.random.set_state(numpy_drawn)  # noqa: NPY002
        torch.random.set_rng_state(torch_drawn)
        os.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)


def in_parallel(work: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """Return `work` of each part, in order, on all cores; each part alone decides its own result."""
    with ThreadPoolExecutor(max(1, min(numba.get_num_threads(), len(parts)))) as pool:
        return list(pool.map(work, parts))
