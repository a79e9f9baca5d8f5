"""What this machine can do at best, measured in the same run: multiply-adds and random numbers per second."""

# numba infers the types of kernel functions from their arguments.
# mypy: allow-untyped-defs, allow-untyped-calls

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from experiments.core.training.cpu_draws import T2, T3, TILE, T, jit, lane_states, next_draw

REPEATS = 7
MATRIX = {"cpu": (256, 512, 1024), "cuda": (4096, 8192)}
DRAWS = {"cpu": 1 << 22, "cuda": 1 << 28}


def multiply_adds_per_second(device: str) -> float:
    """Return the rate of the fastest of some float32 matrix products, without reduced precision."""
    return max(_product_rate(size, device) for size in MATRIX[device])


def draws_per_second(device: str, threads: int) -> float:
    """Return the rate of the fastest plain generation of random numbers there is here.

    On a GPU that is `torch.rand`; on a CPU `torch.rand`, or the trainer's own generator with nothing around it on
    every core.
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
    rounds = DRAWS["cpu"] // (8 * TILE)

    def fill(state: NDArray[np.uint32]) -> None:
        _fill(state, np.zeros(TILE, np.int32), rounds)

    with ThreadPoolExecutor(threads) as pool:
        return threads * rounds * 8 * TILE / _fastest(lambda: list(pool.map(fill, states)), "cpu")


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


@jit
def _fill(state, draws, rounds):
    """Draw `8 * rounds` numbers per lane and combine them, so that neither memory nor the compiler spares any."""
    for _ in range(rounds):
        for s in range(T):
            a, b, c, d = state[s], state[T + s], state[T2 + s], state[T3 + s]
            r0, a, b, c, d = next_draw(a, b, c, d)
            r1, a, b, c, d = next_draw(a, b, c, d)
            r2, a, b, c, d = next_draw(a, b, c, d)
            r3, a, b, c, d = next_draw(a, b, c, d)
            r4, a, b, c, d = next_draw(a, b, c, d)
            r5, a, b, c, d = next_draw(a, b, c, d)
            r6, a, b, c, d = next_draw(a, b, c, d)
            r7, a, b, c, d = next_draw(a, b, c, d)
            state[s], state[T + s], state[T2 + s], state[T3 + s] = a, b, c, d
            draws[s] ^= r0 ^ r1 ^ r2 ^ r3 ^ r4 ^ r5 ^ r6 ^ r7
