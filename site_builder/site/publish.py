"""Pushes the finished site, as a version that stays, to the branch that GitHub Pages serves."""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.core.errors import ReportError, did_you_mean
from site_builder.base.environment import commit_of, git, without_git
from site_builder.base.project import Project
from site_builder.citing.publication import read_publication
from site_builder.site.versions import add_version, take_published


def refuse_unpublishable(project: Project, scale: str) -> None:
    """Raise ReportError when what would be published could not be traced to a commit or is no full run."""
    if scale == "quick":
        raise ReportError("SCALE=quick is a rehearsal and is not published; leave SCALE out")
    commit = commit_of(project.root)
    if not commit.id:
        raise ReportError(f"{commit.why}; a published figure must name a commit")
    if commit.dirty:
        raise ReportError("there are uncommitted changes, so no commit could vouch for the figures; commit them first")


def refuse_unknown_remote(project: Project, remote: str) -> None:
    """Raise ReportError when the repository has no remote of that name."""
    done = git(project.root, "remote")
    known = done.stdout.split() if done else []
    if remote not in known:
        hint = did_you_mean(remote, known) or "; add it with `git remote add`"
        raise ReportError(f"the repository has no remote {remote!r}{hint}")


def push(project: Project, remote: str, branch: str) -> None:
    """Add the built site to the versions on `branch` of `remote` and push it there."""
    from ghp_import import GhpError, ghp_import

    os.chdir(project.root)  # where ghp-import calls git, with the environment of this process
    for name in os.environ.keys() - without_git(os.environ).keys():
        del os.environ[name]
    publication, commit = read_publication(project.root), commit_of(project.root).id
    with TemporaryDirectory(dir=project.build) as folder:
        take_published(project, remote, branch, Path(folder))
        add_version(project, publication, commit, Path(folder))
        try:
            ghp_import(
                folder,
                mesg=f"Version {publication.version}, site of {commit}",
                remote=remote,
                branch=branch,
                push=True,
                nojekyll=True,
            )
        except (GhpError, subprocess.CalledProcessError) as error:
            raise ReportError(f"pushing {branch} to {remote} failed ({error}); mend that and publish again") from error
