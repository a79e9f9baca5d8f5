"""Absorption, hedging, composition and overlap, on autoencoders built by hand to fail in a known way."""

import numpy as np
import pytest

from experiments.autoencoders.shared import failures
from experiments.core.synthetic_data import ClusterShape, hierarchical

SHAPE = ClusterShape(clusters=3, leaves=4, hidden=30)


def drawn():
    world = hierarchical(SHAPE, 0)
    sample = world.sample(np.random.default_rng(1), 5000)
    parent = sample.features[:, SHAPE.members :]
    child = sample.features[:, : SHAPE.members].reshape(5000, SHAPE.clusters, -1).sum(2) > 0
    return world, sample, parent, child


def test_the_true_dictionary_absorbs_nothing():
    world, sample, parent, child = drawn()
    found = failures.absorption(sample.features, world.directions, world.centres(), parent > 0, child)
    np.testing.assert_array_equal(found.latent, SHAPE.members + np.arange(SHAPE.clusters))
    np.testing.assert_allclose(found.cosine, 1, rtol=1e-6)
    np.testing.assert_array_equal(found.gap, 0)
    shares = failures.absorbed_share(sample.features, world.directions, world.centres(), parent, child)
    np.testing.assert_array_equal(shares, 0)


def test_full_absorption_is_one():
    """Child latents hold child plus parent, and the parent's latent fires only without a child."""
    world, sample, parent, child = drawn()
    a = sample.features.copy()
    a[:, SHAPE.members :] *= ~child
    W = world.directions.copy()
    W[: SHAPE.members] += np.repeat(world.centres(), SHAPE.leaves, axis=0)
    found = failures.absorption(a, W, world.centres(), parent > 0, child)
    np.testing.assert_array_equal(found.gap, 1)
    shares = failures.absorbed_share(a, W, world.centres(), parent, child)
    assert shares.min() > 0.95  # short of 1 where the child is so much weaker than its parent


def test_half_absorption_is_a_half():
    world, sample, parent, child = drawn()
    a = sample.features.copy()
    a[::2, SHAPE.members :] *= ~child[::2]
    gap = failures.absorption(a, world.directions, world.centres(), parent > 0, child).gap
    np.testing.assert_allclose(gap, 0.5, atol=0.05)


def test_a_row_holds_what_it_is_made_of():
    features = np.eye(5)
    rows = [features[0], features[1] + features[2], features.sum(0), np.zeros(5), -features[3]]
    np.testing.assert_array_equal(failures.holdings(rows, features), [1, 2, 5, 0, 1])


def test_a_latent_of_one_feature_is_pure_and_a_random_one_as_pure_as_its_commonest_feature():
    generator = np.random.default_rng(0)
    present = generator.random((5000, 3)) < [0.5, 0.2, 0.1]
    assert failures.purity(present * generator.random((5000, 3)), present, 20) == 1
    noise = failures.purity(generator.random((5000, 400)), present, 50)
    assert noise == pytest.approx(0.5, abs=0.02)
    assert failures.purity(np.zeros((5000, 2)), present, 20) == 0
