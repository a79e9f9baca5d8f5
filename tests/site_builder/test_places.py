"""A report writes below `build/` alone: it works where tree and home cannot be written, and says what it lacks."""

import ctypes
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from site_builder.base.places import FONTS, KERNELS, NOTEBOOKS, give_places
from tests.site_builder.conftest import command_environment
from tests.torture.small_report import SmallReport, small_report

DROP_FROM_BOUNDING_SET = 24
"""PR_CAPBSET_DROP of prctl(2)."""

VARIABLES = (*KERNELS, *NOTEBOOKS, *FONTS)

OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with these the modes of files do not bind."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere root's rights cannot be dropped like this")


def obey_modes() -> None:
    """Let the modes of files bind this process even if it is root's."""
    for capability in OVERRIDES if os.getuid() == 0 else ():
        if ctypes.CDLL(None).prctl(DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) != 0:
            os._exit(99)


def command(report: SmallReport, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to which the modes of files apply; what it says of building a cache of fonts is left out."""
    left = {name: value for name, value in command_environment().items() if name not in VARIABLES}
    with tempfile.TemporaryDirectory(prefix="t") as temporary:  # short: the path of a socket has room for 107 bytes
        done = subprocess.run(
            [sys.executable, "-B", "-m", "site_builder", *arguments],
            cwd=report.root,
            env=left | {"HOME": str(home), "TMPDIR": temporary, "OMP_NUM_THREADS": "1"},
            preexec_fn=obey_modes,
            capture_output=True,
            text=True,
            check=False,
        )
    done.stderr = "".join(line for line in done.stderr.splitlines(keepends=True) if "font cache" not in line)
    return done


@pytest.fixture
def closed(tmp_path: Path):
    """A small report in a tree that cannot be written, beside a home that cannot be written."""
    report = small_report(tmp_path / "report")
    (tmp_path / "home").mkdir()
    (tmp_path / "home").chmod(0o555)
    subprocess.run(["chmod", "-R", "a-w", str(report.root)], check=True)
    yield report
    subprocess.run(["chmod", "-R", "u+w", str(report.root), str(tmp_path / "home")], check=True)


def found(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if ".git" not in path.parts)


def test_with_a_closed_tree_and_home_a_report_needs_build_alone(closed: SmallReport, tmp_path: Path) -> None:
    closed.root.chmod(0o755)
    closed.build.mkdir()
    closed.root.chmod(0o555)
    before = [path for path in found(closed.root) if not path.is_relative_to(closed.build)]
    for arguments in (["list"], ["report"], ["verify"]):
        done = command(closed, tmp_path / "home", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
    assert [path for path in found(closed.root) if not path.is_relative_to(closed.build)] == before
    assert found(tmp_path / "home") == []
    assert (closed.build / "site" / "index.html").is_file()


def test_where_nothing_can_be_written_what_writes_nothing_works_and_a_report_names_the_place(
    closed: SmallReport, tmp_path: Path
) -> None:
    done = command(closed, tmp_path / "home", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert "waves.sine" in done.stdout
    done = command(closed, tmp_path / "home", "report")
    place = f"{closed.build}: writing there is not allowed; give yourself the right to write and run again"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(place)
    assert done.stderr.count("\n") == 1


def test_with_a_home_only_the_list_of_fonts_is_kept_there(tmp_path: Path) -> None:
    variables = {"HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    give_places(tmp_path / "build", variables)
    assert variables.keys() == {"HOME", *KERNELS, *NOTEBOOKS}
    assert variables["TRITON_CACHE_DIR"] == str(tmp_path / "build" / "kernels" / "triton")
    assert variables["IPYTHONDIR"] == str(tmp_path / "build" / "libraries" / "ipython")


def test_a_users_own_choice_of_place_stands(tmp_path: Path) -> None:
    chosen = dict.fromkeys(VARIABLES, "mine") | {"HOME": str(tmp_path / "nowhere")}
    variables = dict(chosen)
    give_places(tmp_path / "build", variables)
    assert variables == chosen


def test_without_home_and_build_the_place_is_a_folder_of_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "build").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    variables = {"HOME": str(tmp_path / "nowhere")}
    give_places(tmp_path / "build", variables)
    place = Path(variables["MPLCONFIGDIR"]).parent
    assert place.parent == tmp_path
    assert place.stat().st_mode & 0o077 == 0


def said(closed_or_full: str, *arguments: str, root: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command through a shell that redirects its streams."""
    program = f'"{sys.executable}" -m site_builder "$@" {closed_or_full}'
    call = ["bash", "-c", program, "bash", *arguments]
    return subprocess.run(call, cwd=root, env=command_environment(), capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("arguments", [["list"], ["report", "--jobs", "1", "--only", "cosine"]])
def test_an_output_that_is_full_is_named_and_nothing_is_lost(arguments: list[str], tmp_path: Path) -> None:
    report = small_report(tmp_path)
    done = said("> /dev/full", *arguments, root=report.root)
    sentence = "the output: the disk is full; free some space and run again; what was finished is kept\n"
    assert done.returncode == 1
    assert done.stderr.splitlines(keepends=True)[0].endswith(sentence)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_command_whose_streams_are_closed_does_its_work(tmp_path: Path) -> None:
    report = small_report(tmp_path)
    done = said(">&- 2>&- <&-", "report", "--only", "cosine", "--jobs", "2", root=report.root)
    assert done.returncode == 0
    assert (report.build / "site" / "index.html").is_file()
