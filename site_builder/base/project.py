"""Where things lie: the reader's files and everything built from them."""

import os
from dataclasses import dataclass
from pathlib import Path

from experiments.core.errors import ReportError


def file_of(experiment: str) -> str:
    """Return the path in the repository of the file of an experiment, given its id ("first_runs.triangle")."""
    return f"experiments/{experiment.replace('.', '/')}.py"


@dataclass(frozen=True)
class Project:
    """The folders of one report, all below `root`.

    `build/` holds `results/<experiment>/<key>/`, `figures/<figure>/<key>/`, `pages/` (rendered
    Markdown), `site/`, and `preview/` (the site as `serve` shows it); deleting it loses nothing but time.
    """

    root: Path

    @property
    def experiments(self) -> Path:
        return self.root / "experiments"

    @property
    def docs(self) -> Path:
        return self.root / "docs"

    @property
    def mkdocs(self) -> Path:
        return self.root / "mkdocs.yml"

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def results(self) -> Path:
        return self.build / "results"

    @property
    def figures(self) -> Path:
        return self.build / "figures"

    @property
    def published(self) -> Path:
        """The committed results of the published run."""
        return self.experiments / "published"

    @property
    def reseeded(self) -> Path:
        """What the committed runs with other seeds gave."""
        return self.published / "reseeded"

    @property
    def unpacked(self) -> Path:
        """The published results that were unpacked; never taken for results of this machine."""
        return self.build / "published"

    @property
    def pages(self) -> Path:
        return self.build / "pages"

    @property
    def site(self) -> Path:
        return self.build / "site"

    @property
    def preview(self) -> Path:
        return self.build / "preview"

    @property
    def failures(self) -> Path:
        return self.build / "failures"


def find_project(start: Path) -> Project:
    """Return the project whose root is `start`."""
    if not (start / "experiments").is_dir() or not (start / "mkdocs.yml").is_file():
        raise ReportError(
            f"{start} is no report: it has no experiments/ and mkdocs.yml; run from the repository's root"
        )
    project = Project(start)
    if os.path.lexists(project.build) and not project.build.is_dir():
        raise ReportError(f"{project.build} is no folder; what is built goes there, so move it away and run again")
    return project
