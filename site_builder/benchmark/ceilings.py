"""What this machine can do at best, measured in the same run: multiply-adds and random numbers per second."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import TILE, draw_row, lane_states

REPEATS = 7
MATRIX = {"cpu": (256, 512, 1024), "cuda": (4096, 8192)}
DRAWS = {"cpu": 1 << 22, "cuda": 1 << 28}


def multiply_adds_per_second(device: str) -> float:
    """Return the rate of the fastest of some float32 matrix products, without reduced precision."""
    return max(_product_rate(size, device) for size in MATRIX[device])


def draws_per_second(device: str, threads: int) -> float:
    """Return the rate of the fastest plain generation of random numbers there is here.

    On a GPU that is `torch.rand`; on a CPU `torch.rand`, or a vectorised xoshiro128++ on every core.
    """
    rates = [_rand_rate(device)]
    if device == "cpu":
        rates.append(_lanes_rate(threads))
    return max(rates)


def _product_rate(size: int, device: str) -> float:
    a, b = torch.rand(2, size, size, device=device)
    out = torch.empty_like(a)
    return size**3 / _fastest(lambda: torch.mm(a, b, out=out), device)


def _rand_rate(device: str) -> float:
    out = torch.empty(DRAWS[device], device=device)
    return DRAWS[device] / _fastest(lambda: torch.rand(DRAWS[device], out=out), device)


def _lanes_rate(threads: int) -> float:
    states = lane_states(np.arange(threads, dtype=np.uint64))
    rounds = DRAWS["cpu"] // TILE

    def fill(state: NDArray[np.uint32]) -> None:
        _fill(state, np.empty(TILE, np.int32), rounds)

    with ThreadPoolExecutor(threads) as pool:
        return threads * rounds * TILE / _fastest(lambda: list(pool.map(fill, states)), "cpu")


def _fastest(work: Callable[[], Any], device: str) -> float:
    """Return the least seconds of one `work`."""
    seconds = []
    for _ in range(REPEATS + 1):
        began = perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(perf_counter() - began)
    return min(seconds[1:])  # the first one may compile or allocate


def _compiled(function: Callable[..., None]) -> Any:
    return njit(nogil=True, cache=True, error_model="numpy")(function)


@_compiled
def _fill(state, draws, rounds):  # type: ignore[no-untyped-def]
    for _ in range(rounds):
        draw_row(state, draws, np.uintp(0))  # type: ignore[no-untyped-call]
