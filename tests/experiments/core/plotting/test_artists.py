"""Shared artists put things where their numbers say, and say what their numbers are."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text

from experiments.core import plotting
from experiments.core.quantities import Quantity, exact


@pytest.fixture
def ax():
    return plotting.new_figure()[1]


def test_directions_are_the_columns_of_w(ax):
    W = np.array([[1.0, 0.0, -0.6], [0.0, 0.5, 0.8]])
    arrows = plotting.directions(ax, W)
    np.testing.assert_array_equal([arrows.U, arrows.V], W)
    np.testing.assert_allclose(plotting.represented(arrows)["norm"], [1.0, 0.5, 1.0])
    assert ax.get_aspect() == 1.0


def test_a_long_direction_stays_inside_its_panel(ax):
    plotting.directions(ax, [[0.0], [7.0]])
    assert ax.get_ylim()[1] > 7


def test_directions_of_another_dimension_are_refused(ax):
    with pytest.raises(ValueError, match=r"\(3, 5\)"):
        plotting.directions(ax, np.zeros((3, 5)))


def test_a_gram_matrix_is_centred_on_zero(ax):
    image = plotting.gram(ax, [[1.0, -2.0], [-2.0, 0.5]], label="cosine")
    assert (image.norm.vmin, image.norm.vmax) == (-2.0, 2.0)
    assert image.colorbar.ax.get_ylabel() == "cosine"


@pytest.mark.parametrize("log", [False, True])
def test_cell_edges_lie_halfway_on_the_axis_scale(log):
    centres = np.array([1.0, 10.0, 100.0])
    edges = plotting.cell_edges(centres, log=log)
    middle = np.sqrt(edges[1:] * edges[:-1]) if log else (edges[1:] + edges[:-1]) / 2
    assert edges.size == 4
    np.testing.assert_allclose(edges[1:3], [10**0.5, 10**1.5] if log else [5.5, 55.0])
    np.testing.assert_allclose(middle[0], centres[0])


def test_error_bars_end_at_the_interval(ax):
    bars = plotting.points(ax, [1, 2], [Quantity(0.5, 0.4, 0.8), exact(0.3)])
    segments = np.array(bars.lines[2][0].get_segments())
    np.testing.assert_allclose(segments[:, :, 1], [[0.4, 0.8], [0.3, 0.3]])


def test_a_strip_shows_every_value_at_its_height_within_its_width(ax):
    values = np.random.default_rng(0).normal(size=300)
    plotting.distribution_strip(ax, {"a": values, "b": values[:5]}, width=0.3)
    first, second = ax.collections
    offsets = np.asarray(first.get_offsets())
    np.testing.assert_array_equal(np.sort(offsets[:, 1]), np.sort(values))
    assert np.abs(offsets[:, 0]).max() <= 0.3
    assert len(second.get_offsets()) == 5
    assert [line.get_ydata()[0] for line in ax.lines] == [np.median(values), np.median(values[:5])]


def test_a_strip_of_one_value_is_drawn(ax):
    plotting.distribution_strip(ax, {"alone": [0.25], "same": [1.0, 1.0]})
    assert len(ax.collections) == 2


@pytest.mark.parametrize("x", [np.array([0.1, 1.0]), ["a", "b"]], ids=["areas", "bars"])
def test_stacked_shares_stand_on_each_other(ax, x):
    plotting.stacked_shares(ax, x, {"low": [0.25, 0.5], "high": [0.75, 0.5]})
    if isinstance(x, list):
        tops = [[bar.get_y() + bar.get_height() for bar in container] for container in ax.containers]
    else:
        outlines = [area.get_paths()[0].vertices for area in ax.collections]
        tops = [[outline[outline[:, 0] == at, 1].max() for at in x] for outline in outlines]
    np.testing.assert_allclose(tops, [[0.25, 0.5], [1.0, 1.0]])


def test_theory_looks_the_same_as_a_line_and_as_a_level(ax):
    line, level = plotting.theory_line(ax, [0, 1], [0, 1]), plotting.theory_level(ax, 0.5)
    assert (line.get_color(), line.get_linestyle()) == (level.get_color(), level.get_linestyle())
    assert line.get_color() == plotting.colour("theory")


@pytest.mark.parametrize("title_first", [True, False])
def test_legend_and_title_do_not_cover_each_other(title_first):
    with plotting.theme("light"):
        figure, ax = plotting.new_figure()
        for name in ("first", "second"):
            ax.plot([0, 1], [0, 1], label=name)
        steps = [lambda: ax.set_title("panel"), lambda: plotting.legend(ax)]
        for step in steps if title_first else reversed(steps):
            step()
        plotting.settle_titles(figure)
        figure.draw_without_rendering()
        (title,) = (text for text in ax.findobj(Text) if text.get_text() == "panel")
        assert not title.get_window_extent().overlaps(ax.get_legend().get_window_extent())


def test_columns_that_an_artist_represents_must_be_equally_long(ax):
    with pytest.raises(ValueError, match="differ in shape"):
        plotting.represents(ax.plot([0, 1])[0], {"x": [1, 2], "y": [1]})


def test_a_doubling_axis_has_a_tick_at_every_value_and_nowhere_else(ax):
    ax.plot([0.5, 1, 4], [0, 1, 2])
    plotting.doubling_axis(ax, [0.5, 1, 4], "latents per cluster")
    assert ax.get_xticks().tolist() == [0.5, 1, 4]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.5", "1", "4"]
    assert ax.get_xticks(minor=True).size == 0


def test_one_line_per_field_has_the_field_s_values_and_the_series_asked_for(ax):
    family = [SimpleNamespace(first=exact(a), second=exact(b)) for a, b in ((1, 4), (2, 5), (3, 6))]
    drawn = plotting.field_points(ax, [10, 20, 30], family, {"one": "first", "two": "second"}, indices=(3, 1))
    assert [list(each.lines[0].get_ydata()) for each in drawn] == [[1, 2, 3], [4, 5, 6]]
    assert [each.lines[0].get_color() for each in drawn] == [plotting.series(3), plotting.series(1)]
    assert ax.get_legend_handles_labels()[1] == ["one", "two"]


def test_fields_and_series_must_be_as_many(ax):
    with pytest.raises(ValueError, match="zip"):
        plotting.field_points(ax, [1], [SimpleNamespace(a=exact(1))], {"": "a"}, indices=(0, 1))
