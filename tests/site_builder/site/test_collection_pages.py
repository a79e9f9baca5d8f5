"""The pages of a collection: complete, linked, and never more than text, whatever a token holds."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments.core.browsing import Bars, Collection, Column, Entry, Histogram, Passage, Passages, Row
from site_builder.figures.view_files import COLLECTION, to_json
from site_builder.site import collection_pages
from site_builder.site.collection_pages import cell, runs, shown, token, write_collections
from site_builder.store.records import FigureRecord, FileRecord, Report

HOSTILE = (
    "</p><script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus=alert(1) '",
    "<img src=x onerror=alert(1)>",
    "<!--",
    "]]>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;",
    "\u202eedoc",
    "\ud800",
    "\x00\x1b[31m",
    "\n\n\t ",
    "</textarea></style></title><svg onload=alert(1)>",
    "javascript:alert(1)",
)
"""Tokens that would do something if one place forgot to escape them."""


class Elements(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def entry(id: str, words: tuple[str, ...], near: str = "") -> Entry:
    strengths = tuple(k / len(words) for k in range(len(words)))
    passage = Passage(words, strengths, len(words) - 1, f"a {words[0]}.py, token 3", "2.50")
    sections = (
        Passages("Strongest", "Where it is strongest.", (passage,)),
        Histogram("Activations", "How often.", "activation", (0.1, 1.0, 10.0), (90, 3)),
        Bars("Promoted", "Logits.", tuple(Row(word, k - 2.0) for k, word in enumerate(words)), is_text=True),
        Bars("Near", "Cosine.", (Row(words[0], 0.5, near), Row("elsewhere", 0.1))),
        Bars("Parents", "None here.", ()),
    )
    return Entry(id, f"Latent {words[0]}", f"Active on {words[0]}", (words[0], 0.125, None), sections)


def collection(*entries: Entry) -> Collection:
    columns = (Column("label", "Its label."), Column("density", "A share.", ".1%"), Column("F1", "A score.", ".2f"))
    return Collection("Latents of a dictionary", "latent", "latents", "All of them.", columns, entries)


def written(site: Path, figure: FigureRecord, made: Collection) -> Path:
    """Write the pages of a collection that belongs to `figure`; return their folder."""
    text = to_json(figure.id, made)
    (site / "figures").mkdir(exist_ok=True)
    (site / f"figures/{figure.id}.{COLLECTION}").write_text(text, "utf-8")
    record = FileRecord("unused", "0" * 64, len(text))
    figure = replace(figure, page="first.html", number=1, files=figure.files | {COLLECTION: record})
    assert write_collections(Report("full", figures={figure.id: figure}), site, "A report") == []
    return site / "browse" / figure.id


@pytest.fixture
def figure(fake_report: Report) -> FigureRecord:
    return next(iter(fake_report.figures.values()))


def test_there_is_an_index_and_a_page_for_every_entry(tmp_path: Path, figure: FigureRecord) -> None:
    entries = [entry(f"latent-{k}", (f"word{k}", " b")) for k in range(3)]
    folder = written(tmp_path, figure, collection(*entries))
    assert {path.name for path in folder.iterdir()} == {"index.html", *(f"latent-{k}.html" for k in range(3))}
    links = {a.get("href") for tag, a in Elements((folder / "index.html").read_text("utf-8")).found if tag == "a"}
    assert links >= {"latent-0.html", "latent-1.html", "latent-2.html", f"../../first.html#figure-{figure.id}"}
    middle = Elements((folder / "latent-1.html").read_text("utf-8"))
    turns = {a.get("rel"): a["href"] for tag, a in middle.found if tag == "a" and a.get("rel")}
    assert turns == {"prev": "latent-0.html", "next": "latent-2.html"}


def test_a_figure_without_a_collection_has_no_pages(tmp_path: Path, fake_report: Report) -> None:
    assert write_collections(fake_report, tmp_path, "A report") == []
    assert not list(tmp_path.rglob("browse"))


@pytest.mark.parametrize("word", HOSTILE)
def test_a_hostile_token_is_nothing_but_text(tmp_path: Path, figure: FigureRecord, word: str) -> None:
    folders = []
    for one in (word, "word"):
        site = tmp_path / str(len(folders))
        site.mkdir()
        folders.append(written(site, figure, collection(entry("one", (one, f"{one}x", " a", one), "one"))))
    hostile, tame = folders
    for name in ("index.html", "one.html"):
        found = Elements((hostile / name).read_text("utf-8"))
        plain = Elements((tame / name).read_text("utf-8"))
        assert [(tag, attributes.keys()) for tag, attributes in found.found] == [
            (tag, attributes.keys()) for tag, attributes in plain.found
        ], "the token added or changed an element or an attribute"
        assert not [a for _, attributes in found.found for a in attributes if a.startswith("on")]
        assert shown(word).strip() in found.text


def test_signs_that_nobody_sees_are_written_out() -> None:
    assert shown("a\u202eb\x00\u200bc\ud800") == "a\\u202eb\\x00\\u200bc\\ud800"
    assert shown("é 漢\n") == "é 漢↵\n"
    assert token(" a\n") == "␣a↵"
    assert token("") == "(empty)"


def test_a_passage_marks_tokens_by_strength_and_joins_the_others() -> None:
    passage = SimpleNamespace(tokens=["a", " b", "c", "d"], strengths=[0.0, 0.0, 0.01, 1.0], peak=3)
    found = [(run.text, run.level, run.percent, run.peak) for run in runs(passage)]
    assert found == [("a b", 0, 0, False), ("c", 1, 1, False), ("d", 5, 100, True)]


def test_a_mark_says_its_strength_in_words_as_well(tmp_path: Path, figure: FigureRecord) -> None:
    folder = written(tmp_path, figure, collection(entry("one", ("a", "b", "c", "d"))))
    marks = [a for tag, a in Elements((folder / "one.html").read_text("utf-8")).found if tag == "mark"]
    assert [a["title"] for a in marks] == ["25 % of the largest", "50 % of the largest", "75 % of the largest"]
    assert [a["class"] for a in marks] == ["m2", "m3", "m4 peak"]


def test_what_is_undefined_is_a_dash_and_sorts_apart(tmp_path: Path, figure: FigureRecord) -> None:
    folder = written(tmp_path, figure, collection(entry("one", ("a",))))
    cells = [
        a for tag, a in Elements((folder / "index.html").read_text("utf-8")).found if tag == "td" and "data-value" in a
    ]
    assert [a["data-value"] for a in cells] == ["0.125", ""]
    assert (cell(None, ".2f"), cell(0.125, ".1%"), cell(-0.5, ".1f")) == ("–", "12.5%", "−0.5")


def test_too_heavy_a_collection_is_a_problem(tmp_path: Path, figure: FigureRecord, monkeypatch) -> None:
    monkeypatch.setattr(collection_pages, "MAX_BYTES", 1000)
    text = to_json(figure.id, collection(entry("one", ("a",))))
    (tmp_path / "figures").mkdir()
    (tmp_path / f"figures/{figure.id}.{COLLECTION}").write_text(text, "utf-8")
    figure = replace(figure, files=figure.files | {COLLECTION: FileRecord("unused", "0" * 64, len(text))})
    (problem,) = write_collections(Report("full", figures={figure.id: figure}), tmp_path, "A report")
    assert "is the limit" in problem.message
    assert json.loads(text)["noun"] == "latent"
