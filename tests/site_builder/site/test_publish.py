"""Only a finished full report of a committed state is published."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from experiments.core.errors import ReportError
from site_builder.site import publish
from site_builder.site.versions import published_versions
from site_builder.store.entries import digests


def git(folder, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def remote(built, tmp_path, monkeypatch):
    """A remote of the built report; call it for a fresh copy of its pages."""
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "Tester")
        monkeypatch.setenv(f"{name}_EMAIL", "tester@example.org")
    git(tmp_path, "init", "-q", "--bare", "pages.git")
    git(built.root, "remote", "add", "origin", str(tmp_path / "pages.git"))

    def pages() -> Path:
        shutil.rmtree(tmp_path / "pages", ignore_errors=True)
        subprocess.run(
            ["git", "clone", "-q", "--branch", "gh-pages", "pages.git", "pages"], cwd=tmp_path, capture_output=True
        )
        shutil.rmtree(tmp_path / "pages" / ".git", ignore_errors=True)
        return tmp_path / "pages"

    return pages


def test_the_finished_site_is_pushed_to_the_branch_of_the_pages(built, tmp_path, remote):
    from site_builder.cli import app

    app(["publish"], standalone_mode=False)
    git(tmp_path, "clone", "-q", "--branch", "gh-pages", "pages.git", "clone")
    site = digests(built.project.site)
    assert digests(tmp_path / "clone" / "latest") == digests(tmp_path / "clone" / "v" / "0.1") == site
    commit = git(built.root, "rev-parse", "HEAD").strip()
    assert git(tmp_path / "clone", "log", "-1", "--format=%s").strip().endswith(commit)
    (version,) = json.loads((tmp_path / "clone" / "versions.json").read_text())
    assert (version["version"], version["commit"]) == ("0.1", commit)


def test_an_older_version_stays_when_a_newer_one_is_pushed(built, tmp_path, remote):
    publish.push(built.project, "origin", "gh-pages")
    before = digests(built.project.site)
    (built.project.site / "new.html").write_text("new")
    built.edit("CITATION.cff", "version: 0.1", "version: 0.2")
    publish.push(built.project, "origin", "gh-pages")
    pages = remote()
    assert digests(pages / "v" / "0.1") == before
    assert digests(pages / "v" / "0.2") == digests(pages / "latest") == digests(built.project.site)
    assert [each["version"] for each in json.loads((pages / "versions.json").read_text())] == ["0.2", "0.1"]
    assert "url=latest/" in (pages / "index.html").read_text()


def test_a_published_version_is_not_changed(built, remote):
    publish.push(built.project, "origin", "gh-pages")
    before = digests(remote())
    publish.push(built.project, "origin", "gh-pages")
    (built.project.site / "new.html").write_text("new")
    with pytest.raises(ReportError, match=r"version 0\.1 is published already"):
        publish.push(built.project, "origin", "gh-pages")
    assert digests(remote()) == before


def test_a_report_without_a_version_is_not_published(built, remote):
    built.edit("CITATION.cff", "version: 0.1\n", "")
    with pytest.raises(ReportError, match="names no version"):
        publish.push(built.project, "origin", "gh-pages")
    assert not remote().exists()


def test_a_list_of_versions_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "versions.json").write_text("{")
    with pytest.raises(ReportError, match=r"versions.json of the published site cannot be read"):
        published_versions(tmp_path)


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
    with pytest.raises(ReportError, match="git ls-remote failed"):
        publish.push(built.project, "origin", "gh-pages")
