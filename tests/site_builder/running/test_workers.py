"""What is made by several processes is the same as by one, and what fails there is told as if it had failed here."""

import shutil
import socket
import subprocess
import sys

import pytest

from experiments.core.errors import ReportError
from site_builder.base.environment import usable_cores
from site_builder.running import workers
from site_builder.running.jobs import compiling_least_twice, longest_first
from site_builder.store.entries import digests

GATHER = """
import sys
from pathlib import Path
from site_builder import pipeline
from site_builder.running import workers
from site_builder.base.console import Lines
from site_builder.base.options import Options
from site_builder.base.project import Project
from site_builder.discovery.registry import discover

if __name__ == "__main__":
    workers.WORTH_WORKERS = int(sys.argv[1])
    project = Project(Path.cwd())
    options = Options(jobs=int(sys.argv[2]))
    if sys.argv[3]:
        pipeline.running_code_digest = lambda project: "as it was before an edit"
    report = pipeline.gather(project, discover(project.experiments), options, Lines())
    print(sorted(report.figures), [problem.message.partition(";")[0] for problem in report.problems])
"""

SINE = "experiments/waves/sine.py"
ALL = "['cosine-start', 'sine-wave'] []"


def gathered(root, environment, *, jobs: int = 1, worth_workers: int = 99, edited: str = "") -> list[str]:
    """Return what a process of its own prints while it gathers the report, the last line of its errors at the end."""
    done = subprocess.run(
        [sys.executable, "-c", GATHER, str(worth_workers), str(jobs), edited],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout.splitlines() + done.stderr.splitlines()[-1:]


def test_a_folder_for_temporary_files_that_sockets_have_no_room_for_is_refused_in_one_sentence(monkeypatch, tmp_path):
    deep = tmp_path / ("d" * 100)
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(ReportError, match=rf"{deep}.* {len(str(deep))} bytes.* set TMPDIR .*/tmp, and run again"):
        workers.start()


def test_the_longest_folder_for_temporary_files_has_room_for_a_socket(monkeypatch):
    """A socket with the longest name that is allowed can be bound, wherever its folder would be."""
    made = f"/{'d' * (workers.LONGEST_TEMPORARY - 1)}/pymp-12345678/listener-12345678"
    assert len(made) == 103
    with socket.socket(socket.AF_UNIX) as listener, pytest.raises(FileNotFoundError):
        listener.bind(made)  # refused for the folder that is not there, not for its length


def results(root) -> dict[str, str]:
    """Return the digests of all stored results; how long a run took is none of them."""
    found = digests(root / "build" / "results")
    return {name: digest for name, digest in found.items() if "/result." in name}


def test_figures_drawn_by_several_processes_have_the_same_bytes_and_failures_are_told(built, clean_environment):
    before = digests(built.project.figures)
    shutil.rmtree(built.project.figures)
    assert gathered(built.root, clean_environment, worth_workers=1)[-1] == ALL
    assert digests(built.project.figures) == before
    built.edit(SINE, '    axes.set(xlabel="sample"', '    axes.set(xlable="sample"')
    said = gathered(built.root, clean_environment, worth_workers=1)[-1]
    assert said.startswith("['cosine-start'] [\"figure 'sine-wave' raised AttributeError")
    assert said == gathered(built.root, clean_environment)[-1]
    built.edit(SINE, '    axes.set(xlable="sample"', '    __import__("os")._exit(1)\n    axes.set(xlabel="sample"')
    assert "was being drawn when its process was killed" in gathered(built.root, clean_environment, worth_workers=1)[-1]


def test_experiments_run_side_by_side_give_the_same_bytes_as_one_after_another(tiny, clean_environment):
    assert gathered(tiny.root, clean_environment)[-1] == ALL
    alone = results(tiny.root), digests(tiny.project.figures)
    shutil.rmtree(tiny.project.build)
    said = gathered(tiny.root, clean_environment, jobs=2)
    assert said[-1] == ALL
    assert said[0] == "running 2 experiments, 2 at a time, and drawing their figures ..."
    assert (results(tiny.root), digests(tiny.project.figures)) == alone
    assert len(alone[0]) == 4


def test_a_run_that_fails_beside_others_is_told_as_if_it_had_failed_alone(tiny, clean_environment):
    tiny.edit(SINE, "    return Result(wave", "    raise ValueError('no luck')\n    return Result(wave")
    together, alone = (gathered(tiny.root, clean_environment, jobs=jobs)[-1] for jobs in (2, 1))
    assert together == alone
    assert together.startswith("['cosine-start'] ['run raised ValueError: no luck (sine.py, line ")


def test_a_process_that_dies_takes_its_own_run_along_and_no_other(tiny, clean_environment):
    tiny.edit(SINE, "    return Result(wave", "    __import__('os')._exit(1)\n    return Result(wave")
    said = gathered(tiny.root, clean_environment, jobs=2)[-1]
    assert said == "['cosine-start'] ['its process was killed, as for lack of memory']"


def test_nothing_runs_from_code_that_is_not_the_one_the_keys_were_made_from(tiny, clean_environment):
    said = gathered(tiny.root, clean_environment, jobs=2, edited="yes")
    assert said[-1].endswith("ReportError: the code was changed while it was being read; run the same command again")
    assert results(tiny.root) == {}


@pytest.mark.skipif(usable_cores() == 1, reason="processes side by side want two cores")
@pytest.mark.parametrize("at_once", [1, 2])
def test_each_of_the_runs_side_by_side_has_its_share_of_the_threads(tiny, clean_environment, at_once):
    tiny.edit(SINE, "    return Result(wave", "    open('threads', 'w').write(str(_threads()))\n    return Result(wave")
    tiny.edit(SINE, "experiment = Experiment(", THREADS + "experiment = Experiment(")
    gathered(tiny.root, clean_environment, jobs=at_once, worth_workers=1)
    share = usable_cores() // at_once
    assert (tiny.root / "threads").read_text() == f"({share}, {share}, 1)", "linear algebra always has one"


THREADS = """
import numba, torch

def _threads():
    from experiments.core.training.cpu import thread_count
    return thread_count(), numba.get_num_threads(), torch.get_num_threads()


"""


def test_what_takes_longest_goes_first_and_what_never_ran_before_that():
    class Job:
        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

    ordered = longest_first([Job(2.0), Job(0.0), Job(9.0)])
    assert [job.seconds for job in ordered] == [0.0, 9.0, 2.0]


def test_what_another_process_compiles_is_left_to_it_while_there_is_other_work():
    class Job:
        def __init__(self, *compiles: str) -> None:
            self.compiles = frozenset(compiles)

    both, one, none = Job("train", "draw"), Job("draw", "encode"), Job("merge")
    assert compiling_least_twice([both, one, none], frozenset()) is both
    assert compiling_least_twice([both, one, none], frozenset({"train", "draw"})) is none
    assert compiling_least_twice([both, one], frozenset({"train", "draw"})) is one


def test_what_has_most_to_compile_that_nobody_has_compiled_yet_goes_first():
    class Job:
        def __init__(self, *compiles: str) -> None:
            self.compiles = frozenset(compiles)

    many, few = Job("train", "draw", "merge"), Job("encode")
    assert compiling_least_twice([few, many], frozenset()) is many
    assert compiling_least_twice([few, many], frozenset(), {"train", "draw", "merge"}) is few
    assert compiling_least_twice([few, many], frozenset({"merge"})) is few
