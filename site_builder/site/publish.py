"""Pushes the finished site to the branch that GitHub Pages serves."""

import subprocess

from experiments.core.errors import ReportError, did_you_mean
from site_builder.base.environment import commit_of
from site_builder.base.project import Project


def refuse_unpublishable(project: Project, scale: str) -> None:
    """Raise ReportError when what would be published could not be traced to a commit or is no full run."""
    if scale == "quick":
        raise ReportError("SCALE=quick is a rehearsal and is not published; leave SCALE out")
    commit = commit_of(project.root)
    if not commit.id:
        raise ReportError(f"{project.root} is no git repository with a commit; a published figure must name one")
    if commit.dirty:
        raise ReportError("there are uncommitted changes, so no commit could vouch for the figures; commit them first")


def refuse_unknown_remote(project: Project, remote: str) -> None:
    """Raise ReportError when the repository has no remote of that name."""
    done = subprocess.run(["git", "remote"], cwd=project.root, capture_output=True, text=True, check=True)
    known = done.stdout.split()
    if remote not in known:
        hint = did_you_mean(remote, known) or "; add it with `git remote add`"
        raise ReportError(f"the repository has no remote {remote!r}{hint}")


def push(project: Project, remote: str, branch: str) -> None:
    """Commit the built site to `branch` and push it to `remote`."""
    from ghp_import import GhpError, ghp_import

    try:
        ghp_import(
            str(project.site),
            mesg=f"Site of {commit_of(project.root).id}",
            remote=remote,
            branch=branch,
            push=True,
            nojekyll=True,
        )
    except (GhpError, subprocess.CalledProcessError) as error:
        raise ReportError(f"pushing {branch} to {remote} failed ({error}); mend that and publish again") from error
