"""A cluster gives the same bytes as this machine, survives the loss of a worker, and refuses what differs."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.core.errors import ReportError
from site_builder.running.cluster import FAILED, MEMBERS, packed, unpacked
from site_builder.store.entries import digests

distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # dask leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SINE = "experiments/waves/sine.py"
DIES_ONCE = """    import os
    from pathlib import Path
    if not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), 9)
    wave = signals"""


@pytest.fixture
def scheduler() -> Iterator[Any]:
    """A scheduler of this process, without workers."""
    with distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", processes=True) as found:
        yield found


@pytest.fixture
def hire(scheduler, clean_environment) -> Iterator[Callable[..., None]]:
    """Start a worker, a process of its own, in a folder; wait until there are `count`."""
    processes = []

    def start(root: Path, count: int = 1) -> None:
        address = scheduler.scheduler_address
        command = [sys.executable, "-m", "site_builder", "worker", address, "--device", "cpu"]
        processes.append(
            subprocess.Popen(
                command, cwd=root, env=clean_environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        )
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    yield start
    for process in processes:
        process.kill()
        process.wait()


def results(tiny) -> dict[str, str]:
    """Return the digests of all stored results; how long a run took is none of them."""
    return {name: digest for name, digest in digests(tiny.project.results).items() if "/result." in name}


def test_a_cluster_gives_the_same_bytes(tiny, scheduler, hire):
    here = tiny.gather()
    alone = results(tiny)
    shutil.rmtree(tiny.project.results)
    hire(tiny.root)
    there = tiny.gather(cluster=scheduler.scheduler_address)
    assert there.problems == ()
    assert results(tiny) == alone != {}
    assert there.claims == here.claims
    assert tiny.drawn == []  # the figures are those that were drawn from the same results


def test_a_worker_with_other_code_refuses_and_names_the_difference(tiny, tmp_path, scheduler, hire):
    other = tmp_path / "other"
    shutil.copytree(tiny.root, other)
    (other / SINE).write_text((other / SINE).read_text().replace("config.periods, ", "config.periods + 0, "))
    hire(other)
    report = tiny.gather(cluster=scheduler.scheduler_address, only="sine")
    (problem,) = report.problems
    assert "every worker refused it" in problem.message
    assert "code experiments.waves.sine" in problem.message
    hire(tiny.root, count=2)
    assert tiny.gather(cluster=scheduler.scheduler_address, only="sine").problems == ()


def test_the_experiment_of_a_lost_worker_is_run_elsewhere(tiny, scheduler, hire):
    tiny.edit(SINE, "    wave = signals", DIES_ONCE)
    for count in (1, 2):
        hire(tiny.root, count)
    report = tiny.gather(cluster=scheduler.scheduler_address)
    assert (tiny.root / "died").exists()
    assert report.problems == ()
    assert set(report.runs) == {"waves.cosine", "waves.sine"}


def test_an_experiment_that_fails_there_is_told_as_if_it_had_failed_here(tiny, scheduler, hire):
    tiny.edit(SINE, "    wave = signals", "    1 / 0\n    wave = signals")
    here = tiny.gather().problems
    hire(tiny.root)
    assert tiny.gather(cluster=scheduler.scheduler_address).problems == here != ()


def test_a_cluster_without_workers_or_without_a_gpu_is_refused(tiny, scheduler, hire):
    with pytest.raises(ReportError, match="has no workers"):
        tiny.gather(cluster=scheduler.scheduler_address)
    hire(tiny.root)
    with pytest.raises(ReportError, match="offers the resource GPU"):
        tiny.gather(cluster=scheduler.scheduler_address, device="cuda")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere:x", "not an address"])
def test_an_address_where_nobody_answers_is_one_sentence(tiny, address, monkeypatch):
    monkeypatch.setattr("site_builder.running.cluster.PATIENCE", 0.5)
    with pytest.raises(ReportError, match="nobody answers"):
        tiny.gather(cluster=address)


@pytest.mark.parametrize("returned", [b"rubbish", packed("w", {"../escape": b""}), 3])
def test_only_files_of_a_result_are_taken(returned):
    with pytest.raises(ReportError, match="a worker sent"):
        unpacked(returned)


def test_what_is_packed_comes_out():
    files = dict.fromkeys(MEMBERS, b"x") | {FAILED: b"{}"}
    assert unpacked(packed("tcp://worker:1", files)) == ("tcp://worker:1", files)
