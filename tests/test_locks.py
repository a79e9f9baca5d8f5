"""What is installed is what was pinned, file by file: every package but torch has digests that pip compares."""

import re
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from site_builder.base.locks import locked, normal, runtime

ROOT = Path(__file__).parents[1]
HASHED = ("requirements.lock", "requirements-dev.lock")


@pytest.mark.parametrize("lock", HASHED)
def test_every_line_of_a_lock_is_a_pin_with_digests(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text("utf-8").strip())
    assert len(entries) > 100
    for entry in entries:
        pin, *digests = entry.split(" \\\n    --hash=sha256:")
        assert re.fullmatch(r"[a-z0-9-]+==\S+", pin), pin
        assert digests, pin
        assert all(re.fullmatch("[0-9a-f]{64}", each) for each in digests), pin


def test_torch_alone_has_no_digests_since_indexes_build_it_differently() -> None:
    pin = (ROOT / "requirements-torch.lock").read_text("utf-8")
    assert re.fullmatch(r"torch==\d+\.\d+\.\d+\n", pin), "no label of one index, such as +cpu"
    assert all("torch" not in locked(ROOT / lock) for lock in HASHED)


def test_the_tests_run_with_what_the_report_runs_with() -> None:
    dev = locked(ROOT / "requirements-dev.lock")
    assert {name: dev[name] for name in locked(ROOT / "requirements.lock")} == locked(ROOT / "requirements.lock")
    assert "pytest" in dev


def test_locks_hold_all_that_their_packages_need() -> None:
    """Where a digest is asked of every package, one that is missing ends the installation."""
    pins = runtime(ROOT)
    assert pins.keys() >= {"numpy", "torch"}
    missing = {
        f"{name} needs {need.name}"
        for name in pins
        for text in metadata.requires(name) or []
        if ((need := Requirement(text)).marker is None or need.marker.evaluate({"extra": ""}))
        and normal(need.name) not in pins
        and not (name == "torch" and re.match("nvidia-|cuda-|triton", need.name))
    }
    assert missing == set()


def test_every_pin_installs_on_the_oldest_python() -> None:
    oldest = re.search(r'requires-python = ">=([0-9.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert oldest
    pins = runtime(ROOT) | locked(ROOT / "requirements-dev.lock")
    there = {normal(each.metadata["Name"]): each for each in metadata.distributions() if each.metadata["Name"]}
    asking = {
        name: there[name].metadata.get("Requires-Python", "")
        for name, version in pins.items()
        if name in there
        and there[name].version.partition("+")[0] == version
        and there[name].metadata.get("Requires-Python")
    }
    assert len(asking) > 50
    assert {name: asked for name, asked in asking.items() if oldest[1] not in SpecifierSet(asked)} == {}
    assert f"OLDEST := {oldest[1]}\n" in (ROOT / "Makefile").read_text("utf-8")


def test_make_asks_for_digests_of_all_but_torch(tmp_path: Path) -> None:
    call = ["make", "-n", "--always-make", "lint", f"VENV={tmp_path / 'environment'}"]
    told = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    installs = [line for line in told.splitlines() if "pip install" in line]
    by_file = {line.split(" -r ")[1].strip(): "--require-hashes" in line for line in installs}
    assert by_file == {"requirements.lock": True, "requirements-torch.lock": False, "requirements-dev.lock": True}
