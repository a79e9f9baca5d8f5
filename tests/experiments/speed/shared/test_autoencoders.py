import numpy as np
import pytest

from experiments.speed.shared import autoencoders, report


def test_a_world_holds_unit_features_of_value_one():
    world = autoencoders.World(autoencoders.directions(0))
    batch = world.draw(np.random.default_rng(0), 4000)
    assert np.allclose(np.linalg.norm(world.directions, axis=1), 1, atol=1e-6)
    assert set(np.unique(batch.features)) == {0, 1}
    assert batch.features.sum(axis=1).mean() == pytest.approx(autoencoders.ACTIVE, rel=0.05)


def test_ours_trains_at_the_sizes_of_the_row():
    autoencoders.train_ours(2, "cpu", count=1)


@pytest.mark.skipif(not autoencoders.available(), reason="sae-lens is not installed; it is an optional row")
@pytest.mark.filterwarnings("ignore")
def test_theirs_trains_at_the_same_sizes():
    autoencoders.train_theirs(2, "cpu", count=1)


def test_the_row_is_said_where_it_was_measured_and_left_out_where_not():
    row = autoencoders.described("SAELens one by one") | {"plain": [0.8], "ours": [0.1]}
    assert report._autoencoders({}) == []
    assert "8.0 times as fast as SAELens one by one" in report._autoencoders({"autoencoders": [row]})[0]


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_both_sides_of_the_row_against_plain_torch_run(backend):
    autoencoders.train_variants(2, "cpu", backend)
