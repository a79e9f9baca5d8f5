"""What reference managers and search engines read in a page: COinS spans, Highwire tags, JSON-LD."""

from html import escape
from typing import Any
from urllib.parse import urlencode

from site_builder.citing.publication import SHORT, Publication, file_path, page_path
from site_builder.store.records import FigureRecord
from site_builder.text.markup import to_plain

MEDIA_TYPES = {
    "light.svg": "image/svg+xml",
    "dark.svg": "image/svg+xml",
    "light.small.png": "image/png",
    "dark.small.png": "image/png",
    "png": "image/png",
    "pdf": "application/pdf",
    "csv": "text/csv",
    "json": "application/json",
    "view.json": "application/json",
    "collection.json": "application/json",
}
"""Media type of each kind of figure file."""


def coins(figure: FigureRecord, publication: Publication) -> str:
    """Return the COinS span of a figure: an empty element whose title reference managers read."""
    return _coins(
        publication,
        title=to_plain(figure.title),
        identifier=publication.at(page_path(figure)),
        description=to_plain(figure.caption),
        source=publication.title,
    )


def report_coins(publication: Publication) -> str:
    """Return the COinS span of the report as a whole; it goes before those of figures."""
    return _coins(publication, title=publication.title, identifier=publication.address, description="", source="")


def _coins(publication: Publication, **fields: str) -> str:
    pairs = [
        ("ctx_ver", "Z39.88-2004"),
        ("rft_val_fmt", "info:ofi/fmt:kev:mtx:dc"),
        ("rft.type", "report"),
        *((f"rft.{name}", value) for name, value in fields.items() if value),
        *(("rft.creator", author) for author in publication.authors),
        *([("rft.date", publication.date)] if publication.date else []),
        *([("rft.rights", publication.licence)] if publication.licence else []),
        ("rft.language", "en"),
    ]
    return f'<span class="Z3988" title="{escape(urlencode(pairs))}"></span>'


def highwire(figure: FigureRecord, publication: Publication) -> dict[str, str]:
    """Return the `citation_*` tags of a figure's page by name; they file it as a report."""
    tags = {
        "citation_title": to_plain(figure.title),
        "citation_author": "; ".join(publication.authors),
        "citation_publication_date": publication.date.replace("-", "/"),
        "citation_technical_report_institution": publication.title,
        "citation_technical_report_number": f"{figure.id} ({figure.digest[:SHORT]})",
        "citation_language": "en",
    }
    if publication.url:
        tags["citation_abstract_html_url"] = publication.at(page_path(figure))
        tags["citation_pdf_url"] = publication.at(file_path(figure, "pdf")) if "pdf" in figure.files else ""
    return {name: value for name, value in tags.items() if value}


def json_ld(figure: FigureRecord, publication: Publication) -> dict[str, Any]:
    """Return schema.org's description of a figure, an ImageObject based on the data set that it plots."""
    return {"@context": "https://schema.org"} | _image(figure, publication)


def report_json_ld(publication: Publication) -> dict[str, Any]:
    """Return schema.org's description of the whole report; the file that it names describes every figure."""
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Report",
        "@id": publication.address or "./",
        "name": publication.title,
        "author": _creators(publication),
        "datePublished": publication.date,
        "license": publication.licence,
        "version": publication.version,
        "encoding": {
            "@type": "MediaObject",
            "contentUrl": publication.at("ro-crate-metadata.json"),
            "encodingFormat": "application/ld+json",
        },
    }
    return {name: value for name, value in about.items() if value}


def _image(figure: FigureRecord, publication: Publication) -> dict[str, Any]:
    about: dict[str, Any] = {
        "@type": "ImageObject",
        "@id": publication.at(page_path(figure)),
        "name": to_plain(figure.title),
        "caption": to_plain(figure.caption),
        "description": to_plain(figure.alt),
        "identifier": f"sha256:{figure.digest}",
        "creator": _creators(publication),
        "datePublished": publication.date,
        "license": publication.licence,
        "isPartOf": {"@type": "Report", "name": publication.title, "@id": publication.address or "./"},
        "isBasedOn": {
            "@type": "Dataset",
            "name": f"Data plotted in figure {figure.id}",
            "description": to_plain(figure.caption),
            "distribution": [_file(figure, kind, publication) for kind in ("csv", "json") if kind in figure.files],
        },
    }
    if "png" in figure.files:
        about |= {key: value for key, value in _file(figure, "png", publication).items() if key != "@type"}
    return {name: value for name, value in about.items() if value}


def _file(figure: FigureRecord, kind: str, publication: Publication) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "contentUrl": publication.at(file_path(figure, kind)),
        "encodingFormat": MEDIA_TYPES[kind],
        "contentSize": str(figure.files[kind].bytes),
        "sha256": figure.files[kind].sha256,
    }


def _creators(publication: Publication) -> list[dict[str, str]]:
    return [{"@type": "Organization", "name": author} for author in publication.authors]
