"""The commands: `python -m site_builder --help` lists them.

Everything heavy is imported inside a command, so that a report with nothing to do answers at once.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from experiments.core.errors import ReportError
from site_builder.base.console import watching
from site_builder.base.environment import device_class, jobs_asked
from site_builder.base.options import SCALES, Options, chosen
from site_builder.base.project import Project, find_project
from site_builder.endings import (
    conclude,
    counted,
    refuse_differences,
    said_in_one_sentence,
    tell_absent,
    tell_reproduction,
)

if TYPE_CHECKING:
    from site_builder.keys.build_stamp import State
    from site_builder.store.records import Report

app = typer.Typer(
    help="Runs the experiments of this report, draws their figures and builds its site.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Scale = Annotated[str, typer.Option(envvar="SCALE", help="Size of the runs: quick, full (as published) or large.")]
Device = Annotated[str, typer.Option(envvar="DEVICE", help="Where to compute: auto, cpu or cuda.")]
Jobs = Annotated[
    str, typer.Option(envvar="JOBS", help="Experiments to run side by side: a number, or auto (one per core).")
]
Cluster = Annotated[
    str, typer.Option(envvar="CLUSTER", help="Address of a dask scheduler whose workers run the experiments.")
]
Against = Annotated[str, typer.Option(envvar="AGAINST", help="An earlier commit to be timed beside this state.")]
Strict = Annotated[bool, typer.Option(envvar="STRICT", help="Refuse what differs from the published run.")]
Only = Annotated[str, typer.Option(envvar="ONLY", help="An experiment, a part, or a glob over experiments.")]


@app.command()
def report(
    scale: Scale = "full",
    device: Device = "auto",
    only: Only = "",
    jobs: Jobs = "auto",
    cluster: Cluster = "",
    strict: Strict = False,
) -> None:
    """Run what changed, draw it, build the site and say which file to open."""
    with said_in_one_sentence():
        project, options = asked(scale, device, only, jobs, cluster=cluster)
        result = renewed(project, options, strict=strict)
        if result is None:
            print("Nothing changed since this site was built.")
            if strict:
                refuse_differences(project)
        else:
            tell_absent(result)
            tell_reproduction(result)
            conclude(result)
        print(f"Open {project.site / 'index.html'}")


@app.command()
def site() -> None:
    """Build the whole site from the published results; nothing runs."""
    with said_in_one_sentence():
        project = find_project(Path.cwd())
        options = Options("full", "cpu", compute=False, shipped=True)
        if not any(project.published.glob("*")):
            raise ReportError("no results are published with this source; run `make report` (SCALE=quick is fast)")
        result = renewed(project, options)
        if result is None:
            print("Nothing changed since this site was built.")
        else:
            tell_absent(result)
            conclude(result)
        print(f"Open {project.site / 'index.html'}")


@app.command()
def ship(
    device: Device = "auto",
    partial: Annotated[bool, typer.Option(help="Publish what is there although something is missing.")] = False,
) -> None:
    """Write the results of the full run to experiments/published, to be committed with the source."""
    from site_builder.build import gathered
    from site_builder.discovery.registry import discover
    from site_builder.keys.build_stamp import state_of
    from site_builder.published.shipping import ship as publish_results

    with said_in_one_sentence():
        with watching() as watcher:
            project, options = asked("full", device, "", compute=False)
            result = gathered(project, options, state_of(project, options), watcher)[0]
        print(publish_results(project, discover(project.experiments), result, partial=partial))


@app.command()
def robustness(
    device: Device = "auto",
    only: Only = "",
    jobs: Jobs = "auto",
    cluster: Cluster = "",
    times: Annotated[
        int, typer.Option(envvar="TIMES", help="Further runs of each experiment; 0 decides by its length.", min=0)
    ] = 0,
) -> None:
    """Run the published experiments again with other seeds, and write what came out beside the published results."""
    from site_builder.reseeding import reseed
    from site_builder.store.records import Report

    with said_in_one_sentence(), watching() as watcher:
        project, options = asked("full", device, only, jobs, cluster=cluster)
        problems = reseed(project, options, watcher, times or None)
    conclude(Report("full", problems=tuple(problems)))
    print(f"Wrote {project.reseeded}; commit it, and the page Robustness shows it.")


@app.command()
def run(
    scale: Scale = "full", device: Device = "auto", only: Only = "", jobs: Jobs = "auto", cluster: Cluster = ""
) -> None:
    """Run the experiments and draw their figures, without building pages."""
    from site_builder.build import gathered
    from site_builder.keys.build_stamp import state_of

    with said_in_one_sentence(), watching() as watcher:
        project, options = asked(scale, device, only, jobs, cluster=cluster)
        result = gathered(project, options, state_of(project, options), watcher)[0]
    conclude(result)
    print(f"{counted(result)} are up to date in {project.build}")


@app.command()
def render(scale: Scale = "full", device: Device = "auto") -> None:
    """Render the pages to Markdown in build/pages from what is stored; nothing runs."""
    from site_builder.build import gathered, rendered
    from site_builder.keys.build_stamp import state_of

    with said_in_one_sentence(), watching() as watcher:
        project, options = asked(scale, device, "", compute=False)
        result, _ = rendered(project, gathered(project, options, state_of(project, options), watcher)[0], draft=False)
    conclude(result)
    print(f"The pages are in {project.pages}")


@app.command()
def build(scale: Scale = "full", device: Device = "auto") -> None:
    """Build the site from what is stored; nothing runs, and a card stands where a result is missing."""
    with said_in_one_sentence():
        project, options = asked(scale, device, "", compute=False)
        result = built(project, options)
    tell_absent(result)
    conclude(result)
    print(f"Open {project.site / 'index.html'}")


@app.command(name="list")
def list_experiments(scale: Scale = "full", device: Device = "auto", only: Only = "") -> None:
    """List the experiments with their figures and claims, and whether each is stored."""
    from site_builder.queries import listing

    with said_in_one_sentence():
        print("\n".join(listing(*asked(scale, device, only))))


@app.command()
def explain(
    experiment: Annotated[str, typer.Argument(help="An experiment, a part, or a glob; all when left out.")] = "",
    scale: Scale = "full",
    device: Device = "auto",
) -> None:
    """Say what would rerun or be drawn again, and which parts of its key changed."""
    from site_builder.queries import explanation

    with said_in_one_sentence():
        print("\n".join(explanation(*asked(scale, device, experiment))))


@app.command()
def verify() -> None:
    """Check that every stored file still has its recorded digest."""
    from site_builder.queries import verification

    with said_in_one_sentence():
        checked, wrong = verification(find_project(Path.cwd()))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if wrong:
        raise typer.Exit(1)
    print(f"All {checked} stored folders are as they were written." if checked else "Nothing is stored yet.")


@app.command()
def cite(
    figure: Annotated[str, typer.Argument(help="The id of a figure; the whole report when left out.")] = "",
    format: Annotated[str, typer.Option(help="bibtex, biblatex, csl, markdown, latex or text.")] = "bibtex",
) -> None:
    """Print a citation of a figure of the built site, or of the report as a whole."""
    from site_builder.queries import citation

    with said_in_one_sentence():
        print(citation(find_project(Path.cwd()), figure, format))


@app.command()
def serve(
    scale: Scale = "full",
    device: Device = "auto",
    only: Only = "",
    jobs: Jobs = "auto",
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 8000,
) -> None:
    """Preview the site and build it anew on every change; what fails is shown as a card."""
    from site_builder.site.serve import serve_preview

    with said_in_one_sentence():
        project, _ = asked(scale, device, only, jobs)
        chosen = ["--scale", scale, "--device", device, "--only", only, "--jobs", jobs]
        serve_preview(project, chosen, port, print)


@app.command(hidden=True)
def preview(scale: Scale = "full", device: Device = "auto", only: Only = "", jobs: Jobs = "auto") -> None:
    """Build the draft that `serve` shows."""
    with said_in_one_sentence():
        project, options = asked(scale, device, only, jobs)
        conclude(built(project, options, draft=True))


@app.command()
def publish(
    scale: Scale = "full",
    device: Device = "auto",
    jobs: Jobs = "auto",
    remote: Annotated[str, typer.Option(help="The git remote to push to.")] = "origin",
    branch: Annotated[str, typer.Option(help="The branch that GitHub Pages serves.")] = "gh-pages",
) -> None:
    """Build at full scale and push the site to GitHub Pages, as a version that stays at its address.

    Refuses uncommitted changes and any problem.
    """
    from site_builder.site.publish import push, refuse_unknown_remote, refuse_unpublishable

    with said_in_one_sentence():
        project, options = asked(scale, device, "", jobs)
        refuse_unpublishable(project, scale)
        refuse_unknown_remote(project, remote)
        result = renewed(project, options, strict=True)
        if result is None:
            refuse_differences(project)
        else:
            conclude(result)
        push(project, remote, branch)
        print(f"Pushed the site to the branch {branch} of {remote}, where all its versions are.")


@app.command()
def worker(
    cluster: Annotated[str, typer.Argument(envvar="CLUSTER", help="Address of a dask scheduler.")],
    device: Device = "auto",
) -> None:
    """Take experiments from a cluster until it ends; start it in a folder of this project, at the same commit."""
    from site_builder.running.cluster import work

    with said_in_one_sentence(), watching() as watcher:
        work(find_project(Path.cwd()), cluster, device_class(device), watcher)


@app.command()
def bench(device: Device = "auto", against: Against = "") -> None:
    """Measure the trainer against the published recipe, here and now (some minutes on a quiet machine).

    With an earlier commit to measure against, time the report as it was then and as it is (twenty minutes).
    """
    if against:
        _bench_against(against)
        return
    from experiments.mixtures.shared.mixture_timing import measure_forward
    from experiments.speed.shared import PACKAGES, measure, merged, table
    from site_builder.base import environment
    from site_builder.store.entries import write_file

    with said_in_one_sentence(), watching() as watcher:
        project, kind = find_project(Path.cwd()), device_class(device)
        path = project.root / "experiments" / "speed" / "measured.json"
        watcher.began("Measuring")
        commit = environment.commit_of(project.root)
        about = {
            "machine": environment.hardware(kind),
            "threads": environment.usable_cores(),
            "commit": commit.id,
            "dirty": commit.dirty,
            "versions": environment.versions(PACKAGES),
        }
        section = measure(kind, about, watcher.advanced)
        write_file(path, merged(path.read_text("utf-8") if path.exists() else "", kind, section))
        passes = project.root / "experiments" / "mixtures" / "measured.json"
        write_file(passes, measure_forward({"machine": environment.hardware("cpu"), "date": section["date"]}))
    print(table(section))
    print(f"Wrote {path} and {passes}; commit them, and the pages on speed and mixtures show them.")


def _bench_against(commit: str) -> None:
    from site_builder.against import measure_against

    with said_in_one_sentence(), watching() as watcher:
        watcher.began("Measuring against an earlier state")
        path = measure_against(find_project(Path.cwd()), commit, watcher)
    print(f"Wrote {path}; commit it, and the page on speed shows it.")


@app.command(name="gpu-check")
def gpu_check() -> None:
    """On a machine with an NVIDIA GPU: its tests, its bench rows and the quick report, all written to one file."""
    from site_builder.gpu_check import check_gpu

    with said_in_one_sentence():
        device_class("cuda")
        with watching() as watcher:
            path, steps = check_gpu(find_project(Path.cwd()), watcher)
    for step in steps:
        print(f"{step.name}: {'fine' if step.is_fine else 'failed'} after {step.seconds} s")
    print(f"Wrote {path}")
    if not all(step.is_fine for step in steps):
        raise typer.Exit(1)


@app.command()
def clean() -> None:
    """Remove everything that was built."""
    from site_builder.store.entries import remove

    with said_in_one_sentence():
        folder = find_project(Path.cwd()).build
        print(f"Removed {folder}" if remove(folder) else f"There is nothing to remove: {folder} does not exist.")


def asked(
    scale: str, device: str, only: str, jobs: str = "1", *, compute: bool = True, cluster: str = ""
) -> tuple[Project, Options]:
    """Return the project here and the checked options; a wrong word ends the program with 2.

    On a cluster it is a worker that needs a GPU, and not this machine.
    """
    kind = chosen(device, ("cpu", "cuda"), "DEVICE") if cluster and device != "auto" else device_class(device)
    chosen(scale, SCALES, "SCALE")
    options = Options(scale, kind, only or None, compute, jobs=jobs_asked(jobs, kind), cluster=cluster)
    return find_project(Path.cwd()), options


def renewed(project: Project, options: Options, *, strict: bool = False) -> "Report | None":
    """Build the site, unless the finished one is what a build would make; then return None."""
    from site_builder.keys.build_stamp import is_finished, state_of

    state = state_of(project, options)
    return None if is_finished(project, state) else built(project, options, state, strict=strict)


def built(
    project: Project, options: Options, state: "State | None" = None, *, draft: bool = False, strict: bool = False
) -> "Report":
    """Build the site while showing how far it is; `state` is that of `state_of`, where it was asked before."""
    from site_builder.build import build as build_all

    with watching() as watcher:
        return build_all(project, options, watcher, state, draft=draft, strict=strict)
