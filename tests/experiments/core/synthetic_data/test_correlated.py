"""Worlds of correlated features: densities as stated, correlations in the stated direction, parents before children."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from experiments.core.synthetic_data import falling_densities, family, normal_twin, random_correlation, unrelated

COUNT = 60_000


def rng():
    return np.random.default_rng(7)


def test_features_fire_at_their_densities_with_or_without_correlation():
    p = falling_densities(20)
    for correlation in (None, random_correlation(20, seed=1)):
        fires = unrelated(p, 40, 0, correlation).sample(rng(), COUNT).features > 0
        assert np.all(np.abs(fires.mean(0) - p) < 5 * np.sqrt(p * (1 - p) / COUNT))


def test_two_features_fire_together_as_the_bivariate_normal_says():
    p, rho = 0.3, 0.6
    fires = unrelated([p, p], 4, 0, [[1, rho], [rho, 1]]).sample(rng(), COUNT).features > 0
    cut = norm.ppf(1 - p)
    expected = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([-cut, -cut])
    assert fires.all(1).mean() == pytest.approx(expected, abs=5 * np.sqrt(expected / COUNT))


def test_a_random_correlation_is_valid_and_has_both_signs():
    matrix = random_correlation(50, seed=42)
    np.testing.assert_allclose(np.diag(matrix), 1)
    np.testing.assert_allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > -1e-9
    off = matrix[np.triu_indices(50, 1)]
    assert 0.4 < (off > 0).mean() < 0.6
    assert np.abs(off).max() > 0.3


def test_the_densities_of_the_published_world_add_up_to_its_true_l0():
    p = falling_densities(50)
    assert p[0] == pytest.approx(0.345 * 49 / 50 + 0.05)
    assert p[-1] == pytest.approx(0.05)
    assert p.sum() == pytest.approx(10.95, abs=0.05)  # "about 11" in the paper


def test_features_that_fit_are_orthonormal():
    rows = unrelated(falling_densities(10), 12, 0).directions
    np.testing.assert_allclose(rows @ rows.T, np.eye(10), atol=1e-6)


def test_children_need_their_parent_and_have_their_probabilities_given_it():
    fires = family(0.25, [0.15, 0.5], 8, 0).sample(rng(), COUNT).features > 0
    parent = fires[:, 0]
    assert not (fires[:, 1:] & ~parent[:, None]).any()
    given = fires[parent, 1:].mean(0)
    assert np.all(np.abs(given - [0.15, 0.5]) < 5 * np.sqrt(0.25 / parent.sum()))


def test_the_normal_twin_shares_mean_and_covariance_and_nothing_else():
    world = unrelated([0.1, 0.2, 0.05], 3, 0)
    twin = normal_twin(world, COUNT, 1)
    real, imitation = world.draw(rng(), COUNT).activations, twin.draw(rng(), COUNT).activations
    np.testing.assert_allclose(imitation.mean(0), real.mean(0), atol=0.02)
    np.testing.assert_allclose(np.cov(imitation.T), np.cov(real.T), atol=0.01)
    kurtosis = [(((x - x.mean(0)) / x.std(0)) ** 4).mean() for x in (imitation, real)]
    assert kurtosis[0] == pytest.approx(3, abs=0.15)
    assert kurtosis[1] > 4
    assert not twin.draw(rng(), 5).features.any()
