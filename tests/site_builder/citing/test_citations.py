"""Citations parse in the tools they are pasted into, and identify a figure by slug, data and commit."""

import json
import re
from dataclasses import replace
from html import unescape
from urllib.parse import parse_qs

import pytest

from experiments.core.errors import ReportError
from site_builder.citing.citations import (
    FORMATS,
    cite,
    cite_report,
    coins,
    highwire,
    json_ld,
    report_coins,
    report_json_ld,
    script_address,
)
from site_builder.citing.publication import Publication, citation_key, read_publication

BOOK = Publication(
    "Toys & Models: 100 %", ("The Toy Authors, Measured", "José Núñez"), "https://example.org/toy/",
    "https://git.example.org/toy", "MIT", "1.2", "2026-11-22",
)  # fmt: skip
PAGE = "https://example.org/toy/v/1.2/figures/starfish.html"


@pytest.fixture
def figure(drawn_report):
    return replace(drawn_report[0].figures["starfish"], title="Five & *more*: 50 % of $W_1$")


def parse_bib(text):
    """Read one entry strictly: balanced braces in every field, each field once, ASCII only."""
    head = re.fullmatch(r"@(\w+)\{([^\s,{}]+),\n(.*)\n\}\n", text, re.DOTALL)
    assert head
    assert text.isascii()
    fields = {}
    for line in head[3].split("\n"):
        field = re.fullmatch(r"  (\w+) += \{(.*)\},", line)
        assert field, line
        assert field[1] not in fields
        depth = 0
        for sign in re.sub(r"\\[{}]", "", field[2]):
            depth += (sign == "{") - (sign == "}")
            assert depth >= 0, line
        assert depth == 0, line
        fields[field[1]] = field[2]
    return head[1], head[2], fields


@pytest.mark.parametrize(("format", "kind"), [("bibtex", "techreport"), ("biblatex", "report")])
def test_the_report_has_an_entry_of_its_own(format, kind):
    found, key, fields = parse_bib(cite_report(format, BOOK))
    assert (found, key) == (kind, "toymodelsmeasured")
    assert fields["url"] == "https://example.org/toy/v/1.2/"
    assert "1.2" in (fields.get("version") or fields["note"])


def test_the_report_without_an_address_is_cited_without_one():
    homeless = replace(BOOK, url="")
    assert "url" not in cite_report("bibtex", homeless)
    assert cite_report("text", homeless).endswith("Version 1.2.\n")
    assert "URL" not in json.loads(cite_report("csl", homeless))[0]


def test_an_unknown_format_for_the_report_is_refused():
    with pytest.raises(ReportError, match="no citation format 'latex' for the report"):
        cite_report("latex", BOOK)


def test_the_licence_of_figures_is_that_of_the_preferred_citation(tmp_path):
    (tmp_path / "CITATION.cff").write_text("license: MIT\npreferred-citation:\n  license: CC-BY-4.0\n")
    assert read_publication(tmp_path).licence == "CC-BY-4.0"


@pytest.mark.parametrize(("format", "kind"), [("bibtex", "misc"), ("biblatex", "online")])
def test_bibliography_entries_are_well_formed(figure, format, kind):
    found, key, fields = parse_bib(cite(figure, format, BOOK))
    assert (found, key) == (kind, "toymodelsmeasured:starfish")
    assert fields["author"] == r"{The Toy Authors, Measured} and {Jos{\'{e}} N{\'{u}}{\~{n}}ez}"
    assert fields["title"] == r"{Five \& \emph{more}: 50 \% of $W_1$}"
    assert PAGE in fields.get("howpublished", fields.get("url", ""))
    assert figure.digest[:12] in fields["note"]
    assert figure.run.commit[:12] in fields["note"]


def test_csl_is_an_array_of_one_figure(figure):
    (item,) = json.loads(cite(figure, "csl", BOOK))
    assert (item["type"], item["id"], item["URL"]) == ("figure", citation_key(figure), PAGE)
    assert item["title"] == "Five & more: 50 % of W_1"
    assert item["issued"] == {"date-parts": [[2026, 11, 22]]}
    assert item["author"] == [{"literal": "The Toy Authors, Measured"}, {"literal": "José Núñez"}]


def test_a_quick_figure_is_cited_by_the_picture_it_has(figure):
    quick = replace(figure, files={kind: file for kind, file in figure.files.items() if kind != "pdf"})
    text = cite(quick, "latex", BOOK)
    assert "{starfish.png}" in text
    assert ".pdf" not in text
    assert "citation_pdf_url" not in highwire(quick, BOOK)


def test_latex_is_a_figure_that_cites_itself(figure):
    text = cite(figure, "latex", BOOK)
    assert text.count(r"\begin{figure}") == text.count(r"\end{figure}") == 1
    assert r"\includegraphics[width=\linewidth]{starfish.pdf}" in text
    assert rf"\cite{{{citation_key(figure)}}}" in text
    assert r"\textbf{Five \& \emph{more}: 50 \% of $W_1$.}" in text
    assert all(line.startswith("%") for line in text.split("\n")[:2])


