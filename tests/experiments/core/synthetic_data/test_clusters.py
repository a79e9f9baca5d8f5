"""Cluster worlds: densities, hierarchy, geometry, and what the controls share with the world they control."""

import numpy as np
import pytest

from experiments.core.synthetic_data import CLUSTER_WORLDS, ClusterShape, clustered, flat, hierarchical, ring, undivided

SHAPE = ClusterShape()
COUNT = 40_000


def draw(make, seed=3):
    world = make(SHAPE, seed)
    return world, world.sample(np.random.default_rng(seed + 100), COUNT)


def tolerance(p, n):
    """Five standard errors of a share."""
    return 5 * np.sqrt(p * (1 - p) / n)


def by_cluster(rows):
    return rows[: SHAPE.members].reshape(SHAPE.clusters, SHAPE.leaves, -1).astype(np.float64)


def cosines_within(rows):
    """Cosines of different leaves of one cluster."""
    leaves = by_cluster(rows)
    return np.einsum("cah,cbh->cab", leaves, leaves)[:, ~np.eye(SHAPE.leaves, dtype=bool)]


@pytest.mark.parametrize("name", CLUSTER_WORLDS)
def test_activations_are_features_times_directions_and_nothing_else(name):
    world, drawn = draw(CLUSTER_WORLDS[name])
    np.testing.assert_allclose(drawn.activations, drawn.features @ world.directions, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(world.directions, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("name", CLUSTER_WORLDS)
def test_every_world_has_the_same_true_l0_and_clusters_fire_at_the_stated_rate(name):
    world, drawn = draw(CLUSTER_WORLDS[name])
    assert world.true_l0 == pytest.approx(SHAPE.true_l0)
    rate = (drawn.label >= 0).mean(0)
    np.testing.assert_allclose(rate, world.firing, atol=tolerance(world.firing, COUNT))
    if name != "ring":
        assert (drawn.features > 0).sum(1).mean() == pytest.approx(SHAPE.true_l0, abs=0.05)


@pytest.mark.parametrize("name", CLUSTER_WORLDS)
def test_labels_are_used_as_stated_in_every_cluster(name):
    world, drawn = draw(CLUSTER_WORLDS[name])
    for labels in drawn.label.T:
        on = labels[labels >= 0]
        share = np.bincount(on, minlength=world.use.size) / on.size
        assert np.all(np.abs(share - world.use) <= tolerance(world.use, on.size))
    assert world.use.sum() == pytest.approx(1)


@pytest.mark.parametrize("make", [clustered, flat, undivided, ring])
def test_controls_match_the_clustered_world_in_their_magnitudes(make):
    world, drawn = draw(make)
    magnitude = world.events(drawn).magnitude
    assert magnitude.mean() == pytest.approx(1, abs=5 * SHAPE.spread / len(magnitude) ** 0.5)
    assert magnitude.std() == pytest.approx(SHAPE.spread, rel=0.05)


def test_clusters_fire_independently():
    correlation = np.corrcoef((draw(clustered)[1].label >= 0).T)
    assert np.abs(correlation - np.eye(SHAPE.clusters)).max() < 5 / np.sqrt(COUNT)


def test_leaves_stand_at_the_stated_closeness_to_their_centre_with_unrelated_residuals():
    rows = clustered(SHAPE, 3).directions
    residual = (cosines_within(rows) - SHAPE.closeness) / (1 - SHAPE.closeness)
    assert abs(residual.mean()) < 5 / np.sqrt(residual.size * SHAPE.hidden)


def test_leaves_of_the_flat_world_are_unrelated_and_those_of_the_undivided_one_are_one():
    apart = cosines_within(flat(SHAPE, 3).directions)
    assert abs(apart.mean()) < 5 / np.sqrt(apart.size * SHAPE.hidden)
    np.testing.assert_allclose(cosines_within(undivided(SHAPE, 3).directions), 1, rtol=1e-6)


def test_at_most_one_member_of_a_cluster_is_present():
    _, drawn = draw(clustered)
    present = (drawn.features > 0).reshape(COUNT, SHAPE.clusters, SHAPE.leaves).sum(2)
    assert present.max() == 1
    np.testing.assert_array_equal(present > 0, drawn.label >= 0)


def test_a_child_never_comes_without_its_parent_and_comes_with_it_at_the_stated_rate():
    _, drawn = draw(hierarchical)
    children = (drawn.features[:, : SHAPE.members] > 0).reshape(COUNT, SHAPE.clusters, SHAPE.leaves).sum(2)
    parent = drawn.features[:, SHAPE.members :] > 0
    assert children.max() == 1
    assert not (children.astype(bool) & ~parent).any()
    assert children[parent].mean() == pytest.approx(SHAPE.child, abs=tolerance(SHAPE.child, parent.sum()))


def test_magnitudes_of_parent_and_child_are_independent():
    _, drawn = draw(hierarchical)
    child, parent = drawn.features[:, : SHAPE.leaves].sum(1), drawn.features[:, SHAPE.members]
    both = (child > 0) & (parent > 0)
    assert abs(np.corrcoef(child[both], parent[both])[0, 1]) < 5 / np.sqrt(both.sum())


def test_points_of_the_ring_are_as_close_to_their_centre_as_leaves_and_labels_are_arcs():
    world, drawn = draw(ring)
    events = world.events(drawn)
    cosine = (events.direction * world.centres()[events.cluster]).sum(1)
    np.testing.assert_allclose(cosine, SHAPE.closeness**0.5, atol=1e-5)
    axes = world.directions.reshape(SHAPE.clusters, 3, -1)[events.cluster]
    x, y = (events.direction * axes[:, 1]).sum(1), (events.direction * axes[:, 2]).sum(1)
    arc = np.floor((np.arctan2(y, x) / (2 * np.pi)) % 1 * SHAPE.leaves)
    assert (arc == events.label).mean() > 0.999  # float32 rounds at the edge of an arc


def test_events_add_up_to_the_activations():
    for make in (clustered, flat, undivided, ring):
        world, drawn = draw(make)
        events = world.events(drawn)
        assert len(events.sample) == (drawn.label >= 0).sum()
        rebuilt = np.zeros_like(drawn.activations)
        np.add.at(rebuilt, events.sample, events.direction * events.magnitude[:, None])
        np.testing.assert_allclose(rebuilt, drawn.activations, atol=2e-5)


def test_an_event_of_the_hierarchical_world_is_about_the_child_or_else_the_parent():
    world, drawn = draw(hierarchical)
    events = world.events(drawn)
    lonely = events.label == SHAPE.leaves
    np.testing.assert_array_equal(events.direction[lonely], world.centres()[events.cluster[lonely]])
    rows = events.cluster[~lonely] * SHAPE.leaves + events.label[~lonely]
    np.testing.assert_array_equal(events.direction[~lonely], world.directions[rows])
    np.testing.assert_array_equal(events.magnitude[~lonely], drawn.features[events.sample[~lonely], rows])


def test_the_same_seed_draws_the_same_world_and_samples_and_another_seed_others():
    first, again, other = clustered(SHAPE, 1), clustered(SHAPE, 1), clustered(SHAPE, 2)
    np.testing.assert_array_equal(first.directions, again.directions)
    assert not np.array_equal(first.directions, other.directions)
    one, two, three = (first.sample(np.random.default_rng(s), 50).features for s in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, three)
