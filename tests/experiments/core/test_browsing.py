"""A collection that no page could show is refused where it is made, with the entry's name."""

from dataclasses import replace

import pytest

from experiments.core.browsing import Bars, Collection, Column, Entry, Histogram, Passage, Passages, Row

PASSAGE = Passage((" a", "b"), (0.0, 1.0), 1, "a.py, token 3", "2.50")
ENTRY = Entry("one", "One", "in short", ("x", 0.5), (Passages("Text", "", (PASSAGE,)),))
COLUMNS = (Column("text", ""), Column("number", "", ".2f"))


def collection(*entries: Entry) -> Collection:
    return Collection("Things", "thing", "things", "", COLUMNS, entries)


def holding(section) -> Entry:
    return replace(ENTRY, sections=(section,))


def test_entries_may_speak_of_each_other():
    made = collection(ENTRY, replace(ENTRY, id="two", sections=(Bars("Near", "", (Row("One", 0.5, "one"),)),)))
    assert [entry.id for entry in made.entries] == ["one", "two"]


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ((), "no entry"),
        ((ENTRY, ENTRY), "two entries have one id"),
        ((replace(ENTRY, id="../one"),), "cannot name a file"),
        ((replace(ENTRY, id="index"),), "cannot name a file"),
        ((replace(ENTRY, values=("x",)),), "1 values for its columns"),
        ((replace(ENTRY, values=("x", float("nan"))),), "not finite"),
        ((holding(Bars("", "", (Row("", 1.0, "nobody"),))),), "names an entry that is not there"),
        ((holding(Bars("", "", (Row("", float("inf")),))),), "not finite"),
        ((holding(Passages("", "", (replace(PASSAGE, strengths=(1.0,)),))),), "tokens without strengths"),
        ((holding(Passages("", "", (replace(PASSAGE, strengths=(1.0, 1.5)),))),), "not between 0 and 1"),
        ((holding(Passages("", "", (replace(PASSAGE, peak=2),))),), "peak outside"),
        ((holding(Histogram("", "", "x", (0.0, 1.0), (1, 2))),), "edges and counts differ"),
        ((holding(Histogram("", "", "x", (1.0, 0.0), (1,))),), "edges do not rise"),
    ],
)
def test_what_no_page_could_show_is_refused(entries, complaint):
    with pytest.raises(ValueError, match=complaint):
        collection(*entries)
