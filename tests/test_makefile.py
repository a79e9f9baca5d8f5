"""Options given to make reach the program as they were typed; nobody executes them."""

import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOW = """env | grep -E "^(ONLY|SCALE|STRICT)=" ; true"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment that seems to be installed already."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / ".runtime").touch()
    soon = time.time() + 0.001
    os.utime(tmp_path / ".runtime", (soon, soon))
    return tmp_path


@pytest.mark.parametrize(
    "hostile", ['a"; touch {0}', "'; touch {0}; '", "$(shell touch {0})", "`touch {0}`", "$${{x}} #"]
)
def test_a_hostile_option_is_passed_on_and_not_executed(environment: Path, hostile: str) -> None:
    trace = environment / "executed"
    option = hostile.format(trace)
    call = ["make", "report", f"VENV={environment}", f"RUN={SHOW}", f"ONLY={option}", "SCALE=quick", "STRICT=1"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(call, cwd=ROOT, env=kept, capture_output=True, text=True, check=True)
    assert f"ONLY={option}" in done.stdout.splitlines()
    assert {"SCALE=quick", "STRICT=1"} <= set(done.stdout.splitlines())
    assert not trace.exists()


def test_a_python_that_is_not_there_is_called_missing_and_not_old(tmp_path: Path) -> None:
    call = ["make", "report", f"VENV={tmp_path / 'environment'}", "PYTHON=nosuchpython"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(call, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "There is no 'nosuchpython' here" in done.stderr
    assert "older" not in done.stderr
