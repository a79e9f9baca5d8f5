"""Carriers, and what they tell about the leaf, against dictionaries for which the answers are known."""

import numpy as np
import pytest

from experiments.autoencoders.shared import carriers
from experiments.core import split_information as information
from experiments.core.synthetic_data import ClusterShape, clustered, flat, undivided

SHAPE = ClusterShape(clusters=4, leaves=5, hidden=24)


def drawn(make=clustered, count=20_000):
    world = make(SHAPE, 0)
    sample = world.sample(np.random.default_rng(1), count)
    return world, sample, world.events(sample)


def tables_of(carrier, events):
    return information.tables(carrier, events.cluster, events.label, SHAPE.clusters, SHAPE.leaves)


def test_with_the_true_dictionary_every_leaf_carries_its_own_events():
    world, sample, events = drawn()
    carrier = carriers.carriers(sample.features, world.directions, events)
    own = carrier == events.cluster * SHAPE.leaves + events.label
    assert own.mean() > 0.998  # a close leaf of another cluster, present with a far larger value, can contribute more
    of = tables_of(carrier, events)
    assert information.split_information(of) > 0.995
    np.testing.assert_allclose(information.effective_latents(of), information.effective_leaves(of), rtol=0.02)
    assert information.carried_share(of) == 1


def test_with_one_latent_per_cluster_the_carrier_says_nothing_about_the_leaf():
    world, sample, events = drawn()
    on = sample.features.reshape(len(sample.features), SHAPE.clusters, -1).sum(2)
    carrier = carriers.carriers(on, world.centres(), events)
    assert (carrier == events.cluster).mean() > 0.995
    exact = tables_of(events.cluster, events)
    assert information.split_information(exact) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(information.effective_latents(exact), 1)
    assert information.split_information(tables_of(carrier, events)) < 0.005


def test_labels_of_the_flat_world_are_known_with_its_dictionary_and_those_of_the_undivided_one_never():
    world, sample, events = drawn(flat)
    carrier = carriers.carriers(sample.features, world.directions, events)
    assert information.split_information(tables_of(carrier, events)) > 0.99
    world, sample, events = drawn(undivided)
    halves = np.random.default_rng(0).integers(0, 2, len(events.sample)) + 2 * events.cluster
    of = tables_of(halves, events)
    null = information.null_split_information(of, 400, np.random.default_rng(0))
    assert np.quantile(null, 0.001) <= information.split_information(of) <= np.quantile(null, 0.999)


def test_an_event_that_no_latent_carries_has_nobody():
    world, sample, events = drawn()
    silent = carriers.carriers(np.zeros((len(sample.label), 7)), np.ones((7, SHAPE.hidden)), events)
    assert set(silent) == {information.NOBODY}
    of = tables_of(silent, events)
    assert information.split_information(of) == 0
    np.testing.assert_array_equal(information.effective_latents(of), 0)
    assert information.carried_share(of) == 0
    faint = carriers.carriers(0.2 * sample.features, world.directions, events)
    assert (faint == information.NOBODY).mean() > 0.9  # a fifth of the value is less than a quarter


def test_silencing_a_latent_costs_what_it_costs_when_done():
    world, sample, _ = drawn(count=500)
    generator = np.random.default_rng(0)
    a = sample.features * (generator.random(sample.features.shape) < 0.8)
    W = world.directions + 0.1 * generator.standard_normal(world.directions.shape)
    residual = sample.activations - a @ W
    cost = carriers.removal_cost(a, W, residual)
    novelty = carriers.insertion_cost(a, W, sample.activations)
    for j in (0, 7, 19):
        without = a.copy()
        without[:, j] = 0
        direct = ((sample.activations - without @ W) ** 2).sum(1).mean() - (residual**2).sum(1).mean()
        assert cost[j] == pytest.approx(direct, rel=1e-5)
        alone = ((sample.activations - np.outer(a[:, j], W[j])) ** 2).sum(1).mean()
        assert novelty[j] == pytest.approx(alone - (sample.activations**2).sum(1).mean(), rel=1e-5)
