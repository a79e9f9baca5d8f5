"""What is said about the machine, and which wrong words about it are refused."""

import sys

import pytest

from site_builder.base import environment
from site_builder.base.environment import commit_of, device_class, jobs_asked, versions
from site_builder.base.options import WrongOption


def test_auto_takes_cuda_where_there_is_one_and_the_processor_elsewhere(monkeypatch):
    monkeypatch.setattr(environment, "cuda_is_there", lambda: True)
    assert [device_class(word) for word in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    monkeypatch.setattr(environment, "cuda_is_there", lambda: False)
    assert [device_class(word) for word in ("auto", "cpu")] == ["cpu", "cpu"]
    with pytest.raises(WrongOption, match="no CUDA device"):
        device_class("cuda")


def test_an_unknown_device_is_refused_with_the_nearest():
    with pytest.raises(WrongOption, match=r"there is no 'CPU', only auto, cpu, cuda; did you mean 'cpu'\?"):
        device_class("CPU")


def test_one_experiment_per_core_runs_at_once_one_alone_on_a_gpu_and_as_many_as_asked(monkeypatch):
    monkeypatch.setattr(environment, "usable_cores", lambda: 6)
    assert [jobs_asked("auto", "cpu"), jobs_asked("auto", "cuda"), jobs_asked("3", "cuda")] == [6, 1, 3]


@pytest.mark.parametrize("word", ["0", "-1", "many", "1.5", ""])
def test_a_number_of_jobs_that_is_none_is_refused(word):
    with pytest.raises(WrongOption, match=f"JOBS: {word!r} is no number of experiments to run at once"):
        jobs_asked(word, "cpu")


def test_versions_are_those_installed_also_where_the_package_has_another_name():
    import numpy
    import yaml

    assert versions({"numpy", "yaml", "no_such_package"}) == {
        "numpy": numpy.__version__,
        "yaml": yaml.__version__,
        "no_such_package": "absent",
    }


def test_the_python_version_is_the_minor_one():
    assert environment.python_minor() == ".".join(sys.version.split(".")[:2])


def test_a_commit_is_dirty_only_when_something_published_differs(tiny):
    assert not commit_of(tiny.root).dirty
    assert len(commit_of(tiny.root).id) == 40
    (tiny.root / "scratch.txt").touch()
    assert not commit_of(tiny.root).dirty
    tiny.edit("docs/waves.md", "swings", "moves")
    assert commit_of(tiny.root).dirty


def test_outside_a_repository_nothing_vouches_for_the_code(tmp_path):
    assert commit_of(tmp_path) == environment.Commit("", dirty=True)
