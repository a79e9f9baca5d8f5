"""What is said of a figure holds in both colour schemes and begins with the finding."""

import re
from pathlib import Path

import pytest

from site_builder.discovery.registry import discover

FIGURES = [
    (figure.id, figure)
    for experiment in discover(Path(__file__).resolve().parent.parent / "experiments").experiments.values()
    for figure in experiment.figures.values()
]

INVERTED = re.compile(r"\b(darker|darkest|lighter|lightest|brighter|brightest|paler|palest)\b")
"""What is darker in one colour scheme is lighter in the other."""


def test_there_are_figures_to_read() -> None:
    assert len(FIGURES) > 150


@pytest.mark.parametrize("figure", [figure for _, figure in FIGURES], ids=[id for id, _ in FIGURES])
def test_no_text_compares_shades_that_the_dark_scheme_inverts(figure) -> None:
    for text in (figure.title, figure.caption, figure.alt, figure.interval):
        assert not INVERTED.search(text), text
