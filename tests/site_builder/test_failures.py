"""A failure names the place that failed."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from site_builder.base.refusals import REFUSALS
from site_builder.results.failures import failure

REPOSITORY = Path(__file__).parents[2]


def raised(error: Exception):
    try:
        raise error
    except Exception as caught:
        return failure("run", caught)


@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.get)
def test_what_a_disk_refuses_during_a_run_is_one_sentence_with_the_place(code: int) -> None:
    told = raised(OSError(code, os.strerror(code), "/data/table.csv"))
    assert told.sentence == f"run: /data/table.csv: {REFUSALS[code]} and run again; what was finished is kept"
    assert told.details == ""
    assert "run: test_failures.py, line " in raised(OSError(code, os.strerror(code))).sentence


def test_another_error_keeps_its_traceback() -> None:
    told = raised(FileNotFoundError(errno.ENOENT, "No such file", "/data/table.csv"))
    assert "raised FileNotFoundError" in told.sentence
    assert "Traceback" in told.details


PROGRAM = """
import resource, signal
from site_builder.results.failures import failure
import experiments.core, numba
@numba.njit(cache=True)
def root(x): return x ** 0.5
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))  # no kernel is as small
try:
    root(4.0)
except Exception as error:
    print(failure("run", error).sentence)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of files are asked for as on Linux")
def test_kernels_that_cannot_be_kept_name_their_own_place(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "PYTHONPATH": str(REPOSITORY)}
    call = [sys.executable, "program.py"]
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"run: {tmp_path / 'kernels'}: {REFUSALS[errno.EFBIG]}")
