"""The exact search against solutions known in closed form, and the boundary it finds."""

import numpy as np
import pytest

from experiments.core import phases
from experiments.core.phases import THREE_FEATURES, TWO_FEATURES
from experiments.phase_change.shared import phase_sweep
from experiments.phase_change.shared.phase_sweep import Cells, SweepConfig

TINY = SweepConfig(ratios=3, densities=4, models=3, line_densities=2, line_models=2, steps=600, batch=64)


def cells(*pairs: tuple[float, float]) -> Cells:
    return Cells(*np.array(pairs).T)


@pytest.mark.parametrize("setting", [TWO_FEATURES, THREE_FEATURES])
def test_the_search_never_does_worse_than_an_ideal_solution(setting):
    where = cells((0.1, 0.9), (0.5, 0.4), (1.0, 0.05), (3.0, 0.7))
    found = phase_sweep.global_minimum(setting, where, starts=3, seed=0)
    assert (found.loss <= phases.ideal_losses(setting, *where).min(axis=0) * (1 + 1e-9)).all()


def test_ignoring_an_unimportant_dense_feature_cannot_be_improved():
    where = cells((0.1, 1.0), (0.2, 0.7))
    found = phase_sweep.global_minimum(TWO_FEATURES, where, starts=6, seed=0)
    np.testing.assert_allclose(found.loss, phases.ideal_losses(TWO_FEATURES, *where)[0], rtol=1e-9)
    np.testing.assert_allclose(found.b, [[0, 0.5], [0, 0.35]], atol=1e-4)


def test_without_bias_two_dense_features_share_one_direction():
    # y = (x_1 + x_2) / 2 for both, so that each errs by (x_1 - x_2) / 2, of variance 1/24.
    found = phase_sweep.global_minimum(TWO_FEATURES, cells((1.0, 1.0)), starts=6, seed=0, bias=False)
    np.testing.assert_allclose(np.abs(found.W), np.sqrt(0.5), rtol=1e-5)
    assert TWO_FEATURES.phases[phases.classify(TWO_FEATURES, found.W)[0]] == "confused"
    np.testing.assert_allclose(found.loss, 1 / 24, rtol=1e-9)
    assert not found.b.any()


def test_both_branches_have_equal_loss_on_the_exact_boundary():
    r = np.array([0.2, 0.4])
    edge = phase_sweep.exact_boundary(TWO_FEATURES, r, starts=4, halvings=14, seed=0)
    pair = phase_sweep.branch(TWO_FEATURES, phases.SUPERPOSED, Cells(r, edge.density))
    np.testing.assert_allclose(pair.loss, phases.ideal_losses(TWO_FEATURES, r, edge.density)[0], rtol=1e-3)
    assert (edge.sparse_norm > 0.6).all()
    np.testing.assert_allclose(edge.dense_norm, 0, atol=1e-3)


def test_exchanging_the_two_features_mirrors_the_boundary():
    r = np.array([0.25, 0.7])
    left, right = (phase_sweep.exact_boundary(TWO_FEATURES, x, starts=4, halvings=10, seed=0) for x in (r, 1 / r))
    np.testing.assert_allclose(left.density, right.density, rtol=2e-3)


def test_a_grid_boundary_lies_between_the_cells_it_separates_and_forgives_one_failure():
    density = np.array([1.0, 0.1, 0.01, 0.001])
    shared = np.array(
        [[False, True, True, True], [False, False, True, True], [False, True, False, True], [True] * 4, [False] * 4]
    )
    found = phase_sweep.grid_boundary(density, shared)
    np.testing.assert_allclose(found[:2], [10**-0.5, 10**-1.5])
    assert found[2] in (10**-0.5, pytest.approx(10**-1.5), pytest.approx(10**-2.5))
    assert np.isnan(found[3:]).all()


def test_models_come_back_by_cell_and_the_best_has_the_lowest_exact_loss():
    grid, line = phase_sweep.train_cells(TWO_FEATURES, TINY, "cpu")
    assert grid.W.shape == (12, 3, 1, 2)
    assert line.loss.shape == (2, 2)
    np.testing.assert_array_equal(grid.best().loss, grid.loss.min(axis=1))
    assert (grid.floor <= grid.loss * (1 + 1e-6)).all()
    # First cell: r = 0.1, p = 1, where one answer is known exactly.
    np.testing.assert_allclose(grid.best().loss[0], phases.ideal_losses(TWO_FEATURES, 0.1, 1.0)[0], rtol=0.02)
