"""A process stands by for one piece of work, and whatever becomes of it is told."""

import subprocess
import sys

import pytest

from site_builder.running import aside, workers

STAND_BY = """
import operator, os, sys, time
from site_builder.running import workers
from site_builder.running.aside import standing_by

workers.start()
with standing_by(int) as helper:
    helper.do(operator.add, "work", f" of {os.getpid() > 0}")
    print(helper.result())
with standing_by(int) as helper:
    helper.do(os.getpid)
    print(helper.result() == os.getpid())
with standing_by(int) as helper:
    helper.do(os._exit, 3)
    print(helper.result())
with standing_by(int) as helper:
    helper.do(int, "no number")
    print(helper.result())
with standing_by(int):
    print("nothing to do")
"""


@pytest.mark.skipif(aside.usable_cores() < 2, reason="one core does one thing at a time")
def test_work_is_done_by_another_process_and_one_that_dies_or_fails_has_no_result(clean_environment):
    done = subprocess.run(
        [sys.executable, "-c", STAND_BY], env=clean_environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == ["work of True", "False", "None", "None", "nothing to do"], done.stderr


def test_nobody_stands_by_on_one_core_or_where_no_server_runs(monkeypatch):
    monkeypatch.setattr(aside, "usable_cores", lambda: 2)
    monkeypatch.setattr(workers, "are_started", lambda: False)
    with aside.standing_by(int) as helper:
        assert helper is None
    monkeypatch.setattr(aside, "usable_cores", lambda: 1)
    monkeypatch.setattr(workers, "are_started", lambda: True)
    with aside.standing_by(int) as helper:
        assert helper is None
