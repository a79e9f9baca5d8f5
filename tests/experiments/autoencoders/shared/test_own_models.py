import numpy as np

from experiments.autoencoders.shared.own_models import own_worlds


def test_worlds_are_the_trained_models_and_count_what_these_represent():
    worlds = own_worlds(6, 3, 0.1, 2, steps=300, batch=64, seed=0, device="cpu")
    assert len(worlds.sources) == 2
    for s, source in enumerate(worlds.sources):
        assert np.array_equal(source.directions, worlds.weights.W[s].T)
        assert np.array_equal(worlds.counted[s], np.linalg.norm(source.directions, axis=1) > 0.5)
    assert worlds.active == 0.1 * worlds.counted.sum(axis=1).mean()
