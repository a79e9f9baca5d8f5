"""Compiled kernels on disk are never stale."""

from pathlib import Path

from experiments.core.compiled import kernel_digest


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
