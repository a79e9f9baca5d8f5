"""Ladders and their statistics, on small autoencoders and on rungs made from the true dictionary."""

import numpy as np
import pytest

from experiments.autoencoders.shared.carriers import carriers
from experiments.autoencoders.shared.split_statistics import (
    home_clusters,
    measure_matches,
    measure_rungs,
    measure_steps,
)
from experiments.autoencoders.shared.width_series import LadderConfig, Rung, climb, train_ladder

TINY = LadderConfig(
    seeds=2, clusters=3, leaves=2, hidden=12, true_l0=1.0, ratios=(1, 2), steps=60, batch=64, samples=1500
)


def true_rung(world, sample, events, rows):
    """A rung whose latents are given combinations (latent, feature) of true features, each active with their sum."""
    latents = sample.features @ (np.asarray(rows) > 0).T
    W_dec = np.asarray(rows) @ world.directions
    W_dec = W_dec / np.linalg.norm(W_dec, axis=1, keepdims=True)
    helps = np.ones(len(rows), dtype=bool)
    return Rung(carriers(latents, W_dec, events), W_dec, helps, helps, 1.0, 0.0, 1.0, np.zeros(0, dtype=np.int64))


@pytest.fixture
def perfect():
    """Centres, then leaves, of one clustered world."""
    world = TINY.worlds("clustered")[0]
    sample = world.sample(np.random.default_rng(0), 4000)
    events = world.events(sample)
    centres = np.kron(np.eye(TINY.clusters), np.ones(TINY.leaves))
    return world, [(events, [true_rung(world, sample, events, rows) for rows in (centres, np.eye(6))])]


def test_no_two_autoencoders_of_a_ladder_share_first_weights_and_seeds_differ_in_data():
    models = TINY.models()
    assert [model.width for model in models] == [3, 3, 6, 6]
    assert len({model.seed for model in models}) == len(models)
    assert [model.source for model in models] == [0, 1, 0, 1]
    first, second = TINY.worlds("clustered")
    assert not np.array_equal(first.directions, second.directions)


def test_a_ladder_is_judged_on_the_same_events_at_every_width():
    worlds = TINY.worlds("clustered")
    trained = train_ladder(worlds, TINY.specification(TINY.models()), "cpu")
    climbed = climb(worlds, trained, TINY, probes=3)
    for events, rungs in climbed:
        assert [len(rung.W_dec) for rung in rungs] == [3, 6]
        assert all(rung.carrier.shape == events.label.shape for rung in rungs)
        assert all(rung.probed.shape == (3,) for rung in rungs)
        assert all(0 <= rung.dead <= 1 and rung.explained <= 1 for rung in rungs)
    again = climb(worlds, train_ladder(worlds, TINY.specification(TINY.models()), "cpu"), TINY)
    np.testing.assert_array_equal(again[1][1][1].carrier, climbed[1][1][1].carrier)


def test_from_centres_to_leaves_everything_splits(perfect):
    world, climbed = perfect
    rungs = measure_rungs([world], climbed, 9, np.random.default_rng(0))
    assert rungs.information[0, 0] < 0.01
    assert rungs.information[1, 0] > 0.98
    np.testing.assert_allclose(rungs.latents[1, 0], rungs.ceiling[0], rtol=0.05)
    steps = measure_steps(climbed, TINY.clusters)
    assert steps.fates[0, 0].tolist() == [3, 0, 0, 0]
    assert steps.origins[0, 0].tolist() == [6, 0, 0, 0]
    assert steps.siblings[0, 0].tolist() == [3, 3]
    assert measure_matches([world], climbed, (0.8,))[0, 0, 0].tolist() == [6, 6, 6, 0]


def test_the_home_of_a_latent_is_the_cluster_of_most_of_its_events():
    carrier, cluster = np.array([0, 0, 0, 2, -1, 2]), np.array([1, 1, 0, 2, 0, 2])
    assert home_clusters(carrier, cluster, 3, 3).tolist() == [1, 0, 2]
