"""A damaged kernel is noticed before numba reads it, and compiled again."""

import os
import subprocess
import sys

import pytest

from site_builder.store import kernels

PROGRAM = """
from numba import njit
@njit(cache=True)
def f(x): return x + 1
if __name__ == "__main__": print(f(3))
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return a function that runs a program with one kernel, which is kept in the folder it returns."""
    root = tmp_path_factory.mktemp("kernels")
    (root / "program.py").write_text(PROGRAM)

    def run():
        environment = os.environ | {"NUMBA_CACHE_DIR": str(root / "kernels" / "state")}
        done = subprocess.run([sys.executable, "program.py"], cwd=root, env=environment, capture_output=True, text=True)
        return root / "kernels", done.stdout

    return run


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["emptied", "cut", "a bit", "a bit, time kept"])
def test_a_damaged_kernel_is_dropped_and_compiled_again(compiled, ending, damage):
    folder, said = compiled()
    assert said == "4\n"
    kernels.record(folder)
    kernels.drop_damaged(folder, pytest.fail)
    (file,) = folder.rglob(f"*{ending}")
    content, times = file.read_bytes(), file.stat()
    flipped = content[:-9] + bytes([content[-9] ^ 4]) + content[-8:]
    file.write_bytes({"emptied": b"", "cut": content[: len(content) // 2]}.get(damage, flipped))
    if damage == "a bit, time kept":
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    sentences = []
    kernels.drop_damaged(folder, sentences.append)
    if damage == "a bit":  # nobody can tell it from a kernel that was compiled since
        assert sentences == []
    else:
        assert len(sentences) == 1
        assert file.name in sentences[0]
        assert not file.exists()
        assert compiled()[1] == "4\n"


def test_nothing_to_check_is_no_fault(tmp_path):
    kernels.drop_damaged(tmp_path / "nowhere", pytest.fail)
    kernels.record(tmp_path / "nowhere")


def test_the_functions_of_a_run_that_are_compiled_are_those_of_modules_that_compile(tmp_path):
    part = tmp_path / "experiments" / "part"
    part.mkdir(parents=True)
    (part / "kernel.py").write_text("from numba import njit\n")
    (part / "plain.py").write_text("import math\n")
    parts = ["code experiments.part.kernel.step", "code experiments.part.plain.step", "version numba", "config seed"]
    assert kernels.compiled_by(parts, tmp_path / "experiments") == {"code experiments.part.kernel.step"}
