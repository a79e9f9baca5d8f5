"""A bent pentagon and two digons: both branches are minima, and cross where an independent search says."""

import numpy as np
import pytest

from experiments.core.geometry.configurations import polygon
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import search
from experiments.geometry.shared.perturbation import (
    ALL_KEPT,
    SOMETHING_ELSE,
    WITHOUT_ANOTHER,
    WITHOUT_ODD,
    all_represented,
    best_map,
    branches,
    crossing,
    kinds,
    odd_gap,
    rare_settings,
    settings,
    vanishing,
)


def test_only_the_first_feature_is_odd():
    density, importance = settings(0.1, [0.5, 2.0], "density")
    np.testing.assert_allclose(density, [[0.05, 0.1, 0.1, 0.1, 0.1], [0.2, 0.1, 0.1, 0.1, 0.1]])
    assert (importance == 1).all()
    density, importance = settings(0.1, 0.5, "importance")
    assert (density == 0.1).all()
    assert importance.tolist() == [[0.5, 1, 1, 1, 1]]


def test_the_gap_of_a_regular_pentagon_is_72_degrees_wherever_it_points():
    turn = np.array([[np.cos(2.0), -np.sin(2.0)], [np.sin(2.0), np.cos(2.0)]])
    W = np.stack([polygon(5), turn @ polygon(5)[:, [3, 1, 4, 0, 2]]])
    np.testing.assert_allclose(odd_gap(W), 72)
    assert np.isnan(odd_gap(W * [1, 1, 1, 1, 0])).all()


def test_both_branches_are_minima_with_equal_features_and_the_pentagon_is_better():
    found = branches(*settings(0.05, 1.0, "density"))
    assert max(found.pentagon.slope[0], found.digons.slope[0]) < 1e-8
    assert odd_gap(found.pentagon.W)[0] == pytest.approx(72, abs=1e-4)
    assert not all_represented(found.digons.W)[0]
    assert found.pentagon.loss[0] < found.digons.loss[0]


def test_a_search_without_branches_finds_nothing_better_on_either_side_of_the_crossing():
    r = crossing(0.1, "density")
    density, _ = settings(0.1, [0.9 * r, 1.1 * r], "density")
    best = [one.best() for one in search(2, 5, density, starts=24, seed=0)]
    pair = branches(density, np.ones_like(density))
    known = np.minimum(pair.pentagon.loss, pair.digons.loss)
    found = np.array([one.loss for one in best])  # many starts end with the absent feature's output dead
    assert (found > known * (1 - 1e-6)).all()
    assert (found < known * 1.03).all()
    assert pair.digons.loss[0] < pair.pentagon.loss[0]
    assert pair.pentagon.loss[1] < pair.digons.loss[1]


@pytest.mark.parametrize("varied", ["density", "importance"])
def test_crossings_of_ever_rarer_features_approach_the_limit(varied):
    limit = crossing(0.0, varied)
    gaps = [crossing(p, varied) - limit for p in (0.02, 0.002)]
    assert 0 < gaps[1] < 0.2 * gaps[0]


def test_the_limit_is_the_loss_with_one_active_feature():
    chance, importance = rare_settings(0.5, "density")
    W, b = 1.17 * polygon(5)[None], np.full((1, 5), -0.28)
    density, _ = settings(1e-6, 0.5, "density")
    rare = expected_loss(W, b, density).value / density.sum()
    assert expected_loss(W, b, sets=chance, importance=importance).value == pytest.approx(rare, rel=1e-4)


def test_pentagons_outlive_their_crossing():
    assert vanishing(0.1, "importance", 1.0) < crossing(0.1, "importance")


def test_common_features_have_no_crossing():
    assert np.isnan(crossing(0.3, "density"))


def test_kinds_of_models_are_told_apart():
    square = np.concatenate([np.zeros((2, 1)), polygon(4)], axis=1)
    W = np.stack([polygon(5), square, square[:, [1, 0, 2, 3, 4]], np.zeros((2, 5))])
    assert kinds(W).tolist() == [ALL_KEPT, WITHOUT_ODD, WITHOUT_ANOTHER, SOMETHING_ELSE]


def test_a_map_shows_both_sides_and_marks_what_cannot_be():
    found = best_map(np.array([0.05, 0.5]), np.array([0.1, 1.0, 3.0]), "density", starts=2, seed=0)
    assert found.kind[0].tolist() == [WITHOUT_ODD, ALL_KEPT, ALL_KEPT]
    assert found.kind[1, 2] == -1
    assert found.gap[0, 2] > found.gap[0, 1] == pytest.approx(72, abs=1e-3)
