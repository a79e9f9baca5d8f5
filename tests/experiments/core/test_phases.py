"""Closed-form losses against the exact loss, boundaries against the losses, and the names of phases."""

import numpy as np
import pytest

from experiments.core import phases
from experiments.core.losses.exact import expected_loss
from experiments.core.losses.optimum import polish
from experiments.core.phases import THREE_FEATURES, TWO_FEATURES

SETTINGS = [TWO_FEATURES, THREE_FEATURES]
RATIOS = np.array([0.1, 0.3, 0.9, 1.2, 4.0, 10.0])
DENSITIES = np.array([1.0, 0.5, 0.1, 0.01])


@pytest.mark.parametrize("setting", SETTINGS)
def test_closed_forms_are_the_exact_losses_of_the_ideal_models(setting):
    r, p = (axis.ravel() for axis in np.meshgrid(RATIOS, DENSITIES))
    for phase, loss in zip(setting.ideal, phases.ideal_losses(setting, r, p), strict=True):
        W, b = phases.ideal_model(setting, phase, p)
        exact = expected_loss(W, b, p[:, None], phases.importances(setting, r))
        np.testing.assert_allclose(loss, exact.value, rtol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_two_ideal_solutions_tie_on_the_boundary_and_none_is_better(setting):
    losses = np.sort(phases.ideal_losses(setting, RATIOS, phases.boundary(setting, RATIOS)), axis=0)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_features_share_below_the_boundary_and_not_above(setting):
    at = phases.boundary(setting, RATIOS)
    alone = {setting.index(phases.IGNORED), setting.index(phases.DEDICATED)}
    assert set(phases.predicted(setting, RATIOS, at * 1.01).tolist()) == alone
    assert not alone & set(phases.predicted(setting, RATIOS, at * 0.99).tolist())


def test_three_phases_of_two_features_meet_in_the_triple_point():
    losses = phases.ideal_losses(TWO_FEATURES, *phases.TRIPLE_POINT)
    np.testing.assert_allclose(losses, losses[0], rtol=1e-12)


def test_four_phases_of_three_features_meet_in_the_same_point():
    losses = phases.ideal_losses(THREE_FEATURES, *phases.TRIPLE_POINT)
    np.testing.assert_allclose(losses, losses[0], rtol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_ideal_models_are_named_after_themselves_in_any_orientation(setting):
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((setting.hidden, setting.hidden))).Q
    for phase in setting.ideal:
        W, _ = phases.ideal_model(setting, phase, 0.3)
        assert setting.phases[phases.classify(setting, turn @ W)] == phase


@pytest.mark.parametrize(
    ("W", "name"),
    [
        ([[0.8, 0.7]], "confused"),
        ([[0.9, -0.4]], "partial"),
        ([[0.9, 0.4]], "partial"),
        ([[0.1, 0.2]], "other"),
        ([[0.4, -0.4]], "other"),
    ],
)
def test_two_features_that_fit_no_ideal_solution_are_told_apart(W, name):
    assert TWO_FEATURES.phases[phases.classify(TWO_FEATURES, W)] == name


def test_three_features_at_equal_angles_are_a_triangle_and_a_normal_feature_may_be_either():
    angles = np.array([0.0, 2.0, 4.0]) * np.pi / 3
    assert THREE_FEATURES.phases[phases.classify(THREE_FEATURES, [np.cos(angles), np.sin(angles)])] == "triangle"
    mirrored = [[0.0, 1.0, -1.0], [1.0, 0.0, 0.0]]
    assert THREE_FEATURES.phases[phases.classify(THREE_FEATURES, mirrored)] == "superposed"


def test_distance_is_zero_on_a_boundary_and_known_beside_one():
    on = phases.boundary_distance(TWO_FEATURES, RATIOS, phases.boundary(TWO_FEATURES, RATIOS))
    np.testing.assert_allclose(on, 0, atol=2e-3)
    # Beside the wall r = 1, far above the triple point, and beside the flat boundary of three features.
    np.testing.assert_allclose(phases.boundary_distance(TWO_FEATURES, 10**0.05, 0.95), 0.05, atol=2e-3)
    np.testing.assert_allclose(phases.boundary_distance(THREE_FEATURES, 10.0, 0.4), np.log10(4 / 0.7 / 4), atol=2e-3)


def test_an_ignored_feature_stays_out_below_the_stability_limit_and_comes_in_above():
    # Oracle: descent on the exact loss from the ideal solution with the extra feature let in a little.
    p = np.array([0.8, 0.6, 0.3, 0.1])
    for factor, comes_in in ((0.97, False), (1.03, True)):
        importance = phases.importances(TWO_FEATURES, phases.stability_limit(p) * factor)
        W, b = phases.ideal_model(TWO_FEATURES, phases.IGNORED, p)
        found = polish(W - [[0.0, 0.004]], b, p[:, None] * np.ones(2), importance)
        assert ((np.abs(found.W[:, 0, 1]) > 0.01) == comes_in).all()


def test_the_stability_limit_ends_at_one_and_follows_the_density_of_rare_features():
    np.testing.assert_allclose(phases.stability_limit([1.0]), 1.0, rtol=1e-12)
    np.testing.assert_allclose(phases.stability_limit([1e-4]), 1e-4, rtol=1e-3)
