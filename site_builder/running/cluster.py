"""Runs experiments on a `dask.distributed` cluster; figures are drawn by the one who asked.

A worker is a process that was started in a folder of this project (`make worker`, or a job of a batch system); what it
does is in `cluster_worker`. What comes back is a zip archive of the files that the store holds for a result, or a
sentence; nothing of it is ever unpickled.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from experiments.core.errors import ReportError
from site_builder.base.console import Watcher
from site_builder.base.project import Project
from site_builder.results.failures import Failure
from site_builder.running.cluster_worker import FAILED, MEMBERS, REFUSED, TOPIC, record_code, run_on_worker, unpacked
from site_builder.running.forecast import Forecast
from site_builder.running.jobs import Job, RunJob
from site_builder.running.workers import Crew, Outcome
from site_builder.store.entries import write_entry

PATIENCE = 10.0
"""Seconds in which a cluster must answer."""

BETWEEN_LOOKS = 0.2
"""Seconds between two looks at what the cluster has done."""

GPU = "GPU"
"""The resource that a worker with a GPU offers; `make worker DEVICE=cuda` names it."""


@dataclass
class _Sent:
    """A run that is with the cluster."""

    job: RunJob
    future: Any
    refused_by: set[str]


class Cluster:
    """The crew of a cluster: runs go to its workers, everything else to `here`."""

    def __init__(self, address: str, device: str, here: Crew, forecast: Forecast) -> None:
        self.address, self.here, self.forecast, self.watcher = address, here, forecast, forecast.watcher
        self.client = connected(address)
        self.sent: list[_Sent] = []
        self.drawing = 0
        self._check(device)
        self.client.subscribe_topic(TOPIC, self._advanced)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(Exception):  # a cluster that is gone has nothing left to cancel
            self.client.cancel([each.future for each in self.sent], force=True)
        with suppress(Exception):
            self.client.close(timeout=PATIENCE)

    def add(self, job: Job) -> None:
        if isinstance(job, RunJob):
            self.forecast.added(job)
            self.sent.append(self._submitted(job, set()))
        else:
            self.drawing += 1
            self.here.add(job)

    def outcomes(self) -> Iterator[Outcome]:
        start = time.perf_counter()
        what = f"running on {len(self._workers())} workers of {self.address}"
        self.watcher.began(what)
        while self.sent or self.drawing:
            if self.drawing:
                for outcome in self.here.outcomes():
                    self.drawing -= 1
                    yield outcome
            for each in [each for each in self.sent if each.future.done()]:
                self.sent.remove(each)
                outcome_or_none = self._heard(each)
                if outcome_or_none:
                    self.forecast.finished(each.job)
                    yield outcome_or_none
            self._still_there()
            time.sleep(BETWEEN_LOOKS)
        self.watcher.ended(what, time.perf_counter() - start)

    def _workers(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return found

    def _check(self, device: str) -> None:
        """Raise ReportError unless there is a worker that could do the work."""
        workers = self._workers()
        if not workers:
            raise ReportError(f"CLUSTER: {self.address} has no workers; start some with `make worker CLUSTER=...`")
        crowded = [each["name"] for each in workers.values() if each["nthreads"] != 1]
        if crowded:
            raise ReportError(
                f"CLUSTER: worker {crowded[0]} runs several experiments in one process; start it with --nthreads 1"
            )
        if device == "cuda" and not any(each["resources"].get(GPU) for each in workers.values()):
            raise ReportError(
                f"CLUSTER: no worker of {self.address} offers the resource {GPU}; start one with "
                "`make worker DEVICE=cuda`, or use DEVICE=cpu"
            )

    def _submitted(self, job: RunJob, refused_by: set[str]) -> _Sent:
        options = asdict(job.options)
        allowed = None if not refused_by else [each for each in self._workers() if each not in refused_by]
        future = self.client.submit(
            run_on_worker,
            job.module,
            options,
            job.key.parts,
            key=f"{job.name}-{job.key.short}-{time.time_ns()}",
            workers=allowed,
            resources={GPU: 1} if job.options.device == "cuda" else None,
            pure=False,
        )
        return _Sent(job, future, refused_by)

    def _heard(self, sent: _Sent) -> Outcome | None:
        """Return what became of a run; None where another worker is asked, since one refused."""
        try:
            returned = sent.future.result(timeout=PATIENCE)
        except Exception as error:
            return sent.job, _lost(error)
        worker, found = unpacked(returned)
        if REFUSED in found:
            sentence = found[REFUSED].decode()
            self.watcher.said(f"Worker {worker} refused {sent.job.name}: {sentence}")
            refused_by = sent.refused_by | {worker}
            if self._workers().keys() - refused_by:
                self.sent.append(self._submitted(sent.job, refused_by))
                return None
            return sent.job, Failure(f"every worker refused it; worker {worker}: {sentence}")
        if FAILED in found:
            return sent.job, Failure(**json.loads(found[FAILED]))
        experiment_folder = sent.job.project.results / sent.job.name / sent.job.key.short
        write_entry(experiment_folder, lambda folder: _write(folder, found))
        return sent.job, None

    def _still_there(self) -> None:
        if self.sent and self.client.status not in ("running", "connecting"):
            raise ReportError(f"the cluster {self.address} is gone; what was finished is kept, run the same again")

    def _advanced(self, event: tuple[float, Any]) -> None:
        name, step, fraction = event[1]
        self.forecast.advanced(name, fraction)
        self.watcher.advanced(f"{name}: {step}", self.forecast.share())


def connected(address: str) -> Any:
    """Return a client of the cluster at `address`; raises ReportError when nobody answers there."""
    try:
        import distributed
    except ImportError:
        raise ReportError(
            "CLUSTER needs the package distributed; install it with `.venv/bin/pip install distributed`"
        ) from None
    import logging

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said in one sentence
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise ReportError(f"CLUSTER: nobody answers at {address!r} as a dask scheduler ({said})") from error


def _lost(error: Exception) -> Failure:
    """Return what to say of a run that no worker gave an answer for."""
    if type(error).__name__ == "KilledWorker":
        return Failure("several workers died at it, as for lack of memory; give the workers more memory")
    said = " ".join(str(error).split()) or type(error).__name__
    if "No module named" in said or "deserializ" in said:
        return Failure(f"a worker does not have this project ({said}); start workers in the project's folder")
    return Failure(f"the cluster lost it ({said}); run the same command again")


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name in MEMBERS:
        (folder / name).write_bytes(files[name])


def work(project: Project, address: str, device: str, watcher: Watcher) -> None:
    """Be a worker of the cluster at `address` until it ends; raises ReportError when nobody answers there."""
    import asyncio

    connected(address).close()
    from distributed import Worker

    record_code(project)

    async def serve() -> None:
        resources: dict[str, float] = {GPU: 1} if device == "cuda" else {}
        async with Worker(address, nthreads=1, resources=resources, death_timeout=60) as worker:
            watcher.said(f"Worker {worker.address} takes experiments from {address}; Ctrl-C ends it.")
            await worker.finished()

    asyncio.run(serve())
