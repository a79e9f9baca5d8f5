"""The report as something to cite: its title, authors, address and date, and the addresses of its figures.

Read from `CITATION.cff` (title, authors, version, date-released, and the licence of text and figures, which is that of
the preferred citation) and `mkdocs.yml` (site_url, repo_url). What is absent: without a site_url a citation names the
page's path in the site; without a licence it names none; without date-released the date is that of the commit, and
without a repository there is none.

A published site lies in two folders below its address: `latest/`, which changes, and `v/<version>/`, which does not.
Citations name the latter.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from mkdocs.utils.yaml import get_yaml_loader

from experiments.core.errors import ReportError
from site_builder.base.environment import commit_of, git
from site_builder.store.records import FigureRecord

KEY_PREFIX = "toymodelsmeasured"
"""Start of every citation key; like the ids of figures it never changes, whatever the report is called."""

SHORT = 12
"""Hexadecimal digits of a digest or commit that a citation shows."""


@dataclass(frozen=True)
class Publication:
    """What a citation says about the report as a whole; `date` is ISO 8601, or "" when unknown, like all others."""

    title: str
    authors: tuple[str, ...]
    url: str = ""
    repository: str = ""
    licence: str = ""
    version: str = ""
    date: str = ""

    @property
    def year(self) -> str:
        return self.date[:4]

    @property
    def address(self) -> str:
        """The permanent address of this version of the site, ending in a slash; "" where the site has none yet."""
        return f"{self.url.rstrip('/')}/{version_folder(self.version)}" if self.url else ""

    def at(self, path: str) -> str:
        """Return the permanent address of a file of the site; relative to the site where the site has none yet."""
        return f"{self.address}{path}"


LATEST = "latest/"
"""Folder of a published site that holds its latest version."""


def version_folder(version: str) -> str:
    """Return the folder of a published site that holds one version for good; the top folder for a report without."""
    return f"v/{version}/" if version else ""


def read_publication(root: Path) -> Publication:
    """Return the publication described by `CITATION.cff` and `mkdocs.yml` in `root`."""
    about = _load(root / "CITATION.cff", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    site = _load(root / "mkdocs.yml", config_loader())
    licence = (about.get("preferred-citation") or {}).get("license") or about.get("license") or ""
    return Publication(
        title=str(about.get("title") or site.get("site_name") or "Untitled report"),
        authors=tuple(_author(each) for each in about.get("authors") or []) or ("Anonymous",),
        url=str(site.get("site_url") or about.get("url") or ""),
        repository=str(site.get("repo_url") or about.get("repository-code") or ""),
        licence=" or ".join(licence) if isinstance(licence, list) else str(licence),
        version=str(about.get("version") or ""),
        date=str(about.get("date-released") or _commit_date(root)),
    )


def citation_key(figure: FigureRecord) -> str:
    """Return the figure's key in bibliographies."""
    return f"{KEY_PREFIX}:{figure.id}"


def page_path(figure: FigureRecord) -> str:
    """Return the path of the figure's own page in the site."""
    return f"figures/{figure.id}.html"


def file_path(figure: FigureRecord, kind: str) -> str:
    """Return the path of one of the figure's files in the site."""
    return f"figures/{figure.id}.{kind}"


def script_address(figure: FigureRecord, publication: Publication) -> str:
    """Return the permanent address of the drawing code's lines; "" from a dirty tree or without a repository."""
    if not publication.repository or not figure.run.commit or figure.run.dirty:
        return ""
    source = figure.source
    lines = f"#L{source.first_line}-L{source.last_line}"
    return f"{publication.repository.rstrip('/')}/blob/{figure.run.commit}/{source.path}{lines}"


def config_loader() -> Any:
    """Return what reads `mkdocs.yml`, whose tags name what the environment or the theme holds; in C where there is."""
    return get_yaml_loader(getattr(yaml, "CLoader", yaml.Loader))


def _load(path: Path, loader: Any) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8") as stream:
            loaded = yaml.load(stream, Loader=loader)
    except yaml.YAMLError as error:
        raise ReportError(f"{path.name} is no valid YAML ({' '.join(str(error).split())}); mend it") from error
    return dict(loaded or {})


def _author(author: dict[str, str]) -> str:
    if "name" in author:
        return author["name"]
    return " ".join(part for part in (author.get("given-names"), author.get("family-names")) if part)


def _commit_date(root: Path) -> str:
    """Return the day of the commit that the report is built from, or "" without one."""
    commit = commit_of(root).id
    shown = git(root, "show", "-s", "--format=%cs", commit) if commit else None
    return shown.stdout.strip() if shown and shown.returncode == 0 else ""
