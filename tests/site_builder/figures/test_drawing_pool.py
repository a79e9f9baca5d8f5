"""Figures drawn in other processes are the same, and what fails there is told as if it had failed here."""

import shutil
import subprocess
import sys

from site_builder.store.entries import digests

DRAW_ALL = """
import sys
from pathlib import Path
from site_builder import pipeline
from site_builder.figures import drawing_pool
from site_builder.console import Lines
from site_builder.options import Options
from site_builder.project import Project
from site_builder.registry import discover

if __name__ == "__main__":
    drawing_pool.WORTH_A_POOL = int(sys.argv[1])
    project = Project(Path.cwd())
    report = pipeline.gather(project, discover(project.experiments), Options(), Lines())
    print(sorted(report.figures), [problem.message.partition(";")[0] for problem in report.problems])
"""


def draw_all(root, environment, worth_a_pool: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DRAW_ALL, str(worth_a_pool)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.splitlines()[-1]


def test_a_pool_draws_the_same_bytes_and_tells_of_failures(built, clean_environment):
    before = digests(built.project.figures)
    shutil.rmtree(built.project.figures)
    assert draw_all(built.root, clean_environment, 1) == "['cosine-start', 'sine-wave'] []"
    assert digests(built.project.figures) == before
    built.edit("experiments/waves/sine.py", '    axes.set(xlabel="sample"', '    axes.set(xlable="sample"')
    said = draw_all(built.root, clean_environment, 1)
    assert said.startswith("['cosine-start'] [\"figure 'sine-wave' raised AttributeError")
    assert said == draw_all(built.root, clean_environment, 99)
    built.edit(
        "experiments/waves/sine.py",
        '    axes.set(xlable="sample"',
        '    __import__("os")._exit(1)\n    axes.set(xlabel="sample"',
    )
    assert "was being drawn when its process was killed" in draw_all(built.root, clean_environment, 1)
