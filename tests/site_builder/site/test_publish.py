"""Only a finished full report of a committed state is published."""

import subprocess

import pytest

from experiments.core.errors import ReportError
from site_builder.site import publish
from site_builder.store.entries import digests


def git(folder, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_finished_site_is_pushed_to_the_branch_of_the_pages(built, tmp_path, monkeypatch):
    from site_builder.cli import app

    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "Tester")
        monkeypatch.setenv(f"{name}_EMAIL", "tester@example.org")
    git(tmp_path, "init", "-q", "--bare", "pages.git")
    git(built.root, "remote", "add", "origin", str(tmp_path / "pages.git"))
    app(["publish"], standalone_mode=False)
    git(tmp_path, "clone", "-q", "--branch", "gh-pages", "pages.git", "clone")
    published = digests(tmp_path / "clone")
    site = digests(built.project.site)
    assert {name: published.get(name) for name in site} == site
    assert (
        git(tmp_path / "clone", "log", "-1", "--format=%s")
        .strip()
        .endswith(git(built.root, "rev-parse", "HEAD").strip())
    )


def test_uncommitted_changes_are_refused(tiny):
    publish.refuse_unpublishable(tiny.project, "full")
    tiny.edit("docs/waves.md", "swings", "moves")
    with pytest.raises(ReportError, match="uncommitted changes"):
        publish.refuse_unpublishable(tiny.project, "full")


def test_an_untracked_experiment_is_an_uncommitted_change_and_a_note_is_none(tiny):
    (tiny.root / "note.txt").touch()
    publish.refuse_unpublishable(tiny.project, "full")
    (tiny.root / "experiments/waves/new.py").touch()
    with pytest.raises(ReportError, match="uncommitted changes"):
        publish.refuse_unpublishable(tiny.project, "full")


def test_a_quick_run_is_refused(tiny):
    with pytest.raises(ReportError, match="SCALE=quick is a rehearsal"):
        publish.refuse_unpublishable(tiny.project, "quick")


def test_a_folder_without_a_commit_is_refused(tiny):
    (tiny.root / ".git").rename(tiny.root / "git")
    with pytest.raises(ReportError, match="no git repository"):
        publish.refuse_unpublishable(tiny.project, "full")


def test_an_unknown_remote_is_refused_with_the_nearest_name(tiny):
    git(tiny.root, "remote", "add", "origin", "nowhere")
    with pytest.raises(ReportError, match=r"no remote 'orign'; did you mean 'origin'\?"):
        publish.refuse_unknown_remote(tiny.project, "orign")


def test_a_push_that_fails_is_one_sentence(built):
    git(built.root, "remote", "add", "origin", "nowhere")
    with pytest.raises(ReportError, match="pushing gh-pages to origin failed"):
        publish.push(built.project, "origin", "gh-pages")
