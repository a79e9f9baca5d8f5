"""Sums over states are those that a library gives."""

import numpy as np
from scipy.special import logsumexp

from experiments.alarm.shared.log_sums import log_sums


def test_sums_are_those_of_the_library():
    generator = np.random.default_rng(0)
    points, centres = generator.normal(size=(20, 2)), generator.normal(size=(300, 2))
    weight = np.log(generator.dirichlet(np.ones(300)))
    away = ((points[:, None] - centres) ** 2).sum(-1)
    for sharpness in (0.5, 200.0):  # with the second most terms are too small to be added
        known = logsumexp(weight - sharpness * away, axis=1)
        np.testing.assert_allclose(log_sums(points, centres, weight, sharpness), known, rtol=1e-12)


def test_a_point_far_from_every_state_still_has_a_finite_sum():
    found = log_sums(np.array([[1e3, 0.0]]), np.zeros((2, 2)), np.log([0.5, 0.5]), 200.0)
    np.testing.assert_allclose(found, [-200.0 * 1e6])
