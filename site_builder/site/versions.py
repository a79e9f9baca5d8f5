"""The folders of the published site: every version stays at its own address for good, and `latest/` shows the newest.

index.html         leads to latest/
versions.json      all versions, the newest first: what the list of versions on each page reads
latest/            the newest version
v/<version>/       each version as it was published
"""

import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from experiments.core.errors import ReportError
from site_builder.base.project import Project
from site_builder.citing.publication import LATEST, Publication, version_folder
from site_builder.store.entries import digests

VERSIONS = "versions.json"

REDIRECT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="{latest}assets/favicon.svg">
<meta http-equiv="refresh" content="0; url={latest}">
<p><a href="{latest}">{title}</a></p>
"""


def add_version(project: Project, publication: Publication, commit: str, folder: Path) -> None:
    """Add the built site to the published one in `folder`, as its newest version.

    Raises ReportError without a version, and where the version was published with other content.
    """
    if not publication.version:
        raise ReportError("CITATION.cff names no version to publish; add `version: 0.1.0`")
    kept = folder / version_folder(publication.version)
    if kept.is_dir():
        if digests(kept) != digests(project.site):
            raise ReportError(
                f"version {publication.version} is published already and stays as it is; "
                "raise `version` and `date-released` in CITATION.cff, commit, and publish again"
            )
    else:
        shutil.copytree(project.site, kept)
    shutil.rmtree(folder / LATEST, ignore_errors=True)
    shutil.copytree(project.site, folder / LATEST)
    this = {"version": publication.version, "date": publication.date, "commit": commit}
    others = [each for each in published_versions(folder) if each.get("version") != publication.version]
    (folder / VERSIONS).write_text(json.dumps([this, *others], indent=1) + "\n", "utf-8")
    (folder / "index.html").write_text(REDIRECT.format(title=publication.title, latest=LATEST), "utf-8")


def published_versions(folder: Path) -> list[dict[str, Any]]:
    """Return what `versions.json` says, the newest version first; nothing before the first one is published."""
    path = folder / VERSIONS
    if not path.is_file():
        return []
    try:
        return [dict(each) for each in json.loads(path.read_text("utf-8"))]
    except (ValueError, TypeError) as error:
        raise ReportError(
            f"{VERSIONS} of the published site cannot be read ({error}); mend it on its branch"
        ) from error


def take_published(project: Project, remote: str, branch: str, folder: Path) -> None:
    """Write what `branch` of `remote` holds into `folder`; nothing where there is no such branch yet."""
    if not _git(project, "ls-remote", "--heads", remote, branch).strip():
        return
    _git(project, "fetch", "--depth=1", remote, branch)
    with tarfile.open(fileobj=io.BytesIO(_git(project, "archive", "FETCH_HEAD"))) as archive:
        archive.extractall(folder, filter="data")


def _git(project: Project, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=project.root, capture_output=True)
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise ReportError(f"git {arguments[0]} failed ({said}); mend that and publish again")
    return done.stdout
