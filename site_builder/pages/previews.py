"""What a link shows before it is followed: attributes of the link, which `docs/assets/js/previews.js` reads."""

from markupsafe import Markup

from site_builder.citing.publication import file_path
from site_builder.pages.filters import VERDICTS, data
from site_builder.pages.references import Reference
from site_builder.store.records import ClaimRecord, FigureRecord
from site_builder.text.markup import to_plain
from site_builder.text.quantity_text import written


def of_figure(figure: FigureRecord, root: str) -> Markup:
    """Return the attributes of a link to a figure: number, title and where its small pictures lie."""
    small = root + file_path(figure, "{scheme}.small.png")
    return _attributes(kind="figure", title=f"Figure {figure.number}. {to_plain(figure.title)}", image=small)


def of_claim(claim: ClaimRecord) -> Markup:
    """Return the attributes of a link to a claim: title, verdict with its sign, and value."""
    said = f"{VERDICTS[claim.verdict]} {claim.verdict.value}"
    return _attributes(kind="claim", title=to_plain(claim.title), verdict=said, text=written(claim.statistic))


def of_reference(reference: Reference) -> Markup:
    """Return the attributes of a link to a work: title, authors and year, and what it found."""
    text = f"{reference.authors} ({reference.year}). {reference.about}"
    return _attributes(kind="reference", title=reference.title, text=text)


def _attributes(**values: str) -> Markup:
    """Return attributes whose values neither Markdown nor HTML takes for its own."""
    return Markup("").join(Markup(' data-preview-{}="{}"').format(name, data(value)) for name, value in values.items())
