"""The ladder that is shown is chosen by its rule, and a figure without one says so."""

import numpy as np

from experiments.language_model.shared.children import NO_CHILDREN
from experiments.language_model.shared.split_figures import climb_figure, examples_figure
from experiments.language_model.shared.splits import best_climb
from site_builder.figures.plotted_data import extract

RATIOS = np.array([0.5, 1.0, 2.0])
CONCEPTS = ("digit", "comma")


def test_the_ladder_shown_climbs_and_has_the_largest_excess_of_those_that_do():
    excess = np.array([[0.9, 0.2], [0.1, 0.3]])
    climbs = np.array([[False, True], [True, True]])
    assert best_climb(excess, climbs) == (1, 1)


def test_panels_show_that_ladder_and_how_many_climb_each_concept():
    counted = np.array([[[1, 1], [1, 1]], [[1, 2], [2, 2]], [[1, 3], [4, 3]]], dtype=float)
    excess = np.full((3, 2, 2), 0.1)
    excess[-1, 0, 1] = 0.4
    climbs = np.array([[False, True], [True, True]])
    left, middle, right = climb_figure(RATIOS, CONCEPTS, counted, excess + 0.05, excess, climbs).axes
    shown = {line.get_label(): np.asarray(line.get_ydata()) for ax in (left, middle) for line in ax.get_lines()}
    np.testing.assert_allclose(shown["this ladder"], [1, 2, 3])
    np.testing.assert_allclose(shown["as found"], [0.15, 0.15, 0.45])
    np.testing.assert_allclose(shown["contexts exchanged"], 0.05)
    assert [bar.get_width() for bar in right.patches] == [1, 2]


def test_a_figure_in_which_nothing_climbs_says_so():
    none = np.zeros((3, 2, 2))
    left, *_ = climb_figure(RATIOS, CONCEPTS, none, none, none, np.zeros((2, 2), bool)).axes
    assert [text.get_text() for text in left.texts] == ["no ladder climbs"]


def test_the_figure_of_children_has_data_to_show_where_nothing_climbs():
    nobody = NO_CHILDREN
    figure = examples_figure(nobody.latents, nobody.leaves, nobody.bars, nobody.snippets, nobody.concept)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no ladder climbs"]
    assert extract(figure)
