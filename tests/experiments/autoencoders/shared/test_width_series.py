"""Width series and their statistics, on small autoencoders and on dictionaries made from the true dictionary."""

import numpy as np
import pytest

from experiments.autoencoders.shared.carriers import carriers
from experiments.autoencoders.shared.split_statistics import (
    home_clusters,
    measure_dictionaries,
    measure_matches,
    measure_steps,
)
from experiments.autoencoders.shared.width_series import (
    JudgedDictionary,
    WidthSeriesConfig,
    judge_dictionaries,
    train_widths,
)

TINY = WidthSeriesConfig(
    seeds=2, clusters=3, leaves=2, hidden=12, true_l0=1.0, ratios=(1, 2), steps=60, batch=64, samples=1500
)


def true_dictionary(world, sample, events, rows):
    """Latents are given combinations (latent, feature) of true features, each active with their sum."""
    latents = sample.features @ (np.asarray(rows) > 0).T
    W_dec = np.asarray(rows) @ world.directions
    W_dec = W_dec / np.linalg.norm(W_dec, axis=1, keepdims=True)
    helps = np.ones(len(rows), dtype=bool)
    return JudgedDictionary(
        carriers(latents, W_dec, events), W_dec, helps, helps, 1.0, 0.0, 1.0, np.zeros(0, dtype=np.int64)
    )


@pytest.fixture
def perfect():
    """Centres, then leaves, of one clustered world."""
    world = TINY.worlds("clustered")[0]
    sample = world.sample(np.random.default_rng(0), 4000)
    events = world.events(sample)
    centres = np.kron(np.eye(TINY.clusters), np.ones(TINY.leaves))
    return world, [(events, [true_dictionary(world, sample, events, rows) for rows in (centres, np.eye(6))])]


def test_no_two_autoencoders_of_a_ladder_share_first_weights_and_seeds_differ_in_data():
    models = TINY.models()
    assert [model.width for model in models] == [3, 3, 6, 6]
    assert len({model.seed for model in models}) == len(models)
    assert [model.source for model in models] == [0, 1, 0, 1]
    first, second = TINY.worlds("clustered")
    assert not np.array_equal(first.directions, second.directions)


def test_a_width_series_is_judged_on_the_same_events_at_every_width():
    worlds = TINY.worlds("clustered")
    trained = train_widths(worlds, TINY.specification(TINY.models()), "cpu")
    judged = judge_dictionaries(worlds, trained, TINY, probes=3)
    for events, dictionaries in judged:
        assert [len(one.W_dec) for one in dictionaries] == [3, 6]
        assert all(one.carrier.shape == events.label.shape for one in dictionaries)
        assert all(one.probed.shape == (3,) for one in dictionaries)
        assert all(0 <= one.dead <= 1 and one.explained <= 1 for one in dictionaries)
    again = judge_dictionaries(worlds, train_widths(worlds, TINY.specification(TINY.models()), "cpu"), TINY)
    np.testing.assert_array_equal(again[1][1][1].carrier, judged[1][1][1].carrier)


def test_from_centres_to_leaves_everything_splits(perfect):
    world, judged = perfect
    dictionaries = measure_dictionaries([world], judged, 9, np.random.default_rng(0))
    assert dictionaries.information[0, 0] < 0.01
    assert dictionaries.information[1, 0] > 0.98
    np.testing.assert_allclose(dictionaries.latents[1, 0], dictionaries.ceiling[0], rtol=0.05)
    steps = measure_steps(judged, TINY.clusters)
    assert steps.fates[0, 0].tolist() == [3, 0, 0, 0]
    assert steps.origins[0, 0].tolist() == [6, 0, 0, 0]
    assert steps.siblings[0, 0].tolist() == [3, 3]
    assert measure_matches([world], judged, (0.8,))[0, 0, 0].tolist() == [6, 6, 6, 0]


def test_the_home_of_a_latent_is_the_cluster_of_most_of_its_events():
    carrier, cluster = np.array([0, 0, 0, 2, -1, 2]), np.array([1, 1, 0, 2, 0, 2])
    assert home_clusters(carrier, cluster, 3, 3).tolist() == [1, 0, 2]
