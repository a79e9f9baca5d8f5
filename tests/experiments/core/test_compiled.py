"""Compiled kernels on disk are never stale, and compute what freshly compiled ones do."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from experiments.core.compiled import kernel_digest, writable
from experiments.core.instructions import instructions


def test_a_change_in_any_kernel_source_gives_a_new_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    called = tmp_path / "deep" / "called.py"
    called.write_text("import numba\n")
    (tmp_path / "prose.py").write_text('"""No kernel."""\n')
    before = kernel_digest(tmp_path)
    called.write_text("import numba  # changed\n")
    assert kernel_digest(tmp_path) != before


def test_a_change_that_touches_no_kernel_keeps_the_folder(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text("import numba\n")
    prose = tmp_path / "prose.py"
    prose.write_text('"""No kernel."""\n')
    before = kernel_digest(tmp_path)
    prose.write_text('"""Still none."""\n')
    assert kernel_digest(tmp_path) == before


TRAIN = """
import sys
from experiments.core.training import Data, Model, Recipe, train

sizes = {"tiled": (10, 5, 1.0, None), "sparse": (20, 5, 0.005, None)}
for features, hidden, density, samples in sizes.values():
    data, recipe = Data(density=density, fixed_samples=samples), Recipe(steps=100, batch=64, start_scale=[1.0, 2.0])
    weights = train(data, Model(features, hidden), recipe).weights
    sys.stdout.write(weights.W.tobytes().hex() + weights.b.tobytes().hex())
"""


def test_the_process_that_compiles_computes_the_same_bytes_as_those_that_load(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)}

    def trained() -> str:
        call = [sys.executable, "-c", TRAIN]
        return subprocess.run(call, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout

    compiling = trained()
    assert list(tmp_path.rglob("*.nbi")) != []
    assert compiling == trained()


def test_kernels_lie_below_build_in_a_folder_named_by_their_target() -> None:
    root = Path(__file__).parents[3]
    call = [sys.executable, "-c", "import os, experiments.core; print(os.environ['NUMBA_CACHE_DIR'])"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    folder = Path(subprocess.run(call, env=environment, cwd=root, capture_output=True, text=True, check=True).stdout)
    assert folder.parent == root / "build" / "kernels"
    assert folder.name.startswith(instructions().replace(" ", "-"))


def test_where_the_project_cannot_be_written_kernels_lie_in_a_folder_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "build"
    blocked.write_text("a file where the folder belongs")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    folder = writable(blocked / "kernels")
    assert folder.parent == tmp_path / "temporary"
    assert folder.stat().st_mode & 0o077 == 0
    assert writable(blocked / "kernels") == folder


def test_a_folder_that_others_may_write_to_is_not_trusted_with_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "build").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    planted = writable(tmp_path / "build" / "kernels")
    planted.chmod(0o777)
    assert writable(tmp_path / "build" / "kernels") != planted