def test_markdown_shows_the_picture_and_leads_to_the_page(figure):
    text = cite(figure, "markdown", BOOK)
    assert re.match(r"\[!\[[^\]]+\]\(https://example.org/toy/v/1.2/figures/starfish.png\)\]\(" + re.escape(PAGE), text)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_names_figure_address_and_data(figure, format):
    text = cite(figure, format, BOOK)
    assert figure.id in text
    assert "https://example.org/toy/v/1.2/figures/starfish" in text
    assert figure.digest[:12] in text


@pytest.mark.parametrize("format", FORMATS)
def test_an_uncommitted_build_says_so_and_names_no_commit(figure, format):
    dirty = replace(figure, run=replace(figure.run, dirty=True))
    text = cite(dirty, format, BOOK)
    assert "uncommitted changes" in text
    assert figure.run.commit[:7] not in text
    assert script_address(dirty, BOOK) == ""


def test_a_citation_does_not_change_when_a_figure_gets_another_number(figure):
    assert {cite(replace(figure, number=n), "bibtex", BOOK) for n in (1, 2)} == {cite(figure, "bibtex", BOOK)}


def test_the_script_is_linked_at_the_commit(figure):
    source = figure.source
    assert script_address(figure, BOOK) == (
        f"https://git.example.org/toy/blob/{figure.run.commit}/{source.path}#L{source.first_line}-L{source.last_line}"
    )


def test_an_unknown_format_is_told_the_nearest(figure):
    with pytest.raises(ReportError, match="did you mean 'bibtex'"):
        cite(figure, "bibtx", BOOK)


def test_coins_carry_what_reference_managers_read(figure):
    title = re.fullmatch(r'<span class="Z3988" title="([^"<>]+)"></span>', coins(figure, BOOK))
    assert title
    fields = parse_qs(unescape(title[1]), strict_parsing=True)
    assert fields["rft.title"] == ["Five & more: 50 % of W_1"]
    assert fields["rft.identifier"] == [PAGE]
    assert fields["rft.creator"] == list(BOOK.authors)
    assert parse_qs(unescape(report_coins(BOOK)))["rft.date"] == ["2026-11-22"]


def test_highwire_tags_file_a_technical_report(figure):
    tags = highwire(figure, BOOK)
    assert tags["citation_technical_report_institution"] == BOOK.title
    assert tags["citation_publication_date"] == "2026/11/22"
    assert tags["citation_pdf_url"] == "https://example.org/toy/v/1.2/figures/starfish.pdf"
    assert all(tags.values())


def test_json_ld_describes_the_picture_and_its_data(figure):
    about = json_ld(figure, BOOK)
    assert (about["@type"], about["@id"]) == ("ImageObject", PAGE)
    assert about["sha256"] == figure.files["png"].sha256
    assert [data["sha256"] for data in about["isBasedOn"]["distribution"]] == [
        figure.files[kind].sha256 for kind in ("csv", "json")
    ]


def test_json_ld_of_the_report_names_the_file_that_describes_every_figure():
    about = report_json_ld(BOOK)
    assert about["encoding"]["contentUrl"] == "https://example.org/toy/v/1.2/ro-crate-metadata.json"
    assert "hasPart" not in about, "the home page stays small however many figures there are"


def test_without_an_address_a_citation_names_the_page_in_the_site(figure):
    homeless = replace(BOOK, url="", date="", licence="")
    assert "figures/starfish.html" in cite(figure, "text", homeless)
    assert "(n.d.)" in cite(figure, "text", homeless)
    assert "howpublished" not in cite(figure, "bibtex", homeless)
    assert "citation_pdf_url" not in highwire(figure, homeless)


def test_the_publication_is_read_from_its_two_files(tmp_path):
    (tmp_path / "CITATION.cff").write_text(
        "title: A report\nauthors:\n- {given-names: Ada, family-names: Byron}\n- {name: The Group}\n"
        "license: [MIT, Apache-2.0]\ndate-released: 2026-01-02\nversion: 1.0.0\n"
    )
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: x\nsite_url: !ENV [NO_SUCH_VARIABLE, 'https://example.org/']\nrepo_url: https://git.example.org/x\n"
    )
    assert read_publication(tmp_path) == Publication(
        "A report", ("Ada Byron", "The Group"), "https://example.org/", "https://git.example.org/x",
        "MIT or Apache-2.0", "1.0.0", "2026-01-02",
    )  # fmt: skip


def test_a_publication_without_files_has_defaults_and_a_broken_one_an_error(tmp_path):
    assert read_publication(tmp_path) == Publication("Untitled report", ("Anonymous",))
    (tmp_path / "CITATION.cff").write_text("title: [")
    with pytest.raises(ReportError, match=r"CITATION\.cff is no valid YAML"):
        read_publication(tmp_path)
