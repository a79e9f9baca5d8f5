"""The site as a research object: RO-Crate 1.2 (https://w3id.org/ro/crate/1.2), which says what made each file."""

from collections.abc import Iterator
from typing import Any

from site_builder.citing.metadata import MEDIA_TYPES
from site_builder.citing.publication import Publication, file_path, page_path, script_address
from site_builder.store.records import FigureRecord, Report
from site_builder.text.markup import to_plain

CONTEXT = "https://w3id.org/ro/crate/1.2/context"


FILES = (
    ("figures.json", "Record of every figure", "application/json"),
    ("claims.json", "Every claim with its statistic and verdict", "application/json"),
    ("reproduction.json", "Every claim beside the published one", "application/json"),
    ("robustness.json", "Every claim with its margin and its verdicts with other seeds", "application/json"),
    ("calibration.json", "How many intervals hold with other seeds, by part", "application/json"),
    ("figures.bib", "A BibTeX entry per figure", "application/x-bibtex"),
    ("numbers.tex", "A LaTeX macro per number", "application/x-tex"),
    ("bill-of-materials.cdx.json", "The packages that made the site", "application/vnd.cyclonedx+json"),
)
"""The files for programs at the root of the site: name, what it holds, media type."""


def ro_crate(report: Report, publication: Publication) -> dict[str, Any]:
    """Return the content of `ro-crate-metadata.json`."""
    figures = [report.figures[id] for id in sorted(report.figures)]
    parts = [file_path(figure, kind) for figure in figures for kind in figure.files]
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.2"},
            "about": {"@id": "./"},
        },
        _root(publication, [*parts, *(name for name, _, _ in FILES)], figures),
        *({"@id": f"#author-{n}", "@type": "Organization", "name": a} for n, a in enumerate(publication.authors, 1)),
        *({"@id": name, "@type": "File", "name": words, "encodingFormat": media} for name, words, media in FILES),
        *_scripts(figures, publication),
        *(entity for figure in figures for entity in _made(figure)),
    ]
    return {"@context": CONTEXT, "@graph": graph}


def _root(publication: Publication, parts: list[str], figures: list[FigureRecord]) -> dict[str, Any]:
    root: dict[str, Any] = {
        "@id": "./",
        "@type": "Dataset",
        "name": publication.title,
        "description": f"{publication.title}: figures, the data they plot, claims and verdicts.",
        "datePublished": publication.date,
        "license": publication.licence,
        "url": publication.address,
        "author": [{"@id": f"#author-{number}"} for number in range(1, len(publication.authors) + 1)],
        "hasPart": [{"@id": part} for part in parts],
        "mentions": [{"@id": f"#make-{figure.id}"} for figure in figures],
    }
    return {name: value for name, value in root.items() if value}


def _scripts(figures: list[FigureRecord], publication: Publication) -> Iterator[dict[str, Any]]:
    for path in sorted({figure.source.path for figure in figures}):
        figure = next(each for each in figures if each.source.path == path)
        script = {
            "@id": f"#{path}",
            "@type": ["SoftwareSourceCode", "SoftwareApplication"],
            "name": path,
            "programmingLanguage": "Python",
            "version": figure.run.commit if not figure.run.dirty else "",
            "url": script_address(figure, publication).partition("#")[0],
        }
        yield {name: value for name, value in script.items() if value}


def _made(figure: FigureRecord) -> Iterator[dict[str, Any]]:
    """Yield the action that made a figure's files, and the files."""
    yield {
        "@id": f"#make-{figure.id}",
        "@type": "CreateAction",
        "name": f"Run {figure.experiment} ({figure.run.scale}) and draw {figure.id}",
        "instrument": {"@id": f"#{figure.source.path}"},
        "result": [{"@id": file_path(figure, kind)} for kind in figure.files],
        "identifier": [f"run key {figure.run.key}", f"draw key {figure.draw_key}", f"data sha256 {figure.digest}"],
    }
    for kind, file in figure.files.items():
        yield {
            "@id": file_path(figure, kind),
            "@type": "File",
            "name": f"{to_plain(figure.title)} ({kind})",
            "description": to_plain(figure.caption),
            "encodingFormat": MEDIA_TYPES.get(kind, "application/octet-stream"),
            "contentSize": str(file.bytes),
            "sha256": file.sha256,
            "mainEntityOfPage": page_path(figure),
        }
