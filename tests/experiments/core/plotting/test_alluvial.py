"""The alluvial diagram: every amount is in the data, heights add up, and order keeps ribbons apart."""

import numpy as np
import pytest

from experiments.core import plotting
from site_builder.figures.plotted_data import extract

FLOWS = [np.array([[30.0, 20.0, 0.0], [0.0, 10.0, 40.0]]), np.array([[30.0], [30.0], [40.0]])]
STAGES = ["two", "three", "one"]


@pytest.fixture
def drawn():
    figure, ax = plotting.new_figure()
    colours = [[plotting.series(0), plotting.series(1)], [plotting.series(0)] * 3, [plotting.series(0)]]
    plotting.alluvial(ax, FLOWS, STAGES, colours, names=[["A", "B"], ["a", "b", "c"], ["all"]], gap=0.02)
    return figure, ax


def test_the_data_of_the_figure_are_its_flows(drawn):
    series = extract(drawn[0])[0].series
    assert [len(part.columns["amount"]) for part in series] == [4, 3]
    rows = list(zip(*(series[0].columns[name].tolist() for name in ("from", "to", "amount")), strict=True))
    assert rows == [("A", "a", 30.0), ("A", "b", 20.0), ("B", "b", 10.0), ("B", "c", 40.0)]
    assert set(series[1].columns["stage"]) == {"three"}


def test_nodes_are_as_tall_as_what_flows_through_them_and_do_not_overlap(drawn):
    bars = drawn[1].patches
    assert [bar.get_height() for bar in bars] == [50, 50, 30, 30, 40, 100]
    assert bars[1].get_y() - (bars[0].get_y() + bars[0].get_height()) == pytest.approx(2)  # 2 % of 100


def test_ribbons_fill_the_nodes_they_join(drawn):
    ribbons = [path.vertices for path in drawn[1].collections[0].get_paths()]
    heights = [corners[4, 1] - corners[3, 1] for corners in ribbons]
    np.testing.assert_allclose(heights, [30, 20, 10, 40])
    assert ribbons[1][0, 1] == pytest.approx(ribbons[0][7, 1])  # the second starts where the first ends


def test_faint_flows_are_left_undrawn_but_stay_in_the_data():
    figure, ax = plotting.new_figure()
    plotting.alluvial(ax, [np.array([[99.0, 1.0]])], ["a", "b"], [["red"], ["red", "red"]], least=0.05)
    assert len(ax.collections[0].get_paths()) == 1
    assert extract(figure)[0].series[0].columns["amount"].tolist() == [99.0, 1.0]


def test_untangled_nodes_do_not_cross():
    generator = np.random.default_rng(0)
    hidden = generator.permutation(12)
    flow = np.zeros((4, 12))
    flow[np.arange(12) // 3, hidden] = generator.random(12)
    orders = plotting.untangled([flow], generator.permutation(4))
    parents = flow[orders[0]][:, orders[1]].argmax(0)
    assert np.all(np.diff(parents) >= 0)
