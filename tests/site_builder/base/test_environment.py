"""What is said about the machine, and which wrong words about it are refused."""

import os
import subprocess
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


def test_an_edited_page_leaves_the_code_that_of_the_commit(tiny):
    tiny.edit("docs/waves.md", "swings", "moves")
    (tiny.root / "docs" / "new page.md").touch()
    assert not commit_of(tiny.root).code_dirty
    (tiny.root / "experiments" / "waves" / "new one.py").touch()
    assert commit_of(tiny.root).code_dirty


def test_outside_a_repository_nothing_vouches_for_the_code(tmp_path):
    assert commit_of(tmp_path) == environment.Commit("", dirty=True)


def git(folder, *arguments):
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_an_archive_unpacked_inside_another_repository_has_none_of_its_commits(tiny):
    inside = tiny.root / "unpacked"
    inside.mkdir()
    commit = commit_of(inside)
    assert (commit.id, commit.dirty) == ("", True)
    assert f"lies inside the repository {tiny.root}" in commit.why


def test_a_variable_that_points_git_at_another_repository_is_not_followed(tiny, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "Another repository")
    ours = commit_of(tiny.root)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    assert commit_of(tiny.root) == ours
    assert commit_of(tmp_path).id == ""


def test_a_repository_without_a_commit_says_so(tmp_path):
    git(tmp_path, "init", "-q")
    assert "without a commit" in commit_of(tmp_path).why


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to another owner")
def test_the_refusal_of_git_to_read_another_owners_folder_is_passed_on_with_its_remedy(tiny):
    for path in (tiny.root, *tiny.root.rglob("*")):
        os.chown(path, 65534, 65534)
    commit = commit_of(tiny.root)
    assert (commit.id, commit.dirty) == ("", True)
    assert "dubious ownership" in commit.why
    assert f"`git config --global --add safe.directory {tiny.root}`" in commit.why


def test_without_git_there_is_no_commit_and_a_reason(tiny, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in commit_of(tiny.root).why
