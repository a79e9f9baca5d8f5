"""A scheduler, and workers in processes of their own."""

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def scheduler() -> Iterator[Any]:
    """A scheduler of this process, without workers."""
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    gc.collect()  # a client of an earlier test that is collected while a loop starts waits for that loop for ever
    with begun() as found:
        yield found


def begun() -> Any:
    """Begin a scheduler; dask gives its thread ten seconds to start, which a machine with other work may not."""
    from distributed import LocalCluster

    for _ in range(2):
        with suppress(AssertionError):
            return LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", processes=True)
    return LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", processes=True)


@pytest.fixture
def hire(scheduler, clean_environment) -> Iterator[Callable[..., None]]:
    """Start a worker in a folder (`plain`: as a batch system does), and wait until there are `count`.

    `after` is code that the worker runs first.
    """
    processes = []

    def start(root: Path, count: int = 1, *, plain: bool = False, after: str = "") -> None:
        address = scheduler.scheduler_address
        ours = ["worker", address, "--device", "cpu"]
        theirs = ["-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        begun = ["-c", f"{after}\nfrom site_builder.cli import app\napp()"] if after else ["-m", "site_builder"]
        command = [sys.executable, *(theirs if plain else begun + ours)]
        processes.append(
            subprocess.Popen(
                command, cwd=root, env=clean_environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    yield start
    for process in processes:
        process.kill()
        process.wait()
