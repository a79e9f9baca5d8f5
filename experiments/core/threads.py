"""One thread for linear algebra, so that results do not depend on how many cores there are."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numba
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


def in_parallel(work: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """Return `work` of each part, in order, on all cores; each part alone decides its own result."""
    with ThreadPoolExecutor(max(1, min(numba.get_num_threads(), len(parts)))) as pool:
        return list(pool.map(work, parts))
