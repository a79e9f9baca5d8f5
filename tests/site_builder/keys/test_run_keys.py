"""A run key holds what the run used, and nothing more."""

from pathlib import Path

import pytest

from experiments.core import instructions
from experiments.core.contract import Experiment
from site_builder.base.locks import runtime
from site_builder.discovery.registry import load
from site_builder.keys import run_keys
from site_builder.keys.run_keys import run_key
from site_builder.keys.sources import Sources

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def trained() -> Experiment:
    """An experiment that trains: its code reaches the GPU kernels, and so the package they are written in."""
    return load("experiments.first_runs.starfish", "experiments/first_runs/starfish.py")


def key(experiment: Experiment, device: str = "cpu") -> dict[str, str]:
    return run_key(Sources([ROOT]), experiment, experiment.quick, device, ROOT).parts


def test_what_the_tests_install_changes_no_key_on_a_machine_without_a_gpu(
    trained: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make test` installs triton, ruff and others; before it, they are absent."""
    known = run_keys.versions

    def before(packages: set[str]) -> dict[str, str]:
        return {name: "absent" if name == "triton" else version for name, version in known(packages).items()}

    def after(packages: set[str]) -> dict[str, str]:
        return {name: "3.7.1" if name == "triton" else version for name, version in known(packages).items()}

    monkeypatch.setattr(run_keys, "versions", before)
    cpu, gpu = key(trained), key(trained, "cuda")
    monkeypatch.setattr(run_keys, "versions", after)
    assert key(trained) == cpu
    assert key(trained, "cuda") != gpu


def test_the_packages_in_a_key_are_those_of_the_locked_runtime(trained: Experiment) -> None:
    names = {part.removeprefix("version ") for part in key(trained) if part.startswith("version ")}
    assert {"numba", "numpy", "torch"} <= names
    assert {name.replace("sklearn", "scikit-learn") for name in names} <= runtime(ROOT).keys()


def test_the_instructions_are_part_of_the_key(trained: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = key(trained)
    monkeypatch.setenv("NATIVE", "1")
    native = key(trained)
    assert native["instructions"] == instructions.instructions()
    assert {name for name in pinned if pinned[name] != native[name]} <= {"instructions"}
    assert native["instructions"].startswith("native")
