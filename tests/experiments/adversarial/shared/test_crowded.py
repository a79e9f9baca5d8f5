"""Sets of trained models over density."""

import numpy as np

from experiments.adversarial.shared.crowded import Training, _parts, evaluation_seeds, of_seeds, train_crowded
from experiments.core.metrics import represented_mass

QUICK = Training(steps=200, batch=32, rare_batch=64)


def test_rare_densities_train_on_larger_batches_and_order_is_kept():
    parts = _parts(np.array([1.0, 0.1, 0.02, 0.01, 0.5]), QUICK)
    assert parts == [(0, 2, 32), (2, 4, 64), (4, 5, 32)]


def test_rarer_features_crowd_and_seeds_differ():
    models = train_crowded(20, 4, [0.9, 0.02], 2, QUICK, seed=0, device="cpu")
    dense, rare = (represented_mass(each.W) for each in models)
    assert rare.min() > dense.max()
    assert not np.allclose(models[0].W[0], models[0].W[1])
    assert models[1].b.shape == (2, 20)


def test_models_can_be_taken_seed_by_seed():
    models = train_crowded(20, 4, [0.9, 0.02], 3, QUICK, seed=0, device="cpu")
    seeds = of_seeds(models)
    assert len(seeds) == 3
    assert np.array_equal(seeds[2][1].W, models[1].W[2:])


def test_seeds_are_evaluated_on_inputs_of_their_own():
    first, other = (set(evaluation_seeds(seed, 12)) for seed in (0, 7001))
    assert len(first) == len(other) == 12
    assert not first & other
