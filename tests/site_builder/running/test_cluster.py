"""A cluster gives the same bytes as this machine, survives the loss of a worker, and refuses what differs."""

import shutil
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.base.options import Options
from site_builder.discovery.registry import discover
from site_builder.results import runs
from site_builder.running.cluster_worker import FAILED, MEMBERS, packed, run_on_worker, unpacked
from site_builder.store.entries import digests

pytest.importorskip("distributed", reason="dask.distributed is not installed")

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


def test_a_worker_of_a_batch_system_refuses_once_its_files_changed(tiny, scheduler, hire):
    hire(tiny.root, plain=True)
    address = scheduler.scheduler_address
    assert tiny.gather(cluster=address, only="sine").problems == ()
    tiny.edit(SINE, "    wave = signals", "    wave = 1.0 * signals")
    (problem,) = tiny.gather(cluster=address, only="sine").problems
    assert "its files changed since it started; start it again" in problem.message


PIECES = """    import os
    from experiments.core import pieces
    def shares():
        return pieces.shares(np.full(6, 30 * pieces.MULTIPLY_ADDS_PER_SECOND))
    parts = pieces.done(part, [(config, int(each[0])) for each in shares()], [1e12] * len(shares()))
    assert len(parts) == 6
    wave = signals"""

PART = '''def part(config: Config, number: int) -> Means:
    """Take a while; die once as the helper, which never gets the last piece."""
    import os, time
    from pathlib import Path
    time.sleep(0.5)
    with open(f"part-{number}-{os.getpid()}", "w"):
        pass
    if number == 0 and not Path("died").exists():
        Path("died").touch()
        os.kill(os.getpid(), 9)
    return Means(exact(number), exact(config.samples))


@experiment.run
'''


def test_others_help_with_the_pieces_of_one_experiment_and_one_that_dies_is_done_without(tiny, scheduler, hire):
    tiny.edit(SINE, "    wave = signals", PIECES)
    tiny.edit(SINE, "@experiment.run\n", PART)
    for count in (1, 2, 3):
        hire(tiny.root, count)
    report = tiny.gather(cluster=scheduler.scheduler_address, only="sine")
    assert report.problems == ()
    assert (tiny.root / "died").exists()
    done = {path.name.split("-")[1] for path in tiny.root.glob("part-*")}
    processes = {path.name.split("-")[2] for path in tiny.root.glob("part-*")}
    assert done == {"0", "1", "2", "3", "4", "5"}
    assert len(processes) > 1


ENDLESS = """    import time
    from pathlib import Path
    from experiments.core import progress
    Path("begun").touch()
    try:
        for _ in range(600):
            time.sleep(0.1)
            progress.advance("waiting", 0.5)
    finally:
        Path("ended").touch()
    wave = signals"""


def test_an_experiment_that_was_taken_back_ends_on_its_worker(tiny, scheduler, hire):
    from distributed import Client

    tiny.edit(SINE, "    wave = signals", ENDLESS)
    hire(tiny.root)
    options = Options()
    experiment = discover(tiny.project.experiments).experiments["waves.sine"]
    parts = runs.key_of(tiny.project, runs.sources_of(tiny.project), experiment, options).parts
    with Client(scheduler.scheduler_address, set_as_default=False) as client:
        sent = client.submit(run_on_worker, "experiments.waves.sine", asdict(options), parts, pure=False)
        assert exists_soon(tiny.root / "begun")
        assert not (tiny.root / "ended").exists()
        client.cancel(sent, force=True)
        assert exists_soon(tiny.root / "ended")


def exists_soon(path: Path) -> bool:
    """Wait for a file, for half a minute at most, which is half of what the experiment would take."""
    for _ in range(300):
        if path.exists():
            return True
        time.sleep(0.1)
    return False
