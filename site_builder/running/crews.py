"""Chooses who does the jobs of a report: this process, several of this machine, or a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager

from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.running import workers
from site_builder.running.forecast import Forecast
from site_builder.running.workers import Crew


@contextmanager
def crew(
    options: Options, runs: int, figures: int, modules: set[str], code: str, project: Project, forecast: Forecast
) -> Iterator[Crew]:
    """Give who does `runs` experiments and `figures` drawings; `code` is the digest their keys were made from."""
    at_once = 0 if options.cluster else min(options.jobs, runs)
    with workers.crew(at_once, figures, modules, code, project, forecast) as here:
        if not (options.cluster and runs):
            yield here
            return
        from site_builder.running.cluster import Cluster  # imports dask, which only a cluster needs

        with Cluster(options.cluster, options.device, here, forecast) as cluster:
            yield cluster
