"""Every latent gets an entry, which says what the arrays hold and leaves out what is padding."""

import dataclasses

import numpy as np
import pytest

from experiments.core.browsing import Bars, Histogram, Passages
from experiments.language_model.shared.browser_pages import COLUMNS, latent_pages


@pytest.fixture
def entries(browser):
    return {entry.id: entry for entry in latent_pages(browser).entries}


def values(entry):
    return dict(zip((column.name for column in COLUMNS), entry.values, strict=True))


def test_every_latent_has_a_page_and_the_densest_comes_first(browser, entries):
    assert list(entries) == ["latent-3", "latent-5"]
    turned = dataclasses.replace(browser, density=browser.density[::-1])
    assert [entry.id for entry in latent_pages(turned).entries] == ["latent-5", "latent-3"]


def test_the_facts_are_those_of_the_arrays(entries):
    first, second = values(entries["latent-3"]), values(entries["latent-5"])
    assert first == {
        "density": 0.1,
        "label": "comment",
        "F1": 0.5,
        "token": "␣<script>",
        "token F1": 0.2,
        "largest": 2.0,
        "parent": 0.5,
    }
    assert (second["label"], second["F1"]) == ("", None), "no label occurs with it"


def test_snippets_that_do_not_exist_are_left_out_and_peaks_stay_on_their_token(entries):
    first = [section for section in entries["latent-3"].sections if isinstance(section, Passages)]
    second = [section for section in entries["latent-5"].sections if isinstance(section, Passages)]
    assert [section.title for section in first] == ["Snippets: strongest"]
    assert [section.title for section in second] == ["Snippets: strongest", "Snippets: middle"]
    (passage,) = second[0].passages
    assert passage.tokens == ("\\xe2\\x80", "&amp;"), "padding before the snippet is gone"
    assert passage.tokens[passage.peak] == "\\xe2\\x80"
    assert passage.strengths == (0.5, 0.5)
    assert passage.source == "a.py (code), token 0"


def test_tokens_histogram_and_relatives_are_named(entries):
    sections = {section.title: section for section in entries["latent-3"].sections}
    assert isinstance(sections["Activations"], Histogram)
    assert sections["Activations"].counts == (90, 10)
    promoted, parents = sections["Promoted tokens"], sections["Parents"]
    assert isinstance(promoted, Bars)
    assert [(row.name, row.value) for row in promoted.rows] == [("def", 1.0)]
    assert [(row.name, row.value, row.entry) for row in parents.rows] == [("0: name", 0.5, "")]


def test_a_neighbour_that_has_a_page_is_a_link(browser):
    near = dataclasses.replace(browser.neighbours, latents=np.array([[5, -1], [0, -1]], dtype=np.int16))
    entries = {entry.id: entry for entry in latent_pages(dataclasses.replace(browser, neighbours=near)).entries}
    links = {
        id: [row.entry for section in entry.sections if section.title == "Neighbours" for row in section.rows]
        for id, entry in entries.items()
    }
    assert links == {"latent-3": ["latent-5"], "latent-5": [""]}
