"""The reader's recipe is the one in the notes, and seeds can be compared across densities and recipes."""

from dataclasses import replace

import numpy as np

from experiments.core.first_run import CONVERGED, READERS, SAMPLES, STEPS_PER_EPOCH, train_grid


def test_forty_epochs_of_the_readers_data_are_the_published_steps():
    assert STEPS_PER_EPOCH == 157  # 156 batches of 64 and one of 16
    assert READERS.steps == 40 * 157
    assert (READERS.batch, READERS.learning_rate, READERS.start, READERS.weight_decay) == (64, 1e-3, "normal", 0.0)


def test_a_seed_starts_from_the_same_weights_at_every_density_and_with_every_recipe():
    start = [
        train_grid(replace(recipe, steps=1, learning_rate=1e-9), [0.5, 0.1], 3, 7, "cpu", features=5, samples=samples).W
        for recipe, samples in ((READERS, SAMPLES), (CONVERGED, None))
    ]
    np.testing.assert_allclose(start[0], start[1], atol=1e-6)
    np.testing.assert_allclose(start[0][:3], start[0][3:], atol=1e-6)
    assert np.abs(start[0][0] - start[0][1]).max() > 0.1


def test_runs_have_data_of_their_own():
    recipe = replace(READERS, steps=20)
    one, two = train_grid(recipe, 0.5, 2, 0, "cpu", features=3, samples=64).W
    assert np.abs(one - two).max() > 0.1
