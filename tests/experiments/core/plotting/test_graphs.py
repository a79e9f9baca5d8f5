"""Interference graphs: components stand apart, distances follow angles, and every edge is in the data."""

import numpy as np
import pytest

from experiments.core import plotting
from experiments.core.geometry.configurations import polygon
from experiments.core.metrics import islands
from experiments.core.plotting.graphs import component_layout, spread_out
from experiments.uniform.shared.tegum import tegum_product
from site_builder.figures.plotted_data import extract

W = np.hstack([tegum_product(polygon(5), np.array([[1.0, -1.0]]), np.ones((1, 1))), np.zeros((4, 2))])


def test_a_pentagon_is_drawn_as_a_regular_pentagon():
    places = spread_out(polygon(5))
    around = np.sort(np.degrees(np.arctan2(places[:, 1], places[:, 0])))
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1, atol=1e-9)
    np.testing.assert_allclose(np.diff(around), 72, atol=1e-6)


def test_a_pair_is_drawn_as_a_stick_and_one_feature_as_a_point():
    ends = spread_out(np.array([[1.0, -1.0]]))
    np.testing.assert_allclose(np.sort(ends[:, 0]), [-1, 1], atol=1e-9)
    np.testing.assert_allclose(ends[:, 1], 0, atol=1e-6)
    assert spread_out(np.ones((1, 1))).tolist() == [[0.0, 0.0]]


def test_components_stand_apart_inside_the_picture_and_absent_features_nowhere():
    found = islands(W, edge=0.1)
    layout = component_layout(W, found)
    assert np.isnan(layout.places[8:]).all()
    live = layout.places[:8]
    apart = [
        np.linalg.norm(live[:5, None] - live[None, 5:7], axis=-1).min(),
        np.linalg.norm(live[:7] - live[7], axis=-1).min(),
    ]
    assert min(apart) > 0.3
    assert (live[:, 0] >= 0).all()
    assert (live[:, 0] <= layout.extent[0]).all()
    assert (-live[:, 1] <= layout.extent[1]).all()


def test_the_data_are_the_edges_with_their_cosines():
    figure, ax = plotting.new_figure()
    plotting.interference_graph(ax, W, edge=0.1, threshold=0.5)
    (edges, nodes) = extract(figure)[0].series
    assert len(edges.columns["cosine"]) == 10 + 1
    assert edges.columns["cosine"].min() == pytest.approx(-1)
    assert np.isclose(edges.columns["cosine"], np.cos(np.radians(72))).sum() == 5
    assert len(nodes.columns["feature"]) == 8
