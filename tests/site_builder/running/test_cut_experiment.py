"""An experiment of this report, cut by model and run by two workers of a cluster, has the bytes of the uncut one."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from site_builder.base.console import Lines
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.results import runs
from site_builder.running.forecast import Forecast
from site_builder.running.jobs import RunJob
from site_builder.running.shared_pieces import TOPIC
from site_builder.running.workers import Here
from site_builder.store.entries import digests

pytest.importorskip("distributed", reason="dask.distributed is not installed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # dask leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

REPOSITORY = Path(__file__).parents[3]

CUT = """
import time
from pathlib import Path
from experiments.core import pieces
from site_builder.base.project import Project
from site_builder.running import plain_values
from site_builder.running.shared_pieces import _Call

Project.results = property(lambda project: Path({folder!r}))  # what is stored already would not be run
pieces.SHORTEST = 1e-9  # each model is a piece of its own
do, named, begun_elsewhere = pieces.do, plain_values.named, _Call.begun_elsewhere
helping, told = Path({helping!r}), Path({told!r})

def once_another_helps(piece):
    ends = time.monotonic() + 60
    while not (helping.exists() and told.exists()) and time.monotonic() < ends:
        time.sleep(0.02)
    return do(piece)

def told_named(name):  # which who helps looks up
    helping.touch()
    return named(name)

def told_begun(call, event):  # who runs the experiment hears that another has begun a piece
    begun_elsewhere(call, event)
    told.touch()

pieces.do, plain_values.named, _Call.begun_elsewhere = once_another_helps, told_named, told_begun
"""


def run(results: Path, monkeypatch, crew=None) -> dict[str, str]:
    """Run the experiment here, or by `crew(watching)`, and return the digests of what is stored of its result."""
    from experiments.dynamics.polygon_steps import experiment

    options, project = Options(scale="quick"), Project(REPOSITORY)
    monkeypatch.setattr(Project, "results", property(lambda project: results))
    key = runs.key_of(project, runs.sources_of(project), experiment, options)
    job = RunJob(project, experiment.module, options, key)
    watcher = Lines()
    forecast = Forecast([job], watcher)
    with crew(forecast) if crew else nullcontext(Here(watcher, forecast)) as doing:
        doing.add(job)
        assert [failed for _, failed in doing.outcomes()] == [None]
    found = digests(runs.entry(project, experiment, key))
    return {name: digest for name, digest in found.items() if name.startswith(("result.", "key."))}


def test_an_experiment_cut_over_two_workers_has_the_same_bytes(tmp_path, scheduler, hire, monkeypatch):
    from site_builder.running.cluster import Cluster

    address = scheduler.scheduler_address
    helping, told = tmp_path / "helping", tmp_path / "told"
    for count in (1, 2):
        folder = str(tmp_path / f"worker {count}")
        hire(REPOSITORY, count, after=CUT.format(folder=folder, helping=str(helping), told=str(told)))

    def crew(forecast: Forecast) -> Cluster:
        return Cluster(address, "cpu", Here(forecast.watcher, forecast), forecast)

    shared = run(tmp_path / "shared", monkeypatch, crew)
    topics = [topic for topic in scheduler.scheduler.get_events() if topic.startswith(TOPIC)]
    assert len(topics) == 1  # in which the other worker has told which pieces it began
    assert helping.exists()
    assert told.exists()
    assert run(tmp_path / "alone", monkeypatch) == shared
    assert len(shared) == 3
