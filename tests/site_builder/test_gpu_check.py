"""The GPU check does every step whatever became of the others, keeps its budget, and writes down what came out."""

import json

import pytest

from site_builder import gpu_check
from site_builder.base import environment
from site_builder.cli import app
from site_builder.gpu_check import STEPS, check_gpu

STEPS_HERE = {"fails": ["json.tool", "no-such-file"], "works": ["platform"]}


@pytest.fixture(autouse=True)
def named_gpu(monkeypatch):
    monkeypatch.setattr(gpu_check, "hardware", lambda device: f"a {device} device")


def test_a_step_that_fails_stops_no_other_and_all_is_written_down(tiny):
    path, steps = check_gpu(tiny.project, tiny.heard, STEPS_HERE)
    assert [step.is_fine for step in steps] == [False, True]
    found = json.loads(path.read_text())
    assert found["hardware"] == "a cuda device"
    assert [(step["name"], step["status"] == 0) for step in found["steps"]] == [("fails", False), ("works", True)]
    assert "no-such-file" in found["steps"][0]["said"]


def test_the_budget_ends_a_step_and_those_after_it(tiny, monkeypatch):
    monkeypatch.setattr(gpu_check, "BUDGET", 1.0)
    waiting = {"waits": ["timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)"], "late": ["platform"]}
    _, steps = check_gpu(tiny.project, tiny.heard, waiting)
    assert [step.status for step in steps] == [None, None]
    assert "not begun" in steps[1].said


def test_the_steps_are_commands_that_exist():
    names = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert {arguments[1] for arguments in STEPS.values() if arguments[0] == "site_builder"} <= names


def test_without_a_gpu_it_is_refused_before_anything_is_tried(tiny, monkeypatch, capsys):
    monkeypatch.setattr(environment, "cuda_is_there", lambda: False)
    monkeypatch.chdir(tiny.root)
    with pytest.raises(SystemExit) as ended:
        app(["gpu-check"])
    assert ended.value.code == 2
    assert "offers no CUDA device" in capsys.readouterr().err
    assert not (tiny.project.build / "gpu-check.json").exists()
